//! The word that tells proxies whether their version still serves.
//!
//! It leaves [`CURRENT`] once. Whoever changes it has published before what takes the version's place, and whoever sees
//! the change sees that too: the store's release pairs with the load's acquire.

use crate::sync::atomic::{AtomicU32, Ordering};

/// The word of a version that serves.
const CURRENT: u32 = 0;

/// The word of a version that another has replaced.
#[cfg(feature = "host")]
const RELOADED: u32 = 1;

/// The word of a version whose bundle is unloaded.
#[cfg(feature = "host")]
const UNLOADED: u32 = 2;

/// A version's word.
pub struct Revision(AtomicU32);

impl Revision {
    /// The word of a version that is about to serve.
    pub(crate) const fn current() -> Self {
        Self(AtomicU32::new(CURRENT))
    }

    /// Whether the version serves. What every call of a proxy begins with.
    #[inline(always)]
    pub(crate) fn is_current(&self) -> bool {
        self.0.load(Ordering::Acquire) == CURRENT
    }

    /// Sends every proxy to look for the next version.
    #[cfg(feature = "host")]
    pub(crate) fn set_reloaded(&self) {
        self.0.store(RELOADED, Ordering::Release);
    }

    /// Makes every proxy fail.
    #[cfg(feature = "host")]
    pub(crate) fn set_unloaded(&self) {
        self.0.store(UNLOADED, Ordering::Release);
    }
}
