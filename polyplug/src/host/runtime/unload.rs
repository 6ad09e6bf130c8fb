//! The unload of bundles, and the wait until their code is reclaimed.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use polyplug_abi::BundleId;

use super::bundles::Loaded;
use super::event::{EventKind, Operation};
use super::guard::guarded;
use super::report::{Lingering, UnloadReport};
use super::retired::Retired;
use super::runtime::Runtime;
use crate::host::abi::log::report;
use crate::host::bundle::reference::{BundleRef, Named};
use crate::host::error::runtime::RuntimeError;
use crate::host::store::provider::Provider;
use crate::host::store::publish;
use crate::host::version::unload::runs_functions;
use crate::host::version::version::BundleVersion;

/// The number of times that an unload pushes the collector: two epochs must pass, and a push advances at most one.
const EPOCH_PUSHES: usize = 8;

/// The time for which an unload waits until the bundle's threads have ended.
const THREADS: Duration = Duration::from_millis(250);

/// The time for which an unload waits for readers with a pin on other threads, if no lease on the code is known. Most
/// pins last for microseconds, unless the system lets another thread run meanwhile.
const READERS: Duration = Duration::from_millis(100);

/// The time for which an unload waits until another thread has reclaimed the version.
const RECLAIMING: Duration = Duration::from_millis(250);

impl Runtime {
    /// Unloads a bundle, which is given by its id or its name. From now on look-ups do not find it, its handles are stale, and calls of its proxies fail with
    /// [`CallError::Unloaded`](crate::CallError::Unloaded).
    ///
    /// Running calls finish. The code is reclaimed when no thread can run it any more. The report says whether that has
    /// happened already.
    ///
    /// # Errors
    ///
    /// - [`RuntimeError::BundleNotLoaded`].
    /// - [`RuntimeError::Busy`]: the wait for another change of the bundle would never end.
    /// - [`RuntimeError::DependencyInUse`]: another bundle declares to need a contract that only this bundle provides.
    /// - [`RuntimeError::Loader`]: the bundle's loader reports an error. The bundle is unloaded all the same.
    pub fn unload_bundle(&self, bundle: impl BundleRef) -> Result<UnloadReport, RuntimeError> {
        self.unload_among(Named::of(&bundle), &[])
    }

    /// Unloads a bundle as [`unload_bundle`](Self::unload_bundle) does, but ignores the needs of the bundles in
    /// `also_unloading`.
    fn unload_among(&self, bundle: Named<'_>, also_unloading: &[BundleId]) -> Result<UnloadReport, RuntimeError> {
        self.outside_engines(|| self.unload_outside(bundle, also_unloading))
    }

    /// Does the work of [`unload_among`](Self::unload_among) on a thread that is outside of all engines.
    fn unload_outside(&self, bundle: Named<'_>, also_unloading: &[BundleId]) -> Result<UnloadReport, RuntimeError> {
        let id = bundle.id;
        let (name, loaded) = self.bundle_table().begin_change(bundle)?;
        self.unload_if_unneeded(id, name, loaded, also_unloading)
    }

    /// Unloads a bundle whose change has begun, unless other bundles need it.
    #[cfg(feature = "watch")]
    pub(crate) fn unload_begun(
        &self,
        id: BundleId,
        name: String,
        loaded: Loaded,
    ) -> Result<UnloadReport, RuntimeError> {
        self.unload_if_unneeded(id, name, loaded, &[])
    }

    fn unload_if_unneeded(
        &self,
        id: BundleId,
        name: String,
        loaded: Loaded,
        also_unloading: &[BundleId],
    ) -> Result<UnloadReport, RuntimeError> {
        if let Err(error) = self.dependents().commit_removal(&loaded, &[], also_unloading) {
            self.emit_failed(Operation::Unload, || self.describe(&loaded), &error);
            self.bundle_table().finish_change(id, Some(loaded));
            return Err(error);
        }
        self.unload(id, name, loaded)
    }

    /// Unloads a bundle after all bundles that need it, the last loaded first.
    ///
    /// # Errors
    ///
    /// The errors of [`unload_bundle`](Self::unload_bundle). Bundles that were unloaded before the error stay unloaded.
    pub fn unload_bundle_cascade(&self, bundle: impl BundleRef) -> Result<Vec<UnloadReport>, RuntimeError> {
        self.cascade(Named::of(&bundle), &mut Vec::new())
    }

    /// Unloads a bundle and its dependents. `also_unloading` are the bundles whose dependents are being unloaded. In a
    /// relaxed runtime, bundles may need each other.
    fn cascade(&self, named: Named<'_>, also_unloading: &mut Vec<BundleId>) -> Result<Vec<UnloadReport>, RuntimeError> {
        let id = named.id;
        let mut reports = Vec::new();
        also_unloading.push(id);
        let loaded = self.bundle_table().loaded();
        if let Some(bundle) = loaded.iter().find(|loaded| loaded.version.id() == id) {
            let dependents = loaded.iter().rev().filter(|other| {
                let needed = bundle.providers.iter().any(|provider| needs(&other.version, provider));
                needed && !also_unloading.contains(&other.version.id())
            });
            let dependents: Vec<_> = dependents.map(|dependent| dependent.version.id()).collect();
            drop(loaded); // its leases would keep the versions that are unloaded now
            for dependent in dependents {
                match self.cascade(dependent.into(), also_unloading) {
                    Ok(unloaded) => reports.extend(unloaded),
                    // The cascade of another dependent has unloaded this one.
                    Err(RuntimeError::BundleNotLoaded { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        also_unloading.pop();
        reports.push(self.unload_among(named, also_unloading)?);
        Ok(reports)
    }

    fn unload(&self, id: BundleId, name: String, loaded: Loaded) -> Result<UnloadReport, RuntimeError> {
        self.emit(Operation::Unload, || self.describe(&loaded), EventKind::Unloading);
        let retired = self.track_reclaim(&loaded, Operation::Unload);
        let report = |reclaimed| {
            let (bundle, holders, threads) = (name.clone(), retired.holders(), retired.threads());
            UnloadReport { id, bundle, reclaimed, holders, threads, still_mapped: None }
        };
        let outcome = self.reclaimer().collecting(|| {
            publish::retire_version(self.store(), &loaded.lineage, &loaded.version, &loaded.providers);
            let outcome = match loaded.loader.and_then(|loader| self.loader(loader).ok()) {
                None => Ok(()),
                Some(loader) => guarded(&name, || loader.unload(id, self)),
            };
            let about = || retired.about().clone();
            if let Err(error) = &outcome {
                self.emit_failed(Operation::Unload, about, error);
            }
            // Emitted before another thread can load a bundle of this name, so that events come in the order of the
            // changes.
            self.emit(Operation::Unload, about, EventKind::Unloaded(report(false)));
            self.bundle_table().finish_change(id, None);
            self.retire(loaded, &retired);
            outcome
        });
        self.await_reclaim(&retired);
        let (reclaimed, remains) = match retired.status() {
            Some(remains) => (remains.is_none(), remains.clone()),
            None => (false, None),
        };
        let mut report = report(reclaimed);
        if let Some(remains) = remains {
            report.threads.extend(remains.threads);
            report.still_mapped = Some(remains.reason);
        }
        retired.emit_held(&self.parts().events);
        tracing::debug!(bundle = name, reclaimed, "unloaded");
        outcome.map(|()| report)
    }

    /// Makes the record of a version that `operation` is about to retire. When the version is reclaimed, on any thread,
    /// that is recorded there, and the event is emitted.
    pub(crate) fn track_reclaim(&self, loaded: &Loaded, operation: Operation) -> Retired {
        let events = Arc::clone(&self.parts().events);
        let about = if events.is_empty() { self.describe_without_memory(loaded) } else { self.describe(loaded) };
        let retired = Retired::new(loaded, about, operation);
        loaded.version.when_gone(retired.when_gone(events));
        retired
    }

    /// Unloads all bundles, the last loaded first.
    fn unload_all(&self) {
        for id in self.bundle_ids().into_iter().rev() {
            let begun = self.bundle_table().begin_change(id);
            if let Err(error) = begun.and_then(|(name, loaded)| self.unload(id, name, loaded)) {
                report!(WARN, "while the runtime ends: {error}");
            }
        }
    }

    /// Waits until a version is reclaimed that another thread is reclaiming: the runtime's own thread takes the queued
    /// resources too. Does not wait for a version that is held.
    pub(crate) fn await_reclaim(&self, retired: &Retired) {
        if !retired.is_held() {
            self.reclaimer().wait_for_others(RECLAIMING, || retired.status().is_some());
        }
    }

    /// Drops a version that no longer serves, and pushes the collector until no lease on the version exists. Stops
    /// after [`EPOCH_PUSHES`] pushes, but not before [`READERS`] has passed if no lease is known and this thread holds
    /// no pin itself. Keeps `retired`, the version's record.
    pub(crate) fn retire(&self, loaded: Loaded, retired: &Retired) {
        loaded.version.threads().wait_until_ended(THREADS);
        drop(loaded);
        // A pin of this thread ends after this function only.
        let wait = if crossbeam_epoch::is_pinned() { Duration::ZERO } else { READERS };
        let deadline = Instant::now() + wait;
        let mut pushes = 0;
        while retired.is_held()
            && (pushes < EPOCH_PUSHES || (Instant::now() < deadline && retired.holders().is_empty()))
        {
            if pushes >= EPOCH_PUSHES {
                std::thread::yield_now();
            }
            crossbeam_epoch::pin().flush();
            pushes += 1;
        }
        let is_held = retired.is_held();
        self.retired_list().push(retired.clone());
        self.forget_gone();
        if is_held {
            self.reclaimer().push_epochs();
        }
    }

    /// Returns the records of retired versions, some of which may be gone.
    fn retired_list(&self) -> MutexGuard<'_, Vec<Retired>> {
        self.retired_versions().lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops the records of versions that are gone. Returns the others.
    fn forget_gone(&self) -> Vec<Retired> {
        let all = self.retired_list().clone();
        // Without the lock, as loaders measure.
        let (gone, there): (Vec<_>, Vec<_>) = all.into_iter().partition(Retired::is_gone);
        self.retired_list().retain(|retired| !gone.iter().any(|other| other.is_same(retired)));
        there
    }

    /// Waits until all retired versions are reclaimed, at most for `timeout`. Returns the versions that are not. Does not
    /// wait for code that stays in memory though its version is reclaimed: see [`retired`](Self::retired).
    ///
    /// Reclaims on the calling thread, which closes libraries and drops engines.
    pub fn quiesce(&self, timeout: Duration) -> Vec<Lingering> {
        self.outside_engines(|| self.quiesce_outside(timeout))
    }

    /// Does the work of [`quiesce`](Self::quiesce) on a thread that is outside of all engines.
    fn quiesce_outside(&self, timeout: Duration) -> Vec<Lingering> {
        let deadline = Instant::now() + timeout;
        loop {
            self.reclaimer().collecting(|| crossbeam_epoch::pin().flush());
            let mut lingering = self.lingering();
            lingering.retain(|version| version.still_mapped.is_none());
            // The thread that reclaims waits for this one if this one runs functions for an unload.
            let is_idle = self.reclaimer().is_idle() || runs_functions();
            if (lingering.is_empty() && is_idle) || Instant::now() >= deadline {
                return lingering;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Returns the reports of the retired versions that are not reclaimed, or whose code stays in memory.
    pub(crate) fn lingering(&self) -> Vec<Lingering> {
        let retired = self.forget_gone();
        // A version without a lease is still to be reclaimed. If this thread reclaims, it does so once this call has
        // returned.
        let ours = self.reclaimer().is_reclaiming() || runs_functions();
        let is_listed = |retired: &&Retired| retired.is_held() || retired.status().is_some() || !ours;
        retired.iter().filter(is_listed).map(Retired::lingering).collect()
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.outside_engines(|| self.unload_all());
        // A bundle that could not be unloaded, because its change never ended, is dropped with the runtime: this ends
        // the cycle of its lineage and its providers.
        for lineage in self.bundle_table().map_loaded(|loaded| Arc::clone(&loaded.lineage)) {
            lineage.clear();
        }
    }
}

/// Returns whether a bundle declares to need what `provider` provides.
fn needs(bundle: &BundleVersion, provider: &Provider) -> bool {
    bundle.scope().declared().iter().any(|need| need.contract_id == provider.plugin.contract_id)
}
