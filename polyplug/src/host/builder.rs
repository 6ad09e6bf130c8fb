//! The builder of runtimes.

use std::ffi::c_void;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use polyplug_abi::{Compatibility, ReloadPhase, RuntimeConfig};

use crate::guest::keep_locations;
use crate::host::api::table::FUNCTIONS;
use crate::host::bundle::file::absolute;
use crate::host::bundle::limits::BundleLimits;
use crate::host::error::runtime::RuntimeError;
use crate::host::observe::observers::Observers;
use crate::host::runtime::context::HostContext;
use crate::host::runtime::event::Event;
use crate::host::runtime::events::{Events, OnEvent};
use crate::host::runtime::loader::BundleLoader;
use crate::host::runtime::phases::{OnReload, c_callback, rust_callback};
use crate::host::runtime::report::ReloadPolicy;
use crate::host::runtime::runtime::{Parts, Runtime};

/// A builder of a [`Runtime`].
///
/// ```
/// # fn main() -> Result<(), polyplug::error::RuntimeError> {
/// let runtime = polyplug::Runtime::builder()
///     // .loader(polyplug_native::NativeLoader::new())
///     .on_event(|event| println!("{event}"))
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "call `build` to get the runtime"]
pub struct RuntimeBuilder {
    loaders: Vec<Box<dyn BundleLoader>>,
    config: RuntimeConfig,
    on_reload: Option<Box<OnReload>>,
    on_event: Vec<Box<OnEvent>>,
    reload_policy: ReloadPolicy,
    reload_limit: Duration,
    unload_limit: Duration,
    bundle_limits: BundleLimits,
    data_directory: Option<PathBuf>,
    observers: Observers,
    #[cfg(feature = "signatures")]
    signatures: crate::host::signature::verifier::Verifier,
}

/// The default of [`RuntimeBuilder::reload_limit`].
const RELOAD_LIMIT: Duration = Duration::from_secs(60);

/// The default of [`RuntimeBuilder::unload_limit`].
const UNLOAD_LIMIT: Duration = Duration::from_secs(5);

impl Default for RuntimeBuilder {
    fn default() -> Self {
        Self {
            loaders: Vec::new(),
            config: RuntimeConfig::default(),
            on_reload: None,
            on_event: Vec::new(),
            reload_policy: ReloadPolicy::default(),
            reload_limit: RELOAD_LIMIT,
            unload_limit: UNLOAD_LIMIT,
            bundle_limits: BundleLimits::default(),
            data_directory: None,
            observers: Observers::default(),
            #[cfg(feature = "signatures")]
            signatures: Default::default(),
        }
    }
}

impl Runtime {
    /// Returns a builder with the default configuration.
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

    /// Sets whether bundles may be reloaded. Off by default.
    pub fn hot_reload(mut self, enabled: bool) -> Self {
        self.config.hot_reload_enabled = enabled;
        self
    }

    /// Sets whether a bundle with a dependency that no bundle provides is refused, or loaded with a warning.
    /// [`Compatibility::Strict`] by default.
    pub fn compatibility(mut self, compatibility: Compatibility) -> Self {
        self.config.compatibility = compatibility;
        self
    }

    /// Sets what a reload does with instances that do not carry their state over.
    pub fn reload_policy(mut self, policy: ReloadPolicy) -> Self {
        self.reload_policy = policy;
        self
    }

    /// Sets how long a new version may take at a reload until it can serve: to start, to check its health, to take over
    /// the state of the old version. After that time the reload fails, and the old version serves on. A minute by
    /// default.
    ///
    /// Code that hangs cannot be stopped: such code stays in memory, on a thread of its own, for as long as it hangs.
    /// The runtime stays in memory as long as the code.
    pub fn reload_limit(mut self, limit: Duration) -> Self {
        self.reload_limit = limit;
        self
    }

    /// Sets for how long the runtime waits for the functions with which the code of a version ends what it has started:
    /// those of [`PluginContext::on_unload`](crate::PluginContext::on_unload), those marked
    /// [`on_unload`](crate::on_unload), and those of scripts, all together. Five seconds by default. After that time the
    /// runtime logs a warning and goes on. The code of the version stays in memory until the functions have returned and
    /// their thread has ended.
    pub fn unload_limit(mut self, limit: Duration) -> Self {
        self.unload_limit = limit;
        self
    }

    /// Sets the most that the directory of a bundle may hold that is loaded from a private copy. A bundle with more is
    /// refused before anything is copied.
    pub fn bundle_limits(mut self, limits: BundleLimits) -> Self {
        self.bundle_limits = limits;
        self
    }

    /// Sets the folder in which bundles keep their data. Each bundle that asks for its folder,
    /// [`PluginContext::data_directory`](crate::PluginContext::data_directory), gets a folder of its own in this one: the
    /// folder stays when the bundle is reloaded, updated or unloaded. By default there is none, and a bundle that asks
    /// gets an error.
    ///
    /// A relative path is relative to the working directory of this moment. The folder is made when a bundle first asks.
    /// Runtimes that are given the same folder share it, also those of several processes: a bundle of one name then has
    /// one folder.
    pub fn data_directory(mut self, folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref();
        self.data_directory = Some(absolute(folder).unwrap_or_else(|_| folder.to_owned()));
        self
    }

    /// Sets whether the calls of plugins are counted and timed, for [`Runtime::metrics`]. Off by default.
    ///
    /// Each call that reaches a plugin is counted once: those of typed proxies, dynamic calls, calls of other plugins, and
    /// those through the C ABI. Counting takes two looks at the clock, and adds to two counters. Where calls are not counted
    /// they cost nothing more. Each method takes about 3 KiB of memory.
    ///
    /// The tables that are resolved through the C ABI are then those of the runtime, whose dispatch is that of a VM.
    pub fn metrics(mut self, enabled: bool) -> Self {
        self.observers.counts = enabled;
        self
    }

    /// Sets whether each call of a plugin is a span of the crate `tracing`. Off by default.
    ///
    /// The spans have the target `polyplug::call`, the level debug, the name `call`, and the fields `bundle`, `contract` and
    /// `method`. A call within a call, of another plugin in any language, is a span within the outer one, as long as it is on
    /// the same thread. What a bundle logs during a call belongs to the call's span. A span that no subscriber wants costs
    /// a look at an atomic; without this setting calls cost nothing more.
    pub fn call_spans(mut self, enabled: bool) -> Self {
        self.observers.spans = enabled;
        self
    }

    /// Sets whether bundles are loaded that no trusted key has signed. The policy holds for each load and each reload.
    ///
    /// Unless the policy is [`Off`](crate::signature::SignaturePolicy::Off), every bundle runs from a private copy of
    /// its directory, as with hot reload, so the files that are loaded are the files that were checked. A bundle from
    /// memory cannot be signed, and is refused where signatures are required. Plugins that are part of the program are
    /// as trusted as the program.
    #[cfg(feature = "signatures")]
    pub fn signatures(mut self, policy: crate::signature::SignaturePolicy) -> Self {
        self.signatures.policy = policy;
        self
    }

    /// Trusts bundles that are signed with this key, in addition to those of other keys.
    #[cfg(feature = "signatures")]
    pub fn trust(mut self, key: crate::signature::PublicKey) -> Self {
        self.signatures.trusted.push(key);
        self
    }

    /// Calls `callback` for every phase of a bundle's reloads and unloads, in addition to the callback of the
    /// configuration. `callback` gets the configuration's user data. The thread that reloads or unloads calls it; the
    /// thread that reclaimed a version's code calls it for the end of that code.
    ///
    /// The calls for one bundle come in the order of the bundle's changes: no other thread changes the bundle until
    /// `callback` has returned. No lock is held during the call. A change of the same bundle from within `callback`
    /// fails with [`RuntimeError::Busy`]; a wait there for another thread that changes the bundle never ends.
    pub fn on_reload(mut self, callback: impl Fn(*mut c_void, ReloadPhase) + Send + Sync + 'static) -> Self {
        self.on_reload = Some(Box::new(callback));
        self
    }

    /// Calls `subscriber` for each event of a bundle, for the runtime's life. See [`Runtime::on_event`], which
    /// subscribes later.
    ///
    /// ```
    /// # fn main() -> Result<(), polyplug::error::RuntimeError> {
    /// let runtime = polyplug::Runtime::builder().on_event(|event| eprintln!("{event}")).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_event(mut self, subscriber: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.on_event.push(Box::new(subscriber));
        self
    }

    /// Makes the runtime.
    ///
    /// The first runtime of a program puts a panic hook before the program's own, which records where the host's own
    /// objects panic that plugins call: the error of the call has that place. A hook that the program sets afterwards
    /// has to call the one that it replaces, or such errors have no place.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::DuplicateLoader`].
    pub fn build(self) -> Result<Arc<Runtime>, RuntimeError> {
        keep_locations();
        let events = Events::default();
        let on_reload = self.on_reload.map(|callback| rust_callback(&self.config, callback));
        for subscriber in c_callback(&self.config).into_iter().chain(on_reload).chain(self.on_event) {
            events.subscribe(subscriber);
        }
        let runtime = Arc::new_cyclic(|this| {
            Runtime::from_parts(Parts {
                this: this.clone(),
                table: HostContext::of_host(this.clone(), &FUNCTIONS).table(),
                events: Arc::new(events),
                config: self.config,
                reload_policy: self.reload_policy,
                reload_limit: self.reload_limit,
                unload_limit: self.unload_limit,
                bundle_limits: self.bundle_limits,
                data_directory: self.data_directory,
                observers: self.observers,
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
