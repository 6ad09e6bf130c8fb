//! The loader, which starts an engine for each bundle.

use std::time::Duration;

use polyplug::engine::{Fault, Limits};
use polyplug::error::LoaderError;
use polyplug::loader::{BundleLoader, BundleSource, ManifestData};
use polyplug::{Runtime, engine as common};
use polyplug_abi::SupportedLanguage;

use crate::check;
use crate::start::{Source, start};

/// The loader of bundles in JavaScript, which manifests name as `js`.
#[derive(Debug, Clone)]
pub struct JsLoader {
    limits: Limits,
    stack: usize,
}

impl Default for JsLoader {
    fn default() -> Self {
        Self::new()
    }
}

impl JsLoader {
    /// Makes a loader whose bundles have no limits but the stack of the thread that calls them.
    #[must_use]
    pub fn new() -> Self {
        Self { limits: Limits::default(), stack: usize::MAX }
    }

    /// Sets the number of bytes that each bundle may use. A call that needs more fails with
    /// [`CallError::LimitReached`](polyplug::CallError::LimitReached); later calls are served.
    #[must_use]
    pub fn with_memory_limit(mut self, bytes: usize) -> Self {
        self.limits.memory = Some(bytes);
        self
    }

    /// Sets the time that each call of a bundle, and each start of a bundle, may take. A call that takes longer fails with
    /// [`CallError::LimitReached`](polyplug::CallError::LimitReached); later calls are served.
    ///
    /// A regular expression that takes too long is interrupted, too. A single function of the standard library, such as a
    /// sort of a long array of numbers, is not.
    ///
    /// A limit of 100 ms or more may be exceeded by 10 ms, by the clock that calls begin with.
    #[must_use]
    pub fn with_time_limit(mut self, time: Duration) -> Self {
        self.limits.time = Some(time);
        self
    }

    /// Sets the number of bytes of a thread's stack that the code of each bundle may use. Without a
    /// limit, code may use what the thread has left. Code that needs more gets a `RangeError`.
    #[must_use]
    pub fn with_stack_limit(mut self, bytes: usize) -> Self {
        self.stack = bytes;
        self
    }

    /// Loads a bundle, or a new version of a bundle, from its source.
    fn start(&self, manifest: &ManifestData, source: &Source<'_>, runtime: &Runtime) -> Result<(), LoaderError> {
        common::load(manifest, runtime, |guest| start(guest, source, &manifest.file, self.limits, self.stack))
    }
}

impl BundleLoader for JsLoader {
    fn loader_name(&self) -> &'static str {
        "js"
    }

    fn loader_language(&self) -> SupportedLanguage {
        SupportedLanguage::JavaScript
    }

    fn supports_hot_reload(&self) -> bool {
        true
    }

    fn supports_workers(&self) -> bool {
        true
    }

    fn load(&self, manifest: &ManifestData, source: &BundleSource, runtime: &Runtime) -> Result<(), LoaderError> {
        match source {
            BundleSource::Code(text) => self.start(manifest, &Source::Code(text), runtime),
            BundleSource::Path(_) => self.start(manifest, &Source::Directory, runtime),
            other => Err(LoaderError::UnsupportedBundleSource {
                loader: self.loader_name(),
                source_kind: other.kind(),
                bundle: manifest.name.clone(),
            }),
        }
    }

    fn reload(&self, manifest: &ManifestData, runtime: &Runtime) -> Result<(), LoaderError> {
        self.start(manifest, &Source::Directory, runtime)
    }

    /// Returns false: a module that is imported later is read only if its file has not changed since the load.
    fn reads_files_later(&self, _: &ManifestData) -> bool {
        false
    }

    fn runs_from_packs(&self, _: &ManifestData) -> bool {
        true
    }

    /// Checks that the bundle's file compiles.
    fn check(&self, manifest: &ManifestData) -> Result<(), LoaderError> {
        let path = manifest.path.join(&manifest.file);
        let limit = self.limits.program_limit(0);
        let read = manifest.files().read(&manifest.file, "a program", limit).map_err(Fault::new);
        let compiled = read.and_then(|text| check::compiles(text, &manifest.file));
        compiled.map_err(|fault| LoaderError::ArtifactInvalid {
            bundle: manifest.name.clone(),
            path,
            reason: fault.to_string(),
        })
    }
}
