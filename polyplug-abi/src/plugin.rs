//! What a plugin hands over when its bundle is loaded.

use core::ffi::c_void;

use crate::arena::CallArena;
use crate::error::AbiError;
use crate::guest::{GuestContractInstance, GuestContractInterface};
use crate::host::HostApi;
use crate::types::{StringView, Version};

/// The function every native bundle exports as `polyplug_init`.
pub type Init = unsafe extern "C" fn(host: *const HostApi, context: *const BundleInitContext, out_err: *mut AbiError);

/// The function every native bundle exports as `polyplug_abi_version`.
pub type AbiVersion = extern "C" fn() -> u32;

/// What a bundle is told when it starts. Valid for the duration of `polyplug_init`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct BundleInitContext {
    /// The bundle's id.
    pub bundle_id: u64,
    /// The folder the bundle was loaded from.
    pub bundle_path: StringView,
}

/// Names a plugin.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct PluginDescriptor {
    /// The plugin's name, for people.
    pub name: StringView,
    /// The name of the contract it implements.
    pub contract_name: StringView,
    /// The plugin's own version.
    pub version: Version,
}

const _: () = assert!(size_of::<PluginDescriptor>() == 48);

/// Properties of a plugin, as bits.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PluginFlags(pub u32);

impl PluginFlags {
    /// The plugin's type holds no data: one instance serves everybody.
    pub const STATELESS: Self = Self(1);
    /// One instance serves the whole bundle.
    pub const SINGLETON: Self = Self(2);

    /// Whether all bits of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets of bits.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Makes an instance, or says why not.
pub type CreateWithError =
    unsafe extern "C" fn(host: *const HostApi, out_instance: *mut GuestContractInstance, out_err: *mut AbiError);

/// Writes a snapshot of an instance's state: bytes in `arena`.
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

/// Says whether a newly loaded plugin is fit to serve.
pub type CheckHealth = unsafe extern "C" fn(host: *const HostApi, arena: *mut CallArena, out_err: *mut AbiError);

/// Everything `#[plugin]` tells the host about one plugin. Valid for the duration of `register_plugin`.
///
/// Fields are only ever added at the end; `struct_size` says which ones the sender knew.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PluginRegistration {
    /// `size_of::<PluginRegistration>()` as the sender was built.
    pub struct_size: usize,
    /// The plugin's names and version.
    pub descriptor: PluginDescriptor,
    /// Its table; the host copies it.
    pub interface: *const GuestContractInterface,
    /// Its properties.
    pub flags: PluginFlags,
    /// Makes an instance and can say why not; `interface.create_instance` is used where absent.
    pub create: Option<CreateWithError>,
    /// Takes a snapshot for a reload.
    pub save: Option<SaveInstance>,
    /// Makes an instance from a snapshot.
    pub restore: Option<RestoreInstance>,
    /// Asked before a newly loaded version is published.
    pub health: Option<CheckHealth>,
    /// The contract's schema, encoded; empty when the plugin has none.
    pub schema: StringView,
    /// Reserved for the sender; null.
    pub reserved: *mut c_void,
}

const _: () = assert!(size_of::<PluginRegistration>() == 128);
