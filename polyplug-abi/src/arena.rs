//! Memory for the results of one call.

use core::ffi::c_void;
use core::fmt;

/// Called when an arena has no room left for `size` bytes (then it returns them, or null), and with `size` 0 to
/// rewind the arena to its start.
pub type GrowFn = unsafe extern "C" fn(arena: *mut CallArena, size: usize, align: usize) -> *mut u8;

/// Bump allocation in a region that the caller owns.
///
/// A call's results live here until the caller resets the arena, whoever the callee is: nothing is freed one by one.
/// An arena without a `grow` function is of fixed size; one with it asks its owner for more.
///
/// ```
/// use polyplug_abi::CallArena;
///
/// let mut room = [0u8; 64];
/// // SAFETY: `room` outlives the arena, and nothing else touches it meanwhile.
/// let mut arena = unsafe { CallArena::fixed(room.as_mut_ptr(), room.len()) };
/// assert!(!arena.alloc(48, 8).is_null());
/// assert!(arena.alloc(48, 8).is_null(), "full");
/// arena.reset();
/// assert!(!arena.alloc(48, 8).is_null());
/// ```
#[repr(C)]
pub struct CallArena {
    /// The next free byte.
    cur: *mut u8,
    /// The end of the region.
    end: *mut u8,
    /// Asks the owner for more, or to rewind.
    grow: Option<GrowFn>,
    /// The owner's data; the start of the region where there is no `grow`.
    ctx: *mut c_void,
}

const _: () = assert!(size_of::<CallArena>() == 32);

impl CallArena {
    /// An arena over `len` bytes at `start` that never grows.
    ///
    /// # Safety
    ///
    /// The region must be writable and used by nothing else for as long as the arena is.
    #[must_use]
    pub const unsafe fn fixed(start: *mut u8, len: usize) -> Self {
        // SAFETY: one past the end of a region that exists (the caller's promise).
        let end = unsafe { start.add(len) };
        Self { cur: start, end, grow: None, ctx: start.cast() }
    }

    /// An arena that begins empty and asks `grow` for memory.
    ///
    /// # Safety
    ///
    /// `grow` must follow [`GrowFn`]'s protocol: return null or `size` writable bytes, aligned, that stay untouched
    /// until it is asked to rewind, and it may replace the region with [`set_region`](Self::set_region).
    #[must_use]
    pub const unsafe fn growing(grow: GrowFn, ctx: *mut c_void) -> Self {
        Self { cur: core::ptr::null_mut(), end: core::ptr::null_mut(), grow: Some(grow), ctx }
    }

    /// Makes `start..end` the region that allocations are taken from. For `grow` functions.
    ///
    /// # Safety
    ///
    /// As for [`CallArena::fixed`].
    pub const unsafe fn set_region(&mut self, start: *mut u8, end: *mut u8) {
        self.cur = start;
        self.end = end;
    }

    /// The owner's data.
    #[must_use]
    pub const fn context(&self) -> *mut c_void {
        self.ctx
    }

    /// `size` bytes aligned to `align`, uninitialised; null when there is no room or `align` is no power of two.
    ///
    /// No bytes are a dangling pointer that is not null.
    #[inline]
    pub fn alloc(&mut self, size: usize, align: usize) -> *mut u8 {
        if size == 0 || !align.is_power_of_two() {
            return Self::degenerate(size, align);
        }
        let padding = (self.cur as usize).wrapping_neg() & (align - 1);
        let room = (self.end as usize).wrapping_sub(self.cur as usize);
        // `room < padding` is ruled out first, so the subtraction cannot wrap.
        if room >= padding && room - padding >= size {
            let start = self.cur.wrapping_add(padding);
            self.cur = start.wrapping_add(size);
            return start;
        }
        self.alloc_slow(size, align)
    }

    #[cold]
    #[inline(never)]
    fn degenerate(size: usize, align: usize) -> *mut u8 {
        if size == 0 && align.is_power_of_two() {
            return core::ptr::without_provenance_mut(align);
        }
        core::ptr::null_mut()
    }

    #[cold]
    #[inline(never)]
    fn alloc_slow(&mut self, size: usize, align: usize) -> *mut u8 {
        match self.grow {
            // SAFETY: `grow` follows the protocol (promised to `growing`), and `size` is not 0 here.
            Some(grow) => unsafe { grow(self, size, align) },
            None => core::ptr::null_mut(),
        }
    }

    /// Forgets everything allocated so far; the memory is kept for reuse.
    #[inline]
    pub fn reset(&mut self) {
        match self.grow {
            // SAFETY: `grow` follows the protocol (promised to `growing`); size 0 asks it to rewind.
            Some(grow) => unsafe {
                grow(self, 0, 1);
            },
            None => self.cur = self.ctx.cast(),
        }
    }
}

impl fmt::Debug for CallArena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let room = (self.end as usize).wrapping_sub(self.cur as usize);
        write!(f, "CallArena {{ room: {room}, grows: {} }}", self.grow.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alignment_and_exhaustion() {
        #[repr(align(16))]
        struct Room([u8; 128]);
        let mut room = Room([0; 128]);
        // SAFETY: `room` outlives `arena` and is used by nothing else.
        let mut arena = unsafe { CallArena::fixed(room.0.as_mut_ptr(), 128) };
        let a = arena.alloc(1, 1);
        let b = arena.alloc(8, 8);
        assert_eq!(b as usize - a as usize, 8);
        assert_eq!(arena.alloc(16, 16) as usize % 16, 0);
        assert!(arena.alloc(usize::MAX, 1).is_null());
        assert!(arena.alloc(usize::MAX - 7, 8).is_null());
        assert!(arena.alloc(97, 1).is_null());
        assert!(!arena.alloc(96, 1).is_null());
        assert!(arena.alloc(1, 1).is_null());
        assert!(arena.alloc(8, 3).is_null(), "an alignment that is no power of two");
        assert!(!arena.alloc(0, 8).is_null(), "nothing always fits");
        arena.reset();
        assert_eq!(arena.alloc(1, 1), a);
    }
}
