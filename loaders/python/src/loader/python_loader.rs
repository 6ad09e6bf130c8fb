//! The loader, as the runtime knows it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use polyplug::Runtime;
use polyplug::engine::{Fault, Limits, load_either};
use polyplug::error::LoaderError;
use polyplug::loader::{BundleLoader, BundleSource, ManifestData, PROGRAM_LIMIT};
use polyplug_abi::SupportedLanguage;
use pyo3::Python;

use super::options::Options;
use super::source::Source;
use super::start::start_bundle;
use crate::{exception, interpreter, thread};

/// The loader that manifests call `python`.
#[derive(Debug, Clone, Default)]
pub struct PythonLoader {
    venv: Option<PathBuf>,
    limits: Limits,
}

impl PythonLoader {
    /// Returns a loader whose bundles have Python's standard library, the modules that they contain, and no limits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the packages of a virtual environment to all bundles that name no environment of their own. `folder` is a
    /// folder that `python -m venv` has made. A relative path is relative to the working directory of this moment.
    #[must_use]
    pub fn with_venv(mut self, folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref();
        self.venv = Some(std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()));
        self
    }

    /// Limits the time of each call of a bundle, and of its start. A call that takes longer fails with
    /// [`CallError::LimitReached`](polyplug::CallError::LimitReached); the bundle serves later calls.
    ///
    /// The limit is enforced by an exception that is raised in Python code. Code in C is not interrupted, such as a
    /// search with a costly pattern, `time.sleep`, or a wait for a lock. Code that catches the exception gets it again,
    /// and then at each line of the bundle.
    #[must_use]
    pub fn with_time_limit(mut self, time: Duration) -> Self {
        self.limits.time = Some(time);
        self
    }

    fn start(&self, manifest: &ManifestData, code: Option<&str>, runtime: &Runtime) -> Result<(), LoaderError> {
        load_either(manifest, runtime, |guest| {
            let interpreter = interpreter::start()?;
            let source = Source::read(manifest, guest, &self.limits, code, self.venv.as_deref())?;
            Ok(start_bundle(interpreter, guest, source, self.limits)?)
        })
    }
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

    /// Returns the bundle's virtual environment: it is large, contains links out of the bundle, and its native modules
    /// can be loaded from one path only.
    fn shared_dirs(&self, manifest: &ManifestData) -> Vec<PathBuf> {
        Options::read(&manifest.options).ok().and_then(|options| options.venv).into_iter().collect()
    }

    /// Returns whether nothing in the pack has to be a file on the disk: the system loads libraries from there, and the
    /// manifest may say that the bundle's code opens its files by their paths.
    fn runs_from_packs(&self, manifest: &ManifestData) -> bool {
        let is_unpacked = Options::read(&manifest.options).is_ok_and(|options| options.unpack);
        let files = manifest.files().list();
        !is_unpacked && files.is_ok_and(|files| !files.iter().any(|(file, _)| is_library(file)))
    }

    /// Checks that the bundle's main file compiles.
    fn check(&self, manifest: &ManifestData) -> Result<(), LoaderError> {
        let path = manifest.path.join(&manifest.file);
        let read = manifest.files().read(&manifest.file, "a program", PROGRAM_LIMIT);
        let compiled = read.map_err(Fault::new).and_then(|text| {
            interpreter::start()?;
            thread::attach(|py| {
                let code = interpreter::compile(py, text, &manifest.file);
                code.map(drop).map_err(|raised| exception::to_fault(py, raised))
            })
        });
        compiled.map_err(|fault| LoaderError::ArtifactInvalid {
            bundle: manifest.name.clone(),
            path,
            reason: fault.to_string(),
        })
    }

    /// Detaches this thread from the interpreter, if the host's program has attached it.
    fn outside(&self, body: &mut dyn FnMut()) {
        if interpreter::is_attached() {
            Python::attach(|py| thread::detach(py, body));
        } else {
            body();
        }
    }
}

/// Returns whether a file is an extension module or another library, by its name: `fast.abi3.so`, `libfast.so.1`.
fn is_library(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    [".so", ".pyd", ".dll", ".dylib"].iter().any(|ending| name.ends_with(ending)) || name.contains(".so.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_known_by_their_names() {
        for name in ["a/fast.cpython-311-x86_64-linux-gnu.so", "fast.PYD", "lib/libfast.so.1.2", "fast.dll", "a.dylib"]
        {
            assert!(is_library(Path::new(name)), "{name}");
        }
        for name in ["fast.py", "a.so/fast.py", "also", "so", "words.so.txt.d/words", "notes.dll.txt"] {
            assert!(!is_library(Path::new(name)), "{name}");
        }
    }
}
