//! The code of a type with errors: an implementation that stands in, so that the compiler reports no use of the type.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{GenericParam, parse_quote};

use super::model::Model;
use crate::source;

pub(super) fn stand_in(model: &Model<'_>) -> TokenStream {
    let Some(krate) = &model.known_krate else { return TokenStream::new() };
    let private = quote!(#krate::__private);
    let name = source::generated(&model.item.ident);
    let mut generics = model.item.generics.clone();
    for param in &mut generics.params {
        match param {
            // A type that crosses is `'static`.
            GenericParam::Lifetime(lifetime) => lifetime.bounds.push(parse_quote!('static)),
            GenericParam::Type(ty) => ty.bounds.push(parse_quote!('static)),
            GenericParam::Const(_) => {}
        }
    }
    let (generics, arguments, clause) = generics.split_for_impl();
    quote! {
        // SAFETY: the item does not compile, so the implementation is never used.
        #[automatically_derived]
        unsafe impl #generics #krate::Type for #name #arguments #clause {
            type Canon = u8;
            type Optional = #private::RawOption<u8>;
            const POINTS: bool = false;

            fn describe(_: &mut #private::schema::Types) -> #private::schema::TypeRef {
                ::core::unreachable!()
            }

            fn lower<const COPY: bool>(&self, _: &mut #private::Lower<COPY>) -> u8 {
                ::core::unreachable!()
            }

            unsafe fn lift(_: &u8, _: #private::Depth) -> ::core::result::Result<Self, #private::LiftError> {
                ::core::unreachable!()
            }
        }
    }
}
