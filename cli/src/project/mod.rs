//! New projects: contracts, hosts, and plugins in each language.
//!
//! - [`Files`]: the files of a project, which are written all at once
//! - [`Plugin`]: what a plugin of any language is made of
//! - [`values`]: values of a contract's types, as texts of a language
//!
//! Invariant: a project builds, and passes its own tests, as soon as it is made.

mod c;
mod crates;
mod dotnet;
mod files;
mod javascript;
mod languages;
mod lua;
mod plugin;
mod python;
mod rust;
mod script_test;
mod values;

pub(crate) use crates::{contract, host};
pub(crate) use files::check_name;
pub(crate) use languages::files_of;
pub(crate) use plugin::Plugin;
