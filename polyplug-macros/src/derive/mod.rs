//! `#[derive(Type)]` on structs and enums.

mod check;
mod check_growth;
mod expand;
mod growth;
mod model;
mod stand_in;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::errors::{Errors, report};

pub(crate) fn derive_type(item: TokenStream) -> TokenStream {
    let item: DeriveInput = match syn::parse2(item) {
        Ok(item) => item,
        Err(error) => return error.to_compile_error(),
    };
    let mut errors = Errors::default();
    let model = model::Model::new(&item, &mut errors);
    check::check(&model, &mut errors);
    match errors.propagate() {
        Ok(()) => expand::expand(&model),
        // The implementation of a type that contains itself by value would add errors about its size.
        Err(error) if check::contains_itself(&model) => error.to_compile_error(),
        Err(error) => report(stand_in::stand_in(&model), &error),
    }
}
