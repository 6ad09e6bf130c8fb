//! The limits of a bundle's size.

/// The most that a bundle's directory may hold. A bundle that exceeds a limit is refused before a file of it is copied.
///
/// ```
/// use polyplug::Runtime;
/// use polyplug::runtime::BundleLimits;
///
/// # fn main() -> Result<(), polyplug::error::RuntimeError> {
/// // Bundles with a large model each.
/// let limits = BundleLimits::default().bytes(20 << 30);
/// let runtime = Runtime::builder().bundle_limits(limits).build()?;
/// # drop(runtime);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct BundleLimits {
    pub(crate) entries: usize,
    pub(crate) bytes: u64,
}

/// The default of [`BundleLimits::entries`].
const ENTRIES: usize = 1 << 16;

/// The default of [`BundleLimits::bytes`].
const BYTES: u64 = 1 << 30;

/// The greatest depth to which the directories of a bundle may nest.
pub(crate) const DEPTH_LIMIT: usize = 32;

impl Default for BundleLimits {
    fn default() -> Self {
        Self { entries: ENTRIES, bytes: BYTES }
    }
}

impl BundleLimits {
    /// Sets the number of files, links and folders that a bundle may have. 65,536 by default. What is no part of a
    /// bundle, such as the contents of a cache, does not count.
    pub fn entries(mut self, entries: usize) -> Self {
        self.entries = entries;
        self
    }

    /// Sets the number of bytes that the files of a bundle may have together. A gibibyte by default.
    pub fn bytes(mut self, bytes: u64) -> Self {
        self.bytes = bytes;
        self
    }
}
