//! The model of a type that can cross, read from its definition.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Fields, Index, Member, Meta, Type};

use super::growth::Growth;
use crate::args::{Args, Key, Kind};
use crate::crossing::{Crossing, Mentions};
use crate::errors::Errors;
use crate::source;

pub(super) struct Model<'a> {
    pub(super) item: &'a DeriveInput,
    pub(super) krate: TokenStream,
    /// The path of polyplug, unless it is written wrongly.
    pub(super) known_krate: Option<TokenStream>,
    pub(super) docs: String,
    pub(super) shape: Shape<'a>,
    /// The types of all fields.
    pub(super) mentions: Mentions,
}

pub(super) enum Shape<'a> {
    Record(Vec<Field<'a>>),
    /// An enum or a variant, by whether any case has fields.
    Cases(Vec<Case<'a>>),
    /// A shape that cannot cross, which is reported already.
    Impossible,
}

pub(super) struct Case<'a> {
    pub(super) name: &'a Ident,
    pub(super) docs: String,
    pub(super) attrs: &'a [Attribute],
    pub(super) fields: Vec<Field<'a>>,
    pub(super) growth: Growth,
    /// The style of the case: `Case`, `Case(..)` or `Case { .. }`.
    pub(super) style: &'a Fields,
}

pub(super) struct Field<'a> {
    pub(super) member: Member,
    pub(super) docs: String,
    pub(super) attrs: &'a [Attribute],
    /// The field's type. `Self` is replaced by the type's name, because it would be another type in the canonical
    /// layout.
    pub(super) ty: Type,
    /// The field's type as generated code uses it.
    pub(super) crossing: Crossing,
    pub(super) growth: Growth,
}

const KEYS: &[Key] = &[Key { name: "crate", kind: Kind::Path }];

impl<'a> Model<'a> {
    pub(super) fn new(item: &'a DeriveInput, errors: &mut Errors) -> Self {
        let args = args(&item.attrs, errors);
        let mut mentions = Mentions::default();
        let mut fields = |these, errors: &mut Errors| fields(these, &item.ident, &mut mentions, errors);
        let shape = match &item.data {
            Data::Struct(data) => Shape::Record(fields(&data.fields, errors)),
            Data::Enum(data) => Shape::Cases(
                data.variants
                    .iter()
                    .map(|case| Case {
                        name: &case.ident,
                        docs: source::docs(&case.attrs),
                        attrs: &case.attrs,
                        fields: fields(&case.fields, errors),
                        growth: Growth::of_case(&case.attrs, errors),
                        style: &case.fields,
                    })
                    .collect(),
            ),
            Data::Union(data) => {
                errors.at(data.union_token, "a union cannot cross: nobody would know which field holds; use an enum");
                Shape::Impossible
            }
        };
        Self {
            item,
            krate: args.krate(),
            known_krate: args.known_krate(),
            docs: source::docs(&item.attrs),
            shape,
            mentions,
        }
    }
}

fn args(attrs: &[Attribute], errors: &mut Errors) -> Args {
    let mut attrs = attrs.iter().filter(|attr| source::is_ours(attr));
    let args = match attrs.next().map(|attr| &attr.meta) {
        Some(Meta::List(list)) => Args::parse(list.tokens.clone(), "polyplug", KEYS, errors),
        Some(other) => {
            errors.at(
                other,
                "#[polyplug] says where polyplug is: write #[polyplug(crate = some::path)], or leave it out",
            );
            Args::default()
        }
        None => Args::default(),
    };
    for attr in attrs {
        errors.at(attr, "a type takes one #[polyplug(..)]: leave this one out");
    }
    args
}

fn fields<'a>(fields: &'a Fields, of: &Ident, mentions: &mut Mentions, errors: &mut Errors) -> Vec<Field<'a>> {
    let mut field = |(i, field): (usize, &'a syn::Field)| {
        let ty = named(&field.ty, of);
        Field {
            member: field.ident.clone().map_or_else(|| Member::Unnamed(Index::from(i)), Member::Named),
            docs: source::docs(&field.attrs),
            attrs: &field.attrs,
            crossing: mentions.add(&ty),
            growth: Growth::of_field(&field.attrs, errors),
            ty,
        }
    };
    fields.iter().enumerate().map(&mut field).collect()
}

/// Returns `ty` with the type's name in place of `Self`.
fn named(ty: &Type, name: &Ident) -> Type {
    fn replace(tokens: TokenStream, name: &Ident) -> TokenStream {
        let replaced = tokens.into_iter().map(|token| match token {
            TokenTree::Ident(word) if word == "Self" => {
                let mut name = name.clone();
                name.set_span(word.span());
                name.into()
            }
            TokenTree::Group(group) => {
                let mut replaced = Group::new(group.delimiter(), replace(group.stream(), name));
                replaced.set_span(group.span());
                replaced.into()
            }
            other => other,
        });
        replaced.collect()
    }
    syn::parse2(replace(ty.to_token_stream(), name)).unwrap_or_else(|_| ty.clone())
}

impl Model<'_> {
    /// Returns the type's name as other languages see it.
    pub(super) fn name(&self) -> String {
        self.item.ident.unraw().to_string()
    }
}

impl Case<'_> {
    /// Returns the case's name as other languages see it.
    pub(super) fn label(&self) -> String {
        self.name.unraw().to_string()
    }
}

impl Field<'_> {
    /// Returns an identifier that errors about the field point at.
    pub(super) fn ty_start(&self) -> Ident {
        match &self.member {
            Member::Named(name) => name.clone(),
            Member::Unnamed(index) => Ident::new("field", crate::spans::ends(&self.ty).0.resolved_at(index.span)),
        }
    }

    /// Returns the field's name for generated code.
    pub(super) fn generated(&self) -> Member {
        match &self.member {
            Member::Named(name) => Member::Named(source::generated(name)),
            Member::Unnamed(index) => Member::Unnamed(Index { index: index.index, span: Span::call_site() }),
        }
    }

    /// Returns the field's name as other languages see it.
    pub(super) fn label(&self) -> String {
        match &self.member {
            Member::Named(name) => name.unraw().to_string(),
            Member::Unnamed(index) => index.index.to_string(),
        }
    }
}
