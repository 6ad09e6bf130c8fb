//! The model of a contract, read from its trait.

use proc_macro2::{Ident, Span};
use syn::{
    Attribute, FnArg, ItemTrait, LitStr, Pat, PatType, PathArguments, ReturnType, TraitItem, TraitItemFn, Type,
    TypeParamBound, TypeReference,
};

use super::args::{self, ContractArgs};
use crate::crossing::{Crossing, Mentions};
use crate::errors::Errors;
use crate::source;
use crate::version::ContractVersion;

pub(super) struct Contract {
    pub(super) args: ContractArgs,
    /// The trait without the macro's own attributes.
    pub(super) item: ItemTrait,
    pub(super) docs: String,
    pub(super) methods: Vec<Method>,
    /// The types of arguments and results.
    pub(super) mentions: Mentions,
}

pub(super) struct Method {
    pub(super) name: Ident,
    pub(super) docs: String,
    pub(super) attrs: Vec<Attribute>,
    pub(super) since: ContractVersion,
    /// The literal of `since`, if it is written.
    pub(super) since_at: Option<LitStr>,
    pub(super) arguments: Vec<Argument>,
    pub(super) result: Type,
    /// The result's type as generated code uses it.
    pub(super) crossing: Crossing,
    /// The declaration, for checks.
    pub(super) item: TraitItemFn,
}

pub(super) struct Argument {
    pub(super) name: Ident,
    /// The type as written.
    pub(super) ty: Type,
    /// The way in which the argument crosses.
    pub(super) passing: Passing,
    /// The type that crosses, as generated code uses it.
    pub(super) crossing: Crossing,
    /// The argument's attributes, for checks.
    pub(super) attrs: Vec<Attribute>,
}

pub(super) enum Passing {
    /// A value of the type.
    Value,
    /// A reference to a value of a type.
    Reference(TypeReference),
    /// A reference to a type without a size of its own: text or a slice.
    Unsized(TypeReference),
    /// An object of a contract, lent for the call: `&dyn Trait`.
    Object(TypeReference),
    /// An object of a contract that may be kept: `Callback<dyn Trait>`.
    Callback,
    /// A reference to a `Callback<dyn Trait>`.
    CallbackReference(TypeReference),
}

impl Argument {
    /// Returns the type that crosses: for a reference, the type behind the reference.
    pub(super) fn crossing(&self) -> &Type {
        match &self.passing {
            Passing::Value | Passing::Callback => &self.ty,
            Passing::Reference(reference)
            | Passing::Unsized(reference)
            | Passing::Object(reference)
            | Passing::CallbackReference(reference) => &reference.elem,
        }
    }

    /// Returns whether the argument is an object of a contract.
    pub(super) fn is_object(&self) -> bool {
        matches!(self.passing, Passing::Object(_) | Passing::Callback | Passing::CallbackReference(_))
    }
}

impl Contract {
    pub(super) fn new(args: ContractArgs, mut item: ItemTrait, errors: &mut Errors) -> Self {
        let mut methods = Vec::new();
        let mut mentions = Mentions::default();
        for member in &mut item.items {
            match member {
                TraitItem::Fn(method) => methods.push(Method::new(method, &args, &mut mentions, errors)),
                TraitItem::Type(ty) => errors.at(
                    ty,
                    "a contract cannot have associated types: plugins of any language must agree on one type, so name it",
                ),
                TraitItem::Const(constant) => {
                    errors.at(constant, "a contract cannot have constants: make it a method that returns the value");
                }
                other => errors.at(other, "a contract's trait may hold only methods: write them out"),
            }
        }
        Self { docs: source::docs(&item.attrs), args, item, methods, mentions }
    }
}

impl Method {
    fn new(item: &mut TraitItemFn, contract: &ContractArgs, mentions: &mut Mentions, errors: &mut Errors) -> Self {
        let (since, since_at) = match take_since(item, errors) {
            Some((version, text)) => (version, Some(text)),
            None => (ContractVersion { major: contract.version.major, minor: 0 }, None),
        };
        let result = match &item.sig.output {
            ReturnType::Default => syn::parse_quote!(()),
            ReturnType::Type(_, ty) => (**ty).clone(),
        };
        Self {
            name: item.sig.ident.clone(),
            docs: source::docs(&item.attrs),
            attrs: source::inherited(&item.attrs),
            since,
            since_at,
            arguments: item.sig.inputs.iter().filter_map(|input| Argument::new(input, mentions, errors)).collect(),
            crossing: mentions.add(&result),
            result,
            item: item.clone(),
        }
    }
}

/// Removes the macro's own attribute from a method, and reads it.
fn take_since(item: &mut TraitItemFn, errors: &mut Errors) -> Option<(ContractVersion, LitStr)> {
    let is_ours = |attr: &Attribute| attr.path().segments.last().is_some_and(|segment| segment.ident == "contract");
    let (ours, others) = std::mem::take(&mut item.attrs).into_iter().partition::<Vec<_>, _>(is_ours);
    item.attrs = others;
    let (first, more) = ours.split_first()?;
    for attr in more {
        errors.at(attr, "a method takes one #[contract(..)]: leave this one out");
    }
    args::since(first, errors)
}

impl Argument {
    fn new(input: &FnArg, mentions: &mut Mentions, errors: &mut Errors) -> Option<Self> {
        let FnArg::Typed(PatType { attrs, pat, ty, .. }) = input else { return None };
        let name = match &**pat {
            Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => pat.ident.clone(),
            other => {
                errors.at(
                    other,
                    "an argument of a contract's method needs a name: plugins of other languages see it; write `name: Type`",
                );
                Ident::new("_unnamed", Span::call_site())
            }
        };
        let passing = match source::bare(ty) {
            Type::Reference(reference) if is_unsized(&reference.elem) => Passing::Unsized(reference.clone()),
            Type::Reference(reference) if is_object(&reference.elem) => Passing::Object(reference.clone()),
            Type::Reference(reference) if is_callback(&reference.elem) => Passing::CallbackReference(reference.clone()),
            Type::Reference(reference) => Passing::Reference(reference.clone()),
            ty if is_callback(ty) => Passing::Callback,
            _ => Passing::Value,
        };
        let crossing = match &passing {
            Passing::Value => mentions.add(ty),
            Passing::Reference(reference) | Passing::Unsized(reference) => mentions.add(&reference.elem),
            Passing::Object(_) | Passing::Callback | Passing::CallbackReference(_) => Crossing::KNOWN,
        };
        Some(Self { name, ty: (**ty).clone(), passing, crossing, attrs: attrs.clone() })
    }
}

fn is_object(ty: &Type) -> bool {
    let Type::TraitObject(object) = source::bare(ty) else { return false };
    let mut bounds = object.bounds.iter();
    match (bounds.next(), bounds.next()) {
        // The traits of functions, such as `Fn(i32)`, are not contracts.
        (Some(TypeParamBound::Trait(bound)), None) => {
            bound.path.segments.last().is_some_and(|last| !matches!(last.arguments, PathArguments::Parenthesized(_)))
        }
        _ => false,
    }
}

fn is_callback(ty: &Type) -> bool {
    matches!(source::bare(ty), Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Callback"))
}

fn is_unsized(ty: &Type) -> bool {
    match source::bare(ty) {
        Type::Slice(_) => true,
        Type::Path(path) => path.path.is_ident("str"),
        _ => false,
    }
}
