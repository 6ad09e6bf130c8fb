//! Replacing a bundle's version while it serves.
//!
//! A transaction: the new version is loaded beside the old one, checked, and given the state of the instances that
//! are held; only then does it appear, all at once. Whatever fails before that leaves the old version untouched.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use polyplug_abi::{BundleId, GuestContractId, HostApi, ReloadPhaseType, Version};

use super::Runtime;
use super::bundles::Loaded;
use super::load::scope_of;
use crate::host::error::RuntimeError;
use crate::host::instances::{Cell, Incarnation};
use crate::host::loader::{BundleLoader, ManifestData};
use crate::host::private_copy::PrivateCopy;
use crate::host::provider::{Plugin, Provider};
use crate::host::version::BundleVersion;

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

/// What a successful preparation yields.
struct Prepared {
    version: Arc<BundleVersion>,
    providers: Vec<Arc<Provider>>,
    /// The next incarnation of each instance that is held.
    next: Vec<(Arc<Cell>, Arc<Incarnation>)>,
    report: ReloadReport,
}

impl Runtime {
    /// Loads a bundle's new version from `path`, a directory or the artifact in one, in place of the one that serves.
    ///
    /// The bundle is known by its manifest's name. Handles of contracts that the new version still provides stay
    /// valid. Calls that are running finish on the code they started on; proxies find the new version by themselves.
    /// Waits while another thread changes the same bundle.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::HotReloadDisabled`] unless hot reload is on and the bundle's loader can do it,
    /// [`RuntimeError::BundleNotLoaded`], and everything that can befall a load. The old version then serves on.
    pub fn reload_bundle(&self, path: &Path) -> Result<ReloadReport, RuntimeError> {
        let disabled = |reason: String| Err(RuntimeError::HotReloadDisabled { reason });
        if !self.config.hot_reload_enabled {
            return disabled("switch it on with `Runtime::builder().hot_reload(true)`".to_owned());
        }
        let mut manifest = ManifestData::read(path)?;
        let loader = self.loader_of(&manifest)?;
        if !loader.supports_hot_reload() {
            let (loader, bundle) = (loader.loader_name(), &manifest.name);
            return disabled(format!(
                "the loader `{loader}` cannot reload: unload bundle `{bundle}` and load it again"
            ));
        }
        let (id, (name, old)) = (manifest.id, self.begin_change(manifest.id)?);
        self.events.emit(ReloadPhaseType::Preparing, id, &name, "");
        let mut fate = None;
        let outcome = self.reclaimer.collecting(|| {
            let prepared = manifest
                .find_artifact()
                .map_err(RuntimeError::from)
                .and_then(|()| self.prepare(&mut manifest, &loader, &old.version));
            match prepared {
                Ok(prepared) => {
                    fate = Some(self.watch_fate(&old.version));
                    let report = self.switch(&old, prepared, loader);
                    let lost = match report.restarted {
                        0 => String::new(),
                        lost => format!("{lost} instances were made afresh and lost their state"),
                    };
                    self.events.emit(ReloadPhaseType::Reloaded, id, &name, &lost);
                    self.give_up(old.version);
                    Ok(report)
                }
                Err(error) => {
                    self.settle(id, Some(old));
                    Err(error)
                }
            }
        });
        match outcome {
            Ok(mut report) => {
                report.reclaimed = fate.is_some_and(|fate| matches!(fate.get(), Some(None)));
                tracing::debug!(bundle = name, restarted = report.restarted, "reloaded");
                Ok(report)
            }
            Err(error) => {
                self.events.emit(ReloadPhaseType::Failed, id, &name, &error.to_string());
                tracing::warn!(bundle = name, %error, "reload failed; the old version serves on");
                Err(error)
            }
        }
    }

    /// Everything that may fail.
    fn prepare(
        &self,
        manifest: &mut ManifestData,
        loader: &Arc<dyn BundleLoader>,
        old: &Arc<BundleVersion>,
    ) -> Result<Prepared, RuntimeError> {
        let version = self.new_version(scope_of(manifest), Arc::clone(old.life()));
        let copy = PrivateCopy::make(manifest)?;
        let original = std::mem::replace(&mut manifest.path, copy.path().to_owned());
        version.keep_module(Box::new(copy));
        let before: HashMap<GuestContractId, Arc<Provider>> =
            old.providers().into_iter().map(|provider| (provider.plugin.contract_id, provider)).collect();

        let providers = self
            .start(
                &version,
                Some(&original),
                || loader.reload(manifest, self),
                |plugin, host| {
                    let predecessor = before.get(&plugin.contract_id);
                    let shared = predecessor.and_then(|provider| Some((provider, provider.shared()?.raw())));
                    match shared {
                        Some((provider, instance)) => {
                            succeed(&provider.plugin, instance, plugin, host).map(|(next, _)| next)
                        }
                        None => plugin.create(host),
                    }
                },
            )
            .map_err(|error| error.at_original(&manifest.path, Some(&original)))?;
        let provided = |contract: &GuestContractId| providers.iter().any(|new| new.plugin.contract_id == *contract);
        let vanishing = before.iter().filter(|(contract, _)| !provided(contract)).map(|(_, provider)| provider);
        self.check_dependents(old, vanishing)?;
        for provider in &providers {
            let healthy = provider.plugin.check_health(version.context().host_api());
            healthy.map_err(|reason| provider.factory_failed(format!("it reports to be unfit: {reason}")))?;
        }

        let mut report = ReloadReport { bundle: manifest.id, migrated: 0, restarted: 0, drained: 0, reclaimed: false };
        let mut next = Vec::new();
        for provider in &providers {
            if let Some(predecessor) = before.get(&provider.plugin.contract_id) {
                carry_over(predecessor, provider, self.reload_policy, &mut next, &mut report)?;
            }
        }
        Ok(Prepared { version, providers, next, report })
    }

    /// Makes the new version serve. Cannot fail.
    fn switch(&self, old: &Loaded, prepared: Prepared, loader: Arc<dyn BundleLoader>) -> ReloadReport {
        let Prepared { version, providers, next, report } = prepared;
        let mut replaced = Vec::with_capacity(next.len());
        for (cell, incarnation) in next {
            incarnation.provider().holders().add_cell(&cell);
            replaced.push(cell.set(Some(incarnation)));
        }
        self.store.replace_bundle(report.bundle, providers);
        // Last, so that a proxy that sees the word finds the new version in the store and in its cell.
        old.version.retire_reloaded();
        for provider in old.version.providers() {
            provider.holders().retire();
        }
        drop(replaced);
        self.settle(report.bundle, Some(Loaded { version, loader: Some(loader) }));
        report
    }
}

/// The next incarnations of all instances that are held of `old`.
fn carry_over(
    old: &Arc<Provider>,
    new: &Arc<Provider>,
    policy: ReloadPolicy,
    next: &mut Vec<(Arc<Cell>, Arc<Incarnation>)>,
    report: &mut ReloadReport,
) -> Result<(), RuntimeError> {
    for (cell, held) in old.holders().cells() {
        let current = cell.get();
        let incarnation = match (&current, &held) {
            (Some(incarnation), _) => incarnation,
            (None, Some(held)) => held.incarnation(),
            (None, None) => continue,
        };
        if new.shared().is_some() {
            next.push((cell, Arc::new(Incarnation::new(Arc::clone(new))?)));
            continue;
        }
        let keeps_state = old.plugin.save.is_some() && new.plugin.restore.is_some();
        if !keeps_state && policy == ReloadPolicy::Drain {
            report.drained += 1;
            continue;
        }
        let host = new.version.as_ref().map_or(std::ptr::null(), |version| version.context().host_api());
        let (instance, migrated) =
            succeed(&old.plugin, incarnation.raw(), &new.plugin, host).map_err(|reason| new.factory_failed(reason))?;
        *(if migrated { &mut report.migrated } else { &mut report.restarted }) += 1;
        next.push((cell, Arc::new(Incarnation::of(Arc::clone(new), instance))));
    }
    Ok(())
}

/// The instance of `new` that follows `instance` of `old`, and whether it has its state.
fn succeed(
    old: &Plugin,
    instance: polyplug_abi::GuestContractInstance,
    new: &Plugin,
    host: *const HostApi,
) -> Result<(polyplug_abi::GuestContractInstance, bool), String> {
    let from: Version = old.version;
    match (old.save(instance), new.restore) {
        (Some(state), Some(_)) => {
            let state = state.map_err(|reason| format!("its state could not be saved: {reason}"))?;
            let restored = new.restore(host, &state, from);
            let restored = restored.map_err(|reason| format!("its state could not be restored: {reason}"))?;
            Ok((restored, true))
        }
        _ => new.create(host).map(|instance| (instance, false)),
    }
}
