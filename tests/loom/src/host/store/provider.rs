//! In place of `provider.rs`: providers without tables, schemas and plans. The search for a successor is repeated here.

use std::ptr::NonNull;

use crossbeam_epoch::Guard;
use polyplug::error::RuntimeError;
use polyplug::{CallError, Callee};
use polyplug_abi::GuestContractInstance;

use super::call_target::CallTarget;
use super::instances::LeaseRegistry;
use crate::contract_info::ContractInfo;
use crate::host::abi::table::HostTable;
use crate::host::code;
use crate::host::plugin::instance::SharedInstance;
use crate::host::plugin::plugin::Plugin;
use crate::host::version::lineage::Lineage;
use crate::host::version::version::BundleVersion;
use crate::proxy::ProxyParts;
use crate::sync::Arc;

pub(crate) struct Provider {
    pub(crate) plugin: Plugin,
    pub(crate) version: Option<Arc<BundleVersion>>,
    lineage: Arc<Lineage<Arc<Provider>>>,
    shared: Option<CallTarget>,
    leases: LeaseRegistry,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.plugin.name)
    }
}

impl Provider {
    pub(crate) fn bare(plugin: Plugin) -> Self {
        Self { plugin, version: None, lineage: Arc::default(), shared: None, leases: LeaseRegistry::default() }
    }

    /// Makes a provider of `version`, with one instance for all proxies if `shares`.
    pub(crate) fn start(
        plugin: Plugin,
        version: &Arc<BundleVersion>,
        lineage: &Arc<Lineage<Arc<Self>>>,
        shares: bool,
    ) -> Self {
        let shared = shares.then(|| {
            let instance = code::make(plugin.code());
            version.keep_instance(SharedInstance(instance));
            CallTarget::new(&plugin.interface, instance)
        });
        let (version, lineage) = (Some(Arc::clone(version)), Arc::clone(lineage));
        Self { plugin, version, lineage, shared, leases: LeaseRegistry::default() }
    }

    pub(crate) fn leases(&self) -> &LeaseRegistry {
        &self.leases
    }

    pub(crate) fn is_current(&self) -> bool {
        self.version.as_ref().is_some_and(|version| version.is_current())
    }

    pub(crate) fn successor<'g>(&self, guard: &'g Guard) -> Result<&'g Arc<Self>, CallError> {
        self.lineage.serving(guard).first().ok_or_else(|| self.unloaded())
    }

    pub(crate) fn parts(&self, info: &'static ContractInfo, target: &CallTarget) -> Result<ProxyParts, RuntimeError> {
        let version = self.version.as_ref().expect("a runtime's providers have a version");
        Ok(ProxyParts {
            revision: NonNull::from(version.revision()),
            functions: NonNull::dangling(),
            instance: target.raw(),
            host: NonNull::dangling(),
            info,
        })
    }

    pub(crate) fn shared(&self) -> Option<&CallTarget> {
        self.shared.as_ref()
    }

    pub(crate) fn create(&self) -> Result<GuestContractInstance, RuntimeError> {
        self.plugin.create(self.table().as_ptr()).map_err(|reason| self.factory_failed(reason))
    }

    pub(crate) fn table(&self) -> &HostTable {
        self.version.as_ref().expect("a runtime's providers have a version").table()
    }

    pub(crate) fn bundle_name(&self) -> &str {
        self.version.as_ref().map_or("", |version| version.name())
    }

    pub(crate) fn unloaded(&self) -> CallError {
        CallError::unloaded(self.bundle_name())
    }

    pub(crate) fn callee(&self) -> Callee {
        Callee::Bundle(self.bundle_name().to_owned())
    }

    pub(crate) fn not_forwarded(&self, _: &RuntimeError) -> CallError {
        self.unloaded()
    }

    pub(crate) fn factory_failed(&self, reason: String) -> RuntimeError {
        RuntimeError::Factory { bundle: self.bundle_name().to_owned(), plugin: self.plugin.name.clone(), reason }
    }
}
