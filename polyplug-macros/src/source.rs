//! What the macros read from source code in the same way.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The documentation in `attrs`, one line a comment line, without the space after `///`.
pub(crate) fn docs(attrs: &[Attribute]) -> String {
    let lines: Vec<String> = attrs
        .iter()
        .filter_map(|attr| match &attr.meta {
            Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        })
        .map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned())
        .collect();
    lines.join("\n").trim().to_owned()
}

/// The attributes that carry documentation or lint levels: those a generated counterpart of an item should have too.
pub(crate) fn inherited(attrs: &[Attribute]) -> Vec<Attribute> {
    const KEPT: [&str; 6] = ["doc", "deprecated", "allow", "expect", "warn", "must_use"];
    attrs.iter().filter(|attr| KEPT.iter().any(|kept| attr.path().is_ident(kept))).cloned().collect()
}

/// The first `#[cfg]` in `attrs`, which no part of a contract may have: host and plugin would disagree.
pub(crate) fn cfg(attrs: &[Attribute]) -> Option<&Attribute> {
    attrs.iter().find(|attr| attr.path().is_ident("cfg"))
}
