//! Plugins of other bundles, as plugins call them.

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
    /// The instance, as it serves now; none once its bundle is unloaded.
    bound: RwLock<Option<Bound>>,
    /// One thread at a time looks for the next version.
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

    /// Goes where the provider's bundle goes when it is reloaded or unloaded.
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

    /// The instance that serves now.
    fn current(self: &Arc<Self>) -> Option<Bound> {
        let bound = self.bound()?;
        if bound.held.versioned().provider().is_current() { Some(bound) } else { self.rebind() }
    }

    /// Calls a method of the instance that serves now. Returns whether there is one of that number.
    ///
    /// # Safety
    ///
    /// `frame` must be what the method's entry expects.
    pub(crate) unsafe fn call(self: &Arc<Self>, fn_id: u32, frame: CallFrame) -> Result<bool, ProxyError> {
        let bound = self.current().ok_or_else(|| ProxyError::Unloaded { bundle: self.bundle.clone() })?;
        let Some(fn_id) = method_index(bound.methods.as_ref(), fn_id) else { return Ok(false) };
        // SAFETY: the caller promises the frame; the numbers are those of the provider's own contract.
        let is_called = unsafe { bound.held.versioned().call(fn_id, frame) };
        // SAFETY: the caller promises the frame, and `bound` keeps the callee's code.
        unsafe { frame.keep_message() };
        Ok(is_called)
    }

    fn rebind(self: &Arc<Self>) -> Option<Bound> {
        let _one = self.rebinding.lock().unwrap_or_else(PoisonError::into_inner);
        let bound = self.bound()?;
        if bound.held.versioned().provider().is_current() {
            return Some(bound);
        }
        let next = match bound.held.current_lease() {
            Ok(None) => return Some(bound), // it stays on the old code
            Ok(Some(held)) => method_map_at(&self.spec, held.versioned().provider())
                .ok()
                .map(|methods| Bound { held: Arc::new(held), methods }),
            Err(_) => None,
        };
        if let Some(next) = &next {
            self.follow(next.held.versioned().provider());
        }
        let mut place = self.bound.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *place, next.clone());
        drop(place);
        drop(before); // a lease, which is given up without the lock
        next
    }
}

/// How the methods of what is wanted are numbered at a provider.
fn method_map_at(spec: &ProxySpec, provider: &Provider) -> Result<Option<MethodMap>, ProxyError> {
    let schema = provider.plugin.schema.as_ref().map(PluginSchema::schema);
    if schema.is_none() && spec.schema.is_some() {
        return Err(ProxyError::NoSchema { contract: spec.contract(), bundle: provider.bundle_name().to_owned() });
    }
    spec.method_map(schema, &format!("bundle `{}`", provider.bundle_name()))
}
