//! Who is told about the life of bundles.

use std::ffi::c_void;
use std::sync::Arc;

use polyplug_abi::{BundleId, ReloadPhase, ReloadPhaseType, RuntimeConfig, StringView};

use crate::guest::{catch, describe_panic};

/// The callback that a host in Rust gives.
pub(crate) type OnReload = dyn Fn(*mut c_void, ReloadPhase) + Send + Sync;

/// Who is told about the life of bundles.
pub(crate) struct Events {
    c: RuntimeConfig,
    rust: Option<Arc<OnReload>>,
}

impl Events {
    /// Tells the callback of `config`, then `rust`.
    pub(crate) fn new(config: &RuntimeConfig, rust: Option<Arc<OnReload>>) -> Self {
        Self { c: config.clone(), rust }
    }

    /// Tells everybody. No lock of the runtime may be held.
    pub(crate) fn emit(&self, phase_type: ReloadPhaseType, bundle_id: BundleId, name: &str, reason: &str) {
        let phase = ReloadPhase {
            phase_type,
            bundle_id,
            bundle_name: StringView::lend(name.as_bytes()),
            reason: StringView::lend(reason.as_bytes()),
        };
        let data = self.c.on_reload_user_data;
        let told = catch(|| {
            if let Some(callback) = self.c.on_reload {
                // SAFETY: the configuration's callback, called as it documents.
                unsafe { callback(data, &raw const phase) };
            }
            if let Some(callback) = &self.rust {
                callback(data, phase);
            }
        });
        if let Err(payload) = told {
            // What is being told has happened, whoever cannot bear it.
            tracing::error!(bundle = name, panic = describe_panic(payload), "the callback for events panicked");
        }
    }
}
