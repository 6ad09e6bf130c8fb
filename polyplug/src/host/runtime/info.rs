//! Descriptions of the bundles of a runtime, for operators.

use std::fmt;
use std::path::PathBuf;

use polyplug_abi::{BundleId, GuestContractHandle, Version};

use super::bundles::Loaded;
use super::report::{Holder, Lingering};
use super::retired::holders_of;
use super::runtime::Runtime;
use crate::host::store::provider::Provider;

/// A loaded bundle. From [`Runtime::bundles`].
///
/// The [`Display`](fmt::Display) of a description is a few lines for a log or a console.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BundleInfo {
    /// The bundle's id.
    pub id: BundleId,
    /// The bundle's name.
    pub name: String,
    /// The version in the bundle's manifest, or the package's version for plugins that are part of the program.
    pub version: semver::Version,
    /// The directory that the bundle was loaded from. Absent for a bundle from memory, and for plugins that are part of
    /// the program.
    pub directory: Option<PathBuf>,
    /// The name of the bundle's loader. Absent for plugins that are part of the program.
    pub loader: Option<&'static str>,
    /// The bundle's plugins, in the order of registration.
    pub plugins: Vec<PluginInfo>,
    /// The known leases: those of proxies, of instances made through the C ABI, and [`Lease`](crate::runtime::Lease)s.
    pub holders: Vec<Holder>,
    /// The names of the threads that run for the bundle: see [`PluginContext::spawn`](crate::PluginContext::spawn).
    pub threads: Vec<String>,
    /// The memory that the bundle's code occupies, in bytes, as far as known: mapped libraries, an engine's heap.
    pub memory: u64,
}

/// A plugin of a loaded bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PluginInfo {
    /// The plugin's name.
    pub name: String,
    /// The plugin's own version.
    pub version: Version,
    /// The contract that the plugin implements.
    pub contract: String,
    /// The version of that contract.
    pub contract_version: Version,
    /// The handle of the plugin in the C ABI.
    pub handle: GuestContractHandle,
    /// `true` if all callers share one instance.
    pub shared: bool,
    /// The number of instances.
    pub instances: usize,
}

impl BundleInfo {
    /// Returns the number of known leases: those of all holders, and one for each thread.
    #[must_use]
    pub fn leases(&self) -> usize {
        self.holders.iter().map(|holder| holder.count).sum::<usize>() + self.threads.len()
    }
}

impl Runtime {
    /// Returns descriptions of all loaded bundles, in load order.
    ///
    /// ```
    /// # fn main() -> Result<(), polyplug::error::RuntimeError> {
    /// let runtime = polyplug::Runtime::builder().build()?;
    /// for bundle in runtime.bundles() {
    ///     println!("{bundle}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn bundles(&self) -> Vec<BundleInfo> {
        self.bundle_table().loaded().iter().map(|loaded| self.describe(loaded)).collect()
    }

    /// Returns the description of the loaded bundle with this id.
    #[must_use]
    pub fn bundle(&self, id: BundleId) -> Option<BundleInfo> {
        self.bundle_table().loaded().iter().find(|loaded| loaded.version.id() == id).map(|loaded| self.describe(loaded))
    }

    /// Returns the versions that no longer serve and are not reclaimed yet, with the leases on them, and those that are
    /// reclaimed and whose code is still in memory, with the reason.
    ///
    /// Whether code is still in memory is measured anew, where the loader can.
    #[must_use]
    pub fn retired(&self) -> Vec<Lingering> {
        self.lingering()
    }

    fn describe(&self, loaded: &Loaded) -> BundleInfo {
        let Loaded { version, providers, loader, origin, .. } = loaded;
        BundleInfo {
            id: version.id(),
            name: version.name().to_owned(),
            version: origin.version.clone(),
            directory: origin.directory.clone(),
            loader: *loader,
            plugins: providers.iter().filter_map(|provider| self.describe_plugin(provider)).collect(),
            holders: providers.iter().flat_map(|provider| holders_of(provider)).collect(),
            threads: version.threads().names(),
            memory: version.memory(),
        }
    }

    fn describe_plugin(&self, provider: &Provider) -> Option<PluginInfo> {
        let plugin = &provider.plugin;
        let (handle, _) = self.store().find_in(plugin.bundle, plugin.contract_id)?;
        let shared = provider.shared().is_some();
        Some(PluginInfo {
            name: plugin.name.clone(),
            version: plugin.version,
            contract: plugin.contract.clone(),
            contract_version: plugin.interface.contract_version,
            handle,
            shared,
            instances: if shared { 1 } else { provider.leases().cells().len() },
        })
    }
}

impl fmt::Display for BundleInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)?;
        match self.loader {
            Some(loader) => write!(f, " ({loader}")?,
            None => f.write_str(" (part of the program")?,
        }
        if self.memory > 0 {
            write!(f, ", {} KiB", self.memory.div_ceil(1024))?;
        }
        f.write_str(")")?;
        if let Some(directory) = &self.directory {
            write!(f, " from {}", directory.display())?;
        }
        for plugin in &self.plugins {
            write!(f, "\n  {plugin}")?;
        }
        for holder in &self.holders {
            write!(f, "\n  held by {holder}")?;
        }
        for thread in &self.threads {
            write!(f, "\n  runs thread `{thread}`")?;
        }
        Ok(())
    }
}

impl fmt::Display for PluginInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Version { major, minor, .. } = self.contract_version;
        write!(f, "{} {} implements {}@{major}.{minor}, ", self.name, self.version, self.contract)?;
        match (self.shared, self.instances) {
            (true, _) => f.write_str("one instance for everybody"),
            (false, 1) => f.write_str("1 instance"),
            (false, count) => write!(f, "{count} instances"),
        }
    }
}
