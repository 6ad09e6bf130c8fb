//! Errors that know where in a value they happened.

use std::borrow::Cow;

use crate::types::LiftError;

/// An error that knows where in a value it happened.
pub trait Located: From<LiftError> {
    /// The error as seen from the record, variant or argument list that holds the place as `name`.
    #[must_use]
    fn within(self, name: Cow<'static, str>) -> Self;

    /// The error as seen from the list that holds the place as element `index`.
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
