//! How deeply calls by way of the host may be nested.

use std::cell::Cell;

use crate::host::error::proxy::ProxyError;

/// How many calls by way of the host may be nested on a thread.
const DEPTH_LIMIT: u32 = 128;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// One call deeper on this thread, until dropped. Plugins that call each other without end would use up the stack, which
/// ends the process.
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
