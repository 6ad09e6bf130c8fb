//! Tests with real installations of .NET, which `cargo xtask dotnet` makes, and with folders that look like some.

mod child;
mod dotnet;
mod errors;
mod host;
mod icu;
mod options;
mod search;
#[cfg(unix)]
mod signals;
#[cfg(unix)]
mod stack;
mod start;
