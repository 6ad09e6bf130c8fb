//! The checks of a plugin.

use syn::{ItemImpl, Type};

use crate::errors::Errors;
use crate::source;

pub(super) fn check(item: &ItemImpl, errors: &mut Errors) {
    let ty = source::bare(&item.self_ty);
    if item.trait_.is_none() {
        errors
            .at(ty, "#[plugin] belongs on the implementation of a contract: write `impl Contract for` before the type");
    }
    if let Some(not) = &item.modifiers.polarity {
        errors.at(not, "a plugin implements its contract: leave `!` out");
    }
    if !item.generics.params.is_empty() {
        errors.at(
            &item.generics,
            "a plugin cannot be generic: the host makes instances of one type; write the plugin for a concrete one",
        );
    }
    if let Some(clause) = &item.generics.where_clause {
        errors.at(clause, "a plugin cannot have a `where` clause: leave it out");
    }
    if !matches!(ty, Type::Path(_) | Type::Macro(_)) {
        errors.at(ty, "a plugin is a struct or enum: its factory makes values of it; implement the contract for one");
    }
    if let Some(keyword) = &item.unsafety {
        errors.at(keyword, "a contract is not an unsafe trait: leave `unsafe` out");
    }
}
