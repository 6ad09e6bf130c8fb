//! Plugins of bundles: the reading of their registrations, the check of their contracts, and their instances.
//!
//! - [`Plugin`](plugin::Plugin): a plugin as it was registered, with the functions that its code offers.
//! - [`EnginePlugin`](plugin::EnginePlugin): the functions of a plugin that an engine runs.
//! - [`SharedInstance`](instance::SharedInstance): an instance that all callers share, destroyed when dropped.
//! - [`Registrations`](registrations::Registrations): the plugins that a bundle has registered so far.
//! - [`PluginSchema`](schema::PluginSchema): the schema of the contract that a plugin implements.
//! - [`Linked`](schema::Linked): a contract that is linked into this program.
//!
//! Invariant: no function of a plugin's interface is null, and a schema that a plugin registers or ships belongs to the
//! interface's table.

pub(crate) mod contract_check;
pub(crate) mod instance;
pub(crate) mod plugin;
pub(crate) mod read;
pub(crate) mod registrations;
pub(crate) mod schema;
