//! Paths in tokens that no parser has read: the arguments of macros.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

use super::source::Mention;

/// Returns the paths in `tokens`, at any depth: `crate::a::b`, `super::x`, `guest::catch`.
///
/// A group after `::` is read like the one of a `use`. Fields, methods and lifetimes are not paths.
pub(super) fn paths(tokens: TokenStream) -> Vec<Mention> {
    let mut found = Vec::new();
    scan(tokens, &[], &mut found);
    found
}

/// Adds the paths in `tokens`, each behind `prefix`.
fn scan(tokens: TokenStream, prefix: &[String], found: &mut Vec<Mention>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Ident(first) if begins_path(&tokens, at) => at = path(&tokens, at, first, prefix, found),
            TokenTree::Group(group) => {
                scan(group.stream(), &[], found);
                at += 1;
            }
            _ => at += 1,
        }
    }
}

/// Reads the path that begins with `first` at `at`, and returns the place after it.
fn path(tokens: &[TokenTree], mut at: usize, first: &Ident, prefix: &[String], found: &mut Vec<Mention>) -> usize {
    let line = first.span().start().line;
    let mut path = prefix.to_vec();
    path.push(name(first));
    at += 1;
    while separator(tokens, at) {
        match tokens.get(at + 2) {
            Some(TokenTree::Ident(next)) => path.push(name(next)),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                scan(group.stream(), &path, found);
                return at + 3;
            }
            _ => break,
        }
        at += 3;
    }
    found.push(Mention { path, line });
    at
}

/// Returns whether the identifier at `at` is the first of a path: it does not follow `::`, `.`, `'`, `$` or `as`.
fn begins_path(tokens: &[TokenTree], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|before| &tokens[before]) else { return true };
    match before {
        // `$crate` is the crate itself in a macro of the crate's own.
        TokenTree::Punct(punct) if punct.as_char() == '$' => is(&tokens[at], "crate"),
        TokenTree::Punct(punct) if punct.as_char() == ':' => at < 2 || !separator(tokens, at - 2),
        TokenTree::Punct(punct) => !matches!(punct.as_char(), '.' | '\''),
        TokenTree::Ident(word) => word != "as",
        _ => true,
    }
}

/// Returns whether `::` stands at `at`.
fn separator(tokens: &[TokenTree], at: usize) -> bool {
    let colon = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    colon(at) && colon(at + 1)
}

fn is(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

/// Returns the text of `ident` without the `r#` of a raw one.
pub(super) fn name(ident: &Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map_or(text.clone(), str::to_owned)
}
