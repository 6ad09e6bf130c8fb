//! The checks of fields and cases that were added to a type later.

use proc_macro2::Ident;

use super::growth::Growth;
use super::model::{Case, Field, Shape};
use crate::errors::Errors;
use crate::version::ContractVersion;

/// Returns the newest version that a part of a type names.
pub(super) fn newest(shape: &Shape<'_>) -> Option<ContractVersion> {
    let of_fields = |fields: &[Field<'_>]| fields.iter().filter_map(|field| field.growth.version()).max();
    match shape {
        Shape::Record(fields) => of_fields(fields),
        Shape::Cases(cases) => {
            cases.iter().flat_map(|case| [case.growth.version(), of_fields(&case.fields)]).flatten().max()
        }
        Shape::Impossible => None,
    }
}

/// Checks that fields were added at the end.
pub(super) fn check_fields(fields: &[Field<'_>], errors: &mut Errors) {
    check_order("fields", fields.iter().map(|field| (&field.growth, field.ty_start())), errors);
}

/// Checks that cases were added at the end, and that one case at most, without fields, stands for unknown ones.
pub(super) fn check_cases(cases: &[Case<'_>], errors: &mut Errors) {
    check_order("cases", cases.iter().map(|case| (&case.growth, case.name.clone())), errors);
    let mut others = cases.iter().filter(|case| case.growth.other);
    if let Some(other) = others.next() {
        if let (false, Some(attr)) = (other.fields.is_empty(), &other.growth.attr) {
            errors.at(attr, "the case that unknown ones are read as has no fields, as nobody would know their values: leave the fields out");
        }
        for attr in others.filter_map(|case| case.growth.attr.as_ref()) {
            errors.at(attr, format_args!("unknown cases are read as `{}` already: leave one `other` out", other.name));
        }
    }
}

fn check_order<'a>(what: &str, parts: impl Iterator<Item = (&'a Growth, Ident)>, errors: &mut Errors) {
    let mut latest = None;
    for (growth, name) in parts {
        match (latest, growth.version(), &growth.since) {
            (Some(ContractVersion { major, minor }), None, None) => errors.at(
                &name,
                format_args!(
                    "{what} are only added at the end, and the one before came with {major}.{minor}: move this one up, or give it a `since` of \"{major}.{minor}\" or later"
                ),
            ),
            (Some(before), Some(version), Some((_, at))) if version < before => {
                let ContractVersion { major, minor } = before;
                errors.at(
                    at,
                    format_args!(
                        "{what} are only added at the end, and the one before came with {major}.{minor}: move this one up, or write \"{major}.{minor}\" or later"
                    ),
                );
            }
            _ => {}
        }
        latest = latest.max(growth.version());
    }
}
