//! Settings that the host sets for bundles, over those that the manifests have under `[config]`.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use polyplug_abi::BundleId;
use toml::{Table, Value};

/// The settings that the host has set for the bundles of one runtime.
#[derive(Default)]
pub(crate) struct ConfigOverrides(Mutex<HashMap<BundleId, Table>>);

impl ConfigOverrides {
    /// Merges the host's settings for a bundle into `config`, where they take precedence.
    pub(crate) fn apply(&self, bundle: BundleId, config: &mut Table) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = all.get(&bundle) {
            merge(config, host);
        }
    }

    /// Replaces the host's settings for a bundle.
    pub(crate) fn set(&self, bundle: BundleId, config: Table) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(bundle, config);
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
