//! A pack that is about to be loaded, read when its file has not changed for a while.

use std::path::Path;

use super::copy_tree::CopyError;
use super::fingerprint::Fingerprint;
use super::manifest::ManifestData;
use super::original::{LOOKS, settle};
use super::pack::Pack;
use crate::host::error::loader::LoaderError;
use crate::host::error::runtime::RuntimeError;

/// Reads the pack of `manifest` into memory. If it may be reloaded, waits until its file has settled. Returns the pack, and
/// the fingerprint of its file.
pub(crate) fn settled_pack(manifest: &ManifestData, is_reloaded: bool) -> Result<(Pack, Fingerprint), RuntimeError> {
    let path = &manifest.path;
    let mut looks = LOOKS;
    loop {
        let look = || ((), Fingerprint::shallow(path));
        let before = match is_reloaded {
            true => settle(path, &mut looks, look).map_err(|error| failed(manifest, &error))?.1,
            false => look().1,
        };
        let pack = Pack::open(path).map_err(|error| error.of_manifest(path));
        if Fingerprint::shallow(path) == before {
            return Ok((pack?, before));
        }
        looks = looks.checked_sub(1).ok_or_else(|| failed(manifest, &CopyError::Changed(path.clone())))?;
    }
}

fn failed(manifest: &ManifestData, error: &CopyError) -> RuntimeError {
    let reason = format!("it cannot be loaded from {}: {error}", Path::display(&manifest.path));
    LoaderError::Failed { bundle: manifest.name.clone(), reason }.into()
}
