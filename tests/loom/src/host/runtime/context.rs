//! In place of `context.rs`: the way to the runtime, without a table.

use std::sync::{Arc, Weak};

use polyplug_abi::HostApi;

use super::runtime::Runtime;

pub(crate) struct HostContext {
    pub(crate) runtime: Weak<Runtime>,
}

impl HostContext {
    pub(crate) fn host_api(&self) -> *const HostApi {
        std::ptr::null()
    }

    pub(crate) fn runtime(&self) -> Option<Arc<Runtime>> {
        self.runtime.upgrade()
    }
}
