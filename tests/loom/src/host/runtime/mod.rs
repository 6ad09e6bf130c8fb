//! In place of `runtime/`: a runtime, as far as threads can see it.

pub(crate) mod runtime;
