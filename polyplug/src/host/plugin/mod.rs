//! Plugins of bundles: the reading of their registrations, the check of their contracts, and their instances.
//!
//! - [`Plugin`](plugin::Plugin): a plugin as it was registered, with the functions that its code offers.
//! - [`EnginePlugin`](plugin::EnginePlugin): the functions of a plugin that an engine runs.
//! - [`SharedInstance`](instance::SharedInstance): an instance that all callers share, destroyed when dropped.
//! - [`Registrations`](registrations::Registrations): the plugins that a bundle has registered so far.
//! - [`PluginSchema`](schema::PluginSchema): the schema of the contract that a plugin implements.
//! - [`Linked`](schema::Linked): a contract that is linked into this program.
//!
//! Invariant: the interface of a [`Plugin`](plugin::Plugin) was checked, and its schema, if any, has as many methods as
//! its table of functions.

pub(crate) mod contract_check;
pub(crate) mod instance;
pub(crate) mod plugin;
pub(crate) mod read;
pub(crate) mod registrations;
pub(crate) mod schema;
