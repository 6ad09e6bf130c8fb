//! The one interpreter of the process.
//!
//! - `library`: the shared library of Python that the program is linked with.
//! - `config`: starts CPython, isolated from its user.
//! - `compile`: compiles source text.
//! - `prelude`: [`Prelude`](prelude::Prelude), the part of the loader that is written in Python.
//! - `process_exit`: work at the exit of the process.
//! - `running`: [`Interpreter`], and [`start`], [`running`] and [`current`], which give it.
//!
//! Invariant: there is at most one [`Interpreter`], of the Python version that the program was built for, and it is
//! never dropped.

mod compile;
mod config;
mod library;
mod prelude;
mod process_exit;
mod running;

pub(crate) use compile::compile;
pub(crate) use running::{Interpreter, current, is_attached, running, start};
