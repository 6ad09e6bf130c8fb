//! The code of a type that crosses: its canonical form and how values get in and out. Cannot fail.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{Fields, Member};

use super::model::{Case, Field, Model, Shape};

pub(super) fn expand(model: &Model<'_>) -> TokenStream {
    let Parts { forms, canon, plain, parts, lower, lift, shape } = match &model.shape {
        Shape::Record(fields) => record(model, fields),
        Shape::Cases(cases) if cases.iter().all(|case| case.fields.is_empty()) => enumeration(model, cases),
        Shape::Cases(cases) => variant(model, cases),
        Shape::Impossible => return TokenStream::new(),
    };
    let krate = &model.krate;
    let private = private(model);
    let (ty, docs) = (&model.item.ident, &model.docs);
    let name = ty.to_string();
    quote! {
        const _: () = {
            #forms

            // SAFETY: `PLAIN` compares the layouts, and both directions follow the described shape.
            unsafe impl #krate::Type for #ty {
                type Canon = #canon;
                type Optional = #private::RawOption<#canon>;
                const PLAIN: bool = #plain;
                const POINTS: bool = false #(|| <#parts as #krate::Type>::POINTS)*;
                const NEEDS_ROOM: bool = false #(|| <#parts as #krate::Type>::NEEDS_ROOM)*;

                fn describe(types: &mut #private::schema::Types) -> #private::schema::TypeRef {
                    types.define::<Self>(|types| #private::schema::Definition::new(#name, #docs, #shape))
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

/// What differs between records, enums and variants.
struct Parts<'a> {
    /// Definitions of canonical forms.
    forms: TokenStream,
    /// The canonical form.
    canon: TokenStream,
    /// Whether the layouts agree.
    plain: TokenStream,
    /// The types of all fields.
    parts: Vec<&'a syn::Type>,
    /// The body of `lower`.
    lower: TokenStream,
    /// The body of `lift`.
    lift: TokenStream,
    /// The description of the shape.
    shape: TokenStream,
}

fn private(model: &Model<'_>) -> TokenStream {
    let krate = &model.krate;
    quote!(#krate::__private)
}

fn record<'a>(model: &Model<'_>, fields: &[Field<'a>]) -> Parts<'a> {
    let krate = &model.krate;
    let private = private(model);
    let parts: Vec<&syn::Type> = fields.iter().map(|field| field.ty).collect();
    let members: Vec<&Member> = fields.iter().map(|field| &field.member).collect();
    let slots: Vec<Ident> = (0..fields.len()).map(|i| format_ident!("__{i}")).collect();
    let labels = fields.iter().map(Field::label);
    let described = described_fields(model, fields);
    Parts {
        forms: quote! {
            #[repr(C)]
            #[derive(::core::clone::Clone, ::core::marker::Copy)]
            pub struct __Canon { #(#slots: <#parts as #krate::Type>::Canon),* }
        },
        canon: quote!(__Canon),
        plain: quote! {
            ::core::mem::size_of::<Self>() == ::core::mem::size_of::<__Canon>()
                && ::core::mem::align_of::<Self>() == ::core::mem::align_of::<__Canon>()
                #(&& <#parts as #krate::Type>::PLAIN
                  && ::core::mem::offset_of!(Self, #members) == ::core::mem::offset_of!(__Canon, #slots))*
        },
        lower: quote! {
            __Canon { #(#slots: <#parts as #krate::Type>::lower(&self.#members, __to)),* }
        },
        lift: quote! {
            ::core::result::Result::Ok(Self {
                // SAFETY: the caller's promise covers every field.
                #(#members: unsafe { <#parts as #krate::Type>::lift(&__canon.#slots, __depth) }
                    .map_err(|error| error.within(#labels))?,)*
            })
        },
        shape: quote!(#private::schema::Shape::Record(#described)),
        parts,
    }
}

fn enumeration<'a>(model: &Model<'_>, cases: &[Case<'a>]) -> Parts<'a> {
    let private = private(model);
    let name = model.item.ident.to_string();
    let names: Vec<&Ident> = cases.iter().map(|case| case.name).collect();
    let tags: Vec<u32> = tags(cases);
    let count = count(cases);
    let described = described_cases(model, cases);
    Parts {
        forms: quote!(),
        canon: quote!(u32),
        plain: quote!(false),
        parts: Vec::new(),
        // Matched with braces, which fit every way of writing a case without fields.
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

fn variant<'a>(model: &Model<'_>, cases: &[Case<'a>]) -> Parts<'a> {
    let krate = &model.krate;
    let private = private(model);
    let name = model.item.ident.to_string();
    let mut forms = TokenStream::new();
    let mut members = TokenStream::new();
    let mut lowers = TokenStream::new();
    let mut lifts = TokenStream::new();
    for (case, tag) in cases.iter().zip(tags(cases)) {
        let (case_name, label) = (case.name, case.name.to_string());
        if case.fields.is_empty() {
            lowers.extend(quote! {
                Self::#case_name { .. } => __Canon { tag: #tag, payload: ::core::mem::MaybeUninit::zeroed() },
            });
            lifts.extend(quote!(#tag => ::core::result::Result::Ok(Self::#case_name {}),));
            continue;
        }
        let (form, member) = (format_ident!("__Case{tag}"), format_ident!("__{tag}"));
        let types: Vec<&syn::Type> = case.fields.iter().map(|field| field.ty).collect();
        let bindings: Vec<Ident> = (0..case.fields.len()).map(|i| format_ident!("__field_{i}")).collect();
        let places = (0..case.fields.len()).map(syn::Index::from);
        let pattern = pattern(case, &bindings);
        let labels = case.fields.iter().map(Field::label);
        forms.extend(quote! {
            #[repr(C)]
            #[derive(::core::clone::Clone, ::core::marker::Copy)]
            pub struct #form(#(<#types as #krate::Type>::Canon),*);
        });
        members.extend(quote!(#member: #form,));
        lowers.extend(quote! {
            Self::#case_name #pattern => __Canon {
                tag: #tag,
                payload: ::core::mem::MaybeUninit::new(__Payload {
                    #member: #form(#(<#types as #krate::Type>::lower(#bindings, __to)),*),
                }),
            },
        });
        lifts.extend(quote! {
            #tag => {
                // SAFETY: the tag says that the sender filled in this case, and every bit pattern of a form is valid.
                let __case = unsafe { &__canon.payload.assume_init_ref().#member };
                // SAFETY: the caller's promise covers every field.
                #(let #bindings = unsafe { <#types as #krate::Type>::lift(&__case.#places, __depth) }
                    .map_err(|error| error.within(#labels).within(#label))?;)*
                ::core::result::Result::Ok(Self::#case_name #pattern)
            }
        });
    }
    let count = count(cases);
    let described = described_cases(model, cases);
    Parts {
        forms: quote! {
            #forms

            #[repr(C)]
            #[derive(::core::clone::Clone, ::core::marker::Copy)]
            pub union __Payload { #members }

            #[repr(C)]
            #[derive(::core::clone::Clone, ::core::marker::Copy)]
            pub struct __Canon {
                tag: u32,
                payload: ::core::mem::MaybeUninit<__Payload>,
            }
        },
        canon: quote!(__Canon),
        plain: quote!(false),
        parts: cases.iter().flat_map(|case| case.fields.iter().map(|field| field.ty)).collect(),
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

/// The fields of a case bound to `bindings`, as pattern and as expression.
fn pattern(case: &Case<'_>, bindings: &[Ident]) -> TokenStream {
    match case.style {
        Fields::Named(_) => {
            let members = case.fields.iter().map(|field| &field.member);
            quote!({ #(#members: #bindings),* })
        }
        _ => quote!((#(#bindings),*)),
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
    let cases = cases.iter().map(|case| {
        let (name, docs, fields) = (case.name.to_string(), &case.docs, described_fields(model, &case.fields));
        quote!(#private::schema::Case::new(#name, #docs, #fields))
    });
    quote!(::std::vec![#(#cases),*])
}

fn described_fields(model: &Model<'_>, fields: &[Field<'_>]) -> TokenStream {
    let krate = &model.krate;
    let private = private(model);
    let fields = fields.iter().map(|field| {
        let (name, docs, ty) = (field.label(), &field.docs, field.ty);
        quote!(#private::schema::Field::new(#name, #docs, <#ty as #krate::Type>::describe(types)))
    });
    quote!(::std::vec![#(#fields),*])
}
