//! `#[plugin]` on an implementation.

mod args;
mod check;
mod expand;

use proc_macro2::TokenStream;
use syn::{Item, ItemImpl};

use crate::errors::{Errors, report};

pub(crate) fn plugin(args: TokenStream, item: TokenStream) -> TokenStream {
    let item: ItemImpl = match syn::parse2(item.clone()) {
        Ok(item) => item,
        Err(error) => return report(&item, &misplaced(&item, error)),
    };
    let mut errors = Errors::default();
    let args = args::PluginArgs::parse(args, &mut errors);
    check::check(&item, &mut errors);
    match errors.propagate() {
        Ok(()) => expand::expand(&args, &item),
        Err(error) => report(&item, &error),
    }
}

/// Returns the error for an item that is not an implementation.
fn misplaced(item: &TokenStream, error: syn::Error) -> syn::Error {
    match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Trait(item)) => syn::Error::new_spanned(
            item.ident,
            "#[plugin] belongs on an implementation; on the trait write #[polyplug::contract(..)]",
        ),
        Ok(_) => syn::Error::new(
            error.span(),
            "#[plugin] belongs on the implementation of a contract: write it above `impl Contract for ..`",
        ),
        Err(_) => error,
    }
}
