//! Code that the compiler reports at a type or a path of the author's, and not at the macro.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::Type;

/// Where something begins and ends.
pub(crate) fn ends(of: &impl ToTokens) -> (Span, Span) {
    let mut tokens = of.to_token_stream().into_iter();
    let first = tokens.next().as_ref().map_or_else(Span::call_site, TokenTree::span);
    (first, tokens.last().as_ref().map_or(first, TokenTree::span))
}

/// `item` of the trait `via`, as `ty` implements it.
pub(crate) fn item_of(ty: &Type, via: &TokenStream, item: &str) -> TokenStream {
    let (start, end) = ends(ty);
    let item = Ident::new(item, end);
    let (open, close) = (quote_spanned!(start=> <), quote_spanned!(end=> >::#item));
    quote!(#open #ty as #via #close)
}

/// A call of a function of the trait `via`, as `ty` implements it.
pub(crate) fn call_of(ty: &Type, via: &TokenStream, function: &str, arguments: TokenStream) -> TokenStream {
    let mut arguments = Group::new(Delimiter::Parenthesis, arguments);
    arguments.set_span(ends(ty).1);
    let mut call = item_of(ty, via, function);
    arguments.to_tokens(&mut call);
    call
}
