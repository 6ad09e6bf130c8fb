//! The code of a plugin: its factory, its table, and its entry in the list of plugins. Cannot fail.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ItemImpl, Type};

use super::args::PluginArgs;

pub(super) fn expand(args: &PluginArgs, item: &ItemImpl) -> TokenStream {
    let krate = &args.krate;
    let private = quote!(#krate::__private);
    let ty = &item.self_ty;
    let Some((contract, _)) = &item.trait_ else { return quote!(#item) };
    let contract = quote!(dyn #contract);
    let factory = match &args.create {
        Some(path) => quote!(#path),
        // At the type, for that is where the compiler should point if it cannot be made.
        None => quote_spanned!(ty.span()=> #private::make_default::<#ty>),
    };
    let name = match &args.name {
        Some(name) => quote!(#name),
        None => {
            let name = type_name(ty);
            quote!(#name)
        }
    };
    let singleton = args.singleton;
    quote! {
        #item

        #[cfg(panic = "abort")]
        ::core::compile_error!(
            "polyplug plugins must be built with panic = \"unwind\": with \"abort\" a panic in the plugin would end the \
             host. Remove `panic = \"abort\"` from this profile in Cargo.toml."
        );

        const _: () = {
            unsafe extern "C" fn __create(
                host: *const #private::abi::HostApi,
                out_instance: *mut #private::abi::GuestContractInstance,
                out_err: *mut #private::abi::AbiError,
            ) {
                // SAFETY: the host follows the protocol of `CreateWithError`.
                unsafe { #private::create::<#ty, _>(__INTERFACE.contract_id, host, out_instance, out_err, #factory) }
            }

            unsafe extern "C" fn __create_instance(
                _: #private::abi::VmLoaderData,
                host: *const #private::abi::HostApi,
                _: *const (),
                out_instance: *mut #private::abi::GuestContractInstance,
            ) {
                // SAFETY: the host follows the protocol of `CreateInstance`.
                unsafe { #private::create_instance::<#ty, _>(__INTERFACE.contract_id, host, out_instance, #factory) }
            }

            static __INTERFACE: #private::abi::GuestContractInterface = #private::abi::GuestContractInterface {
                contract_id: <#contract as #krate::Contract>::ID,
                contract_version: #private::abi::Version::new(
                    <#contract as #krate::Contract>::MAJOR,
                    <#contract as #krate::Contract>::MINOR,
                    0,
                ),
                dispatch_type: #private::abi::DispatchType::Native,
                create_instance: __create_instance,
                destroy_instance: #private::destroy_instance::<#ty>,
                dispatch: #private::abi::DispatchMechanisms {
                    native: #private::native_dispatch(<#contract as #private::Dispatch<#ty>>::FUNCTIONS),
                },
            };

            #private::inventory::submit! {
                #private::PluginEntry {
                    name: #name,
                    package: ::core::env!("CARGO_PKG_NAME"),
                    version: #private::package_version(
                        ::core::env!("CARGO_PKG_VERSION_MAJOR"),
                        ::core::env!("CARGO_PKG_VERSION_MINOR"),
                        ::core::env!("CARGO_PKG_VERSION_PATCH"),
                    ),
                    contract: <#contract as #krate::Contract>::info,
                    interface: &__INTERFACE,
                    flags: #private::plugin_flags::<#ty>(#singleton),
                    create: __create,
                }
            }
        };
    }
}

/// The last word of a type's path, which people know it by.
fn type_name(ty: &Type) -> String {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default(),
        other => quote!(#other).to_string(),
    }
}
