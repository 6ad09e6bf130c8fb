//! Fields and cases that were added to a type later: their `#[contract(..)]`.

use proc_macro2::{Ident, TokenStream};
use syn::{Attribute, Expr, LitStr, Meta};

use super::model::{Case, Field, Shape};
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
    attr: Option<Attribute>,
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

/// Returns the newest version that a part of a type names.
pub(super) fn newest(shape: &Shape<'_>) -> Option<ContractVersion> {
    let of_fields = |fields: &[Field<'_>]| fields.iter().filter_map(|field| field.growth.version()).max();
    match shape {
        Shape::Record(fields) => of_fields(fields),
        Shape::Cases(cases) => {
            cases.iter().flat_map(|case| [case.growth.version(), of_fields(&case.fields)]).flatten().max()
        }
        Shape::Impossible => None,
    }
}

/// Checks that fields were added at the end.
pub(super) fn check_fields(fields: &[Field<'_>], errors: &mut Errors) {
    check_order("fields", fields.iter().map(|field| (&field.growth, field.ty_start())), errors);
}

/// Checks that cases were added at the end, and that one case at most, without fields, stands for unknown ones.
pub(super) fn check_cases(cases: &[Case<'_>], errors: &mut Errors) {
    check_order("cases", cases.iter().map(|case| (&case.growth, case.name.clone())), errors);
    let mut others = cases.iter().filter(|case| case.growth.other);
    if let Some(other) = others.next() {
        if let (false, Some(attr)) = (other.fields.is_empty(), &other.growth.attr) {
            errors.at(attr, "the case that unknown ones are read as has no fields, as nobody would know their values: leave the fields out");
        }
        for attr in others.filter_map(|case| case.growth.attr.as_ref()) {
            errors.at(attr, format_args!("unknown cases are read as `{}` already: leave one `other` out", other.name));
        }
    }
}

fn check_order<'a>(what: &str, parts: impl Iterator<Item = (&'a Growth, Ident)>, errors: &mut Errors) {
    let mut latest = None;
    for (growth, name) in parts {
        match (latest, growth.version(), &growth.since) {
            (Some(ContractVersion { major, minor }), None, None) => errors.at(
                &name,
                format_args!(
                    "{what} are only added at the end, and the one before came with {major}.{minor}: move this one up, or give it a `since` of \"{major}.{minor}\" or later"
                ),
            ),
            (Some(before), Some(version), Some((_, at))) if version < before => {
                let ContractVersion { major, minor } = before;
                errors.at(
                    at,
                    format_args!(
                        "{what} are only added at the end, and the one before came with {major}.{minor}: move this one up, or write \"{major}.{minor}\" or later"
                    ),
                );
            }
            _ => {}
        }
        latest = latest.max(growth.version());
    }
}
