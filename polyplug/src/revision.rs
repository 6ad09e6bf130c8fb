//! The revision of a version, by which proxies see whether their version still serves.
//!
//! A revision changes from [`CURRENT`] once. The thread that changes it publishes the version's successor first. The
//! release store of the revision pairs with the acquire load in [`Revision::is_current`], so a thread that sees the
//! change also sees the successor.

use crate::sync::atomic::{AtomicU32, Ordering};

/// The revision of a version that serves.
const CURRENT: u32 = 0;

/// The revision of a version that another version has replaced.
#[cfg(feature = "host")]
const RELOADED: u32 = 1;

/// The revision of a version whose bundle is unloaded.
#[cfg(feature = "host")]
const UNLOADED: u32 = 2;

/// The revision of a version.
pub struct Revision(AtomicU32);

impl Revision {
    /// Makes the revision of a version that is about to serve.
    pub(crate) const fn current() -> Self {
        Self(AtomicU32::new(CURRENT))
    }

    /// Returns whether the version serves. Every call of a proxy begins with this check.
    #[inline(always)]
    pub(crate) fn is_current(&self) -> bool {
        self.0.load(Ordering::Acquire) == CURRENT
    }

    /// Makes every proxy look for the next version.
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
