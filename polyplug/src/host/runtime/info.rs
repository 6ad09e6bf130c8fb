//! Descriptions of the bundles of a runtime, for operators.

use std::fmt;
use std::path::{Path, PathBuf};

use polyplug_abi::{BundleId, GuestContractHandle, Version};

use super::report::Holder;
use crate::host::bundle::file::absolute;
use crate::host::bundle::manifest::ManifestData;
use crate::host::bundle::names::is_pack;
use crate::host::bundle::reference::{BundleRef, sealed};

/// A loaded bundle. From [`Runtime::bundles`](crate::Runtime::bundles).
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
    /// The directory or the pack that the bundle was loaded from. Absent for a bundle from memory, and for plugins that are part of
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
    /// The methods that are called through adapters, because the plugin was built against another version of the contract
    /// than this program and the methods' types have grown since. Empty if there are none, and
    /// most often one entry otherwise: a program may link several versions of a contract.
    pub adapted: Vec<Adaptation>,
    /// The handle of the plugin in the C ABI.
    pub handle: GuestContractHandle,
    /// `true` if all callers share one instance.
    pub shared: bool,
    /// The number of instances.
    pub instances: usize,
    /// The number of VMs of the bundle that carry out the plugin's calls side by side, each one call at a time. 1 for a
    /// plugin that has no [pool of VMs](crate::loader::ManifestData::workers).
    pub workers: usize,
}

/// The methods of a plugin that are called through adapters by one version of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Adaptation {
    /// The version of the contract that this program calls the plugin by. The plugin's own is
    /// [`PluginInfo::contract_version`].
    pub contract_version: Version,
    /// The names of the methods whose arguments or results are converted at each call.
    pub methods: Vec<&'static str>,
}

impl BundleInfo {
    /// Makes the description of a bundle that is to be loaded.
    pub(crate) fn of_manifest(manifest: &ManifestData, loader: Option<&'static str>) -> Self {
        // The path of a directory is absolute; that of a bundle in memory is not.
        let directory = manifest.origin.is_absolute().then(|| manifest.origin.clone());
        Self { loader, directory, ..Self::bare(&manifest.name, manifest.version.clone()) }
    }

    /// Makes the description of a bundle whose manifest cannot be read. The name is that of the folder.
    pub(crate) fn of_path(path: &Path) -> Self {
        let path = absolute(path).unwrap_or_else(|_| path.to_owned());
        let directory = match path.parent() {
            Some(folder) if path.is_file() && !is_pack(&path) => folder.to_owned(),
            _ => path,
        };
        Self::of_entry(&directory)
    }

    /// Makes the description of an entry of a directory of bundles that is no bundle. The name is that of the entry.
    pub(crate) fn of_entry(path: &Path) -> Self {
        let directory = path.to_owned();
        let name = directory.file_name().unwrap_or(directory.as_os_str()).to_string_lossy().into_owned();
        Self { directory: Some(directory), ..Self::bare(&name, semver::Version::new(0, 0, 0)) }
    }

    /// Makes the description of a bundle that has no plugins yet.
    pub(crate) fn bare(name: &str, version: semver::Version) -> Self {
        let (plugins, holders, threads) = (Vec::new(), Vec::new(), Vec::new());
        let (id, name) = (BundleId::new(name), name.to_owned());
        Self { id, name, version, directory: None, loader: None, plugins, holders, threads, memory: 0 }
    }

    /// Returns the number of known leases: those of all holders, and one for each thread.
    #[must_use]
    pub fn leases(&self) -> usize {
        self.holders.iter().map(|holder| holder.count).sum::<usize>() + self.threads.len()
    }
}

impl sealed::Sealed for BundleInfo {}

impl BundleRef for BundleInfo {
    fn id(&self) -> BundleId {
        self.id
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }
}

impl fmt::Display for BundleInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({}, ", self.name, self.version, self.id)?;
        f.write_str(self.loader.unwrap_or("part of the program"))?;
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
            (true, _) if self.workers > 1 => write!(f, "one instance in each of {} workers", self.workers),
            (true, _) => f.write_str("one instance for everybody"),
            (false, 1) => f.write_str("1 instance"),
            (false, count) => write!(f, "{count} instances"),
        }?;
        for Adaptation { contract_version: Version { major, minor, .. }, methods } in &self.adapted {
            write!(f, ", adapted to {major}.{minor}: {}", methods.join(", "))?;
        }
        Ok(())
    }
}
