//! Threads in the interpreter.

mod attached;

pub(crate) use attached::{Attached, calm, close, interrupt, outside, release, with};
