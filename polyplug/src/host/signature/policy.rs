//! The policy for bundles that are not signed.

/// The policy for bundles that are not signed, or not by a trusted key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SignaturePolicy {
    /// Signatures are not checked. The default.
    #[default]
    Off,
    /// The bundles are loaded, and the log lists what is wrong with their signatures.
    Warn,
    /// The bundles are refused.
    Require,
}
