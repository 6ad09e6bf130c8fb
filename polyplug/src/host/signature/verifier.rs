//! Where bundles pass on their way into a runtime.

use std::path::Path;

use super::keys::PublicKey;
use super::policy::SignaturePolicy;
use super::verify::{refusal, verify};
use crate::host::bundle::manifest::ManifestData;
use crate::host::bundle::shared_dirs::SharedDirs;
use crate::host::error::runtime::RuntimeError;
use crate::host::error::signature::SignatureError;

/// What a runtime demands of signatures.
#[derive(Debug, Default)]
pub(crate) struct Verifier {
    pub(crate) policy: SignaturePolicy,
    pub(crate) trusted: Vec<PublicKey>,
}

impl Verifier {
    /// Whether anybody looks at signatures.
    pub(crate) fn is_watched(&self) -> bool {
        self.policy != SignaturePolicy::Off
    }

    /// Whether nothing is loaded that is not signed.
    pub(crate) fn is_strict(&self) -> bool {
        self.policy == SignaturePolicy::Require
    }

    /// Lets the bundle of `manifest` pass if the policy allows it. `copy` has its files, and is what will be loaded.
    pub(crate) fn check(&self, manifest: &ManifestData, copy: &Path) -> Result<(), RuntimeError> {
        if !self.is_watched() {
            return Ok(());
        }
        match verify(&manifest.name, copy, &self.trusted) {
            Ok(key) => {
                tracing::debug!(bundle = manifest.name, %key, "the signature is valid");
                Ok(())
            }
            Err(problems) => self.apply_policy(manifest, problems),
        }
    }

    /// As [`verify`](Self::verify), for a bundle from memory: from `code` or `bytes`.
    pub(crate) fn check_unsigned(
        &self,
        manifest: &ManifestData,
        source_kind: &'static str,
    ) -> Result<(), RuntimeError> {
        self.apply_policy(manifest, vec![SignatureError::InMemory { source_kind }])
    }

    /// As [`verify`](Self::verify), for what stays in the bundle's own folder, `shared_dirs`: that is not in the copy.
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
                    tracing::warn!(target: "polyplug::signature", bundle, "{problem}");
                }
                Ok(())
            }
            SignaturePolicy::Require => Err(refusal(manifest, problems.swap_remove(0))),
        }
    }
}
