//! Signing and checking the files of a bundle.

use std::path::Path;

use super::digest::FileDigests;
use super::file::{FILE_NAME, SignatureFile};
use super::keys::{PublicKey, SecretKey};
use crate::host::bundle::limits::BundleLimits;
use crate::host::bundle::manifest::ManifestData;
#[cfg(feature = "packs")]
use crate::host::bundle::pack::Pack;
use crate::host::bundle::shared_dirs::SharedDirs;
use crate::host::bundle::tree::Tree;
use crate::host::error::loader::LoaderError;
use crate::host::error::runtime::RuntimeError;
use crate::host::error::signature::SignatureError;

/// The limits of a bundle that is signed, or checked by a tool. Its bytes are read, and not copied.
const LIMITS: BundleLimits = BundleLimits { entries: 1 << 16, bytes: u64::MAX };

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
/// sign_bundle("plugins/calc", &key)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// The errors of reading the manifest and finding the artifact, and [`RuntimeError::Signature`] if a file cannot be
/// read, `bundle.sig` cannot be written, or the bundle is a pack: a bundle is signed before it is packed.
#[inline]
pub fn sign_bundle(directory: impl AsRef<Path>, key: &SecretKey) -> Result<(), RuntimeError> {
    sign_bundle_at(directory.as_ref(), key)
}

fn sign_bundle_at(directory: &Path, key: &SecretKey) -> Result<(), RuntimeError> {
    let manifest = read_manifest(directory)?;
    #[cfg(feature = "packs")]
    if manifest.pack.is_some() {
        return Err(refusal(&manifest, SignatureError::IsPack));
    }
    let tree = list_files(&manifest)?;
    let files = FileDigests::take(&tree, FILE_NAME, LIMITS.entries).map_err(|error| refusal(&manifest, error))?;
    let signed = SignatureFile::sign(&manifest.name, files, key);
    signed.write(&manifest.path).map_err(|error| refusal(&manifest, error))
}

/// Checks the signature of the bundle in `directory`, or of the pack at that path, without loading the bundle. Returns the key that signed it. For
/// tools.
///
/// # Errors
///
/// The errors of reading the manifest and finding the artifact, and [`RuntimeError::Signature`] if the signature does
/// not hold. The error has the first of several reasons.
#[inline]
pub fn verify_bundle(directory: impl AsRef<Path>, trusted: &[PublicKey]) -> Result<PublicKey, RuntimeError> {
    verify_bundle_at(directory.as_ref(), trusted)
}

fn verify_bundle_at(directory: &Path, trusted: &[PublicKey]) -> Result<PublicKey, RuntimeError> {
    let manifest = read_manifest(directory)?;
    let first = |mut problems: Vec<SignatureError>| refusal(&manifest, problems.swap_remove(0));
    #[cfg(feature = "packs")]
    if let Some(pack) = &manifest.pack {
        return verify_pack(&manifest, pack, trusted).map_err(first);
    }
    let tree = list_files(&manifest)?;
    let signed = SignatureFile::read(&manifest.path).map_err(|error| refusal(&manifest, error))?;
    check_outside(&signed, &manifest.name, &tree, trusted, LIMITS).map_err(first)?;
    compare(&signed, &manifest.name, &tree, trusted, LIMITS).map_err(first)
}

/// Reads the bundle's manifest, and finds its artifact.
fn read_manifest(directory: &Path) -> Result<ManifestData, RuntimeError> {
    let mut manifest = ManifestData::read(directory)?;
    manifest.find_artifact()?;
    Ok(manifest)
}

/// Lists the files of the bundle of `manifest`, which is in a folder.
fn list_files(manifest: &ManifestData) -> Result<Tree, RuntimeError> {
    let tree = tree_of(manifest, &SharedDirs::default(), LIMITS)?;
    if let Some(fault) = tree.faults.first() {
        let reason = format!("its files cannot be listed: {}", fault.text(&tree.root));
        return Err(LoaderError::Failed { bundle: manifest.name.clone(), reason }.into());
    }
    Ok(tree)
}

/// Lists the files of the bundle of `manifest`.
pub(crate) fn tree_of(
    manifest: &ManifestData,
    shared_dirs: &SharedDirs,
    limits: BundleLimits,
) -> Result<Tree, RuntimeError> {
    let unreadable = |source| {
        refusal(manifest, SignatureError::Unreadable { file: String::new(), source: std::sync::Arc::new(source) })
    };
    let root = manifest.path.canonicalize().map_err(unreadable)?;
    Ok(Tree::take(&root, Path::new(&manifest.file), shared_dirs, limits))
}

pub(crate) fn refusal(manifest: &ManifestData, source: SignatureError) -> RuntimeError {
    RuntimeError::Signature { bundle: manifest.name.clone(), path: manifest.path.clone(), source }
}

/// Checks what can be known of a signature without reading the files of a bundle: the signature itself, and the paths
/// and lengths of the files. A bundle that passes has as many bytes as were signed.
///
/// # Errors
///
/// All reasons why the signature does not hold; at least one.
pub(crate) fn check_outside(
    signed: &SignatureFile,
    bundle: &str,
    tree: &Tree,
    trusted: &[PublicKey],
    limits: BundleLimits,
) -> Result<(), Vec<SignatureError>> {
    let mut problems = signed.problems(bundle, trusted);
    match signed.files().visible_differences(tree, FILE_NAME, limits.entries) {
        Ok(differences) => problems.extend(differences),
        Err(error) => problems.push(error),
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Returns the key that signed the files of a tree as those of `bundle`.
///
/// # Errors
///
/// All reasons why the signature does not hold; at least one.
pub(crate) fn compare(
    signed: &SignatureFile,
    bundle: &str,
    tree: &Tree,
    trusted: &[PublicKey],
    limits: BundleLimits,
) -> Result<PublicKey, Vec<SignatureError>> {
    compare_files(signed, bundle, FileDigests::take(tree, FILE_NAME, limits.entries), trusted)
}

/// Returns the key that signed `found` as the files of `bundle`.
///
/// # Errors
///
/// All reasons why the signature does not hold; at least one.
fn compare_files(
    signed: &SignatureFile,
    bundle: &str,
    found: Result<FileDigests, SignatureError>,
    trusted: &[PublicKey],
) -> Result<PublicKey, Vec<SignatureError>> {
    let mut problems = signed.problems(bundle, trusted);
    match found {
        Ok(found) => problems.extend(signed.files().differences(&found)),
        Err(error) => problems.push(error),
    }
    if problems.is_empty() { Ok(signed.key()) } else { Err(problems) }
}

/// Returns the key that signed the files in `copy`, the private copy of the bundle of `manifest`.
///
/// # Errors
///
/// All reasons why the signature does not hold; at least one.
pub(crate) fn verify_copy(
    manifest: &ManifestData,
    copy: &Path,
    trusted: &[PublicKey],
    limits: BundleLimits,
) -> Result<PublicKey, Vec<SignatureError>> {
    let unreadable =
        |source| vec![SignatureError::Unreadable { file: String::new(), source: std::sync::Arc::new(source) }];
    let root = copy.canonicalize().map_err(unreadable)?;
    let signed = SignatureFile::read(&root).map_err(|error| vec![error])?;
    let tree = Tree::take(&root, Path::new(&manifest.file), &SharedDirs::default(), limits);
    compare(&signed, &manifest.name, &tree, trusted, limits)
}

/// Returns the key that signed the files of the bundle of `manifest`, which are in `pack`.
///
/// # Errors
///
/// All reasons why the signature does not hold; at least one.
#[cfg(feature = "packs")]
pub(crate) fn verify_pack(
    manifest: &ManifestData,
    pack: &Pack,
    trusted: &[PublicKey],
) -> Result<PublicKey, Vec<SignatureError>> {
    let signed = SignatureFile::of_pack(pack).map_err(|error| vec![error])?;
    compare_files(&signed, &manifest.name, FileDigests::of_pack(pack, FILE_NAME), trusted)
}
