//! The errors of signature checks.

use std::path::PathBuf;
use std::sync::Arc;

/// The failure of a bundle's signature check. [`RuntimeError::Signature`](crate::error::RuntimeError) wraps the error,
/// and names the bundle and its directory.
///
/// Files are named by their paths in the bundle, with `/` between the parts.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The bundle has no signature.
    #[error(
        "the bundle is not signed: there is no `bundle.sig` in it: get a signed one from its maker, or sign it with \
         `polyplug sign`, or with `polyplug::signature::sign_bundle`"
    )]
    Unsigned,

    /// A pack was to be signed.
    #[error("a pack is not signed itself: sign the bundle's folder, and pack it afterwards")]
    IsPack,

    /// The file `bundle.sig` is malformed.
    #[error("`bundle.sig` is malformed: {reason}: get the bundle anew from its maker, or sign it again")]
    Malformed {
        /// The fault of the file.
        reason: String,
    },

    /// The signature is that of another bundle.
    #[error(
        "`bundle.sig` signs a bundle called `{signed}`, which this is not: get the bundle anew from its maker, or sign \
         it under its own name"
    )]
    WrongBundle {
        /// The name of the bundle that the signature belongs to.
        signed: String,
    },

    /// The bundle was signed with a key that the host does not trust.
    #[error(
        "the bundle is signed with the key {key}, which is not trusted: if you know that it is its maker's, trust it \
         with `Runtime::builder().trust(PublicKey::from_hex(\"{key}\")?)`"
    )]
    UnknownKey {
        /// The key, in hexadecimal digits as [`PublicKey::from_hex`](crate::signature::PublicKey::from_hex) takes it.
        key: String,
    },

    /// The signature does not match the rest of `bundle.sig`.
    #[error(
        "the signature in `bundle.sig` does not fit the rest of the file, which was changed after it was signed: get the \
         bundle anew from its maker, or sign it again"
    )]
    BadSignature,

    /// A file was changed after the bundle was signed.
    #[error("{file:?} was changed after the bundle was signed: put the original back, or sign the bundle again")]
    Changed {
        /// The file.
        file: String,
    },

    /// A file was added after the bundle was signed.
    #[error("{file:?} was added after the bundle was signed: remove it, or sign the bundle again")]
    Added {
        /// The file.
        file: String,
    },

    /// A signed file is missing.
    #[error("{file:?} was removed after the bundle was signed: put it back, or sign the bundle again")]
    Removed {
        /// The file.
        file: String,
    },

    /// A signed file has another name.
    #[error(
        "{from:?} was renamed to {to:?} after the bundle was signed: give it its name back, or sign the bundle again"
    )]
    Renamed {
        /// The file's name when the bundle was signed.
        from: String,
        /// The file's name now.
        to: String,
    },

    /// The bundle does not come from a directory, and only directories can be signed.
    #[error(
        "the bundle is loaded from memory ({source_kind}), and only directories can be signed: load it from a directory, \
         or do without `SignaturePolicy::Require`"
    )]
    InMemory {
        /// The kind of the source: `code` or `bytes`.
        source_kind: &'static str,
    },

    /// The bundle has a folder that its loader uses in place, so the signature does not cover the folder's files. See
    /// [`BundleLoader::shared_dirs`](crate::loader::BundleLoader::shared_dirs).
    #[error(
        "the loader uses the bundle's folder {folder:?} where it lies, so a signature does not cover what is in it: let the \
         host give the loader that folder itself, from a place that it trusts, and remove it from the bundle"
    )]
    SharedDir {
        /// The folder.
        folder: PathBuf,
    },

    /// A file's name is not UTF-8. Systems interpret such a name differently.
    #[error("{file:?} has a name that is not UTF-8, which cannot be signed: rename or remove it")]
    NotUtf8 {
        /// The file.
        file: PathBuf,
    },

    /// A file cannot be read.
    #[error("{file:?} cannot be read to check what was signed: {source}: see to it that it can be")]
    Unreadable {
        /// The file.
        file: String,
        /// The error of the operating system.
        source: Arc<std::io::Error>,
    },

    /// The files of the bundle cannot be listed.
    #[error("{reason}")]
    Unlistable {
        /// The reason, and what to do.
        reason: String,
    },

    /// The signature cannot be written.
    #[error("`bundle.sig` cannot be written: {source}: see to it that the bundle's folder can be written to")]
    Unwritable {
        /// The error of the operating system.
        source: Arc<std::io::Error>,
    },
}

crate::debug_text::debug_as_display!(SignatureError);
