//! Attributes: conditions that hold for tests only, and paths of modules.

use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Token};

/// Returns whether code with these attributes exists only when tests are compiled.
pub(super) fn test_only(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| {
        attr.path().is_ident("test")
            || attr.path().is_ident("cfg") && attr.parse_args::<Meta>().is_ok_and(|meta| holds(&meta) == Some(false))
    })
}

/// Returns whether the condition holds outside of tests; `None` if that depends on the build.
fn holds(condition: &Meta) -> Option<bool> {
    if condition.path().is_ident("test") || condition.path().is_ident("doctest") {
        return Some(false);
    }
    let Meta::List(list) = condition else { return None };
    let Ok(inner) = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) else { return None };
    let mut inner = inner.iter().map(holds);
    if list.path.is_ident("not") {
        return inner.next().flatten().map(|held| !held);
    }
    // One false part decides `all`, one true part decides `any`.
    let decisive = list.path.is_ident("any");
    let parts: Vec<_> = inner.collect();
    if parts.contains(&Some(decisive)) {
        return Some(decisive);
    }
    (!parts.contains(&None)).then_some(!decisive)
}

/// Returns the value of `#[path = ".."]`.
pub(super) fn path(attrs: &[Attribute]) -> Option<String> {
    attrs.iter().filter(|attr| attr.path().is_ident("path")).find_map(|attr| match &attr.meta {
        Meta::NameValue(meta) => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    })
}
