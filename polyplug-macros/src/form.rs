//! The canonical layouts of arguments, records and cases: C structs, and the code that reads and fills them.
//!
//! The compiler checks in this code whether a type can cross. All code that depends on the check has the span of the
//! type and names the same trait, so that the compiler reports one error at the type instead of one for every use.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Index, Type};

use crate::spans::{ends, item_of};

/// Defines the struct `name`, whose fields are the lowered values of the types. Each type comes with its trait.
///
/// The struct has one more field, last and of type `()`. Only a last field could be unsized, so the compiler never
/// reports that the struct's size is unknown.
pub(crate) fn define<'a>(name: &Ident, types: impl Iterator<Item = (&'a Type, TokenStream)> + Clone) -> TokenStream {
    let forms = types.clone().map(|(ty, via)| item_of(ty, &via, "Canon"));
    let copy = copy(name, types);
    quote! {
        #[repr(C)]
        pub struct #name(#(#forms,)* ());
        #copy
    }
}

/// Implements `Copy` for the struct or union `name` of lowered values. Each type comes with its trait.
pub(crate) fn copy<'a>(name: &Ident, types: impl Iterator<Item = (&'a Type, TokenStream)>) -> TokenStream {
    let mentions = types.map(|(ty, via)| item_of(ty, &via, "NEEDS_ROOM"));
    quote! {
        #[automatically_derived]
        impl ::core::clone::Clone for #name {
            #[inline]
            fn clone(&self) -> Self {
                // The compiler reports a type that cannot cross at this use.
                #(_ = #mentions;)*
                *self
            }
        }

        #[automatically_derived]
        impl ::core::marker::Copy for #name {}
    }
}

/// Makes the expression for a value of the struct `name` with the fields `values`. Each value comes with its type.
pub(crate) fn value<'a>(name: &Ident, values: impl Iterator<Item = (&'a Type, TokenStream)>) -> TokenStream {
    let mut fields = TokenStream::new();
    let mut end = Index::from(0);
    for (ty, value) in values {
        let index = Index { index: end.index, span: ends(ty).0 };
        fields.extend(quote!(#index: #value,));
        end.index += 1;
    }
    quote!(#name { #fields #end: () })
}

/// Makes the pattern that destructures the struct `name` into variables called [`field`], for fields of `types`.
pub(crate) fn fields<'a>(name: &Ident, types: impl Iterator<Item = &'a Type>) -> TokenStream {
    let fields = types.enumerate().map(|(i, ty)| {
        let (mut index, field) = (Index::from(i), field(i, ty));
        index.span = ends(ty).0;
        quote!(#index: #field,)
    });
    quote!(#name { #(#fields)* .. })
}

/// Returns the name of the variable with field `index`, a lowered value of `ty`.
pub(crate) fn field(index: usize, ty: &Type) -> Ident {
    Ident::new(&format!("__canon_{index}"), ends(ty).1)
}
