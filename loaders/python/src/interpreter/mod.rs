//! The one interpreter of the process.

mod library;
mod prelude;
mod running;

pub(crate) use running::{Interpreter, running, start};
