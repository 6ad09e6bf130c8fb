//! The checks of a type that crosses.

use proc_macro2::{Ident, TokenTree};
use syn::{Attribute, GenericArgument, Meta, PathArguments, Type};

use super::check_growth;
use super::model::{Field, Model, Shape};
use crate::errors::Errors;
use crate::source;

pub(super) fn check(model: &Model<'_>, errors: &mut Errors) {
    let item = model.item;
    if !item.generics.params.is_empty() {
        errors.at(
            &item.generics,
            "a type that crosses cannot be generic: other languages need one layout and one name; write a type for each use",
        );
    }
    if let Some(clause) = &item.generics.where_clause {
        errors.at(clause, "a type that crosses cannot have a `where` clause: leave it out");
    }
    if let Some(packed) = item.attrs.iter().find(|attr| is_packed(attr)) {
        errors.at(packed, "a packed type cannot cross: its fields cannot be borrowed; leave `packed` out");
    }
    match &model.shape {
        Shape::Record(fields) if fields.is_empty() => {
            errors.at(
                &item.ident,
                "a record needs at least one field: C and C++ disagree on the size of an empty one; add a field, or use `()`",
            );
        }
        Shape::Record(fields) => {
            check_growth::check_fields(fields, errors);
            check_fields(model, fields, errors);
        }
        Shape::Cases(cases) if cases.is_empty() => {
            errors.at(&item.ident, "an enum needs at least one case: without one it has no values; add a case");
        }
        Shape::Cases(cases) => {
            check_growth::check_cases(cases, errors);
            for case in cases {
                check_attributes(case.attrs, errors);
                check_growth::check_fields(&case.fields, errors);
                check_fields(model, &case.fields, errors);
            }
        }
        Shape::Impossible => {}
    }
}

/// Returns whether a value of the type contains another one, not behind a pointer.
pub(super) fn contains_itself(model: &Model<'_>) -> bool {
    let has_one = |fields: &[Field<'_>]| fields.iter().any(|field| contains(&field.ty, &model.item.ident));
    match &model.shape {
        Shape::Record(fields) => has_one(fields),
        Shape::Cases(cases) => cases.iter().any(|case| has_one(&case.fields)),
        Shape::Impossible => false,
    }
}

fn check_fields(model: &Model<'_>, fields: &[Field<'_>], errors: &mut Errors) {
    let name = &model.item.ident;
    for field in fields {
        check_attributes(field.attrs, errors);
        if contains(&field.ty, name) {
            errors.at(
                &field.ty,
                format_args!("a type cannot contain itself: put it behind a `Box`, as in `Option<Box<{name}>>`"),
            );
        } else {
            crate::contract::check_field_type(&field.ty, errors);
        }
    }
}

/// Returns whether a value of `ty` contains a value of the type `name` by value, and not behind a pointer.
fn contains(ty: &Type, name: &Ident) -> bool {
    match source::bare(ty) {
        Type::Tuple(tuple) => tuple.elems.iter().any(|element| contains(element, name)),
        Type::Path(path) if path.qself.is_none() => {
            let Some(last) = path.path.segments.last() else { return false };
            if path.path.get_ident().is_some_and(|ident| ident == name) {
                return true;
            }
            match &last.arguments {
                PathArguments::AngleBracketed(arguments) if last.ident == "Option" || last.ident == "Result" => {
                    arguments.args.iter().any(|arg| matches!(arg, GenericArgument::Type(ty) if contains(ty, name)))
                }
                _ => false,
            }
        }
        _ => false,
    }
}

fn check_attributes(attrs: &[Attribute], errors: &mut Errors) {
    for attr in attrs.iter().filter(|attr| source::is_ours(attr)) {
        errors.at(attr, "#[polyplug(..)] belongs above the type: move it there");
    }
}

fn is_packed(attr: &Attribute) -> bool {
    let Meta::List(list) = &attr.meta else { return false };
    let packed = |token: TokenTree| matches!(token, TokenTree::Ident(word) if word == "packed");
    list.path.is_ident("repr") && list.tokens.clone().into_iter().any(packed)
}
