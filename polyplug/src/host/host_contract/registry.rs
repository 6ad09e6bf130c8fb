//! The registry of one runtime's host contracts.
//!
//! A host contract has a table, whether it is provided in Rust or through the C ABI. Plugins written in C get that
//! table, and typed proxies of other plugins call through the table.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use polyplug_abi::HostContractId;

use super::provided::Provided;

/// A function that makes a host contract when it is first asked for.
type Source = Arc<dyn Fn(HostContractId) -> Option<Provided> + Send + Sync>;

/// The host contracts of one runtime.
#[derive(Default)]
pub(crate) struct HostContracts {
    provided: RwLock<HashMap<HostContractId, Arc<Provided>>>,
    /// The sources of contracts that are not in `provided`, in the order in which they are asked.
    sources: RwLock<Vec<Source>>,
}

impl HostContracts {
    /// Adds a contract, unless it is provided already. Returns whether it was added.
    pub(crate) fn add(&self, provided: Arc<Provided>) -> bool {
        let id = provided.interface().contract_id;
        let mut all = self.provided.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = !all.contains_key(&id);
        if is_new {
            all.insert(id, Arc::clone(&provided));
        }
        drop(all);
        drop(provided); // drops a refused contract without the lock
        is_new
    }

    /// Returns a contract, made by one of the sources if it is not provided yet.
    pub(crate) fn find(&self, id: HostContractId) -> Option<Arc<Provided>> {
        let known = self.provided.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        known.or_else(|| self.make_from_sources(id))
    }

    /// Returns a contract's name for messages: its name and major version if they are known, otherwise its id.
    pub(crate) fn name(&self, id: HostContractId) -> String {
        let all = self.provided.read().unwrap_or_else(PoisonError::into_inner);
        match all.get(&id).and_then(|provided| provided.schema()) {
            Some(schema) => format!("{}@{}", schema.name, schema.major),
            None => id.to_string(),
        }
    }

    /// Returns the contracts that are provided and have a name, each with its version.
    pub(crate) fn contracts(&self) -> Vec<String> {
        let all = self.provided.read().unwrap_or_else(PoisonError::into_inner);
        let schemas = all.values().filter_map(|provided| provided.schema());
        let mut contracts: Vec<_> =
            schemas.map(|schema| format!("{}@{}.{}", schema.name, schema.major, schema.minor)).collect();
        contracts.sort_unstable();
        contracts
    }

    /// Adds a source of contracts that are not provided otherwise. It is asked after the sources added before.
    pub(crate) fn add_source(&self, source: impl Fn(HostContractId) -> Option<Provided> + Send + Sync + 'static) {
        self.sources.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(source));
    }

    /// Makes a contract with the first source that knows it.
    fn make_from_sources(&self, id: HostContractId) -> Option<Arc<Provided>> {
        // Sources are the host's own code, so they are called without a lock.
        let sources = self.sources.read().unwrap_or_else(PoisonError::into_inner).clone();
        let made = Arc::new(sources.iter().find_map(|source| source(id))?);
        let mut all = self.provided.write().unwrap_or_else(PoisonError::into_inner);
        let provided = Arc::clone(all.entry(id).or_insert_with(|| Arc::clone(&made)));
        drop(all);
        drop(made); // drops it without the lock, if another thread was first
        Some(provided)
    }

    /// Returns a contract whose minor version is at least `min_version`.
    ///
    /// # Errors
    ///
    /// `true` if the contract is provided in an older minor version, `false` if it is not provided.
    pub(crate) fn resolve(&self, id: HostContractId, min_version: u32) -> Result<Arc<Provided>, bool> {
        let provided = self.find(id).ok_or(false)?;
        if provided.interface().contract_version.minor >= min_version { Ok(provided) } else { Err(true) }
    }
}
