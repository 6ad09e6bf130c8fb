//! The loader, which loads the assemblies of bundles into the CLR.

use std::path::{Path, PathBuf};

use polyplug::error::LoaderError;
use polyplug::loader::{BundleLoader, BundleSource, ManifestData, PROGRAM_LIMIT, read_bundle_file};
use polyplug::{Runtime, engine as common};
use polyplug_abi::SupportedLanguage;

use crate::check;
use crate::clr::ClrConfig;
use crate::start::start;

/// The loader of bundles for .NET, which manifests name as `dotnet`.
///
/// A process has one CLR, which the first load of a bundle starts. The options of the loader with which it is started hold
/// for the whole process. A loader whose options contradict them fails to load bundles.
#[derive(Debug, Clone, Default)]
pub struct DotnetLoader {
    config: ClrConfig,
}

impl DotnetLoader {
    /// Makes a loader that looks for an installation of .NET in `DOTNET_ROOT`, in the `PATH`, and where installers put it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the folder of the installation of .NET, in which `host/fxr` is. No other place is looked at.
    #[must_use]
    pub fn with_root(mut self, folder: impl AsRef<Path>) -> Self {
        self.config.root = Some(absolute(folder.as_ref()));
        self
    }

    /// Sets the `runtimeconfig.json` that the CLR is started with. Without one, the CLR has the newest framework
    /// `Microsoft.NETCore.App` of the installation, and no options.
    #[must_use]
    pub fn with_runtime_config(mut self, file: impl AsRef<Path>) -> Self {
        self.config.runtime_config = Some(absolute(file.as_ref()));
        self
    }

    /// Sets a property of the runtime, such as `System.GC.Server` to `true`, beside those of the `runtimeconfig.json`.
    #[must_use]
    pub fn with_property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.properties.insert(name.into(), value.into());
        self
    }

    fn start(&self, manifest: &ManifestData, bytes: Option<&[u8]>, runtime: &Runtime) -> Result<(), LoaderError> {
        common::load(manifest, runtime, |guest| start(guest, manifest, bytes, &self.config))
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

impl BundleLoader for DotnetLoader {
    fn loader_name(&self) -> &'static str {
        "dotnet"
    }

    fn loader_language(&self) -> SupportedLanguage {
        SupportedLanguage::Dotnet
    }

    fn supports_hot_reload(&self) -> bool {
        true
    }

    fn load(&self, manifest: &ManifestData, source: &BundleSource, runtime: &Runtime) -> Result<(), LoaderError> {
        match source {
            BundleSource::Bytes(bytes) => self.start(manifest, Some(bytes), runtime),
            BundleSource::Path(_) => self.start(manifest, None, runtime),
            other => Err(LoaderError::UnsupportedBundleSource {
                loader: self.loader_name(),
                source_kind: other.kind(),
                bundle: manifest.name.clone(),
            }),
        }
    }

    /// Checks that the bundle's file is a complete assembly.
    fn check(&self, manifest: &ManifestData) -> Result<(), LoaderError> {
        let read = read_bundle_file(&manifest.path, &manifest.file, "an assembly", PROGRAM_LIMIT);
        let checked = read.map_err(|error| error.to_string());
        checked.and_then(|bytes| check::assembly(&bytes, &manifest.file)).map_err(|reason| {
            LoaderError::ArtifactInvalid {
                bundle: manifest.name.clone(),
                path: manifest.path.join(&manifest.file),
                reason,
            }
        })
    }

    fn reload(&self, manifest: &ManifestData, runtime: &Runtime) -> Result<(), LoaderError> {
        self.start(manifest, None, runtime)
    }
}
