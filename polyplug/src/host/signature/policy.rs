//! What becomes of bundles that are not signed.

/// What becomes of bundles that are not signed, or not by a trusted key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SignaturePolicy {
    /// Signatures are not looked at. The default.
    #[default]
    Off,
    /// They are loaded, and the log says what is wrong with them.
    Warn,
    /// They are refused.
    Require,
}
