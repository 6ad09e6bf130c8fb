//! Proxies that plugins have for others: for contracts of the host, and for other plugins, their peers.
//!
//! What a plugin holds is a token. Here is what stands behind it. It keeps nobody loaded: a peer's instance goes with the
//! peer's bundle, and each call leases the version that serves then.

use std::cell::Cell;
use std::ffi::c_void;
use std::panic::Location;
use std::sync::Arc;

use polyplug_abi::{AbiError, CallArena, GuestContractId, HostContractId, ProxyTarget};

use super::error::ProxyError;
use super::host_object::HostObject;
use super::object::Object;
use super::peer::Peer;
use super::request::{Wanted, number};
use crate::host::plugin::contract_check::Described;
use crate::host::runtime::context::BundleScope;
use crate::host::runtime::runtime::Runtime;
use crate::host::store::instances::Held;
use crate::host::store::provider::Provider;
use crate::schema::Schema;

/// What stands behind a plugin's proxy.
pub(crate) enum PluginProxy {
    Host(HostObject),
    Peer(Arc<Peer>),
    Object(Arc<Object>),
    /// A lent object that its callee lends on. It stays its caller's to end.
    Relayed(Arc<Object>),
}

impl Runtime {
    /// A proxy for the plugins of `scope`: its token, and the name of the callee's bundle.
    pub(crate) fn open_plugin_proxy(
        &self,
        scope: Option<&BundleScope>,
        wanted: Wanted,
    ) -> Result<(*mut c_void, String), ProxyError> {
        let Some(scope) = scope else { return Err(ProxyError::NoBundle) };
        let (proxy, bundle) = match wanted.target {
            ProxyTarget::Host => (PluginProxy::Host(self.host_object(scope, &wanted)?), "host".to_owned()),
            ProxyTarget::Peer => {
                let peer = self.peer(scope, wanted)?;
                let bundle = peer.bundle.clone();
                (PluginProxy::Peer(peer), bundle)
            }
            ProxyTarget(other) => return Err(ProxyError::UnknownTarget { target: other }),
        };
        Ok((self.plugin_proxies().insert(Arc::new(proxy)), bundle))
    }

    /// The contract as who provides it describes it, for guests that know its name only.
    pub(crate) fn schema_of_callee(&self, target: ProxyTarget, name: &str, major: u32) -> Option<Arc<Schema>> {
        if target == ProxyTarget::Host {
            let provided = self.host_contracts().find(HostContractId::new(name, major))?;
            return provided.schema().cloned().map(Arc::new);
        }
        let providers = self.store().providers(GuestContractId::new(name, major));
        providers.into_iter().find_map(|(_, provider)| provider.plugin.schema.as_ref().map(Described::shared))
    }

    fn host_object(&self, scope: &BundleScope, wanted: &Wanted) -> Result<HostObject, ProxyError> {
        let id = HostContractId::new(&wanted.name, wanted.major);
        let contract = || wanted.contract();
        let least = self.least_of_host(scope, id, contract)?.max(wanted.minor);
        let provided =
            self.host_contracts().find(id).ok_or_else(|| ProxyError::NotProvided { contract: contract() })?;
        let version = provided.interface().contract_version;
        if version.minor < least {
            let contract = format!("{}@{}.{least}", wanted.name, wanted.major);
            return Err(ProxyError::HostIsOlder { contract, provided: version });
        }
        let numbers = wanted.numbers(provided.schema(), "the host")?;
        let failed = |reason| ProxyError::Factory { contract: contract(), reason };
        let (instance, is_own) = provided.instance(&scope.name).map_err(failed)?;
        Ok(HostObject { provided, instance, is_own, numbers })
    }

    #[track_caller]
    fn peer(&self, scope: &BundleScope, wanted: Wanted) -> Result<Arc<Peer>, ProxyError> {
        let id = GuestContractId::new(&wanted.name, wanted.major);
        let contract = wanted.contract();
        let Some(least) = scope.least_minor(id) else {
            return Err(ProxyError::Undeclared { contract, bundle: scope.name.clone() });
        };
        let least = least.max(wanted.minor);
        let providers = self.store().providers(id);
        let new_enough = |provider: &Provider| provider.plugin.interface.contract_version.minor >= least;
        // A plugin may implement what it needs another for.
        let found = providers.into_iter().map(|(_, provider)| provider);
        let mut found = found.filter(|provider| provider.plugin.bundle != scope.id && new_enough(provider));
        let provider = found.next().ok_or_else(|| ProxyError::NoPeer { contract: contract.clone() })?;
        let held = Held::new(Arc::clone(&provider), Location::caller())
            .map_err(|error| ProxyError::Factory { contract, reason: error.to_string() })?;
        Peer::new(wanted, &provider, held)
    }

    /// Calls through a plugin's proxy. A failure of the callee is written to `out_err`.
    ///
    /// # Safety
    ///
    /// The pointers must be what the method's entry expects.
    pub(crate) unsafe fn call_plugin_proxy(
        &self,
        token: *mut c_void,
        fn_id: u32,
        args: *const (),
        out: *mut (),
        arena: *mut CallArena,
        out_err: *mut AbiError,
    ) -> Result<(), ProxyError> {
        let proxy = self.plugin_proxies().get(token).ok_or(ProxyError::Closed)?;
        let _deeper = Deeper::enter()?;
        let missing = || ProxyError::MissingMethod { number: fn_id };
        match &*proxy {
            PluginProxy::Object(object) | PluginProxy::Relayed(object) => {
                object.call(fn_id, args, out, arena, out_err)?.then_some(()).ok_or_else(missing)
            }
            PluginProxy::Host(object) => {
                object.call(fn_id, args, out, arena, out_err).then_some(()).ok_or_else(missing)
            }
            PluginProxy::Peer(peer) => {
                let bound = peer.current().ok_or_else(|| ProxyError::Unloaded { bundle: peer.bundle.clone() })?;
                let fn_id = number(bound.numbers.as_ref(), fn_id).ok_or_else(missing)?;
                let call = bound.held.incarnation().entry(fn_id).ok_or_else(missing)?;
                call(args, out, arena, out_err);
                Ok(())
            }
        }
    }

    /// Ends a plugin's proxy.
    pub(crate) fn close_plugin_proxy(&self, token: *mut c_void) {
        let Some(proxy) = self.plugin_proxies().remove(token) else { return };
        if let PluginProxy::Object(object) = &*proxy
            && !object.may_be_kept()
        {
            object.close();
        }
    }

    /// A token for an object that may be called.
    pub(crate) fn offer_object(&self, object: &Arc<Object>) -> *mut c_void {
        self.plugin_proxies().insert(Arc::new(PluginProxy::Object(Arc::clone(object))))
    }

    /// Another token for an object that may be kept, and the name of the bundle that offered it.
    pub(crate) fn share_object(&self, token: *mut c_void) -> Result<(*mut c_void, String), ProxyError> {
        match self.plugin_proxies().get(token).as_deref() {
            Some(PluginProxy::Object(object)) if object.may_be_kept() => {
                Ok((self.offer_object(object), object.bundle().to_owned()))
            }
            Some(_) => Err(ProxyError::NotKept),
            None => Err(ProxyError::Closed),
        }
    }

    /// A token to hand an object on with, as an argument of another call: one that may be kept is shared, and one that is
    /// lent goes no further than the call it was lent for.
    pub(crate) fn pass_object(&self, token: *mut c_void) -> Result<*mut c_void, ProxyError> {
        match self.plugin_proxies().get(token).as_deref() {
            Some(PluginProxy::Object(object)) if object.may_be_kept() => Ok(self.offer_object(object)),
            Some(PluginProxy::Object(object) | PluginProxy::Relayed(object)) => {
                Ok(self.plugin_proxies().insert(Arc::new(PluginProxy::Relayed(Arc::clone(object)))))
            }
            Some(_) => Err(ProxyError::NotKept),
            None => Err(ProxyError::Closed),
        }
    }
}

/// How many calls by way of the host may be nested on a thread.
const DEPTH_LIMIT: u32 = 128;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// One call deeper on this thread, until dropped. Plugins that call each other without end would use up the stack, which
/// ends the process.
struct Deeper(());

impl Deeper {
    fn enter() -> Result<Self, ProxyError> {
        let depth = DEPTH.get();
        if depth == DEPTH_LIMIT {
            return Err(ProxyError::TooDeep { limit: DEPTH_LIMIT });
        }
        DEPTH.set(depth + 1);
        Ok(Self(()))
    }
}

impl Drop for Deeper {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}
