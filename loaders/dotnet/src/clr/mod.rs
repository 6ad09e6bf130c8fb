//! The CLR of the process: how an installation of .NET is found, and how its CLR is started.
//!
//! - [`ClrConfig`]: the options of the CLR.
//! - [`Clr`]: the CLR that runs.
//! - [`prepare_thread`]: this thread, made ready for managed code.
//! - [`keep_signals`]: code during which the host's handlers of signals stay.
//! - `Search`, `Found`: the search for an installation, and the installation that is found.
//! - `Loaded`: the parts of .NET that the process has loaded already.
//! - `Hostfxr`, `Context`: the library of .NET that starts the CLR, and a use of that library.
//!
//! Invariant: a process has one CLR, which is never ended.

mod clr;
mod config;
mod files;
mod hostfxr;
mod icu;
mod image;
mod installed;
mod loaded;
mod lock;
mod search;
mod signals;
mod stack;
#[cfg(test)]
mod tests;

pub(crate) use clr::Clr;
pub(crate) use config::ClrConfig;
pub(crate) use signals::keep_signals;
pub(crate) use stack::prepare_thread;
