//! Fields and cases that were added to a type later: their `#[contract(..)]`.

use proc_macro2::TokenStream;
use syn::{Attribute, Expr, LitStr, Meta};

use crate::args::{Args, Key, Kind};
use crate::errors::Errors;
use crate::version::ContractVersion;

const FIELD_KEYS: &[Key] =
    &[Key { name: "since", kind: Kind::Text }, Key { name: "default", kind: Kind::OptionalExpression }];

const CASE_KEYS: &[Key] = &[Key { name: "since", kind: Kind::Text }, Key { name: "other", kind: Kind::Flag }];

/// What `#[contract(..)]` says about a field or a case.
#[derive(Default)]
pub(super) struct Growth {
    /// The version that introduced it, if that is written.
    pub(super) since: Option<(ContractVersion, LitStr)>,
    /// The default of a field: an expression, or `None` for `Default::default()`.
    pub(super) default: Option<Option<Expr>>,
    /// True for the case that unknown cases are read as.
    pub(super) other: bool,
    /// The attribute, for errors.
    pub(super) attr: Option<Attribute>,
    /// True if `since` is written, though perhaps wrongly.
    has_since: bool,
}

impl Growth {
    pub(super) fn of_field(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let growth = Self::read(attrs, FIELD_KEYS, errors, "#[contract(since = \"1.1\", default)]");
        match (&growth.since, &growth.default, &growth.attr) {
            (Some((_, at)), None, _) => errors.at(
                at,
                "a field that was added later needs a default, which is read where an older side has not sent the field: \
                 add `default`, or `default = ..`",
            ),
            (None, Some(_), Some(attr)) if !growth.has_since => errors.at(
                attr,
                "only a field that was added later has a default: add `since = \"1.1\"`, or leave `default` out",
            ),
            _ => {}
        }
        growth
    }

    pub(super) fn of_case(attrs: &[Attribute], errors: &mut Errors) -> Self {
        Self::read(attrs, CASE_KEYS, errors, "#[contract(since = \"1.1\")] or #[contract(other)]")
    }

    fn read(attrs: &[Attribute], keys: &[Key], errors: &mut Errors, example: &str) -> Self {
        let mut ours = attrs.iter().filter(|attr| attr.path().is_ident("contract"));
        let Some(attr) = ours.next() else { return Self::default() };
        for more in ours {
            errors.at(more, "one #[contract(..)] says everything: leave this one out");
        }
        let tokens = match &attr.meta {
            Meta::List(list) => list.tokens.clone(),
            _ => TokenStream::new(),
        };
        if tokens.is_empty() {
            errors.at(attr, format_args!("this says nothing: write {example}, or leave it out"));
        }
        let args = Args::parse(tokens, "contract", keys, errors);
        let since = args.text("since").map(|text| (ContractVersion::parse(text, errors), text.clone()));
        Self {
            since,
            default: args.expression("default"),
            other: args.flag("other"),
            attr: Some(attr.clone()),
            has_since: args.has("since"),
        }
    }

    /// Returns the version that introduced the part, unless the part was always there or the version is malformed.
    pub(super) fn version(&self) -> Option<ContractVersion> {
        self.since.as_ref().map(|(version, _)| *version).filter(|version| *version != ContractVersion::UNKNOWN)
    }
}
