//! The code of a contract with errors: a trait and a proxy that stand in, so that the compiler reports no use of them.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{
    GenericParam, Generics, ItemTrait, Receiver, ReceiverKind, ReturnType, Signature, TraitItem, Type, parse_quote,
};

use super::check::not_for_objects;
use super::expand::{proxy_impls, proxy_name, proxy_struct};
use super::model::{Contract, Method};
use crate::source;
use crate::version::ContractVersion;

pub(super) fn stand_in(contract: &Contract) -> TokenStream {
    let item = usable_trait(&contract.item);
    let Some(krate) = &contract.args.known_krate else { return quote!(#item) };
    let private = quote!(#krate::__private);
    let proxy = proxy_name(contract);
    let (proxy_struct, proxy_impls) = (proxy_struct(contract), proxy_impls(contract));
    let (name, ContractVersion { major, minor }) = (&contract.args.name, contract.args.version);
    let mut generics = item.generics.clone();
    for param in &mut generics.params {
        match param {
            GenericParam::Lifetime(lifetime) => lifetime.bounds.push(parse_quote!('static)),
            GenericParam::Type(ty) => ty.bounds.push(parse_quote!('static)),
            GenericParam::Const(_) => {}
        }
    }
    let mut with_plugin = generics.clone();
    with_plugin.params.push(parse_quote!(__Plugin));
    let with_plugin = with_plugin.split_for_impl().0;
    let (generics, arguments, clause) = generics.split_for_impl();
    let of = source::generated(&item.ident);
    // The methods of a generic contract name its parameters, which the proxy does not have.
    let callers: TokenStream =
        if item.generics.params.is_empty() { callers(contract, &item, krate) } else { TokenStream::new() };
    quote! {
        #item
        #proxy_struct
        #[allow(unused, clippy::all)]
        const _: () = {
            #proxy_impls

            impl #proxy {
                #callers
            }

            // SAFETY: the contract does not compile, so this is never used. The same holds for all of this code.
            unsafe impl #generics #krate::Contract for dyn #of #arguments #clause {
                type Proxy = #proxy;
                const NAME: &'static str = #name;
                const MAJOR: u32 = #major;
                const MINOR: u32 = #minor;

                fn info() -> &'static #private::ContractInfo {
                    ::core::unreachable!()
                }
            }

            // SAFETY: as above.
            unsafe impl #with_plugin #private::Dispatch<__Plugin> for dyn #of #arguments #clause {
                const FUNCTIONS: &'static [#private::abi::Entry] = &[];
            }

            // SAFETY: as above.
            unsafe impl #generics #private::Object for dyn #of #arguments #clause {
                type Canon = u8;
                const NEEDS_ROOM: bool = false;

                fn view(_: &#private::Remote<Self>) -> &Self {
                    ::core::unreachable!()
                }
            }
        };
    }
}

/// Returns the trait without that for which the compiler would report it, or `dyn Trait`, once more.
fn usable_trait(item: &ItemTrait) -> ItemTrait {
    let mut item = item.clone();
    item.supertraits = item.supertraits.into_iter().filter(|bound| not_for_objects(bound).is_none()).collect();
    item.supertraits.push(parse_quote!(::core::marker::Send));
    item.supertraits.push(parse_quote!(::core::marker::Sync));
    let mut names = HashSet::new();
    item.items.retain(|member| match member {
        TraitItem::Fn(method) => names.insert(method.sig.ident.unraw()),
        TraitItem::Const(_) => false,
        _ => true,
    });
    for member in &mut item.items {
        match member {
            TraitItem::Fn(method) => {
                method.sig.constness = None;
                known_types(&mut method.sig);
                if !suits_objects(&method.sig) {
                    not_of_objects(&mut method.sig.generics);
                }
            }
            TraitItem::Type(ty) => not_of_objects(&mut ty.generics),
            _ => {}
        }
    }
    item
}

/// Exempts a member of a trait from the demand that trait objects have it.
fn not_of_objects(generics: &mut Generics) {
    generics.make_where_clause().predicates.push(parse_quote!(Self: ::core::marker::Sized));
}

/// Returns whether trait objects can have the method.
fn suits_objects(signature: &Signature) -> bool {
    let is_named = signature.generics.params.iter().any(|param| !matches!(param, GenericParam::Lifetime(_)));
    let types = || signature.inputs.iter().filter_map(argument_type).chain(result_type(signature));
    signature.asyncness.is_none()
        && !is_named
        && matches!(signature.receiver(), Some(Receiver { kind: ReceiverKind::Reference(..), .. }))
        && !types().any(|ty| mentions(ty, &["impl", "Self"]))
}

/// Replaces types of which the compiler itself says that they are not known.
fn known_types(signature: &mut Signature) {
    let is_unknown = |ty: &Type| mentions(ty, &["_"]) || source::spelled(ty).contains("Self::");
    for input in &mut signature.inputs {
        if let syn::FnArg::Typed(argument) = input
            && is_unknown(&argument.ty)
        {
            *argument.ty = parse_quote!(());
        }
    }
    if result_type(signature).is_some_and(is_unknown) {
        signature.output = ReturnType::Default;
    }
}

fn argument_type(input: &syn::FnArg) -> Option<&Type> {
    if let syn::FnArg::Typed(argument) = input { Some(&argument.ty) } else { None }
}

fn result_type(signature: &Signature) -> Option<&Type> {
    if let ReturnType::Type(_, ty) = &signature.output { Some(ty) } else { None }
}

/// Returns whether a type is written with one of the words.
fn mentions(ty: &Type, words: &[&str]) -> bool {
    fn any(tokens: TokenStream, words: &[&str]) -> bool {
        tokens.into_iter().any(|token| match token {
            proc_macro2::TokenTree::Ident(ident) => words.iter().any(|word| ident == word),
            proc_macro2::TokenTree::Group(group) => any(group.stream(), words),
            _ => false,
        })
    }
    any(quote::ToTokens::to_token_stream(ty), words)
}

/// Makes the proxy's methods, one for each method of the trait.
fn callers(contract: &Contract, item: &ItemTrait, krate: &TokenStream) -> TokenStream {
    let signatures = item.items.iter().filter_map(|member| match member {
        TraitItem::Fn(method) => Some(&method.sig),
        _ => None,
    });
    let caller = |signature: &Signature| {
        let method: &Method = contract.methods.iter().find(|method| method.name == signature.ident)?;
        let name = source::generated(&method.name);
        let mut generics = signature.generics.clone();
        generics.where_clause = None;
        let arguments = signature.inputs.iter().filter_map(argument_type).enumerate().map(|(i, ty)| {
            let name = quote::format_ident!("__argument_{i}");
            quote!(#name: #ty)
        });
        let result: Type = match result_type(signature) {
            Some(ty) if !mentions(ty, &["impl", "Self"]) => ty.clone(),
            _ => parse_quote!(()),
        };
        Some(quote! {
            pub fn #name #generics (&self, #(#arguments),*) -> ::core::result::Result<#result, #krate::CallError> {
                ::core::unreachable!()
            }
        })
    };
    signatures.filter_map(caller).collect()
}
