//! Memory that the host keeps per thread: one arena a call depth, and room for the text of an error.

use std::alloc::{Layout, alloc, dealloc};
use std::cell::{Cell, RefCell, UnsafeCell};
use std::ffi::c_void;

use polyplug_abi::{CallArena, StringView};

/// The size of an arena's first block: enough for the results of most calls.
const FIRST_BLOCK: usize = 4096;

/// The longest error text kept, in bytes. Longer ones are refused, and the error goes without text.
pub(crate) const ERROR_TEXT_LIMIT: usize = 1 << 20;

/// Memory of an arena. Blocks are only ever added during a call; rewinding makes one of them all.
#[derive(Default)]
struct Blocks(Vec<Block>);

struct Block {
    start: *mut u8,
    layout: Layout,
}

impl Block {
    fn new(size: usize) -> Option<Self> {
        let layout = Layout::from_size_align(size, 16).ok()?;
        // SAFETY: the size is not 0: callers ask for at least `FIRST_BLOCK`.
        let start = unsafe { alloc(layout) };
        // Not `then_some`: that would make a block of a null pointer, and drop it.
        (!start.is_null()).then(|| Self { start, layout })
    }

    fn region(&self) -> (*mut u8, *mut u8) {
        // SAFETY: one past the end of the allocation.
        (self.start, unsafe { self.start.add(self.layout.size()) })
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: allocated by `new` with this layout.
        unsafe { dealloc(self.start, self.layout) };
    }
}

impl Blocks {
    fn total(&self) -> usize {
        self.0.iter().map(|block| block.layout.size()).sum()
    }
}

/// [`CallArena`]'s way to more memory; see [`polyplug_abi::GrowFn`].
///
/// # Safety
///
/// `arena` must be one of ours, whose context is a `Blocks` that nothing else uses.
unsafe extern "C" fn grow(arena: *mut CallArena, size: usize, align: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    let (arena, blocks) = unsafe { (&mut *arena, &mut *(*arena).context().cast::<Blocks>()) };
    if size == 0 {
        rewind(arena, blocks);
        return std::ptr::null_mut();
    }
    // Doubling keeps the number of blocks small; `align` more than suffices for the padding.
    let Some(wanted) = size.checked_add(align) else { return std::ptr::null_mut() };
    let Some(block) = Block::new(wanted.max(blocks.total()).max(FIRST_BLOCK)) else { return std::ptr::null_mut() };
    let (start, end) = block.region();
    blocks.0.push(block);
    // SAFETY: the block is ours until the next rewind, which moves the region first.
    unsafe { arena.set_region(start, end) };
    // Fits: the block has room for the size and the largest padding.
    arena.alloc(size, align)
}

/// Back to the start. After a call that needed several blocks, one block takes their place, so that the next such
/// call needs none.
fn rewind(arena: &mut CallArena, blocks: &mut Blocks) {
    if blocks.0.len() > 1 {
        let total = blocks.total();
        blocks.0.clear();
        blocks.0.extend(Block::new(total));
    }
    let (start, end) = blocks.0.first().map_or((std::ptr::null_mut(), std::ptr::null_mut()), Block::region);
    // SAFETY: the block is ours, and what lay in it is forgotten.
    unsafe { arena.set_region(start, end) };
}

/// The arenas of one thread, one for each depth of nested calls: an inner call must not reset what an outer one is
/// still reading.
struct Arenas {
    depth: Cell<usize>,
    // Boxed: callers hold pointers to arenas while the list grows.
    #[allow(clippy::vec_box)]
    list: UnsafeCell<Vec<Box<Arena>>>,
}

struct Arena {
    arena: CallArena,
    blocks: *mut Blocks,
}

impl Arena {
    fn new() -> Box<Self> {
        let blocks = Box::into_raw(Box::<Blocks>::default());
        // SAFETY: `grow` follows the protocol; `blocks` lives until the arena is dropped.
        let arena = unsafe { CallArena::growing(grow, blocks.cast::<c_void>()) };
        Box::new(Self { arena, blocks })
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: made by `Box::into_raw` in `new`, and the arena that used it goes as well.
        drop(unsafe { Box::from_raw(self.blocks) });
    }
}

thread_local! {
    static ARENAS: Arenas = const { Arenas { depth: Cell::new(0), list: UnsafeCell::new(Vec::new()) } };
    static ERROR_TEXT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// An arena for one call; [`leave`] ends its use.
#[inline]
pub(crate) fn enter() -> *mut CallArena {
    ARENAS.try_with(Arenas::enter).unwrap_or_else(|_| {
        // The thread is ending and its arenas are gone. A call from a destructor gets one of its own.
        &raw mut Box::leak(Arena::new()).arena
    })
}

/// Ends the use of an arena from [`enter`], in reverse order.
///
/// # Safety
///
/// `arena` must come from `enter` on this thread and not be used again.
#[inline]
pub(crate) unsafe fn leave(arena: *mut CallArena) {
    if ARENAS.try_with(|arenas| arenas.leave(arena)).is_err() {
        // SAFETY: leaked by `enter`, for its thread-local was gone then as it is now. `arena` is the first field's
        // address within the box only by chance of layout, so go back by its offset.
        drop(unsafe { Box::from_raw(arena.byte_sub(std::mem::offset_of!(Arena, arena)).cast::<Arena>()) });
    }
}

/// An arena for one call, given back when dropped.
pub(crate) struct CallArenaGuard(*mut CallArena);

impl CallArenaGuard {
    pub(crate) fn enter() -> Self {
        Self(enter())
    }

    pub(crate) fn get(&self) -> *mut CallArena {
        self.0
    }
}

impl Drop for CallArenaGuard {
    fn drop(&mut self) {
        // SAFETY: entered by `enter` on this thread, for a raw pointer is not `Send`; guards are dropped in reverse
        // order.
        unsafe { leave(self.0) };
    }
}

impl Arenas {
    #[inline]
    fn enter(&self) -> *mut CallArena {
        let depth = self.depth.get();
        self.depth.set(depth + 1);
        // SAFETY: the list is this thread's alone, and no reference into it outlives this function or `leave`.
        let list = unsafe { &mut *self.list.get() };
        if depth == list.len() {
            list.push(Arena::new());
        }
        &raw mut list[depth].arena
    }

    #[inline]
    fn leave(&self, arena: *mut CallArena) {
        let depth = self.depth.get() - 1;
        self.depth.set(depth);
        // SAFETY: as in `enter`.
        let list = unsafe { &mut *self.list.get() };
        debug_assert!(std::ptr::eq(&raw const list[depth].arena, arena), "arenas are left in reverse order");
        list[depth].arena.reset();
    }
}

/// Room for the text of an error, valid until this thread asks again; null when it is too long.
pub(crate) fn error_text(len: usize) -> *mut u8 {
    if len > ERROR_TEXT_LIMIT {
        return std::ptr::null_mut();
    }
    let room = |text: &RefCell<Vec<u8>>| {
        let mut text = text.borrow_mut();
        text.clear();
        text.resize(len, 0);
        text.shrink_to(4096.max(len));
        text.as_mut_ptr()
    };
    ERROR_TEXT.try_with(room).unwrap_or(std::ptr::null_mut())
}

/// Keeps a text where the one of an error would be: valid until this thread asks for room again.
pub(crate) fn keep_text(text: &str) -> StringView {
    let place = error_text(text.len());
    if place.is_null() || text.is_empty() {
        return StringView::null();
    }
    // SAFETY: `place` has room for the text.
    unsafe { place.copy_from_nonoverlapping(text.as_ptr(), text.len()) };
    StringView { ptr: place, len: text.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arenas_of_different_depths_are_apart() {
        let outer = enter();
        // SAFETY: entered just now.
        let kept = unsafe { (*outer).alloc(8, 8) };
        // SAFETY: room for eight bytes.
        unsafe { kept.cast::<u64>().write(7) };
        let inner = enter();
        assert_ne!(outer, inner);
        // SAFETY: entered just now.
        assert!(!unsafe { (*inner).alloc(1 << 20, 8) }.is_null());
        // SAFETY: the innermost.
        unsafe { leave(inner) };
        // SAFETY: the outer arena has not been left.
        assert_eq!(unsafe { kept.cast::<u64>().read() }, 7);
        // SAFETY: the innermost.
        unsafe { leave(outer) };
    }

    #[test]
    fn memory_is_reused() {
        let mut starts = Vec::new();
        for _ in 0..4 {
            let arena = enter();
            // SAFETY: entered just now.
            starts.push(unsafe { (*arena).alloc(1 << 16, 8) } as usize);
            // SAFETY: the innermost.
            unsafe { leave(arena) };
        }
        assert_eq!(starts[2], starts[3]);
    }

    #[test]
    fn what_cannot_be_allocated_is_null() {
        let arena = enter();
        for size in [usize::MAX, isize::MAX as usize, usize::MAX - 15, 1 << 62] {
            // SAFETY: entered above.
            assert!(unsafe { (*arena).alloc(size, 16) }.is_null(), "{size}");
        }
        // SAFETY: the innermost.
        unsafe { leave(arena) };
        assert!(error_text(ERROR_TEXT_LIMIT + 1).is_null());
    }
}
