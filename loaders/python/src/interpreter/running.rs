//! The interpreter that runs, and its start.

use std::ffi::CStr;
use std::fmt::Display;
use std::sync::{Mutex, OnceLock};

use polyplug::engine::Fault;
use pyo3::Python;
use pyo3::ffi;

use super::config::{self, BUILT_FOR};
use super::prelude::Prelude;
use super::{library, process_exit};
use crate::lock::lock;
use crate::{barrier, thread};

/// An interpreter that runs.
pub(crate) struct Interpreter {
    /// The part of the loader that is written in Python.
    pub(crate) prelude: Prelude,
}

static RUNNING: OnceLock<Interpreter> = OnceLock::new();

/// Returns the interpreter, and starts it before if it does not run.
///
/// # Errors
///
/// The interpreter cannot be started, or is of another version than this program was built for.
pub(crate) fn start() -> Result<&'static Interpreter, Fault> {
    if let Some(running) = RUNNING.get() {
        return Ok(running);
    }
    if is_attached() {
        // The host uses Python itself. The thread that starts the loader's part may be waiting to attach, so this one
        // detaches before it waits for that thread.
        return Python::attach(|py| thread::detach(py, start_alone));
    }
    start_alone()
}

/// Returns whether there is an interpreter that this thread is attached to, by the loader or by the host's program.
pub(crate) fn is_attached() -> bool {
    // SAFETY: CPython allows the first call at any time, and the second once there is an interpreter.
    unsafe { ffi::Py_IsInitialized() != 0 && ffi::PyGILState_Check() != 0 }
}

/// Starts the interpreter, one thread at a time.
fn start_alone() -> Result<&'static Interpreter, Fault> {
    static STARTING: Mutex<()> = Mutex::new(());
    let _alone = lock(&STARTING);
    if let Some(running) = RUNNING.get() {
        return Ok(running);
    }
    let version = checked_version()?;
    barrier::detect();
    library::make_global().map_err(|error| unusable(&version, error))?;
    // SAFETY: CPython allows the call at any time.
    let is_ours = unsafe { ffi::Py_IsInitialized() } == 0;
    if is_ours {
        config::initialize().map_err(|error| unusable(&version, error))?;
    }
    let prelude = thread::attach(|py| Prelude::new(py, is_ours).map_err(|error| unusable(&version, error)))?;
    process_exit::register(end_bundles);
    Ok(RUNNING.get_or_init(|| Interpreter { prelude }))
}

/// Runs the exit functions of the bundles that are still loaded, and writes their files.
fn end_bundles() {
    let Some(interpreter) = running() else { return };
    // An interpreter that was shut down has ended the bundles itself.
    let _is_closed = thread::attach(|py| interpreter.prelude.end_process.call0(py).map(drop).map_err(Fault::new));
}

/// Returns the interpreter if it has been started.
pub(crate) fn running() -> Option<&'static Interpreter> {
    RUNNING.get()
}

/// Returns the interpreter whose code called this function.
///
/// # Panics
///
/// If the loader has not started the interpreter. Objects that only the loader makes prove that it has.
pub(crate) fn current() -> &'static Interpreter {
    running().expect("code in Python has an interpreter")
}

/// Returns the fault that says why Python cannot be used.
fn unusable(version: &str, error: impl Display) -> Fault {
    Fault::new(format_args!(
        "Python {version} ({}) cannot be used: {error}. This program was built for Python {BUILT_FOR} in {}; the \
         variable PYO3_PYTHON says which one a build takes",
        library::display_path(),
        env!("POLYPLUG_PYTHON_FOLDER"),
    ))
}

/// Returns the version of the library that is linked.
///
/// # Errors
///
/// The library is of another minor version than this program was compiled for. The layout of structures differs then.
fn checked_version() -> Result<String, Fault> {
    // SAFETY: CPython allows the call before the interpreter is started; the C string is in static memory.
    let text = unsafe { CStr::from_ptr(ffi::Py_GetVersion()) }.to_string_lossy();
    let version = text.split_whitespace().next().unwrap_or_default().to_owned();
    if is_release_of(&version, BUILT_FOR) {
        return Ok(version);
    }
    Err(unusable(&version, "it is another version"))
}

/// Returns whether `version` is a release of the minor version `minor`, as `3.11.2` is one of `3.11`.
fn is_release_of(version: &str, minor: &str) -> bool {
    version.strip_prefix(minor).is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::is_release_of;

    #[test]
    fn releases_belong_to_their_minor_version() {
        let belongs = is_release_of;
        assert!(belongs("3.11.2", "3.11") && belongs("3.11", "3.11") && belongs("3.13.0rc1", "3.13"));
        assert!(!belongs("3.1.2", "3.11") && !belongs("3.11.2", "3.1") && !belongs("", "3.11"));
    }
}
