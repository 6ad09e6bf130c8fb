//! The arguments of `#[contract]`, on the trait and on its methods.

use proc_macro2::{Span, TokenStream};
use syn::{Attribute, LitStr, Meta};

use crate::args::{Args, Key, Kind};
use crate::errors::Errors;
use crate::version::ContractVersion;

pub(super) struct ContractArgs {
    pub(super) name: String,
    pub(super) version: ContractVersion,
    pub(super) krate: TokenStream,
    /// The path of polyplug, unless it is written wrongly.
    pub(super) known_krate: Option<TokenStream>,
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
        let missing = match (args.has("name"), args.has("version")) {
            (true, true) => None,
            (true, false) => Some("a contract needs a version: add `version = \"1.0\"`"),
            (false, true) => Some("a contract needs a name: add `name = \"my.contract\"`"),
            (false, false) => Some(
                "a contract needs a name and a version: write #[contract(name = \"my.contract\", version = \"1.0\")]",
            ),
        };
        if let Some(missing) = missing {
            errors.span(Span::call_site(), missing);
        }
        if let Some(name) = args.text("name") {
            check_name(name, errors);
        }
        Self {
            name: args.text("name").map(LitStr::value).unwrap_or_default(),
            version: args.text("version").map_or(ContractVersion::UNKNOWN, |text| ContractVersion::parse(text, errors)),
            krate: args.krate(),
            known_krate: args.known_krate(),
        }
    }
}

/// Reads the `since` of a method's own `#[contract]` attribute.
pub(super) fn since(attr: &Attribute, errors: &mut Errors) -> Option<(ContractVersion, LitStr)> {
    let tokens = match &attr.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    let empty = tokens.is_empty();
    let args = Args::parse(tokens, "contract", METHOD_KEYS, errors);
    if empty {
        errors.at(
            attr,
            "on a method, #[contract] says which version of the contract brought it: write #[contract(since = \"1.1\")]",
        );
    }
    let text = args.text("since")?;
    Some((ContractVersion::parse(text, errors), text.clone()))
}

fn check_name(name: &LitStr, errors: &mut Errors) {
    const EXAMPLE: &str = "write words joined by dots, such as \"my.contract\"";
    let text = name.value();
    if text.is_empty() {
        errors.at(name, format_args!("the name of a contract cannot be empty: {EXAMPLE}"));
        return;
    }
    if text.len() > 128 {
        errors.at(name, format_args!("the name of a contract may have at most 128 letters, this has {}", text.len()));
    }
    if let Some(bad) = text.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))) {
        errors.at(
            name,
            format_args!("`{bad}` cannot be in the name of a contract: use letters, digits, `.`, `_` and `-`"),
        );
    } else if text.split('.').any(str::is_empty) {
        errors.at(name, format_args!("the name of the contract has an empty word: {EXAMPLE}"));
    }
}
