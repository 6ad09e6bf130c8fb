//! The arguments of `#[contract]`, on the trait and on its methods.

use proc_macro2::{Span, TokenStream};
use syn::{Attribute, LitStr, Meta};

use crate::args::{Args, Key, Kind};
use crate::errors::Errors;

/// `major.minor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ContractVersion {
    pub(super) major: u32,
    pub(super) minor: u32,
}

pub(super) struct ContractArgs {
    pub(super) name: String,
    pub(super) version: ContractVersion,
    pub(super) krate: TokenStream,
}

const KEYS: &[Key] = &[
    Key { name: "name", kind: Kind::Text },
    Key { name: "version", kind: Kind::Text },
    Key { name: "crate", kind: Kind::Path },
];

const METHOD_KEYS: &[Key] = &[Key { name: "since", kind: Kind::Text }];

impl ContractArgs {
    pub(super) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let args = Args::parse(tokens, "contract", KEYS, errors);
        let name = args.text("name");
        if name.is_none() && args.span("name").is_none() {
            errors.span(
                Span::call_site(),
                "a contract needs a name: write #[contract(name = \"my.contract\", version = \"1.0\")]",
            );
        }
        if let Some(name) = name {
            check_name(name, errors);
        }
        if args.span("version").is_none() {
            errors.span(Span::call_site(), "a contract needs a version: add version = \"1.0\"");
        }
        Self {
            name: name.map(LitStr::value).unwrap_or_default(),
            version: args.text("version").map_or(ContractVersion { major: 1, minor: 0 }, |v| version(v, errors)),
            krate: args.krate(),
        }
    }
}

/// The `since` of a method's own `#[contract]` attribute.
pub(super) fn since(attr: &Attribute, errors: &mut Errors) -> Option<(ContractVersion, LitStr)> {
    let tokens = match &attr.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    let args = Args::parse(tokens, "contract", METHOD_KEYS, errors);
    let text = args.text("since")?;
    Some((version(text, errors), text.clone()))
}

fn check_name(name: &LitStr, errors: &mut Errors) {
    let text = name.value();
    if text.is_empty() {
        errors.at(name, "the name of a contract cannot be empty");
        return;
    }
    if text.len() > 128 {
        errors.at(name, "the name of a contract may have at most 128 letters");
    }
    if let Some(bad) = text.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))) {
        errors.at(
            name,
            format_args!("`{bad}` cannot be in the name of a contract: use letters, digits, `.`, `_` and `-`"),
        );
    } else if text.split('.').any(str::is_empty) {
        errors.at(name, "the name of a contract is words joined by single dots, such as \"my.contract\"");
    }
}

fn version(text: &LitStr, errors: &mut Errors) -> ContractVersion {
    let value = text.value();
    let numbers: Vec<Option<u32>> = value
        .split('.')
        .map(|part| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok()).flatten())
        .collect();
    match numbers[..] {
        [Some(major), Some(minor)] => ContractVersion { major, minor },
        _ => {
            errors.at(
                text,
                format_args!("\"{value}\" is no version of a contract: write \"major.minor\", such as \"1.0\""),
            );
            ContractVersion { major: 1, minor: 0 }
        }
    }
}
