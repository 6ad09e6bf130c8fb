//! An engine for tests, of a toy language: its methods are closures over values without widths.
//!
//! The engine uses only the public parts of polyplug, as a loader in a crate of its own does. So the tests' results
//! hold for any engine, and a test can cause failures that no real language causes on purpose.

mod code;
mod loader;
mod moving;
mod value;
mod vm;

pub use code::{Call, Class, Code, Raise};
pub use loader::ToyLoader;
pub use value::{Object, Toy};
pub use vm::{Counts, Thing};
