//! `polyplug test`, as it is run from a shell.

#[path = "../common/mod.rs"]
mod common;

mod bundle;
pub mod contracts;
mod failures;
mod page;
mod projects;
mod reports;
mod running;
mod shops;
mod stand_ins;
mod suites;
