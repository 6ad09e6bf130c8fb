//! The limit on nested calls by way of the host.

use std::cell::Cell;

use crate::host::error::proxy::ProxyError;

/// The number of calls by way of the host that may be nested on a thread.
const DEPTH_LIMIT: u32 = 128;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// One level of nested calls on this thread, until dropped. Without the limit, plugins that call each other without end
/// would overflow the stack, which ends the process.
pub(crate) struct DepthGuard(());

impl DepthGuard {
    pub(crate) fn enter() -> Result<Self, ProxyError> {
        let depth = DEPTH.get();
        if depth == DEPTH_LIMIT {
            return Err(ProxyError::TooDeep { limit: DEPTH_LIMIT });
        }
        DEPTH.set(depth + 1);
        Ok(Self(()))
    }
}

impl Drop for DepthGuard {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}
