//! Canonical forms: the C structs that arguments, records and cases cross as, and the code that reads and fills them.
//!
//! The compiler finds out here whether a type can cross. All code that depends on it stands at the type itself and
//! says nothing else, so that the compiler has one thing to report, in the right place, and not one for every use.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Index, Type};

use crate::spans::{ends, item_of};

/// The struct `name`, whose fields have the forms of the types in the traits beside them.
///
/// It has one more field than that, last and without size: whether the struct has a size is then never a question.
pub(crate) fn define<'a>(name: &Ident, types: impl Iterator<Item = (&'a Type, TokenStream)> + Clone) -> TokenStream {
    let forms = types.clone().map(|(ty, via)| item_of(ty, &via, "Canon"));
    let copy = copy(name, types);
    quote! {
        #[repr(C)]
        pub struct #name(#(#forms,)* ());
        #copy
    }
}

/// Makes the struct or union `name` `Copy`, which is made of the forms of the types in the traits beside them.
pub(crate) fn copy<'a>(name: &Ident, types: impl Iterator<Item = (&'a Type, TokenStream)>) -> TokenStream {
    let mentions = types.map(|(ty, via)| item_of(ty, &via, "NEEDS_ROOM"));
    quote! {
        #[automatically_derived]
        impl ::core::clone::Clone for #name {
            #[inline]
            fn clone(&self) -> Self {
                // If one of the types cannot cross, this is what the compiler reports here.
                #(_ = #mentions;)*
                *self
            }
        }

        #[automatically_derived]
        impl ::core::marker::Copy for #name {}
    }
}

/// A value of the struct `name`, whose fields are the `values` of the types beside them.
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

/// The pattern that takes the struct `name` apart, into variables called [`field`], for the `types` of its fields.
pub(crate) fn fields<'a>(name: &Ident, types: impl Iterator<Item = &'a Type>) -> TokenStream {
    let fields = types.enumerate().map(|(i, ty)| {
        let (mut index, field) = (Index::from(i), field(i, ty));
        index.span = ends(ty).0;
        quote!(#index: #field,)
    });
    quote!(#name { #(#fields)* .. })
}

/// The variable with field `index` of a form, which holds the form of `ty`.
pub(crate) fn field(index: usize, ty: &Type) -> Ident {
    Ident::new(&format!("__canon_{index}"), ends(ty).1)
}
