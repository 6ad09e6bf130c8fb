//! What changes of bundles report.

use std::fmt;
use std::panic::Location;

use polyplug_abi::BundleId;

/// What becomes, at a reload, of instances whose plugin does not carry its state over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ReloadPolicy {
    /// They are made afresh by the new version's factory. The default.
    #[default]
    Restart,
    /// They stay as they are, on the old code, until they are dropped.
    Drain,
}

/// What a reload did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReloadReport {
    /// The bundle's id.
    pub bundle: BundleId,
    /// Instances whose state was carried over.
    pub migrated: usize,
    /// Instances that were made afresh, and lost their state.
    pub restarted: usize,
    /// Instances that stay on the old code.
    pub drained: usize,
    /// Whether the old version's code is gone already. Otherwise proxies or calls still hold it.
    pub reclaimed: bool,
}

/// What became of a bundle that was unloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnloadReport {
    /// The bundle's name.
    pub bundle: String,
    /// Whether its code is gone: instances ended, library closed, engine dropped. Otherwise proxies, calls or readers
    /// still hold it, and it goes when the last of them does.
    pub reclaimed: bool,
    /// Who holds it, as far as is known. Calls that are running and readers with a pin hold it as well.
    pub holders: Vec<Holder>,
    /// The names of the bundle's threads that have not ended: see
    /// [`PluginContext::spawn`](crate::PluginContext::spawn). Each holds it as well.
    pub threads: Vec<String>,
    /// Why the system keeps the code in memory although nobody holds it.
    pub still_mapped: Option<String>,
}

/// Leases that keep a version's code loaded: those of proxies, of instances made through the C ABI, and
/// [taken by themselves](crate::Runtime::lease).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// The contract.
    pub contract: String,
    /// Where in the source they were taken.
    pub site: &'static Location<'static>,
    /// How many there are.
    pub count: usize,
}

/// A version that is no longer served and not yet gone.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lingering {
    /// The bundle's name.
    pub bundle: String,
    /// Who holds it, as far as is known.
    pub holders: Vec<Holder>,
    /// The names of its threads that have not ended.
    pub threads: Vec<String>,
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
        held(f, &self.holders, &self.threads)
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

/// Who keeps the code.
fn held(f: &mut fmt::Formatter<'_>, holders: &[Holder], threads: &[String]) -> fmt::Result {
    if holders.is_empty() && threads.is_empty() {
        return f.write_str("; its code goes when calls that are running and readers have finished");
    }
    let threads = threads.iter().map(|thread| format!("its thread `{thread}`"));
    let all: Vec<_> = holders.iter().map(ToString::to_string).chain(threads).collect();
    write!(f, "; its code is held by {}", all.join(", "))
}
