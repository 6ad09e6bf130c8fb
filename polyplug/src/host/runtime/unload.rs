//! Unloading bundles, and waiting until their code is gone.

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use polyplug_abi::{BundleId, ReloadPhaseType};

use super::bundles::Loaded;
use super::load::guarded;
use super::runtime::Runtime;
use crate::host::error::RuntimeError;
use crate::host::store::provider::Provider;
use crate::host::store::publish as handover;
use crate::host::version::version::BundleVersion;

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
/// [taken by themselves](Runtime::lease).
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

/// See [`Runtime::watch_fate`].
pub(crate) type Fate = Arc<OnceLock<Option<String>>>;

/// A version that was given up.
#[derive(Clone)]
pub(crate) struct Retired {
    bundle: String,
    version: Weak<BundleVersion>,
    fate: Fate,
}

/// How often an unload pushes the collector on: two epochs must pass, and each push advances one at most.
const EPOCH_PUSHES: usize = 8;

/// How long an unload waits for the bundle's threads to end.
const THREADS: Duration = Duration::from_millis(250);

/// How long an unload waits for readers that happen to be pinned, when nobody else is known to hold the code.
const READERS: Duration = Duration::from_millis(5);

impl Runtime {
    /// Unloads a bundle: from now on it is not found, its handles are stale, and its proxies answer
    /// [`CallError::Unloaded`](crate::CallError::Unloaded).
    ///
    /// Calls that are running finish. The code goes when nobody can run it any more, which the report tells.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::BundleNotLoaded`], [`RuntimeError::Busy`], [`RuntimeError::DependencyInUse`] when another bundle
    /// declares to need what only this one provides, or what the bundle's loader reports; then the bundle is unloaded
    /// all the same.
    pub fn unload_bundle(&self, id: BundleId) -> Result<UnloadReport, RuntimeError> {
        self.unload_among(id, &[])
    }

    /// As [`unload_bundle`](Self::unload_bundle), where those that are `going` as well need not be asked.
    fn unload_among(&self, id: BundleId, going: &[BundleId]) -> Result<UnloadReport, RuntimeError> {
        let (name, loaded) = self.begin_change(id)?;
        if let Err(error) = self.let_go(&loaded.version, &[], going) {
            self.settle(id, Some(loaded));
            return Err(error);
        }
        self.unload(id, name, loaded)
    }

    /// Unloads a bundle after all those that need it, the last loaded first.
    ///
    /// # Errors
    ///
    /// As for [`unload_bundle`](Self::unload_bundle). What was unloaded until then stays so.
    pub fn unload_bundle_cascade(&self, id: BundleId) -> Result<Vec<UnloadReport>, RuntimeError> {
        self.cascade(id, &mut Vec::new())
    }

    /// `going` are those whose dependents are being unloaded. Where bundles may be loaded before what they need, some of
    /// them may need each other.
    fn cascade(&self, id: BundleId, going: &mut Vec<BundleId>) -> Result<Vec<UnloadReport>, RuntimeError> {
        let mut reports = Vec::new();
        let loaded = self.loaded();
        going.push(id);
        if let Some(bundle) = loaded.iter().find(|loaded| loaded.version.id() == id) {
            let providers = bundle.version.providers();
            let dependents = loaded.iter().rev().filter(|other| {
                !going.contains(&other.version.id()) && providers.iter().any(|provider| needs(&other.version, provider))
            });
            let dependents: Vec<_> = dependents.map(|dependent| dependent.version.id()).collect();
            for dependent in dependents {
                match self.cascade(dependent, going) {
                    Ok(unloaded) => reports.extend(unloaded),
                    // Another dependent's cascade took it along.
                    Err(RuntimeError::BundleNotLoaded { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        going.pop();
        reports.push(self.unload_among(id, going)?);
        Ok(reports)
    }

    fn unload(&self, id: BundleId, name: String, loaded: Loaded) -> Result<UnloadReport, RuntimeError> {
        let Loaded { version, loader, .. } = loaded;
        self.events.emit(ReloadPhaseType::Unloading, id, &name, "");
        let left = Arc::downgrade(&version);
        let fate = self.watch_fate(&version);
        let outcome = self.reclaimer.collecting(|| {
            handover::withdraw(&self.store, &version);
            let outcome = match &loader {
                None => Ok(()),
                Some(loader) => guarded(&name, || loader.unload(id, self)),
            };
            self.settle(id, None);
            self.give_up(version, Arc::clone(&fate));
            outcome
        });
        let (holders, threads) =
            left.upgrade().map(|left| (holders(&left), left.threads().names())).unwrap_or_default();
        let (reclaimed, still_mapped) = match fate.get() {
            Some(still_mapped) => (still_mapped.is_none(), still_mapped.clone()),
            None => (false, None),
        };
        tracing::debug!(bundle = name, reclaimed, "unloaded");
        outcome.map(|()| UnloadReport { bundle: name, reclaimed, holders, threads, still_mapped })
    }

    /// What becomes of a version that is about to be retired: filled when its code has been taken apart, with what
    /// keeps it in memory all the same. Then everybody is told, wherever that happens.
    pub(crate) fn watch_fate(&self, version: &BundleVersion) -> Fate {
        let fate = Fate::default();
        let (told, events) = (Arc::clone(&fate), Arc::clone(&self.events));
        let (id, name) = (version.id(), version.name().to_owned());
        version.when_gone(move |still_mapped| {
            let _ = told.set(still_mapped.map(str::to_owned));
            if let Some(reason) = still_mapped {
                tracing::warn!(bundle = name, reason, "the code of a retired version stays in memory");
            }
            events.emit(ReloadPhaseType::Quiesced, id, &name, still_mapped.unwrap_or_default());
        });
        fate
    }

    /// Unloads everything, the last loaded first.
    pub(crate) fn unload_all(&self) {
        for id in self.bundle_ids().into_iter().rev() {
            let unloaded = self.begin_change(id).and_then(|(name, loaded)| self.unload(id, name, loaded));
            if let Err(error) = unloaded {
                tracing::warn!(%error, "while the runtime ends");
            }
        }
    }

    /// Gives a retired version up, remembers it if it is not gone, and pushes the collector until it is, or somebody
    /// holds it.
    pub(crate) fn give_up(&self, version: Arc<BundleVersion>, fate: Fate) {
        let left = Arc::downgrade(&version);
        let bundle = version.name().to_owned();
        version.threads().wait_until_ended(THREADS);
        drop(version);
        let deadline = Instant::now() + READERS;
        let mut pushes = 0;
        while left.strong_count() > 0
            && (pushes < EPOCH_PUSHES
                || (Instant::now() < deadline && left.upgrade().is_some_and(|left| holders(&left).is_empty())))
        {
            if pushes >= EPOCH_PUSHES {
                std::thread::yield_now();
            }
            crossbeam_epoch::pin().flush();
            pushes += 1;
        }
        let is_held = left.strong_count() > 0;
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        retired.retain(|retired| retired.fate.get().is_none());
        retired.push(Retired { bundle, version: left, fate });
        drop(retired);
        if is_held {
            self.reclaimer.push_epochs();
        }
    }

    /// Waits until all retired versions are gone, at most for `timeout`; what is still there.
    ///
    /// Collects on the calling thread: libraries are closed and engines dropped here.
    pub fn quiesce(&self, timeout: Duration) -> Vec<Lingering> {
        let deadline = Instant::now() + timeout;
        loop {
            self.reclaimer.collecting(|| crossbeam_epoch::pin().flush());
            let left = self.lingering();
            if (left.is_empty() && self.reclaimer.is_idle()) || Instant::now() >= deadline {
                return left;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Retired versions that are not gone.
    pub(crate) fn lingering(&self) -> Vec<Lingering> {
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        retired.retain(|retired| retired.fate.get().is_none());
        let left = retired.clone();
        drop(retired);
        let ours = self.reclaimer.is_taking_apart();
        let left = left.into_iter().filter_map(|Retired { bundle, version, .. }| match version.upgrade() {
            Some(version) => Some(Lingering { bundle, holders: holders(&version), threads: version.threads().names() }),
            // It goes as soon as this thread lets it.
            None if ours => None,
            // Nobody holds it, but its code is still to be taken apart.
            None => Some(Lingering { bundle, holders: Vec::new(), threads: Vec::new() }),
        });
        left.collect()
    }
}

/// Whether a bundle declares to need what `provider` provides.
fn needs(bundle: &BundleVersion, provider: &Provider) -> bool {
    let scope = bundle.context().bundle.as_ref();
    scope.is_some_and(|scope| scope.declared().iter().any(|need| need.contract_id == provider.plugin.contract_id))
}

/// Who holds a version, as far as is known.
pub(crate) fn holders(version: &BundleVersion) -> Vec<Holder> {
    let mut holders = Vec::new();
    for provider in version.providers() {
        for (site, count) in provider.holders().sites() {
            holders.push(Holder { contract: provider.plugin.contract.clone(), site, count });
        }
    }
    holders
}
