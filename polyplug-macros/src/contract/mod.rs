//! `#[contract]` on a trait.

mod args;
mod check;
mod expand;
mod model;
mod types;

use proc_macro2::TokenStream;
use syn::ItemTrait;

use crate::errors::{Errors, report};

pub(crate) fn contract(args: TokenStream, item: TokenStream) -> TokenStream {
    let item: ItemTrait = match syn::parse2(item.clone()) {
        Ok(item) => item,
        Err(error) => {
            let error = syn::Error::new(error.span(), "#[contract] belongs on a trait: the trait is the contract");
            return report(item, &error);
        }
    };
    let mut errors = Errors::default();
    let args = args::ContractArgs::parse(args, &mut errors);
    let model = model::Contract::new(args, item, &mut errors);
    check::check(&model, &mut errors);
    match errors.propagate() {
        Ok(()) => expand::expand(&model),
        Err(error) => report(&model.item, &error),
    }
}

/// Reports what cannot cross in the type of a record's or case's field.
pub(crate) fn check_field_type(ty: &syn::Type, errors: &mut Errors) {
    types::check_type(ty, types::Place::Inner, errors);
}
