//! Signing and checking the files of a bundle.

use std::path::Path;

use super::digest::FileDigests;
use super::file::{FILE_NAME, SignatureFile};
use super::keys::{PublicKey, SecretKey};
use crate::host::bundle::manifest::ManifestData;
use crate::host::bundle::private_copy::PrivateCopy;
use crate::host::bundle::shared_dirs::SharedDirs;
use crate::host::error::runtime::RuntimeError;
use crate::host::error::signature::SignatureError;

/// Signs the bundle in `directory` with its present files. Writes `bundle.sig` into the directory, and replaces one
/// that exists.
///
/// Every file of the bundle is signed, so sign the bundle when it is complete. A bundle whose artifacts for several
/// platforms lie in directories marked as caches has to be signed for each platform separately.
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
/// The errors of reading the manifest and finding the artifact, and [`RuntimeError::Signature`] if a file cannot be
/// read or `bundle.sig` cannot be written.
pub fn sign_bundle(directory: &Path, key: &SecretKey) -> Result<(), RuntimeError> {
    let (manifest, copy) = open_bundle(directory)?;
    let files = FileDigests::take(copy.path(), FILE_NAME).map_err(|error| refusal(&manifest, error))?;
    let signed = SignatureFile::sign(&manifest.name, files, key);
    signed.write(&manifest.path).map_err(|error| refusal(&manifest, error))
}

/// Checks the signature of the bundle in `directory` without loading the bundle. Returns the key that signed it. For
/// tools.
///
/// # Errors
///
/// The errors of reading the manifest and finding the artifact, and [`RuntimeError::Signature`] if the signature does
/// not hold. The error has the first of several reasons.
pub fn verify_bundle(directory: &Path, trusted: &[PublicKey]) -> Result<PublicKey, RuntimeError> {
    let (manifest, copy) = open_bundle(directory)?;
    verify(&manifest.name, copy.path(), trusted).map_err(|mut problems| refusal(&manifest, problems.swap_remove(0)))
}

/// Reads the bundle's manifest and makes a private copy of its files, which does not change.
fn open_bundle(directory: &Path) -> Result<(ManifestData, PrivateCopy), RuntimeError> {
    let mut manifest = ManifestData::read(directory)?;
    manifest.find_artifact()?;
    let copy = PrivateCopy::make(&manifest, SharedDirs::default())?;
    Ok((manifest, copy))
}

pub(crate) fn refusal(manifest: &ManifestData, source: SignatureError) -> RuntimeError {
    RuntimeError::Signature { bundle: manifest.name.clone(), path: manifest.path.clone(), source }
}

/// Returns the key that signed the files in `root` as those of `bundle`.
///
/// # Errors
///
/// All reasons why the signature does not hold; at least one.
pub(crate) fn verify(bundle: &str, root: &Path, trusted: &[PublicKey]) -> Result<PublicKey, Vec<SignatureError>> {
    let signed = SignatureFile::read(root).map_err(|error| vec![error])?;
    let mut problems = signed.problems(bundle, trusted);
    match FileDigests::take(root, FILE_NAME) {
        Ok(found) => problems.extend(signed.files().differences(&found)),
        Err(error) => problems.push(error),
    }
    if problems.is_empty() { Ok(signed.key()) } else { Err(problems) }
}
