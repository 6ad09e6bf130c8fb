//! Memory that the host keeps per thread: an arena for each depth of nested calls, and a buffer for an error's text.

use std::alloc::{Layout, alloc, dealloc};
use std::cell::{Cell, RefCell, UnsafeCell};
use std::ffi::c_void;

use polyplug_abi::{CallArena, StringView};

/// The size of an arena's first block: enough for the results of most calls.
const FIRST_BLOCK: usize = 4096;

/// The longest error text kept, in bytes. A longer text is refused, and its error has no text.
pub(crate) const ERROR_TEXT_LIMIT: usize = 1 << 20;

/// The memory of an arena. A call only adds blocks; [`rewind`] merges them into one.
#[derive(Default)]
struct Blocks(Vec<Block>);

struct Block {
    start: *mut u8,
    layout: Layout,
}

impl Block {
    fn new(size: usize) -> Option<Self> {
        let layout = Layout::from_size_align(size, 16).ok()?;
        // SAFETY: the size is not 0, as every caller passes at least `FIRST_BLOCK`.
        let start = unsafe { alloc(layout) };
        // Not `then_some`, which would make a block of a null pointer and drop it.
        (!start.is_null()).then(|| Self { start, layout })
    }

    fn region(&self) -> (*mut u8, *mut u8) {
        // SAFETY: the offset is the allocation's size, so the result is one past its end.
        (self.start, unsafe { self.start.add(self.layout.size()) })
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: `new` allocated `start` with this layout.
        unsafe { dealloc(self.start, self.layout) };
    }
}

impl Blocks {
    fn total(&self) -> usize {
        self.0.iter().map(|block| block.layout.size()).sum()
    }
}

/// Gives an arena a further block, or rewinds it if `size` is 0; see [`polyplug_abi::GrowFn`].
///
/// # Safety
///
/// `arena` must have been made by [`Arena::new`], and nothing else may use it or its `Blocks` during the call.
unsafe extern "C" fn grow(arena: *mut CallArena, size: usize, align: usize) -> *mut u8 {
    // SAFETY: the caller guarantees that `Arena::new` made the arena, whose context is a `Blocks`, and exclusive use.
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
    // SAFETY: `blocks` owns the block until `rewind` frees it, and `rewind` gives the arena another region.
    unsafe { arena.set_region(start, end) };
    // The block holds the size and the largest padding, so this does not grow again.
    arena.alloc(size, align)
}

/// Makes an arena's memory free again. Replaces several blocks by one of their total size, so that the next such call
/// needs no further block.
fn rewind(arena: &mut CallArena, blocks: &mut Blocks) {
    if blocks.0.len() > 1 {
        let total = blocks.total();
        blocks.0.clear();
        blocks.0.extend(Block::new(total));
    }
    let (start, end) = blocks.0.first().map_or((std::ptr::null_mut(), std::ptr::null_mut()), Block::region);
    // SAFETY: `blocks` owns the block, and the code that resets an arena no longer uses memory allocated from it.
    unsafe { arena.set_region(start, end) };
}

/// The arenas of one thread, one for each depth of nested calls: an inner call must not reset memory that an outer
/// call still reads.
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
        // SAFETY: `grow` keeps the contract of `GrowFn`, and `blocks` is freed only when the arena is dropped.
        let arena = unsafe { CallArena::growing(grow, blocks.cast::<c_void>()) };
        Box::new(Self { arena, blocks })
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: `new` made the pointer by `Box::into_raw`, and the arena, its only user, is being dropped.
        drop(unsafe { Box::from_raw(self.blocks) });
    }
}

thread_local! {
    static ARENAS: Arenas = const { Arenas { depth: Cell::new(0), list: UnsafeCell::new(Vec::new()) } };
    static ERROR_TEXT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Returns an arena for one call; [`leave`] ends its use.
#[inline]
pub(crate) fn enter() -> *mut CallArena {
    ARENAS.try_with(Arenas::enter).unwrap_or_else(|_| {
        // The thread is ending and has dropped its arenas. A call from a destructor gets an arena of its own.
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
        // SAFETY: the thread-local was dropped before `enter` as well, as a call begins and ends within one destructor,
        // so `enter` leaked this box. `Arena` has no fixed layout, so subtract the offset of the field `arena`.
        drop(unsafe { Box::from_raw(arena.byte_sub(std::mem::offset_of!(Arena, arena)).cast::<Arena>()) });
    }
}

/// An arena for one call. Dropping the guard calls [`leave`].
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
        // SAFETY: `enter` returned the pointer on this thread, as a guard with a raw pointer is not `Send`; nested
        // guards are dropped in reverse order.
        unsafe { leave(self.0) };
    }
}

impl Arenas {
    #[inline]
    fn enter(&self) -> *mut CallArena {
        let depth = self.depth.get();
        self.depth.set(depth + 1);
        // SAFETY: only this thread reaches the list, and no reference to the list outlives this function.
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
        // SAFETY: only this thread reaches the list, and no reference to the list outlives this function.
        let list = unsafe { &mut *self.list.get() };
        debug_assert!(std::ptr::eq(&raw const list[depth].arena, arena), "arenas are left in reverse order");
        list[depth].arena.reset();
    }
}

/// Returns a buffer of `len` bytes for the text of an error, or null if `len` exceeds [`ERROR_TEXT_LIMIT`]. The buffer
/// is valid until this thread's next call of this function.
pub(crate) fn error_text(len: usize) -> *mut u8 {
    if len > ERROR_TEXT_LIMIT {
        return std::ptr::null_mut();
    }
    let resize = |text: &RefCell<Vec<u8>>| {
        let mut text = text.borrow_mut();
        text.clear();
        text.resize(len, 0);
        text.shrink_to(4096.max(len));
        text.as_mut_ptr()
    };
    ERROR_TEXT.try_with(resize).unwrap_or(std::ptr::null_mut())
}

/// Copies `text` into the buffer of [`error_text`], which keeps it until this thread asks for that buffer again.
pub(crate) fn keep_text(text: &str) -> StringView {
    let start = error_text(text.len());
    if start.is_null() || text.is_empty() {
        return StringView::null();
    }
    // SAFETY: `start` is a buffer of the text's length.
    unsafe { start.copy_from_nonoverlapping(text.as_ptr(), text.len()) };
    StringView { ptr: start, len: text.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arenas_of_different_depths_are_apart() {
        let outer = enter();
        // SAFETY: `enter` returned the arena just now.
        let kept = unsafe { (*outer).alloc(8, 8) };
        // SAFETY: eight bytes were allocated there.
        unsafe { kept.cast::<u64>().write(7) };
        let inner = enter();
        assert_ne!(outer, inner);
        // SAFETY: `enter` returned the arena just now.
        assert!(!unsafe { (*inner).alloc(1 << 20, 8) }.is_null());
        // SAFETY: the arena is the innermost one of this thread.
        unsafe { leave(inner) };
        // SAFETY: the outer arena has not been left.
        assert_eq!(unsafe { kept.cast::<u64>().read() }, 7);
        // SAFETY: the arena is the innermost one of this thread.
        unsafe { leave(outer) };
    }

    #[test]
    fn memory_is_reused() {
        let mut starts = Vec::new();
        for _ in 0..4 {
            let arena = enter();
            // SAFETY: `enter` returned the arena just now.
            starts.push(unsafe { (*arena).alloc(1 << 16, 8) } as usize);
            // SAFETY: the arena is the innermost one of this thread.
            unsafe { leave(arena) };
        }
        assert_eq!(starts[2], starts[3]);
    }

    #[test]
    fn what_cannot_be_allocated_is_null() {
        let arena = enter();
        for size in [usize::MAX, isize::MAX as usize, usize::MAX - 15, 1 << 62] {
            // SAFETY: the arena was entered above, and not left yet.
            assert!(unsafe { (*arena).alloc(size, 16) }.is_null(), "{size}");
        }
        // SAFETY: the arena is the innermost one of this thread.
        unsafe { leave(arena) };
        assert!(error_text(ERROR_TEXT_LIMIT + 1).is_null());
    }
}
