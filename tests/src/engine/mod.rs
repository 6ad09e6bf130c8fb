//! An engine for tests, of a toy language: its methods are closures over values without widths.
//!
//! It knows of polyplug what a loader in a crate of its own would: the public parts. So what holds for it holds for any
//! engine, and a test can make happen in it what no real language would do on purpose.

mod code;
mod loader;
mod machine;
mod moving;
mod value;

pub use code::{Call, Class, Code, Raise};
pub use loader::ToyLoader;
pub use machine::{Counts, Thing};
pub use value::{Object, Toy};
