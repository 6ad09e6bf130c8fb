//! Setting up a runtime.

use std::ffi::c_void;
use std::sync::Arc;
use std::time::Duration;

use polyplug_abi::{Compatibility, ReloadPhase, RuntimeConfig};

use crate::host::api::table::FUNCTIONS;
use crate::host::error::runtime::RuntimeError;
use crate::host::runtime::context::HostContext;
use crate::host::runtime::events::{Events, OnReload};
use crate::host::runtime::loader::BundleLoader;
use crate::host::runtime::report::ReloadPolicy;
use crate::host::runtime::runtime::{Parts, Runtime};

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
    signatures: crate::host::signature::verifier::Verifier,
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

impl Runtime {
    /// Starts to set up a runtime.
    pub fn builder() -> RuntimeBuilder {
        RuntimeBuilder::default()
    }
}

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
        let runtime = Arc::new_cyclic(|this| {
            Runtime::from_parts(Parts {
                this: this.clone(),
                table: HostContext::of_host(this.clone(), &FUNCTIONS).table(),
                events: Arc::new(Events::new(&self.config, self.on_reload)),
                config: self.config,
                reload_policy: self.reload_policy,
                reload_limit: self.reload_limit,
                #[cfg(feature = "signatures")]
                signatures: self.signatures,
            })
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
