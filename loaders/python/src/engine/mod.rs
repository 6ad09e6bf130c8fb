//! The calls of the runtime into a [`PythonEngine`](crate::bundle::PythonEngine).
//!
//! - `arguments`: the arguments of a call, as CPython's vectorcall protocol takes them.
//! - `declared_error`: the exceptions that stand for errors which methods declare.
//! - `hints`: the check of a method's signature and type hints.
//! - `call`: a call from its arguments to its result.
//! - `dispatch`: the implementation of [`Engine`](polyplug::engine::Engine).
//!
//! Invariant: each call attaches the thread before it touches Python objects, and starts the call's timer while
//! attached.

mod arguments;
mod call;
mod declared_error;
mod dispatch;
mod hints;
