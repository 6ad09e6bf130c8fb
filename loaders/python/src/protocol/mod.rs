//! The low-level protocol: bundles that work on canonical memory themselves, by its addresses.
//!
//! The main file of such a bundle has a function `polyplug_init`. The value that it returns says which contracts the
//! bundle implements, and by which functions; nothing else of the bundle is read. docs/src/python.md describes the
//! protocol.
//!
//! - `arena_alloc`: the function that gives the bundle's functions memory for their results.
//! - `bundle`: the state that the plugins of a bundle share.
//! - `plugin`: [`LowLevelPlugin`], the plugin for one contract.
//! - `registration`: reads the value that `polyplug_init` returned.
//! - `start`: [`find_init`] and [`call_init`], which start a bundle.
//!
//! Invariant: addresses are passed on as they come. Only the bundle knows what lies there.

mod arena_alloc;
mod bundle;
mod plugin;
mod registration;
mod start;

pub(crate) use plugin::LowLevelPlugin;
pub(crate) use start::{call_init, find_init};
