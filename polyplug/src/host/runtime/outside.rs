//! Changes of bundles on threads that hold what an engine needs.

use super::loader::BundleLoader;
use super::runtime::Runtime;

impl Runtime {
    /// Runs `change` while this thread holds nothing that another thread needs to run code of a loader's engine: see
    /// [`BundleLoader::outside`]. `change` waits for such threads.
    pub(crate) fn outside_engines<R>(&self, change: impl FnOnce() -> R) -> R {
        let (mut change, mut outcome) = (Some(change), None);
        let loaders = self.loaders();
        outside_each(&loaders, &mut || outcome = change.take().map(|change| change()));
        outcome.expect("a loader calls the body that `outside` gets")
    }
}

/// Calls `body` outside of all engines.
fn outside_each(loaders: &[std::sync::Arc<dyn BundleLoader>], body: &mut dyn FnMut()) {
    match loaders.split_first() {
        Some((loader, others)) => loader.outside(&mut || outside_each(others, body)),
        None => body(),
    }
}
