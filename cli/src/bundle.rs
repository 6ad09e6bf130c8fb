//! A bundle that is loaded to be looked at.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use polyplug::error::RuntimeError;
use polyplug::loader::{BundleSource, Files, ManifestData};
use polyplug::runtime::{BundleInfo, RuntimeBuilder};
use polyplug::schema::Schema;
use polyplug::signature::{PublicKey, SignatureError, verify_bundle};
use polyplug::{BundleId, Runtime};
use tempfile::TempDir;

use crate::stand_in::{NOT_THE_HOST, StandIn};

/// Contracts by their names with major versions, such as `demo.store@1`.
pub(crate) type Contracts = BTreeMap<String, Schema>;

/// A loaded bundle.
pub(crate) struct Opened {
    pub(crate) manifest: ManifestData,
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) info: BundleInfo,
    /// The copies of bundles to which contracts were added, and the folder for data if it is temporary.
    _folders: Vec<TempDir>,
}

/// The folder in which bundles keep their data.
pub(crate) struct DataFolder {
    path: PathBuf,
    temporary: Option<TempDir>,
}

impl DataFolder {
    /// Takes the folder that was given, or makes one that is removed at the end.
    pub(crate) fn new(given: Option<&Path>) -> Result<Self> {
        if let Some(path) = given {
            return Ok(Self { path: path.to_owned(), temporary: None });
        }
        let temporary = tempfile::tempdir().context("cannot make a folder for the data of bundles")?;
        Ok(Self { path: temporary.path().to_owned(), temporary: Some(temporary) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Builds a runtime with all loaders of this program, and with a stand-in for all host contracts.
pub(crate) fn with_stand_in(builder: RuntimeBuilder) -> Result<Arc<Runtime>> {
    let runtime = polyplug_loaders::register(builder).build().context("the runtime cannot be made")?;
    runtime.provide_bridge(StandIn(NOT_THE_HOST));
    Ok(runtime)
}

impl Opened {
    /// Loads a bundle after those of `with`, as a host does that knows `contracts`.
    /// The bundles keep their data in `data`, or in a folder that is removed at the end.
    pub(crate) fn load(bundle: &Path, with: &[PathBuf], contracts: &Contracts, data: Option<&Path>) -> Result<Self> {
        let manifest = ManifestData::read(bundle)?;
        let data = DataFolder::new(data)?;
        let runtime = with_stand_in(Runtime::builder().data_directory(data.path()))?;
        let mut folders = Vec::from_iter(data.temporary);
        for other in with {
            let other = ManifestData::read(other)?;
            runtime.load_bundle(with_contracts(&other.files(), contracts, &mut folders)?)?;
        }
        let id = runtime.load_bundle(with_contracts(&manifest.files(), contracts, &mut folders)?)?;
        Self::of(manifest, runtime, id, folders)
    }

    /// Loads a bundle although what it needs is not there: its plugins may fail as soon as they are called.
    pub(crate) fn load_alone(bundle: &Path, contracts: &Contracts) -> Result<Self> {
        let manifest = ManifestData::read(bundle)?;
        let text = manifest.files().read("manifest.toml", "a manifest", u64::MAX)?;
        let mut table: toml::Table = String::from_utf8(text)?.parse()?;
        table.remove("dependency");
        table.remove("host");
        let data = DataFolder::new(None)?;
        let runtime = with_stand_in(Runtime::builder().data_directory(data.path()))?;
        let mut folders = Vec::from_iter(data.temporary);
        let path = with_contracts(&manifest.files(), contracts, &mut folders)?;
        let id = runtime.load_bundle_from(&table.to_string(), BundleSource::Path(path))?;
        Self::of(manifest, runtime, id, folders)
    }

    fn of(manifest: ManifestData, runtime: Arc<Runtime>, id: BundleId, folders: Vec<TempDir>) -> Result<Self> {
        let info = runtime.bundle(id).ok_or_else(|| anyhow!("bundle `{}` was unloaded at once", manifest.name))?;
        Ok(Self { manifest, runtime, info, _folders: folders })
    }

    /// Returns the contracts that the bundle's plugins implement, in the order of the plugins. A native plugin may bring no
    /// schema, and one in a scripting language may fail to make an instance.
    pub(crate) fn contracts(&self) -> Vec<Result<Schema, RuntimeError>> {
        let plugins = self.info.plugins.iter();
        let schema = |contract: String| {
            let proxy = self.runtime.dynamic_from(&contract, self.info.id);
            proxy.map(|proxy| proxy.schema().clone())
        };
        plugins.map(|plugin| schema(format!("{}@{}", plugin.contract, plugin.contract_version.major))).collect()
    }
}

/// Returns the bundle's folder or pack, or the folder of a copy to which the contracts are added that the bundle does not
/// ship.
pub(crate) fn with_contracts(files: &Files, contracts: &Contracts, copies: &mut Vec<TempDir>) -> Result<PathBuf> {
    let missing = contracts.iter().map(|(name, schema)| (format!("{name}.schema"), schema));
    let missing: Vec<_> = missing.filter(|(file, _)| !files.is_file(file)).collect();
    if missing.is_empty() {
        return Ok(files.root().to_owned());
    }
    let copy = tempfile::tempdir().context("cannot make a folder for a copy of the bundle")?;
    // Messages name the bundle by its own name, and not by that of the copy's folder.
    let name = if files.folder().is_some() { files.root().file_name() } else { files.root().file_stem() };
    let to = copy.path().join(name.unwrap_or_else(|| "bundle".as_ref()));
    for (file, size) in files.list()? {
        let to = to.join(&file);
        let parent = to.parent().unwrap_or(&to);
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        match files.folder().map(|folder| folder.join(&file)) {
            Some(from) => fs::copy(&from, &to).map(drop).with_context(|| format!("cannot copy {}", from.display()))?,
            None => fs::write(&to, files.read(&file, "a file of a pack", size)?)
                .with_context(|| format!("cannot write {}", to.display()))?,
        }
    }
    for (file, schema) in missing {
        fs::write(to.join(&file), schema.encode()).with_context(|| format!("cannot write {file}"))?;
    }
    copies.push(copy);
    Ok(to)
}

/// Returns why a bundle in Python does not run where it is put, and what to do, if its manifest names a virtual environment:
/// that is made for one place, and is part of neither a built bundle nor a pack.
pub(crate) fn environment_left_out(manifest: &ManifestData) -> Option<String> {
    let venv = manifest.options.get("venv").filter(|_| manifest.loader == "python")?.as_str()?;
    Some(format!(
        "the manifest names the virtual environment `{venv}`, which is made for one place and is left out: put the packages \
         into a folder of the bundle (`pip install --target lib PACKAGE`, and `path = [\"lib\"]` in place of `venv`), or let \
         the host name an environment by `PythonLoader::with_venv`"
    ))
}

/// The signature of a bundle, whoever has signed it.
pub(crate) enum Signature {
    Missing,
    /// The signature holds, or the bundle is wrong otherwise, which the load tells.
    Holds,
    /// No host accepts the signature.
    Broken(RuntimeError),
}

/// Checks the signature of a bundle, as a host does that trusts the key. Whose key that is, a verification tells, which
/// knows the keys that are trusted.
pub(crate) fn signature(bundle: &Path) -> Signature {
    let source = |error: &RuntimeError| match error {
        RuntimeError::Signature { source, .. } => Some(source.clone()),
        _ => None,
    };
    let mut verified = verify_bundle(bundle, &[]);
    if let Some(SignatureError::UnknownKey { key }) = verified.as_ref().err().and_then(source)
        && let Ok(key) = PublicKey::from_hex(&key)
    {
        verified = verify_bundle(bundle, &[key]);
    }
    match verified {
        Err(error @ RuntimeError::Signature { .. }) => match source(&error) {
            Some(SignatureError::Unsigned) => Signature::Missing,
            _ => Signature::Broken(error),
        },
        Ok(_) | Err(_) => Signature::Holds,
    }
}

/// Returns the files of a folder, relative to the folder, each with its size.
pub(crate) fn files(folder: &Path) -> Result<Vec<(PathBuf, u64)>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(relative) = folders.pop() {
        let at = folder.join(&relative);
        let entries = fs::read_dir(&at).with_context(|| format!("cannot read {}", at.display()))?;
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
