//! A loader that serves the plugins of a package, linked into the test, as a bundle.

use std::collections::BTreeSet;
use std::sync::Arc;

use polyplug_abi::{BundleId, SupportedLanguage, Version};

use crate::Runtime;
use crate::call_error::message_text;
use crate::error::{LoaderError, ManifestError, RuntimeError};
use crate::guest::{PluginEntry, UnloadEntry, keep_locations, register_all};
use crate::loader::{BundleLoader, BundleSource, ManifestData};

/// The plugins of one package.
pub(super) struct Linked {
    package: String,
    /// The text of the bundle's manifest, and the parsed manifest.
    manifest: Option<(String, ManifestData)>,
}

impl Linked {
    /// Returns the packages with plugins that are linked into this program.
    pub(super) fn packages() -> Vec<&'static str> {
        let mut packages: Vec<_> = PluginEntry::all().iter().map(|entry| entry.package).collect();
        packages.dedup();
        packages
    }

    /// Finds the plugins of `package`, or returns the message for a package without plugins.
    pub(super) fn of(package: &str) -> Result<Self, String> {
        let packages = Self::packages();
        if packages.contains(&package) {
            return Ok(Self { package: package.to_owned(), manifest: None });
        }
        let linked =
            if packages.is_empty() { "none at all".to_owned() } else { format!("only those of {}", list(&packages)) };
        Err(format!(
            "no plugin of package `{package}` is linked into this test, {linked}: give the package's name as in its \
             Cargo.toml, and link it with `use {} as _;`",
            package.replace('-', "_")
        ))
    }

    pub(super) fn set_manifest(&mut self, text: &str) -> Result<(), ManifestError> {
        let manifest = ManifestData::parse(text, "<manifest>")?;
        self.manifest = Some((text.to_owned(), manifest));
        Ok(())
    }

    /// Returns the bundle's name.
    pub(super) fn name(&self) -> &str {
        self.manifest.as_ref().map_or(&self.package, |(_, manifest)| &manifest.name)
    }

    /// Returns the contracts that the plugins provide, `name@major`.
    pub(super) fn provides(&self) -> Vec<String> {
        let contract = |entry: &&PluginEntry| {
            let info = (entry.contract)();
            format!("{}@{}", info.name, info.major)
        };
        entries(&self.package).iter().map(contract).collect()
    }

    /// Loads the bundle, unless it is loaded already. A bundle without a manifest may call the providers of `peers`.
    pub(super) fn load(&self, runtime: &Runtime, peers: &BTreeSet<String>) -> Result<BundleId, RuntimeError> {
        let id = BundleId::new(self.name());
        if runtime.bundle_name(id).is_some() {
            return Ok(id);
        }
        let source = BundleSource::Code(self.package.clone());
        match &self.manifest {
            Some((text, _)) => runtime.load_bundle_from(text, source),
            None => runtime.load_bundle_from(&self.own_manifest(peers), source),
        }
    }

    fn own_manifest(&self, peers: &BTreeSet<String>) -> String {
        let Version { major, minor, patch } = entries(&self.package)[0].version;
        let mut text = manifest(&self.package, &format!("{major}.{minor}.{patch}"), LinkedLoader::NAME);
        for contract in peers {
            text.push_str(&format!("[[dependency]]\ncontract = \"{contract}\"\n"));
        }
        text
    }
}

/// Returns the text of a manifest with the required keys only.
pub(super) fn manifest(name: &str, version: &str, loader: &str) -> String {
    format!("name = \"{name}\"\nversion = \"{version}\"\nloader = \"{loader}\"\n")
}

/// Lists names for a message: `` `a`, `b` and `c` ``.
pub(super) fn list(packages: &[&str]) -> String {
    let names: Vec<_> = packages.iter().map(|package| format!("`{package}`")).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

fn entries(package: &str) -> Vec<&'static PluginEntry> {
    PluginEntry::all().into_iter().filter(|entry| entry.package == package).collect()
}

/// A loader that replaces the loader of native bundles, so that their manifests can be used unchanged. The source's
/// code is the name of the package to load.
pub(super) struct LinkedLoader;

impl LinkedLoader {
    const NAME: &'static str = "native";
}

impl BundleLoader for LinkedLoader {
    fn loader_name(&self) -> &'static str {
        Self::NAME
    }

    fn loader_language(&self) -> SupportedLanguage {
        SupportedLanguage::Rust
    }

    fn supports_hot_reload(&self) -> bool {
        false
    }

    fn load(&self, manifest: &ManifestData, source: &BundleSource, runtime: &Runtime) -> Result<(), LoaderError> {
        let BundleSource::Code(package) = source else {
            let (loader, bundle) = (Self::NAME, manifest.name.clone());
            return Err(LoaderError::UnsupportedBundleSource { loader, source_kind: source.kind(), bundle });
        };
        keep_locations();
        let host = runtime.staging(manifest.id)?.host_abi();
        // SAFETY: the runtime keeps the table valid for as long as the bundle's code may run.
        unsafe { register_all(host, &entries(package), &UnloadEntry::of(package)) }.map_err(|error| {
            // SAFETY: the text is in the buffer that the host keeps for this thread.
            let error = unsafe { message_text(&error) };
            LoaderError::init_failed(&manifest.name, error)
        })
    }

    fn reload(&self, manifest: &ManifestData, _: &Runtime) -> Result<(), LoaderError> {
        let reason = "what is linked into a test cannot be reloaded".to_owned();
        Err(LoaderError::Failed { bundle: manifest.name.clone(), reason })
    }
}

/// Makes a runtime that loads linked plugins.
pub(super) fn runtime() -> Result<Arc<Runtime>, RuntimeError> {
    Runtime::builder().loader(LinkedLoader).build()
}
