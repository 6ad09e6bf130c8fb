//! The table of the plugins' proxies.
//!
//! A plugin holds a token, and the table has the proxy behind the token. A proxy does not delay the unload
//! of a bundle: a peer's instance is destroyed when the peer's bundle is unloaded, and each call takes a lease on the
//! version that serves then.

use std::ffi::c_void;
use std::panic::Location;
use std::sync::Arc;

use polyplug_abi::{BundleId, GuestContractId, HostContractId, ProxyTarget};

use super::depth::DepthGuard;
use super::host_object::HostObject;
use super::object::Object;
use super::peer::Peer;
use super::request::ProxySpec;
use crate::call_error::Callee as Called;
use crate::host::abi::dispatch::CallFrame;
use crate::host::abi::object_tokens::{ObjectMethods, ObjectTokens};
use crate::host::abi::slot_map::SlotMap;
use crate::host::error::proxy::ProxyError;
use crate::host::error::suggest::did_you_mean_contract;
use crate::host::host_contract::grants::Grants;
use crate::host::host_contract::registry::HostContracts;
use crate::host::plugin::schema::PluginSchema;
use crate::host::store::instances::InstanceLease;
use crate::host::store::provider::Provider;
use crate::host::store::runtime_store::RuntimeStore;
use crate::host::version::scope::BundleScope;
use crate::schema::Schema;

/// The proxy behind a token.
pub(crate) enum PluginProxy {
    /// A callee that a bundle has asked for, and that this bundle alone may call.
    Opened { by: BundleId, callee: Callee },
    /// An object that a caller passed to its callee.
    Object(Offered),
    /// A lent object that its callee passes on. Closing this token does not close the object, which stays its caller's.
    Forwarded(Offered),
}

/// An object, as it is called by a token.
#[derive(Clone)]
pub(crate) struct Offered {
    object: Arc<Object>,
    /// The methods that calls pass, the last of them first: one for each callee that was given the object and knows another
    /// version of the contract than the caller that passed the object. Rarely any.
    through: Vec<Arc<dyn ObjectMethods>>,
}

impl Offered {
    /// Calls the method with the number `fn_id`, through the first `passed` of the methods that calls pass.
    ///
    /// # Safety
    ///
    /// As of [`PluginProxies::call`].
    unsafe fn call(
        &self,
        passed: usize,
        fn_id: u32,
        frame: CallFrame,
        tokens: &dyn ObjectTokens,
    ) -> Result<bool, ProxyError> {
        let Some(inner) = passed.checked_sub(1) else {
            // SAFETY: the caller promises the frame.
            return unsafe { self.object.call(fn_id, frame) };
        };
        let mut failure = None;
        let mut call = |fn_id, frame| {
            // SAFETY: the methods hand on a frame that the next ones, or the object, expect.
            let called = unsafe { self.call(inner, fn_id, frame, tokens) };
            called.unwrap_or_else(|error| {
                failure = Some(error);
                false
            })
        };
        // SAFETY: the caller promises the frame.
        let is_called = unsafe { self.through[inner].call(fn_id, frame, tokens, &mut call) };
        failure.map_or(Ok(is_called), Err)
    }
}

/// The callee of a proxy that a bundle has asked for.
pub(crate) enum Callee {
    /// An object of a host contract.
    Host(HostObject),
    /// An instance of another bundle's plugin.
    Peer(Arc<Peer>),
}

impl PluginProxy {
    /// Returns the callee, for errors.
    fn called(&self) -> Called {
        match self {
            Self::Opened { callee: Callee::Host(_), .. } => Called::Host,
            Self::Opened { callee: Callee::Peer(peer), .. } => Called::Bundle(peer.bundle.clone()),
            Self::Object(offered) | Self::Forwarded(offered) => offered.object.callee(),
        }
    }

    /// Returns whether the code of a bundle may use the proxy. The host, `None`, may use all.
    fn is_for(&self, caller: Option<BundleId>) -> bool {
        match self {
            Self::Opened { by, .. } => caller.is_none_or(|caller| caller == *by),
            Self::Object(_) | Self::Forwarded(_) => true,
        }
    }
}

/// The parts of a runtime in which the callees of plugins' proxies are found.
#[derive(Clone, Copy)]
pub(crate) struct Callees<'a> {
    pub(crate) store: &'a RuntimeStore,
    pub(crate) host_contracts: &'a HostContracts,
    pub(crate) grants: &'a Grants,
}

/// The proxies of all plugins of one runtime, by token.
pub(crate) struct PluginProxies(SlotMap<PluginProxy>);

impl Default for PluginProxies {
    fn default() -> Self {
        Self(SlotMap::new())
    }
}

impl PluginProxies {
    /// Opens a proxy for the plugins of `scope`. Returns its token, and the callee for errors.
    pub(crate) fn open(
        &self,
        callees: Callees<'_>,
        scope: Option<&BundleScope>,
        spec: ProxySpec,
    ) -> Result<(*mut c_void, Called), ProxyError> {
        let Some(scope) = scope else { return Err(ProxyError::NoBundle) };
        let _deeper = DepthGuard::enter()?; // a factory may open a proxy in turn
        let callee = match spec.target {
            ProxyTarget::Host => Callee::Host(callees.host_object(scope, &spec)?),
            ProxyTarget::Peer => Callee::Peer(callees.peer(scope, spec)?),
            ProxyTarget(other) => return Err(ProxyError::UnknownTarget { target: other }),
        };
        let proxy = PluginProxy::Opened { by: scope.id, callee };
        let called = proxy.called();
        Ok((self.0.insert(Arc::new(proxy)), called))
    }

    /// Calls method `fn_id` through a plugin's proxy, for the bundle `caller` or the host. The callee writes its own failure to the frame's error.
    ///
    /// # Safety
    ///
    /// `frame` must be what the method's entry expects. Its `out_err` must point to an error whose code is 0. The
    /// runtime must exist during the call.
    pub(crate) unsafe fn call(
        &self,
        caller: Option<BundleId>,
        token: *mut c_void,
        fn_id: u32,
        frame: CallFrame,
    ) -> Result<(), ProxyError> {
        let proxy = self.0.get(token).filter(|proxy| proxy.is_for(caller)).ok_or(ProxyError::Closed)?;
        let _deeper = DepthGuard::enter()?;
        // SAFETY: the caller promises the frame, and that the runtime exists.
        let is_called = unsafe {
            match &*proxy {
                PluginProxy::Object(offered) | PluginProxy::Forwarded(offered) => {
                    offered.call(offered.through.len(), fn_id, frame, self)?
                }
                PluginProxy::Opened { callee: Callee::Host(object), .. } => object.call(fn_id, frame, self),
                PluginProxy::Opened { callee: Callee::Peer(peer), .. } => peer.call(fn_id, frame, self)?,
            }
        };
        if is_called { Ok(()) } else { Err(ProxyError::MissingMethod { number: fn_id }) }
    }

    /// Returns the callee behind a token, for errors.
    #[cold]
    pub(crate) fn callee(&self, token: *mut c_void) -> Called {
        self.0.get(token).map_or(Called::Unknown, |proxy| proxy.called())
    }

    /// Closes a plugin's proxy. Ignores a stale token, and one that another bundle than `caller` has asked for.
    pub(crate) fn close(&self, caller: Option<BundleId>, token: *mut c_void) {
        if !self.0.get(token).is_some_and(|proxy| proxy.is_for(caller)) {
            return;
        }
        let Some(proxy) = self.0.remove(token) else { return };
        if let PluginProxy::Object(Offered { object, .. }) = &*proxy
            && !object.may_be_kept()
        {
            object.close();
        }
    }

    /// Adds an object. Returns a token for calling it.
    pub(crate) fn offer(&self, object: &Arc<Object>) -> *mut c_void {
        self.insert(Offered { object: Arc::clone(object), through: Vec::new() })
    }

    fn insert(&self, offered: Offered) -> *mut c_void {
        self.0.insert(Arc::new(PluginProxy::Object(offered)))
    }

    /// Returns another token for a kept object, and the bundle that offered the object, or the host.
    pub(crate) fn share(&self, token: *mut c_void) -> Result<(*mut c_void, Called), ProxyError> {
        match self.0.get(token).as_deref() {
            Some(PluginProxy::Object(offered)) if offered.object.may_be_kept() => {
                Ok((self.insert(offered.clone()), offered.object.callee()))
            }
            Some(_) => Err(ProxyError::NotKept),
            None => Err(ProxyError::Closed),
        }
    }

    /// Returns a token for passing an object on as an argument of another call, through `more` methods if there are any.
    /// A kept object is shared. A lent object can be called only until the call that it was lent for returns.
    pub(crate) fn pass_on(
        &self,
        token: *mut c_void,
        more: Option<Arc<dyn ObjectMethods>>,
    ) -> Result<*mut c_void, ProxyError> {
        let pass = |offered: &Offered| {
            let mut offered = offered.clone();
            offered.through.extend(more);
            offered
        };
        match self.0.get(token).as_deref() {
            Some(PluginProxy::Object(offered)) if offered.object.may_be_kept() => Ok(self.insert(pass(offered))),
            Some(PluginProxy::Object(offered) | PluginProxy::Forwarded(offered)) => {
                Ok(self.0.insert(Arc::new(PluginProxy::Forwarded(pass(offered)))))
            }
            Some(_) => Err(ProxyError::NotKept),
            None => Err(ProxyError::Closed),
        }
    }
}

impl ObjectTokens for PluginProxies {
    fn adapt(&self, token: *mut c_void, methods: Arc<dyn ObjectMethods>) -> Result<*mut c_void, String> {
        self.pass_on(token, Some(methods)).map_err(|error| error.to_string())
    }

    fn close_adapted(&self, token: *mut c_void) {
        self.close(None, token);
    }
}

impl Callees<'_> {
    /// Returns the schema that a provider of a contract has, for guests that know only the contract's name.
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
        let provided = self.host_contracts.find(id).ok_or_else(|| self.not_provided(spec))?;
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

    /// Returns the error of a look-up of a host contract that the host does not provide.
    #[cold]
    fn not_provided(&self, spec: &ProxySpec) -> ProxyError {
        let providers = self.store.providers(GuestContractId::new(&spec.name, spec.major));
        let hint = match providers.first() {
            Some((_, provider)) => format!(
                ", but bundle `{}` provides it, as a plugin, which is called with `PluginContext::peer` (in scripts \
                 `polyplug.peer`, in C# `Peer.Get`)",
                provider.bundle_name()
            ),
            None => did_you_mean_contract(&spec.name, &self.host_contracts.contracts()),
        };
        ProxyError::NotProvided { contract: spec.contract(), hint }
    }

    /// Returns what there is in place of a contract that is looked up among other bundles, and the remedy: `remedy`, unless
    /// the host has the contract.
    #[cold]
    fn instead_of_peer(&self, spec: &ProxySpec, remedy: &str) -> String {
        if !self.store.named(&spec.name).is_empty() {
            return format!(": {remedy}");
        }
        if self.host_contracts.find(HostContractId::new(&spec.name, spec.major)).is_some() {
            return ", but the host does, which is called with `PluginContext::host` (in scripts `polyplug.host`, in C# \
                    `Host.Get`)"
                .to_owned();
        }
        let near = did_you_mean_contract(&spec.name, &self.store.snapshot().view().contracts(None));
        format!("{near}: {remedy}")
    }

    #[track_caller]
    fn peer(&self, scope: &BundleScope, spec: ProxySpec) -> Result<Arc<Peer>, ProxyError> {
        let id = GuestContractId::new(&spec.name, spec.major);
        let contract = spec.contract();
        let Some(least) = scope.required_minor(id) else {
            let remedy = format!("add `[[dependency]]` with `contract = \"{contract}\"`");
            let hint = self.instead_of_peer(&spec, &remedy);
            return Err(ProxyError::Undeclared { contract, bundle: scope.name.clone(), hint });
        };
        let least = least.max(spec.minor);
        let providers = self.store.providers(id);
        let new_enough = |provider: &Provider| provider.plugin.interface.contract_version.minor >= least;
        // A plugin may implement the contract itself, and call another plugin that implements it.
        let found = providers.into_iter().map(|(_, provider)| provider);
        let mut found = found.filter(|provider| provider.plugin.bundle != scope.id && new_enough(provider));
        let provider = found.next().ok_or_else(|| ProxyError::NoPeer {
            contract: contract.clone(),
            hint: self.instead_of_peer(&spec, "load one that does"),
        })?;
        let held = InstanceLease::new(Arc::clone(&provider), Location::caller())
            .map_err(|error| ProxyError::Factory { contract, reason: error.to_string() })?;
        Peer::new(spec, &provider, held)
    }
}
