//! The loader, as the runtime knows it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use polyplug::engine::{Fault, Limits, Started};
use polyplug::error::LoaderError;
use polyplug::loader::{BundleLoader, BundleSource, ManifestData};
use polyplug::{Runtime, engine as common};
use polyplug_abi::SupportedLanguage;
use pyo3::prelude::*;

use super::options::Options;
use crate::bundle::{Modules, Source};
use crate::engine::PythonEngine;
use crate::{exception, interpreter, protocol, thread};

/// The loader that manifests call `python`.
#[derive(Debug, Clone, Default)]
pub struct PythonLoader {
    venv: Option<PathBuf>,
    limits: Limits,
}

impl PythonLoader {
    /// A loader whose bundles have Python's standard library, what they bring along, and no limits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives bundles that name no virtual environment of their own the packages of this one, a folder that
    /// `python -m venv` has made.
    #[must_use]
    pub fn with_venv(mut self, folder: impl Into<PathBuf>) -> Self {
        self.venv = Some(folder.into());
        self
    }

    /// Lets each call of a bundle take at most this time, as far as that can be enforced, and its start as well. A call
    /// that takes longer fails with [`CallError::LimitReached`](polyplug::CallError::LimitReached); the bundle serves on.
    ///
    /// The limit is an exception that is raised in code in Python. What is written in C is not interrupted: a search with
    /// a costly pattern, `time.sleep`, a wait for a lock. Code may catch the exception, which comes again then.
    #[must_use]
    pub fn with_time_limit(mut self, time: Duration) -> Self {
        self.limits.time = Some(time);
        self
    }

    fn start(&self, manifest: &ManifestData, code: Option<&str>, runtime: &Runtime) -> Result<(), LoaderError> {
        common::load_either(manifest, runtime, |guest| {
            let interpreter = interpreter::start()?;
            let source = self.source(manifest, code)?;
            thread::attach(|py| {
                let (modules, main) = Modules::start(py, interpreter, guest, source, self.limits)?;
                started(py, modules, &main)
            })
        })
    }

    fn source(&self, manifest: &ManifestData, code: Option<&str>) -> Result<Source, Fault> {
        let options = Options::read(&manifest.options).map_err(Fault::new)?;
        let own = options.venv.map(|folder| manifest.origin.join(folder));
        let venv = own.or_else(|| self.venv.clone()).as_deref().map(text).transpose()?;
        if let Some(code) = code {
            let (text, file) = (code.as_bytes().to_vec(), manifest.file.clone());
            return Ok(Source { text, file, folders: Vec::new(), directory: None, venv });
        }
        let file = manifest.path.join(&manifest.file);
        let main = file.parent().unwrap_or(&manifest.path).to_owned();
        let path = options.path.iter().map(|folder| manifest.path.join(folder));
        let folders = std::iter::once(main).chain(path).map(|folder| text(&folder)).collect::<Result<_, _>>()?;
        let directory = Some((text(&manifest.path)?, text(&manifest.origin)?));
        Ok(Source { text: read(&file)?, file: manifest.file.clone(), folders, directory, venv })
    }
}

/// What a bundle is whose main file has run: that file declares plugins, or has the low-level protocol's function.
fn started(
    py: Python<'_>,
    modules: Modules,
    main: &Bound<'_, PyAny>,
) -> Result<Started<PythonEngine, protocol::Plugin>, Fault> {
    let (plugins, declared): (Vec<_>, Vec<_>) = modules.declared(py)?.into_iter().unzip();
    let Some(init) = protocol::init_of(py, &modules, main)? else {
        return Ok(Started::Engine(PythonEngine::new(modules, plugins), declared));
    };
    match declared.first() {
        None => Ok(Started::LowLevel(protocol::start(py, modules, &init)?)),
        Some(declared) => Err(Fault::new(format_args!(
            "{}: the bundle declares a plugin with @plugin, and its main file defines polyplug_init as well: a bundle does \
             one or the other",
            declared.place.as_deref().unwrap_or_default()
        ))),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    std::fs::read(path).map_err(|error| Fault::new(format_args!("{}: {error}", path.display())))
}

/// A path as Python takes it.
fn text(path: &Path) -> Result<String, Fault> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute
        .to_str()
        .map(str::to_owned)
        .ok_or_else(|| Fault::new(format_args!("the folder {} has no name in UTF-8: rename it", path.display())))
}

impl BundleLoader for PythonLoader {
    fn loader_name(&self) -> &'static str {
        "python"
    }

    fn loader_language(&self) -> SupportedLanguage {
        SupportedLanguage::Python
    }

    fn supports_hot_reload(&self) -> bool {
        true
    }

    fn load(&self, manifest: &ManifestData, source: &BundleSource, runtime: &Runtime) -> Result<(), LoaderError> {
        match source {
            BundleSource::Code(text) => self.start(manifest, Some(text), runtime),
            BundleSource::Path(_) => self.start(manifest, None, runtime),
            other => Err(LoaderError::UnsupportedBundleSource {
                loader: self.loader_name(),
                source_kind: other.kind(),
                bundle: manifest.name.clone(),
            }),
        }
    }

    fn reload(&self, manifest: &ManifestData, runtime: &Runtime) -> Result<(), LoaderError> {
        self.start(manifest, None, runtime)
    }

    fn check_options(&self, options: &toml::Table) -> Result<(), String> {
        Options::read(options).map(drop)
    }

    /// Virtual environments: they are large, lead out of the bundle, and hold what can be loaded once only.
    fn left_in_place(&self, manifest: &ManifestData) -> Vec<PathBuf> {
        Options::read(&manifest.options).ok().and_then(|options| options.venv).into_iter().collect()
    }

    /// Whether the bundle's file is a program.
    fn check(&self, manifest: &ManifestData) -> Result<(), LoaderError> {
        let path = manifest.path.join(&manifest.file);
        let compiled = read(&path).and_then(|text| {
            interpreter::start()?;
            thread::attach(|py| compile(py, text, &manifest.file).map_err(|raised| exception::to_fault(py, raised)))
        });
        compiled.map_err(|fault| LoaderError::ArtifactInvalid {
            bundle: manifest.name.clone(),
            path,
            reason: fault.to_string(),
        })
    }
}

fn compile(py: Python<'_>, text: Vec<u8>, file: &str) -> PyResult<()> {
    py.import("builtins")?.getattr("compile")?.call1((text, file, "exec")).map(drop)
}
