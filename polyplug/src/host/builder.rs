//! Setting up a runtime.

use std::ffi::c_void;
use std::sync::{Arc, Condvar, Mutex, RwLock};
use std::time::Duration;

use polyplug_abi::{BundleId, Compatibility, ReloadPhase, ReloadPhaseType, RuntimeConfig, StringView};

use crate::guest::{catch, describe_panic};
use crate::host::abi::slot_map::Tokens;
use crate::host::error::RuntimeError;
use crate::host::runtime::context::HostContext;
use crate::host::runtime::loader::BundleLoader;
use crate::host::runtime::reload::ReloadPolicy;
use crate::host::runtime::runtime::Runtime;
use crate::host::store::lease::Leases;
use crate::host::version::reclaim::Reclaimer;

/// Sets up a [`Runtime`].
///
/// ```
/// # fn main() -> Result<(), polyplug::error::RuntimeError> {
/// let runtime = polyplug::Runtime::builder()
///     // .loader(polyplug_native::NativeLoader::new())
///     .on_reload(|_, phase| println!("{:?}", phase.phase_type))
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "call `build` to get the runtime"]
pub struct RuntimeBuilder {
    loaders: Vec<Box<dyn BundleLoader>>,
    config: RuntimeConfig,
    on_reload: Option<Arc<OnReload>>,
    reload_policy: ReloadPolicy,
    reload_limit: Duration,
    #[cfg(feature = "signatures")]
    signatures: crate::host::signature::verifier::Gate,
}

/// See [`RuntimeBuilder::reload_limit`].
const RELOAD_LIMIT: Duration = Duration::from_secs(60);

impl Default for RuntimeBuilder {
    fn default() -> Self {
        Self {
            loaders: Vec::new(),
            config: RuntimeConfig::default(),
            on_reload: None,
            reload_policy: ReloadPolicy::default(),
            reload_limit: RELOAD_LIMIT,
            #[cfg(feature = "signatures")]
            signatures: Default::default(),
        }
    }
}

type OnReload = dyn Fn(*mut c_void, ReloadPhase) + Send + Sync;

impl RuntimeBuilder {
    /// Adds a loader.
    pub fn loader(mut self, loader: impl BundleLoader + 'static) -> Self {
        self.loaders.push(Box::new(loader));
        self
    }

    /// Replaces the configuration.
    pub fn config(mut self, config: RuntimeConfig) -> Self {
        self.config = config;
        self
    }

    /// Whether bundles may be reloaded. Off by default.
    pub fn hot_reload(mut self, enabled: bool) -> Self {
        self.config.hot_reload_enabled = enabled;
        self
    }

    /// What becomes of a bundle whose dependencies nobody provides: it is refused, or loaded with a warning.
    /// [`Compatibility::Strict`] by default.
    pub fn compatibility(mut self, compatibility: Compatibility) -> Self {
        self.config.compatibility = compatibility;
        self
    }

    /// What becomes of instances that do not carry their state over a reload.
    pub fn reload_policy(mut self, policy: ReloadPolicy) -> Self {
        self.reload_policy = policy;
        self
    }

    /// How long a new version may take at a reload until it can serve: to start, to check its health, to take over the
    /// state of the old one. After that the reload fails, and the old version serves on. A minute by default.
    ///
    /// Code that hangs cannot be stopped: it stays in memory, on a thread of its own, for as long as it hangs, and so
    /// does the runtime.
    pub fn reload_limit(mut self, limit: Duration) -> Self {
        self.reload_limit = limit;
        self
    }

    /// What becomes of bundles that no trusted key has signed. Loading and reloading obey it alike, whoever asks for it.
    ///
    /// Unless it is [`Off`](crate::signature::SignaturePolicy::Off), every bundle runs from a private copy of its
    /// directory, as with hot reload: what was checked is what is loaded. A bundle from memory cannot be signed, and is
    /// refused where signatures are required. Plugins that are part of the program are as trusted as the program.
    #[cfg(feature = "signatures")]
    pub fn signatures(mut self, policy: crate::signature::SignaturePolicy) -> Self {
        self.signatures.policy = policy;
        self
    }

    /// Trusts bundles that are signed with this key, beside those of other keys.
    #[cfg(feature = "signatures")]
    pub fn trust(mut self, key: crate::signature::PublicKey) -> Self {
        self.signatures.trusted.push(key);
        self
    }

    /// Tells `callback` about every step in the life of a bundle, beside the callback of the configuration. It gets
    /// the configuration's user data, and is called on the thread that reloads or unloads; that a version's code is gone
    /// is told on the thread that took it apart.
    ///
    /// What is told of one bundle comes in the order of its changes: nobody else changes the bundle until `callback` has
    /// returned. No lock is held meanwhile. To change that bundle from within gets [`RuntimeError::Busy`]; to wait there
    /// for another thread that changes it is to wait for ever.
    pub fn on_reload(mut self, callback: impl Fn(*mut c_void, ReloadPhase) + Send + Sync + 'static) -> Self {
        self.on_reload = Some(Arc::new(callback));
        self
    }

    /// The runtime.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::DuplicateLoader`].
    pub fn build(self) -> Result<Arc<Runtime>, RuntimeError> {
        let events = Arc::new(Events { c: self.config.clone(), rust: self.on_reload });
        let runtime = Arc::new_cyclic(|this| Runtime {
            context: HostContext::new(this.clone()),
            config: self.config,
            events,
            loaders: RwLock::default(),
            reload_policy: self.reload_policy,
            reload_limit: self.reload_limit,
            bundles: Mutex::default(),
            settled: Condvar::new(),
            retired: Mutex::default(),
            store: crate::host::store::runtime_store::RuntimeStore::new(),
            tokens: Tokens::new(),
            leases: Leases::default(),
            plugin_proxies: Tokens::new(),
            host_contracts: crate::host::host_contract::registry::HostContracts::default(),
            grants: crate::host::host_contract::grants::Grants::default(),
            settings: crate::host::bundle::config_overrides::Settings::default(),
            reclaimer: Reclaimer::default(),
            last_error: Mutex::default(),
            #[cfg(feature = "signatures")]
            signatures: self.signatures,
            #[cfg(feature = "watch")]
            bells: Default::default(),
        });
        for loader in self.loaders {
            runtime.register_loader(loader)?;
        }
        Ok(runtime)
    }
}

impl std::fmt::Debug for RuntimeBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let loaders: Vec<_> = self.loaders.iter().map(|loader| loader.loader_name()).collect();
        f.debug_struct("RuntimeBuilder").field("loaders", &loaders).field("config", &self.config).finish()
    }
}

/// Who is told about the life of bundles.
pub(crate) struct Events {
    c: RuntimeConfig,
    rust: Option<Arc<OnReload>>,
}

impl Events {
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
