//! The one interpreter of the process: how it is started, and which one it is.
//!
//! It is started on a thread of its own, which then waits for ever. CPython calls the thread that starts it the main one
//! for as long as the interpreter lives, and takes any later thread that the system gives the same number for it.

use std::ffi::{CStr, CString};
use std::fmt::Display;
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};

use polyplug::engine::Fault;
use pyo3::Python;
use pyo3::ffi;

use super::library;
use super::prelude::Prelude;
use crate::{barrier, thread};

/// The version that this program was built for, `3.11`.
pub(crate) const BUILT_FOR: &str = env!("POLYPLUG_PYTHON_VERSION");

/// An interpreter that runs.
pub(crate) struct Interpreter {
    /// What the loader is made of that is written in Python.
    pub(crate) prelude: Prelude,
}

static RUNNING: OnceLock<Interpreter> = OnceLock::new();

/// The interpreter, started if it is not.
///
/// # Errors
///
/// It cannot be started, or is another one than this program was built for.
pub(crate) fn start() -> Result<&'static Interpreter, Fault> {
    if let Some(running) = RUNNING.get() {
        return Ok(running);
    }
    // SAFETY: an interpreter that runs may be asked who is attached.
    let is_attached = unsafe { ffi::Py_IsInitialized() != 0 && ffi::PyGILState_Check() != 0 };
    if is_attached {
        // A host that uses Python itself. Whoever starts the loader's part may be waiting for it to leave.
        return Python::attach(|py| thread::detach(py, start_one));
    }
    start_one()
}

/// Lets one thread at a time try.
fn start_one() -> Result<&'static Interpreter, Fault> {
    static STARTING: Mutex<()> = Mutex::new(());
    let _one = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(running) = RUNNING.get() {
        return Ok(running);
    }
    let version = version()?;
    barrier::detect();
    library::make_global().map_err(|error| unusable(&version, error))?;
    // SAFETY: may be asked at any time.
    let is_ours = unsafe { ffi::Py_IsInitialized() } == 0;
    if is_ours {
        initialize().map_err(|error| unusable(&version, error))?;
    }
    let prelude = thread::attach(|py| Prelude::new(py, is_ours).map_err(|error| unusable(&version, error)))?;
    Ok(RUNNING.get_or_init(|| Interpreter { prelude }))
}

/// The interpreter that has been started.
pub(crate) fn running() -> Option<&'static Interpreter> {
    RUNNING.get()
}

fn unusable(version: &str, error: impl Display) -> Fault {
    Fault::new(format_args!(
        "Python {version} ({}) cannot be used: {error}. This program was built for Python {BUILT_FOR} in {}; the \
         variable PYO3_PYTHON says which one a build takes",
        library::place(),
        env!("POLYPLUG_PYTHON_FOLDER"),
    ))
}

/// The version of the library that is linked, which has to be the one that this was compiled for: structures differ.
fn version() -> Result<String, Fault> {
    // SAFETY: may be called before the interpreter is started; returns text that stays.
    let text = unsafe { CStr::from_ptr(ffi::Py_GetVersion()) }.to_string_lossy();
    let version = text.split_whitespace().next().unwrap_or_default().to_owned();
    if is_of(&version, BUILT_FOR) {
        return Ok(version);
    }
    Err(unusable(&version, "it is another version"))
}

/// Whether `version` is a release of `minor`: `3.11.2` of `3.11`.
fn is_of(version: &str, minor: &str) -> bool {
    version.strip_prefix(minor).is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
}

/// Starts the interpreter.
fn initialize() -> Result<(), String> {
    let (send, receive) = mpsc::sync_channel(1);
    let thread = std::thread::Builder::new().name("polyplug-python".to_owned()).spawn(move || {
        // SAFETY: there is no interpreter yet, and `start` lets one thread at a time try.
        let started = unsafe { configure() };
        let is_started = started.is_ok();
        if is_started {
            // SAFETY: starting it attached this thread.
            unsafe {
                be_main();
                ffi::PyEval_SaveThread();
            }
        }
        let _ = send.send(started);
        if is_started {
            loop {
                std::thread::park();
            }
        }
    });
    thread.map_err(|error| format!("there is no thread for it: {error}"))?;
    receive.recv().map_err(|_| "it died as it started".to_owned())?
}

/// Makes this thread the one that the module `threading` calls the main one: whichever imports it first. That it cannot
/// be imported shows when it is needed.
///
/// # Safety
///
/// The thread must be attached.
unsafe fn be_main() {
    // SAFETY: the caller's promise; the module is kept by the interpreter.
    unsafe {
        let module = ffi::PyImport_ImportModule(c"threading".as_ptr());
        if module.is_null() {
            ffi::PyErr_Clear();
        } else {
            ffi::Py_DECREF(module);
        }
    }
}

/// Starts it like a program of its own: the environment's variables and the user's folders do not matter, signals stay
/// the host's, and nothing is written beside modules.
unsafe fn configure() -> Result<(), String> {
    let mut config = MaybeUninit::<ffi::PyConfig>::uninit();
    // SAFETY: fills it in.
    unsafe { ffi::PyConfig_InitIsolatedConfig(config.as_mut_ptr()) };
    // SAFETY: filled in just now.
    let config = unsafe { config.assume_init_mut() };
    config.install_signal_handlers = 0;
    config.write_bytecode = 0;
    config.pathconfig_warnings = 0;
    // SAFETY: the configuration is valid until it is cleared.
    let outcome = unsafe { settle(config).and_then(|()| status(ffi::Py_InitializeFromConfig(config))) };
    // SAFETY: as above.
    unsafe { ffi::PyConfig_Clear(config) };
    outcome
}

/// Says where the standard library is. Python would look beside the first `python3` on `PATH`, which may be another one
/// than the library that is linked.
unsafe fn settle(config: &mut ffi::PyConfig) -> Result<(), String> {
    let Some(home) = library::path().as_deref().and_then(home_of) else { return Ok(()) };
    let program = home.join("bin").join(format!("python{BUILT_FOR}"));
    // SAFETY: the caller's promise; the texts end with zeros.
    unsafe {
        let this: *mut ffi::PyConfig = config;
        set(this, &raw mut (*this).home, &home)?;
        if program.is_file() {
            set(this, &raw mut (*this).executable, &program)?;
        }
    }
    Ok(())
}

unsafe fn set(config: *mut ffi::PyConfig, field: *mut *mut libc::wchar_t, path: &Path) -> Result<(), String> {
    let text = CString::new(path.as_os_str().as_encoded_bytes()).map_err(|error| error.to_string())?;
    // SAFETY: the caller's promise.
    unsafe { status(ffi::PyConfig_SetBytesString(config, field, text.as_ptr())) }
}

fn status(status: ffi::PyStatus) -> Result<(), String> {
    // SAFETY: only looks at it.
    if unsafe { ffi::PyStatus_Exception(status) } == 0 {
        return Ok(());
    }
    if status.err_msg.is_null() {
        return Err(format!("it ends with code {}", status.exitcode));
    }
    // SAFETY: a text that stays.
    Err(unsafe { CStr::from_ptr(status.err_msg) }.to_string_lossy().into_owned())
}

/// The folder in whose `lib` the standard library lies that belongs to the library at `path`.
fn home_of(path: &Path) -> Option<PathBuf> {
    let landmark = Path::new("lib").join(format!("python{BUILT_FOR}")).join("os.py");
    path.ancestors().skip(1).find(|folder| folder.join(&landmark).is_file()).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_belong_to_their_minor_version() {
        assert!(is_of("3.11.2", "3.11") && is_of("3.11", "3.11") && is_of("3.13.0rc1", "3.13"));
        assert!(!is_of("3.1.2", "3.11") && !is_of("3.11.2", "3.1") && !is_of("", "3.11"));
    }

    #[test]
    fn the_standard_library_is_found_from_the_shared_one() {
        let folder = std::env::temp_dir().join(format!("polyplug-home-{}", std::process::id()));
        let standard = folder.join("lib").join(format!("python{BUILT_FOR}"));
        std::fs::create_dir_all(&standard).unwrap();
        std::fs::write(standard.join("os.py"), "").unwrap();
        let found = home_of(&folder.join("lib/x86_64-linux-gnu/libpython.so"));
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(found, Some(folder));
        assert_eq!(home_of(Path::new("nowhere/libpython.so")), None);
    }
}
