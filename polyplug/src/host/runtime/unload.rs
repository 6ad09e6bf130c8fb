//! Unloading bundles, and waiting until their code is gone.

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use polyplug_abi::{BundleId, ReloadPhaseType};

use super::Runtime;
use super::bundles::Loaded;
use super::load::guarded;
use crate::host::error::RuntimeError;
use crate::host::provider::Provider;
use crate::host::version::BundleVersion;

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
    /// Why the system keeps the code in memory although nobody holds it.
    pub still_mapped: Option<String>,
}

/// Proxies or instances that keep a version's code loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// The contract.
    pub contract: String,
    /// Where in the source they were asked for.
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
}

impl fmt::Display for UnloadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bundle `{}` is unloaded", self.bundle)?;
        match (&self.still_mapped, self.reclaimed) {
            (Some(reason), _) => write!(f, "; {reason}"),
            (None, true) => f.write_str(" and its code is gone"),
            (None, false) => held(f, &self.holders),
        }
    }
}

impl fmt::Display for Lingering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a retired version of bundle `{}`", self.bundle)?;
        held(f, &self.holders)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.count == 1 { "y" } else { "ies" };
        write!(f, "{} prox{plural} of {} made at {}:{}", self.count, self.contract, self.site.file(), self.site.line())
    }
}

/// Who keeps the code.
fn held(f: &mut fmt::Formatter<'_>, holders: &[Holder]) -> fmt::Result {
    if holders.is_empty() {
        return f.write_str("; its code goes when calls that are running and readers have finished");
    }
    f.write_str("; its code is held by ")?;
    for (i, holder) in holders.iter().enumerate() {
        write!(f, "{}{holder}", if i == 0 { "" } else { ", " })?;
    }
    Ok(())
}

/// See [`Runtime::watch_fate`].
pub(super) type Fate = Arc<OnceLock<Option<String>>>;

/// How often an unload pushes the collector on: two epochs must pass, and each push advances one at most.
const EPOCH_PUSHES: usize = 8;

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
        let (name, loaded) = self.begin_change(id)?;
        if let Err(error) = self.check_dependents(&loaded.version, &loaded.version.providers()) {
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
        let mut reports = Vec::new();
        let loaded = self.loaded();
        if let Some(bundle) = loaded.iter().find(|loaded| loaded.version.id() == id) {
            let providers = bundle.version.providers();
            let dependents = loaded.iter().rev().filter(|other| {
                other.version.id() != id && providers.iter().any(|provider| needs(&other.version, provider))
            });
            for dependent in dependents {
                match self.unload_bundle_cascade(dependent.version.id()) {
                    Ok(unloaded) => reports.extend(unloaded),
                    // Another dependent's cascade took it along.
                    Err(RuntimeError::BundleNotLoaded { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        reports.push(self.unload_bundle(id)?);
        Ok(reports)
    }

    /// Refuses to take `vanishing` away while a loaded bundle declares to need it and nobody else provides it.
    pub(super) fn check_dependents<'a>(
        &self,
        of: &BundleVersion,
        vanishing: impl IntoIterator<Item = &'a Arc<Provider>>,
    ) -> Result<(), RuntimeError> {
        for provider in vanishing {
            if self.store.providers(provider.plugin.contract_id).len() > 1 {
                continue;
            }
            let others = self.loaded().into_iter().map(|loaded| loaded.version);
            let dependents: Vec<_> = others
                .filter(|other| other.id() != of.id() && needs(other, provider))
                .map(|other| other.name().to_owned())
                .collect();
            if !dependents.is_empty() {
                let (bundle, contract) = (of.name().to_owned(), provider.plugin.contract.clone());
                return Err(RuntimeError::DependencyInUse { bundle, contract, dependents });
            }
        }
        Ok(())
    }

    fn unload(&self, id: BundleId, name: String, loaded: Loaded) -> Result<UnloadReport, RuntimeError> {
        let Loaded { version, loader } = loaded;
        self.events.emit(ReloadPhaseType::Unloading, id, &name, "");
        let left = Arc::downgrade(&version);
        let fate = self.watch_fate(&version);
        let outcome = self.reclaimer.collecting(|| {
            self.store.invalidate_bundle(id);
            version.retire_unloaded();
            for provider in version.providers() {
                provider.holders().retire();
                for (cell, _) in provider.holders().cells() {
                    drop(cell.set(None));
                }
            }
            let outcome = match &loader {
                None => Ok(()),
                Some(loader) => guarded(&name, || loader.unload(id, self)),
            };
            self.settle(id, None);
            self.give_up(version);
            outcome
        });
        let holders = holders(&left);
        let (reclaimed, still_mapped) = match fate.get() {
            Some(still_mapped) => (still_mapped.is_none(), still_mapped.clone()),
            None => (false, None),
        };
        tracing::debug!(bundle = name, reclaimed, "unloaded");
        outcome.map(|()| UnloadReport { bundle: name, reclaimed, holders, still_mapped })
    }

    /// What becomes of a version that is about to be retired: filled when its code has been taken apart, with what
    /// keeps it in memory all the same. Then everybody is told, wherever that happens.
    pub(super) fn watch_fate(&self, version: &BundleVersion) -> Fate {
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
    pub(super) fn unload_all(&self) {
        for id in self.bundle_ids().into_iter().rev() {
            let unloaded = self.begin_change(id).and_then(|(name, loaded)| self.unload(id, name, loaded));
            if let Err(error) = unloaded {
                tracing::warn!(%error, "while the runtime ends");
            }
        }
    }

    /// Gives a retired version up, remembers it if it is not gone, and pushes the collector until it is, or somebody
    /// holds it.
    pub(super) fn give_up(&self, version: Arc<BundleVersion>) {
        let left = Arc::downgrade(&version);
        let name = version.name().to_owned();
        drop(version);
        let deadline = Instant::now() + READERS;
        let mut pushes = 0;
        while left.strong_count() > 0
            && (pushes < EPOCH_PUSHES || (Instant::now() < deadline && holders(&left).is_empty()))
        {
            if pushes >= EPOCH_PUSHES {
                std::thread::yield_now();
            }
            crossbeam_epoch::pin().flush();
            pushes += 1;
        }
        if left.strong_count() == 0 {
            return;
        }
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        retired.retain(|(_, version)| version.strong_count() > 0);
        retired.push((name, left));
        drop(retired);
        self.reclaimer.push_epochs();
    }

    /// Waits until all retired versions are gone, at most for `timeout`; what is still there.
    ///
    /// Collects on the calling thread: libraries are closed and engines dropped here.
    pub fn quiesce(&self, timeout: Duration) -> Vec<Lingering> {
        let deadline = Instant::now() + timeout;
        loop {
            self.reclaimer.collecting(|| crossbeam_epoch::pin().flush());
            let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
            retired.retain(|(_, version)| version.strong_count() > 0);
            let left = retired.clone();
            drop(retired);
            if left.is_empty() || Instant::now() >= deadline {
                let lingering = left.into_iter().map(|(bundle, version)| {
                    let holders = holders(&version);
                    Lingering { bundle, holders }
                });
                return lingering.collect();
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Whether a bundle declares to need what `provider` provides.
fn needs(bundle: &BundleVersion, provider: &Provider) -> bool {
    let scope = bundle.context().bundle.as_ref();
    scope.is_some_and(|scope| scope.dependencies.iter().any(|need| need.contract_id == provider.plugin.contract_id))
}

/// Who holds a version, as far as is known.
fn holders(version: &Weak<BundleVersion>) -> Vec<Holder> {
    let Some(version) = version.upgrade() else { return Vec::new() };
    let mut holders = Vec::new();
    for provider in version.providers() {
        for (site, count) in provider.holders().sites() {
            holders.push(Holder { contract: provider.plugin.contract.clone(), site, count });
        }
    }
    holders
}
