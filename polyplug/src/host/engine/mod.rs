//! The parts that loaders of scripting languages share: everything but the language.
//!
//! A loader for such a language implements [`Engine`] for its VM, and [`Caller`] (with [`Build`] and [`Read`]) to move
//! single values into the VM and out of it. The loader passes the VM to [`load`](load()), which does the rest. It finds
//! the contracts that the bundle's code names, compares its methods with them, and registers plugins. It makes and ends
//! instances, takes the engine's lock, turns faults into the errors of calls, carries state over a reload, and frees
//! everything at the end.
//!
//! - [`Engine`]: the VM of one version of a bundle.
//! - [`Caller`]: an engine whose guests call others.
//! - [`Build`], [`Read`]: the two directions in which an engine moves values.
//! - [`LowLevel`]: a plugin whose code works on canonical memory itself.
//! - [`load`](load()), [`load_either`]: the start of a bundle.
//! - [`LoadedCode`], [`PluginDecl`]: the plugins that a bundle's code declares.
//! - [`Guest`]: the bundle, as its engine sees it.
//! - [`BodyLayout`]: the place of fields in the values of a language.
//! - [`KnownContract`]: a contract that a guest names, with the layout of its values.
//! - [`IncomingCall`], [`CallMemory`]: a call of a guest, and its memory.
//! - [`ImportedObject`], [`CallOutcome`]: an object that a guest calls, and the outcome of such a call.
//! - [`OutgoingCall`]: a call that a guest makes, whose values the engine lowers itself.
//! - [`DeclaredCall`]: the account of a declared error that a guest does not catch.
//! - [`Fault`], [`Exception`]: the reasons why an engine could not do what it was asked to.
//! - [`Limits`], [`Deadline`]: the limits of a bundle's memory and time.
//! - [`guarded`]: code of an engine that may panic, where frames of the language are below it.
//! - [`stack_left`]: the stack of this thread that is left.
//! - [`log_message`]: a message of an engine that belongs to no bundle.
//! - `Places`: the names of a bundle's files in errors.
//! - `Vm`, `EngineLock`: an engine behind its lock, and that lock.
//! - `VmPool`, `Entry`: the engines of a bundle with workers, and the entry of a thread into one of them.
//! - `VmSet`: the engines that run a plugin, one or a pool.
//! - `VmPlugin`, `LowLevelPlugin`, `VmObject`: the data behind the tables that the runtime calls.
//!
//! Invariant: one thread at a time is in an [`EXCLUSIVE`](Engine::EXCLUSIVE) engine, and a function that the runtime
//! calls through a table does not unwind.
//!
//! docs/src/loaders.md explains how to write a loader.

mod body_layout;
mod clock;
mod declared_call;
mod engine;
mod entries;
mod fault;
mod guest;
mod imported_object;
mod incoming_call;
mod known_contract;
mod limits;
mod load;
mod lock;
mod low_level;
mod messages;
mod object;
mod places;
mod plugin;
mod schemas;
mod vm;
mod vm_pool;
mod vm_set;

pub use body_layout::BodyLayout;
pub use declared_call::DeclaredCall;
pub use engine::Engine;
pub use fault::{Exception, Fault};
pub use guest::Guest;
pub use imported_object::{CallOutcome, Caller, ImportedObject, OutgoingCall};
pub use incoming_call::{CallMemory, IncomingCall};
pub use known_contract::KnownContract;
pub use limits::{Deadline, Limits};
pub use load::{LoadedCode, PluginDecl, StartError, load, load_either};
pub use low_level::LowLevel;
pub use messages::log_message;
pub use plugin::guarded;

pub use crate::host::marshal::build::Build;
pub use crate::host::marshal::located::Located;
pub use crate::host::marshal::number::{Float, Integer};
pub use crate::host::marshal::read::{CaseOf, RawText, Read};
pub use crate::host::plugin_proxy::stack::remaining as stack_left;
