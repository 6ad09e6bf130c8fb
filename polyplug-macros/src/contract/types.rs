//! Which types, as written, cannot cross. Whether a named type implements `Type` is for the compiler to say.

use syn::{GenericArgument, PathArguments, Type};

use crate::errors::Errors;

/// Where a type is written.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Place {
    /// An argument taken by value.
    Argument,
    /// Directly behind the `&` of an argument.
    Borrowed,
    /// What a method returns.
    Result,
    /// Inside another type.
    Inner,
}

/// Reports what cannot cross in `ty` and in everything it is made of.
pub(super) fn check_type(ty: &Type, place: Place, errors: &mut Errors) {
    match ty {
        Type::Reference(reference) => errors.at(reference, borrowed(reference, place)),
        Type::Ptr(pointer) => {
            errors.at(pointer, "a raw pointer cannot cross: nobody would know what it points at or who frees it; use `Vec<u8>` for bytes, or a record");
        }
        Type::ImplTrait(it) => {
            errors.at(it, "`impl Trait` cannot cross: the plugin is compiled without knowing the type, so name it");
        }
        Type::TraitObject(object) => {
            errors.at(object, "a trait object cannot cross by value: its table is known to one compiler only");
        }
        Type::FnPtr(function) => {
            errors.at(function, "a function pointer cannot cross: make the function a method of a contract");
        }
        Type::Array(array) => {
            errors
                .at(array, "an array cannot cross: use `Vec<T>` for a list, or a record for a fixed number of values");
        }
        Type::Slice(slice) if place != Place::Borrowed => {
            errors.at(slice, "a slice has no size: take `&[T]` or `Vec<T>`");
        }
        Type::Slice(slice) => check_type(&slice.elem, Place::Inner, errors),
        Type::Never(never) => errors.at(never, "a call must be able to return: leave the return type out"),
        Type::Infer(infer) => errors.at(infer, "write the type"),
        Type::Tuple(tuple) if tuple.elems.is_empty() && !matches!(place, Place::Result | Place::Inner) => {
            errors.at(tuple, "`()` carries nothing: leave the argument out");
        }
        Type::Tuple(tuple) => tuple.elems.iter().for_each(|element| check_type(element, Place::Inner, errors)),
        Type::Paren(paren) => check_type(&paren.elem, place, errors),
        Type::Group(group) => check_type(&group.elem, place, errors),
        Type::Path(path) => {
            if let Some(first) = path.path.segments.first().filter(|segment| segment.ident == "Self") {
                errors.at(first, "`Self` cannot cross: an instance stays on its side; use a record");
            }
            if path.qself.is_none() && path.path.is_ident("str") && place != Place::Borrowed {
                errors.at(path, "`str` has no size: take `&str` or `String`");
            }
            if let Some((name, instead)) = path.path.get_ident().and_then(|ident| unsized_number(&ident.to_string())) {
                errors.at(path, format_args!("`{name}` differs between machines: use `{instead}`"));
            }
            for segment in &path.path.segments {
                if let PathArguments::AngleBracketed(arguments) = &segment.arguments {
                    for argument in &arguments.args {
                        if let GenericArgument::Type(inner) = argument {
                            check_type(inner, Place::Inner, errors);
                        }
                    }
                }
            }
        }
        _ => {}
    }
}

fn unsized_number(name: &str) -> Option<(&'static str, &'static str)> {
    match name {
        "usize" => Some(("usize", "u64")),
        "isize" => Some(("isize", "i64")),
        "i128" => Some(("i128", "i64")),
        "u128" => Some(("u128", "u64")),
        _ => None,
    }
}

fn borrowed(reference: &syn::TypeReference, place: Place) -> String {
    let owned = match &*reference.elem {
        Type::Path(path) if path.path.is_ident("str") => "String".to_owned(),
        Type::Slice(slice) => format!("Vec<{}>", spelled(&slice.elem)),
        other => spelled(other),
    };
    match place {
        Place::Result => {
            format!("a method cannot return a borrow: the plugin may be gone before it is used; return `{owned}`")
        }
        _ => format!("a borrow cannot be inside another type: use `{owned}`"),
    }
}

fn spelled(ty: &Type) -> String {
    use quote::ToTokens;
    ty.to_token_stream().to_string().replace(" < ", "<").replace(" >", ">").replace(" :: ", "::")
}
