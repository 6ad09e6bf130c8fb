//! An asymmetric memory barrier: a cheap side for frequent use, and an expensive side for rare use.
//!
//! On Linux the expensive side makes every running thread execute a full fence, so the cheap side is only a compiler
//! fence. Elsewhere both sides are full fences.

use std::sync::atomic::{AtomicBool, Ordering, compiler_fence, fence};

/// The flag that says that [`heavy`] fences all threads. [`detect`] sets it before any thread relies on [`light`].
static FENCES_ALL_THREADS: AtomicBool = AtomicBool::new(false);

/// Executes the cheap side of the barrier.
#[inline]
pub(crate) fn light() {
    if FENCES_ALL_THREADS.load(Ordering::Relaxed) {
        compiler_fence(Ordering::SeqCst);
    } else {
        fence(Ordering::SeqCst);
    }
}

/// Executes the expensive side of the barrier. For each thread that executes [`light`], one of two holds: this thread
/// sees after the call what the other wrote before [`light`], or the other sees after [`light`] what this thread wrote
/// before the call.
pub(crate) fn heavy() {
    fence(Ordering::SeqCst);
    if FENCES_ALL_THREADS.load(Ordering::Relaxed) {
        assert!(system::fence_all_threads(), "the system said that it can");
    }
}

/// Detects whether the system can fence all threads.
pub(crate) fn detect() {
    FENCES_ALL_THREADS.store(system::is_supported(), Ordering::SeqCst);
}

#[cfg(target_os = "linux")]
mod system {
    /// The command `MEMBARRIER_CMD_QUERY`, which returns the supported commands.
    const QUERY: libc::c_int = 0;
    /// The command `MEMBARRIER_CMD_GLOBAL`, which fences all running threads and needs no registration.
    const GLOBAL: libc::c_int = 1;

    fn membarrier(command: libc::c_int) -> libc::c_long {
        // SAFETY: the system call takes no pointers, and the two commands touch no memory of the program.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) }
    }

    pub(super) fn is_supported() -> bool {
        let commands = membarrier(QUERY);
        commands > 0 && commands & libc::c_long::from(GLOBAL) != 0
    }

    pub(super) fn fence_all_threads() -> bool {
        membarrier(GLOBAL) == 0
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) fn is_supported() -> bool {
        false
    }

    pub(super) fn fence_all_threads() -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs two threads that each set a flag and then read the other's. At least one of them has to see the other's
    /// flag.
    #[test]
    fn one_of_two_sees_the_other() {
        detect();
        for _ in 0..20 {
            let (one, other) = (AtomicBool::new(false), AtomicBool::new(false));
            let saw = std::thread::scope(|scope| {
                let often = scope.spawn(|| {
                    one.store(true, Ordering::Relaxed);
                    light();
                    other.load(Ordering::Relaxed)
                });
                other.store(true, Ordering::Relaxed);
                heavy();
                let seen = one.load(Ordering::Relaxed);
                (often.join().unwrap(), seen)
            });
            assert_ne!(saw, (false, false));
        }
    }
}
