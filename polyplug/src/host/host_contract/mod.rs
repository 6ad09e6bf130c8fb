//! The contracts that the host implements, and the permissions of bundles to use them.
//!
//! - [`HostContracts`](registry::HostContracts): the host contracts of one runtime.
//! - [`Provided`](provided::Provided): a host contract with its table and its objects.
//! - [`Grants`](grants::Grants): the host contracts that each bundle may use.
//!
//! Invariant: a host contract stays valid until the runtime ends, and the registry's locks are not held while the
//! host's code runs.

pub(crate) mod grants;
pub(crate) mod provided;
pub(crate) mod registry;
