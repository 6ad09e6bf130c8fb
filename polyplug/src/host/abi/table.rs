//! The host's table of functions, kept valid for the foreign code that receives it.

use std::ptr::NonNull;
use std::sync::Arc;

use polyplug_abi::HostApi;

use super::object_tokens::ObjectTokens;

/// A pointer to a table of the host's functions, which stays valid for as long as a clone of the pointer exists.
#[derive(Clone)]
pub(crate) struct HostTable {
    api: NonNull<HostApi>,
    /// The owner of the table's memory.
    owner: Arc<dyn ObjectTokens>,
}

// SAFETY: `owner`, which is `Send + Sync`, keeps the table valid, and the ABI contract lets the table's functions be
// called from any thread.
unsafe impl Send for HostTable {}
// SAFETY: no method writes through the pointer, and the ABI contract lets the table's functions be called from any
// thread.
unsafe impl Sync for HostTable {}

impl HostTable {
    /// Makes a pointer to the table at `api`, which lies in `owner`.
    ///
    /// # Safety
    ///
    /// `api` must be a valid table for as long as `owner` exists.
    pub(crate) unsafe fn new(api: NonNull<HostApi>, owner: Arc<dyn ObjectTokens>) -> Self {
        Self { api, owner }
    }

    /// Returns the table's address, which is valid while `self` exists.
    pub(crate) fn api(&self) -> NonNull<HostApi> {
        self.api
    }

    /// Returns the table's address as foreign code takes it.
    pub(crate) fn as_ptr(&self) -> *const HostApi {
        self.api.as_ptr()
    }

    /// Returns the tokens of the objects that the table's receiver gets.
    pub(crate) fn tokens(&self) -> &dyn ObjectTokens {
        &*self.owner
    }
}
