//! Signals of a host with a CLR.

use std::os::unix::process::ExitStatusExt as _;
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};

use super::super::keep_signals;
use super::child::{again, in_child, versions, with_each};
use super::dotnet::{at, call, probe, start};

static LAST: AtomicI32 = AtomicI32::new(0);

extern "C" fn handle(signal: i32) {
    LAST.store(signal, Ordering::SeqCst);
}

/// Sets the handler of a signal.
fn set(signal: i32, handler: libc::sighandler_t) {
    // SAFETY: the handler is a function of a signal that only stores a number, or none.
    assert_ne!(unsafe { libc::signal(signal, handler) }, libc::SIG_ERR);
}

/// Returns the handler of a signal.
fn handler(signal: i32) -> libc::sighandler_t {
    // SAFETY: an action of zeros is valid, and sigaction with no new action only writes the current one.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        assert_eq!(libc::sigaction(signal, ptr::null(), &mut action), 0);
        action.sa_sigaction
    }
}

const OF_HOST: [i32; 6] = [libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGHUP, libc::SIGCHLD, libc::SIGCONT];

fn own() -> libc::sighandler_t {
    handle as extern "C" fn(i32) as *const () as libc::sighandler_t
}

#[test]
fn the_handlers_of_the_host_stay() {
    let Some(root) = with_each("signals", "the_handlers_of_the_host_stay") else { return };
    OF_HOST.iter().for_each(|signal| set(*signal, own()));
    set(libc::SIGPIPE, libc::SIG_DFL);
    let fault = handler(libc::SIGSEGV);
    let clr = start(&at(&root));
    for signal in OF_HOST {
        assert_eq!(handler(signal), own(), "{signal}");
        // SAFETY: the signal has a handler.
        assert_eq!(unsafe { libc::raise(signal) }, 0);
        assert_eq!(LAST.swap(0, Ordering::SeqCst), signal);
    }
    assert_eq!(handler(libc::SIGPIPE), libc::SIG_DFL);
    // The CLR has its handlers of faults, and works.
    assert_ne!(handler(libc::SIGSEGV), fault);
    assert_eq!(call(probe(clr)), 42);
}

#[test]
fn signals_without_a_handler_end_the_process() {
    if let Some(root) = in_child() {
        let signal = std::env::var("SIGNAL").unwrap().parse().unwrap();
        let clr = start(&at(&root));
        assert_eq!(call(probe(clr)), 42);
        // SAFETY: the process is this one.
        unsafe { libc::kill(libc::getpid(), signal) };
        std::thread::sleep(std::time::Duration::from_secs(10));
        return;
    }
    for version in versions() {
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
            let mut command = again("signals", "signals_without_a_handler_end_the_process", version);
            let folder = tempfile::tempdir().unwrap();
            let output = command.env("SIGNAL", signal.to_string()).env("TMPDIR", folder.path()).output().unwrap();
            assert_eq!(output.status.signal(), Some(signal), "{version}: {output:?}");
        }
    }
}

#[test]
fn a_handler_that_the_host_sets_meanwhile_stays() {
    let before = handler(libc::SIGUSR2);
    keep_signals(|| {
        set(libc::SIGWINCH, own());
        set(libc::SIGUSR2, own());
    });
    assert_eq!((handler(libc::SIGWINCH), handler(libc::SIGUSR2)), (own(), own()));
    keep_signals(|| set(libc::SIGWINCH, libc::SIG_IGN));
    assert_eq!(handler(libc::SIGWINCH), libc::SIG_IGN);
    set(libc::SIGWINCH, libc::SIG_DFL);
    set(libc::SIGUSR2, before);
}
