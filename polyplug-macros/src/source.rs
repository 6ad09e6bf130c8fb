//! What the macros read from source code, and write back, in the same way.

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Type, parse_quote};

/// The documentation in `attrs`, one line a comment line, without the space after `///`.
pub(crate) fn docs(attrs: &[Attribute]) -> String {
    let lines: Vec<String> = attrs
        .iter()
        .filter_map(|attr| match &attr.meta {
            Meta::NameValue(pair) if pair.path.is_ident("doc") => text(&pair.value),
            _ => None,
        })
        .map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned())
        .collect();
    lines.join("\n").trim().to_owned()
}

/// The text of a literal, also of one that a `macro_rules` macro passed on.
fn text(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        Expr::Group(group) => text(&group.expr),
        _ => None,
    }
}

/// The attributes that a generated counterpart of an item should have too: documentation, `deprecated`, lint levels.
pub(crate) fn inherited(attrs: &[Attribute]) -> Vec<Attribute> {
    let documentation = attrs.iter().filter(|attr| ["doc", "deprecated"].iter().any(|kept| attr.path().is_ident(kept)));
    documentation.cloned().chain(allowed(attrs)).collect()
}

/// The lints that `attrs` switch off, and `deprecated` where they deprecate something: code that the macros generate
/// for it is no new use of it.
pub(crate) fn allowed(attrs: &[Attribute]) -> Vec<Attribute> {
    attrs
        .iter()
        .filter_map(|attr| match &attr.meta {
            // An `expect` would expect the lint in each copy.
            Meta::List(list) if attr.path().is_ident("allow") || attr.path().is_ident("expect") => {
                let lints = &list.tokens;
                Some(parse_quote!(#[allow(#lints)]))
            }
            meta if meta.path().is_ident("deprecated") => Some(parse_quote!(#[allow(deprecated)])),
            _ => None,
        })
        .collect()
}

/// Whether an attribute is one that `#[derive(Type)]` reads.
pub(crate) fn is_ours(attr: &Attribute) -> bool {
    attr.path().is_ident("polyplug")
}

/// The first `#[cfg]` in `attrs`, which no part of a contract may have: host and plugin would disagree.
pub(crate) fn cfg(attrs: &[Attribute]) -> Option<&Attribute> {
    attrs.iter().find(|attr| attr.path().is_ident("cfg"))
}

/// A type without the parentheses around it, and without the invisible ones of `macro_rules`.
pub(crate) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        other => other,
    }
}

/// `ident` as the macros write it: errors still point at it, but lints about what authors write leave it alone.
pub(crate) fn generated(ident: &Ident) -> Ident {
    let span = ident.span().resolved_at(Span::call_site());
    let name = ident.unraw().to_string();
    // Raw where it has to be: an author's edition may have fewer keywords than that of the macros.
    if name == "gen" || *ident != name { Ident::new_raw(&name, span) } else { Ident::new(&name, span) }
}

/// A local variable that no name of an author can be confused with.
pub(crate) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// How a type is written in a message.
pub(crate) fn spelled(ty: &Type) -> String {
    let written = ty.to_token_stream().to_string();
    if written.contains("dyn ") || written.contains("impl ") || written.contains(" as ") {
        return written;
    }
    written.replace(char::is_whitespace, "").replace(',', ", ")
}
