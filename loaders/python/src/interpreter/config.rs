//! Starting of CPython with a configuration for a program that embeds it.
//!
//! The interpreter is started on a thread of its own, which then parks for ever. CPython calls the thread that starts
//! it the main thread for as long as the interpreter lives, and would mistake a later thread with the same number for
//! it.

use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use pyo3::ffi;

use super::library;

/// The minor version that this program was built for, such as `3.11`.
pub(super) const BUILT_FOR: &str = env!("POLYPLUG_PYTHON_VERSION");

/// Starts the interpreter, which must not be running, while no other thread tries.
pub(super) fn initialize() -> Result<(), String> {
    let (send, receive) = mpsc::sync_channel(1);
    let thread = std::thread::Builder::new().name("polyplug-python".to_owned()).spawn(move || {
        // SAFETY: the caller of `initialize` has found no interpreter, and waits for this thread.
        let started = unsafe { initialize_here() };
        let is_started = started.is_ok();
        if is_started {
            // SAFETY: the successful start attached this thread, which `PyEval_SaveThread` detaches again.
            unsafe {
                become_main_thread();
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

/// Makes this thread the main thread of the module `threading`, which is the thread that imports it first. An error of
/// the import is ignored here; the first use of the module raises it again.
///
/// # Safety
///
/// The thread must be attached.
unsafe fn become_main_thread() {
    // SAFETY: the caller promises that the thread is attached. `PyImport_ImportModule` returns null or a reference that
    // belongs to this function.
    unsafe {
        let module = ffi::PyImport_ImportModule(c"threading".as_ptr());
        if module.is_null() {
            ffi::PyErr_Clear();
        } else {
            ffi::Py_DECREF(module);
        }
    }
}

/// Starts the interpreter on this thread, isolated: environment variables and the user's folders have no effect, signal
/// handlers stay the host's, and no bytecode is written beside modules.
///
/// # Safety
///
/// The interpreter must not be running, and no other thread may start it meanwhile.
unsafe fn initialize_here() -> Result<(), String> {
    // SAFETY: the caller promises what the function asks for.
    unsafe { preinitialize() }?;
    let mut config = MaybeUninit::<ffi::PyConfig>::uninit();
    // SAFETY: the function initialises all of the structure that it is given.
    unsafe { ffi::PyConfig_InitIsolatedConfig(config.as_mut_ptr()) };
    // SAFETY: the call above has initialised the structure.
    let config = unsafe { config.assume_init_mut() };
    config.install_signal_handlers = 0;
    config.write_bytecode = 0;
    config.pathconfig_warnings = 0;
    // SAFETY: the configuration is initialised until `PyConfig_Clear`; the caller promises that no other thread starts
    // the interpreter.
    let outcome = unsafe { set_home(config).and_then(|()| to_result(ffi::Py_InitializeFromConfig(config))) };
    // SAFETY: the configuration is initialised, and not used after this call.
    unsafe { ffi::PyConfig_Clear(config) };
    outcome
}

/// Turns Python's UTF-8 mode on, for the names of files, the text in files, and pipes of other processes. An isolated
/// interpreter would take the locale's encoding, and the locale of a program that never calls `setlocale` is `C`, whose
/// encoding is ASCII. The process's locale stays as it is, since it belongs to the host. Has no effect if the host has
/// made these settings before.
///
/// # Safety
///
/// The interpreter must not be running, and no other thread may start it meanwhile.
unsafe fn preinitialize() -> Result<(), String> {
    let mut config = MaybeUninit::<ffi::PyPreConfig>::uninit();
    // SAFETY: the first function initialises all of the structure that it is given, and the second reads it. The caller
    // promises that no other thread starts the interpreter.
    unsafe {
        ffi::PyPreConfig_InitIsolatedConfig(config.as_mut_ptr());
        let config = config.assume_init_mut();
        config.utf8_mode = 1;
        to_result(ffi::Py_PreInitialize(config))
    }
}

/// Sets the folder of the standard library. Without it, Python would search beside the first `python3` on `PATH`, which
/// may be of another installation than the library that is linked.
///
/// # Safety
///
/// The configuration must be initialised.
unsafe fn set_home(config: &mut ffi::PyConfig) -> Result<(), String> {
    let Some(home) = library::path().as_deref().and_then(home_of) else { return Ok(()) };
    let program = home.join("bin").join(format!("python{BUILT_FOR}"));
    // SAFETY: the caller promises that the configuration is initialised; both fields are its own.
    unsafe {
        let this: *mut ffi::PyConfig = config;
        set(this, &raw mut (*this).home, &home)?;
        if program.is_file() {
            set(this, &raw mut (*this).executable, &program)?;
        }
    }
    Ok(())
}

/// Sets a field of the configuration to a path.
///
/// # Safety
///
/// The configuration must be initialised, and `field` must be one of its own.
unsafe fn set(config: *mut ffi::PyConfig, field: *mut *mut libc::wchar_t, path: &Path) -> Result<(), String> {
    let text = CString::new(path.as_os_str().as_encoded_bytes()).map_err(|error| error.to_string())?;
    // SAFETY: the caller promises what the function asks of configuration and field; the text is copied.
    unsafe { to_result(ffi::PyConfig_SetBytesString(config, field, text.as_ptr())) }
}

/// Returns the error of a `PyStatus`, if it is one.
fn to_result(status: ffi::PyStatus) -> Result<(), String> {
    // SAFETY: the function only reads the structure that it is given.
    if unsafe { ffi::PyStatus_Exception(status) } == 0 {
        return Ok(());
    }
    if status.err_msg.is_null() {
        return Err(format!("it ends with code {}", status.exitcode));
    }
    // SAFETY: messages of a `PyStatus` are C strings in static memory.
    Err(unsafe { CStr::from_ptr(status.err_msg) }.to_string_lossy().into_owned())
}

/// Returns the folder whose `lib` holds the standard library that belongs to the shared library at `path`.
fn home_of(path: &Path) -> Option<PathBuf> {
    let landmark = Path::new("lib").join(format!("python{BUILT_FOR}")).join("os.py");
    path.ancestors().skip(1).find(|folder| folder.join(&landmark).is_file()).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

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
