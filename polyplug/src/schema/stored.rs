//! The stored form of a value in canonical memory, of which copies are placed in calls' memory: the defaults of fields.

use polyplug_abi::CallArena;

/// The alignment that suffices for every canonical layout.
pub(super) const ALIGN: usize = 16;

/// A value in canonical form, of which copies are placed in calls' memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    /// The value itself, and after that what its pointers lead to, each part aligned.
    pub(super) image: Box<[u8]>,
    /// The size of the value itself.
    pub(super) size: usize,
    /// The pointers in the image: the offset of each, and the offset that it leads to.
    pub(super) pointers: Box<[(usize, usize)]>,
}

impl Stored {
    /// Returns the value's bytes, or `None` if they have pointers.
    #[cfg(feature = "host")]
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        self.pointers.is_empty().then_some(&self.image[..self.size])
    }

    /// Writes a copy of the value to `to`. What pointers lead to is allocated in the arena. Returns whether that had room.
    ///
    /// # Safety
    ///
    /// `to` must point to writable memory for the value. The arena must be valid and unused otherwise, or null.
    #[inline]
    pub(crate) unsafe fn place(&self, to: *mut u8, arena: *mut CallArena) -> bool {
        // SAFETY: the image begins with the value, for which the caller promises memory.
        unsafe { to.copy_from_nonoverlapping(self.image.as_ptr(), self.size) };
        // SAFETY: the caller promises the memory and the arena.
        self.pointers.is_empty() || unsafe { self.place_targets(to, arena) }
    }

    /// Allocates what the pointers lead to, and sets them.
    ///
    /// # Safety
    ///
    /// As of [`place`](Self::place).
    unsafe fn place_targets(&self, to: *mut u8, arena: *mut CallArena) -> bool {
        let begin = self.size.next_multiple_of(ALIGN);
        let targets = &self.image[begin..];
        // SAFETY: the arena is valid or null (the caller's promise).
        let start = unsafe { arena.as_mut() }.map_or(std::ptr::null_mut(), |arena| arena.alloc(targets.len(), ALIGN));
        if start.is_null() {
            return false;
        }
        // SAFETY: the arena returned memory for the targets. Each pointer lies in the value or among the targets, and
        // leads to a target, by the construction of the image.
        unsafe {
            start.copy_from_nonoverlapping(targets.as_ptr(), targets.len());
            for (at, target) in &self.pointers {
                let place = if *at < self.size { to.add(*at) } else { start.add(at - begin) };
                place.cast::<*const u8>().write(start.add(target - begin));
            }
        }
        true
    }
}
