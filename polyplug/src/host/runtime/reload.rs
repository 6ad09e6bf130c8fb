//! The replacement of a bundle's version while the bundle serves.
//!
//! A reload is a transaction. The new version is loaded beside the old one and checked, and the held instances are
//! migrated. Only then does the new version appear, all at once. An error before that leaves the old version unchanged.

use std::cell::Cell as Count;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use polyplug_abi::{BundleId, GuestContractId, HostApi, PluginFlags, Version};

use super::bundles::Loaded;
use super::event::{EventKind, Operation};
use super::load::StartedVersion;
use super::loader::BundleLoader;
use super::prepare_files::ManifestSource;
use super::report::{ReloadPolicy, ReloadReport};
use super::runtime::Runtime;
use super::time_limit::{TimeoutError, run_with_timeout};
use crate::host::abi::log::report;
use crate::host::bundle::manifest::{FILE_NAME, ManifestData};
use crate::host::bundle::source::BundleSource;
use crate::host::error::loader::LoaderError;
use crate::host::error::runtime::RuntimeError;
use crate::host::plugin::plugin::Plugin;
use crate::host::store::instances::{Forward, ForwardingCell, Transition, VersionedInstance};
use crate::host::store::provider::Provider;
use crate::host::store::publish;
use crate::host::waits::mark;

/// A new version that is ready to be published.
struct Prepared {
    started: StartedVersion,
    /// The transition of each held instance.
    next: Vec<(Arc<ForwardingCell>, Transition)>,
    report: ReloadReport,
}

impl Runtime {
    /// Replaces the version of a bundle that serves by a new version from `path`: a directory, the artifact in one, or a
    /// pack.
    ///
    /// The name in the manifest says which bundle is replaced. Handles of contracts that the new version still provides
    /// stay valid. Running calls finish on the old code, and proxies find the new version at their next call. Waits
    /// while another thread changes the same bundle.
    ///
    /// # Errors
    ///
    /// After an error the old version continues to serve.
    ///
    /// - [`RuntimeError::HotReloadDisabled`]: hot reload is off, or the bundle's loader cannot reload.
    /// - [`RuntimeError::ReloadOfUnloaded`]: the bundle that the manifest names is not loaded.
    /// - [`RuntimeError::DependencyInUse`], [`RuntimeError::DependencyLowered`]: other bundles need a contract that the
    ///   new version lacks, or has in an older version.
    /// - [`RuntimeError::Busy`]: the wait for another change of the bundle would never end, or the state of an instance
    ///   is to be saved by a VM that this thread is in, in a call of the bundle.
    /// - [`RuntimeError::ReloadTimedOut`]: the new version took too long to start.
    /// - [`RuntimeError::Factory`]: the state of an instance could not be migrated, or the new version reports to be
    ///   unfit.
    /// - The errors of [`load_bundle`](Self::load_bundle), except for [`RuntimeError::AlreadyLoaded`].
    #[inline]
    pub fn reload_bundle(&self, path: impl AsRef<Path>) -> Result<ReloadReport, RuntimeError> {
        self.reload_bundle_at(path.as_ref())
    }

    fn reload_bundle_at(&self, path: &Path) -> Result<ReloadReport, RuntimeError> {
        let mut begun = false;
        let outcome = self.reload(path, |manifest| {
            let change = match self.bundle_table().begin_change(manifest.id) {
                Err(RuntimeError::BundleNotLoaded { .. }) => Err(self.reload_of_unloaded(manifest)),
                begun => begun,
            };
            begun = change.is_ok();
            change
        });
        if let Err(error) = &outcome
            && !begun
        {
            self.emit_not_begun(path, error);
        }
        outcome
    }

    /// Returns the error of a reload whose bundle is not loaded.
    fn reload_of_unloaded(&self, manifest: &ManifestData) -> RuntimeError {
        RuntimeError::ReloadOfUnloaded {
            bundle: manifest.name.clone(),
            manifest: manifest.path.join(FILE_NAME),
            // The bundle itself may have been loaded just now.
            serving: self.loaded_from(&manifest.path).into_iter().filter(|name| *name != manifest.name).collect(),
        }
    }

    /// Returns the names of the bundles that serve and were loaded from a directory.
    fn loaded_from(&self, directory: &Path) -> Vec<String> {
        let real = |path: &Path| path.canonicalize().ok();
        let Some(directory) = real(directory) else { return Vec::new() };
        let loaded = self.bundle_table().map_loaded(|loaded| {
            let directory = loaded.origin.directory.clone();
            (loaded.version.name().to_owned(), directory)
        });
        let from_there =
            loaded.into_iter().filter(|(_, origin)| origin.as_deref().and_then(real) == Some(directory.clone()));
        from_there.map(|(name, _)| name).collect()
    }

    /// Emits the event of a reload that failed before it began: for the bundle that was to be reloaded, or for each
    /// bundle that was loaded from the same directory.
    fn emit_not_begun(&self, path: &Path, error: &RuntimeError) {
        if self.parts().events.is_empty() {
            return;
        }
        let wanted = self.describe_path(path);
        let mut serving = match &wanted.directory {
            Some(directory) => self.loaded_from(directory),
            None => Vec::new(),
        };
        if self.bundle_table().name(wanted.id).is_some() && !serving.contains(&wanted.name) {
            serving.push(wanted.name.clone());
        }
        if serving.is_empty() {
            self.emit_failed(Operation::Reload, || wanted, error);
        }
        for name in serving {
            self.emit_failed_to_begin(BundleId::new(&name), error);
        }
    }

    /// Reloads the bundle at `path`. `begin` begins the change of the bundle of a manifest.
    pub(crate) fn reload(
        &self,
        path: &Path,
        begin: impl FnOnce(&ManifestData) -> Result<(String, Loaded), RuntimeError>,
    ) -> Result<ReloadReport, RuntimeError> {
        self.outside_engines(|| self.reload_outside(path, begin))
    }

    /// Does the work of [`reload`](Self::reload) on a thread that is outside of all engines.
    fn reload_outside(
        &self,
        path: &Path,
        begin: impl FnOnce(&ManifestData) -> Result<(String, Loaded), RuntimeError>,
    ) -> Result<ReloadReport, RuntimeError> {
        if !self.config().hot_reload_enabled {
            let reason = "switch it on with `Runtime::builder().hot_reload(true)`".to_owned();
            return Err(RuntimeError::HotReloadDisabled { reason });
        }
        let manifest = ManifestData::read(path)?;
        let loader = self.loader_for_reload(&manifest)?;
        let (id, (name, old)) = (manifest.id, begin(&manifest)?);
        if saving_waits_for_this_thread(&old) {
            self.bundle_table().finish_change(id, Some(old));
            return Err(RuntimeError::Busy { bundle: name });
        }
        self.emit(Operation::Reload, || self.describe(&old), EventKind::Reloading);
        let prepared: Result<_, RuntimeError> = self.reclaimer().collecting(|| {
            let prepared = self.prepare_within_limit(manifest, &loader, &old)?;
            // Checked before, but other bundles may have been loaded meanwhile. No later step can fail.
            self.dependents().commit_removal(&old, &prepared.started.providers, &[])?;
            Ok(prepared)
        });
        match prepared {
            Ok(prepared) => Ok(self.complete(&name, old, prepared)),
            Err(error) => {
                report!(WARN, bundle = &name, "reload failed; the old version serves on: {error}");
                self.emit_failed(Operation::Reload, || self.describe(&old), &error);
                self.bundle_table().finish_change(id, Some(old));
                Err(error)
            }
        }
    }

    /// Makes the new version serve, emits the event, and retires the old version.
    fn complete(&self, name: &str, old: Loaded, prepared: Prepared) -> ReloadReport {
        let (mut report, retired) = self.reclaimer().collecting(|| {
            let retired = self.track_reclaim(&old, Operation::Reload);
            let (next, mut report) = self.switch(&old, prepared);
            (report.holders, report.threads) = (retired.holders(), retired.threads());
            // Emitted before another thread can change the bundle, so that events come in the order of the changes.
            self.emit(Operation::Reload, || self.describe(&next), EventKind::Reloaded(report.clone()));
            self.bundle_table().finish_change(report.bundle, Some(next));
            self.retire(old, &retired);
            (report, retired)
        });
        self.await_reclaim(&retired);
        (report.holders, report.threads) = (retired.holders(), retired.threads());
        if let Some(remains) = retired.status() {
            report.reclaimed = remains.is_none();
            let remains = remains.clone().unwrap_or_default();
            report.threads.extend(remains.threads);
            report.still_mapped = Some(remains.reason).filter(|_| !report.reclaimed);
        }
        retired.emit_held(&self.parts().events);
        tracing::debug!(bundle = name, restarted = report.restarted, "reloaded");
        report
    }

    /// Returns the loader of a bundle.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::HotReloadDisabled`] if the loader cannot reload.
    pub(crate) fn loader_for_reload(&self, manifest: &ManifestData) -> Result<Arc<dyn BundleLoader>, RuntimeError> {
        let loader = self.loader_of(manifest)?;
        if loader.supports_hot_reload() {
            return Ok(loader);
        }
        let (name, bundle) = (loader.loader_name(), &manifest.name);
        let reason = format!("the loader `{name}` cannot reload: unload bundle `{bundle}` and load it again");
        Err(RuntimeError::HotReloadDisabled { reason })
    }

    /// Runs [`prepare`](Self::prepare) on a thread of its own, so that code that hangs delays this thread only up to
    /// the time limit.
    fn prepare_within_limit(
        &self,
        manifest: ManifestData,
        loader: &Arc<dyn BundleLoader>,
        old: &Loaded,
    ) -> Result<Prepared, RuntimeError> {
        let bundle = manifest.name.clone();
        let runtime = self.weak().upgrade().expect("no thread reloads while the runtime is dropped");
        let (loader, old) = (Arc::clone(loader), old.clone());
        let prepare = move || {
            let prepared = runtime.prepare(manifest, &loader, &old);
            drop(old);
            runtime.release_on_reclaimer();
            prepared
        };
        let what = format!("the reload of bundle `{bundle}`");
        run_with_timeout(self.parts().reload_limit, what, prepare, || self.reclaimer().collect()).unwrap_or_else(
            |error| match error {
                TimeoutError::TimedOut => {
                    Err(RuntimeError::ReloadTimedOut { bundle, limit: self.parts().reload_limit })
                }
                TimeoutError::NoThread(error) => {
                    let reason = format!("no thread could be started for its new version: {error}");
                    Err(LoaderError::Failed { bundle, reason }.into())
                }
            },
        )
    }

    /// Runs all steps of a reload that may fail: starts the new version, checks it, and migrates the instances.
    fn prepare(
        &self,
        mut manifest: ManifestData,
        loader: &Arc<dyn BundleLoader>,
        old: &Loaded,
    ) -> Result<Prepared, RuntimeError> {
        let mut report = ReloadReport::new(&manifest.name);
        manifest.find_artifact()?;
        let source = BundleSource::Path(manifest.path.clone());
        let files = self.prepare_files(manifest, ManifestSource::Directory, source, &**loader)?;
        self.check_requirements(&files.manifest)?;
        let before: HashMap<GuestContractId, &Arc<Provider>> =
            old.providers.iter().map(|provider| (provider.plugin.contract_id, provider)).collect();

        let (migrated_count, restarted_count) = (Count::new(0), Count::new(0));
        let create = |plugin: &Plugin, host| {
            let predecessor = before.get(&plugin.contract_id);
            let Some((provider, shared)) = predecessor.and_then(|provider| Some((provider, provider.shared()?))) else {
                return plugin.create(host);
            };
            let (next, migrated) = migrate_instance(&provider.plugin, shared.raw(), plugin, host)?;
            if !provider.plugin.flags.contains(PluginFlags::STATELESS) {
                let count = if migrated { &migrated_count } else { &restarted_count };
                count.set(count.get() + 1);
            }
            Ok(next)
        };
        let run = |manifest: &ManifestData, _: &BundleSource| loader.reload(manifest, self);
        let started = self.start(files, &**loader, Arc::clone(&old.lineage), run, create)?;
        self.dependents().check_removal(old, &started.providers)?;
        for provider in &started.providers {
            let healthy = provider.plugin.check_health(started.version.host_abi());
            healthy.map_err(|reason| provider.factory_failed(format!("it reports to be unfit: {reason}")))?;
        }

        (report.migrated, report.restarted) = (migrated_count.get(), restarted_count.get());
        let mut next = Vec::new();
        for provider in &started.providers {
            if let Some(predecessor) = before.get(&provider.plugin.contract_id) {
                migrate_instances(predecessor, provider, self.parts().reload_policy, &mut next, &mut report)?;
            }
        }
        Ok(Prepared { started, next, report })
    }

    /// Publishes the new version, and records it as the one that serves under the bundle's name. Cannot fail.
    fn switch(&self, old: &Loaded, prepared: Prepared) -> (Loaded, ReloadReport) {
        let Prepared { started, next, report } = prepared;
        publish::swap_version(self.store(), &old.lineage, &old.version, &old.providers, &started.providers, next);
        let serving = started.finish();
        self.bundle_table().set_current(report.bundle, serving.clone());
        (serving, report)
    }
}

/// Returns whether the state of an instance can be saved only after this thread has returned from a call of the bundle.
/// A thread that saves the state would wait for this one, which would wait for that thread.
fn saving_waits_for_this_thread(old: &Loaded) -> bool {
    let is_used = |provider: &Provider| provider.shared().is_some() || !provider.leases().cells().is_empty();
    old.providers.iter().any(|provider| provider.plugin.saving_waits_for(mark()) && is_used(provider))
}

/// Migrates all held instances of `old` to `new`. Adds their transitions to `next`, and counts them in `report`.
fn migrate_instances(
    old: &Arc<Provider>,
    new: &Arc<Provider>,
    policy: ReloadPolicy,
    next: &mut Vec<(Arc<ForwardingCell>, Transition)>,
    report: &mut ReloadReport,
) -> Result<(), RuntimeError> {
    for (cell, held) in old.leases().cells() {
        let forward = cell.get();
        let versioned = match (&forward, &held) {
            (Forward::To(versioned), _) => versioned,
            (Forward::None, Some(held)) => held.versioned(),
            (Forward::None, None) => continue,
            (Forward::Pinned(_), _) => {
                report.drained += 1;
                next.push((cell, Transition::Drains(Arc::clone(new))));
                continue;
            }
        };
        if new.shared().is_some() {
            // An instance that the old provider shared is counted by `create` in `prepare`.
            report.restarted += usize::from(old.shared().is_none());
            next.push((cell, Transition::MovesTo(Arc::new(VersionedInstance::new(Arc::clone(new))?))));
            continue;
        }
        let keeps_state = old.plugin.can_save() && new.plugin.can_restore();
        if !keeps_state && policy == ReloadPolicy::Drain {
            report.drained += 1;
            next.push((cell, Transition::Drains(Arc::clone(new))));
            continue;
        }
        let host = new.table().as_ptr();
        let (instance, migrated) = migrate_instance(&old.plugin, versioned.raw(), &new.plugin, host)
            .map_err(|reason| new.factory_failed(reason))?;
        *(if migrated { &mut report.migrated } else { &mut report.restarted }) += 1;
        next.push((cell, Transition::MovesTo(Arc::new(VersionedInstance::of(Arc::clone(new), instance)))));
    }
    Ok(())
}

/// Makes the instance of `new` that follows `instance` of `old`. Returns the new instance, and whether its state was
/// migrated.
fn migrate_instance(
    old: &Plugin,
    instance: polyplug_abi::GuestContractInstance,
    new: &Plugin,
    host: *const HostApi,
) -> Result<(polyplug_abi::GuestContractInstance, bool), String> {
    let from: Version = old.version;
    match old.save(instance).filter(|_| new.can_restore()) {
        Some(state) => {
            let state = state.map_err(|reason| format!("its state could not be saved: {reason}"))?;
            let restored = new.restore(host, &state, from);
            let restored = restored.map_err(|reason| format!("its state could not be restored: {reason}"))?;
            Ok((restored, true))
        }
        None => new.create(host).map(|instance| (instance, false)),
    }
}
