//! The loader of the toy language.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use polyplug::engine::{self, Fault};
use polyplug::error::{LoaderError, RuntimeError};
use polyplug::loader::{BundleLoader, BundleSource, ManifestData};
use polyplug::{BundleId, Compatibility, Runtime};
use polyplug_abi::SupportedLanguage;

use super::vm::ToyVm;
use super::{Code, Counts, Raise};
use crate::{Bundle, manifest};

type Program = Arc<dyn Fn(&mut Code<'_>) -> Result<(), Raise> + Send + Sync>;

/// The loader of bundles in the toy language. A bundle's file has the name of a program.
#[derive(Clone, Default)]
pub struct ToyLoader {
    programs: Arc<Mutex<HashMap<String, Program>>>,
    counts: Arc<Counts>,
}

impl ToyLoader {
    /// Makes a loader without programs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a program.
    pub fn program(&self, name: &str, body: impl Fn(&mut Code<'_>) -> Result<(), Raise> + Send + Sync + 'static) {
        self.programs.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), Arc::new(body));
    }

    /// Makes a runtime with this loader. Bundles may be loaded before those that they depend on.
    ///
    /// # Panics
    ///
    /// Never: there is only one loader.
    #[must_use]
    pub fn runtime(&self) -> Arc<Runtime> {
        crate::log::listen();
        let builder = Runtime::builder().loader(self.clone()).hot_reload(true).compatibility(Compatibility::Relaxed);
        builder.build().expect("there is only one loader")
    }

    /// Loads a bundle called `name`, in memory, with a program of the same name. `more` is added to its manifest.
    ///
    /// # Errors
    ///
    /// The errors of [`Runtime::load_bundle_from`].
    pub fn load(
        &self,
        runtime: &Runtime,
        name: &str,
        more: &str,
        body: impl Fn(&mut Code<'_>) -> Result<(), Raise> + Send + Sync + 'static,
    ) -> Result<BundleId, RuntimeError> {
        self.program(name, body);
        runtime.load_bundle_from(&(manifest(name, "toy", "main.toy") + more), BundleSource::Code(name.to_owned()))
    }

    /// Returns the counts of all VMs so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Makes a bundle called `name`, in a folder, with the program of the same name. `more` is added to its manifest.
    #[must_use]
    pub fn bundle(name: &str, more: &str) -> Bundle {
        let bundle = Bundle::empty();
        bundle.write("manifest.toml", manifest(name, "toy", "main.toy") + more);
        bundle.write("main.toy", name);
        bundle
    }

    fn start(&self, manifest: &ManifestData, program: &str, runtime: &Runtime) -> Result<(), LoaderError> {
        let program = self.programs.lock().unwrap_or_else(PoisonError::into_inner).get(program.trim()).cloned();
        engine::load(manifest, runtime, |guest| {
            let program = program.as_ref().ok_or_else(|| Fault::new("there is no such program"))?;
            let mut code = Code { guest, classes: Vec::new() };
            program(&mut code).map_err(Raise::into_fault)?;
            let vm = ToyVm::new(guest, code.classes, &self.counts);
            let declared = vm.declared();
            Ok((vm, declared))
        })
    }

    fn start_file(&self, manifest: &ManifestData, runtime: &Runtime) -> Result<(), LoaderError> {
        let path = manifest.path.join(&manifest.file);
        let text = std::fs::read_to_string(&path).map_err(|error| LoaderError::ArtifactInvalid {
            bundle: manifest.name.clone(),
            path,
            reason: error.to_string(),
        })?;
        self.start(manifest, &text, runtime)
    }
}

impl BundleLoader for ToyLoader {
    fn loader_name(&self) -> &'static str {
        "toy"
    }

    fn loader_language(&self) -> SupportedLanguage {
        SupportedLanguage::Rust
    }

    fn supports_hot_reload(&self) -> bool {
        true
    }

    fn supports_workers(&self) -> bool {
        true
    }

    fn load(&self, manifest: &ManifestData, source: &BundleSource, runtime: &Runtime) -> Result<(), LoaderError> {
        match source {
            BundleSource::Code(text) => self.start(manifest, text, runtime),
            BundleSource::Path(_) => self.start_file(manifest, runtime),
            other => Err(LoaderError::UnsupportedBundleSource {
                loader: self.loader_name(),
                source_kind: other.kind(),
                bundle: manifest.name.clone(),
            }),
        }
    }

    fn reload(&self, manifest: &ManifestData, runtime: &Runtime) -> Result<(), LoaderError> {
        self.start_file(manifest, runtime)
    }
}
