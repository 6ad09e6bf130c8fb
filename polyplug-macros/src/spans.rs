//! Code whose errors the compiler reports at a type or a path of the author's, and not at the macro.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::Type;

/// Returns the spans of the first and the last token.
pub(crate) fn ends(of: &impl ToTokens) -> (Span, Span) {
    let mut tokens = of.to_token_stream().into_iter();
    let first = tokens.next().as_ref().map_or_else(Span::call_site, TokenTree::span);
    (first, tokens.last().as_ref().map_or(first, TokenTree::span))
}

/// Makes the path of `item` in the implementation of the trait `via` by `ty`.
pub(crate) fn item_of(ty: &Type, via: &TokenStream, item: &str) -> TokenStream {
    let (start, end) = ends(ty);
    let item = Ident::new(item, end);
    let (open, close) = (quote_spanned!(start=> <), quote_spanned!(end=> >::#item));
    quote!(#open #ty as #via #close)
}

/// Makes a call of `function` in the implementation of the trait `via` by `ty`.
pub(crate) fn call_of(ty: &Type, via: &TokenStream, function: &str, arguments: TokenStream) -> TokenStream {
    let mut arguments = Group::new(Delimiter::Parenthesis, arguments);
    arguments.set_span(ends(ty).1);
    let mut call = item_of(ty, via, function);
    arguments.to_tokens(&mut call);
    call
}
