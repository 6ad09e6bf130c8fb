//! The functions behind [`HostApi`](polyplug_abi::HostApi). Each finds the caller's context, calls an ordinary method
//! of the runtime, and converts the result to its C layout.
//!
//! - `table::FUNCTIONS`: the table with all functions of this folder.
//! - `with_runtime`: the frame of a function: finds the runtime, catches panics, reports failures.
//! - `ApiError`: a code and a text, made of any error of the host.
//! - `registration`, `lookup`, `calls`, `proxies`, `bundles`, `threads`, `unload`, `memory`, `messages`, `bundle_info`: the
//!   functions, a file for each subject.
//!
//! Invariant: a function does not unwind; `with_runtime` records a failure as the runtime's last error, also where the
//! signature has no `out_err`.

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
mod unload;
mod with_runtime;
