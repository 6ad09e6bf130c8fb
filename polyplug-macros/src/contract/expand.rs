//! The code of a contract: the trait, its proxy, its entries and its description. The expansion cannot fail.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Attribute, parse_quote};

use super::model::{Argument, Contract, Method, Passing};
use crate::spans::{call_of, item_of};
use crate::{form, source};

pub(super) fn expand(contract: &Contract) -> TokenStream {
    let mut item = contract.item.clone();
    item.supertraits.push(parse_quote!(::core::marker::Send));
    item.supertraits.push(parse_quote!(::core::marker::Sync));

    let proxy = proxy_struct(contract);
    let proxy_impls = proxy_impls(contract);
    let forms = contract.methods.iter().map(|method| arguments_form(contract, method));
    let entries = contract.methods.iter().map(|method| entry(contract, method));
    let callers = callers(contract);
    let description = description(contract);
    let dispatch = dispatch(contract);
    let versions = versions(contract);
    let objects = objects(contract);
    let demands = contract.mentions.demands(&contract.args.krate);
    let allowed = allowed(contract);
    quote! {
        #item
        #proxy
        #(#allowed)*
        const _: () = {
            #demands
            #proxy_impls
            #callers
            #(#forms)*
            #(#entries)*
            #description
            #dispatch
            #versions
            #objects
        };
    }
}

/// Returns the lints that the author switched off on the trait or on a method. Generated code repeats their types.
fn allowed(contract: &Contract) -> Vec<Attribute> {
    let methods = contract.methods.iter().flat_map(|method| source::allowed(&method.item.attrs));
    source::allowed(&contract.item.attrs).into_iter().chain(methods).collect()
}

pub(super) fn proxy_name(contract: &Contract) -> Ident {
    let item = source::generated(&contract.item.ident);
    format_ident!("{}Proxy", item.unraw(), span = item.span())
}

fn arguments_name(method: &Method) -> Ident {
    format_ident!("__Arguments_{}", method.name.unraw(), span = Span::call_site())
}

fn entry_name(method: &Method) -> Ident {
    format_ident!("__entry_{}", method.name.unraw(), span = Span::call_site())
}

fn private(contract: &Contract) -> TokenStream {
    let krate = &contract.args.krate;
    quote!(#krate::__private)
}

pub(super) fn proxy_struct(contract: &Contract) -> TokenStream {
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
        #vis struct #proxy {
            raw: #private::RawProxy,
        }
    }
}

pub(super) fn proxy_impls(contract: &Contract) -> TokenStream {
    let krate = &contract.args.krate;
    let private = private(contract);
    let proxy = proxy_name(contract);
    quote! {
        impl ::core::clone::Clone for #proxy {
            fn clone(&self) -> Self {
                Self { raw: ::core::clone::Clone::clone(&self.raw) }
            }
        }

        impl ::core::convert::From<#private::RawProxy> for #proxy {
            fn from(__raw: #private::RawProxy) -> Self {
                Self { raw: __raw }
            }
        }

        impl ::core::fmt::Debug for #proxy {
            fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Debug::fmt(&self.raw, __f)
            }
        }

        impl #krate::Proxy for #proxy {
            fn raw(&self) -> &#private::RawProxy {
                &self.raw
            }
        }
    }
}

fn arguments_form(contract: &Contract, method: &Method) -> TokenStream {
    let fields = method.arguments.iter().map(|argument| (argument.crossing(), conversion(contract, argument)));
    form::define(&arguments_name(method), fields)
}

/// Returns the trait through which an argument crosses.
fn conversion(contract: &Contract, argument: &Argument) -> TokenStream {
    let krate = &contract.args.krate;
    match argument.passing {
        Passing::Value | Passing::Reference(_) => argument.crossing.via(krate),
        Passing::Unsized(_) => argument.crossing.via_argument(krate),
        Passing::Object(_) => quote!(#krate::__private::Object),
        Passing::Callback | Passing::CallbackReference(_) => quote!(#krate::__private::Kept),
    }
}

/// Makes the path of an item of the trait through which an argument crosses.
fn of_argument(contract: &Contract, argument: &Argument, item: &str) -> TokenStream {
    item_of(argument.crossing(), &conversion(contract, argument), item)
}

/// Makes the path of an item of the trait through which a result crosses.
fn of_result(contract: &Contract, method: &Method, item: &str) -> TokenStream {
    item_of(&method.result, &method.crossing.via(&contract.args.krate), item)
}

fn entry(contract: &Contract, method: &Method) -> TokenStream {
    let private = private(contract);
    let (item, name) = (source::generated(&contract.item.ident), source::generated(&method.name));
    let (entry, form, result) = (entry_name(method), arguments_name(method), &method.result);
    let answer = method.crossing.answer();
    let canons = form::fields(&form, method.arguments.iter().map(Argument::crossing));
    let mut lifts = TokenStream::new();
    let mut passed = Vec::new();
    for (i, argument) in method.arguments.iter().enumerate() {
        let (ty, conversion) = (argument.crossing(), conversion(contract, argument));
        let (held, canon) = (format_ident!("__held_{i}"), form::field(i, ty));
        let label = argument.name.unraw().to_string();
        let (depth, pass) = match &argument.passing {
            Passing::Value => (quote!(, #private::Depth::ROOT), quote!(#held)),
            Passing::Reference(_) => (quote!(, #private::Depth::ROOT), quote!(&#held)),
            Passing::Unsized(_) => (quote!(), call_of(ty, &conversion, "view", quote!(&#held))),
            Passing::Object(_) => (quote!(, __host), call_of(ty, &conversion, "view", quote!(&#held))),
            Passing::Callback => (quote!(, __host), quote!(#held)),
            Passing::CallbackReference(_) => (quote!(, __host), quote!(&#held)),
        };
        let lift = call_of(ty, &conversion, "lift", quote!(#canon #depth));
        lifts.extend(quote! {
            // SAFETY: the caller's arguments are valid for the call.
            let #held = unsafe { #lift }.map_err(|__error| __error.within(#label))?;
        });
        passed.push(pass);
    }
    quote! {
        unsafe extern "C" fn #entry<__Plugin: #item>(
            __instance: #private::abi::GuestContractInstance,
            __args: *const (),
            __out: *mut (),
            __arena: *mut #private::abi::CallArena,
            __out_err: *mut #private::abi::AbiError,
        ) {
            // SAFETY: the caller follows the protocol of `Entry` for this method.
            unsafe {
                #private::serve::<__Plugin, #form, #result, #answer>(__instance, __args, __out, __arena, __out_err, |__this, __arguments, __host| {
                    let #canons = __arguments;
                    #lifts
                    ::core::result::Result::Ok(<__Plugin as #item>::#name(__this, #(#passed),*))
                })
            }
        }
    }
}

/// Makes the proxy's methods, one for each method of the trait.
fn callers(contract: &Contract) -> TokenStream {
    let proxy = proxy_name(contract);
    let callers = contract.methods.iter().enumerate().map(|(index, method)| caller(contract, index, method));
    quote! {
        impl #proxy {
            #(#callers)*
        }
    }
}

fn caller(contract: &Contract, index: usize, method: &Method) -> TokenStream {
    let krate = &contract.args.krate;
    let (name, result, form) = (source::generated(&method.name), &method.result, arguments_name(method));
    let attrs = &method.attrs;
    // These names must not collide with the author's names of arguments.
    let (to, needs_arena) = (source::local("__to"), source::local("__needs_arena"));
    let mut parameters = Vec::new();
    let mut room = Vec::new();
    let mut lowered = Vec::new();
    let mut lent = TokenStream::new();
    for (i, argument) in method.arguments.iter().enumerate() {
        let (name, ty) = (&argument.name, &argument.ty);
        if argument.is_object() {
            let form = match &argument.passing {
                Passing::Object(_) => {
                    let (object, loan) =
                        (source::local(&format!("__object_{i}")), source::local(&format!("__loan_{i}")));
                    let crossing = argument.crossing();
                    let private = private(contract);
                    lent.extend(quote! {
                        // SAFETY: the borrow of the argument lasts until the call returns, so the object outlives the
                        // loan.
                        let #object = unsafe { #private::lending::<#crossing>(::core::mem::transmute(#name), &self.raw) };
                        let #loan = #object.lend()?;
                    });
                    quote!(#loan.form())
                }
                _ => quote!(#name.form()),
            };
            parameters.push(quote!(#name: #ty));
            lowered.push((argument.crossing(), form));
            continue;
        }
        let needs_room = of_argument(contract, argument, "NEEDS_ROOM");
        let value = match argument.passing {
            Passing::Value => quote!(&#name),
            _ => quote!(#name),
        };
        let lower = call_of(argument.crossing(), &conversion(contract, argument), "lower", quote!(#value, #to));
        parameters.push(quote!(#name: #ty));
        room.push(quote!(|| #needs_room));
        lowered.push((argument.crossing(), lower));
    }
    let points = of_result(contract, method, "POINTS");
    let answer = method.crossing.answer();
    let lowered = form::value(&form, lowered.into_iter());
    let since = method.since_at.as_ref().map(|_| {
        let text = format!("\n\nSince version {}.{} of the contract.", method.since.major, method.since.minor);
        quote!(#[doc = #text])
    });
    quote! {
        #(#attrs)*
        #since
        #[inline]
        #[allow(clippy::too_many_arguments, clippy::needless_pass_by_value)]
        pub fn #name(&self, #(#parameters),*) -> ::core::result::Result<#result, #krate::CallError> {
            let #needs_arena = #points #(#room)*;
            #lent
            // SAFETY: the index and the types are those of this method in the contract's description.
            unsafe { self.raw.call::<#form, #result, #answer>(#index, #needs_arena, |#to| #lowered) }
        }
    }
}

fn description(contract: &Contract) -> TokenStream {
    let krate = &contract.args.krate;
    let private = private(contract);
    let (item, proxy) = (source::generated(&contract.item.ident), proxy_name(contract));
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
        let (name, docs, since) = (method.name.unraw().to_string(), &method.docs, method.since.minor);
        let result = of_result(contract, method, "describe");
        let arguments = method.arguments.iter().map(|argument| {
            let (name, describe) = (argument.name.unraw().to_string(), of_argument(contract, argument, "describe"));
            quote!((#name, #describe))
        });
        quote!(.method(#name, #docs, #since, &[#(#arguments),*], #result))
    });
    quote! {
        fn __methods(__types: &mut #private::schema::Types) -> ::std::vec::Vec<#private::schema::Method> {
            #private::schema::MethodsBuilder::new(__types) #(#methods)* .build()
        }

        fn __schema() -> #private::schema::Schema {
            #private::schema::Schema::describe(#name, #major, #minor, #docs, __methods)
        }

        static __INFO: #private::ContractInfo = #private::ContractInfo {
            name: #name,
            major: #major,
            minor: #minor,
            methods: &[#(#infos),*],
            via: &[#(#via),*],
            schema: __schema,
            methods_in: __methods,
        };

        // SAFETY: the macro makes the entries of this trait and this description from the same model.
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

/// Makes code that does not compile if a type of a method has parts that are newer than the contract.
fn versions(contract: &Contract) -> TokenStream {
    let version = contract.args.version;
    let number = version.number();
    let checks = contract.methods.iter().map(|method| {
        let arguments = method.arguments.iter();
        let arguments = arguments.filter(|argument| !argument.is_object() && !argument.crossing.is_known());
        let result = (!method.crossing.is_known()).then(|| of_result(contract, method, "NEWEST"));
        let newest = arguments.map(|argument| of_argument(contract, argument, "NEWEST")).chain(result);
        let message = format!(
            "a type of `{}` has a field or case that is newer than the contract, which has version {}.{}: raise the \
             contract's version",
            method.name.unraw(),
            version.major,
            version.minor
        );
        let newest: Vec<_> = newest.collect();
        (!newest.is_empty()).then(|| {
            quote_spanned!(method.name.span()=> const _: () = { #(::core::assert!(#newest <= #number, #message);)* };)
        })
    });
    checks.flatten().collect()
}

fn dispatch(contract: &Contract) -> TokenStream {
    let private = private(contract);
    let item = source::generated(&contract.item.ident);
    let entries = contract.methods.iter().map(entry_name);
    quote! {
        // SAFETY: the table has one entry for each method, in the order of the description.
        unsafe impl<__Plugin: #item + 'static> #private::Dispatch<__Plugin> for dyn #item {
            const FUNCTIONS: &'static [#private::abi::Entry] = &[#(#entries::<__Plugin>),*];
        }
    }
}

/// Makes the code by which objects of the contract can be lent for a call. The code implements the trait, so a trait
/// with supertraits of its own does not get it.
fn objects(contract: &Contract) -> TokenStream {
    let known = |bound: &syn::TypeParamBound| match bound {
        syn::TypeParamBound::Lifetime(lifetime) => lifetime.ident == "static",
        syn::TypeParamBound::Trait(bound) => {
            bound.path.segments.last().is_some_and(|last| last.ident == "Send" || last.ident == "Sync")
        }
        _ => false,
    };
    if !contract.item.supertraits.iter().all(known) {
        return TokenStream::new();
    }
    let private = private(contract);
    let item = source::generated(&contract.item.ident);
    let methods = |body: &dyn Fn(&Method, &[&Ident]) -> TokenStream| -> TokenStream {
        let one = |method: &Method| {
            let (name, result) = (source::generated(&method.name), &method.result);
            let names: Vec<_> = method.arguments.iter().map(|argument| &argument.name).collect();
            let types = method.arguments.iter().map(|argument| &argument.ty);
            let body = body(method, &names);
            quote! {
                fn #name(&self, #(#names: #types),*) -> #result {
                    #body
                }
            }
        };
        contract.methods.iter().map(one).collect()
    };
    let lent = methods(&|method, names| {
        let name = source::generated(&method.name);
        quote! {
            // SAFETY: the host rejects calls of an object that is not lent any more.
            unsafe { self.get() }.#name(#(#names),*)
        }
    });
    let remote = methods(&|method, names| {
        let name = source::generated(&method.name);
        quote!(self.proxy().#name(#(#names),*).unwrap_or_else(#private::unwind))
    });
    quote! {
        #[allow(clippy::too_many_arguments, clippy::needless_pass_by_value, deprecated)]
        impl #item for #private::Lent<dyn #item> {
            #lent
        }

        #[allow(clippy::too_many_arguments, clippy::needless_pass_by_value, deprecated)]
        impl #item for #private::Remote<dyn #item> {
            #remote
        }

        // SAFETY: `Lent` and `Remote` implement the trait above, with the methods of this contract.
        unsafe impl #private::Object for dyn #item {
            type Canon = #private::abi::GuestContractInstance;
            const NEEDS_ROOM: bool = false;

            fn view(__remote: &#private::Remote<Self>) -> &Self {
                __remote
            }
        }
    }
}
