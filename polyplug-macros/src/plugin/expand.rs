//! The code of a plugin: its factory, its table, and its entry in the list of plugins. The expansion cannot fail.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{ItemImpl, Type, parse_quote};

use super::args::PluginArgs;
use crate::source;
use crate::spans::{ends, item_of};

pub(super) fn expand(args: &PluginArgs, item: &ItemImpl) -> TokenStream {
    let krate = &args.krate;
    let private = quote!(#krate::__private);
    let ty = &item.self_ty;
    let Some((path, _)) = &item.trait_ else { return quote!(#item) };
    let dyn_token = quote_spanned!(ends(path).0=> dyn);
    let contract: Type = parse_quote!(#dyn_token #path);
    let of_contract = |name| item_of(&contract, &quote!(#private::Dispatch<#ty>), name);
    let (id, info) = (of_contract("CONTRACT_ID"), of_contract("contract_info"));
    let (major, minor) = (of_contract("CONTRACT_MAJOR"), of_contract("CONTRACT_MINOR"));
    let functions = of_contract("FUNCTIONS");
    let factory = factory(args, item);
    let name = match &args.name {
        Some(name) => quote!(#name),
        None => {
            let name = type_name(ty);
            quote!(#name)
        }
    };
    let singleton = args.singleton;
    let migration = migration(args, item, &contract);
    let (check, health) = health(args);
    // Generated code names the contract and the type again.
    let allowed = source::allowed(&item.attrs);
    quote! {
        #item

        #[cfg(panic = "abort")]
        ::core::compile_error!(
            "polyplug plugins must be built with panic = \"unwind\": with \"abort\" a panic in the plugin would end the \
             host. Remove `panic = \"abort\"` from this profile in Cargo.toml."
        );

        #(#allowed)*
        const _: () = {
            #factory

            unsafe extern "C" fn __create(
                __host: *const #private::abi::HostApi,
                __out_instance: *mut #private::abi::GuestContractInstance,
                __out_err: *mut #private::abi::AbiError,
            ) {
                // SAFETY: the host follows the protocol of `CreateWithError`.
                unsafe { #private::create::<#ty, _>(__INTERFACE.contract_id, __host, __out_instance, __out_err, __factory) }
            }

            unsafe extern "C" fn __create_instance(
                _: #private::abi::VmLoaderData,
                __host: *const #private::abi::HostApi,
                _: *const (),
                __out_instance: *mut #private::abi::GuestContractInstance,
            ) {
                // SAFETY: the host follows the protocol of `CreateInstance`.
                unsafe { #private::create_instance::<#ty, _>(__INTERFACE.contract_id, __host, __out_instance, __factory) }
            }

            static __INTERFACE: #private::abi::GuestContractInterface = #private::abi::GuestContractInterface {
                contract_id: #id,
                contract_version: #private::abi::Version::new(#major, #minor, 0),
                dispatch_type: #private::abi::DispatchType::Native,
                create_instance: __create_instance,
                destroy_instance: #private::destroy_instance::<#ty>,
                dispatch: #private::abi::DispatchMechanisms {
                    native: #private::native_dispatch(#functions),
                },
            };

            #check

            #private::inventory::submit! {
                #private::PluginEntry {
                    name: #name,
                    package: ::core::env!("CARGO_PKG_NAME"),
                    version: #private::package_version(
                        ::core::env!("CARGO_PKG_VERSION_MAJOR"),
                        ::core::env!("CARGO_PKG_VERSION_MINOR"),
                        ::core::env!("CARGO_PKG_VERSION_PATCH"),
                    ),
                    contract: #info,
                    interface: &__INTERFACE,
                    flags: #private::plugin_flags::<#ty>(#singleton),
                    create: __create,
                    migration: #migration,
                    health: #health,
                }
            }
        };
    }
}

/// Makes the function that makes an instance. No other code names the factory, so that an error is reported once.
fn factory(args: &PluginArgs, item: &ItemImpl) -> TokenStream {
    let krate = &args.krate;
    let ty = &item.self_ty;
    let context = quote!(__context);
    let (span, made) = match &args.create {
        Some(path) => {
            // The type is written out, so that the compiler's message says which type the factory should have.
            let (start, end) = ends(path);
            let expected = quote_spanned!(end=> fn(&#krate::PluginContext) -> ::core::result::Result<#ty, _>);
            (start, quote!({ let __create: #expected = #path; __create(#context) }))
        }
        None => (ends(ty).0, quote!(#krate::__private::make_default::<#ty>(#context))),
    };
    let result = quote_spanned!(span=> ::core::result::Result<#ty, impl ::core::fmt::Display + use<>>);
    quote! {
        fn __factory(#context: &#krate::PluginContext) -> #result {
            #made
        }
    }
}

/// Makes the expression for the plugin's migration. The compiler reports a type without `Migrate` once, at the type.
fn migration(args: &PluginArgs, item: &ItemImpl, contract: &Type) -> TokenStream {
    if !args.migrate {
        return quote!(::core::option::Option::None);
    }
    let (krate, ty) = (&args.krate, &item.self_ty);
    let migration = quote_spanned!(ends(ty).0=> #krate::__private::Migration::new::<#ty, #contract>());
    quote!(::core::option::Option::Some(#migration))
}

/// Makes the function that checks whether the plugin is fit to serve, and the expression for it.
fn health(args: &PluginArgs) -> (TokenStream, TokenStream) {
    let Some(path) = &args.health else { return (TokenStream::new(), quote!(::core::option::Option::None)) };
    let krate = &args.krate;
    let private = quote!(#krate::__private);
    // The type is written out, so that the compiler's message says which type the function should have.
    let expected = quote_spanned!(ends(path).1=> fn(&#krate::PluginContext) -> ::core::result::Result<(), _>);
    let code = quote! {
        unsafe extern "C" fn __check_health(
            __host: *const #private::abi::HostApi,
            __arena: *mut #private::abi::CallArena,
            __out_err: *mut #private::abi::AbiError,
        ) {
            let __health: #expected = #path;
            // SAFETY: the host follows the protocol of `CheckHealth`.
            unsafe { #private::check_health(__host, __arena, __out_err, __health) }
        }
    };
    (code, quote!(::core::option::Option::Some(__check_health)))
}

/// Returns the last segment of a type's path, which is the plugin's default name.
fn type_name(ty: &Type) -> String {
    match source::bare(ty) {
        Type::Path(path) => {
            path.path.segments.last().map(|segment| segment.ident.unraw().to_string()).unwrap_or_default()
        }
        other => source::spelled(other),
    }
}
