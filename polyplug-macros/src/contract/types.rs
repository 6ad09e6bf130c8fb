//! The check of types for those that cannot cross. The compiler checks whether a named type implements `Type`.

use syn::{GenericArgument, Ident, PathArguments, Type, TypePath, TypeReference};

use crate::errors::Errors;
use crate::source::{bare, spelled};

/// The place where a type is written.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Place {
    /// An argument taken by value.
    Argument,
    /// A type directly behind the `&` of an argument.
    Borrowed,
    /// The type that a method returns.
    Result,
    /// A field of a record or of a case.
    Field,
    /// The element of a list.
    Element,
    /// A type inside another type.
    Inner,
}

/// The most parts of a tuple for which polyplug implements `Type`.
const LONGEST_TUPLE: usize = 8;

/// Reports each type that cannot cross, in `ty` and in the types that `ty` contains.
pub(super) fn check_type(ty: &Type, place: Place, errors: &mut Errors) {
    match ty {
        Type::Paren(paren) => check_type(&paren.elem, place, errors),
        Type::Group(group) => check_type(&group.elem, place, errors),
        Type::Reference(reference) => check_reference(reference, place, errors),
        Type::Slice(slice) => {
            if place != Place::Borrowed {
                let elem = spelled(&slice.elem);
                errors.at(
                    slice,
                    format_args!("a slice has no size of its own: use `Vec<{elem}>`, or `&[{elem}]` as an argument"),
                );
            }
            check_type(&slice.elem, Place::Element, errors);
        }
        Type::Tuple(tuple) if tuple.elems.is_empty() => check_unit(tuple, place, errors),
        Type::Tuple(tuple) => {
            if tuple.elems.len() > LONGEST_TUPLE {
                errors.at(
                    tuple,
                    format_args!(
                        "a tuple that crosses has at most {LONGEST_TUPLE} parts: use a record, whose parts have names"
                    ),
                );
            }
            tuple.elems.iter().for_each(|element| check_type(element, Place::Inner, errors));
        }
        Type::Path(path) => check_path(path, place, errors),
        other => {
            if let Some(message) = impossible(other) {
                errors.at(other, message);
            }
        }
    }
}

/// Returns the message for a type that cannot cross in any place.
fn impossible(ty: &Type) -> Option<&'static str> {
    Some(match ty {
        Type::Ptr(_) => {
            "a raw pointer cannot cross: nobody would know what it points at or who frees it; use `Vec<u8>` for bytes, or a record"
        }
        Type::ImplTrait(_) => "`impl Trait` cannot cross: the plugin is compiled without knowing the type, so name it",
        Type::TraitObject(object) if is_error(object) => {
            "an error crosses as a type that all languages know: use an enum with `#[derive(polyplug::Type)]`, or `String` for its text"
        }
        Type::TraitObject(_) => {
            "a trait object cannot cross, but one whose trait is a contract: as an argument `&dyn Trait`, lent for the call, or `Callback<dyn Trait>`, to be kept"
        }
        Type::FnPtr(_) => "a function pointer cannot cross: make the function a method of a contract",
        Type::Array(_) => "an array cannot cross: use `Vec<T>` for a list, or a record for a fixed number of values",
        Type::Never(_) => "a call must be able to return: leave the return type out",
        Type::Infer(_) => "the type must be known to everybody: write it out",
        _ => return None,
    })
}

/// Returns whether a trait object is one of `std::error::Error`.
fn is_error(object: &syn::TypeTraitObject) -> bool {
    object.bounds.iter().any(|bound| {
        matches!(bound, syn::TypeParamBound::Trait(bound) if bound.path.segments.last().is_some_and(|last| last.ident == "Error"))
    })
}

fn check_unit(unit: &syn::TypeTuple, place: Place, errors: &mut Errors) {
    match place {
        Place::Argument | Place::Borrowed => errors.at(unit, "`()` carries nothing: leave the argument out"),
        Place::Element => errors.at(unit, "a list of `()` carries only its length: use `u64`"),
        Place::Result | Place::Field | Place::Inner => {}
    }
}

fn check_path(path: &TypePath, place: Place, errors: &mut Errors) {
    if path.qself.is_none()
        && let Some(first) = path.path.segments.first().filter(|segment| segment.ident == "Self")
    {
        errors.at(first, "`Self` cannot cross: an instance stays on its side; use a record");
    }
    if let Some(name) = path.path.get_ident() {
        check_name(name, place, errors);
    }
    for segment in &path.path.segments {
        let PathArguments::AngleBracketed(arguments) = &segment.arguments else { continue };
        let inner = if segment.ident == "Vec" { Place::Element } else { Place::Inner };
        for argument in &arguments.args {
            if let GenericArgument::Type(ty) = argument {
                check_type(ty, inner, errors);
            }
        }
    }
}

fn check_name(name: &Ident, place: Place, errors: &mut Errors) {
    if name == "str" && place != Place::Borrowed {
        errors.at(name, "`str` has no size of its own: use `String`, or `&str` as an argument");
    }
    for (number, instead) in [("usize", "u64"), ("isize", "i64")] {
        if name == number {
            errors.at(name, format_args!("the size of `{number}` depends on the machine: use `{instead}`"));
        }
    }
    for (number, instead) in [("i128", "i64"), ("u128", "u64")] {
        if name == number {
            errors.at(name, format_args!("few languages have `{number}`: use `{instead}`, a record of two of them, or `String` for the digits"));
        }
    }
}

fn check_reference(reference: &TypeReference, place: Place, errors: &mut Errors) {
    if let Some(message) = impossible(bare(&reference.elem)) {
        errors.at(reference, message);
        return;
    }
    let owned = spelled(&owned(&Type::Reference(reference.clone())));
    match place {
        Place::Result => errors.at(
            reference,
            format_args!("a method cannot return a borrow: the plugin may be gone before it is used; return `{owned}`"),
        ),
        Place::Borrowed => errors.at(reference, format_args!("a borrow of a borrow cannot cross: one `&` is enough")),
        Place::Field => {
            errors
                .at(reference, format_args!("a field cannot be a borrow: the value outlives the call; use `{owned}`"));
        }
        _ => errors.at(reference, format_args!("a borrow cannot be inside another type: use `{owned}`")),
    }
}

/// Returns the type that owns the data that `ty` borrows.
fn owned(ty: &Type) -> Type {
    match bare(ty) {
        Type::Reference(reference) => owned(&reference.elem),
        Type::Path(path) if path.path.is_ident("str") => syn::parse_quote!(String),
        Type::Slice(slice) => {
            let elem = owned(&slice.elem);
            syn::parse_quote!(Vec<#elem>)
        }
        Type::Tuple(tuple) => {
            let elems = tuple.elems.iter().map(owned);
            syn::parse_quote!((#(#elems),*))
        }
        Type::Path(path) => {
            let mut path = path.clone();
            for segment in &mut path.path.segments {
                let PathArguments::AngleBracketed(arguments) = &mut segment.arguments else { continue };
                for argument in &mut arguments.args {
                    if let GenericArgument::Type(ty) = argument {
                        *ty = owned(ty);
                    }
                }
            }
            Type::Path(path)
        }
        other => other.clone(),
    }
}
