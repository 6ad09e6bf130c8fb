//! A fence of two sides, of which one is passed all the time and the other once: the first costs nothing where the
//! system can make all threads pass the other.

use std::sync::atomic::{AtomicBool, Ordering, compiler_fence, fence};

/// Whether [`heavy`] can do all the work. Set before any thread passes [`light`] that matters.
static IS_HEAVY_ENOUGH: AtomicBool = AtomicBool::new(false);

/// The side that is passed often.
#[inline]
pub(crate) fn light() {
    if IS_HEAVY_ENOUGH.load(Ordering::Relaxed) {
        compiler_fence(Ordering::SeqCst);
    } else {
        fence(Ordering::SeqCst);
    }
}

/// The side that is passed once: what threads have written before [`light`] is seen after it, or what was written before
/// this is seen by them after [`light`].
pub(crate) fn heavy() {
    fence(Ordering::SeqCst);
    if IS_HEAVY_ENOUGH.load(Ordering::Relaxed) {
        assert!(system::make_all_pass(), "the system said that it can");
    }
}

/// Finds out what the system can do.
pub(crate) fn prepare() {
    IS_HEAVY_ENOUGH.store(system::can(), Ordering::SeqCst);
}

#[cfg(target_os = "linux")]
mod system {
    /// Commands of `membarrier`: what there is, and a full fence in every thread that runs, without having registered.
    const QUERY: libc::c_int = 0;
    const GLOBAL: libc::c_int = 1;

    fn command(command: libc::c_int) -> libc::c_long {
        // SAFETY: these commands touch no memory of the program's.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) }
    }

    pub(super) fn can() -> bool {
        let known = command(QUERY);
        known > 0 && known & libc::c_long::from(GLOBAL) != 0
    }

    pub(super) fn make_all_pass() -> bool {
        command(GLOBAL) == 0
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) fn can() -> bool {
        false
    }

    pub(super) fn make_all_pass() -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two threads, of which at least one has to see the other: with the flags in any other order, both may go on.
    #[test]
    fn one_of_two_sees_the_other() {
        prepare();
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
