//! In place of `runtime`: a store, a reclaimer, and the steps of a load, a reload and an unload that other threads can
//! see.

use std::ffi::c_void;
use std::panic::Location;
use std::ptr::NonNull;
use std::sync::Arc as Untracked;

use polyplug::error::RuntimeError;
use polyplug_abi::BundleId;

use crate::contract_info::ContractInfo;
use crate::host::abi::object_tokens::{ObjectMethods, ObjectTokens};
use crate::host::abi::table::HostTable;
use crate::host::code::{self, CONTRACT, Code, Library};
use crate::host::plugin::plugin::Plugin;
use crate::host::store::instances::{self, Forward, ForwardingCell, Transition, VersionedInstance};
use crate::host::store::provider::Provider;
use crate::host::store::publish;
use crate::host::store::runtime_store::RuntimeStore;
use crate::host::version::lineage::Lineage;
use crate::host::version::reclaim::Reclaimer;
use crate::host::version::scope::BundleScope;
use crate::host::version::version::BundleVersion;
use crate::proxy::RawProxy;
use crate::sync::Arc;

pub(crate) const BUNDLE: BundleId = BundleId::from_u64(1);

pub(crate) static INFO: ContractInfo = ContractInfo;

pub(crate) struct Runtime {
    store: RuntimeStore,
    pub(crate) reclaimer: Reclaimer,
}

/// One version of the bundle: the lease that the runtime holds, its plugin, and its code.
pub(crate) struct Loaded {
    pub(crate) version: Arc<BundleVersion>,
    pub(crate) provider: Arc<Provider>,
    pub(crate) lineage: Arc<Lineage<Arc<Provider>>>,
    pub(crate) code: Untracked<Code>,
}

impl Runtime {
    pub(crate) fn new() -> Untracked<Self> {
        Untracked::new(Self { store: RuntimeStore::new(), reclaimer: Reclaimer::default() })
    }

    /// Makes a version that does not serve yet.
    pub(crate) fn make(&self, number: u32, shares: bool, lineage: &Arc<Lineage<Arc<Provider>>>) -> Loaded {
        let code = Code::new(number);
        let scope = BundleScope { id: BUNDLE, name: "bundle".to_owned() };
        let version = BundleVersion::new(scope, &self.reclaimer, |_, _| {
            // SAFETY: no model reads the table.
            unsafe { HostTable::new(NonNull::dangling(), Untracked::new(NoTokens)) }
        });
        version.keep_module(Box::new(Library(Untracked::clone(&code))));
        let plugin = Plugin::new(BUNDLE, Untracked::clone(&code));
        let provider = Arc::new(Provider::start(plugin, &version, lineage, shares));
        Loaded { version, provider, lineage: Arc::clone(lineage), code }
    }

    /// Loads the first version of a bundle, which then serves.
    pub(crate) fn load(&self, number: u32, shares: bool) -> Loaded {
        let loaded = self.make(number, shares, &Arc::default());
        let providers = std::slice::from_ref(&loaded.provider);
        publish::publish_version(&self.store, &loaded.lineage, providers).expect("the only provider");
        loaded
    }

    /// Reloads, after the new version was made: carries the state over, then makes the new version serve.
    pub(crate) fn reload(&self, old: Loaded, new: Loaded) -> Loaded {
        self.reclaimer.collecting(|| {
            let mut next = Vec::new();
            migrate_instances(&old.provider, &new.provider, &mut next);
            let (before, after) = (std::slice::from_ref(&old.provider), std::slice::from_ref(&new.provider));
            publish::swap_version(&self.store, &old.lineage, &old.version, before, after, next);
            drop(old);
        });
        new
    }

    /// Unloads a version.
    pub(crate) fn unload(&self, loaded: Loaded) {
        self.reclaimer.collecting(|| {
            let providers = std::slice::from_ref(&loaded.provider);
            publish::retire_version(&self.store, &loaded.lineage, &loaded.version, providers);
            drop(loaded);
        });
    }

    /// Makes a proxy, as `lookup.rs` does.
    pub(crate) fn proxy(&self) -> Result<RawProxy, RuntimeError> {
        let site = Location::caller();
        let guard = crossbeam_epoch::pin();
        let Some(provider) = self.store.first(CONTRACT, &guard) else {
            return Err(RuntimeError::BundleNotLoaded { id: BUNDLE, name: None, loaded: Vec::new() });
        };
        if provider.shared().is_some() {
            return instances::shared_proxy(provider, &INFO, site, &guard);
        }
        let provider = Arc::clone(provider);
        drop(guard);
        instances::proxy(provider, &INFO, site)
    }

    /// Makes a proxy for an instance of a provider that was looked up before.
    pub(crate) fn proxy_for(&self, provider: Arc<Provider>) -> RawProxy {
        instances::proxy(provider, &INFO, Location::caller()).expect("the factory cannot fail")
    }
}

/// Migrates the instances, as `reload.rs` does for plugins that carry their state over.
fn migrate_instances(old: &Arc<Provider>, new: &Arc<Provider>, next: &mut Vec<(Arc<ForwardingCell>, Transition)>) {
    for (cell, held) in old.leases().cells() {
        let place = cell.get();
        let versioned = match (&place, &held) {
            (Forward::To(versioned), _) => versioned,
            (Forward::None, Some(held)) => held.versioned(),
            (Forward::None, None) => continue,
            (Forward::Pinned(_), _) => unreachable!("nothing drains here"),
        };
        let instance = code::create(new.plugin.code(), code::calls(versioned.raw()));
        next.push((cell, Transition::MovesTo(Arc::new(VersionedInstance::of(Arc::clone(new), instance)))));
    }
}

/// Stands for the tokens of a runtime's objects, which no model has.
struct NoTokens;

impl ObjectTokens for NoTokens {
    fn adapt(&self, _: *mut c_void, _: Untracked<dyn ObjectMethods>) -> Result<*mut c_void, String> {
        Err("there are no objects".to_owned())
    }

    fn close_adapted(&self, _: *mut c_void) {}
}
