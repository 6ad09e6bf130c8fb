//! The shared library of Python that this program is linked with.

use std::path::PathBuf;

/// Where it is; `None` if it is part of the program itself, or the system cannot tell.
#[cfg(unix)]
pub(crate) fn path() -> Option<PathBuf> {
    use std::ffi::{CStr, OsStr};
    use std::os::unix::ffi::OsStrExt;

    let mut found = std::mem::MaybeUninit::<libc::Dl_info>::uninit();
    let function = pyo3::ffi::Py_InitializeEx as *const ();
    // SAFETY: `dladdr` fills in the structure when it returns something else than 0.
    let name = unsafe {
        if libc::dladdr(function.cast(), found.as_mut_ptr()) == 0 {
            return None;
        }
        found.assume_init().dli_fname
    };
    if name.is_null() {
        return None;
    }
    // SAFETY: a text of the dynamic linker's, which stays while the library is loaded.
    let name = OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes());
    let path = std::fs::canonicalize(name).ok()?;
    let program = std::env::current_exe().and_then(std::fs::canonicalize).ok();
    (Some(&path) != program.as_ref()).then_some(path)
}

#[cfg(not(unix))]
pub(crate) fn path() -> Option<PathBuf> {
    None
}

/// Where it is, for people.
pub(crate) fn place() -> String {
    path().map_or_else(|| "part of the program".to_owned(), |path| path.display().to_string())
}

/// Lets libraries that are loaded later find Python's functions. Extension modules are not linked with the library, and
/// a host that was loaded as a library itself has kept what it is linked with to itself.
#[cfg(unix)]
pub(crate) fn make_global() -> Result<(), String> {
    use std::ffi::{CStr, CString};
    use std::os::unix::ffi::OsStrExt;

    let Some(path) = path() else { return Ok(()) };
    let name = CString::new(path.as_os_str().as_bytes()).map_err(|error| error.to_string())?;
    // SAFETY: the library is loaded already, so none of its code runs; it is never closed.
    let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL | libc::RTLD_NOLOAD) };
    if !handle.is_null() {
        return Ok(());
    }
    // SAFETY: a text that stays until this thread's next call of the dynamic linker.
    let reason = unsafe {
        let text = libc::dlerror();
        if text.is_null() { String::new() } else { CStr::from_ptr(text).to_string_lossy().into_owned() }
    };
    Err(format!("it cannot be opened for extension modules: {reason}"))
}

#[cfg(not(unix))]
pub(crate) fn make_global() -> Result<(), String> {
    Ok(()) // libraries name the libraries that they take functions from there
}
