//! What a plugin must not be.

use syn::{ItemImpl, Type};

use crate::errors::Errors;
use crate::source;

pub(super) fn check(item: &ItemImpl, errors: &mut Errors) {
    if item.trait_.is_none() {
        errors.at(&item.self_ty, "#[plugin] belongs on the implementation of a contract: impl Contract for this type");
    }
    if let Some(not) = &item.modifiers.polarity {
        errors.at(not, "a plugin implements its contract");
    }
    if !item.generics.params.is_empty() || item.generics.where_clause.is_some() {
        errors.at(
            &item.generics,
            "a plugin cannot be generic: the host makes instances of one type, so write the plugin for a concrete one",
        );
    }
    if let Type::Reference(_) | Type::TraitObject(_) | Type::ImplTrait(_) = &*item.self_ty {
        errors.at(&item.self_ty, "a plugin is a struct or enum of this crate: its factory makes values of it");
    }
    if let Some(keyword) = &item.unsafety {
        errors.at(keyword, "a contract is not an unsafe trait");
    }
    if let Some(cfg) = source::cfg(&item.attrs) {
        errors.at(cfg, "put #[cfg] above #[plugin], so that both go together");
    }
}
