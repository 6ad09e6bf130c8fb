//! Memory that the host keeps per thread: an arena for each depth of nested calls, and a buffer for an error's text.

use std::alloc::{Layout, alloc, dealloc};
use std::cell::{RefCell, UnsafeCell};
use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

use polyplug_abi::{CallArena, HostApi, StringView};

use crate::error_text;
use crate::frame_arena::{ArenaLender, ArenaSource, in_use};

/// The size of an arena's first block: enough for the results of most calls.
const FIRST_BLOCK: usize = 4096;

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
///
/// The first [`in_use::get`] of them are in use.
struct Arenas(UnsafeCell<BoxedArenas>);

/// Arenas that stay at their addresses while the list grows, because callers hold pointers to them.
#[allow(clippy::vec_box)]
type BoxedArenas = Vec<Box<Arena>>;

struct Arena {
    arena: CallArena,
    blocks: *mut Blocks,
    holder: Holder,
}

/// The user of an arena. Only its user ends the use, so that a callee cannot end the use of its caller's arena.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holder {
    /// A guard of this library.
    Guard,
    /// The code that has this host table.
    Table(*const HostApi),
}

// SAFETY: the pointer is compared only.
unsafe impl Send for Holder {}

impl Arena {
    fn new(holder: Holder) -> Box<Self> {
        let blocks = Box::into_raw(Box::<Blocks>::default());
        // SAFETY: `grow` keeps the contract of `GrowFn`, and `blocks` is freed only when the arena is dropped.
        let arena = unsafe { CallArena::growing(grow, blocks.cast::<c_void>()) };
        Box::new(Self { arena, blocks, holder })
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: `new` made the pointer by `Box::into_raw`, and the arena, its only user, is being dropped.
        drop(unsafe { Box::from_raw(self.blocks) });
    }
}

// SAFETY: an arena's pointers lead to memory that the arena owns.
unsafe impl Send for Arena {}

thread_local! {
    static ARENAS: Arenas = const { Arenas(UnsafeCell::new(Vec::new())) };
    static ERROR_TEXT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The arenas of calls that destructors make on threads that are ending and have dropped their own arenas.
static LATE: Mutex<BoxedArenas> = Mutex::new(Vec::new());

fn late() -> MutexGuard<'static, BoxedArenas> {
    LATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns an arena for one call of the code that has the table `host`; [`leave`] ends its use.
#[inline]
pub(crate) fn enter(host: *const HostApi) -> *mut CallArena {
    lend(Holder::Table(host))
}

#[inline]
fn lend(holder: Holder) -> *mut CallArena {
    ARENAS.try_with(|arenas| arenas.enter(holder)).unwrap_or_else(|_| {
        let mut arena = Arena::new(holder);
        let start = &raw mut arena.arena;
        late().push(arena);
        start
    })
}

/// Ends the use of an arena from [`enter`], in reverse order. Ignores any pointer but that of this thread's innermost
/// arena, and an arena that was not lent to the code that has the table `host`.
#[inline]
pub(crate) fn leave(host: *const HostApi, arena: *mut CallArena) {
    let holder = Holder::Table(host);
    if ARENAS.try_with(|arenas| arenas.leave(holder, arena)).is_err() {
        leave_late(holder, arena);
    }
}

/// Drops an arena of [`LATE`].
#[cold]
fn leave_late(holder: Holder, arena: *mut CallArena) {
    let mut late = late();
    let found = late.iter().position(|one| one.holder == holder && std::ptr::eq(&raw const one.arena, arena));
    drop(found.map(|found| late.swap_remove(found)));
}

/// The functions by which the host's own proxies get arenas. A callee that has not returned all of its arenas, or that
/// returns its caller's, does not change the caller's depth.
pub(crate) static GUARDED: ArenaLender = ArenaLender { is_of_host: true, enter: enter_guarded, leave: leave_guarded };

/// Returns the source of arenas for a call that the host makes for the code that has the table `host`.
pub(crate) fn source(host: NonNull<HostApi>) -> ArenaSource {
    ArenaSource { host, lender: &GUARDED }
}

/// # Safety
///
/// None.
unsafe fn enter_guarded(_: NonNull<HostApi>) -> *mut CallArena {
    lend(Holder::Guard)
}

/// # Safety
///
/// None.
unsafe fn leave_guarded(_: NonNull<HostApi>, arena: *mut CallArena, before: usize) {
    if ARENAS.try_with(|arenas| arenas.unwind(before)).is_err() {
        leave_late(Holder::Guard, arena);
    }
}

/// Ends the use of a guard's arena, and of all arenas that were entered since.
#[inline]
fn unwind_to(arena: *mut CallArena) {
    if ARENAS.try_with(|arenas| arenas.unwind_to(arena)).is_err() {
        leave_late(Holder::Guard, arena);
    }
}

/// An arena for one call. Dropping the guard ends the use of the arena, and of arenas that callees have not returned.
pub(crate) struct CallArenaGuard(*mut CallArena);

impl CallArenaGuard {
    pub(crate) fn enter() -> Self {
        Self(lend(Holder::Guard))
    }

    pub(crate) fn get(&self) -> *mut CallArena {
        self.0
    }
}

impl Drop for CallArenaGuard {
    fn drop(&mut self) {
        unwind_to(self.0);
    }
}

/// The number of arenas of this thread that are in use. Dropping the value ends the use of those that were entered
/// since, and that a callee has not returned.
pub(crate) struct ArenaDepth(usize);

impl ArenaDepth {
    #[inline]
    pub(crate) fn now() -> Self {
        Self(in_use::get())
    }
}

impl Drop for ArenaDepth {
    #[inline]
    fn drop(&mut self) {
        if in_use::get() != self.0 {
            unwind_to_depth(self.0);
        }
    }
}

/// Ends the use of all arenas of this thread but the `depth` outermost ones.
#[cold]
fn unwind_to_depth(depth: usize) {
    let _ = ARENAS.try_with(|arenas| arenas.unwind(depth));
}

impl Arenas {
    #[inline]
    fn enter(&self, holder: Holder) -> *mut CallArena {
        let depth = in_use::get();
        in_use::set(depth + 1);
        // SAFETY: only this thread reaches the list, and no reference to the list outlives this function.
        let list = unsafe { &mut *self.0.get() };
        if depth == list.len() {
            list.push(Arena::new(holder));
        }
        list[depth].holder = holder;
        &raw mut list[depth].arena
    }

    #[inline]
    fn leave(&self, holder: Holder, arena: *mut CallArena) {
        let Some(innermost) = in_use::get().checked_sub(1) else { return };
        // SAFETY: only this thread reaches the list, and no reference to the list outlives this function.
        let list = unsafe { &*self.0.get() };
        if list[innermost].holder == holder && std::ptr::eq(&raw const list[innermost].arena, arena) {
            self.unwind(innermost);
        }
    }

    #[inline]
    fn unwind_to(&self, arena: *mut CallArena) {
        // SAFETY: only this thread reaches the list, and no reference to the list outlives this function.
        let list = unsafe { &*self.0.get() };
        let in_use = &list[..in_use::get()];
        let found = in_use.iter().rposition(|one| std::ptr::eq(&raw const one.arena, arena));
        if let Some(found) = found {
            self.unwind(found);
        }
    }

    /// Ends the use of all arenas but the `depth` outermost ones.
    #[inline]
    fn unwind(&self, depth: usize) {
        // SAFETY: only this thread reaches the list, and no reference to the list outlives this function.
        let list = unsafe { &mut *self.0.get() };
        while in_use::get() > depth {
            let innermost = in_use::get() - 1;
            in_use::set(innermost);
            list[innermost].arena.reset();
        }
    }
}

/// Returns a buffer of `len` bytes for the text of an error, or null if `len` exceeds [`error_text::LIMIT`]. The buffer
/// is valid until this thread's next call of this function.
pub(crate) fn error_text(len: usize) -> *mut u8 {
    if len > error_text::LIMIT {
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

    const HOST: *const HostApi = std::ptr::null();

    /// Returns the number of arenas of this thread that are in use.
    fn depth() -> usize {
        in_use::get()
    }

    #[test]
    fn arenas_of_different_depths_are_apart() {
        let outer = enter(HOST);
        // SAFETY: `enter` returned the arena just now.
        let kept = unsafe { (*outer).alloc(8, 8) };
        // SAFETY: eight bytes were allocated there.
        unsafe { kept.cast::<u64>().write(7) };
        let inner = enter(HOST);
        assert_ne!(outer, inner);
        // SAFETY: `enter` returned the arena just now.
        assert!(!unsafe { (*inner).alloc(1 << 20, 8) }.is_null());
        leave(HOST, inner);
        // SAFETY: the outer arena has not been left.
        assert_eq!(unsafe { kept.cast::<u64>().read() }, 7);
        leave(HOST, outer);
        assert_eq!(depth(), 0);
    }

    #[test]
    fn what_is_not_the_innermost_arena_is_not_left() {
        let other = std::ptr::without_provenance(8);
        let outer = enter(HOST);
        let inner = enter(HOST);
        for (host, arena) in [
            (HOST, std::ptr::null_mut()),
            (HOST, outer),
            (other, inner),
            (HOST, std::ptr::without_provenance_mut(16)),
            (HOST, inner.wrapping_byte_add(8)),
        ] {
            leave(host, arena);
            assert_eq!(depth(), 2);
        }
        let address = inner.addr();
        let elsewhere = std::thread::spawn(move || leave(HOST, std::ptr::without_provenance_mut(address)));
        elsewhere.join().unwrap();
        leave(HOST, inner);
        leave(HOST, inner);
        assert_eq!(depth(), 1);
        leave(HOST, outer);
        leave(HOST, outer);
        assert_eq!(depth(), 0);
    }

    #[test]
    fn a_guard_restores_its_own_depth() {
        let outer = CallArenaGuard::enter();
        let guard = CallArenaGuard::enter();
        leave(HOST, guard.get());
        assert_eq!(depth(), 2, "a guard's arena is not left by others");
        enter(HOST);
        enter(HOST);
        drop(guard);
        assert_eq!(depth(), 1);
        let before = ArenaDepth::now();
        enter(HOST);
        drop(before);
        assert_eq!(depth(), 1);
        drop(outer);
        assert_eq!(depth(), 0);
    }

    #[test]
    fn memory_is_reused() {
        let mut starts = Vec::new();
        for _ in 0..4 {
            let arena = enter(HOST);
            // SAFETY: `enter` returned the arena just now.
            starts.push(unsafe { (*arena).alloc(1 << 16, 8) } as usize);
            leave(HOST, arena);
        }
        assert_eq!(starts[2], starts[3]);
    }

    #[test]
    fn what_cannot_be_allocated_is_null() {
        let arena = enter(HOST);
        for size in [usize::MAX, isize::MAX as usize, usize::MAX - 15, 1 << 62] {
            // SAFETY: the arena was entered above, and not left yet.
            assert!(unsafe { (*arena).alloc(size, 16) }.is_null(), "{size}");
        }
        leave(HOST, arena);
        assert!(error_text(error_text::LIMIT + 1).is_null());
    }
}
