//! The macros of [polyplug](https://docs.rs/polyplug). Use them through that crate.
//!
//! Each macro is a pipeline: `args` reads the attribute, `model` reads the item, `check` rejects items that cannot
//! work, `expand` writes the code and cannot fail. All errors of an item are reported together, each at its own span.

mod args;
mod contract;
mod crossing;
mod derive;
mod errors;
mod form;
mod instead;
mod on_unload;
mod plugin;
mod source;
mod spans;
#[cfg(test)]
mod tests;
mod version;

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
/// The trait gets the supertraits `Send + Sync` and is otherwise unchanged. The macro adds a proxy, `CalculatorProxy`,
/// which has the methods of the trait and returns `Result<_, CallError>` from each.
///
/// # Arguments
///
/// - `name`: the contract's name, lower-case words joined by dots. Part of its identity.
/// - `version`: `"major.minor"`. Contracts of different majors are unrelated. Within a major, methods are only added at
///   the end, each with the `since` of the version that introduced the method.
/// - `crate`: the path of polyplug, for crates that rename it.
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
/// - `create = path`: the factory, `fn(&PluginContext) -> Result<Self, impl Display>`. Without a factory the type must
///   implement `Default`.
/// - `singleton`: the plugin has one instance for the whole bundle.
/// - `migrate`: instances carry their state over a reload; the type implements `polyplug::Migrate`.
/// - `health = path`: the check whether the plugin is fit to serve, before a reload publishes the plugin:
///   `fn(&PluginContext) -> Result<(), impl Display>`.
/// - `name = ".."`: the plugin's name; by default the type's name.
/// - `crate = path`: the path of polyplug, for crates that rename it.
#[proc_macro_attribute]
pub fn plugin(args: TokenStream, item: TokenStream) -> TokenStream {
    plugin::plugin(args.into(), item.into()).into()
}

/// Makes a function one that the host calls once, before it unloads the bundle.
///
/// ```ignore
/// #[polyplug::on_unload]
/// fn stop() {
///     POOL.shutdown();
/// }
/// ```
///
/// The function runs after the last call of this version of the bundle has returned, before instances that all callers
/// share are dropped and the library is unmapped: at an unload, after a reload for the old version, when the runtime ends,
/// and when a load fails. What the library has started ends here: thread pools, timers, open files.
///
/// The function takes no argument, or a `&PluginContext`. It returns nothing, or a `Result<(), impl Display>`. An error
/// and a panic are logged. A library may have several such functions; the last one in the source is called first.
///
/// # Arguments
///
/// - `crate = path`: the path of polyplug, for crates that rename it.
#[proc_macro_attribute]
pub fn on_unload(args: TokenStream, item: TokenStream) -> TokenStream {
    on_unload::on_unload(args.into(), item.into()).into()
}

/// Lets values of a struct or enum cross between host and plugin.
///
/// A struct becomes a *record*, an enum without fields an *enum*, an enum with fields a *variant*. All fields must be
/// types that can cross themselves. `#[polyplug(crate = path)]` is the path of polyplug, for crates that rename it.
///
/// A record and the cases of an enum or variant can grow within a major version of the contract:
///
/// ```ignore
/// #[derive(polyplug::Type)]
/// pub struct Order {
///     pub id: u64,
///     #[contract(since = "1.2", default)]
///     pub note: Option<String>,
///     #[contract(since = "1.3", default = 1)]
///     pub count: u32,
/// }
///
/// #[derive(polyplug::Type)]
/// pub enum State {
///     Open,
///     #[contract(other)]
///     Unknown,
///     #[contract(since = "1.2")]
///     Cancelled,
/// }
/// ```
///
/// - `since`: the version of the contract that introduced the field or case. Fields and cases are added at the end.
/// - `default`: the value that is read where an older side has not sent the field; `Default::default()` by default.
/// - `other`: the case that cases are read as which the reading side is too old to know.
#[proc_macro_derive(Type, attributes(polyplug, contract))]
pub fn derive_type(item: TokenStream) -> TokenStream {
    derive::derive_type(item.into()).into()
}
