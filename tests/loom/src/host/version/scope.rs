//! In place of `scope.rs`: a bundle by its name.

use polyplug_abi::BundleId;

pub(crate) struct BundleScope {
    pub(crate) id: BundleId,
    pub(crate) name: String,
}
