//! Arenas, which hold the results of one call.

use core::ffi::c_void;
use core::fmt;

/// The function by which an arena asks its owner for memory. If the region is too small for an allocation, the function
/// returns `size` bytes or null. With `size` 0 it rewinds the arena to its start.
pub type GrowFn = unsafe extern "C" fn(arena: *mut CallArena, size: usize, align: usize) -> *mut u8;

/// A bump allocator in a region that the caller of a method owns.
///
/// The results of calls are valid until the caller resets the arena, which frees all of them at once. An arena without
/// a `grow` function has a fixed size; an arena with a `grow` function asks its owner for more memory.
///
/// ```
/// use polyplug_abi::CallArena;
///
/// let mut buffer = [0u8; 64];
/// // SAFETY: `buffer` outlives the arena, and is not used otherwise during that time.
/// let mut arena = unsafe { CallArena::fixed(buffer.as_mut_ptr(), buffer.len()) };
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
    /// The function that asks the owner for memory, or to rewind.
    grow: Option<GrowFn>,
    /// The owner's data; without `grow`, the start of the region.
    ctx: *mut c_void,
}

const _: () = assert!(size_of::<CallArena>() == 32);

impl CallArena {
    /// Makes an arena over `len` bytes at `start` that never grows.
    ///
    /// # Safety
    ///
    /// The region must be writable, and not be used otherwise, for as long as the arena is used.
    #[must_use]
    pub const unsafe fn fixed(start: *mut u8, len: usize) -> Self {
        // SAFETY: the region has `len` bytes (the caller's promise), so this is at most one past its end.
        let end = unsafe { start.add(len) };
        Self { cur: start, end, grow: None, ctx: start.cast() }
    }

    /// Makes an arena that begins empty and asks `grow` for memory.
    ///
    /// # Safety
    ///
    /// `grow` must follow [`GrowFn`]'s protocol: it must return null, or `size` writable, aligned bytes that are not
    /// used otherwise until `grow` is called to rewind. It may replace the region with
    /// [`set_region`](Self::set_region).
    #[must_use]
    pub const unsafe fn growing(grow: GrowFn, ctx: *mut c_void) -> Self {
        Self { cur: core::ptr::null_mut(), end: core::ptr::null_mut(), grow: Some(grow), ctx }
    }

    /// Makes `start..end` the region that allocations are taken from. For `grow` functions.
    ///
    /// # Safety
    ///
    /// The region must be writable, and not be used otherwise, for as long as the arena uses it.
    pub const unsafe fn set_region(&mut self, start: *mut u8, end: *mut u8) {
        self.cur = start;
        self.end = end;
    }

    /// Returns what is left of the region, and leaves the arena without any: it asks `grow` for the next allocation. For
    /// arenas that take their memory from another one.
    #[must_use]
    pub const fn take_region(&mut self) -> (*mut u8, *mut u8) {
        let region = (self.cur, self.end);
        self.cur = self.end;
        region
    }

    /// Returns the owner's data.
    #[must_use]
    pub const fn context(&self) -> *mut c_void {
        self.ctx
    }

    /// Allocates `size` bytes aligned to `align`, uninitialised. Returns null if the arena is too small, or if `align`
    /// is not a power of two.
    ///
    /// With `size` 0 the result is a dangling pointer that is not null.
    #[inline]
    pub fn alloc(&mut self, size: usize, align: usize) -> *mut u8 {
        if size == 0 || !align.is_power_of_two() {
            return Self::degenerate(size, align);
        }
        let padding = (self.cur as usize).wrapping_neg() & (align - 1);
        let available = (self.end as usize).wrapping_sub(self.cur as usize);
        // The first condition keeps the subtraction from wrapping.
        if available >= padding && available - padding >= size {
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

    /// Frees all allocations, and keeps the memory for reuse.
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
        struct Buffer([u8; 128]);
        let mut buffer = Buffer([0; 128]);
        // SAFETY: `buffer` outlives `arena` and is not used otherwise.
        let mut arena = unsafe { CallArena::fixed(buffer.0.as_mut_ptr(), 128) };
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
