//! .NET for the tests and the demo: a runtime in two versions, a compiler, the bridge and the plugins in C#.
//!
//! A machine with an SDK uses the SDK. On Linux on x86-64 a machine without one gets the runtimes from packages that
//! registries of other languages have, and compiles with Mono's `mcs`.

mod bridge;
mod compile;
mod guests;
mod mono;
mod packages;
mod page;
mod sdk;
mod setup;
mod sources;
mod stages;
mod toolchain;

pub(crate) use bridge::run as run_bridge;
pub(crate) use setup::{build as build_guests, run};
pub(crate) use stages::{Stages, build as build_stages};
