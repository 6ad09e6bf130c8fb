//! The callbacks for events of bundles.

use std::ffi::c_void;
use std::sync::Arc;

use polyplug_abi::{BundleId, ReloadPhase, ReloadPhaseType, RuntimeConfig, StringView};

use crate::guest::{catch, describe_panic};
use crate::host::abi::log::report;

/// The callback that a host sets in Rust.
pub(crate) type OnReload = dyn Fn(*mut c_void, ReloadPhase) + Send + Sync;

/// The callbacks for events of bundles.
pub(crate) struct Events {
    /// The configuration with the callback of the C ABI.
    c: RuntimeConfig,
    /// The callback in Rust.
    rust: Option<Arc<OnReload>>,
}

impl Events {
    /// Makes events that call the callback of `config`, then `rust`.
    pub(crate) fn new(config: &RuntimeConfig, rust: Option<Arc<OnReload>>) -> Self {
        Self { c: config.clone(), rust }
    }

    /// Calls both callbacks. The caller must not hold a lock of the runtime.
    pub(crate) fn emit(&self, phase_type: ReloadPhaseType, bundle_id: BundleId, name: &str, reason: &str) {
        let phase = ReloadPhase {
            phase_type,
            bundle_id,
            bundle_name: StringView::lend(name.as_bytes()),
            reason: StringView::lend(reason.as_bytes()),
        };
        let data = self.c.on_reload_user_data;
        let notified = catch(|| {
            if let Some(callback) = self.c.on_reload {
                // SAFETY: the callback is that of the configuration, called with its user data and a phase that is
                // valid during the call, as `RuntimeConfig` documents.
                unsafe { callback(data, &raw const phase) };
            }
            if let Some(callback) = &self.rust {
                callback(data, phase);
            }
        });
        if let Err(payload) = notified {
            // The event has happened, so a panic of a callback cannot prevent it.
            report!(ERROR, bundle = name, "the callback for events panicked: {}", describe_panic(payload));
        }
    }
}
