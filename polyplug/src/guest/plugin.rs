//! The list of the plugins of a program or library.

use polyplug_abi::plugin::{CheckHealth, CreateWithError};
use polyplug_abi::{
    Entry, GuestContractInterface, NativeDispatch, PluginDescriptor, PluginFlags, PluginRegistration, StringView,
    Version,
};

use crate::contract_info::ContractInfo;
use crate::guest::migrate::Migration;

/// A `#[plugin]`, as the macro describes it.
#[doc(hidden)]
pub struct PluginEntry {
    /// The plugin's name.
    pub name: &'static str,
    /// The package that the plugin is part of.
    pub package: &'static str,
    /// The package's version.
    pub version: Version,
    /// The contract that the plugin implements.
    pub contract: fn() -> &'static ContractInfo,
    /// The plugin's table.
    pub interface: &'static GuestContractInterface,
    /// The plugin's properties.
    pub flags: PluginFlags,
    /// The plugin's factory.
    pub create: CreateWithError,
    /// The functions that carry the state of the plugin's instances over a reload.
    pub migration: Option<Migration>,
    /// The function that checks whether the plugin is fit to serve.
    pub health: Option<CheckHealth>,
}

inventory::collect!(PluginEntry);

impl PluginEntry {
    /// Makes the registration of the plugin. Its view of `schema` is valid while `schema` is, its other views for ever.
    pub(crate) fn registration(&self, schema: &[u8]) -> PluginRegistration {
        PluginRegistration {
            struct_size: size_of::<PluginRegistration>(),
            descriptor: PluginDescriptor {
                name: StringView::from_static(self.name.as_bytes()),
                contract_name: StringView::from_static((self.contract)().name.as_bytes()),
                version: self.version,
            },
            interface: self.interface,
            flags: self.flags,
            create: Some(self.create),
            save: self.migration.as_ref().map(|migration| migration.save),
            restore: self.migration.as_ref().map(|migration| migration.restore),
            health: self.health,
            schema: StringView::lend(schema),
            reserved: std::ptr::null_mut(),
        }
    }

    /// Returns all plugins of the program, always in the same order.
    pub(crate) fn all() -> Vec<&'static Self> {
        let mut entries: Vec<_> = inventory::iter::<Self>.into_iter().collect();
        entries.sort_by_key(|entry| (entry.package, entry.name, entry.interface.contract_id));
        entries
    }
}

/// Returns the properties of a plugin whose type is `T`.
#[doc(hidden)]
#[must_use]
pub const fn plugin_flags<T>(singleton: bool) -> PluginFlags {
    let mut flags = PluginFlags(0);
    if size_of::<T>() == 0 {
        flags = flags.union(PluginFlags::STATELESS);
    }
    if singleton {
        flags = flags.union(PluginFlags::SINGLETON);
    }
    flags
}

/// Makes the dispatch of an interface from the plugin's entries.
#[doc(hidden)]
#[must_use]
pub const fn native_dispatch(functions: &'static [Entry]) -> NativeDispatch {
    NativeDispatch { function_count: functions.len() as u32, functions: functions.as_ptr().cast() }
}

/// Makes a package's version from the three numbers that cargo provides as text.
#[doc(hidden)]
#[must_use]
pub const fn package_version(major: &str, minor: &str, patch: &str) -> Version {
    Version::new(number(major), number(minor), number(patch))
}

const fn number(digits: &str) -> u32 {
    let digits = digits.as_bytes();
    let mut value: u32 = 0;
    let mut i = 0;
    while i < digits.len() {
        value = value.saturating_mul(10).saturating_add((digits[i] - b'0') as u32);
        i += 1;
    }
    value
}
