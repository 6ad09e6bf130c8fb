//! What the module `polyplug` does that Python cannot.

mod host_functions;

pub(crate) use host_functions::{Native, settings};
