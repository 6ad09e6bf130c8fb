//! The stack of the current thread: how much of it is left.

use std::cell::Cell;
use std::ops::Range;

thread_local! {
    /// The addresses of this thread's stack, once asked for. Empty where the system does not tell.
    static STACK: Cell<Option<(usize, usize)>> = const { Cell::new(None) };
}

/// Returns how many bytes of this thread's stack are left, or `None` if that is not known: the system does not tell, or
/// the thread runs on another stack than its own.
#[inline]
#[must_use]
pub fn remaining() -> Option<usize> {
    let (lowest, end) = STACK.get().unwrap_or_else(ask_once);
    let marker = 0_u8;
    let here = std::ptr::from_ref(&marker).addr();
    (lowest..end).contains(&here).then(|| here - lowest)
}

/// Asks the system for the addresses of this thread's stack, and keeps them.
#[cold]
fn ask_once() -> (usize, usize) {
    let Range { start, end } = ask_system().unwrap_or_default();
    STACK.set(Some((start, end)));
    (start, end)
}

/// Returns the addresses of this thread's stack without the guard.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn ask_system() -> Option<Range<usize>> {
    let mut attributes = std::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: the attributes are read and destroyed only after the system has written them. All other pointers lead to
    // variables of the right types.
    unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return None;
        }
        let (mut lowest, mut size, mut guard) = (std::ptr::null_mut(), 0, 0);
        let asked = libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut lowest, &raw mut size)
            | libc::pthread_attr_getguardsize(attributes.as_ptr(), &raw mut guard);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        // Whether the guard is a part of the stack differs between systems: it is left out.
        (asked == 0).then(|| lowest.addr() + guard..lowest.addr() + size)
    }
}

/// Returns the addresses of this thread's stack.
#[cfg(target_os = "macos")]
fn ask_system() -> Option<Range<usize>> {
    // SAFETY: both functions take the calling thread.
    let (end, size) = unsafe {
        let thread = libc::pthread_self();
        (libc::pthread_get_stackaddr_np(thread).addr(), libc::pthread_get_stacksize_np(thread))
    };
    Some(end.checked_sub(size)?..end)
}

/// Returns the addresses of this thread's stack without its end, which Windows keeps for the handler of an overflow.
#[cfg(windows)]
fn ask_system() -> Option<Range<usize>> {
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetCurrentThreadStackLimits(lowest: *mut usize, end: *mut usize);
    }

    // The last page, the guard, and the 20 KiB that Rust's standard library asks for on each thread, with room to spare.
    const KEPT: usize = 32 << 10;
    let (mut lowest, mut end) = (0, 0);
    // SAFETY: the function is part of Windows since version 8, and writes two addresses.
    unsafe { GetCurrentThreadStackLimits(&raw mut lowest, &raw mut end) };
    (lowest + KEPT < end).then(|| lowest + KEPT..end)
}

/// Returns nothing: the limit on the number of nested calls holds alone.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "macos", windows)))]
fn ask_system() -> Option<Range<usize>> {
    None
}

#[cfg(all(test, any(target_os = "linux", windows)))]
mod tests {
    use super::remaining;

    #[test]
    fn a_thread_knows_its_stack() {
        // Windows rounds up to a whole MiB.
        const SIZE: usize = 1 << 22;
        let thread = std::thread::Builder::new().stack_size(SIZE);
        let left = thread.spawn(|| remaining().unwrap()).unwrap().join().unwrap();
        assert!(left < SIZE && left > SIZE / 2, "{left}");
    }

    #[test]
    fn deeper_calls_leave_less() {
        #[inline(never)]
        fn deeper() -> usize {
            let room = std::hint::black_box([0_u8; 1 << 14]);
            let left = remaining().unwrap();
            std::hint::black_box(room);
            left
        }
        assert!(deeper() + (1 << 14) <= remaining().unwrap());
    }
}
