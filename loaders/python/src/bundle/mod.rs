//! A version of a bundle in the interpreter.

mod method;
mod modules;

pub(crate) use method::{Method, call_method};
pub(crate) use modules::{Modules, Source};
