//! What bundles in scripting languages have in common: everything but the language.
//!
//! A loader for such a language implements [`Engine`] for its virtual machine, and [`Caller`] (with [`Build`] and
//! [`Read`]) for moving single values into it and out of it. It hands the machine to [`load`], which does the rest: finds
//! the contracts that the bundle's code names, holds its methods against them, registers plugins, makes and ends
//! instances, takes the engine's lock, turns what goes wrong into a call's error, carries state over a reload, and gives
//! everything back at the end.
//!
//! docs/src/loaders.md leads through the making of a loader.

mod engine;
mod fault;
mod guest;
mod imported_object;
mod incoming_call;
mod known_contract;
mod limits;
mod load;
mod lock;
mod low_level;
mod object;
mod plugin;
mod schemas;
mod suggest;
mod vm;

pub use engine::Engine;
pub use fault::{Exception, Fault};
pub use guest::Guest;
pub use imported_object::{CallOutcome, Caller, ImportedObject};
pub use incoming_call::IncomingCall;
pub use known_contract::KnownContract;
pub use limits::{Deadline, Limits};
pub use load::{LoadedCode, PluginDecl, load, load_either};
pub use low_level::LowLevel;

pub use crate::host::marshal::build::Build;
pub use crate::host::marshal::located::Located;
pub use crate::host::marshal::number::{Float, Integer};
pub use crate::host::marshal::read::{CaseOf, RawText, Read};
