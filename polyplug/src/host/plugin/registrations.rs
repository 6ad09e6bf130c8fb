//! The plugins that a bundle has registered so far.

use std::sync::{Mutex, OnceLock, PoisonError};

use super::plugin::Plugin;
use crate::host::error::registry::RegistryError;

/// The plugins that a bundle has registered so far.
#[derive(Default)]
pub(crate) struct Registrations {
    list: Mutex<Option<Vec<Plugin>>>,
    /// The reason of the first refusal, kept in case the bundle ignores the refusal.
    refusal: OnceLock<String>,
}

impl Registrations {
    /// Accepts registrations from now on.
    pub(crate) fn open(&self) {
        *self.list.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
    }

    /// Stops accepting registrations, and returns the registered plugins.
    pub(crate) fn close(&self) -> Vec<Plugin> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
    }

    /// Returns the reason of the first refusal, if a plugin was refused.
    pub(crate) fn refusal(&self) -> Option<&str> {
        self.refusal.get().map(String::as_str)
    }

    /// Adds a plugin that was read, or keeps the reason why it was refused.
    pub(crate) fn add(&self, plugin: Result<Plugin, RegistryError>) -> Result<(), RegistryError> {
        plugin.and_then(|plugin| self.push(plugin)).inspect_err(|error| {
            self.refusal.get_or_init(|| error.to_string());
        })
    }

    fn push(&self, plugin: Plugin) -> Result<(), RegistryError> {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(list) = list.as_mut() else {
            return Err(RegistryError::InvalidInterface {
                plugin: plugin.name,
                reason: "plugins are registered while their bundle is being loaded, not later".to_owned(),
            });
        };
        let contract = plugin.contract_id;
        if let Some(existing) = list.iter().find(|known| known.contract_id == contract) {
            return Err(RegistryError::DuplicateProvider {
                contract: plugin.contract,
                existing: existing.name.clone(),
            });
        }
        list.push(plugin);
        Ok(())
    }
}
