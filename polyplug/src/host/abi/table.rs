//! The host's table of functions, as those keep it who hand it to foreign code.

use std::any::Any;
use std::ptr::NonNull;
use std::sync::Arc;

use polyplug_abi::HostApi;

/// A table of the host's functions, kept valid for as long as a clone of this exists.
#[derive(Clone)]
pub(crate) struct HostTable {
    api: NonNull<HostApi>,
    /// What the table lies in. Not looked at here.
    _owner: Arc<dyn Any + Send + Sync>,
}

// SAFETY: the pointer leads into `_owner`, which is `Send + Sync`, and the table's functions accept calls from any thread.
unsafe impl Send for HostTable {}
// SAFETY: nothing is changed through the pointer, and the table's functions accept calls from any thread.
unsafe impl Sync for HostTable {}

impl HostTable {
    /// Keeps the table at `api`, which lies in `owner`.
    ///
    /// # Safety
    ///
    /// `api` must be a valid table for as long as `owner` exists.
    pub(crate) unsafe fn new(api: NonNull<HostApi>, owner: Arc<dyn Any + Send + Sync>) -> Self {
        Self { api, _owner: owner }
    }

    /// Returns the table's address, which is valid while this exists.
    pub(crate) fn api(&self) -> NonNull<HostApi> {
        self.api
    }

    /// Returns the table's address as foreign code takes it.
    pub(crate) fn as_ptr(&self) -> *const HostApi {
        self.api.as_ptr()
    }
}
