//! ICU, the library with the rules of cultures.
//!
//! On Linux and BSD, .NET uses the ICU of the system, and ends the process if there is none of a version that it knows.
//! Which versions it knows differs between its versions, so its own function is asked before the CLR starts.

use std::path::Path;

/// The property without which .NET needs ICU.
pub(super) const INVARIANT: &str = "System.Globalization.Invariant";
/// The property that names an ICU of the host's own.
pub(super) const APP_LOCAL: &str = "System.Globalization.AppLocalIcu";
/// The environment variable that counts where [`INVARIANT`] is not set.
pub(super) const INVARIANT_VARIABLE: &str = "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT";

/// Returns whether the framework in a folder finds no ICU, and would end the process.
#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
pub(super) fn is_missing(framework: &Path) -> bool {
    // The second is the name in .NET Core 3.1.
    let names = ["libSystem.Globalization.Native.so", "System.Globalization.Native.so"];
    let Some(file) = names.map(|name| framework.join(name)).into_iter().find(|file| file.is_file()) else {
        return false;
    };
    // SAFETY: the file is the framework's, whose code is to run in this process anyway.
    let Ok(library) = (unsafe { libloading::Library::new(file) }) else { return false };
    // SAFETY: the function of this name takes nothing and returns an `int32_t` in all versions of .NET. No other thread
    // calls it, because the CLR does not run. The CLR may call it again.
    let is_missing = unsafe {
        library.get::<unsafe extern "C" fn() -> i32>(b"GlobalizationNative_LoadICU").is_ok_and(|load| load() == 0)
    };
    // The library keeps the ICU that it has opened, and is the one that the CLR uses.
    std::mem::forget(library);
    is_missing
}

/// Returns `false`: the system has an ICU, or .NET brings its own.
#[cfg(not(all(unix, not(target_vendor = "apple"), not(target_os = "android"))))]
pub(super) fn is_missing(_framework: &Path) -> bool {
    false
}
