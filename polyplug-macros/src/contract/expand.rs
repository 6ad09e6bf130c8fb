//! The code of a contract: the trait, its proxy, its entries and its description. Cannot fail.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::parse_quote;

use super::model::{Argument, Contract, Method, Passing};
use crate::source;

pub(super) fn expand(contract: &Contract) -> TokenStream {
    let mut item = contract.item.clone();
    item.supertraits.push(parse_quote!(::core::marker::Send));
    item.supertraits.push(parse_quote!(::core::marker::Sync));

    let proxy = proxy_struct(contract);
    let methods: Vec<TokenStream> = contract.methods.iter().enumerate().map(|(i, m)| method(contract, i, m)).collect();
    let description = description(contract);
    let dispatch = dispatch(contract);
    quote! {
        #item
        #proxy
        const _: () = {
            #(#methods)*
            #description
            #dispatch
        };
    }
}

fn proxy_name(contract: &Contract) -> Ident {
    format_ident!("{}Proxy", contract.item.ident.unraw(), span = contract.item.ident.span())
}

fn arguments_name(method: &Method) -> Ident {
    format_ident!("__Arguments_{}", method.name.unraw())
}

fn entry_name(method: &Method) -> Ident {
    format_ident!("__entry_{}", method.name.unraw())
}

fn private(contract: &Contract) -> TokenStream {
    let krate = &contract.args.krate;
    quote!(#krate::__private)
}

fn proxy_struct(contract: &Contract) -> TokenStream {
    let krate = &contract.args.krate;
    let private = private(contract);
    let (vis, name, proxy) = (&contract.item.vis, &contract.item.ident, proxy_name(contract));
    let attrs = source::inherited(&contract.item.attrs);
    let intro = format!(
        "Calls implementations of [`{name}`], wherever they live.\n\n\
         Made by `runtime.proxy::<dyn {name}>()`. Each method returns `Err(CallError)` where the plugin could not \
         answer. Clones share the instance; a proxy may be kept for ever and used from any thread.\n"
    );
    quote! {
        #[doc = #intro]
        #(#attrs)*
        #[derive(::core::clone::Clone)]
        #vis struct #proxy {
            raw: #private::RawProxy,
        }

        impl ::core::convert::From<#private::RawProxy> for #proxy {
            fn from(raw: #private::RawProxy) -> Self {
                Self { raw }
            }
        }

        impl ::core::fmt::Debug for #proxy {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Debug::fmt(&self.raw, f)
            }
        }

        impl #krate::Proxy for #proxy {
            fn raw(&self) -> &#private::RawProxy {
                &self.raw
            }
        }
    }
}

/// Everything about one method: the form of its arguments, its entry, its place on the proxy.
fn method(contract: &Contract, index: usize, method: &Method) -> TokenStream {
    let form = arguments_form(contract, method);
    let entry = entry(contract, method);
    let caller = caller(contract, index, method);
    quote!(#form #entry #caller)
}

fn arguments_form(contract: &Contract, method: &Method) -> TokenStream {
    let name = arguments_name(method);
    let fields = method.arguments.iter().map(|argument| {
        let conversion = conversion(contract, argument);
        quote!(#conversion::Canon)
    });
    quote! {
        #[repr(C)]
        #[derive(::core::clone::Clone, ::core::marker::Copy)]
        #[allow(non_camel_case_types)]
        struct #name(#(#fields),*);
    }
}

/// The trait through which an argument crosses, applied to its type.
fn conversion(contract: &Contract, argument: &Argument) -> TokenStream {
    let krate = &contract.args.krate;
    match &argument.passing {
        Passing::Value => {
            let ty = &argument.ty;
            quote!(<#ty as #krate::Type>)
        }
        Passing::Reference(inner) => quote!(<#inner as #krate::types::Argument>),
    }
}

fn entry(contract: &Contract, method: &Method) -> TokenStream {
    let private = private(contract);
    let (item, name) = (&contract.item.ident, &method.name);
    let (entry, form, result) = (entry_name(method), arguments_name(method), &method.result);
    let mut lifts = TokenStream::new();
    let mut passed = Vec::new();
    for (i, argument) in method.arguments.iter().enumerate() {
        let conversion = conversion(contract, argument);
        let (held, place) = (format_ident!("__held_{i}"), syn::Index::from(i));
        let label = argument.name.unraw().to_string();
        let (depth, pass) = match &argument.passing {
            Passing::Value => (quote!(, #private::Depth::ROOT), quote!(#held)),
            Passing::Reference(_) => (quote!(), quote!(#conversion::view(&#held))),
        };
        lifts.extend(quote! {
            // SAFETY: the caller's arguments are valid for the call.
            let #held = unsafe { #conversion::lift(&__arguments.#place #depth) }.map_err(|error| error.within(#label))?;
        });
        passed.push(pass);
    }
    quote! {
        unsafe extern "C" fn #entry<__Plugin: #item>(
            instance: #private::abi::GuestContractInstance,
            args: *const (),
            out: *mut (),
            arena: *mut #private::abi::CallArena,
            out_err: *mut #private::abi::AbiError,
        ) {
            // SAFETY: the caller follows the protocol of `Entry` for this method.
            unsafe {
                #private::serve::<__Plugin, #form, #result>(instance, args, out, arena, out_err, |__this, __arguments| {
                    #lifts
                    ::core::result::Result::Ok(<__Plugin as #item>::#name(__this, #(#passed),*))
                })
            }
        }
    }
}

fn caller(contract: &Contract, index: usize, method: &Method) -> TokenStream {
    let krate = &contract.args.krate;
    let (proxy, name, result, form) = (proxy_name(contract), &method.name, &method.result, arguments_name(method));
    let attrs = &method.attrs;
    let parameters = method.arguments.iter().map(|argument| {
        let (name, ty) = (&argument.name, &argument.ty);
        quote!(#name: #ty)
    });
    let mut room = Vec::new();
    let mut lowered = Vec::new();
    for argument in &method.arguments {
        let conversion = conversion(contract, argument);
        let name = &argument.name;
        room.push(quote!(|| #conversion::NEEDS_ROOM));
        lowered.push(match argument.passing {
            Passing::Value => quote!(#conversion::lower(&#name, __to)),
            Passing::Reference(_) => quote!(#conversion::lower(#name, __to)),
        });
    }
    let since = match &method.since_at {
        Some(_) => {
            let text = format!("\n\nSince version {}.{} of the contract.", method.since.major, method.since.minor);
            quote!(#[doc = #text])
        }
        None => quote!(),
    };
    quote! {
        impl #proxy {
            #(#attrs)*
            #since
            #[inline]
            #[allow(clippy::too_many_arguments, clippy::needless_pass_by_value)]
            pub fn #name(&self, #(#parameters),*) -> ::core::result::Result<#result, #krate::CallError> {
                const NEEDS_ARENA: bool = <#result as #krate::Type>::POINTS #(#room)*;
                // SAFETY: the index and the forms are those of this method in the contract's description.
                unsafe {
                    self.raw.call::<#form, #result>(#index, NEEDS_ARENA, |__to| #form(#(#lowered),*))
                }
            }
        }
    }
}

fn description(contract: &Contract) -> TokenStream {
    let krate = &contract.args.krate;
    let private = private(contract);
    let (item, proxy) = (&contract.item.ident, proxy_name(contract));
    let (name, docs) = (&contract.args.name, &contract.docs);
    let (major, minor) = (contract.args.version.major, contract.args.version.minor);
    let infos = contract.methods.iter().map(|method| {
        let (name, since) = (method.name.unraw().to_string(), method.since.minor);
        quote!(#private::MethodInfo { name: #name, since: #since })
    });
    let via = (0..contract.methods.len()).map(|index| {
        let index = u32::try_from(index).expect("a trait does not have four billion methods");
        quote!(#private::via::<#index>)
    });
    let methods = contract.methods.iter().map(|method| {
        let (name, docs, since, result) =
            (method.name.unraw().to_string(), &method.docs, method.since.minor, &method.result);
        let arguments = method.arguments.iter().map(|argument| {
            let (name, conversion) = (argument.name.unraw().to_string(), conversion(contract, argument));
            quote!((#name, #conversion::describe))
        });
        quote!(.method(#name, #docs, #since, &[#(#arguments),*], <#result as #krate::Type>::describe))
    });
    quote! {
        fn __schema() -> #private::schema::Schema {
            #private::schema::SchemaBuilder::new(#name, #major, #minor, #docs) #(#methods)* .build()
        }

        static __INFO: #private::ContractInfo = #private::ContractInfo {
            name: #name,
            major: #major,
            minor: #minor,
            methods: &[#(#infos),*],
            via: &[#(#via),*],
            schema: __schema,
        };

        // SAFETY: the entries made for this trait follow this description.
        unsafe impl #krate::Contract for dyn #item {
            type Proxy = #proxy;
            const NAME: &'static str = #name;
            const MAJOR: u32 = #major;
            const MINOR: u32 = #minor;

            fn info() -> &'static #private::ContractInfo {
                &__INFO
            }
        }

        #private::inventory::submit! {
            #private::ContractEntry(<dyn #item as #krate::Contract>::info)
        }
    }
}

fn dispatch(contract: &Contract) -> TokenStream {
    let private = private(contract);
    let item = &contract.item.ident;
    let entries = contract.methods.iter().map(entry_name);
    quote! {
        // SAFETY: one entry a method, in the order of the description.
        unsafe impl<__Plugin: #item + 'static> #private::Dispatch<__Plugin> for dyn #item {
            const FUNCTIONS: &'static [#private::abi::Entry] = &[#(#entries::<__Plugin>),*];
        }
    }
}
