//! The binary interface between a polyplug host and its plugins.
//!
//! This crate has the `repr(C)` types, the ids of bundles and contracts, and the logic that both sides must share:
//! allocation from a [`CallArena`], and hashing of names. The crate has no dependencies and does not allocate.
//!
//! Most programs never name these types, because `#[polyplug::contract]` and `#[polyplug::plugin]` produce and consume
//! them. The types are public for hosts and plugins that are written by hand, in C or in Rust.
//!
//! # Trust
//!
//! A receiver cannot trust a value from the other side. Types whose invalid bit patterns would be undefined behaviour
//! in Rust (`bool`, `char`, enums, references) therefore do not appear in structures that cross: enumerations are
//! transparent integers with named constants, text is a [`StringView`] that the receiver checks.
#![no_std]

#[cfg(not(target_pointer_width = "64"))]
compile_error!("polyplug's ABI is defined for 64-bit targets only");

mod arena;
pub mod dispatch;
mod error;
pub mod guest;
pub mod host;
mod ids;
mod language;
pub mod plugin;
mod proxy;
pub mod runtime;
pub mod types;

pub use arena::{CallArena, GrowFn};
pub use dispatch::{DispatchMechanisms, DispatchType, Entry, NativeDispatch, VmCall, VmDispatch, VmLoaderData};
pub use error::{AbiError, AbiErrorCode};
pub use guest::{CreateInstance, DestroyInstance, GuestContractHandle, GuestContractInstance, GuestContractInterface};
pub use host::{HostApi, HostContractInstance, HostContractInterface, LogLevel, ThreadBody, UnloadFunction};
pub use ids::{BundleId, GuestContractId, HostContractId, fnv1a_64};
pub use language::SupportedLanguage;
pub use plugin::{AbiVersion, BundleInitContext, Init, PluginDescriptor, PluginFlags, PluginRegistration};
pub use proxy::{DropObject, ObjectOffer, ProxyRequest, ProxyTarget};
pub use runtime::{Compatibility, ReloadPhase, ReloadPhaseType, RuntimeConfig};
pub use types::{Array, DependencyInfo, StringView, Version};

/// The version of this ABI: `major * 65536 + minor`.
///
/// A host and a plugin are compatible if their majors are equal. A larger minor only adds fields at the ends of
/// structures, which the other side detects by the structures' size.
pub const POLYPLUG_ABI_VERSION: u32 = abi_version(1, 0);

/// Packs an ABI version in the format that `polyplug_abi_version()` returns.
#[must_use]
pub const fn abi_version(major: u16, minor: u16) -> u32 {
    ((major as u32) << 16) | minor as u32
}

/// Returns the major half of a packed ABI version.
#[must_use]
pub const fn abi_major(version: u32) -> u32 {
    version >> 16
}
