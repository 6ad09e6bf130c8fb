//! The code of a type that crosses: its canonical layout, `lower` and `lift`. The expansion cannot fail.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, Fields, Index, Member, Type};

use super::check_growth;
use super::growth::Growth;
use super::model::{Case, Field, Model, Shape};
use crate::spans::{call_of, item_of};
use crate::version::ContractVersion;
use crate::{form, source};

pub(super) fn expand(model: &Model<'_>) -> TokenStream {
    let Parts { forms, canon, plain, parts, lower, lift, shape } = match &model.shape {
        Shape::Record(fields) => record(model, fields),
        Shape::Cases(cases) if cases.iter().all(|case| case.fields.is_empty()) => enumeration(model, cases),
        Shape::Cases(cases) => variant(model, cases),
        Shape::Impossible => return TokenStream::new(),
    };
    let krate = &model.krate;
    let private = private(model);
    let (ty, docs) = (source::generated(&model.item.ident), &model.docs);
    let name = model.name();
    let points = of_fields(model, parts.iter().copied(), "POINTS");
    let needs_room = of_fields(model, parts.iter().copied(), "NEEDS_ROOM");
    let newest = check_growth::newest(&model.shape).map_or(0, ContractVersion::number);
    let demands = model.mentions.demands(krate);
    let allowed = allowed(model);
    quote! {
        #(#allowed)*
        const _: () = {
            #demands
            #forms

            // SAFETY: `PLAIN` demands equal layouts and plain fields; `lower` and `lift` follow the described shape.
            #[automatically_derived]
            unsafe impl #krate::Type for #ty {
                type Canon = #canon;
                type Optional = #private::RawOption<#canon>;
                const PLAIN: bool = #plain;
                const POINTS: bool = false #(|| #points)*;
                const NEEDS_ROOM: bool = false #(|| #needs_room)*;
                const NEWEST: u64 = #newest;

                fn describe(__types: &mut #private::schema::Types) -> #private::schema::TypeRef {
                    __types.define::<Self>(|__types| #private::schema::Definition::new(#name, #docs, #shape))
                }

                #[inline]
                fn lower<const COPY: bool>(&self, __to: &mut #private::Lower<COPY>) -> Self::Canon {
                    #lower
                }

                #[inline]
                unsafe fn lift(
                    __canon: &Self::Canon,
                    __depth: #private::Depth,
                ) -> ::core::result::Result<Self, #private::LiftError> {
                    #lift
                }
            }
        };
    }
}

/// The parts of the code that differ between records, enums and variants.
struct Parts<'a> {
    /// The definitions of the canonical layouts.
    forms: TokenStream,
    /// The type of the lowered value.
    canon: TokenStream,
    /// The value of `PLAIN`.
    plain: TokenStream,
    /// All fields.
    parts: Vec<&'a Field<'a>>,
    /// The body of `lower`.
    lower: TokenStream,
    /// The body of `lift`.
    lift: TokenStream,
    /// The description of the shape.
    shape: TokenStream,
}

/// Returns the lints that the author switched off on the type or in it. Generated code repeats the types of its fields.
fn allowed(model: &Model<'_>) -> Vec<Attribute> {
    let mut allowed = source::allowed(&model.item.attrs);
    let (cases, fields): (&[Case<'_>], &[Field<'_>]) = match &model.shape {
        Shape::Record(fields) => (&[], fields),
        Shape::Cases(cases) => (cases, &[]),
        Shape::Impossible => (&[], &[]),
    };
    for case in cases {
        allowed.extend(source::allowed(case.attrs));
    }
    for field in fields.iter().chain(cases.iter().flat_map(|case| &case.fields)) {
        allowed.extend(source::allowed(field.attrs));
    }
    allowed
}

/// Returns the name of the type of the lowered value.
fn canon_name() -> Ident {
    format_ident!("__Canon")
}

/// Returns the trait through which a field crosses.
fn conversion(model: &Model<'_>, field: &Field<'_>) -> TokenStream {
    field.crossing.via(&model.krate)
}

/// Makes the paths of an item in the implementations of that trait by the types of `fields`.
fn of_fields<'a>(model: &Model<'_>, fields: impl IntoIterator<Item = &'a Field<'a>>, item: &str) -> Vec<TokenStream> {
    fields.into_iter().map(|field| item_of(&field.ty, &conversion(model, field), item)).collect()
}

/// Defines the struct `name` of the lowered values of `fields`.
fn define(model: &Model<'_>, name: &Ident, fields: &[Field<'_>]) -> TokenStream {
    form::define(name, fields.iter().map(|field| (&field.ty, conversion(model, field))))
}

/// Makes the expressions that lift `fields` from the variables of [`form::fields`].
fn lifts(model: &Model<'_>, fields: &[Field<'_>]) -> Vec<TokenStream> {
    let lift = |(i, field): (usize, &Field<'_>)| {
        let canon = form::field(i, &field.ty);
        call_of(&field.ty, &conversion(model, field), "lift", quote!(#canon, __depth))
    };
    fields.iter().enumerate().map(lift).collect()
}

/// Makes the expression that lowers a field, with the field's type.
fn lower<'a>(model: &Model<'_>, field: &'a Field<'_>, value: TokenStream) -> (&'a Type, TokenStream) {
    (&field.ty, call_of(&field.ty, &conversion(model, field), "lower", quote!(#value, __to)))
}

fn private(model: &Model<'_>) -> TokenStream {
    let krate = &model.krate;
    quote!(#krate::__private)
}

fn record<'a>(model: &Model<'_>, fields: &'a [Field<'_>]) -> Parts<'a> {
    let private = private(model);
    let name = canon_name();
    let members: Vec<Member> = fields.iter().map(Field::generated).collect();
    let places: Vec<Index> = (0..fields.len()).map(Index::from).collect();
    let labels = fields.iter().map(Field::label);
    let types = fields.iter().map(|field| &field.ty);
    let plains = of_fields(model, fields, "PLAIN");
    let lifts = lifts(model, fields);
    let lowered = fields.iter().zip(&members).map(|(field, member)| lower(model, field, quote!(&self.#member)));
    let lowered = form::value(&name, lowered);
    let described = described_fields(model, fields, quote!(::core::option::Option::None));
    let form = define(model, &name, fields);
    let canons = form::fields(&name, fields.iter().map(|field| &field.ty));
    Parts {
        forms: quote! {
            #form

            // The fields in C's order. A plain field has the layout of its lowered value.
            #[repr(C)]
            struct __InOrder(#(#types),*);
        },
        canon: quote!(#name),
        plain: quote! {
            #(#plains &&)*
                ::core::mem::size_of::<Self>() == ::core::mem::size_of::<__InOrder>()
                && ::core::mem::align_of::<Self>() == ::core::mem::align_of::<__InOrder>()
                #(&& ::core::mem::offset_of!(Self, #members) == ::core::mem::offset_of!(__InOrder, #places))*
        },
        lower: lowered,
        lift: quote! {
            let #canons = __canon;
            ::core::result::Result::Ok(Self {
                // SAFETY: the memory that the fields point at is readable (the caller's promise).
                #(#members: unsafe { #lifts }.map_err(|__error| __error.within(#labels))?,)*
            })
        },
        shape: quote!(#private::schema::Shape::Record(#described)),
        parts: fields.iter().collect(),
    }
}

fn enumeration<'a>(model: &Model<'_>, cases: &'a [Case<'_>]) -> Parts<'a> {
    let private = private(model);
    let name = model.name();
    let names: Vec<Ident> = cases.iter().map(|case| source::generated(case.name)).collect();
    let tags: Vec<u32> = tags(cases);
    let count = count(cases);
    let described = described_cases(model, cases);
    Parts {
        forms: quote!(),
        canon: quote!(u32),
        plain: quote!(false),
        parts: Vec::new(),
        // Matched with braces, which fit every style of a case without fields.
        lower: quote!(match self { #(Self::#names { .. } => #tags),* }),
        lift: quote! {
            match *__canon {
                #(#tags => ::core::result::Result::Ok(Self::#names {}),)*
                __tag => ::core::result::Result::Err(#private::LiftError::tag(#name, __tag, #count)),
            }
        },
        shape: quote!(#private::schema::Shape::Enum(#described)),
    }
}

fn variant<'a>(model: &Model<'_>, cases: &'a [Case<'_>]) -> Parts<'a> {
    let private = private(model);
    let (name, canon, payload) = (model.name(), canon_name(), format_ident!("__Payload"));
    let mut forms = TokenStream::new();
    let mut members = TokenStream::new();
    let mut lowers = TokenStream::new();
    let mut lifts = TokenStream::new();
    for (case, tag) in cases.iter().zip(tags(cases)) {
        let (case_name, label) = (source::generated(case.name), case.label());
        if case.fields.is_empty() {
            lowers.extend(quote! {
                Self::#case_name { .. } => #canon { tag: #tag, payload: ::core::mem::MaybeUninit::zeroed() },
            });
            lifts.extend(quote!(#tag => ::core::result::Result::Ok(Self::#case_name {}),));
            continue;
        }
        let (form, member) = (format_ident!("__Case{tag}"), format_ident!("__{tag}"));
        let bindings: Vec<Ident> = (0..case.fields.len()).map(|i| format_ident!("__field_{i}")).collect();
        let pattern = pattern(case, &bindings);
        let labels = case.fields.iter().map(Field::label);
        let lift = self::lifts(model, &case.fields);
        let lowered = case.fields.iter().zip(&bindings).map(|(field, binding)| lower(model, field, quote!(#binding)));
        let lowered = form::value(&form, lowered);
        let canons = form::fields(&form, case.fields.iter().map(|field| &field.ty));
        forms.extend(define(model, &form, &case.fields));
        members.extend(quote!(#member: #form,));
        lowers.extend(quote! {
            Self::#case_name #pattern => #canon {
                tag: #tag,
                payload: ::core::mem::MaybeUninit::new(#payload { #member: #lowered }),
            },
        });
        lifts.extend(quote! {
            #tag => {
                // SAFETY: by the tag the sender has initialised this case (the ABI), and every bit pattern is valid.
                let #canons = unsafe { &__canon.payload.assume_init_ref().#member };
                // SAFETY: the memory that the fields point at is readable (the caller's promise).
                #(let #bindings = unsafe { #lift }.map_err(|__error| __error.within(#labels).within(#label))?;)*
                ::core::result::Result::Ok(Self::#case_name #pattern)
            }
        });
    }
    let count = count(cases);
    let described = described_cases(model, cases);
    let parts: Vec<&Field<'_>> = cases.iter().flat_map(|case| &case.fields).collect();
    let copy = |name| form::copy(name, parts.iter().map(|field| (&field.ty, conversion(model, field))));
    let (copy_payload, copy_canon) = (copy(&payload), copy(&canon));
    Parts {
        forms: quote! {
            #forms

            #[repr(C)]
            pub union #payload { #members }
            #copy_payload

            #[repr(C)]
            pub struct #canon {
                tag: u32,
                payload: ::core::mem::MaybeUninit<#payload>,
            }
            #copy_canon
        },
        canon: quote!(#canon),
        plain: quote!(false),
        parts,
        lower: quote!(match self { #lowers }),
        lift: quote! {
            match __canon.tag {
                #lifts
                __tag => ::core::result::Result::Err(#private::LiftError::tag(#name, __tag, #count)),
            }
        },
        shape: quote!(#private::schema::Shape::Variant(#described)),
    }
}

/// Makes the fields of a case with `bindings`, which serve as pattern and as expression.
fn pattern(case: &Case<'_>, bindings: &[Ident]) -> TokenStream {
    match case.style {
        Fields::Named(_) => {
            let members = case.fields.iter().map(Field::generated);
            quote!({ #(#members: #bindings),* })
        }
        _ => quote!((#(#bindings),*)),
    }
}

/// Makes the minor version of the contract that introduced a part.
fn since(growth: &Growth) -> TokenStream {
    match growth.version() {
        Some(ContractVersion { major, minor }) => quote!(__types.since(#major, #minor)),
        None => quote!(0),
    }
}

fn tags(cases: &[Case<'_>]) -> Vec<u32> {
    (0..count(cases)).collect()
}

fn count(cases: &[Case<'_>]) -> u32 {
    u32::try_from(cases.len()).expect("an enum does not have four billion cases")
}

fn described_cases(model: &Model<'_>, cases: &[Case<'_>]) -> TokenStream {
    let private = private(model);
    let cases = cases.iter().enumerate().map(|(number, case)| {
        let fields = described_fields(model, &case.fields, quote!(::core::option::Option::Some(#number)));
        let (name, docs, since, other) = (case.label(), &case.docs, since(&case.growth), case.growth.other);
        let grown = (case.growth.version().is_some() || other).then(|| quote!(.grown(#since, #other)));
        quote!(#private::schema::Case::new(#name, #docs, #fields) #grown)
    });
    quote!(::std::vec![#(#cases),*])
}

/// Describes the fields of a record, or of the case `case`.
fn described_fields(model: &Model<'_>, fields: &[Field<'_>], case: TokenStream) -> TokenStream {
    let private = private(model);
    let fields = fields.iter().enumerate().map(|(number, field)| {
        let (name, docs) = (field.label(), &field.docs);
        let described = call_of(&field.ty, &conversion(model, field), "describe", quote!(__types));
        let field_of = quote!(#private::schema::Field::new(#name, #docs, #described));
        let Some(default) = &field.growth.default else { return field_of };
        let (ty, answer, since) = (&field.ty, field.crossing.answer(), since(&field.growth));
        let default = match default {
            Some(default) => default.to_token_stream(),
            None => call_of(ty, &quote!(::core::default::Default), "default", TokenStream::new()),
        };
        quote!({
            let __field = #field_of.grown(#since, ::core::option::Option::None);
            if __field.since > 0 {
                __types.default_of::<#ty, #answer>(#case, #number, || #default);
            }
            __field
        })
    });
    quote!(::std::vec![#(#fields),*])
}
