//! A bundle that is loaded to be looked at.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use polyplug::Runtime;
use polyplug::loader::{BundleSource, ManifestData};
use polyplug::runtime::BundleInfo;
use polyplug::schema::Schema;

/// A loaded bundle.
pub(crate) struct Opened {
    pub(crate) manifest: ManifestData,
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) info: BundleInfo,
}

/// Makes a runtime with all loaders of this program.
pub(crate) fn runtime() -> Result<Arc<Runtime>> {
    polyplug_loaders::register(Runtime::builder()).build().context("the runtime cannot be made")
}

impl Opened {
    /// Loads a bundle after those of `with`, as a host does.
    pub(crate) fn load(bundle: &Path, with: &[PathBuf]) -> Result<Self> {
        let manifest = ManifestData::read(bundle)?;
        let runtime = runtime()?;
        for other in with {
            runtime.load_bundle(other)?;
        }
        let id = runtime.load_bundle(bundle)?;
        Self::of(manifest, runtime, id)
    }

    /// Loads a bundle although what it needs is not there: its plugins may fail as soon as they are called.
    pub(crate) fn load_alone(bundle: &Path) -> Result<Self> {
        let manifest = ManifestData::read(bundle)?;
        let text = std::fs::read_to_string(manifest.origin.join("manifest.toml"))?;
        let mut table: toml::Table = text.parse()?;
        table.remove("dependency");
        table.remove("host");
        let runtime = runtime()?;
        let source = BundleSource::Path(manifest.origin.clone());
        let id = runtime.load_bundle_from(&table.to_string(), source)?;
        Self::of(manifest, runtime, id)
    }

    fn of(manifest: ManifestData, runtime: Arc<Runtime>, id: polyplug::BundleId) -> Result<Self> {
        let info = runtime.bundle(id).ok_or_else(|| anyhow!("bundle `{}` was unloaded at once", manifest.name))?;
        Ok(Self { manifest, runtime, info })
    }

    /// Returns the contracts that the bundle's plugins implement, in the order of the plugins. A native plugin may bring no
    /// schema.
    pub(crate) fn contracts(&self) -> Vec<Result<Schema, String>> {
        let plugins = self.info.plugins.iter();
        let schema = |contract: String| {
            let proxy = self.runtime.dynamic_from(&contract, self.info.id);
            proxy.map(|proxy| proxy.schema().clone()).map_err(|error| error.to_string())
        };
        plugins.map(|plugin| schema(format!("{}@{}", plugin.contract, plugin.contract_version.major))).collect()
    }
}

/// Returns the files of a bundle, relative to its folder, each with its size.
pub(crate) fn files(folder: &Path) -> Result<Vec<(PathBuf, u64)>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(relative) = folders.pop() {
        let at = folder.join(&relative);
        let entries = std::fs::read_dir(&at).with_context(|| format!("cannot read {}", at.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot read {}", at.display()))?;
            let path = relative.join(entry.file_name());
            let kind = entry.metadata().with_context(|| format!("cannot read {}", entry.path().display()))?;
            if kind.is_dir() {
                folders.push(path);
            } else {
                found.push((path, kind.len()));
            }
        }
    }
    found.sort();
    Ok(found)
}
