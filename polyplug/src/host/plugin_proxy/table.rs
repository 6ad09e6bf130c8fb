//! Proxies that plugins have for others: for contracts of the host, and for other plugins, their peers.
//!
//! What a plugin holds is a token. Here is what stands behind it. It keeps nobody loaded: a peer's instance goes with the
//! peer's bundle, and each call leases the version that serves then.

use std::ffi::c_void;
use std::panic::Location;
use std::sync::Arc;

use polyplug_abi::{GuestContractId, HostContractId, ProxyTarget};

use super::depth::DepthGuard;
use super::host_object::HostObject;
use super::object::Object;
use super::peer::Peer;
use super::request::ProxySpec;
use crate::host::abi::dispatch::CallFrame;
use crate::host::abi::slot_map::SlotMap;
use crate::host::error::proxy::ProxyError;
use crate::host::host_contract::grants::Grants;
use crate::host::host_contract::registry::HostContracts;
use crate::host::plugin::schema::PluginSchema;
use crate::host::store::instances::InstanceLease;
use crate::host::store::provider::Provider;
use crate::host::store::runtime_store::RuntimeStore;
use crate::host::version::scope::BundleScope;
use crate::schema::Schema;

/// What stands behind a plugin's proxy.
pub(crate) enum PluginProxy {
    Host(HostObject),
    Peer(Arc<Peer>),
    Object(Arc<Object>),
    /// A lent object that its callee lends on. It stays its caller's to end.
    Forwarded(Arc<Object>),
}

/// What plugins' proxies may lead to.
#[derive(Clone, Copy)]
pub(crate) struct Callees<'a> {
    pub(crate) store: &'a RuntimeStore,
    pub(crate) host_contracts: &'a HostContracts,
    pub(crate) grants: &'a Grants,
}

/// The proxies that the plugins of one runtime have.
pub(crate) struct PluginProxies(SlotMap<PluginProxy>);

impl Default for PluginProxies {
    fn default() -> Self {
        Self(SlotMap::new())
    }
}

impl PluginProxies {
    /// Opens a proxy for the plugins of `scope`. Returns its token, and the name of the callee's bundle.
    pub(crate) fn open(
        &self,
        callees: Callees<'_>,
        scope: Option<&BundleScope>,
        spec: ProxySpec,
    ) -> Result<(*mut c_void, String), ProxyError> {
        let Some(scope) = scope else { return Err(ProxyError::NoBundle) };
        let (proxy, bundle) = match spec.target {
            ProxyTarget::Host => (PluginProxy::Host(callees.host_object(scope, &spec)?), "host".to_owned()),
            ProxyTarget::Peer => {
                let peer = callees.peer(scope, spec)?;
                let bundle = peer.bundle.clone();
                (PluginProxy::Peer(peer), bundle)
            }
            ProxyTarget(other) => return Err(ProxyError::UnknownTarget { target: other }),
        };
        Ok((self.0.insert(Arc::new(proxy)), bundle))
    }

    /// Calls through a plugin's proxy. A failure of the callee is written to `out_err`.
    ///
    /// # Safety
    ///
    /// The pointers must be what the method's entry expects.
    pub(crate) unsafe fn call(&self, token: *mut c_void, fn_id: u32, frame: CallFrame) -> Result<(), ProxyError> {
        let proxy = self.0.get(token).ok_or(ProxyError::Closed)?;
        let _deeper = DepthGuard::enter()?;
        // SAFETY: the caller promises a frame that the method's entry expects; whoever calls by the runtime holds it.
        let is_called = unsafe {
            match &*proxy {
                PluginProxy::Object(object) | PluginProxy::Forwarded(object) => object.call(fn_id, frame)?,
                PluginProxy::Host(object) => object.call(fn_id, frame),
                PluginProxy::Peer(peer) => peer.call(fn_id, frame)?,
            }
        };
        if is_called { Ok(()) } else { Err(ProxyError::MissingMethod { number: fn_id }) }
    }

    /// Ends a plugin's proxy.
    pub(crate) fn close(&self, token: *mut c_void) {
        let Some(proxy) = self.0.remove(token) else { return };
        if let PluginProxy::Object(object) = &*proxy
            && !object.may_be_kept()
        {
            object.close();
        }
    }

    /// A token for an object that may be called.
    pub(crate) fn offer(&self, object: &Arc<Object>) -> *mut c_void {
        self.0.insert(Arc::new(PluginProxy::Object(Arc::clone(object))))
    }

    /// Another token for an object that may be kept, and the name of the bundle that offered it.
    pub(crate) fn share(&self, token: *mut c_void) -> Result<(*mut c_void, String), ProxyError> {
        match self.0.get(token).as_deref() {
            Some(PluginProxy::Object(object)) if object.may_be_kept() => {
                Ok((self.offer(object), object.bundle().to_owned()))
            }
            Some(_) => Err(ProxyError::NotKept),
            None => Err(ProxyError::Closed),
        }
    }

    /// A token to hand an object on with, as an argument of another call: one that may be kept is shared, and one that is
    /// lent goes no further than the call it was lent for.
    pub(crate) fn pass_on(&self, token: *mut c_void) -> Result<*mut c_void, ProxyError> {
        match self.0.get(token).as_deref() {
            Some(PluginProxy::Object(object)) if object.may_be_kept() => Ok(self.offer(object)),
            Some(PluginProxy::Object(object) | PluginProxy::Forwarded(object)) => {
                Ok(self.0.insert(Arc::new(PluginProxy::Forwarded(Arc::clone(object)))))
            }
            Some(_) => Err(ProxyError::NotKept),
            None => Err(ProxyError::Closed),
        }
    }
}

impl Callees<'_> {
    /// The contract as who provides it describes it, for guests that know its name only.
    pub(crate) fn schema_of_callee(&self, target: ProxyTarget, name: &str, major: u32) -> Option<Arc<Schema>> {
        if target == ProxyTarget::Host {
            let provided = self.host_contracts.find(HostContractId::new(name, major))?;
            return provided.schema().cloned().map(Arc::new);
        }
        let providers = self.store.providers(GuestContractId::new(name, major));
        providers.into_iter().find_map(|(_, provider)| provider.plugin.schema.as_ref().map(PluginSchema::shared))
    }

    fn host_object(&self, scope: &BundleScope, spec: &ProxySpec) -> Result<HostObject, ProxyError> {
        let id = HostContractId::new(&spec.name, spec.major);
        let contract = || spec.contract();
        let least = self.grants.required_minor(scope, id, contract)?.max(spec.minor);
        let provided = self.host_contracts.find(id).ok_or_else(|| ProxyError::NotProvided { contract: contract() })?;
        let version = provided.interface().contract_version;
        if version.minor < least {
            let contract = format!("{}@{}.{least}", spec.name, spec.major);
            return Err(ProxyError::HostIsOlder { contract, provided: version });
        }
        let methods = spec.method_map(provided.schema(), "the host")?;
        let failed = |reason| ProxyError::Factory { contract: contract(), reason };
        let (instance, is_own) = provided.instance(&scope.name).map_err(failed)?;
        Ok(HostObject { provided, instance, is_own, methods })
    }

    #[track_caller]
    fn peer(&self, scope: &BundleScope, spec: ProxySpec) -> Result<Arc<Peer>, ProxyError> {
        let id = GuestContractId::new(&spec.name, spec.major);
        let contract = spec.contract();
        let Some(least) = scope.required_minor(id) else {
            return Err(ProxyError::Undeclared { contract, bundle: scope.name.clone() });
        };
        let least = least.max(spec.minor);
        let providers = self.store.providers(id);
        let new_enough = |provider: &Provider| provider.plugin.interface.contract_version.minor >= least;
        // A plugin may implement what it needs another for.
        let found = providers.into_iter().map(|(_, provider)| provider);
        let mut found = found.filter(|provider| provider.plugin.bundle != scope.id && new_enough(provider));
        let provider = found.next().ok_or_else(|| ProxyError::NoPeer { contract: contract.clone() })?;
        let held = InstanceLease::new(Arc::clone(&provider), Location::caller())
            .map_err(|error| ProxyError::Factory { contract, reason: error.to_string() })?;
        Peer::new(spec, &provider, held)
    }
}
