//! The start of a bundle: the library is opened, checked and initialised.

use std::ffi::CStr;
use std::path::Path;

use libloading::Library;
use polyplug::error::LoaderError;
use polyplug::loader::{ManifestData, Staging};
use polyplug_abi::{AbiError, AbiErrorCode, AbiVersion, Init, POLYPLUG_ABI_VERSION, abi_major};

use crate::image::Image;
use crate::inspect::inspect;
use crate::remedy::remedy;

const INIT: &CStr = c"polyplug_init";
const ABI_VERSION: &CStr = c"polyplug_abi_version";

/// Checks the bundle's library without opening it.
pub(crate) fn check(manifest: &ManifestData) -> Result<(), LoaderError> {
    let path = manifest.artifact();
    inspect(&path).map_err(|reason| LoaderError::ArtifactInvalid { bundle: manifest.name.clone(), path, reason })
}

/// Opens the bundle's library and lets it register its plugins.
pub(crate) fn start(manifest: &ManifestData, staging: &Staging) -> Result<(), LoaderError> {
    let path = manifest.artifact();
    let bad =
        |reason: String| LoaderError::ArtifactInvalid { bundle: manifest.name.clone(), path: path.clone(), reason };
    check(manifest)?;
    let library =
        open(&path).map_err(|error| bad(format!("the library cannot be opened: {}", describe(&error, &path))))?;

    let version = symbol::<AbiVersion>(&library, ABI_VERSION).map_err(bad)?;
    let init = symbol::<Init>(&library, INIT).map_err(bad)?;
    let found = version();
    if abi_major(found) != abi_major(POLYPLUG_ABI_VERSION) {
        return Err(LoaderError::AbiVersion {
            bundle: manifest.name.clone(),
            path,
            expected: POLYPLUG_ABI_VERSION,
            found,
        });
    }

    // Kept before its code runs: the plugins that the code registers must not outlive the library.
    staging.keep_module(Image::new(library, init as *const ()));
    let context = staging.init_context();
    let mut error = AbiError::ok();
    // SAFETY: a symbol of this name is polyplug's, and has this signature in the version of the ABI that was checked
    // above; the staging keeps the table valid while the library is mapped, and the context lives during the call.
    unsafe { init(staging.host_abi(), &raw const context, &raw mut error) };
    if error.is_ok() {
        return Ok(());
    }
    // SAFETY: by the ABI the text is in the host's buffer, which is kept until this thread's next call, or static in
    // the library.
    let text = unsafe { error.message.bytes() }.map(String::from_utf8_lossy).filter(|text| !text.is_empty());
    let (code, meaning) = (error.code, AbiErrorCode::from_u32(error.code));
    let error = match (text, meaning) {
        (Some(text), AbiErrorCode::Panic) => format!("polyplug_init panicked: {text}"),
        (Some(text), _) => text.into_owned(),
        (None, _) => format!("polyplug_init failed with code {code} ({meaning})"),
    };
    Err(LoaderError::InitFailed { bundle: manifest.name.clone(), code, error })
}

#[cfg(unix)]
fn open(path: &Path) -> Result<Library, libloading::Error> {
    use libloading::os::unix::{Library as UnixLibrary, RTLD_LOCAL, RTLD_NOW};
    // Bound now: a missing symbol is then an error here instead of the end of the process at a later call.
    // SAFETY: opening runs the library's initialisers; a host that loads a bundle trusts its code.
    unsafe { UnixLibrary::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.map(Library::from)
}

#[cfg(windows)]
fn open(path: &Path) -> Result<Library, libloading::Error> {
    use std::os::windows::ffi::OsStrExt;

    use libloading::os::windows::{
        LOAD_LIBRARY_SEARCH_DEFAULT_DIRS, LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR, Library as WindowsLibrary,
    };
    /// `ERROR_INVALID_PARAMETER`.
    const INVALID_PARAMETER: i32 = 87;
    /// The greatest length of a path that is not in the form that `canonicalize` returns, with a null at its end.
    const MAX_PATH: usize = 260;
    // The folders that are searched for the libraries that this one needs: its own, the program's, and the system's.
    // Others, such as the working directory, may have a library of the same name by accident, or by somebody's malice.
    const SEARCHED: u32 = LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_DEFAULT_DIRS;
    // With backslashes only, without which the library's own folder is not known.
    let mut path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if path.as_os_str().encode_wide().count() >= MAX_PATH {
        path = path.canonicalize().unwrap_or(path);
    }
    if path.extension().is_none() {
        // Windows looks for another file, with the extension `.dll`, unless the name ends with a dot.
        path.as_mut_os_string().push(".");
    }
    let load = |path: &Path| {
        // SAFETY: opening runs the library's initialisers; a host that loads a bundle trusts its code.
        unsafe { WindowsLibrary::load_with_flags(path, SEARCHED) }.map(Library::from)
    };
    // Systems differ in which form of a share's path they take with these flags.
    load(&path).or_else(|error| match other_form(&path) {
        Some(other) if code(&error) == Some(INVALID_PARAMETER) => load(&other),
        _ => Err(error),
    })
}

/// Returns the other form of a path on a share: `\\?\UNC\server\share` instead of `\\server\share`, and the reverse.
#[cfg(windows)]
fn other_form(path: &Path) -> Option<std::path::PathBuf> {
    use std::ffi::{OsStr, OsString};
    use std::path::{Component, Prefix};
    let mut parts = path.components();
    let Component::Prefix(prefix) = parts.next()? else { return None };
    let (start, server, share) = match prefix.kind() {
        Prefix::UNC(server, share) => (r"\\?\UNC\", server, share),
        Prefix::VerbatimUNC(server, share) => (r"\\", server, share),
        _ => return None,
    };
    let mut other = OsString::from(start);
    [server, OsStr::new(r"\"), share, parts.as_path().as_os_str()].iter().for_each(|part| other.push(part));
    Some(other.into())
}

/// Returns the system's code of an error.
fn code(error: &libloading::Error) -> Option<i32> {
    use std::error::Error;
    error.source()?.downcast_ref::<std::io::Error>()?.raw_os_error()
}

/// Returns the system's message, without the text that libloading adds, and with the remedy if there is one. Windows does not
/// say which file it cannot find.
fn describe(error: &libloading::Error, path: &Path) -> String {
    use std::error::Error;
    /// `ERROR_MOD_NOT_FOUND`.
    const NOT_FOUND: i32 = 126;
    // The error of `dlopen` has no source, and its text is the system's message.
    let message = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    if cfg!(windows) && code(error) == Some(NOT_FOUND) {
        return format!(
            "a library that it needs is missing: put it beside this one, into the program's folder, or into the system's: \
             {message}"
        );
    }
    match remedy(&message, path) {
        Some(remedy) => format!("{message}: {remedy}"),
        None => message,
    }
}

/// Returns a copy of a function pointer of the library. The caller must keep `library` open while it calls the
/// function.
fn symbol<F: Copy>(library: &Library, name: &CStr) -> Result<F, String> {
    // SAFETY: the ABI fixes the type of the symbol by its name, which is polyplug's own.
    let symbol = unsafe { library.get::<F>(name.to_bytes_with_nul()) };
    symbol.map(|symbol| *symbol).map_err(|_| {
        format!(
            "the library does not export `{}`: is it a polyplug plugin? A Rust plugin has crate-type = [\"cdylib\"] \
             and a `#[polyplug::plugin]`, and one in C exports the function",
            name.to_string_lossy()
        )
    })
}
