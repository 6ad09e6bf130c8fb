//! Reading `key = value` arguments, the same way for every macro.

use std::collections::BTreeMap;

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{LitStr, Path, Token};

use crate::errors::Errors;

/// What a macro knows of one of its arguments.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// What may stand behind a key.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// Nothing.
    Flag,
    /// `= "text"`.
    Text,
    /// `= some::path`.
    Path,
}

/// The arguments given, each at most once.
#[derive(Default)]
pub(crate) struct Args(BTreeMap<&'static str, (Ident, Value)>);

enum Value {
    None,
    Text(LitStr),
    Path(Path),
}

struct Arg {
    key: Ident,
    value: Option<(Token![=], TokenStream)>,
}

impl Parse for Arg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = input.call(Ident::parse_any)?;
        if !input.peek(Token![=]) {
            return Ok(Self { key, value: None });
        }
        let eq = input.parse()?;
        let mut value = TokenStream::new();
        while !input.is_empty() && !input.peek(Token![,]) {
            value.extend(std::iter::once(input.parse::<proc_macro2::TokenTree>()?));
        }
        Ok(Self { key, value: Some((eq, value)) })
    }
}

impl Args {
    /// Reads `tokens`, of which `keys` are allowed in the macro called `of`.
    pub(crate) fn parse(tokens: TokenStream, of: &str, keys: &[Key], errors: &mut Errors) -> Self {
        let mut args = Self::default();
        let list = match Punctuated::<Arg, Token![,]>::parse_terminated.parse2(tokens) {
            Ok(list) => list,
            Err(error) => {
                errors.push(error);
                return args;
            }
        };
        for arg in list {
            args.take(arg, of, keys, errors);
        }
        args
    }

    fn take(&mut self, arg: Arg, of: &str, keys: &[Key], errors: &mut Errors) {
        let name = arg.key.to_string();
        let Some(key) = keys.iter().find(|key| key.name == name) else {
            errors.at(&arg.key, unknown_key(&name, of, keys));
            return;
        };
        let value = match (key.kind, arg.value) {
            (Kind::Flag, None) => Value::None,
            (Kind::Flag, Some((eq, _))) => {
                errors.at(eq, format_args!("`{name}` takes no value"));
                return;
            }
            (kind, None) => {
                let example = if kind == Kind::Text { "\"..\"" } else { "some::path" };
                errors.at(&arg.key, format_args!("`{name}` needs a value: write `{name} = {example}`"));
                return;
            }
            (Kind::Text, Some((_, value))) => match syn::parse2(value) {
                Ok(text) => Value::Text(text),
                Err(error) => {
                    errors.span(error.span(), format_args!("`{name}` is a text: write `{name} = \"..\"`"));
                    return;
                }
            },
            (Kind::Path, Some((_, value))) => match Path::parse_mod_style_or_expr(value) {
                Ok(path) => Value::Path(path),
                Err(error) => {
                    errors.span(error.span(), format_args!("`{name}` is a path: write `{name} = some::path`"));
                    return;
                }
            },
        };
        if self.0.contains_key(key.name) {
            errors.at(&arg.key, format_args!("`{name}` is given twice"));
            return;
        }
        self.0.insert(key.name, (arg.key, value));
    }

    /// Where an argument is given.
    pub(crate) fn span(&self, name: &str) -> Option<Span> {
        self.0.get(name).map(|(key, _)| key.span())
    }

    pub(crate) fn text(&self, name: &str) -> Option<&LitStr> {
        match self.0.get(name) {
            Some((_, Value::Text(text))) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn path(&self, name: &str) -> Option<&Path> {
        match self.0.get(name) {
            Some((_, Value::Path(path))) => Some(path),
            _ => None,
        }
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.span(name).is_some()
    }

    /// Where polyplug is: the argument `crate`, or `::polyplug`.
    pub(crate) fn krate(&self) -> TokenStream {
        self.path("crate").map_or_else(|| quote::quote!(::polyplug), ToTokens::to_token_stream)
    }
}

/// `Path` in expressions (`Self::new`, `make::<T>`) and of modules alike (`crate::reexport`).
trait ParsePath: Sized {
    fn parse_mod_style_or_expr(tokens: TokenStream) -> syn::Result<Self>;
}

impl ParsePath for Path {
    fn parse_mod_style_or_expr(tokens: TokenStream) -> syn::Result<Self> {
        Self::parse_mod_style
            .parse2(tokens.clone())
            .or_else(|_| syn::parse2::<syn::ExprPath>(tokens).map(|expr| expr.path))
    }
}

fn unknown_key(name: &str, of: &str, keys: &[Key]) -> String {
    let nearest = keys.iter().map(|key| (distance(name, key.name), key.name)).min();
    match nearest {
        Some((distance, nearest)) if distance <= 1 + nearest.len() / 3 => {
            format!("`{of}` has no `{name}`: did you mean `{nearest}`?")
        }
        _ => {
            let all: Vec<_> = keys.iter().map(|key| format!("`{}`", key.name)).collect();
            format!("`{of}` has no `{name}`: it takes {}", all.join(", "))
        }
    }
}

/// How many letters must be changed, added or dropped to make one word of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for j in 0..b.len() {
            let change = diagonal + usize::from(letter != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
