//! The permissions and the settings that the host gives its bundles.

use polyplug_abi::HostContractId;
use serde::Serialize;
use toml::Table;

use super::runtime::Runtime;
use crate::host::bundle::manifest::parse_contract;
use crate::host::bundle::reference::BundleRef;
use crate::host::error::runtime::RuntimeError;

impl Runtime {
    /// Restricts a bundle, given by its name or its id, to these host contracts, each given as `"name@major"`. The bundle cannot get proxies for
    /// other host contracts. Call this before the bundle is loaded: a bundle whose manifest lists another contract as
    /// needed is then refused.
    ///
    /// Each call replaces the grants of an earlier call. The new grants apply from the bundle's next look-up, and do
    /// not change proxies that the bundle has already. Without any call, a bundle may use every host contract that its
    /// manifest lists, or every host contract if the manifest lists none.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::InvalidContract`]. The grants then do not change.
    ///
    /// ```
    /// # fn main() -> Result<(), polyplug::error::RuntimeError> {
    /// # let runtime = polyplug::Runtime::builder().build()?;
    /// runtime.grant("thumbnails", ["demo.logger@1", "demo.files@2"])?;
    /// runtime.grant("statistics", [] as [&str; 0])?; // none at all
    /// # Ok(())
    /// # }
    /// ```
    pub fn grant(
        &self,
        bundle: impl BundleRef,
        contracts: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<(), RuntimeError> {
        let id = |text: &str| match parse_contract(text) {
            Ok((name, major, _)) => Ok(HostContractId::new(&name, major)),
            Err(_) => Err(RuntimeError::InvalidContract { contract: text.to_owned() }),
        };
        let granted = contracts.into_iter().map(|text| id(text.as_ref())).collect::<Result<_, _>>()?;
        self.grants().set(bundle.id(), Some(granted));
        self.bundle_table().observers.notify(); // a watcher may load bundles that lacked a grant
        Ok(())
    }

    /// Removes the restriction of [`grant`](Self::grant).
    pub fn grant_all(&self, bundle: impl BundleRef) {
        self.grants().set(bundle.id(), None);
        self.bundle_table().observers.notify(); // a watcher may load bundles that lacked a grant
    }

    /// Sets the settings of a bundle, given by its name or its id, over those in the manifest's table `[config]`. Tables are merged key by key. Any other
    /// value of the host replaces that of the manifest.
    ///
    /// `settings` is a [`toml::Table`], or a value that serialises to a table. Each call replaces the settings of an
    /// earlier call. The new settings apply from the bundle's next load or reload.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::Settings`] if `settings` is not a table, or has values that TOML cannot represent. The settings
    /// then do not change.
    ///
    /// ```
    /// # fn main() -> Result<(), polyplug::error::RuntimeError> {
    /// # let runtime = polyplug::Runtime::builder().build()?;
    /// let settings: toml::Table = toml::toml! {
    ///     [limits]
    ///     max_lines = 10_000
    /// };
    /// runtime.configure("journal", settings)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn configure(&self, bundle: impl BundleRef, settings: impl Serialize) -> Result<(), RuntimeError> {
        let id = bundle.id();
        let refused = |reason| {
            let name = bundle.name().map(str::to_owned).or_else(|| self.bundle_table().name(id));
            RuntimeError::Settings { bundle: name.unwrap_or_else(|| id.to_string()), reason }
        };
        let settings = Table::try_from(settings).map_err(|error| refused(error.to_string()))?;
        // Converts the table to a table once more, as serialising has turned dates and times into tables.
        let settings: Table = settings.try_into().map_err(|error: toml::de::Error| refused(error.to_string()))?;
        self.config_overrides().set(id, settings);
        Ok(())
    }
}
