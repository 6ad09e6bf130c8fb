//! `polyplug test`, as it is run from a shell.

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
