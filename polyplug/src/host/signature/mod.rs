//! Signatures: who made a bundle, and whether it is still what they made.
//!
//! Whoever makes a bundle signs it with [`sign_bundle`], which puts the file `bundle.sig` into it. A host says which keys
//! it trusts and what becomes of bundles that none of them signed:
//!
//! ```
//! use polyplug::Runtime;
//! use polyplug::signature::{PublicKey, SignaturePolicy};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let maker = PublicKey::from_hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")?;
//! let runtime = Runtime::builder().signatures(SignaturePolicy::Require).trust(maker).build()?;
//! # drop(runtime);
//! # Ok(())
//! # }
//! ```
//!
//! A signature says who made a bundle. It does not say that the bundle is harmless, nor that it is the newest one.
//!
//! What is checked is the private copy from which the bundle is then loaded, so that nothing can be exchanged in
//! between. It has the files that links within the bundle lead to in place of the links. It leaves out, apart from the
//! artifact, directories that say of themselves that they are caches (`CACHEDIR.TAG`): these are not signed either.

mod digest;
pub(crate) mod error;
mod file;
mod keys;
pub(crate) mod verifier;

use std::path::Path;

use digest::Listing;
pub use error::SignatureError;
use file::SignatureFile;
pub use keys::{KeyError, PublicKey, SecretKey};

use crate::host::bundle::manifest::ManifestData;
use crate::host::bundle::private_copy::PrivateCopy;
use crate::host::bundle::shared_dirs::InPlace;
use crate::host::error::RuntimeError;

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

/// Signs the bundle in `directory`, as it is now: writes `bundle.sig` into it, in place of one that is there.
///
/// Every file of the bundle is signed, so sign when it is complete. A bundle whose artifacts for several platforms lie
/// in directories that are caches has to be signed for each platform by itself.
///
/// ```no_run
/// use polyplug::signature::{SecretKey, sign_bundle};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = SecretKey::generate()?;
/// println!("hosts trust {}", key.public_key());
/// sign_bundle("plugins/calc".as_ref(), &key)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// What is wrong with the manifest or the artifact, and [`RuntimeError::Signature`] with what keeps the files from being
/// read or `bundle.sig` from being written.
pub fn sign_bundle(directory: &Path, key: &SecretKey) -> Result<(), RuntimeError> {
    let (manifest, copy) = look(directory)?;
    let files = Listing::take(copy.path()).map_err(|error| refusal(&manifest, error))?;
    let signed = SignatureFile::sign(&manifest.name, files, key);
    signed.write(&manifest.path).map_err(|error| refusal(&manifest, error))
}

/// Checks the bundle in `directory` without loading it; the key that signed it. For tools.
///
/// # Errors
///
/// What is wrong with the manifest or the artifact, and [`RuntimeError::Signature`] with what is wrong with the
/// signature: the first thing, if there are several.
pub fn verify_bundle(directory: &Path, trusted: &[PublicKey]) -> Result<PublicKey, RuntimeError> {
    let (manifest, copy) = look(directory)?;
    verify(&manifest.name, copy.path(), trusted).map_err(|mut findings| refusal(&manifest, findings.swap_remove(0)))
}

/// The bundle's manifest, and a copy of its files that does not change.
fn look(directory: &Path) -> Result<(ManifestData, PrivateCopy), RuntimeError> {
    let mut manifest = ManifestData::read(directory)?;
    manifest.find_artifact()?;
    let copy = PrivateCopy::make(&manifest, InPlace::default())?;
    Ok((manifest, copy))
}

fn refusal(manifest: &ManifestData, source: SignatureError) -> RuntimeError {
    RuntimeError::Signature { bundle: manifest.name.clone(), path: manifest.path.clone(), source }
}

/// The key that signed the files in `root` as those of `bundle`; otherwise everything that is wrong, at least one thing.
fn verify(bundle: &str, root: &Path, trusted: &[PublicKey]) -> Result<PublicKey, Vec<SignatureError>> {
    let signed = SignatureFile::read(root).map_err(|error| vec![error])?;
    let mut findings = signed.findings(bundle, trusted);
    match Listing::take(root) {
        Ok(found) => findings.extend(signed.files().differences(&found)),
        Err(error) => findings.push(error),
    }
    if findings.is_empty() { Ok(signed.key()) } else { Err(findings) }
}
