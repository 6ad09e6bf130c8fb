//! The place of fields in the values of a language that has neither records nor variants of its own.

use crate::schema::{BodyOf, Case};

/// The place of the fields of a record, or of one case of a variant, in the values of a language.
///
/// Languages with tables or objects for everything have one rule, so that a value is written in the same way in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyLayout {
    /// An object has each field under the field's name.
    Named,
    /// A list has each field under the field's number.
    Numbered,
    /// The only field stands for the whole.
    Single,
    /// There are no fields.
    Empty,
}

impl BodyLayout {
    /// Returns the layout of a record or of a case.
    #[must_use]
    pub fn of(body: &BodyOf<'_>) -> Self {
        match (body.case, body.fields) {
            (Some(case), _) => Self::of_case(case),
            (None, [first, ..]) if first.name == "0" => Self::Numbered,
            (None, _) => Self::Named,
        }
    }

    /// Returns the layout of a case.
    #[must_use]
    pub fn of_case(case: &Case) -> Self {
        match case.fields.as_slice() {
            [] => Self::Empty,
            [only] if only.name == "0" => Self::Single,
            [first, ..] if first.name == "0" => Self::Numbered,
            _ => Self::Named,
        }
    }

    /// Returns whether the fields are in an object or a list of their own.
    #[must_use]
    pub fn is_compound(self) -> bool {
        matches!(self, Self::Named | Self::Numbered)
    }
}
