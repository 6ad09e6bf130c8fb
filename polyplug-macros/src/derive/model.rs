//! What a type that can cross is, read from its definition.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Fields, Index, Member, Meta, Type};

use crate::args::{Args, Key, Kind};
use crate::errors::Errors;
use crate::source;

pub(super) struct Model<'a> {
    pub(super) item: &'a DeriveInput,
    pub(super) krate: TokenStream,
    pub(super) docs: String,
    pub(super) shape: Shape<'a>,
}

pub(super) enum Shape<'a> {
    Record(Vec<Field<'a>>),
    /// An enum or a variant, by whether any case has fields.
    Cases(Vec<Case<'a>>),
    /// Reported already.
    Impossible,
}

pub(super) struct Case<'a> {
    pub(super) name: &'a Ident,
    pub(super) docs: String,
    pub(super) attrs: &'a [Attribute],
    pub(super) fields: Vec<Field<'a>>,
    /// How the case is written: `Case`, `Case(..)` or `Case { .. }`.
    pub(super) style: &'a Fields,
}

pub(super) struct Field<'a> {
    pub(super) member: Member,
    pub(super) docs: String,
    pub(super) attrs: &'a [Attribute],
    pub(super) ty: &'a Type,
}

const KEYS: &[Key] = &[Key { name: "crate", kind: Kind::Path }];

impl<'a> Model<'a> {
    pub(super) fn new(item: &'a DeriveInput, errors: &mut Errors) -> Self {
        let mut args = Args::default();
        for attr in item.attrs.iter().filter(|attr| attr.path().is_ident("polyplug")) {
            match &attr.meta {
                Meta::List(list) => args = Args::parse(list.tokens.clone(), "polyplug", KEYS, errors),
                other => errors.at(other, "write #[polyplug(crate = path::to::polyplug)]"),
            }
        }
        let shape = match &item.data {
            Data::Struct(data) => Shape::Record(fields(&data.fields)),
            Data::Enum(data) => Shape::Cases(
                data.variants
                    .iter()
                    .map(|case| Case {
                        name: &case.ident,
                        docs: source::docs(&case.attrs),
                        attrs: &case.attrs,
                        fields: fields(&case.fields),
                        style: &case.fields,
                    })
                    .collect(),
            ),
            Data::Union(data) => {
                errors.at(data.union_token, "a union cannot cross: nobody would know which field holds; use an enum");
                Shape::Impossible
            }
        };
        Self { item, krate: args.krate(), docs: source::docs(&item.attrs), shape }
    }
}

fn fields(fields: &Fields) -> Vec<Field<'_>> {
    fields
        .iter()
        .enumerate()
        .map(|(i, field)| Field {
            member: field.ident.clone().map_or_else(|| Member::Unnamed(Index::from(i)), Member::Named),
            docs: source::docs(&field.attrs),
            attrs: &field.attrs,
            ty: &field.ty,
        })
        .collect()
}

impl Field<'_> {
    /// The field's name as other languages see it.
    pub(super) fn label(&self) -> String {
        match &self.member {
            Member::Named(name) => name.unraw().to_string(),
            Member::Unnamed(index) => index.index.to_string(),
        }
    }
}
