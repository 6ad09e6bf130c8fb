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
    let (manifest, copy) = open_bundle(directory)?;
    let files = FileDigests::take(copy.path(), FILE_NAME).map_err(|error| refusal(&manifest, error))?;
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
    let (manifest, copy) = open_bundle(directory)?;
    verify(&manifest.name, copy.path(), trusted).map_err(|mut problems| refusal(&manifest, problems.swap_remove(0)))
}

/// The bundle's manifest, and a copy of its files that does not change.
fn open_bundle(directory: &Path) -> Result<(ManifestData, PrivateCopy), RuntimeError> {
    let mut manifest = ManifestData::read(directory)?;
    manifest.find_artifact()?;
    let copy = PrivateCopy::make(&manifest, SharedDirs::default())?;
    Ok((manifest, copy))
}

pub(crate) fn refusal(manifest: &ManifestData, source: SignatureError) -> RuntimeError {
    RuntimeError::Signature { bundle: manifest.name.clone(), path: manifest.path.clone(), source }
}

/// The key that signed the files in `root` as those of `bundle`; otherwise everything that is wrong, at least one thing.
pub(crate) fn verify(bundle: &str, root: &Path, trusted: &[PublicKey]) -> Result<PublicKey, Vec<SignatureError>> {
    let signed = SignatureFile::read(root).map_err(|error| vec![error])?;
    let mut problems = signed.problems(bundle, trusted);
    match FileDigests::take(root, FILE_NAME) {
        Ok(found) => problems.extend(signed.files().differences(&found)),
        Err(error) => problems.push(error),
    }
    if problems.is_empty() { Ok(signed.key()) } else { Err(problems) }
}
