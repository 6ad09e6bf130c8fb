//! Plugins of other bundles, for calls of plugins.

use std::sync::{Arc, PoisonError, RwLock, Weak};

use super::request::ProxySpec;
use crate::call_error::CallError;
use crate::host::abi::dispatch::CallFrame;
use crate::host::abi::object_tokens::ObjectTokens;
use crate::host::adapter::method_map::MethodMap;
use crate::host::error::proxy::ProxyError;
use crate::host::plugin::schema::PluginSchema;
use crate::host::store::instances::InstanceLease;
use crate::host::store::provider::Provider;
use crate::host::version::followers::Follower;

/// An instance of another bundle's plugin.
pub(crate) struct Peer {
    this: Weak<Self>,
    spec: ProxySpec,
    pub(crate) bundle: String,
    /// The instance that calls go to, or the reason why there is none any more.
    bound: RwLock<Result<Bound, ProxyError>>,
}

#[derive(Clone)]
struct Bound {
    held: Arc<InstanceLease>,
    methods: Option<Arc<MethodMap>>,
}

impl Peer {
    pub(crate) fn new(
        spec: ProxySpec,
        provider: &Arc<Provider>,
        held: Arc<InstanceLease>,
    ) -> Result<Arc<Self>, ProxyError> {
        let methods = method_map_at(&spec, provider)?;
        let bound = RwLock::new(Ok(Bound { held, methods }));
        let bundle = provider.bundle_name().to_owned();
        let this = Arc::new_cyclic(|this| Self { this: this.clone(), spec, bundle, bound });
        provider.leases().follow(&this);
        Ok(this)
    }

    /// Returns the instance that serves now.
    fn current(&self) -> Result<Bound, ProxyError> {
        let bound = self.bound.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        if bound.held.versioned().provider().is_current() { Ok(bound) } else { self.rebind(bound) }
    }

    /// Calls the method with the plugin's number `fn_id`, of the instance that serves now. Returns whether the provider
    /// has that method. `tokens` are those of the runtime.
    ///
    /// # Safety
    ///
    /// `frame` must be what the method's entry expects. Its `out_err` must point to an error whose code is 0.
    pub(crate) unsafe fn call(
        &self,
        fn_id: u32,
        frame: CallFrame,
        tokens: &dyn ObjectTokens,
    ) -> Result<bool, ProxyError> {
        let bound = self.current()?;
        // SAFETY: the caller promises the frame, and the map hands on one that the provider's entry expects.
        let call = |fn_id, frame| unsafe { bound.held.versioned().call(fn_id, frame) };
        let is_called = match &bound.methods {
            None => call(fn_id, frame),
            // SAFETY: the caller promises the frame.
            Some(methods) => unsafe { methods.call(fn_id, frame, tokens, call) },
        };
        // SAFETY: the caller promises the frame, and `bound` keeps the callee's code mapped.
        unsafe { frame.keep_message() };
        Ok(is_called)
    }

    /// Binds the peer to the instance that serves in place of `outdated`, and returns that instance.
    ///
    /// No lock is held while the next instance is looked for, because a factory may run then, which may call this peer.
    /// Of several threads that do so at a time, the first one binds the peer.
    fn rebind(&self, mut outdated: Bound) -> Result<Bound, ProxyError> {
        loop {
            let next = self.next(&outdated)?;
            let Some(next) = next else { return Ok(outdated) };
            let mut current = self.bound.write().unwrap_or_else(PoisonError::into_inner);
            let is_first = current.as_ref().is_ok_and(|bound| Arc::ptr_eq(&bound.held, &outdated.held));
            if is_first {
                // The outdated lease is dropped without the lock, by `outdated`.
                *current = next.clone();
                drop(current);
                if let (Ok(next), Some(this)) = (&next, self.this.upgrade()) {
                    next.held.versioned().provider().leases().follow(&this);
                }
                return next;
            }
            let bound = current.clone();
            drop(current);
            outdated = bound?;
            if outdated.held.versioned().provider().is_current() {
                return Ok(outdated);
            }
        }
    }

    /// Returns what takes the place of `outdated`: an instance, or the reason why there is none. Returns `None` if the
    /// instance stays on the old code.
    ///
    /// # Errors
    ///
    /// [`ProxyError::Factory`] if the factory fails, which another call may run again.
    fn next(&self, outdated: &Bound) -> Result<Option<Result<Bound, ProxyError>>, ProxyError> {
        let held = match outdated.held.current_lease() {
            Ok(None) => return Ok(None),
            Ok(Some(held)) => held,
            Err(CallError::Unloaded { .. }) => {
                return Ok(Some(Err(ProxyError::Unloaded { bundle: self.bundle.clone() })));
            }
            Err(error) => {
                return Err(ProxyError::Factory { contract: self.spec.contract(), reason: error.to_string() });
            }
        };
        let methods = method_map_at(&self.spec, held.versioned().provider());
        Ok(Some(methods.map(|methods| Bound { held: Arc::new(held), methods })))
    }
}

impl Follower for Peer {
    fn retired(&self) {
        // A failure is that of the next call.
        drop(self.current());
    }
}

/// Returns the numbers that the methods of `spec` have at a provider, or `None` if they are the same.
fn method_map_at(spec: &ProxySpec, provider: &Provider) -> Result<Option<Arc<MethodMap>>, ProxyError> {
    let schema = provider.plugin.schema.as_ref().map(PluginSchema::schema);
    if schema.is_none() && spec.schema.is_some() {
        return Err(ProxyError::NoSchema { contract: spec.contract(), bundle: provider.bundle_name().to_owned() });
    }
    spec.method_map(schema, &format!("bundle `{}`", provider.bundle_name()))
}
