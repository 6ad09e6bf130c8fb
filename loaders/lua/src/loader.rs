//! The loader that manifests call `lua`.

use std::path::Path;
use std::time::Duration;

use polyplug::engine::{Fault, Limits};
use polyplug::error::LoaderError;
use polyplug::loader::{BundleLoader, BundleSource, ManifestData};
use polyplug::{Runtime, engine as common};
use polyplug_abi::SupportedLanguage;

use crate::program;
use crate::start;
use crate::stdlib::StdLib;

/// The loader that manifests call `lua`.
#[derive(Debug, Clone, Default)]
pub struct LuaLoader {
    stdlib: StdLib,
    limits: Limits,
}

impl LuaLoader {
    /// A loader whose bundles get the safe part of Lua's standard library, and no limits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives bundles this part of the standard library.
    #[must_use]
    pub fn with_stdlib(mut self, stdlib: StdLib) -> Self {
        self.stdlib = stdlib;
        self
    }

    /// Lets each bundle have at most this many bytes of memory. A call that needs more fails with
    /// [`CallError::LimitReached`](polyplug::CallError::LimitReached); the bundle serves on.
    #[must_use]
    pub fn with_memory_limit(mut self, bytes: usize) -> Self {
        self.limits.memory = Some(bytes);
        self
    }

    /// Lets each call of a bundle take at most this time, and its start as well. A call that takes longer fails with
    /// [`CallError::LimitReached`](polyplug::CallError::LimitReached); the bundle serves on.
    ///
    /// Code that is compiled to machine code cannot be interrupted, so bundles with this limit are interpreted. Nor can
    /// a single function of the standard library, such as a search with a costly pattern.
    #[must_use]
    pub fn with_time_limit(mut self, time: Duration) -> Self {
        self.limits.time = Some(time);
        self
    }

    fn start(&self, manifest: &ManifestData, source: Source<'_>, runtime: &Runtime) -> Result<(), LoaderError> {
        common::load(manifest, runtime, |guest| {
            let (text, name) = match source {
                Source::Code(text) => (text.as_bytes().to_vec(), manifest.file.clone()),
                Source::Directory(directory) => (read(&directory.join(&manifest.file))?, manifest.file.clone()),
            };
            start::start(guest, &text, &name, self.stdlib, self.limits)
        })
    }
}

/// Where a bundle's code is.
enum Source<'a> {
    Code(&'a str),
    Directory(&'a Path),
}

fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    std::fs::read(path).map_err(|error| Fault::new(format_args!("{}: {error}", path.display())))
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

    fn load(&self, manifest: &ManifestData, source: &BundleSource, runtime: &Runtime) -> Result<(), LoaderError> {
        match source {
            BundleSource::Code(text) => self.start(manifest, Source::Code(text), runtime),
            BundleSource::Path(_) => self.start(manifest, Source::Directory(&manifest.path), runtime),
            other => Err(LoaderError::UnsupportedBundleSource {
                loader: self.loader_name(),
                source_kind: other.kind(),
                bundle: manifest.name.clone(),
            }),
        }
    }

    fn reload(&self, manifest: &ManifestData, runtime: &Runtime) -> Result<(), LoaderError> {
        self.start(manifest, Source::Directory(&manifest.path), runtime)
    }

    /// Whether the bundle's file is a program.
    fn check(&self, manifest: &ManifestData) -> Result<(), LoaderError> {
        let path = manifest.path.join(&manifest.file);
        let compiled = read(&path).and_then(|text| program::compile(&text, &manifest.file));
        compiled.map_err(|fault| LoaderError::ArtifactInvalid {
            bundle: manifest.name.clone(),
            path,
            reason: fault.to_string(),
        })
    }
}
