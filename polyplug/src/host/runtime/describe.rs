//! The descriptions of a runtime's bundles.

use std::sync::Arc;

use super::bundles::Loaded;
use super::info::{Adaptation, BundleInfo, PluginInfo};
use super::report::Lingering;
use super::retired::holders_of;
use super::runtime::Runtime;
use crate::contract_info::ContractInfo;
use crate::host::adapter::method_map::MethodMap;
use crate::host::bundle::reference::BundleRef;
use crate::host::observe::metrics::Metrics;
use crate::host::plugin::plugin::Plugin;
use crate::host::store::provider::Provider;

impl Runtime {
    /// Returns descriptions of all loaded bundles, in load order.
    ///
    /// ```
    /// # fn main() -> Result<(), polyplug::error::RuntimeError> {
    /// let runtime = polyplug::Runtime::builder().build()?;
    /// for bundle in runtime.bundles() {
    ///     println!("{bundle}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn bundles(&self) -> Vec<BundleInfo> {
        self.bundle_table().loaded().iter().map(|loaded| self.describe(loaded)).collect()
    }

    /// Returns the description of a loaded bundle, given by its id or its name.
    #[must_use]
    pub fn bundle(&self, bundle: impl BundleRef) -> Option<BundleInfo> {
        self.bundle_table().loaded_one(bundle.id()).map(|loaded| self.describe(&loaded))
    }

    /// Returns how often each method of each plugin was called, how often it failed, and how long the calls took. Empty unless
    /// the builder's [`metrics`](crate::runtime::RuntimeBuilder::metrics) is on.
    ///
    /// A method is there as long as code of its bundle is loaded, and a reload goes on with its counts. Calls that run while
    /// this function does may be in some numbers and not yet in others.
    ///
    /// ```
    /// # fn main() -> Result<(), polyplug::error::RuntimeError> {
    /// let runtime = polyplug::Runtime::builder().metrics(true).build()?;
    /// println!("{}", runtime.metrics());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.parts().observers.metrics()
    }

    /// Returns the versions that no longer serve and are not reclaimed yet, with the leases on them, and those that are
    /// reclaimed and whose code is still in memory, with the reason.
    ///
    /// Whether code is still in memory is measured anew, where the loader can.
    #[must_use]
    pub fn retired(&self) -> Vec<Lingering> {
        self.lingering()
    }

    /// Returns the description of a version that serves.
    pub(crate) fn describe(&self, loaded: &Loaded) -> BundleInfo {
        BundleInfo { memory: loaded.version.memory(), ..self.describe_without_memory(loaded) }
    }

    /// Returns the description of a version that serves, without the size of its memory, which takes time to measure.
    pub(crate) fn describe_without_memory(&self, loaded: &Loaded) -> BundleInfo {
        let Loaded { version, providers, loader, origin, .. } = loaded;
        BundleInfo {
            id: version.id(),
            name: version.name().to_owned(),
            version: origin.version.clone(),
            directory: origin.directory.clone(),
            loader: *loader,
            plugins: providers.iter().filter_map(|provider| self.describe_plugin(provider)).collect(),
            holders: providers.iter().flat_map(|provider| holders_of(provider)).collect(),
            threads: version.threads().names(),
            memory: 0,
        }
    }

    fn describe_plugin(&self, provider: &Provider) -> Option<PluginInfo> {
        let plugin = &provider.plugin;
        let (handle, _) = self.store().find_in(plugin.bundle, plugin.contract_id)?;
        let shared = provider.shared().is_some();
        Some(PluginInfo {
            name: plugin.name.clone(),
            version: plugin.version,
            contract: plugin.contract.clone(),
            contract_version: plugin.interface.contract_version,
            adapted: adaptations(plugin),
            handle,
            shared,
            instances: if shared { 1 } else { provider.leases().cells().len() },
            workers: plugin.engine.as_ref().map_or(1, |engine| engine.workers()),
        })
    }
}

fn adaptations(plugin: &Plugin) -> Vec<Adaptation> {
    let of_contract = |(info, map): &(&'static ContractInfo, Option<Arc<MethodMap>>)| {
        let methods: Vec<_> = map.as_ref()?.adapted().map(|number| info.methods[number].name).collect();
        (!methods.is_empty()).then(|| Adaptation { contract_version: info.version(), methods })
    };
    plugin.maps.iter().filter_map(of_contract).collect()
}
