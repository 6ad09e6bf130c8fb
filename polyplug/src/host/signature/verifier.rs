//! The check of signatures when a bundle is loaded.

use std::path::Path;

use super::file::SignatureFile;
use super::keys::PublicKey;
use super::policy::SignaturePolicy;
#[cfg(feature = "packs")]
use super::verify::verify_pack;
use super::verify::{check_outside, refusal, tree_of, verify_copy};
use crate::host::abi::log::report;
use crate::host::bundle::limits::BundleLimits;
use crate::host::bundle::manifest::ManifestData;
#[cfg(feature = "packs")]
use crate::host::bundle::pack::Pack;
use crate::host::bundle::shared_dirs::SharedDirs;
use crate::host::error::runtime::RuntimeError;
use crate::host::error::signature::SignatureError;

/// The policy for signatures and the trusted keys of a runtime.
#[derive(Debug, Default)]
pub(crate) struct Verifier {
    pub(crate) policy: SignaturePolicy,
    pub(crate) trusted: Vec<PublicKey>,
}

impl Verifier {
    /// Returns whether signatures are checked at all.
    pub(crate) fn is_watched(&self) -> bool {
        self.policy != SignaturePolicy::Off
    }

    /// Returns whether bundles without a valid signature are refused.
    pub(crate) fn is_strict(&self) -> bool {
        self.policy == SignaturePolicy::Require
    }

    /// Refuses the bundle of `manifest` before it is copied, if the policy demands a signature, and the signature or the
    /// lengths of the files show that it does not hold. So no more is copied than was signed.
    pub(crate) fn check_before_copy(
        &self,
        manifest: &ManifestData,
        shared_dirs: &SharedDirs,
        limits: BundleLimits,
    ) -> Result<(), RuntimeError> {
        if !self.is_strict() {
            return Ok(());
        }
        let signed = SignatureFile::read(&manifest.path).map_err(|error| refusal(manifest, error))?;
        let tree = tree_of(manifest, shared_dirs, limits)?;
        if !tree.faults.is_empty() {
            return Ok(()); // the copy is refused, before it begins, with what is wrong
        }
        check_outside(&signed, &manifest.name, &tree, &self.trusted, limits)
            .map_err(|mut problems| refusal(manifest, problems.swap_remove(0)))
    }

    /// Refuses the bundle of `manifest` if the policy demands a signature and that of the files in `copy` does not
    /// hold. The bundle is then loaded from `copy`.
    pub(crate) fn check(&self, manifest: &ManifestData, copy: &Path, limits: BundleLimits) -> Result<(), RuntimeError> {
        if !self.is_watched() {
            return Ok(());
        }
        self.apply_outcome(manifest, verify_copy(manifest, copy, &self.trusted, limits))
    }

    fn apply_outcome(
        &self,
        manifest: &ManifestData,
        outcome: Result<PublicKey, Vec<SignatureError>>,
    ) -> Result<(), RuntimeError> {
        match outcome {
            Ok(key) => {
                tracing::debug!(bundle = manifest.name, %key, "the signature is valid");
                Ok(())
            }
            Err(problems) => self.apply_policy(manifest, problems),
        }
    }

    /// Refuses the bundle of `manifest` if the policy demands a signature and that of the files in its pack does not hold. The
    /// bundle is then loaded from the bytes of `pack`.
    #[cfg(feature = "packs")]
    pub(crate) fn check_pack(&self, manifest: &ManifestData, pack: &Pack) -> Result<(), RuntimeError> {
        if !self.is_watched() {
            return Ok(());
        }
        self.apply_outcome(manifest, verify_pack(manifest, pack, &self.trusted))
    }

    /// Applies the policy to a bundle from memory, which has no signature. `source_kind` is `code` or `bytes`.
    pub(crate) fn check_unsigned(
        &self,
        manifest: &ManifestData,
        source_kind: &'static str,
    ) -> Result<(), RuntimeError> {
        self.apply_policy(manifest, vec![SignatureError::InMemory { source_kind }])
    }

    /// Applies the policy to the folders that stay in the bundle's own directory, `shared_dirs`. They are not in the
    /// private copy, so no signature covers them.
    pub(crate) fn check_shared_dirs(
        &self,
        manifest: &ManifestData,
        shared_dirs: &SharedDirs,
    ) -> Result<(), RuntimeError> {
        match shared_dirs.existing(&manifest.path) {
            Some(folder) => self.apply_policy(manifest, vec![SignatureError::SharedDir { folder: folder.to_owned() }]),
            None => Ok(()),
        }
    }

    fn apply_policy(&self, manifest: &ManifestData, mut problems: Vec<SignatureError>) -> Result<(), RuntimeError> {
        match self.policy {
            SignaturePolicy::Off => Ok(()),
            SignaturePolicy::Warn => {
                for problem in problems {
                    let (bundle, problem) = (manifest.name.as_str(), refusal(manifest, problem));
                    report!(WARN, target: "polyplug::signature", bundle = bundle, "{problem}");
                }
                Ok(())
            }
            SignaturePolicy::Require => Err(refusal(manifest, problems.swap_remove(0))),
        }
    }
}
