//! The host contracts of one runtime.
//!
//! Who provides one, in Rust or through the C ABI, hands over a table in the end. Plugins written in C get that table, and
//! typed proxies of other plugins call through it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use polyplug_abi::HostContractId;

use super::provided::Provided;

/// Makes host contracts when they are first asked for.
type Source = Arc<dyn Fn(HostContractId) -> Option<Provided> + Send + Sync>;

/// The host contracts of one runtime.
#[derive(Default)]
pub(crate) struct HostContracts {
    provided: RwLock<HashMap<HostContractId, Arc<Provided>>>,
    /// Asked, in this order, for what is not provided otherwise.
    sources: RwLock<Vec<Source>>,
}

impl HostContracts {
    /// Adds a contract, unless it is provided already.
    pub(crate) fn add(&self, provided: Arc<Provided>) -> bool {
        let id = provided.interface().contract_id;
        let mut all = self.provided.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = !all.contains_key(&id);
        if is_new {
            all.insert(id, Arc::clone(&provided));
        }
        drop(all);
        drop(provided); // if refused, without the lock
        is_new
    }

    pub(crate) fn find(&self, id: HostContractId) -> Option<Arc<Provided>> {
        let known = self.provided.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        known.or_else(|| self.make_from_sources(id))
    }

    /// What people call a contract: its name, where that is known.
    pub(crate) fn name(&self, id: HostContractId) -> String {
        let all = self.provided.read().unwrap_or_else(PoisonError::into_inner);
        match all.get(&id).and_then(|provided| provided.schema()) {
            Some(schema) => format!("{}@{}", schema.name, schema.major),
            None => id.to_string(),
        }
    }

    /// Adds a source of contracts that are not provided otherwise, after those that are there.
    pub(crate) fn add_source(&self, source: impl Fn(HostContractId) -> Option<Provided> + Send + Sync + 'static) {
        self.sources.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(source));
    }

    /// Returns a contract that one of the sources makes.
    fn make_from_sources(&self, id: HostContractId) -> Option<Arc<Provided>> {
        // Sources are the host's own code, so they are asked without a lock.
        let sources = self.sources.read().unwrap_or_else(PoisonError::into_inner).clone();
        let made = Arc::new(sources.iter().find_map(|source| source(id))?);
        let mut all = self.provided.write().unwrap_or_else(PoisonError::into_inner);
        let provided = Arc::clone(all.entry(id).or_insert_with(|| Arc::clone(&made)));
        drop(all);
        drop(made); // if another thread was first, without the lock
        Some(provided)
    }

    /// A contract whose minor version is at least `min_version`; else whether another version is there.
    pub(crate) fn resolve(&self, id: HostContractId, min_version: u32) -> Result<Arc<Provided>, bool> {
        let provided = self.find(id).ok_or(false)?;
        if provided.interface().contract_version.minor >= min_version { Ok(provided) } else { Err(true) }
    }
}
