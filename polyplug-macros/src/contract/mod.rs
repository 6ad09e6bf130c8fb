//! `#[contract]` on a trait.

mod args;
mod check;
mod expand;
mod model;
mod repair;
mod stand_in;
mod types;

use proc_macro2::TokenStream;
use syn::{Item, ItemTrait};

use crate::errors::{Errors, report};

pub(crate) fn contract(args: TokenStream, item: TokenStream) -> TokenStream {
    let item: ItemTrait = match syn::parse2(item.clone()) {
        Ok(item) => item,
        Err(error) => return malformed(args, &item, error),
    };
    let mut errors = Errors::default();
    let args = args::ContractArgs::parse(args, &mut errors);
    let model = model::Contract::new(args, item, &mut errors);
    check::check(&model, &mut errors);
    match errors.propagate() {
        Ok(()) => expand::expand(&model),
        Err(error) => report(stand_in::stand_in(&model), &error),
    }
}

/// Makes the code of an item that is not a trait, or not Rust.
fn malformed(args: TokenStream, item: &TokenStream, error: syn::Error) -> TokenStream {
    let Some(repaired) = repair::repair(item) else { return report(item, &misplaced(item, error)) };
    let mut errors = Errors::default(); // those of a trait that is not what its author wants to write
    let args = args::ContractArgs::parse(args, &mut errors);
    report(stand_in::stand_in(&model::Contract::new(args, repaired, &mut errors)), &error)
}

/// Returns the error for an item that is not a trait.
fn misplaced(item: &TokenStream, error: syn::Error) -> syn::Error {
    match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Fn(function)) => syn::Error::new_spanned(
            function.sig.ident,
            "#[contract] belongs on a trait: write `#[polyplug::contract(..)] trait ..`, and this function as a method in it",
        ),
        Ok(Item::Impl(item)) => syn::Error::new_spanned(
            item.self_ty,
            "#[contract] belongs on the trait; on its implementation write #[polyplug::plugin]",
        ),
        Ok(Item::Struct(_) | Item::Enum(_)) => syn::Error::new(
            error.span(),
            "#[contract] belongs on a trait; for a type that methods take or return write #[derive(polyplug::Type)]",
        ),
        Ok(_) => syn::Error::new(error.span(), "#[contract] belongs on a trait: the trait is the contract"),
        Err(_) => error,
    }
}

/// Reports each type that cannot cross in the type of a field of a record or case.
pub(crate) fn check_field_type(ty: &syn::Type, errors: &mut Errors) {
    types::check_type(ty, types::Place::Field, errors);
}
