//! In place of `scope.rs`: the bundle's name.

use polyplug_abi::BundleId;

pub(crate) struct BundleScope {
    pub(crate) id: BundleId,
    pub(crate) name: String,
}
