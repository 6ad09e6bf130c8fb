//! The checked part of polyplug's `host`, and stand-ins for the files that it needs.
//!
//! The folders are those of polyplug. A file with a `#[path]` is checked; every other file is a stand-in for the file
//! of the same name, and says what it leaves out.

pub(crate) mod abi;
pub(crate) mod code;
pub(crate) mod engine;
pub(crate) mod error;
pub mod models;
pub(crate) mod plugin;
pub(crate) mod runtime;
pub(crate) mod store;
pub(crate) mod version;
// The checked file. Not all of its items are used.
#[allow(dead_code)]
#[path = "../../../../polyplug/src/host/waits.rs"]
pub(crate) mod waits;
