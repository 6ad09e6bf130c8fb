//! `LazyLock`, whose value is made anew in every execution.

use std::marker::PhantomData;

use loom::lazy_static::Lazy;

/// `std::sync::LazyLock`, of a static.
pub struct LazyLock<T>(Lazy<T>);

impl<T: 'static> LazyLock<T> {
    /// Makes a lock whose value `init` makes at the first access.
    #[must_use]
    pub const fn new(init: fn() -> T) -> Self {
        Self(Lazy { init, _p: PhantomData })
    }

    /// Returns the value, which stays until the execution ends.
    pub fn force(this: &'static Self) -> &'static T {
        this.0.get()
    }
}
