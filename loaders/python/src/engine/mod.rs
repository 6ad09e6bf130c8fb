//! How the runtime calls a bundle.

mod calls;

pub(crate) use calls::{Plugin, PythonEngine};
