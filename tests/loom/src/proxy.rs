//! In place of polyplug's `proxy.rs`: a proxy whose only method counts.
//!
//! The three lines that read the revision and choose the callee are repeated here. Arguments, results and arenas are
//! left out.

use std::ptr::NonNull;

use polyplug::{CallError, Callee};
use polyplug_abi::{Entry, GuestContractInstance, HostApi};

use crate::contract_info::ContractInfo;
use crate::host::code;
use crate::revision::Revision;
use crate::sync::Arc;

pub(crate) trait Owner: Send + Sync {
    fn resolve_current(&self, info: &'static ContractInfo) -> Result<Option<RawProxy>, CallError>;

    #[allow(dead_code)]
    fn callee(&self) -> Callee;
}

#[allow(dead_code)]
pub(crate) struct ProxyParts {
    pub(crate) revision: NonNull<Revision>,
    pub(crate) functions: NonNull<Entry>,
    pub(crate) instance: GuestContractInstance,
    pub(crate) host: NonNull<HostApi>,
    pub(crate) info: &'static ContractInfo,
}

pub(crate) struct RawProxy {
    revision: NonNull<Revision>,
    instance: GuestContractInstance,
    info: &'static ContractInfo,
    owner: Box<dyn Shared>,
}

// SAFETY: the pointers are kept valid by `owner`; all threads of a model run on one thread of the system.
unsafe impl Send for RawProxy {}
// SAFETY: the pointers are kept valid by `owner`; all threads of a model run on one thread of the system.
unsafe impl Sync for RawProxy {}

/// An `Arc<dyn Owner>`, which only the standard library's `Arc` can be.
trait Shared {
    fn share(&self) -> Box<dyn Shared>;
    fn owner(&self) -> &dyn Owner;
}

impl<O: Owner + 'static> Shared for Arc<O> {
    fn share(&self) -> Box<dyn Shared> {
        Box::new(Self::clone(self))
    }

    fn owner(&self) -> &dyn Owner {
        &**self
    }
}

impl RawProxy {
    pub(crate) unsafe fn new<O: Owner + 'static>(parts: ProxyParts, owner: Arc<O>) -> Self {
        let ProxyParts { revision, instance, info, .. } = parts;
        Self { revision, instance, info, owner: Box::new(owner) }
    }

    /// Calls the method, which counts the call; returns the number of the version that it ran on.
    pub(crate) fn call(&self) -> Result<u32, CallError> {
        // SAFETY: `owner` keeps the revision alive.
        if unsafe { self.revision.as_ref() }.is_current() {
            return Ok(self.enter());
        }
        Ok(self.resolve_current()?.as_ref().unwrap_or(self).enter())
    }

    /// Returns the number of calls that the instance that serves has counted.
    pub(crate) fn calls(&self) -> Result<usize, CallError> {
        // SAFETY: `owner` keeps the revision alive.
        if unsafe { self.revision.as_ref() }.is_current() {
            return Ok(code::calls(self.instance));
        }
        Ok(code::calls(self.resolve_current()?.as_ref().unwrap_or(self).instance))
    }

    fn resolve_current(&self) -> Result<Option<Self>, CallError> {
        let there = self.owner.owner().resolve_current(self.info)?;
        let same = there.as_ref().is_some_and(|there| there.revision == self.revision);
        assert!(!same, "a version that does not serve is found in its own place");
        Ok(there)
    }

    /// Runs the method of the instance.
    fn enter(&self) -> u32 {
        code::count(self.instance)
    }
}

impl Clone for RawProxy {
    fn clone(&self) -> Self {
        // SAFETY: `owner` keeps the revision alive.
        if !unsafe { self.revision.as_ref() }.is_current()
            && let Ok(Some(refreshed)) = self.resolve_current()
        {
            return refreshed;
        }
        Self { owner: self.owner.share(), ..*self }
    }
}
