//! The order of the layers, read from the sources and held against the tables of `docs/src/design.md`.
//!
//! - [`Repository`]: the texts that are read, from the disk or made up.
//! - [`Finding`]: a line that breaks a rule.
//! - [`Figures`]: how many files, arrows and circles there are.
//!
//! An arrow leads from the file that imports a name to the file that defines it, whichever modules hand the name on. A
//! file that defines nothing is a face. Faces have no arrows.
//!
//! Calls of methods and the output of macros are not seen.

mod arrows;
mod cfg;
mod circles;
mod figures;
mod manifests;
mod read;
mod report;
mod repository;
mod resolve;
mod rules;
mod source;
mod tables;
mod tokens;
mod tree;

pub use figures::Figures;
pub use report::Finding;
pub use repository::{Repository, Sources};
pub use tables::PAGE;
