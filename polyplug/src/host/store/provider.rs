//! A plugin of a loaded bundle, with its table, its factory and its instances.

use std::ptr::NonNull;
use std::sync::{Arc, OnceLock};

use crossbeam_epoch::Guard;
use polyplug_abi::{AbiErrorCode, GuestContractInstance, HostApi, PluginFlags};

use super::call_target::CallTarget;
use super::entry_tables::{Entries, EntryTables};
use super::instances::LeaseRegistry;
use crate::call_error::{CallError, Callee, Failure};
use crate::contract_info::ContractInfo;
use crate::host::abi::arena;
use crate::host::abi::table::HostTable;
use crate::host::error::runtime::RuntimeError;
use crate::host::plugin::contract_check;
use crate::host::plugin::instance::SharedInstance;
use crate::host::plugin::plugin::Plugin;
use crate::host::version::lineage::Lineage;
use crate::host::version::version::BundleVersion;
use crate::proxy::ProxyParts;
use crate::schema::plan::Plan;

/// A plugin that serves.
pub(crate) struct Provider {
    pub(crate) plugin: Plugin,
    /// The lease on the plugin's code. Absent in a store without a runtime.
    pub(crate) version: Option<Arc<BundleVersion>>,
    /// The lineage of the bundle: the providers that serve now.
    lineage: Arc<Lineage<Arc<Provider>>>,
    /// The one instance of a stateless plugin or a singleton. The version destroys the instance.
    shared: Option<CallTarget>,
    tables: EntryTables,
    plan: OnceLock<Arc<Plan>>,
    leases: LeaseRegistry,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Plugin { name, contract, interface, .. } = &self.plugin;
        let version = interface.contract_version;
        write!(f, "{name}, {contract}@{}.{}", version.major, version.minor)?;
        match self.bundle_name() {
            "" => Ok(()),
            bundle => write!(f, " of bundle `{bundle}`"),
        }
    }
}

impl Provider {
    /// Makes a provider without a version, for a store without a runtime.
    pub(crate) fn bare(plugin: Plugin) -> Self {
        Self::new(plugin, None, Arc::default(), None)
    }

    /// Makes a provider of `version`. Makes the shared instance of a stateless plugin or a singleton with `create`.
    pub(crate) fn start(
        plugin: Plugin,
        version: &Arc<BundleVersion>,
        lineage: &Arc<Lineage<Arc<Self>>>,
        create: impl FnOnce(&Plugin, *const HostApi) -> Result<GuestContractInstance, String>,
    ) -> Result<Self, String> {
        let mut shared = None;
        if plugin.flags.contains(PluginFlags::STATELESS) || plugin.flags.contains(PluginFlags::SINGLETON) {
            let instance = create(&plugin, version.table().as_ptr())?;
            let table = version.table().clone();
            // SAFETY: the instance is reached through providers only, and each provider holds the version. The version
            // therefore destroys the instance after the last use, and before it closes its modules.
            version.keep_instance(unsafe { SharedInstance::new(Arc::clone(&plugin.interface), table, instance) });
            shared = Some(CallTarget::new(&plugin.interface, instance));
        }
        Ok(Self::new(plugin, Some(Arc::clone(version)), Arc::clone(lineage), shared))
    }

    fn new(
        plugin: Plugin,
        version: Option<Arc<BundleVersion>>,
        lineage: Arc<Lineage<Arc<Self>>>,
        shared: Option<CallTarget>,
    ) -> Self {
        let (tables, plan, leases) = (EntryTables::default(), OnceLock::new(), LeaseRegistry::default());
        Self { plugin, version, lineage, shared, tables, plan, leases }
    }

    pub(crate) fn leases(&self) -> &LeaseRegistry {
        &self.leases
    }

    /// Returns whether the provider's version serves.
    pub(crate) fn is_current(&self) -> bool {
        self.version.as_ref().is_some_and(|version| version.is_current())
    }

    /// Returns the provider that serves in place of this one.
    ///
    /// # Errors
    ///
    /// [`CallError::Unloaded`] if the bundle is unloaded or no longer has the plugin. An unload is final, even if a
    /// bundle of the same name has been loaded since.
    pub(crate) fn successor<'g>(&self, guard: &'g Guard) -> Result<&'g Arc<Self>, CallError> {
        let serving = self.lineage.serving(guard).iter();
        let mut same = serving.filter(|provider| provider.plugin.contract_id == self.plugin.contract_id);
        same.next().ok_or_else(|| self.unloaded())
    }

    /// Returns the parts of a proxy for contract `info` and an instance of this provider.
    #[inline(always)]
    pub(crate) fn parts(&self, info: &'static ContractInfo, target: &CallTarget) -> Result<ProxyParts, RuntimeError> {
        let entries = self.entries(info)?;
        let version = self.started_version();
        let (revision, host) = (NonNull::from(version.revision()), version.table().api());
        let (functions, instance) = (entries.start, target.instance(entries));
        Ok(ProxyParts { revision, functions, instance, host, arenas: &arena::GUARDED, info })
    }

    pub(crate) fn shared(&self) -> Option<&CallTarget> {
        self.shared.as_ref()
    }

    /// Makes an instance with the plugin's factory.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::Factory`] if the factory fails, or [`RuntimeError::NoSchema`] if the provider has no version and
    /// thereby no host table for the factory.
    pub(crate) fn create(&self) -> Result<GuestContractInstance, RuntimeError> {
        let Some(version) = &self.version else {
            return Err(contract_check::no_schema(&self.plugin, self.bundle_name()));
        };
        self.plugin.create(version.table().as_ptr()).map_err(|reason| self.factory_failed(reason))
    }

    /// Returns the host's table for the plugin's code.
    ///
    /// # Panics
    ///
    /// If the provider has no version.
    pub(crate) fn table(&self) -> &HostTable {
        self.started_version().table()
    }

    fn started_version(&self) -> &BundleVersion {
        self.version.as_ref().expect("a runtime's providers have a version")
    }

    /// Returns the entries of this provider, one for each of `info`'s methods, in the order of `info`.
    ///
    /// # Errors
    ///
    /// The provider has no schema, or implements another contract than `info`.
    #[inline]
    fn entries(&self, info: &'static ContractInfo) -> Result<Entries<'_>, RuntimeError> {
        match self.tables.first(info) {
            Some(entries) => Ok(entries),
            None => self.tables.find_or_make(info, &self.plugin, self.bundle_name(), self.table()),
        }
    }

    /// Returns the layout of the values of dynamic calls, compiled from the schema on first use.
    pub(crate) fn plan(&self) -> Result<Arc<Plan>, RuntimeError> {
        if let Some(plan) = self.plan.get() {
            return Ok(Arc::clone(plan));
        }
        let Some(described) = &self.plugin.schema else {
            return Err(contract_check::no_schema(&self.plugin, self.bundle_name()));
        };
        Ok(Arc::clone(self.plan.get_or_init(|| Arc::new(Plan::new(described.schema())))))
    }

    pub(crate) fn bundle_name(&self) -> &str {
        self.version.as_ref().map_or("", |version| version.name())
    }

    /// Returns the callee of calls of this provider, for errors.
    pub(crate) fn callee(&self) -> Callee {
        Callee::Bundle(self.bundle_name().to_owned())
    }

    /// Returns the error of calls after the bundle was unloaded.
    pub(crate) fn unloaded(&self) -> CallError {
        CallError::unloaded(self.bundle_name())
    }

    /// Returns the error of calls of an instance that a reload has missed, and that the new version could not make.
    pub(crate) fn not_forwarded(&self, error: &RuntimeError) -> CallError {
        let message = format!("the bundle was reloaded, and its new version has no such instance: {error}");
        let failure = Failure::new(self.callee(), String::new(), message);
        CallError::Failed { code: AbiErrorCode::FactoryFailed as u32, failure }
    }

    /// Returns the error of an instance that could not be made.
    pub(crate) fn factory_failed(&self, reason: String) -> RuntimeError {
        RuntimeError::Factory { bundle: self.bundle_name().to_owned(), plugin: self.plugin.name.clone(), reason }
    }
}
