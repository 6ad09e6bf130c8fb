//! What a bundle has registered so far.

use std::sync::{Mutex, OnceLock, PoisonError};

use super::plugin::Plugin;
use crate::host::error::registry::RegistryError;

/// What a bundle has registered so far.
#[derive(Default)]
pub(crate) struct Registrations {
    list: Mutex<Option<Vec<Plugin>>>,
    /// Why the first one that was refused was, should the bundle not care.
    refusal: OnceLock<String>,
}

impl Registrations {
    /// Accepts registrations from now on.
    pub(crate) fn open(&self) {
        *self.list.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
    }

    /// Accepts no more; what was registered.
    pub(crate) fn close(&self) -> Vec<Plugin> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
    }

    /// Why the first plugin that was refused was, if one was.
    pub(crate) fn refusal(&self) -> Option<&str> {
        self.refusal.get().map(String::as_str)
    }

    /// Adds the plugin that was read, or remembers why it could not be.
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
