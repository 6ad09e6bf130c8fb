//! A loader with settings of its own, which name folders that it uses where they lie.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use polyplug::error::LoaderError;
use polyplug::loader::{BundleLoader, BundleSource, ManifestData};
use polyplug::{BundleId, Runtime};
use polyplug_abi::SupportedLanguage;

use crate::Bundle;
use crate::engine::{Class, ToyLoader};

/// Loads bundles of the toy language. Their manifests may name `folders` in the table `[toy]`, a list; of each it reads the
/// file `word`, if there is one.
#[derive(Clone, Default)]
pub struct KeepingLoader {
    toys: ToyLoader,
    started: Arc<Mutex<Vec<Started>>>,
}

/// What the loader was given to start a version from, and found.
#[derive(Debug, Clone)]
pub struct Started {
    /// The bundle's manifest.
    pub manifest: ManifestData,
    /// The words in its folders.
    pub words: Vec<String>,
}

impl KeepingLoader {
    /// A loader for bundles called `name`, each with a counter.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let this = Self::default();
        this.toys.program(name, |code| {
            code.declare(Class::new("test.counter@1").method("add", |call| Ok(call.arguments[0].int().into())));
            Ok(())
        });
        this
    }

    /// A bundle called `name`, with `more` in its manifest.
    #[must_use]
    pub fn bundle(name: &str, more: &str) -> Bundle {
        ToyLoader::bundle(name, more)
    }

    /// What was started so far.
    #[must_use]
    pub fn started(&self) -> Vec<Started> {
        self.list().clone()
    }

    /// What was started last.
    ///
    /// # Panics
    ///
    /// If nothing was.
    #[must_use]
    pub fn last(&self) -> Started {
        self.list().last().expect("something was started").clone()
    }

    fn list(&self) -> MutexGuard<'_, Vec<Started>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, manifest: &ManifestData) {
        let word = |folder: &Path| std::fs::read_to_string(manifest.origin.join(folder).join("word")).ok();
        let words = self.shared_dirs(manifest).iter().filter_map(|folder| word(folder)).collect();
        self.list().push(Started { manifest: manifest.clone(), words });
    }
}

impl BundleLoader for KeepingLoader {
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
