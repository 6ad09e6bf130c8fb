//! Errors with the path to the part of a value where they happened.

use std::borrow::Cow;

use crate::types::LiftError;

/// An error with the path to the part of a value where it happened.
pub trait Located: From<LiftError> {
    /// Puts `name` in front of the path: the name of the part in the record, variant or argument list that holds it.
    #[must_use]
    fn within(self, name: Cow<'static, str>) -> Self;

    /// Puts `index` in front of the path: the index of the part in the list that holds it.
    #[must_use]
    fn at(self, index: usize) -> Self;
}

impl Located for LiftError {
    fn within(self, name: Cow<'static, str>) -> Self {
        Self::within(self, name)
    }

    fn at(self, index: usize) -> Self {
        Self::at(self, index)
    }
}
