//! The loader, which starts an engine for each bundle.

use std::path::Path;
use std::time::Duration;

use polyplug::engine::{Fault, Limits};
use polyplug::error::LoaderError;
use polyplug::loader::{BundleLoader, BundleSource, ManifestData};
use polyplug::{Runtime, engine as common};
use polyplug_abi::SupportedLanguage;

use crate::program;
use crate::start::{Source, start};
use crate::stdlib::StdLib;

/// The loader of bundles in Lua, which manifests name as `lua`.
#[derive(Debug, Clone, Default)]
pub struct LuaLoader {
    stdlib: StdLib,
    limits: Limits,
}

impl LuaLoader {
    /// Makes a loader whose bundles get the safe part of Lua's standard library, and no limits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the part of the standard library that bundles get.
    #[must_use]
    pub fn with_stdlib(mut self, stdlib: StdLib) -> Self {
        self.stdlib = stdlib;
        self
    }

    /// Sets the number of bytes that each bundle may use. A call that needs more fails with
    /// [`CallError::LimitReached`](polyplug::CallError::LimitReached); later calls are served.
    #[must_use]
    pub fn with_memory_limit(mut self, bytes: usize) -> Self {
        self.limits.memory = Some(bytes);
        self
    }

    /// Sets the time that each call of a bundle, and each start of a bundle, may take. A call that takes longer fails
    /// with [`CallError::LimitReached`](polyplug::CallError::LimitReached); later calls are served.
    ///
    /// With the safe part of the standard library, the loops and functions of a bundle count their steps, and look at the clock
    /// after each 250. With the full one all code is interpreted, because a bundle can then load code by other ways. A
    /// single function of the standard library, such as a search with a costly pattern, is not interrupted.
    ///
    /// A limit of 100 ms or more may be exceeded by 10 ms, by the clock that calls begin with.
    #[must_use]
    pub fn with_time_limit(mut self, time: Duration) -> Self {
        self.limits.time = Some(time);
        self
    }

    /// Loads a bundle, or a new version of a bundle, from its source.
    fn start(&self, manifest: &ManifestData, source: &Source<'_>, runtime: &Runtime) -> Result<(), LoaderError> {
        common::load(manifest, runtime, |guest| start(guest, source, &manifest.file, self.stdlib, self.limits))
    }
}

impl BundleLoader for LuaLoader {
    fn loader_name(&self) -> &'static str {
        "lua"
    }

    fn loader_language(&self) -> SupportedLanguage {
        SupportedLanguage::Lua
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

    /// Returns whether the bundle has files that a call may need, besides its main file.
    fn reads_files_later(&self, manifest: &ManifestData) -> bool {
        let files = manifest.files();
        let (Some(folder), Ok(listed)) = (files.folder(), files.list()) else { return true };
        listed.iter().any(|(file, _)| file != Path::new(&manifest.file) && may_be_program(&folder.join(file)))
    }

    fn runs_from_packs(&self, _: &ManifestData) -> bool {
        true
    }

    /// Checks that the bundle's file compiles.
    fn check(&self, manifest: &ManifestData) -> Result<(), LoaderError> {
        let path = manifest.path.join(&manifest.file);
        let limit = self.limits.program_limit(0);
        let read = manifest.files().read(&manifest.file, "a program", limit).map_err(Fault::new);
        let compiled = read.and_then(|text| program::check(&text, &manifest.file));
        compiled.map_err(|fault| LoaderError::ArtifactInvalid {
            bundle: manifest.name.clone(),
            path,
            reason: fault.to_string(),
        })
    }
}

/// Returns whether a file may be a module or the schema of a contract. A link may lead to such a file.
fn may_be_program(path: &Path) -> bool {
    let is_named = path.extension().is_some_and(|ending| ending == "lua" || ending == "schema");
    is_named || path.symlink_metadata().is_ok_and(|found| found.is_symlink())
}
