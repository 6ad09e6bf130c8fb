//! The host that a test sets up.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use polyplug_abi::BundleId;

use crate::Runtime;
use crate::contract::{Contract, Provides};
use crate::error::RuntimeError;
use crate::testing::linked::{Linked, list};
use crate::testing::{fake, linked};

/// Hosts the plugins of one package that are linked into the test, with fakes for what they call.
///
/// The methods that set it up panic at the test's line when the test itself is wrong. What is wrong with the plugin, or
/// missing for it, is an error of [`proxy`](Self::proxy), so that a test can ask for it: the package is loaded as a bundle
/// when the first proxy is asked for.
///
/// Keep the host for as long as its proxies: when it goes, they answer
/// [`CallError::Unloaded`](crate::CallError::Unloaded).
#[must_use = "ask it for a proxy"]
pub struct Host {
    runtime: Arc<Runtime>,
    tested: Linked,
    /// Linked packages that are loaded before.
    peers: Vec<Linked>,
    /// The names of the contracts that fakes provide.
    fakes: HashSet<&'static str>,
    /// The contracts that any others than the tested package provide, `name@major`.
    provided: BTreeSet<String>,
    config: toml::Table,
    loaded: Mutex<Option<BundleId>>,
}

impl Host {
    /// Hosts the plugins of the only package with plugins that is linked into the test.
    ///
    /// # Panics
    ///
    /// There is none, or more than one: [`of`](Self::of) says which one is meant.
    #[track_caller]
    pub fn new() -> Self {
        match Linked::packages()[..] {
            [package] => Self::of(package),
            [] => panic!(
                "no plugin is linked into this test: a `#[polyplug::plugin]` has to be in its crate; a test outside of \
                 the plugin's crate links it with `use the_crate as _;`, for which its `crate-type` needs \"rlib\""
            ),
            ref packages => panic!(
                "plugins of more than one package are linked into this test, {}: say whose are tested, \
                 `Host::of(env!(\"CARGO_PKG_NAME\"))`",
                list(packages)
            ),
        }
    }

    /// Hosts the plugins of `package`, of all that are linked into the test: in the plugins' own crate
    /// `Host::of(env!("CARGO_PKG_NAME"))`.
    ///
    /// # Panics
    ///
    /// None of its plugins is linked.
    #[track_caller]
    pub fn of(package: &str) -> Self {
        let tested = expect(Linked::of(package));
        let runtime = expect(linked::runtime());
        let (peers, fakes, provided, config, loaded) = Default::default();
        Self { runtime, tested, peers, fakes, provided, config, loaded }
    }

    /// Takes name, settings, dependencies and host contracts from the text of the bundle's manifest,
    /// `include_str!("../manifest.toml")`. So the test shows that the manifest has what the plugins need. Its `file` is
    /// not looked for.
    ///
    /// Without a manifest the bundle is called like the package, may use every host contract, and may call the peers that
    /// the test gives and no others.
    ///
    /// # Panics
    ///
    /// The manifest is malformed.
    #[track_caller]
    pub fn manifest(mut self, text: &str) -> Self {
        expect(self.tested.set_manifest(text));
        self
    }

    /// Settings, as TOML, over those of the manifest: as from [`Runtime::configure`]. They replace what an earlier call
    /// gave.
    ///
    /// # Panics
    ///
    /// The text is not TOML.
    #[track_caller]
    pub fn config(mut self, text: &str) -> Self {
        self.config = expect(text.parse().map_err(|error| format!("the settings are not TOML: {error}")));
        self
    }

    /// Provides host contract `C`: as [`Runtime::provide`].
    ///
    /// # Panics
    ///
    /// It is provided already.
    #[track_caller]
    pub fn provide<C: Contract + ?Sized>(self, fake: impl Provides<C>) -> Self {
        expect(self.runtime.provide::<C>(fake));
        self
    }

    /// Has an object of the test provide contract `C` as another bundle's plugin, which the tested ones call with
    /// [`PluginContext::peer`](crate::PluginContext::peer). They all call this one object.
    ///
    /// # Panics
    ///
    /// There is a fake of that contract already.
    #[track_caller]
    pub fn peer<C: Contract + ?Sized>(mut self, fake: impl Provides<C>) -> Self {
        assert!(self.fakes.insert(C::NAME), "the test has a fake peer for {} already: give each once", C::NAME);
        expect(fake::load::<C>(&self.runtime, fake));
        self.provided.insert(format!("{}@{}", C::NAME, C::MAJOR));
        self
    }

    /// Has another package that is linked into the test be another bundle, with the text of its manifest. Such bundles are
    /// loaded in the order in which they are given, before the one that is tested.
    ///
    /// # Panics
    ///
    /// None of its plugins is linked, or its manifest is malformed.
    #[track_caller]
    pub fn linked_peer(mut self, package: &str, manifest: &str) -> Self {
        let mut peer = expect(Linked::of(package));
        expect(peer.set_manifest(manifest));
        self.provided.extend(peer.provides());
        self.peers.push(peer);
        self
    }

    /// A typed proxy for the tested plugin of contract `C`, with an instance of its own unless the plugin shares one.
    ///
    /// # Errors
    ///
    /// Those of [`Runtime::load_bundle`] and [`Runtime::proxy_from`], such as [`RuntimeError::HostContractMissing`] for
    /// what the manifest lists and the test does not provide, or [`RuntimeError::Factory`] with what the plugin's factory
    /// says of its settings.
    #[track_caller]
    pub fn proxy<C: Contract + ?Sized>(&self) -> Result<C::Proxy, RuntimeError> {
        let bundle = self.load()?;
        self.runtime.proxy_from::<C>(bundle)
    }

    /// The runtime, with the tested bundle loaded: for what a plugin's test wants beyond proxies, such as unloading.
    ///
    /// # Errors
    ///
    /// Those of [`Runtime::load_bundle`].
    pub fn runtime(&self) -> Result<&Arc<Runtime>, RuntimeError> {
        self.load()?;
        Ok(&self.runtime)
    }

    fn load(&self) -> Result<BundleId, RuntimeError> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bundle) = *loaded {
            return Ok(bundle);
        }
        for peer in &self.peers {
            peer.load(&self.runtime, &BTreeSet::new())?;
        }
        self.runtime.configure(self.tested.name(), &self.config)?;
        let bundle = self.tested.load(&self.runtime, &self.provided)?;
        *loaded = Some(bundle);
        Ok(bundle)
    }
}

impl Default for Host {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("tested", &self.tested.name()).field("runtime", &self.runtime).finish()
    }
}

/// What a test must not get wrong.
#[track_caller]
fn expect<T>(outcome: Result<T, impl std::fmt::Display>) -> T {
    match outcome {
        Ok(value) => value,
        Err(error) => panic!("{error}"), // not in a closure, which would hide the caller
    }
}
