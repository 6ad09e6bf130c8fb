//! The loaded versions of a bundle: their code, their leases, and the reclaiming of their resources.
//!
//! - [`BundleVersion`](version::BundleVersion): one loaded version of a bundle; an `Arc` of it is a lease.
//! - [`BundleScope`](scope::BundleScope): the name, permissions and registrations of a version.
//! - [`Lineage`](lineage::Lineage): the list of what serves now of one loaded bundle.
//! - [`Module`](module::Module): a part of a version's code, such as a library or an engine.
//! - [`Followers`](followers::Followers): the observers of a version's retirement.
//! - [`Threads`](threads::Threads): the threads that a version's code runs on by way of the host.
//! - [`Unload`](unload::Unload): the functions that a version's code registered for its unload.
//! - [`VersionResources`](reclaim::VersionResources): the instances, modules and table of a version.
//! - [`Reclaimer`](reclaim::Reclaimer): the queue of resources to reclaim.
//!
//! Invariant: the code of a version stays mapped while a lease on the version exists.

pub(crate) mod followers;
pub(crate) mod lineage;
pub(crate) mod module;
pub(crate) mod reclaim;
pub(crate) mod scope;
pub(crate) mod threads;
pub(crate) mod unload;
pub(crate) mod version;
