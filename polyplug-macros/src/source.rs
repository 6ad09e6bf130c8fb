//! The parts of source code that several macros read and write.

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Type, parse_quote};

/// Returns the documentation in `attrs`: one line for each comment line, without the space after `///`.
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

/// Returns the text of a literal, also of a literal that a `macro_rules` macro passed on.
fn text(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        Expr::Group(group) => text(&group.expr),
        _ => None,
    }
}

/// Returns the attributes that a generated counterpart of an item needs as well: documentation, `deprecated` and lint
/// levels.
pub(crate) fn inherited(attrs: &[Attribute]) -> Vec<Attribute> {
    let documentation = attrs.iter().filter(|attr| ["doc", "deprecated"].iter().any(|kept| attr.path().is_ident(kept)));
    documentation.cloned().chain(allowed(attrs)).collect()
}

/// Returns `allow` attributes for the lints that `attrs` switch off. If `attrs` deprecate the item, `deprecated` is
/// allowed as well, because the code that the macros generate for the item is not a new use of the item.
pub(crate) fn allowed(attrs: &[Attribute]) -> Vec<Attribute> {
    attrs
        .iter()
        .filter_map(|attr| match &attr.meta {
            // An `expect` that was copied would expect the lint in each copy.
            Meta::List(list) if attr.path().is_ident("allow") || attr.path().is_ident("expect") => {
                let lints = &list.tokens;
                Some(parse_quote!(#[allow(#lints)]))
            }
            meta if meta.path().is_ident("deprecated") => Some(parse_quote!(#[allow(deprecated)])),
            _ => None,
        })
        .collect()
}

/// Returns whether `#[derive(Type)]` reads the attribute.
pub(crate) fn is_ours(attr: &Attribute) -> bool {
    attr.path().is_ident("polyplug")
}

/// Returns the first `#[cfg]` in `attrs`. No part of a contract may have one: host and plugin could differ.
pub(crate) fn cfg(attrs: &[Attribute]) -> Option<&Attribute> {
    attrs.iter().find(|attr| attr.path().is_ident("cfg"))
}

/// Returns a type without the parentheses around it, and without the invisible groups of `macro_rules`.
pub(crate) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        other => other,
    }
}

/// Returns `ident` for generated code: errors still point at the author's identifier, but lints about authors' code do
/// not apply.
pub(crate) fn generated(ident: &Ident) -> Ident {
    let span = ident.span().resolved_at(Span::call_site());
    let name = ident.unraw().to_string();
    // Raw if needed: the author's edition may have fewer keywords than the edition of the macros.
    if name == "gen" || *ident != name { Ident::new_raw(&name, span) } else { Ident::new(&name, span) }
}

/// Makes the name of a local variable that cannot collide with a name of the author's.
pub(crate) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// Spells a type for a message.
pub(crate) fn spelled(ty: &Type) -> String {
    let written = ty.to_token_stream().to_string();
    if written.contains("dyn ") || written.contains("impl ") || written.contains(" as ") {
        return written;
    }
    written.replace(char::is_whitespace, "").replace(',', ", ")
}
