//! The registration of plugins when their bundle is loaded.

use core::ffi::c_void;

use crate::arena::CallArena;
use crate::error::AbiError;
use crate::guest::{GuestContractInstance, GuestContractInterface};
use crate::host::HostApi;
use crate::types::{StringView, Version};

/// The function that every native bundle exports as `polyplug_init`.
pub type Init = unsafe extern "C" fn(host: *const HostApi, context: *const BundleInitContext, out_err: *mut AbiError);

/// The function that every native bundle exports as `polyplug_abi_version`.
pub type AbiVersion = extern "C" fn() -> u32;

/// The data that a bundle receives when it starts. Valid for the duration of `polyplug_init`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct BundleInitContext {
    /// The bundle's id.
    pub bundle_id: u64,
    /// The bundle's own folder, as `HostApi::directory` returns it; empty for a bundle in memory.
    pub bundle_path: StringView,
}

/// The names and the version of a plugin.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct PluginDescriptor {
    /// The plugin's name, for people.
    pub name: StringView,
    /// The name of the contract that the plugin implements.
    pub contract_name: StringView,
    /// The plugin's own version.
    pub version: Version,
}

const _: () = assert!(size_of::<PluginDescriptor>() == 48);

/// The properties of a plugin, as bits.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PluginFlags(pub u32);

impl PluginFlags {
    /// The plugin's type has no data, so one instance serves all callers.
    pub const STATELESS: Self = Self(1);
    /// The plugin has one instance for the whole bundle, which serves all callers.
    pub const SINGLETON: Self = Self(2);

    /// Returns whether all bits of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Returns the bits that are set in `self` or `other`.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Makes an instance, or reports an error.
pub type CreateWithError =
    unsafe extern "C" fn(host: *const HostApi, out_instance: *mut GuestContractInstance, out_err: *mut AbiError);

/// Writes a snapshot of an instance's state, as bytes in `arena`.
pub type SaveInstance = unsafe extern "C" fn(
    instance: GuestContractInstance,
    out: *mut StringView,
    arena: *mut CallArena,
    out_err: *mut AbiError,
);

/// Makes an instance from a snapshot that plugin version `from` wrote.
pub type RestoreInstance = unsafe extern "C" fn(
    host: *const HostApi,
    state: StringView,
    from: Version,
    out_instance: *mut GuestContractInstance,
    out_err: *mut AbiError,
);

/// Checks whether a newly loaded plugin is fit to serve, or reports an error.
pub type CheckHealth = unsafe extern "C" fn(host: *const HostApi, arena: *mut CallArena, out_err: *mut AbiError);

/// The data about one plugin that `#[plugin]` passes to the host. Valid for the duration of `register_plugin`.
///
/// New fields are added at the end only; `struct_size` says which fields exist.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PluginRegistration {
    /// The value of `size_of::<PluginRegistration>()` in the sender's build.
    pub struct_size: usize,
    /// The plugin's names and version.
    pub descriptor: PluginDescriptor,
    /// The plugin's table, which the host copies.
    pub interface: *const GuestContractInterface,
    /// The plugin's properties.
    pub flags: PluginFlags,
    /// The factory, which can report an error. If absent, the host uses `interface.create_instance`.
    pub create: Option<CreateWithError>,
    /// The function that takes a snapshot for a reload.
    pub save: Option<SaveInstance>,
    /// The function that makes an instance from a snapshot.
    pub restore: Option<RestoreInstance>,
    /// The check that the host makes before it publishes a newly loaded version.
    pub health: Option<CheckHealth>,
    /// The contract's schema, encoded; empty for a plugin without a schema.
    pub schema: StringView,
    /// Reserved for the sender; null.
    pub reserved: *mut c_void,
}

const _: () = assert!(size_of::<PluginRegistration>() == 128);
