//! Unloading bundles, and waiting until their code is gone.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use polyplug_abi::{BundleId, ReloadPhaseType};

use super::bundles::Loaded;
use super::guard::guarded;
use super::report::{Lingering, UnloadReport};
use super::retired::{ReclaimStatus, Retired};
use super::runtime::Runtime;
use crate::host::error::runtime::RuntimeError;
use crate::host::store::provider::Provider;
use crate::host::store::publish;
use crate::host::version::version::BundleVersion;

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

    /// As [`unload_bundle`](Self::unload_bundle), where the bundles in `also_unloading` are not asked.
    fn unload_among(&self, id: BundleId, also_unloading: &[BundleId]) -> Result<UnloadReport, RuntimeError> {
        let (name, loaded) = self.bundle_table().begin_change(id)?;
        if let Err(error) = self.dependents().commit_removal(&loaded, &[], also_unloading) {
            self.bundle_table().finish_change(id, Some(loaded));
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

    /// Unloads a bundle and its dependents. `also_unloading` are the bundles whose dependents are being unloaded. Where bundles
    /// may be loaded before what they need, some of them may need each other.
    fn cascade(&self, id: BundleId, also_unloading: &mut Vec<BundleId>) -> Result<Vec<UnloadReport>, RuntimeError> {
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
                match self.cascade(dependent, also_unloading) {
                    Ok(unloaded) => reports.extend(unloaded),
                    // Another dependent's cascade took it along.
                    Err(RuntimeError::BundleNotLoaded { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        also_unloading.pop();
        reports.push(self.unload_among(id, also_unloading)?);
        Ok(reports)
    }

    fn unload(&self, id: BundleId, name: String, loaded: Loaded) -> Result<UnloadReport, RuntimeError> {
        self.parts().events.emit(ReloadPhaseType::Unloading, id, &name, "");
        let status = self.track_reclaim(&loaded.version);
        let retired = Retired::new(&loaded, status);
        let outcome = self.reclaimer().collecting(|| {
            publish::retire_version(self.store(), &loaded.lineage, &loaded.version, &loaded.providers);
            let outcome = match loaded.loader.and_then(|loader| self.loader(loader).ok()) {
                None => Ok(()),
                Some(loader) => guarded(&name, || loader.unload(id, self)),
            };
            self.bundle_table().finish_change(id, None);
            self.retire(loaded, &retired);
            outcome
        });
        let (holders, threads) = (retired.holders(), retired.threads());
        let (reclaimed, still_mapped) = match retired.status() {
            Some(still_mapped) => (still_mapped.is_none(), still_mapped.clone()),
            None => (false, None),
        };
        tracing::debug!(bundle = name, reclaimed, "unloaded");
        outcome.map(|()| UnloadReport { bundle: name, reclaimed, holders, threads, still_mapped })
    }

    /// Has everybody told when the code of a version that is about to be retired has been taken apart, wherever that
    /// happens. Returns where that is noted.
    pub(crate) fn track_reclaim(&self, version: &BundleVersion) -> ReclaimStatus {
        let status = ReclaimStatus::default();
        let (noted, events) = (Arc::clone(&status), Arc::clone(&self.parts().events));
        let (id, name) = (version.id(), version.name().to_owned());
        version.when_gone(move |still_mapped| {
            let _ = noted.set(still_mapped.map(str::to_owned));
            if let Some(reason) = still_mapped {
                tracing::warn!(bundle = name, reason, "the code of a retired version stays in memory");
            }
            events.emit(ReloadPhaseType::Quiesced, id, &name, still_mapped.unwrap_or_default());
        });
        status
    }

    /// Unloads everything, the last loaded first.
    fn unload_all(&self) {
        for id in self.bundle_ids().into_iter().rev() {
            let begun = self.bundle_table().begin_change(id);
            if let Err(error) = begun.and_then(|(name, loaded)| self.unload(id, name, loaded)) {
                tracing::warn!(%error, "while the runtime ends");
            }
        }
    }

    /// Gives up a version that no longer serves, of which `retired` is the record. Remembers the record if the version is
    /// not gone, and pushes the collector until it is, or somebody holds it.
    pub(crate) fn retire(&self, loaded: Loaded, retired: &Retired) {
        loaded.version.threads().wait_until_ended(THREADS);
        drop(loaded);
        let deadline = Instant::now() + READERS;
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
        self.with_retired(|all| all.push(retired.clone()));
        if is_held {
            self.reclaimer().push_epochs();
        }
    }

    /// Runs `body` on the retired versions that are not known to be gone.
    fn with_retired<R>(&self, body: impl FnOnce(&mut Vec<Retired>) -> R) -> R {
        let mut all = self.retired_versions().lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|retired| retired.status().is_none());
        body(&mut all)
    }

    /// Waits until all retired versions are gone, at most for `timeout`; what is still there.
    ///
    /// Collects on the calling thread: libraries are closed and engines dropped here.
    pub fn quiesce(&self, timeout: Duration) -> Vec<Lingering> {
        let deadline = Instant::now() + timeout;
        loop {
            self.reclaimer().collecting(|| crossbeam_epoch::pin().flush());
            let left = self.lingering();
            if (left.is_empty() && self.reclaimer().is_idle()) || Instant::now() >= deadline {
                return left;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Returns the retired versions that are not gone.
    pub(crate) fn lingering(&self) -> Vec<Lingering> {
        let left = self.with_retired(|all| all.clone());
        // What nobody holds is still to be taken apart; if by this thread, then as soon as this call lets it.
        let ours = self.reclaimer().is_reclaiming();
        left.iter().filter(|retired| retired.is_held() || !ours).map(Retired::lingering).collect()
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.unload_all();
        // A bundle that could not be unloaded, because its change never ended, goes with the runtime all the same.
        for lineage in self.bundle_table().map_loaded(|loaded| Arc::clone(&loaded.lineage)) {
            lineage.clear();
        }
    }
}

/// Returns whether a bundle declares to need what `provider` provides.
fn needs(bundle: &BundleVersion, provider: &Provider) -> bool {
    bundle.scope().declared().iter().any(|need| need.contract_id == provider.plugin.contract_id)
}
