//! The loader of polyplug bundles that are shared libraries: plugins written in Rust, C, or any language with a C ABI.
//!
//! ```no_run
//! use polyplug::Runtime;
//! use polyplug_native::NativeLoader;
//!
//! # fn main() -> Result<(), polyplug::error::RuntimeError> {
//! let runtime = Runtime::builder().loader(NativeLoader::new()).build()?;
//! runtime.load_bundle("plugins/calc")?;
//! # Ok(())
//! # }
//! ```
//!
//! A library runs with all the rights of the program: load only what you trust.

mod image;
mod inspect;
mod library;
mod mach_o;
mod pe;
mod remedy;

use polyplug::error::LoaderError;
use polyplug::loader::{BundleLoader, BundleSource, ManifestData};
use polyplug::{BundleId, Runtime};
use polyplug_abi::SupportedLanguage;

/// The loader that manifests call `native`.
#[derive(Debug, Default)]
pub struct NativeLoader {
    _private: (),
}

impl NativeLoader {
    /// Makes a loader.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl BundleLoader for NativeLoader {
    fn loader_name(&self) -> &'static str {
        "native"
    }

    fn loader_language(&self) -> SupportedLanguage {
        SupportedLanguage::Rust
    }

    fn supports_hot_reload(&self) -> bool {
        true
    }

    fn load(&self, manifest: &ManifestData, source: &BundleSource, runtime: &Runtime) -> Result<(), LoaderError> {
        if !matches!(source, BundleSource::Path(_)) {
            return Err(LoaderError::UnsupportedBundleSource {
                loader: self.loader_name(),
                source_kind: source.kind(),
                bundle: manifest.name.clone(),
            });
        }
        library::start(manifest, &runtime.staging(manifest.id)?)
    }

    fn reload(&self, manifest: &ManifestData, runtime: &Runtime) -> Result<(), LoaderError> {
        library::start(manifest, &runtime.staging(manifest.id)?)
    }

    fn check(&self, manifest: &ManifestData) -> Result<(), LoaderError> {
        library::check(manifest)
    }

    /// Does nothing: the runtime owns the library, and drops it.
    fn unload(&self, _: BundleId, _: &Runtime) -> Result<(), LoaderError> {
        Ok(())
    }
}
