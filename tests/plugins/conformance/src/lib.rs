//! What every language has to do, in Rust: see tests/tests/conformance.

mod failing;
mod objects;
mod reaching;
mod reading;
mod state;
mod written;
