//! The alternate signal stack of threads that run managed code.
//!
//! The CLR has the system tell it of a null reference as a signal, whose handler runs on the thread's alternate signal
//! stack. The stack that Rust's standard library gives to threads is too small for the handler of .NET 5 and later,
//! which would overwrite the memory below. The CLR asks for a stack of its own where a thread has none, and Rust removes
//! whichever stack there is when the thread ends, so the CLR could not free its own.

use std::cell::Cell;

thread_local! {
    static PREPARED: Cell<bool> = const { Cell::new(false) };
}

/// Prepares this thread for managed code. Must be called before each entry into managed code.
#[inline]
pub(crate) fn prepare_thread() {
    if !PREPARED.get() {
        prepare();
    }
}

#[cold]
fn prepare() {
    PREPARED.set(true);
    #[cfg(unix)]
    alternate::enlarge();
}

#[cfg(unix)]
mod alternate {
    use std::cell::RefCell;
    use std::ffi::c_void;
    use std::ptr::{self, NonNull};

    /// The least size with which the handlers of all versions of .NET work.
    const ENOUGH: usize = 16 * 1024;
    /// The size of the stacks that are made here. What is not used of it takes no memory.
    const SIZE: usize = 64 * 1024;

    thread_local! {
        static OWN: RefCell<Option<Stack>> = const { RefCell::new(None) };
    }

    /// Gives this thread a larger alternate stack if it has a small one.
    pub(super) fn enlarge() {
        let current = current();
        if current.ss_flags & libc::SS_DISABLE != 0 || current.ss_size >= ENOUGH {
            return;
        }
        // A thread that ends has nothing left to free the stack, and keeps the small one.
        let _is_ending = OWN.try_with(|own| *own.borrow_mut() = Stack::install());
    }

    fn current() -> libc::stack_t {
        let mut current = libc::stack_t { ss_sp: ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
        // SAFETY: sigaltstack with no new stack only writes the current one, to a structure of this function.
        unsafe { libc::sigaltstack(ptr::null(), &mut current) };
        current
    }

    /// An alternate stack of this thread, with a page below it that cannot be written.
    struct Stack {
        mapping: NonNull<c_void>,
        length: usize,
    }

    impl Stack {
        /// Makes a stack and gives it to this thread, or returns `None` where the system has no memory for it.
        fn install() -> Option<Self> {
            // SAFETY: sysconf may be called at any time.
            let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
            let length = page + SIZE.next_multiple_of(page);
            let flags = libc::MAP_PRIVATE | libc::MAP_ANON;
            // SAFETY: the system chooses the place of a new mapping.
            let mapping =
                unsafe { libc::mmap(ptr::null_mut(), length, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
            if mapping == libc::MAP_FAILED {
                return None;
            }
            let stack = Self { mapping: NonNull::new(mapping)?, length };
            // SAFETY: the page is the first of the mapping, which nothing uses yet.
            unsafe { libc::mprotect(mapping, page, libc::PROT_NONE) };
            let bottom = mapping.wrapping_byte_add(page);
            let new = libc::stack_t { ss_sp: bottom, ss_flags: 0, ss_size: length - page };
            // SAFETY: the stack is mapped until `drop`, which takes it from the thread before.
            let is_set = unsafe { libc::sigaltstack(&new, ptr::null_mut()) } == 0;
            is_set.then_some(stack)
        }

        fn contains(&self, address: *mut c_void) -> bool {
            (self.mapping.as_ptr().addr()..self.mapping.as_ptr().addr() + self.length).contains(&address.addr())
        }
    }

    impl Drop for Stack {
        fn drop(&mut self) {
            // The standard library has taken the stack from its own threads by now. It does not touch the others.
            if self.contains(current().ss_sp) {
                // The size is for musl, which wants one here as well.
                let none = libc::stack_t { ss_sp: ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: SIZE };
                // SAFETY: without an alternate stack, handlers run on the thread's own.
                unsafe { libc::sigaltstack(&none, ptr::null_mut()) };
            }
            // SAFETY: the mapping is `install`'s, of this length, and the thread does not use it any more: it had it taken
            // above or before. Another thread has never had it.
            unsafe { libc::munmap(self.mapping.as_ptr(), self.length) };
        }
    }
}
