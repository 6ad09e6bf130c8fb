//! The arena of a proxy's call: it begins in the frame of the caller, and goes on in an arena of the host when that
//! room is full. A call whose texts and lists are short so asks the host for nothing.

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use polyplug_abi::{CallArena, HostApi};

/// The bytes of an arena that lie in the caller's frame.
const ROOM: usize = 512;

/// The source of a host's arenas.
#[derive(Clone, Copy)]
pub(crate) struct ArenaSource {
    /// The table of the host that lends the arenas.
    pub(crate) host: NonNull<HostApi>,
    /// The functions by which the host lends them.
    pub(crate) lender: &'static ArenaLender,
}

/// The functions by which a host lends arenas to proxies.
pub struct ArenaLender {
    /// True for the proxies that the host itself holds.
    pub is_of_host: bool,
    /// Returns an arena for one call, or null.
    ///
    /// # Safety
    ///
    /// The table must be valid.
    pub enter: unsafe fn(NonNull<HostApi>) -> *mut CallArena,
    /// Ends the use of an arena from `enter`, if it is not null, and of those that callees have entered and not left.
    /// The number is that of the thread's arenas that were in use before.
    ///
    /// # Safety
    ///
    /// The table must be valid. The arena must not be used again.
    pub leave: unsafe fn(NonNull<HostApi>, *mut CallArena, usize),
}

/// The number of arenas of this thread that are in use.
#[cfg(feature = "host")]
pub(crate) mod in_use {
    use std::cell::Cell;

    thread_local! {
        // Without a destructor, so that a call reads it as it reads any variable.
        static IN_USE: Cell<usize> = const { Cell::new(0) };
    }

    /// Returns the number.
    #[inline(always)]
    pub(crate) fn get() -> usize {
        IN_USE.get()
    }

    /// Changes the number.
    #[inline(always)]
    pub(crate) fn set(number: usize) {
        IN_USE.set(number);
    }
}

/// The number for a program without a host's side, whose threads have no arenas of their own.
#[cfg(not(feature = "host"))]
mod in_use {
    /// Returns the number.
    #[inline(always)]
    pub(crate) const fn get() -> usize {
        0
    }
}

/// The memory of a [`FrameArena`], in the frame of the call.
#[repr(C, align(16))]
pub(crate) struct Frame {
    arena: CallArena,
    /// The host's arena that `arena` takes its memory from, once the room is full.
    overflow: *mut CallArena,
    source: *const ArenaSource,
    in_use: usize,
    room: [MaybeUninit<u8>; ROOM],
}

/// An arena for one call. Dropping the value ends the use of the host's arena, if there is one, and of arenas that the
/// callee has not returned.
pub(crate) struct FrameArena<'a> {
    frame: *mut Frame,
    _frame: PhantomData<(&'a mut MaybeUninit<Frame>, &'a ArenaSource)>,
}

impl<'a> FrameArena<'a> {
    /// Makes an arena in `frame`.
    #[inline(always)]
    pub(crate) fn new(frame: &'a mut MaybeUninit<Frame>, source: &'a ArenaSource) -> Self {
        let frame = frame.as_mut_ptr();
        // SAFETY: the frame is writable and borrowed for as long as `Self` lives. `grow` follows `GrowFn`, and its
        // context is the frame. The room is used by the arena only.
        unsafe {
            let room = (&raw mut (*frame).room).cast::<u8>();
            let mut arena = CallArena::growing(grow, frame.cast());
            arena.set_region(room, room.add(ROOM));
            (&raw mut (*frame).arena).write(arena);
            (&raw mut (*frame).overflow).write(std::ptr::null_mut());
            (&raw mut (*frame).source).write(source);
            (&raw mut (*frame).in_use).write(in_use::get());
        }
        Self { frame, _frame: PhantomData }
    }

    /// Returns the arena, which is valid for as long as `self`.
    #[inline(always)]
    pub(crate) fn get(&self) -> *mut CallArena {
        // SAFETY: `new` has initialised the arena.
        unsafe { &raw mut (*self.frame).arena }
    }
}

impl Drop for FrameArena<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: `new` has initialised the fields.
        let (overflow, before) = unsafe { ((*self.frame).overflow, (*self.frame).in_use) };
        if !overflow.is_null() || in_use::get() != before {
            // SAFETY: `new` has taken the source from a reference that is still valid. The overflow is from its
            // `enter` and not used again.
            unsafe { leave(&*(*self.frame).source, overflow, before) };
        }
    }
}

/// # Safety
///
/// As of [`ArenaLender::leave`].
#[cold]
#[inline(never)]
unsafe fn leave(source: &ArenaSource, overflow: *mut CallArena, before: usize) {
    // SAFETY: a proxy's host table is valid while the proxy is; the caller promises the rest.
    unsafe { (source.lender.leave)(source.host, overflow, before) };
}

/// Gives a [`FrameArena`] memory of the host's, as [`polyplug_abi::GrowFn`] demands.
///
/// # Safety
///
/// The arena must be that of a [`Frame`], and nothing else may use the frame during the call.
#[cold]
unsafe extern "C" fn grow(arena: *mut CallArena, size: usize, align: usize) -> *mut u8 {
    // SAFETY: the caller guarantees that the arena is that of a frame, which is its context, and exclusive use. The
    // source is a reference that outlives the frame's use.
    unsafe {
        let frame = (*arena).context().cast::<Frame>();
        let overflow = &raw mut (*frame).overflow;
        if size == 0 {
            if !(*overflow).is_null() {
                (**overflow).reset();
            }
            let room = (&raw mut (*frame).room).cast::<u8>();
            (*arena).set_region(room, room.add(ROOM));
            return std::ptr::null_mut();
        }
        if (*overflow).is_null() {
            let source = &*(*frame).source;
            *overflow = (source.lender.enter)(source.host);
        }
        let Some(lent) = (*overflow).as_mut() else { return std::ptr::null_mut() };
        let start = lent.alloc(size, align);
        if !start.is_null() {
            // Further allocations are made here. When the region is full, the host's arena is empty as well, and grows.
            let (start, end) = lent.take_region();
            (*arena).set_region(start, end);
        }
        start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    thread_local! {
        static LENT: Cell<*mut CallArena> = const { Cell::new(std::ptr::null_mut()) };
        static ENTERED: Cell<u32> = const { Cell::new(0) };
        static LEFT: Cell<u32> = const { Cell::new(0) };
    }

    unsafe fn enter(_: NonNull<HostApi>) -> *mut CallArena {
        ENTERED.set(ENTERED.get() + 1);
        LENT.get()
    }

    unsafe fn count_leave(_: NonNull<HostApi>, arena: *mut CallArena, _: usize) {
        assert_eq!(arena, LENT.get());
        LEFT.set(LEFT.get() + 1);
    }

    static LENDER: ArenaLender = ArenaLender { is_of_host: false, enter, leave: count_leave };
    const SOURCE: ArenaSource = ArenaSource { host: NonNull::dangling(), lender: &LENDER };

    /// Fills an allocation, so that Miri sees what overlaps or is not writable.
    fn filled(arena: *mut CallArena, size: usize, align: usize) -> bool {
        // SAFETY: the tests pass arenas that are valid.
        let start = unsafe { (*arena).alloc(size, align) };
        if start.is_null() {
            return false;
        }
        assert_eq!(start as usize % align, 0);
        // SAFETY: `size` bytes were allocated there.
        unsafe { start.write_bytes(7, size) };
        true
    }

    #[test]
    fn what_fits_into_the_frame_asks_the_host_for_nothing() {
        let mut frame = MaybeUninit::uninit();
        let arena = FrameArena::new(&mut frame, &SOURCE);
        assert!(filled(arena.get(), 100, 1));
        assert!(filled(arena.get(), 400, 8));
        drop(arena);
        assert_eq!((ENTERED.get(), LEFT.get()), (0, 0));
    }

    #[test]
    fn what_does_not_fit_is_in_the_arena_of_the_host() {
        let mut buffer = [0u64; 512];
        // SAFETY: the buffer outlives the arena, and is not used otherwise.
        let mut lent = unsafe { CallArena::fixed(buffer.as_mut_ptr().cast(), size_of_val(&buffer)) };
        LENT.set(&raw mut lent);
        let mut frame = MaybeUninit::uninit();
        let arena = FrameArena::new(&mut frame, &SOURCE);
        assert!(filled(arena.get(), 500, 1));
        assert!(filled(arena.get(), 1000, 8));
        assert!(filled(arena.get(), 3, 1));
        assert!(filled(arena.get(), 3000, 8));
        assert!(!filled(arena.get(), 3000, 8), "both are full");
        assert!(!filled(arena.get(), usize::MAX, 8));
        // SAFETY: the arena is valid, and what was allocated is not used again.
        unsafe { (*arena.get()).reset() };
        assert!(filled(arena.get(), 512, 16));
        // SAFETY: a callee may call `grow` itself, with any alignment.
        assert!(unsafe { grow(arena.get(), 8, 3) }.is_null());
        drop(arena);
        assert_eq!((ENTERED.get(), LEFT.get()), (1, 1));
    }

    #[test]
    fn a_host_that_lends_nothing_leaves_the_room_of_the_frame() {
        let mut frame = MaybeUninit::uninit();
        let arena = FrameArena::new(&mut frame, &SOURCE);
        assert!(!filled(arena.get(), 513, 1));
        assert!(filled(arena.get(), 512, 1));
        drop(arena);
        assert_eq!((ENTERED.get(), LEFT.get()), (1, 0));
    }
}
