//! The contracts whose classes have been made.

use std::sync::{Arc, Mutex};

use polyplug::engine::{Fault, KnownContract};
use pyo3::prelude::*;

use super::contract_classes::ContractClasses;
use crate::exception;
use crate::interpreter::Interpreter;
use crate::lock::lock;

/// The number of contracts that stay in the cache while no bundle uses them. The classes of a contract that has left
/// the cache are made anew, and are other classes then.
const CAPACITY: usize = 64;

/// The cached contracts; the last one was used last.
static CACHE: Mutex<Vec<Arc<ContractClasses>>> = Mutex::new(Vec::new());

/// Returns the classes of a contract, and makes them before if the cache does not have them.
pub(crate) fn classes_of(
    py: Python<'_>,
    interpreter: &Interpreter,
    contract: &KnownContract,
) -> Result<Arc<ContractClasses>, Fault> {
    if let Some(known) = find(contract) {
        return Ok(known);
    }
    // The lock is free meanwhile: making classes runs Python code.
    let made = ContractClasses::new(py, interpreter, contract);
    let made = Arc::new(made.map_err(|raised| exception::to_fault(py, raised))?);
    let mut cache = lock(&CACHE);
    if let Some(known) = position(&cache, contract) {
        return Ok(Arc::clone(&cache[known]));
    }
    cache.push(Arc::clone(&made));
    let evicted = if cache.len() > CAPACITY { Some(cache.remove(0)) } else { None };
    // Classes are dropped without the lock: their end may run Python code.
    drop(cache);
    drop(evicted);
    Ok(made)
}

fn find(contract: &KnownContract) -> Option<Arc<ContractClasses>> {
    let mut cache = lock(&CACHE);
    let found = position(&cache, contract)?;
    let known = cache.remove(found);
    cache.push(Arc::clone(&known));
    Some(known)
}

/// Returns the index of a contract, which is compared by the address of its schema first: that is the common case.
fn position(cache: &[Arc<ContractClasses>], contract: &KnownContract) -> Option<usize> {
    let schema = &contract.schema;
    let is_same = |known: &Arc<ContractClasses>| Arc::ptr_eq(&known.contract.schema, schema);
    cache.iter().rposition(is_same).or_else(|| cache.iter().rposition(|known| known.contract.schema == *schema))
}
