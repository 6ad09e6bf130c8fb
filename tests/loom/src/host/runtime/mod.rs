//! In place of `runtime/`: the steps of a runtime that other threads can see.

pub(crate) mod runtime;
