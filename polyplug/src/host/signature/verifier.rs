//! Where bundles pass on their way into a runtime.

use std::path::Path;

use super::keys::PublicKey;
use super::policy::SignaturePolicy;
use super::verify::{refusal, verify};
use crate::host::bundle::manifest::ManifestData;
use crate::host::bundle::shared_dirs::InPlace;
use crate::host::error::runtime::RuntimeError;
use crate::host::error::signature::SignatureError;

/// What a runtime demands of signatures.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    pub(crate) policy: SignaturePolicy,
    pub(crate) trusted: Vec<PublicKey>,
}

impl Gate {
    /// Whether anybody looks at signatures.
    pub(crate) fn is_watched(&self) -> bool {
        self.policy != SignaturePolicy::Off
    }

    /// Whether nothing is loaded that is not signed.
    pub(crate) fn is_strict(&self) -> bool {
        self.policy == SignaturePolicy::Require
    }

    /// Lets the bundle of `manifest` pass if the policy allows it. `copy` has its files, and is what will be loaded.
    pub(crate) fn pass(&self, manifest: &ManifestData, copy: &Path) -> Result<(), RuntimeError> {
        if !self.is_watched() {
            return Ok(());
        }
        match verify(&manifest.name, copy, &self.trusted) {
            Ok(key) => {
                tracing::debug!(bundle = manifest.name, %key, "the signature is valid");
                Ok(())
            }
            Err(findings) => self.judge(manifest, findings),
        }
    }

    /// As [`pass`](Self::pass), for a bundle from memory: from `code` or `bytes`.
    pub(crate) fn pass_unsigned(&self, manifest: &ManifestData, source_kind: &'static str) -> Result<(), RuntimeError> {
        self.judge(manifest, vec![SignatureError::InMemory { source_kind }])
    }

    /// As [`pass`](Self::pass), for what stays in the bundle's own folder, `in_place`: that is not in the copy.
    pub(crate) fn pass_in_place(&self, manifest: &ManifestData, in_place: &InPlace) -> Result<(), RuntimeError> {
        match in_place.existing(&manifest.path) {
            Some(folder) => self.judge(manifest, vec![SignatureError::InPlace { folder: folder.to_owned() }]),
            None => Ok(()),
        }
    }

    fn judge(&self, manifest: &ManifestData, mut findings: Vec<SignatureError>) -> Result<(), RuntimeError> {
        match self.policy {
            SignaturePolicy::Off => Ok(()),
            SignaturePolicy::Warn => {
                for finding in findings {
                    let (bundle, finding) = (manifest.name.as_str(), refusal(manifest, finding));
                    tracing::warn!(target: "polyplug::signature", bundle, "{finding}");
                }
                Ok(())
            }
            SignaturePolicy::Require => Err(refusal(manifest, findings.swap_remove(0))),
        }
    }
}
