//! A loader with settings of its own, which name shared folders.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use polyplug::error::LoaderError;
use polyplug::loader::{BundleLoader, BundleSource, ManifestData};
use polyplug::{BundleId, Runtime};
use polyplug_abi::SupportedLanguage;

use crate::Bundle;
use crate::engine::{Class, ToyLoader};

/// A loader of bundles in the toy language whose manifests may list shared `folders` in the table `[toy]`. The loader
/// reads the file `word` of each folder, if there is one.
#[derive(Clone, Default)]
pub struct SharedDirsLoader {
    toys: ToyLoader,
    started: Arc<Mutex<Vec<Start>>>,
}

/// The start of a version: its manifest, and the words that the loader found.
#[derive(Debug, Clone)]
pub struct Start {
    /// The bundle's manifest.
    pub manifest: ManifestData,
    /// The words in the bundle's shared folders.
    pub words: Vec<String>,
}

impl SharedDirsLoader {
    /// Makes a loader for bundles called `name`, each with a counter.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let this = Self::default();
        this.toys.program(name, |code| {
            code.declare(Class::new("test.counter@1").method("add", |call| Ok(call.arguments[0].int().into())));
            Ok(())
        });
        this
    }

    /// Makes a bundle called `name`, with `more` in its manifest.
    #[must_use]
    pub fn bundle(name: &str, more: &str) -> Bundle {
        ToyLoader::bundle(name, more)
    }

    /// Returns the starts so far.
    #[must_use]
    pub fn started(&self) -> Vec<Start> {
        self.list().clone()
    }

    /// Returns the last start.
    ///
    /// # Panics
    ///
    /// If no version was started.
    #[must_use]
    pub fn last(&self) -> Start {
        self.list().last().expect("something was started").clone()
    }

    fn list(&self) -> MutexGuard<'_, Vec<Start>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, manifest: &ManifestData) {
        let word = |folder: &Path| std::fs::read_to_string(manifest.origin.join(folder).join("word")).ok();
        let words = self.shared_dirs(manifest).iter().filter_map(|folder| word(folder)).collect();
        self.list().push(Start { manifest: manifest.clone(), words });
    }
}

impl BundleLoader for SharedDirsLoader {
    fn loader_name(&self) -> &'static str {
        self.toys.loader_name()
    }

    fn loader_language(&self) -> SupportedLanguage {
        self.toys.loader_language()
    }

    fn supports_hot_reload(&self) -> bool {
        true
    }

    fn check_options(&self, options: &toml::Table) -> Result<(), String> {
        match options.iter().find(|(key, _)| *key != "folders") {
            Some((key, _)) => Err(format!("unknown key `{key}`, expected `folders`")),
            None => Ok(()),
        }
    }

    fn shared_dirs(&self, manifest: &ManifestData) -> Vec<PathBuf> {
        let folders = manifest.options.get("folders").and_then(toml::Value::as_array).into_iter().flatten();
        folders.filter_map(toml::Value::as_str).map(PathBuf::from).collect()
    }

    fn load(&self, manifest: &ManifestData, source: &BundleSource, runtime: &Runtime) -> Result<(), LoaderError> {
        self.note(manifest);
        BundleLoader::load(&self.toys, manifest, source, runtime)
    }

    fn reload(&self, manifest: &ManifestData, runtime: &Runtime) -> Result<(), LoaderError> {
        self.note(manifest);
        self.toys.reload(manifest, runtime)
    }

    fn unload(&self, bundle: BundleId, runtime: &Runtime) -> Result<(), LoaderError> {
        self.toys.unload(bundle, runtime)
    }
}
