//! In place of `unload.rs`: no version of a model has functions for its unload.

use super::reclaim::{Reclaimer, VersionResources};

pub(crate) type UnloadFunction = ();

pub(crate) struct Unload(());

impl Unload {
    pub(crate) fn new(_: &str, _: &Reclaimer) -> Self {
        Self(())
    }

    pub(crate) fn add(&mut self, _: std::time::Duration, (): UnloadFunction) {}

    pub(crate) fn run_before(self, rest: VersionResources) {
        drop(rest);
    }
}
