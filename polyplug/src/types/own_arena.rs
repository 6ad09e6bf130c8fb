//! An arena without a host, for values that are lowered or lifted within one function.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use polyplug_abi::CallArena;

/// The memory of an arena that is used once.
type Blocks = Vec<Box<[MaybeUninit<u128>]>>;

/// Calls `body` with an arena, which is valid until `body` returns.
pub(crate) fn with_arena<R>(body: impl FnOnce(*mut CallArena) -> R) -> R {
    let mut blocks = Blocks::new();
    // SAFETY: `grow` follows the protocol for arenas whose context is a `Blocks`, which outlives the arena.
    let mut arena = unsafe { CallArena::growing(grow, (&raw mut blocks).cast::<c_void>()) };
    body(&raw mut arena)
}

/// Gives an arena memory for one allocation, as [`polyplug_abi::GrowFn`] demands.
///
/// # Safety
///
/// The arena's context must be a [`Blocks`] that nothing else uses.
unsafe extern "C" fn grow(arena: *mut CallArena, size: usize, align: usize) -> *mut u8 {
    // SAFETY: the caller guarantees the arena and its context.
    let blocks = unsafe { &mut *(*arena).context().cast::<Blocks>() };
    if align > align_of::<u128>() {
        return std::ptr::null_mut();
    }
    blocks.push(vec![MaybeUninit::uninit(); size.div_ceil(size_of::<u128>())].into_boxed_slice());
    blocks.last_mut().map_or(std::ptr::null_mut(), |block| block.as_mut_ptr().cast())
}
