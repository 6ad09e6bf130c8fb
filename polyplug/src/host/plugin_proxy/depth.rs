//! The limit on nested calls by way of the host: their number, and the stack that is left.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::stack;
use crate::host::error::proxy::ProxyError;

/// The number of calls by way of the host that may be nested on a thread.
const DEPTH_LIMIT: u32 = 128;

/// The number of bytes of stack that the callee of a nested call finds at least. The engines that are loaded may need
/// more than native code does.
static RESERVE: AtomicUsize = AtomicUsize::new(48 << 10);

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Makes nested calls leave at least `bytes` of the stack to their callee, from now on.
pub(crate) fn reserve_stack(bytes: usize) {
    RESERVE.fetch_max(bytes, Ordering::Relaxed);
}

/// One level of nested calls on this thread, until dropped. Without the limit, plugins that call each other without end
/// would overflow the stack, which ends the process.
pub(crate) struct DepthGuard(());

impl DepthGuard {
    #[inline]
    pub(crate) fn enter() -> Result<Self, ProxyError> {
        let depth = DEPTH.get();
        if depth > 0 {
            check(depth)?;
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

/// Checks whether one more call may be nested in `depth` others.
fn check(depth: u32) -> Result<(), ProxyError> {
    if depth >= DEPTH_LIMIT {
        return Err(ProxyError::TooDeep { limit: DEPTH_LIMIT });
    }
    let needed = RESERVE.load(Ordering::Relaxed);
    match stack::remaining() {
        Some(left) if left < needed => Err(ProxyError::StackTooSmall { depth, left, needed }),
        _ => Ok(()),
    }
}
