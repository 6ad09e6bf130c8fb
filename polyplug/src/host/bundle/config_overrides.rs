//! Settings of bundles: what the manifest says under `[config]`, and what the host says instead.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use polyplug_abi::BundleId;
use serde::Serialize;
use toml::{Table, Value};

pub(crate) use super::config_json::text;
use crate::host::error::RuntimeError;
use crate::host::runtime::runtime::Runtime;

/// What the host has set for the bundles of one runtime.
#[derive(Default)]
pub(crate) struct Settings(Mutex<HashMap<BundleId, Table>>);

impl Settings {
    /// Puts what the host has set for a bundle over `config`.
    pub(crate) fn apply(&self, bundle: BundleId, config: &mut Table) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = all.get(&bundle) {
            merge(config, host);
        }
    }
}

impl Runtime {
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
        let all = &self.settings().0;
        all.lock().unwrap_or_else(PoisonError::into_inner).insert(BundleId::new(bundle), settings);
        Ok(())
    }
}

fn merge(under: &mut Table, over: &Table) {
    for (key, value) in over {
        match (under.get_mut(key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => merge(under, over),
            _ => drop(under.insert(key.clone(), value.clone())),
        }
    }
}
