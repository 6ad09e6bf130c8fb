//! All loaders of polyplug: behind one function for hosts in Rust, and as a C library for hosts in other languages.
//!
//! # Hosts in Rust
//!
//! [`register`] adds every loader whose feature is on:
//!
//! ```
//! use polyplug::Runtime;
//!
//! # fn main() -> Result<(), polyplug::error::RuntimeError> {
//! let runtime = polyplug_loaders::register(Runtime::builder()).hot_reload(true).build()?;
//! // runtime.load_bundle("plugins/calc")?; // the manifest names the loader
//! # drop(runtime);
//! # Ok(())
//! # }
//! ```
//!
//! Each loader is a feature, and all features are on by default. A host can choose the loaders that it needs:
//!
//! ```toml
//! polyplug-loaders = { path = "../polyplug/loaders/all", default-features = false, features = ["native"] }
//! ```
//!
//! | feature | bundles that are |
//! |---|---|
//! | `dotnet` | written for .NET; a host with such bundles needs a .NET runtime when it loads the first one |
//! | `js` | written in JavaScript |
//! | `lua` | written in Lua |
//! | `native` | shared libraries: plugins in Rust, C, or any language with a C ABI |
//! | `python` | written in Python; a program with this loader needs the shared library of a Python when it starts |
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
//! A program finds the library at run time by the file's name, independently of its path at link time. The header is
//! `include/polyplug.h`, for C11 and C++17. The library exports two functions, [`polyplug_runtime_create`] and
//! [`polyplug_runtime_destroy`]; the first returns a table with all other functions. `examples/c` has a host and a
//! plugin in C, and docs/abi.md describes the functions of the table.
//!
//! # Safety
//!
//! A bundle's code runs with all the rights of the program: load only what you trust.

use polyplug::ffi;
use polyplug::runtime::RuntimeBuilder;
use polyplug_abi::{HostApi, RuntimeConfig};

/// The header of the C ABI, for programs and plugins in C and C++: the contents of `polyplug.h`.
pub const HEADER: &str = include_str!("../include/polyplug.h");

/// Adds every loader whose feature is on.
///
/// If the builder has one of the loaders already, `build` fails, because the names of loaders must differ.
pub fn register(builder: RuntimeBuilder) -> RuntimeBuilder {
    #[cfg(feature = "dotnet")]
    let builder = builder.loader(polyplug_dotnet::DotnetLoader::new());
    #[cfg(feature = "js")]
    let builder = builder.loader(polyplug_js::JsLoader::new());
    #[cfg(feature = "lua")]
    let builder = builder.loader(polyplug_lua::LuaLoader::new());
    #[cfg(feature = "native")]
    let builder = builder.loader(polyplug_native::NativeLoader::new());
    #[cfg(feature = "python")]
    let builder = builder.loader(polyplug_python::PythonLoader::new());
    builder
}

/// Makes a runtime with every loader that this library was built with. Returns the runtime's table, or null on failure.
///
/// Without a configuration the defaults apply: versions are checked strictly, and bundles cannot be reloaded.
///
/// # Safety
///
/// `config` must be null, for the defaults, or point at a configuration of the size that its first field states. The
/// callback and its user data must be usable from any thread until the runtime is destroyed.
// SAFETY: the name is polyplug's own; nothing else may define it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn polyplug_runtime_create(config: *const RuntimeConfig) -> *const HostApi {
    // SAFETY: `config` is null or a configuration of the stated size (the caller's promise).
    unsafe { ffi::create_with(config, register) }
}

/// Destroys a runtime: unloads its bundles and frees its table. Ignores null.
///
/// # Safety
///
/// `host` must be null or come from [`polyplug_runtime_create`], and not be used again.
// SAFETY: the name is polyplug's own; nothing else may define it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn polyplug_runtime_destroy(host: *const HostApi) {
    // SAFETY: `host` is null or from `polyplug_runtime_create`, and is not used again (the caller's promise).
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
            #[cfg(feature = "dotnet")]
            "dotnet",
            #[cfg(feature = "js")]
            "js",
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
