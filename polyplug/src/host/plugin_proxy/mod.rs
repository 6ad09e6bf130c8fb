//! The proxies of plugins: for host contracts, for plugins of other bundles, and for objects of their callers.
//!
//! - [`PluginProxies`](table::PluginProxies): the table of proxies, by token.
//! - [`PluginProxy`](table::PluginProxy): the target of one token.
//! - [`Callees`](table::Callees): the parts of a runtime in which targets are found.
//! - [`ProxySpec`](request::ProxySpec): a request for a proxy.
//! - [`HostObject`](host_object::HostObject): an object of a host contract.
//! - [`Peer`](peer::Peer): an instance of another bundle's plugin.
//! - [`Object`](object::Object): an object that a caller passes to its callee.
//! - [`DepthGuard`](depth::DepthGuard): one level of nested calls by way of the host.
//!
//! Invariant: a token does not delay the unload of a bundle, and each call holds a lease on the version that it runs
//! on.

pub(crate) mod depth;
pub(crate) mod host_object;
pub(crate) mod object;
pub(crate) mod peer;
pub(crate) mod request;
pub(crate) mod stack;
pub(crate) mod table;
