//! The shared library of Python that this program is linked with.

use std::path::PathBuf;

/// Returns the library's path; `None` if Python is part of the program itself, or if the system cannot tell.
#[cfg(unix)]
pub(super) fn path() -> Option<PathBuf> {
    use std::ffi::{CStr, OsStr};
    use std::os::unix::ffi::OsStrExt;

    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::uninit();
    let function = pyo3::ffi::Py_InitializeEx as *const ();
    // SAFETY: `dladdr` fills in the structure when it returns something else than 0.
    let name = unsafe {
        if libc::dladdr(function.cast(), info.as_mut_ptr()) == 0 {
            return None;
        }
        info.assume_init().dli_fname
    };
    if name.is_null() {
        return None;
    }
    // SAFETY: the dynamic linker returns a C string, and keeps it while the library is loaded; Python is never
    // unloaded.
    let name = OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes());
    let path = std::fs::canonicalize(name).ok()?;
    let program = std::env::current_exe().and_then(std::fs::canonicalize).ok();
    (Some(&path) != program.as_ref()).then_some(path)
}

#[cfg(not(unix))]
pub(super) fn path() -> Option<PathBuf> {
    None
}

/// Returns the library's path as errors show it.
pub(super) fn display_path() -> String {
    path().map_or_else(|| "part of the program".to_owned(), |path| path.display().to_string())
}

/// Makes Python's functions visible to libraries that are loaded later. Extension modules are not linked with the
/// library, and a host that was itself loaded as a library has loaded its dependencies without making them visible.
#[cfg(unix)]
pub(super) fn make_global() -> Result<(), String> {
    use std::ffi::{CStr, CString};
    use std::os::unix::ffi::OsStrExt;

    let Some(path) = path() else { return Ok(()) };
    let name = CString::new(path.as_os_str().as_bytes()).map_err(|error| error.to_string())?;
    // SAFETY: `RTLD_NOLOAD` opens the library only if it is loaded already, so none of its code runs. The handle is
    // never closed.
    let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL | libc::RTLD_NOLOAD) };
    if !handle.is_null() {
        return Ok(());
    }
    // SAFETY: `dlerror` returns null or a C string that stays until this thread's next call of the dynamic linker; the
    // string is copied before.
    let reason = unsafe {
        let text = libc::dlerror();
        if text.is_null() { String::new() } else { CStr::from_ptr(text).to_string_lossy().into_owned() }
    };
    Err(format!("it cannot be opened for extension modules: {reason}"))
}

/// Does nothing: on this system, libraries name the libraries that they take functions from.
#[cfg(not(unix))]
pub(super) fn make_global() -> Result<(), String> {
    Ok(())
}
