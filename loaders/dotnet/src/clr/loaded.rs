//! The parts of .NET that the process has loaded, because the host runs .NET itself.

use std::path::{Path, PathBuf};

use super::search::{Found, HOSTFXR};

/// The file of the CLR.
#[cfg(target_vendor = "apple")]
const CORECLR: &str = "libcoreclr.dylib";
/// The file of the CLR.
#[cfg(windows)]
const CORECLR: &str = "coreclr.dll";
/// The file of the CLR.
#[cfg(not(any(target_vendor = "apple", windows)))]
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
    pub(super) fn among(libraries: &[PathBuf]) -> Option<Self> {
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
    use std::ffi::{CStr, OsStr, c_char};
    use std::os::unix::ffi::OsStrExt as _;

    // SAFETY: the system's library, which every program has, exports the functions with these types.
    unsafe extern "C" {
        fn _dyld_image_count() -> u32;
        fn _dyld_get_image_name(index: u32) -> *const c_char;
    }

    // SAFETY: the functions may be called at any time. A name that is null belongs to a library that was closed meanwhile.
    unsafe {
        let names = (0.._dyld_image_count()).map(|index| _dyld_get_image_name(index));
        let names = names.filter(|name| !name.is_null());
        names.map(|name| PathBuf::from(OsStr::from_bytes(CStr::from_ptr(name).to_bytes()))).collect()
    }
}

/// Returns the files of the libraries of .NET that the process has loaded.
#[cfg(windows)]
fn libraries() -> Vec<PathBuf> {
    use std::ffi::{OsString, c_void};
    use std::os::windows::ffi::OsStringExt as _;

    // SAFETY: the system's library, which every program has, exports the functions with these types.
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleW(name: *const u16) -> *mut c_void;
        fn GetModuleFileNameW(module: *mut c_void, file: *mut u16, length: u32) -> u32;
    }

    let file = |name: &str| {
        let name: Vec<u16> = name.encode_utf16().chain([0]).collect();
        // SAFETY: the name is a text that ends with a NUL.
        let module = unsafe { GetModuleHandleW(name.as_ptr()) };
        if module.is_null() {
            return None;
        }
        let mut file = vec![0; 32 * 1024];
        // SAFETY: the module is loaded, and the CLR is never unloaded. The call writes no more than the length.
        let length = unsafe { GetModuleFileNameW(module, file.as_mut_ptr(), 32 * 1024) };
        Some(PathBuf::from(OsString::from_wide(&file[..length as usize])))
    };
    [CORECLR, HOSTFXR].into_iter().filter_map(file).collect()
}

/// Returns nothing: how this system is asked is not known.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_vendor = "apple", windows)))]
fn libraries() -> Vec<PathBuf> {
    Vec::new()
}
