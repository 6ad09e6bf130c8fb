//! The macros of [polyplug](https://docs.rs/polyplug). Use them through that crate.
//!
//! Each macro is a pipeline: `args` reads the attribute, `model` turns the item into what the macro means by it,
//! `check` refuses what cannot work, `expand` writes the code and cannot fail. All mistakes of an item are reported
//! together, each at its place.

mod args;
mod contract;
mod derive;
mod errors;
mod form;
mod plugin;
mod source;
mod spans;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Makes a trait the contract between host and plugins.
///
/// ```ignore
/// #[polyplug::contract(name = "demo.calculator", version = "1.1")]
/// pub trait Calculator {
///     fn add(&self, a: i32, b: i32) -> i32;
///     #[contract(since = "1.1")]
///     fn greet(&self, name: &str) -> String;
/// }
/// ```
///
/// The trait stays as it is, with `Send + Sync` as supertraits, and gets a proxy, `CalculatorProxy`, whose methods
/// are the trait's and return `Result<_, CallError>`.
///
/// # Arguments
///
/// - `name`: the contract's name, lower-case words joined by dots. Part of its identity.
/// - `version`: `"major.minor"`. Contracts of different majors have nothing to do with each other; within a major,
///   methods are only ever added, at the end, each marked with the `since` it came with.
/// - `crate`: where polyplug is, for crates that rename it.
#[proc_macro_attribute]
pub fn contract(args: TokenStream, item: TokenStream) -> TokenStream {
    contract::contract(args.into(), item.into()).into()
}

/// Makes an implementation of a contract's trait a plugin.
///
/// ```ignore
/// #[derive(Default)]
/// struct Basic;
///
/// #[polyplug::plugin]
/// impl Calculator for Basic { /* .. */ }
/// ```
///
/// # Arguments
///
/// - `create = path`: makes instances: `fn(&PluginContext) -> Result<Self, impl Display>`. Without it the type must
///   implement `Default`.
/// - `singleton`: one instance serves the whole bundle.
/// - `migrate`: instances carry their state over a reload; the type implements `polyplug::Migrate`.
/// - `health = path`: says whether the plugin is fit to serve, before a reload publishes it:
///   `fn(&PluginContext) -> Result<(), impl Display>`.
/// - `name = ".."`: the plugin's name; the type's name without it.
/// - `crate = path`: where polyplug is, for crates that rename it.
#[proc_macro_attribute]
pub fn plugin(args: TokenStream, item: TokenStream) -> TokenStream {
    plugin::plugin(args.into(), item.into()).into()
}

/// Lets values of a struct or enum cross between host and plugin.
///
/// A struct becomes a *record*, an enum without fields an *enum*, an enum with fields a *variant*. All fields must be
/// types that can cross themselves. `#[polyplug(crate = path)]` says where polyplug is, for crates that rename it.
#[proc_macro_derive(Type, attributes(polyplug))]
pub fn derive_type(item: TokenStream) -> TokenStream {
    derive::derive_type(item.into()).into()
}
