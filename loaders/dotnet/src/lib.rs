//! Loads polyplug bundles written for .NET.
//!
//! All bundles of a process run in one CLR, the virtual machine of .NET. The CLR is that of an installation of .NET Core
//! 3.1 or later, which is found when the first bundle is loaded; building needs no .NET.

// docs/src/design.md lists the modules by their layers.

mod bridge;
mod bundle;
mod check;
mod clr;
mod describe;
mod engine;
mod fault;
mod host;
mod loader;
mod names;
mod start;
mod unload;
mod wire;

pub use loader::DotnetLoader;
