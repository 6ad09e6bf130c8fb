//! The parts of .NET that the process has loaded, because the host runs .NET itself.

use std::path::{Path, PathBuf};

use super::search::{Found, HOSTFXR};

/// The file of the CLR.
#[cfg(target_vendor = "apple")]
const CORECLR: &str = "libcoreclr.dylib";
/// The file of the CLR.
#[cfg(not(target_vendor = "apple"))]
const CORECLR: &str = "libcoreclr.so";

/// The CLR of this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Loaded {
    /// The file of the CLR.
    pub(super) coreclr: PathBuf,
    /// The hostfxr that has started the CLR, if one has.
    pub(super) host: Option<Found>,
}

impl Loaded {
    /// Returns the CLR that is loaded, if there is one.
    pub(super) fn find() -> Option<Self> {
        Self::among(&libraries())
    }

    /// Returns the CLR among the libraries of a process.
    fn among(libraries: &[PathBuf]) -> Option<Self> {
        let named =
            |name: &'static str| libraries.iter().filter(move |path| path.file_name().is_some_and(|is| is == name));
        let coreclr = named(CORECLR).next()?.clone();
        let mut hosts: Vec<Found> = named(HOSTFXR).filter_map(|hostfxr| host(hostfxr)).collect();
        // The hostfxr of the CLR's own installation, where several are loaded.
        hosts.sort_by_key(|host| !coreclr.starts_with(&host.root));
        Some(Self { coreclr, host: hosts.into_iter().next() })
    }
}

/// Returns the installation that a hostfxr belongs to: `<root>/host/fxr/<version>/<file>`, or the file's folder for a program
/// that brings its own .NET.
fn host(hostfxr: &Path) -> Option<Found> {
    let folder = hostfxr.parent()?;
    let fxr = folder.parent()?;
    let root = if fxr.ends_with("host/fxr") { fxr.parent()?.parent()? } else { folder };
    Some(Found { root: root.to_owned(), hostfxr: hostfxr.to_owned() })
}

/// Returns the files of the libraries that the process has loaded.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
fn libraries() -> Vec<PathBuf> {
    use std::ffi::{CStr, OsStr, c_int, c_void};
    use std::os::unix::ffi::OsStrExt as _;

    unsafe extern "C" fn add(info: *mut libc::dl_phdr_info, _size: usize, found: *mut c_void) -> c_int {
        // SAFETY: the system passes a valid description, and the pointer that `libraries` gave.
        let (name, found) = unsafe { ((*info).dlpi_name, &mut *found.cast::<Vec<PathBuf>>()) };
        if !name.is_null() {
            // SAFETY: a name is a text, which lives as long as the library, and that is not closed during the iteration.
            let name = unsafe { CStr::from_ptr(name) };
            found.push(PathBuf::from(OsStr::from_bytes(name.to_bytes())));
        }
        0
    }

    let mut found = Vec::new();
    // SAFETY: the function has the type that is asked for, does not unwind, and gets the list of this function.
    unsafe { libc::dl_iterate_phdr(Some(add), (&raw mut found).cast()) };
    found
}

/// Returns the files of the libraries that the process has loaded.
#[cfg(target_vendor = "apple")]
fn libraries() -> Vec<PathBuf> {
    use std::ffi::{CStr, OsStr};
    use std::os::unix::ffi::OsStrExt as _;

    // SAFETY: the functions may be called at any time. A name that is null belongs to a library that was closed meanwhile.
    unsafe {
        let names = (0..libc::_dyld_image_count()).map(|index| libc::_dyld_get_image_name(index));
        let names = names.filter(|name| !name.is_null());
        names.map(|name| PathBuf::from(OsStr::from_bytes(CStr::from_ptr(name).to_bytes()))).collect()
    }
}

/// Returns nothing: the system is not asked here.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_vendor = "apple")))]
fn libraries() -> Vec<PathBuf> {
    Vec::new()
}
