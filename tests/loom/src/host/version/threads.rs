//! In place of `threads.rs`: bundles without threads of their own.

#[derive(Default)]
pub(crate) struct Threads;

impl Threads {
    pub(crate) fn retire(&self) {}
}
