//! `#[on_unload]` on a function.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{FnArg, ItemFn, Safety};

use crate::args::{Args, Key, Kind};
use crate::errors::{Errors, report};
use crate::source;

const KEYS: &[Key] = &[Key { name: "crate", kind: Kind::Path }];

pub(crate) fn on_unload(args: TokenStream, item: TokenStream) -> TokenStream {
    let function: ItemFn = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            let text = "#[on_unload] belongs on a function that is not a method: `fn stop() { .. }`";
            return report(&item, &syn::Error::new(error.span(), text));
        }
    };
    let mut errors = Errors::default();
    let args = Args::parse(args, "on_unload", KEYS, &mut errors);
    check(&function, &mut errors);
    match errors.propagate() {
        Ok(()) => expand(&args.krate(), &function),
        Err(error) => report(&item, &error),
    }
}

fn check(function: &ItemFn, errors: &mut Errors) {
    let signature = &function.sig;
    if let Some(keyword) = &signature.asyncness {
        errors.at(keyword, "a function for the unload is not async: block on the work, and leave `async` out");
    }
    if let Safety::Unsafe(keyword) = &signature.safety {
        errors.at(keyword, "the host calls this function: leave `unsafe` out");
    }
    if !signature.generics.params.is_empty() {
        errors.at(&signature.generics, "a function for the unload cannot be generic");
    }
    if let Some(argument) = signature.inputs.iter().nth(1) {
        errors.at(argument, "a function for the unload takes no argument, or one `&PluginContext`: leave this one out");
    }
    if let Some(receiver @ FnArg::Receiver(_)) = signature.inputs.first() {
        errors.at(receiver, "a function for the unload is not a method: leave `self` out");
    }
}

fn expand(krate: &TokenStream, function: &ItemFn) -> TokenStream {
    let private = quote!(#krate::__private);
    let name = &function.sig.ident;
    let context = (!function.sig.inputs.is_empty()).then(|| quote!(__context));
    let allowed = source::allowed(&function.attrs);
    quote! {
        #function

        #(#allowed)*
        const _: () = {
            fn __run(__context: &#krate::PluginContext) -> ::core::result::Result<(), ::std::string::String> {
                let _ = __context;
                #private::UnloadOutcome::outcome(#name(#context))
            }

            #private::inventory::submit! {
                #private::UnloadEntry {
                    package: ::core::env!("CARGO_PKG_NAME"),
                    file: ::core::file!(),
                    line: ::core::line!(),
                    run: __run,
                }
            }
        };
    }
}
