//! The host that a test sets up.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use polyplug_abi::BundleId;

use crate::Runtime;
use crate::contract::{Contract, Provides};
use crate::error::RuntimeError;
use crate::testing::linked::{Linked, list};
use crate::testing::{fake, linked};

/// A host for the plugins of one package that are linked into the test, with fakes for the contracts that they call.
///
/// The methods that set up the host panic at the test's line if the test itself is wrong. A fault of the plugin, or a
/// missing requirement of the plugin, is an error of [`proxy`](Self::proxy), so that a test can check the error: the
/// package is loaded as a bundle when the test asks for the first proxy.
///
/// Keep the host for as long as its proxies: after the host is dropped, their calls fail with
/// [`CallError::Unloaded`](crate::CallError::Unloaded).
#[must_use = "ask it for a proxy"]
pub struct Host {
    runtime: Arc<Runtime>,
    tested: Linked,
    /// The linked packages that are loaded before the tested one.
    peers: Vec<Linked>,
    /// The names of the contracts that fakes provide.
    fakes: HashSet<&'static str>,
    /// The contracts that fakes and peers provide, `name@major`.
    provided: BTreeSet<String>,
    config: toml::Table,
    loaded: Mutex<Option<BundleId>>,
}

impl Host {
    /// Makes a host for the plugins of the only package with plugins that is linked into the test.
    ///
    /// # Panics
    ///
    /// Panics if the number of such packages is not one. [`of`](Self::of) chooses among several.
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

    /// Makes a host for the plugins of `package`, for a test into which several packages are linked. In the plugins'
    /// own crate write `Host::of(env!("CARGO_PKG_NAME"))`.
    ///
    /// # Panics
    ///
    /// Panics if no plugin of `package` is linked.
    #[track_caller]
    pub fn of(package: &str) -> Self {
        let tested = expect(Linked::of(package));
        let runtime = expect(linked::runtime());
        let (peers, fakes, provided, config, loaded) = Default::default();
        Self { runtime, tested, peers, fakes, provided, config, loaded }
    }

    /// Takes name, settings, dependencies and host contracts from the text of the bundle's manifest,
    /// `include_str!("../manifest.toml")`. So the test shows that the manifest declares everything that the plugins
    /// need. The manifest's `file` need not exist.
    ///
    /// Without a manifest the bundle has the name of the package, may use every host contract, and may call only the
    /// peers that the test adds.
    ///
    /// # Panics
    ///
    /// Panics if the manifest is malformed.
    #[track_caller]
    pub fn manifest(mut self, text: &str) -> Self {
        expect(self.tested.set_manifest(text));
        self
    }

    /// Sets settings, as TOML, that override those of the manifest, like [`Runtime::configure`]. The settings of an
    /// earlier call are replaced.
    ///
    /// # Panics
    ///
    /// Panics if the text is not TOML.
    #[track_caller]
    pub fn config(mut self, text: &str) -> Self {
        self.config = expect(text.parse().map_err(|error| format!("the settings are not TOML: {error}")));
        self
    }

    /// Provides host contract `C`, like [`Runtime::provide`].
    ///
    /// # Panics
    ///
    /// Panics if the contract is provided already.
    #[track_caller]
    pub fn provide<C: Contract + ?Sized>(self, fake: impl Provides<C>) -> Self {
        expect(self.runtime.provide::<C>(fake));
        self
    }

    /// Adds a peer: another bundle in which `fake` provides contract `C`. The tested plugins call the peer with
    /// [`PluginContext::peer`](crate::PluginContext::peer), and all reach this one object.
    ///
    /// # Panics
    ///
    /// Panics if the test has a fake of that contract already.
    #[track_caller]
    pub fn peer<C: Contract + ?Sized>(mut self, fake: impl Provides<C>) -> Self {
        assert!(self.fakes.insert(C::NAME), "the test has a fake peer for {} already: give each once", C::NAME);
        expect(fake::load::<C>(&self.runtime, fake));
        self.provided.insert(format!("{}@{}", C::NAME, C::MAJOR));
        self
    }

    /// Adds a peer: another bundle, made of a package that is linked into the test, with the text of its manifest.
    /// Peers are loaded in the order in which they are added, before the tested bundle.
    ///
    /// # Panics
    ///
    /// Panics if no plugin of the package is linked, or if the manifest is malformed.
    #[track_caller]
    pub fn linked_peer(mut self, package: &str, manifest: &str) -> Self {
        let mut peer = expect(Linked::of(package));
        expect(peer.set_manifest(manifest));
        self.provided.extend(peer.provides());
        self.peers.push(peer);
        self
    }

    /// Makes a typed proxy for the tested plugin of contract `C`, with an instance of its own unless the plugin is a
    /// singleton.
    ///
    /// # Errors
    ///
    /// Fails with the errors of [`Runtime::load_bundle`] and [`Runtime::proxy_from`]. For example, with
    /// [`RuntimeError::HostContractMissing`] for a host contract that the manifest lists and the test does not provide,
    /// or with [`RuntimeError::Factory`] for settings that the plugin's factory rejects.
    #[track_caller]
    pub fn proxy<C: Contract + ?Sized>(&self) -> Result<C::Proxy, RuntimeError> {
        let bundle = self.load()?;
        self.runtime.proxy_from::<C>(bundle)
    }

    /// Returns the runtime, with the tested bundle loaded, for a test that needs more than proxies, such as unloading.
    ///
    /// # Errors
    ///
    /// Fails with the errors of [`Runtime::load_bundle`].
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

/// Returns the value, or panics with the error at the test's line.
#[track_caller]
fn expect<T>(outcome: Result<T, impl std::fmt::Display>) -> T {
    match outcome {
        Ok(value) => value,
        Err(error) => panic!("{error}"), // not in a closure, which would hide the caller
    }
}
