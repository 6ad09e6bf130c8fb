//! What the host allows its bundles, and sets for them.

use polyplug_abi::{BundleId, HostContractId};
use serde::Serialize;
use toml::Table;

use super::runtime::Runtime;
use crate::host::bundle::manifest::parse_contract;
use crate::host::error::runtime::RuntimeError;

impl Runtime {
    /// Restricts a bundle to these host contracts, `"name@major"`: others do not resolve for it. Best done before the
    /// bundle is loaded; a bundle whose manifest lists another one as needed is then refused.
    ///
    /// Each call replaces what an earlier one granted to the bundle, and counts from its next look-up; proxies that it
    /// has stay. Without any call a bundle may use all host contracts, of those that its manifest lists if it lists any.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::InvalidContract`]; then nothing changes.
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
        bundle: &str,
        contracts: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<(), RuntimeError> {
        let id = |text: &str| match parse_contract(text) {
            Ok((name, major, _)) => Ok(HostContractId::new(&name, major)),
            Err(_) => Err(RuntimeError::InvalidContract { contract: text.to_owned() }),
        };
        let granted = contracts.into_iter().map(|text| id(text.as_ref())).collect::<Result<_, _>>()?;
        self.grants().set(BundleId::new(bundle), Some(granted));
        Ok(())
    }

    /// Takes the restriction of [`grant`](Self::grant) back.
    pub fn grant_all(&self, bundle: &str) {
        self.grants().set(BundleId::new(bundle), None);
    }

    /// Sets what a bundle finds in its settings, over what its manifest says under `[config]`. Tables are merged, key by
    /// key; everything else of the host's takes the place of the manifest's.
    ///
    /// `settings` is a [`toml::Table`], or anything that serialises to one. Each call replaces what an earlier one set for
    /// the bundle. It counts from the bundle's next load or reload.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::Settings`] when `settings` is no table, or has what TOML does not; then nothing changes.
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
    pub fn configure(&self, bundle: &str, settings: impl Serialize) -> Result<(), RuntimeError> {
        let refused = |reason| RuntimeError::Settings { bundle: bundle.to_owned(), reason };
        let settings = Table::try_from(settings).map_err(|error| refused(error.to_string()))?;
        // To the same type: serialising takes dates and times apart, and this puts them together.
        let settings: Table = settings.try_into().map_err(|error: toml::de::Error| refused(error.to_string()))?;
        self.config_overrides().set(BundleId::new(bundle), settings);
        Ok(())
    }
}
