//! `#[plugin]` on an implementation.

mod args;
mod check;
mod expand;

use proc_macro2::TokenStream;
use syn::ItemImpl;

use crate::errors::{Errors, report};

pub(crate) fn plugin(args: TokenStream, item: TokenStream) -> TokenStream {
    let item: ItemImpl = match syn::parse2(item.clone()) {
        Ok(item) => item,
        Err(error) => {
            let error = syn::Error::new(
                error.span(),
                "#[plugin] belongs on the implementation of a contract: impl Contract for MyPlugin { .. }",
            );
            return report(item, &error);
        }
    };
    let mut errors = Errors::default();
    let args = args::PluginArgs::parse(args, &mut errors);
    check::check(&item, &mut errors);
    match errors.propagate() {
        Ok(()) => expand::expand(&args, &item),
        Err(error) => report(&item, &error),
    }
}
