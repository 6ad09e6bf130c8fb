//! What a type that crosses must not be.

use super::model::{Field, Model, Shape};
use crate::errors::Errors;
use crate::source;

pub(super) fn check(model: &Model<'_>, errors: &mut Errors) {
    let item = model.item;
    if !item.generics.params.is_empty() {
        errors.at(
            &item.generics,
            "a type that crosses cannot be generic: other languages need one layout and one name, so write a type for each use",
        );
    }
    match &model.shape {
        Shape::Record(fields) if fields.is_empty() => {
            errors.at(&item.ident, "a record needs at least one field: C and C++ disagree on the size of an empty one");
        }
        Shape::Record(fields) => check_fields(fields, errors),
        Shape::Cases(cases) if cases.is_empty() => {
            errors.at(&item.ident, "an enum needs at least one case: without one it has no values");
        }
        Shape::Cases(cases) => {
            for case in cases {
                if let Some(cfg) = source::cfg(case.attrs) {
                    errors
                        .at(cfg, "a case cannot depend on #[cfg]: host and plugin would number the cases differently");
                }
                check_fields(&case.fields, errors);
            }
        }
        Shape::Impossible => {}
    }
}

fn check_fields(fields: &[Field<'_>], errors: &mut Errors) {
    for field in fields {
        if let Some(cfg) = source::cfg(field.attrs) {
            errors.at(cfg, "a field cannot depend on #[cfg]: host and plugin would lay the record out differently");
        }
        crate::contract::check_field_type(field.ty, errors);
    }
}
