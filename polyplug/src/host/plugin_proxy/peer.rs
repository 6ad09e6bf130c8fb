//! Plugins of other bundles, as plugins call them.

use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use super::request::{Numbers, Wanted, number};
use crate::host::abi::dispatch::CallFrame;
use crate::host::error::proxy::ProxyError;
use crate::host::plugin::schema::Described;
use crate::host::store::instances::Held;
use crate::host::store::provider::Provider;

/// An instance of another bundle's plugin.
pub(crate) struct Peer {
    wanted: Wanted,
    pub(crate) bundle: String,
    /// The instance, as it serves now; none once its bundle is unloaded.
    bound: RwLock<Option<Bound>>,
    /// One thread at a time looks for the next version.
    rebinding: Mutex<()>,
}

#[derive(Clone)]
struct Bound {
    held: Arc<Held>,
    numbers: Option<Numbers>,
}

impl Peer {
    pub(crate) fn new(wanted: Wanted, provider: &Arc<Provider>, held: Arc<Held>) -> Result<Arc<Self>, ProxyError> {
        let numbers = numbers_at(&wanted, provider)?;
        let bound = RwLock::new(Some(Bound { held, numbers }));
        let bundle = provider.bundle_name().to_owned();
        let this = Arc::new(Self { wanted, bundle, bound, rebinding: Mutex::default() });
        this.follow(provider);
        Ok(this)
    }

    /// Goes where the provider's bundle goes when it is reloaded or unloaded.
    fn follow(self: &Arc<Self>, provider: &Provider) {
        let this = Arc::downgrade(self);
        provider.holders().when_retired(move || {
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
        if bound.held.incarnation().provider().is_current() { Some(bound) } else { self.rebind() }
    }

    /// Calls a method of the instance that serves now. Returns whether there is one of that number.
    ///
    /// # Safety
    ///
    /// `frame` must be what the method's entry expects.
    pub(crate) unsafe fn call(self: &Arc<Self>, fn_id: u32, frame: CallFrame) -> Result<bool, ProxyError> {
        let bound = self.current().ok_or_else(|| ProxyError::Unloaded { bundle: self.bundle.clone() })?;
        let Some(fn_id) = number(bound.numbers.as_ref(), fn_id) else { return Ok(false) };
        // SAFETY: the caller promises the frame; the numbers are those of the provider's own contract.
        Ok(unsafe { bound.held.incarnation().call(fn_id, frame) })
    }

    fn rebind(self: &Arc<Self>) -> Option<Bound> {
        let _one = self.rebinding.lock().unwrap_or_else(PoisonError::into_inner);
        let bound = self.bound()?;
        if bound.held.incarnation().provider().is_current() {
            return Some(bound);
        }
        let next = match bound.held.latest() {
            Ok(None) => return Some(bound), // it stays on the old code
            Ok(Some(held)) => numbers_at(&self.wanted, held.incarnation().provider())
                .ok()
                .map(|numbers| Bound { held: Arc::new(held), numbers }),
            Err(_) => None,
        };
        if let Some(next) = &next {
            self.follow(next.held.incarnation().provider());
        }
        let mut place = self.bound.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *place, next.clone());
        drop(place);
        drop(before); // a lease, which is given up without the lock
        next
    }
}

/// How the methods of what is wanted are numbered at a provider.
fn numbers_at(wanted: &Wanted, provider: &Provider) -> Result<Option<Numbers>, ProxyError> {
    let schema = provider.plugin.schema.as_ref().map(Described::schema);
    if schema.is_none() && wanted.schema.is_some() {
        return Err(ProxyError::NoSchema { contract: wanted.contract(), bundle: provider.bundle_name().to_owned() });
    }
    wanted.numbers(schema, &format!("bundle `{}`", provider.bundle_name()))
}
