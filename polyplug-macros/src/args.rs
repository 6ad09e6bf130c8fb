//! The `key = value` arguments of all macros.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, Lit, LitStr, Path, Token};

use crate::errors::Errors;

/// An argument that a macro takes.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// The kind of value that a key takes.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// No value.
    Flag,
    /// `= "text"`.
    Text,
    /// `= some::path`.
    Path,
    /// `= expression`, or no value.
    OptionalExpression,
}

/// The arguments that were written, each at most once.
#[derive(Default)]
pub(crate) struct Args {
    values: BTreeMap<&'static str, Value>,
    /// The arguments that are reported as wrong already, so that they are not reported as missing as well.
    wrong: BTreeSet<&'static str>,
    /// True if the list as a whole could not be read.
    unreadable: bool,
}

enum Value {
    None,
    Text(LitStr),
    Path(Path),
    Expression(Box<Expr>),
}

struct Arg {
    key: Ident,
    value: Option<(Token![=], TokenStream)>,
}

impl Parse for Arg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = input
            .call(Ident::parse_any)
            .map_err(|error| syn::Error::new(error.span(), "this has no key: write `key = value`"))?;
        if input.is_empty() || input.peek(Token![,]) {
            return Ok(Self { key, value: None });
        }
        let eq = input.parse().map_err(|error| {
            syn::Error::new(error.span(), format_args!("the value of `{key}` comes after `=`: write `{key} = ..`"))
        })?;
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
        match Punctuated::<Arg, Token![,]>::parse_terminated.parse2(tokens) {
            Ok(list) => list.into_iter().for_each(|arg| args.take(&arg, of, keys, errors)),
            Err(error) => {
                errors.push(error);
                args.unreadable = true;
            }
        }
        args
    }

    fn take(&mut self, arg: &Arg, of: &str, keys: &[Key], errors: &mut Errors) {
        let name = arg.key.unraw().to_string();
        let Some(key) = keys.iter().find(|key| key.name == name) else {
            errors.at(&arg.key, unknown_key(&name, of, keys));
            self.wrong.extend(nearest(&name, keys));
            return;
        };
        if self.values.contains_key(key.name) {
            errors.at(&arg.key, format_args!("`{name}` is given twice: leave one out"));
            return;
        }
        match value(key, arg) {
            Ok(value) => {
                self.values.insert(key.name, value);
            }
            Err(error) => {
                errors.push(error);
                self.wrong.insert(key.name);
            }
        }
    }

    /// Returns whether an argument is written, or is reported as wrong already.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.unreadable || self.values.contains_key(name) || self.wrong.contains(name)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&LitStr> {
        match self.values.get(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn path(&self, name: &str) -> Option<&Path> {
        match self.values.get(name) {
            Some(Value::Path(path)) => Some(path),
            _ => None,
        }
    }

    /// Returns the argument `name`, whose expression may be left out.
    pub(crate) fn expression(&self, name: &str) -> Option<Option<Expr>> {
        match self.values.get(name)? {
            Value::Expression(expression) => Some(Some((**expression).clone())),
            _ => Some(None),
        }
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Returns the path of polyplug: the argument `crate`, or `::polyplug`.
    pub(crate) fn krate(&self) -> TokenStream {
        self.path("crate").map_or_else(|| quote::quote!(::polyplug), ToTokens::to_token_stream)
    }

    /// Returns the path of polyplug, or `None` if the argument that says it is wrong.
    pub(crate) fn known_krate(&self) -> Option<TokenStream> {
        (self.path("crate").is_some() || !self.has("crate")).then(|| self.krate())
    }
}

/// Reads the value that is written for `key`.
fn value(key: &Key, arg: &Arg) -> syn::Result<Value> {
    let name = key.name;
    let (eq, written) = match &arg.value {
        None if matches!(key.kind, Kind::Flag | Kind::OptionalExpression) => return Ok(Value::None),
        None => return Err(needs_value(key, &arg.key)),
        Some((eq, written)) => (eq, written),
    };
    let (value, message) = match key.kind {
        Kind::Flag => {
            return Err(syn::Error::new_spanned(eq, format_args!("`{name}` takes no value: write `{name}` alone")));
        }
        _ if written.is_empty() => return Err(needs_value(key, eq)),
        Kind::Text => {
            let text = written.to_string().replace([' ', '"'], "");
            (syn::parse2(written.clone()).map(Value::Text), format!("`{name}` is a text: write `{name} = \"{text}\"`"))
        }
        Kind::OptionalExpression => (
            syn::parse2(written.clone()).map(|expression| Value::Expression(Box::new(expression))),
            format!("`{name}` is an expression: write `{name} = ..`"),
        ),
        Kind::Path => {
            let example = nearest_path(written).unwrap_or_else(|| "some::path".to_owned());
            (path(written.clone()).map(Value::Path), format!("`{name}` is a path: write `{name} = {example}`"))
        }
    };
    value.map_err(|_| syn::Error::new_spanned(written, message))
}

/// Finds the path in a text or a call, which authors often write instead of a path.
fn nearest_path(written: &TokenStream) -> Option<String> {
    let path = match syn::parse2::<Expr>(written.clone()).ok()? {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => text.parse::<Path>().ok()?,
        Expr::Call(call) => match *call.func {
            Expr::Path(function) => function.path,
            _ => return None,
        },
        _ => return None,
    };
    Some(path.to_token_stream().to_string().replace(' ', ""))
}

fn needs_value(key: &Key, at: impl ToTokens) -> syn::Error {
    let (name, example) = (
        key.name,
        match key.kind {
            Kind::Text => "\"..\"",
            Kind::OptionalExpression => "..",
            Kind::Flag | Kind::Path => "some::path",
        },
    );
    syn::Error::new_spanned(at, format_args!("`{name}` needs a value: write `{name} = {example}`"))
}

/// Reads a path in expressions (`Self::new`, `make::<T>`) or of a module (`crate::reexport`).
fn path(tokens: TokenStream) -> syn::Result<Path> {
    Path::parse_mod_style.parse2(tokens.clone()).or_else(|_| syn::parse2::<syn::ExprPath>(tokens).map(|expr| expr.path))
}

/// Finds the key of which `name` is most likely a misspelling.
fn nearest(name: &str, keys: &[Key]) -> Option<&'static str> {
    let (distance, nearest) = keys.iter().map(|key| (distance(name, key.name), key.name)).min()?;
    (distance <= 1 + nearest.len() / 3).then_some(nearest)
}

fn unknown_key(name: &str, of: &str, keys: &[Key]) -> String {
    if let Some(nearest) = nearest(name, keys) {
        return format!("`{of}` has no `{name}`: did you mean `{nearest}`?");
    }
    let all: Vec<_> = keys.iter().map(|key| format!("`{}`", key.name)).collect();
    format!("`{of}` has no `{name}`: it takes {}", all.join(", "))
}

/// Returns the number of letters that must be changed, added or dropped to turn one word into the other.
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
