//! Plugins of other bundles, for calls of plugins.

use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use super::request::{MethodMap, ProxySpec, method_index};
use crate::host::abi::dispatch::CallFrame;
use crate::host::error::proxy::ProxyError;
use crate::host::plugin::schema::PluginSchema;
use crate::host::store::instances::InstanceLease;
use crate::host::store::provider::Provider;

/// An instance of another bundle's plugin.
pub(crate) struct Peer {
    spec: ProxySpec,
    pub(crate) bundle: String,
    /// The instance that calls go to, or `None` once its bundle is unloaded.
    bound: RwLock<Option<Bound>>,
    /// The lock of the thread that looks for the next version.
    rebinding: Mutex<()>,
}

#[derive(Clone)]
struct Bound {
    held: Arc<InstanceLease>,
    methods: Option<MethodMap>,
}

impl Peer {
    pub(crate) fn new(
        spec: ProxySpec,
        provider: &Arc<Provider>,
        held: Arc<InstanceLease>,
    ) -> Result<Arc<Self>, ProxyError> {
        let methods = method_map_at(&spec, provider)?;
        let bound = RwLock::new(Some(Bound { held, methods }));
        let bundle = provider.bundle_name().to_owned();
        let this = Arc::new(Self { spec, bundle, bound, rebinding: Mutex::default() });
        this.follow(provider);
        Ok(this)
    }

    /// Binds the peer to the next version when the bundle of `provider` is reloaded, or to none when it is unloaded.
    fn follow(self: &Arc<Self>, provider: &Provider) {
        let this = Arc::downgrade(self);
        provider.leases().when_retired(move || {
            let this = Weak::upgrade(&this);
            this.map(|this| drop(this.rebind())).is_some()
        });
    }

    fn bound(&self) -> Option<Bound> {
        self.bound.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the instance that serves now, or `None` if its bundle is unloaded.
    fn current(self: &Arc<Self>) -> Option<Bound> {
        let bound = self.bound()?;
        if bound.held.versioned().provider().is_current() { Some(bound) } else { self.rebind() }
    }

    /// Calls the method with the plugin's number `fn_id`, of the instance that serves now. Returns whether the provider
    /// has that method.
    ///
    /// # Safety
    ///
    /// `frame` must be what the method's entry expects. Its `out_err` must point to an error whose code is 0.
    pub(crate) unsafe fn call(self: &Arc<Self>, fn_id: u32, frame: CallFrame) -> Result<bool, ProxyError> {
        let bound = self.current().ok_or_else(|| ProxyError::Unloaded { bundle: self.bundle.clone() })?;
        let Some(fn_id) = method_index(bound.methods.as_ref(), fn_id) else { return Ok(false) };
        // SAFETY: the caller promises the frame, and `method_index` returned the provider's number of the method.
        let is_called = unsafe { bound.held.versioned().call(fn_id, frame) };
        // SAFETY: the caller promises the frame, and `bound` keeps the callee's code mapped.
        unsafe { frame.keep_message() };
        Ok(is_called)
    }

    /// Binds the peer to the instance that serves now, and returns that instance.
    fn rebind(self: &Arc<Self>) -> Option<Bound> {
        let _one = self.rebinding.lock().unwrap_or_else(PoisonError::into_inner);
        let bound = self.bound()?;
        if bound.held.versioned().provider().is_current() {
            return Some(bound);
        }
        let next = match bound.held.current_lease() {
            Ok(None) => return Some(bound), // the instance stays on the old code
            Ok(Some(held)) => method_map_at(&self.spec, held.versioned().provider())
                .ok()
                .map(|methods| Bound { held: Arc::new(held), methods }),
            Err(_) => None,
        };
        if let Some(next) = &next {
            self.follow(next.held.versioned().provider());
        }
        let mut current = self.bound.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *current, next.clone());
        drop(current);
        drop(before); // a lease, which is dropped without the lock
        next
    }
}

/// Returns the numbers that the methods of `spec` have at a provider, or `None` if they are the same.
fn method_map_at(spec: &ProxySpec, provider: &Provider) -> Result<Option<MethodMap>, ProxyError> {
    let schema = provider.plugin.schema.as_ref().map(PluginSchema::schema);
    if schema.is_none() && spec.schema.is_some() {
        return Err(ProxyError::NoSchema { contract: spec.contract(), bundle: provider.bundle_name().to_owned() });
    }
    spec.method_map(schema, &format!("bundle `{}`", provider.bundle_name()))
}
