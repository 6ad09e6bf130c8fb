//! The functions of [`HostApi`](polyplug_abi::HostApi).
//!
//! Each finds its context, does its work on the runtime's ordinary methods, and turns what comes out into the C form.
//! None lets a panic out. A failure is reported where the signature has room for it, and recorded as the runtime's
//! last error in any case.

mod bundle_info;
mod bundles;
mod calls;
mod error;
mod lookup;
mod memory;
mod messages;
mod proxies;
mod registration;
pub(crate) mod table;
mod threads;
mod with_runtime;
