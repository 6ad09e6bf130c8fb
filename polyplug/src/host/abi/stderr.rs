//! Standard error, as a place of last resort for messages.

use std::io::Write;

/// Writes whole lines. Lines of several threads do not mix. If standard error is closed, or nothing reads it any more, the
/// lines are lost.
pub(crate) fn write_lines(lines: &str) {
    let mut stderr = std::io::stderr().lock();
    without_signal(|| {
        let _ = stderr.write_all(lines.as_bytes());
    });
}

/// Runs `write` in such a way that a write to a pipe that nothing reads is an error, and does not end the process. Rust's
/// programs ignore the signal that ends it, and hosts in other languages may not.
#[cfg(unix)]
fn without_signal(write: impl FnOnce()) {
    use std::mem::MaybeUninit;
    use std::ptr::null_mut;

    let mut pipe = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `sigemptyset` fills the set that `sigaddset` and `pthread_sigmask` then use. `pthread_sigmask` fills `before`
    // unless it fails, and changes nothing then.
    let (pipe, before) = unsafe {
        libc::sigemptyset(pipe.as_mut_ptr());
        libc::sigaddset(pipe.as_mut_ptr(), libc::SIGPIPE);
        if libc::pthread_sigmask(libc::SIG_BLOCK, pipe.as_ptr(), before.as_mut_ptr()) != 0 {
            return write();
        }
        (pipe.assume_init(), before.assume_init())
    };
    let was_pending = is_pending();
    write();
    if !was_pending && is_pending() {
        // The write has raised the signal. It is pending for this thread, which takes it and does not wait.
        let mut taken = 0;
        // SAFETY: `pipe` is a set of signals that are blocked, and `taken` is writable.
        unsafe { libc::sigwait(&raw const pipe, &raw mut taken) };
    }
    // SAFETY: `before` is the mask that `pthread_sigmask` has returned.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, null_mut()) };
}

/// Returns whether the signal of a broken pipe waits for this thread.
#[cfg(unix)]
fn is_pending() -> bool {
    let mut pending = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `sigpending` fills the set unless it fails.
    unsafe { libc::sigpending(pending.as_mut_ptr()) == 0 && libc::sigismember(pending.as_ptr(), libc::SIGPIPE) == 1 }
}

#[cfg(not(unix))]
fn without_signal(write: impl FnOnce()) {
    write();
}
