//! `LazyLock`, made anew in every execution.

use std::marker::PhantomData;

use loom::lazy_static::Lazy;

/// `std::sync::LazyLock`, of a static.
pub struct LazyLock<T>(Lazy<T>);

impl<T: 'static> LazyLock<T> {
    /// A value that `init` makes when it is asked for.
    #[must_use]
    pub const fn new(init: fn() -> T) -> Self {
        Self(Lazy { init, _p: PhantomData })
    }

    /// The value, which is there until the execution ends.
    pub fn force(this: &'static Self) -> &'static T {
        this.0.get()
    }
}
