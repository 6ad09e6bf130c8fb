//! Every loader of polyplug in one place: for hosts in Rust behind one function, and for hosts in other languages as a C
//! library.
//!
//! # Hosts in Rust
//!
//! [`register`] adds every loader that is switched on:
//!
//! ```
//! use polyplug::Runtime;
//!
//! # fn main() -> Result<(), polyplug::error::RuntimeError> {
//! let runtime = polyplug_loaders::register(Runtime::builder()).hot_reload(true).build()?;
//! // runtime.load_bundle("plugins/calc".as_ref())?; // whatever loader its manifest names
//! # drop(runtime);
//! # Ok(())
//! # }
//! ```
//!
//! Each loader is a feature, and all are on by default. A host that knows what it loads takes those:
//!
//! ```toml
//! polyplug-loaders = { version = "0.1", default-features = false, features = ["native"] }
//! ```
//!
//! | feature | bundles that are |
//! |---|---|
//! | `lua` | written in Lua |
//! | `native` | shared libraries: plugins in Rust, C, or whatever speaks the C ABI |
//! | `python` | written in Python; what is built with it needs the library of a Python when it starts |
//!
//! # Hosts in other languages
//!
//! `cargo build --release -p polyplug-loaders` makes a shared library of this crate. Cargo names it after the crate:
//!
//! | | the library | linked with |
//! |---|---|---|
//! | Linux | `libpolyplug_loaders.so` | `-lpolyplug_loaders` |
//! | macOS | `libpolyplug_loaders.dylib` | `-lpolyplug_loaders` |
//! | Windows | `polyplug_loaders.dll` | `polyplug_loaders.dll.lib` |
//!
//! Programs find it at run time by that file's name, wherever it was when they were linked. Its header is
//! `include/polyplug.h`, for C11 and C++17. It exports two functions, [`polyplug_runtime_create`] and
//! [`polyplug_runtime_destroy`]; everything else goes through the table that the first returns. `examples/c` has a host
//! and a plugin in C, and docs/abi.md says what the table's functions do.
//!
//! # Safety
//!
//! A bundle's code runs with all the rights of the program: load only what you trust.

use polyplug::ffi;
use polyplug::runtime::RuntimeBuilder;
use polyplug_abi::{HostApi, RuntimeConfig};

/// Adds every loader whose feature is on.
///
/// A loader that the builder has already makes `build` fail: there can be one of a name.
pub fn register(builder: RuntimeBuilder) -> RuntimeBuilder {
    #[cfg(feature = "lua")]
    let builder = builder.loader(polyplug_lua::LuaLoader::new());
    #[cfg(feature = "native")]
    let builder = builder.loader(polyplug_native::NativeLoader::new());
    #[cfg(feature = "python")]
    let builder = builder.loader(polyplug_python::PythonLoader::new());
    builder
}

/// Makes a runtime with every loader that this library was built with. Returns its table, or null when that fails.
///
/// Without a configuration, the defaults hold: versions are held to strictly, and nothing can be reloaded.
///
/// # Safety
///
/// `config` must be null, for the defaults, or lead to a configuration of the size that it states in its first
/// field. The callback and its user data must be usable from any thread until the runtime is destroyed.
// SAFETY: the name is polyplug's own; nothing else may define it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn polyplug_runtime_create(config: *const RuntimeConfig) -> *const HostApi {
    // SAFETY: the caller's promise.
    unsafe { ffi::create_with(config, register) }
}

/// Ends a runtime: unloads its bundles and frees its table. Null is ignored.
///
/// # Safety
///
/// `host` must be null or come from [`polyplug_runtime_create`], and not be used again.
// SAFETY: the name is polyplug's own; nothing else may define it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn polyplug_runtime_destroy(host: *const HostApi) {
    // SAFETY: the caller's promise.
    unsafe { ffi::polyplug_runtime_destroy(host) }
}

#[cfg(test)]
mod tests {
    use polyplug::Runtime;

    use super::*;

    #[test]
    fn every_loader_is_registered() {
        let registered = format!("{:?}", register(Runtime::builder()));
        let expected: &[&str] = &[
            #[cfg(feature = "lua")]
            "lua",
            #[cfg(feature = "native")]
            "native",
            #[cfg(feature = "python")]
            "python",
        ];
        assert!(registered.contains(&format!("loaders: {expected:?}")), "{registered}");
    }
}
