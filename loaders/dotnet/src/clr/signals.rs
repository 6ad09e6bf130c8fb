//! The host's handlers of signals.
//!
//! The CLR takes over signals that end a process or that tell of its children and its terminal. In a process that is not
//! its own, those belong to the host.

/// Runs `code`, and gives the host back the handlers of signals that the CLR has taken over meanwhile. The signals of
/// faults and the CLR's own signal are left to it: it needs them, and passes on those faults that are not its own.
pub(crate) fn keep_signals<R>(code: impl FnOnce() -> R) -> R {
    #[cfg(unix)]
    let saved = actions::Actions::save();
    let result = code();
    #[cfg(unix)]
    saved.restore();
    result
}

#[cfg(unix)]
mod actions {
    use std::ffi::{CStr, c_int};
    use std::mem::MaybeUninit;
    use std::path::Path;
    use std::ptr;

    /// The signals that belong to the host.
    const OF_HOST: &[c_int] = &[
        libc::SIGHUP,
        libc::SIGINT,
        libc::SIGQUIT,
        libc::SIGTERM,
        libc::SIGPIPE,
        libc::SIGCHLD,
        libc::SIGCONT,
        libc::SIGTSTP,
        libc::SIGTTIN,
        libc::SIGTTOU,
        libc::SIGWINCH,
    ];

    /// The actions of the host's signals.
    pub(super) struct Actions(Vec<(c_int, libc::sigaction)>);

    impl Actions {
        pub(super) fn save() -> Self {
            Self(OF_HOST.iter().filter_map(|&signal| Some((signal, action(signal)?))).collect())
        }

        /// Restores the actions that the CLR has replaced. An action that another thread of the host has set since then
        /// stays.
        pub(super) fn restore(self) {
            for (signal, before) in self.0 {
                let Some(now) = action(signal) else { continue };
                if now.sa_sigaction != before.sa_sigaction && is_of_clr(signal, now.sa_sigaction) {
                    // SAFETY: the action was this signal's in this process, before.
                    unsafe { libc::sigaction(signal, &before, ptr::null_mut()) };
                }
            }
        }
    }

    /// Returns the action of a signal.
    fn action(signal: c_int) -> Option<libc::sigaction> {
        let mut action = MaybeUninit::uninit();
        // SAFETY: sigaction with no new action only writes the current one, to a variable of this function. It has
        // written it where it returns 0.
        unsafe { (libc::sigaction(signal, ptr::null(), action.as_mut_ptr()) == 0).then(|| action.assume_init()) }
    }

    /// Returns whether the CLR sets this handler: a function of one of its libraries, or none for `SIGPIPE`.
    fn is_of_clr(signal: c_int, handler: libc::sighandler_t) -> bool {
        if handler == libc::SIG_IGN || handler == libc::SIG_DFL {
            return signal == libc::SIGPIPE;
        }
        let mut place = MaybeUninit::<libc::Dl_info>::zeroed();
        // SAFETY: dladdr looks an address up, whichever it is, and writes to a variable of this function, whose name is
        // that of a library that stays loaded. An `Dl_info` of zeros is valid.
        let file = unsafe {
            let is_known = libc::dladdr(handler as *const _, place.as_mut_ptr()) != 0;
            let name = place.assume_init().dli_fname;
            if !is_known || name.is_null() {
                return false;
            }
            CStr::from_ptr(name)
        };
        let file = Path::new(file.to_str().unwrap_or_default()).file_name().unwrap_or_default();
        let file = file.to_string_lossy();
        file.starts_with("libcoreclr.") || file.starts_with("libSystem.Native.") || file.starts_with("System.Native.")
    }
}
