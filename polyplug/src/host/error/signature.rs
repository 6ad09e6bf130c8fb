//! What can be wrong with a bundle's signature.

use std::path::PathBuf;

/// What is wrong with a bundle's signature. Arrives as [`RuntimeError::Signature`](crate::error::RuntimeError), which
/// names the bundle and its directory.
///
/// Files are named by their paths in the bundle, with `/` between the parts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// There is no signature.
    #[error(
        "the bundle is not signed: there is no `bundle.sig` in it: get a signed one from its maker, or sign it with \
         `polyplug::signature::sign_bundle`"
    )]
    Unsigned,

    /// The file with the signature is none.
    #[error("`bundle.sig` is malformed: {reason}: get the bundle anew from its maker, or sign it again")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },

    /// The signature is that of another bundle.
    #[error(
        "`bundle.sig` signs a bundle called `{signed}`, which this is not: get the bundle anew from its maker, or sign \
         it under its own name"
    )]
    WrongBundle {
        /// The name of the bundle that it belongs to.
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

    /// The signature is not one of what it claims to sign.
    #[error(
        "the signature in `bundle.sig` does not fit the rest of the file, which was changed after it was signed: get the \
         bundle anew from its maker, or sign it again"
    )]
    BadSignature,

    /// A file has other contents than were signed.
    #[error("{file:?} was changed after the bundle was signed: put the original back, or sign the bundle again")]
    Changed {
        /// The file.
        file: String,
    },

    /// A file was not there when the bundle was signed.
    #[error("{file:?} was added after the bundle was signed: remove it, or sign the bundle again")]
    Added {
        /// The file.
        file: String,
    },

    /// A file that was signed is not there.
    #[error("{file:?} was removed after the bundle was signed: put it back, or sign the bundle again")]
    Removed {
        /// The file.
        file: String,
    },

    /// A file that was signed has another name.
    #[error(
        "{from:?} was renamed to {to:?} after the bundle was signed: give it its name back, or sign the bundle again"
    )]
    Renamed {
        /// Its name when it was signed.
        from: String,
        /// Its name now.
        to: String,
    },

    /// The bundle does not come from a directory, so there is nothing that could be signed.
    #[error(
        "the bundle is loaded from memory ({source_kind}), and only directories can be signed: load it from a directory, \
         or do without `SignaturePolicy::Require`"
    )]
    InMemory {
        /// What it is loaded from: `code` or `bytes`.
        source_kind: &'static str,
    },

    /// The bundle has a folder that its loader uses where it lies, so that no signature covers what is in it. See
    /// [`BundleLoader::shared_dirs`](crate::loader::BundleLoader::shared_dirs).
    #[error(
        "the loader uses the bundle's folder {folder:?} where it lies, so a signature does not cover what is in it: let the \
         host give the loader that folder itself, from a place that it trusts, and remove it from the bundle"
    )]
    SharedDir {
        /// The folder.
        folder: PathBuf,
    },

    /// A file's name is not UTF-8, so that it means different things on different systems.
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
        /// Why not.
        source: std::io::Error,
    },

    /// The signature cannot be written.
    #[error("`bundle.sig` cannot be written: {source}: see to it that the bundle's folder can be written to")]
    Unwritable {
        /// Why not.
        source: std::io::Error,
    },
}
