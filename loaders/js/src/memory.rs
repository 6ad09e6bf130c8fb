//! The memory of a VM: an allocator that counts, and that refuses beyond a limit.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, handle_alloc_error, realloc};
use std::cell::Cell;
use std::ffi::c_void;

use rquickjs::qjs;

/// The memory account of a VM.
#[derive(Debug)]
pub(crate) struct Memory {
    used: Cell<usize>,
    limit: usize,
    /// Whether allocations beyond the limit are refused. None is while the VM is made: QuickJS does not survive a lack of
    /// memory where it makes a context.
    is_enforced: Cell<bool>,
    /// Whether an allocation was refused since [`was_refused`](Self::was_refused) was called last.
    is_refused: Cell<bool>,
    /// The number of bytes in use beyond which garbage is collected. QuickJS collects when the memory in use has grown by
    /// half, which may be beyond the limit.
    mark: Cell<usize>,
    /// The number of bytes that were refused since garbage was last collected for that reason.
    refused: Cell<usize>,
    runtime: Cell<*mut qjs::JSRuntime>,
}

/// The least number of bytes between two collections, as long as twice as much is left.
const LEAST_STEP: usize = 16 << 10;

/// The part of the memory in use that has to be refused before garbage is collected for that reason. A collection goes through all
/// memory, and a program may go on asking for memory without an end: between two collections it asks for a part of that.
const REFUSED_PART: usize = 64;

impl Memory {
    /// Makes an account with a limit in bytes, which is not enforced yet.
    pub(crate) fn new(limit: Option<usize>) -> Self {
        let limit = limit.unwrap_or(usize::MAX);
        Self {
            used: Cell::new(0),
            limit,
            is_enforced: Cell::new(false),
            is_refused: Cell::new(false),
            mark: Cell::new(usize::MAX),
            refused: Cell::new(0),
            runtime: Cell::new(std::ptr::null_mut()),
        }
    }

    /// Refuses allocations beyond the limit from now on, and collects garbage in time. Returns whether the memory in use is
    /// within the limit.
    ///
    /// # Safety
    ///
    /// The runtime must be the one that allocates with this account, and be valid for as long as it does.
    pub(crate) unsafe fn enforce(&self, runtime: *mut qjs::JSRuntime) -> bool {
        self.is_enforced.set(true);
        self.runtime.set(runtime);
        self.mark.set(self.first_mark());
        self.used.get() <= self.limit
    }

    /// Allows any allocation until the returned value is dropped. For the compiler of QuickJS, which does not survive a
    /// lack of memory.
    pub(crate) fn suspend(&self) -> Suspended<'_> {
        Suspended { memory: self, was_enforced: self.is_enforced.replace(false) }
    }

    /// Notes that the memory in use is beyond the limit, as an allocation that is refused does. Returns whether it is.
    pub(crate) fn is_exceeded(&self) -> bool {
        let is_exceeded = self.is_enforced.get() && self.used.get() > self.limit;
        if is_exceeded {
            self.is_refused.set(true);
        }
        is_exceeded
    }

    /// Returns the number of bytes in use.
    pub(crate) fn used(&self) -> usize {
        self.used.get()
    }

    /// Counts bytes that are not the VM's own until the returned value is dropped. Returns `None` if the limit does not
    /// allow that many.
    pub(crate) fn count(&self, bytes: usize) -> Option<Counted<'_>> {
        let used = self.used.get().checked_add(bytes).filter(|used| *used <= self.limit)?;
        self.used.set(used);
        Some(Counted { memory: self, bytes })
    }

    /// Returns whether an allocation was refused since the last call of this function.
    pub(crate) fn was_refused(&self) -> bool {
        self.is_refused.replace(false)
    }

    /// Forgets that an allocation was refused.
    #[inline]
    pub(crate) fn forget_refusal(&self) {
        self.is_refused.set(false);
    }

    /// Returns the number of bytes in use beyond which garbage is collected for the first time.
    fn first_mark(&self) -> usize {
        if self.limit == usize::MAX { usize::MAX } else { self.limit - self.limit / 4 }
    }

    /// Has QuickJS collect garbage when it makes the next object, and later only after a part of what is left is used.
    #[cold]
    fn collect_soon(&self, used: usize) {
        let left = self.limit.saturating_sub(used);
        self.mark.set(used.saturating_add((left / 4).max(LEAST_STEP.min(left / 2))));
        // SAFETY: the promise of `enforce`'s caller. The function sets a number, and does nothing else.
        unsafe { qjs::JS_SetGCThreshold(self.runtime.get(), 0) };
    }

    /// Counts an allocation that grows from `before` bytes to `after`. Returns false if the limit does not allow it.
    fn grow(&self, before: usize, after: usize) -> bool {
        let used = (self.used.get() - before).saturating_add(after);
        if used > self.limit && after > before && self.is_enforced.get() {
            self.is_refused.set(true);
            self.refused.set(self.refused.get().saturating_add(after - before));
            if self.refused.get() >= self.used.get() / REFUSED_PART {
                // What is tried next may find memory.
                self.refused.set(0);
                self.collect_soon(self.used.get());
            }
            return false;
        }
        self.used.set(used);
        if used > self.mark.get() {
            self.collect_soon(used);
        } else if after < before && used < self.limit / 2 && self.mark.get() != usize::MAX {
            self.mark.set(self.first_mark());
        }
        true
    }

    /// Takes back what [`grow`](Self::grow) counted for an allocation that the system refused, to grow from `before` bytes to
    /// those of `wanted`. Ends the process, as Rust's own allocations do, where QuickJS would go on with memory that it does
    /// not have: while it compiles, and while it makes a context.
    fn refuse(&self, before: usize, wanted: Layout) {
        if !self.is_enforced.get() {
            handle_alloc_error(wanted);
        }
        self.used.set(self.used.get() - wanted.size() + before);
        self.is_refused.set(true);
    }
}

/// A time in which no allocation is refused: see [`Memory::suspend`].
pub(crate) struct Suspended<'a> {
    memory: &'a Memory,
    was_enforced: bool,
}

impl Drop for Suspended<'_> {
    fn drop(&mut self) {
        self.memory.is_enforced.set(self.was_enforced);
    }
}

/// Bytes that are counted as a VM's: see [`Memory::count`].
pub(crate) struct Counted<'a> {
    memory: &'a Memory,
    bytes: usize,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.memory.used.set(self.memory.used.get() - self.bytes);
    }
}

/// The functions that QuickJS allocates with. Their opaque value is the address of a [`Memory`].
pub(crate) static FUNCTIONS: qjs::JSMallocFunctions = qjs::JSMallocFunctions {
    js_calloc: Some(allocate_zeroed),
    js_malloc: Some(allocate),
    js_free: Some(free),
    js_realloc: Some(reallocate),
    js_malloc_usable_size: Some(usable_size),
};

/// The bytes in front of each allocation, which hold its size. Allocations keep the alignment that C promises.
const HEADER: usize = 16;

/// Returns the layout of an allocation of `size` bytes with its header, or `None` if there is no such layout.
fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(HEADER)?, HEADER).ok()
}

/// Allocates `size` bytes by `allocate`.
///
/// # Safety
///
/// `opaque` must be the address of the VM's [`Memory`].
unsafe fn allocate_with(opaque: *mut c_void, size: usize, allocate: unsafe fn(Layout) -> *mut u8) -> *mut c_void {
    // SAFETY: the caller's promise.
    let memory = unsafe { &*opaque.cast::<Memory>() };
    let Some(layout) = layout(size).filter(|layout| memory.grow(0, layout.size())) else {
        return std::ptr::null_mut();
    };
    // SAFETY: the layout is not empty, as it has a header. A pointer that is not null has room for the header, whose
    // alignment is that of the layout.
    unsafe {
        let start = allocate(layout);
        if start.is_null() {
            memory.refuse(0, layout);
            return std::ptr::null_mut();
        }
        start.cast::<usize>().write(size);
        start.add(HEADER).cast()
    }
}

/// # Safety
///
/// QuickJS calls the function, with the address of the VM's [`Memory`].
unsafe extern "C" fn allocate(opaque: *mut c_void, size: qjs::size_t) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe { allocate_with(opaque, size as usize, alloc) }
}

/// # Safety
///
/// QuickJS calls the function, with the address of the VM's [`Memory`].
unsafe extern "C" fn allocate_zeroed(opaque: *mut c_void, count: qjs::size_t, size: qjs::size_t) -> *mut c_void {
    match (count as usize).checked_mul(size as usize) {
        // SAFETY: the caller's promise.
        Some(size) => unsafe { allocate_with(opaque, size, alloc_zeroed) },
        None => std::ptr::null_mut(),
    }
}

/// # Safety
///
/// QuickJS calls the function, with the address of the VM's [`Memory`] and an allocation of the functions here, or null.
unsafe extern "C" fn free(opaque: *mut c_void, ptr: *mut c_void) {
    if ptr.is_null() {
        return;
    }
    // SAFETY: the caller's promise: the allocation has a header, with the size that its layout was made of.
    unsafe {
        let start = ptr.cast::<u8>().sub(HEADER);
        let Some(layout) = layout(start.cast::<usize>().read()) else { return };
        let memory = &*opaque.cast::<Memory>();
        memory.grow(layout.size(), 0);
        dealloc(start, layout);
    }
}

/// # Safety
///
/// QuickJS calls the function, with the address of the VM's [`Memory`] and an allocation of the functions here, or null.
unsafe extern "C" fn reallocate(opaque: *mut c_void, ptr: *mut c_void, size: qjs::size_t) -> *mut c_void {
    let size = size as usize;
    // SAFETY: the caller's promise: an allocation that is not null has a header, with the size that its layout was made
    // of. The new size is not 0 where `realloc` is called, because of the header.
    unsafe {
        if ptr.is_null() {
            return allocate_with(opaque, size, alloc);
        }
        let memory = &*opaque.cast::<Memory>();
        let start = ptr.cast::<u8>().sub(HEADER);
        let (Some(before), Some(after)) = (layout(start.cast::<usize>().read()), layout(size)) else {
            return std::ptr::null_mut();
        };
        if !memory.grow(before.size(), after.size()) {
            return std::ptr::null_mut();
        }
        let moved = realloc(start, before, after.size());
        if moved.is_null() {
            memory.refuse(before.size(), after);
            return std::ptr::null_mut();
        }
        moved.cast::<usize>().write(size);
        moved.add(HEADER).cast()
    }
}

/// # Safety
///
/// QuickJS calls the function, with an allocation of the functions here, or null.
unsafe extern "C" fn usable_size(ptr: *const c_void) -> qjs::size_t {
    if ptr.is_null() {
        return 0;
    }
    // SAFETY: the caller's promise: the allocation has a header, with its size.
    unsafe { ptr.cast::<u8>().sub(HEADER).cast::<usize>().read() as qjs::size_t }
}
