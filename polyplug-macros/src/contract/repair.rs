//! The repair of a trait that is not Rust, so that the compiler reports no use of the trait.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{ItemTrait, TraitItem};

/// Returns the trait with its members repaired, or without those that cannot be repaired. Returns `None` if the item
/// is not a trait.
pub(super) fn repair(item: &TokenStream) -> Option<ItemTrait> {
    let mut header: Vec<TokenTree> = item.clone().into_iter().collect();
    let Some(TokenTree::Group(body)) = header.pop() else { return None };
    if body.delimiter() != Delimiter::Brace {
        return None;
    }
    let empty = Group::new(Delimiter::Brace, TokenStream::new());
    let header: TokenStream = header.into_iter().collect();
    let mut repaired: ItemTrait = syn::parse2(quote!(#header #empty)).ok()?;
    repaired.items = members(body.stream()).into_iter().filter_map(|member| repair_member(&member)).collect();
    Some(repaired)
}

/// Splits the body of a trait into its members.
fn members(body: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut members = vec![Vec::new()];
    for token in body {
        let member = members.last_mut().expect("there is always one");
        let begins_another = matches!(&token, TokenTree::Ident(word) if word == "fn") && arguments_of(member).is_some();
        let ends = match &token {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            _ => false,
        };
        if begins_another {
            members.push(vec![token]);
            continue;
        }
        member.push(token);
        if ends {
            members.push(Vec::new());
        }
    }
    members.retain(|member| !member.is_empty());
    members
}

/// Returns the position of the arguments of a method.
fn arguments_of(member: &[TokenTree]) -> Option<usize> {
    let begin = member.iter().position(|token| matches!(token, TokenTree::Ident(word) if word == "fn"))?;
    let is_list =
        |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis);
    member[begin..].iter().position(is_list).map(|at| begin + at)
}

fn repair_member(member: &[TokenTree]) -> Option<TraitItem> {
    let tokens = |part: &[TokenTree]| part.iter().map(ToTokens::to_token_stream).collect::<TokenStream>();
    let whole = tokens(member);
    let mut attempts = vec![whole.clone(), quote!(#whole;)];
    if let Some(at) = arguments_of(member) {
        let (before, after) = (tokens(&member[..=at]), tokens(&member[at + 1..]));
        attempts.push(quote!(#before -> #after));
        attempts.push(quote!(#before -> #after;));
        attempts.push(quote!(#before;));
    }
    // A member that is not known is kept by `syn` as it is.
    let parsed = attempts.into_iter().filter_map(|attempt| syn::parse2(attempt).ok());
    parsed.into_iter().find(|item| !matches!(item, TraitItem::Verbatim(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn methods(item: TokenStream) -> Vec<String> {
        let repaired = repair(&item).expect("a trait");
        repaired.items.iter().map(|item| item.to_token_stream().to_string().replace(' ', "")).collect()
    }

    #[test]
    fn a_missing_arrow_and_semicolon_are_added() {
        let item = quote! {
            pub trait Calculator {
                fn add(&self, a: i32) i32;
                fn sum(&self) -> i32
                fn clear(&self);
            }
        };
        assert_eq!(methods(item), ["fnadd(&self,a:i32)->i32;", "fnsum(&self)->i32;", "fnclear(&self);"]);
    }

    #[test]
    fn the_rest_of_a_method_that_cannot_be_repaired_is_left_out() {
        let item = quote! {
            trait Calculator {
                fn add(&self) => i32 *;
                fn ;
                fn clear(&self);
            }
        };
        assert_eq!(methods(item), ["fnadd(&self);", "fnclear(&self);"]);
        assert!(
            repair(&quote!(
                struct Calculator;
            ))
            .is_none()
        );
        assert!(
            repair(&quote!(
                struct Calculator {}
            ))
            .is_none()
        );
    }
}
