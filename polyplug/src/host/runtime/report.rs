//! The reports of changes of bundles.

use std::fmt;
use std::panic::Location;

use polyplug_abi::BundleId;

/// The policy at a reload for instances whose plugin cannot migrate its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ReloadPolicy {
    /// The instances are made anew by the new version's factory. The default.
    #[default]
    Restart,
    /// The instances stay on the old code until they are dropped.
    Drain,
}

/// The report of a reload.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReloadReport {
    /// The bundle's id.
    pub bundle: BundleId,
    /// The bundle's name.
    pub name: String,
    /// The number of instances whose state was migrated.
    pub migrated: usize,
    /// The number of instances that were made anew, and lost their state.
    pub restarted: usize,
    /// The number of instances that stay on the old code.
    pub drained: usize,
    /// `true` if the old version is reclaimed already, and its code was measured to be gone. Otherwise proxies, calls or
    /// threads still hold it, or `still_mapped` says why its code stays.
    pub reclaimed: bool,
    /// The known leases on the old version.
    pub holders: Vec<Holder>,
    /// The names of the old version's threads that have not ended.
    pub threads: Vec<String>,
    /// The reason why the old version's code stays in memory although no lease on it exists.
    pub still_mapped: Option<String>,
}

impl ReloadReport {
    /// Makes the report of a reload that has not changed anything yet.
    pub(crate) fn new(name: &str) -> Self {
        let (bundle, name) = (BundleId::new(name), name.to_owned());
        let (holders, threads, still_mapped) = (Vec::new(), Vec::new(), None);
        Self { bundle, name, migrated: 0, restarted: 0, drained: 0, reclaimed: false, holders, threads, still_mapped }
    }

    /// Returns what happened to the instances, as the end of a sentence.
    pub(crate) fn instances(&self) -> String {
        let Self { migrated, restarted, drained, .. } = self;
        let parts = [
            (*migrated, "kept its state", "kept their state"),
            (*restarted, "was made afresh and lost its state", "were made afresh and lost their state"),
            (*drained, "stays on the old code", "stay on the old code"),
        ];
        let parts = parts.iter().filter(|(count, ..)| *count > 0).map(|(count, one, many)| match count {
            1 => format!("1 instance {one}"),
            count => format!("{count} instances {many}"),
        });
        let parts: Vec<_> = parts.collect();
        if parts.is_empty() { String::new() } else { format!("; {}", parts.join(", ")) }
    }
}

/// The report of an unload.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnloadReport {
    /// The bundle's id.
    pub id: BundleId,
    /// The bundle's name.
    pub bundle: String,
    /// `true` if the bundle is reclaimed: its instances destroyed, its library closed, its engine dropped, and its code
    /// measured to be gone. Otherwise proxies, calls or readers still hold it, and the bundle is reclaimed after the last
    /// of them has ended; or `still_mapped` says why its code stays.
    pub reclaimed: bool,
    /// The known leases on the bundle. Calls that are running and readers with a pin hold it as well.
    pub holders: Vec<Holder>,
    /// The names of the bundle's threads that have not ended: see
    /// [`PluginContext::spawn`](crate::PluginContext::spawn). Each of these threads holds the bundle as well. The loader
    /// for Python adds the threads that the bundle has started with `threading`.
    pub threads: Vec<String>,
    /// The reason why the code stays in memory although no lease on it exists, with what holds it as far as the loader
    /// knows.
    pub still_mapped: Option<String>,
}

/// The leases on a version that were taken at one place in the source: those of proxies, those of instances made
/// through the C ABI, and those of [`Runtime::lease`](crate::Runtime::lease).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// The contract.
    pub contract: String,
    /// The place in the source where the leases were taken.
    pub site: &'static Location<'static>,
    /// The number of leases.
    pub count: usize,
}

/// A version that no longer serves and is not reclaimed yet, or is reclaimed and whose code stays in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lingering {
    /// The bundle's id.
    pub id: BundleId,
    /// The bundle's name.
    pub bundle: String,
    /// The known leases on the version.
    pub holders: Vec<Holder>,
    /// The names of the version's threads that have not ended.
    pub threads: Vec<String>,
    /// The reason why the code of a reclaimed version stays in memory, as it was when the version was reclaimed.
    pub still_mapped: Option<String>,
}

impl fmt::Display for ReloadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bundle `{}` ({}) is reloaded{}", self.name, self.bundle, self.instances())?;
        match (&self.still_mapped, self.reclaimed) {
            (Some(reason), _) => write!(f, "; the old version: {reason}"),
            (None, true) => f.write_str("; the old version's code is gone"),
            (None, false) => match held_by(&self.holders, &self.threads) {
                None => {
                    f.write_str("; the old version's code goes when calls that are running and readers have finished")
                }
                Some(all) => write!(f, "; the old version's code is held by {all}"),
            },
        }
    }
}

impl fmt::Display for UnloadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bundle `{}` is unloaded", self.bundle)?;
        match (&self.still_mapped, self.reclaimed) {
            (Some(reason), _) => write!(f, "; {reason}"),
            (None, true) => f.write_str(" and its code is gone"),
            (None, false) => held(f, &self.holders, &self.threads),
        }
    }
}

impl fmt::Display for Lingering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a retired version of bundle `{}`", self.bundle)?;
        match &self.still_mapped {
            Some(reason) => write!(f, "; {reason}"),
            None => held(f, &self.holders, &self.threads),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.count == 1 { "" } else { "s" };
        write!(
            f,
            "{} lease{plural} of {} taken at {}:{}",
            self.count,
            self.contract,
            self.site.file(),
            self.site.line()
        )
    }
}

/// Writes the leases and the threads that hold the code.
fn held(f: &mut fmt::Formatter<'_>, holders: &[Holder], threads: &[String]) -> fmt::Result {
    match held_by(holders, threads) {
        None => f.write_str("; its code goes when calls that are running and readers have finished"),
        Some(all) => write!(f, "; its code is held by {all}"),
    }
}

/// Returns the leases and the threads that hold the code as a list, or `None` if none is known.
pub(crate) fn held_by(holders: &[Holder], threads: &[String]) -> Option<String> {
    let threads = threads.iter().map(|thread| format!("its thread `{thread}`"));
    let all: Vec<_> = holders.iter().map(ToString::to_string).chain(threads).collect();
    (!all.is_empty()).then(|| all.join(", "))
}
