//! Contracts that the host implements for its plugins, as tables registered through the C ABI.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use polyplug_abi::{DispatchType, HostContractId, HostContractInstance, HostContractInterface};

/// The host contracts of one runtime.
#[derive(Default)]
pub(super) struct HostContracts(Mutex<HashMap<HostContractId, Provided>>);

struct Provided {
    /// Valid until the runtime ends, by the promise made at registration.
    interface: *const HostContractInterface,
    /// Objects made so far; of a singleton only one.
    instances: Vec<HostContractInstance>,
}

// SAFETY: host contracts accept calls from any thread.
unsafe impl Send for Provided {}

impl HostContracts {
    /// Adds a contract.
    ///
    /// # Safety
    ///
    /// `interface` must be null or readable, and stay valid until `self` is dropped.
    pub(super) unsafe fn register(&self, interface: *const HostContractInterface) -> Result<(), String> {
        if interface.is_null() || !interface.is_aligned() {
            return Err("the interface is null or not aligned".to_owned());
        }
        // SAFETY: not null, aligned, readable; pointers are read as numbers until found not null.
        let (create, destroy, dispatch_type, first_word, id) = unsafe {
            (
                (&raw const (*interface).create_instance).cast::<usize>().read(),
                (&raw const (*interface).destroy_instance).cast::<usize>().read(),
                (&raw const (*interface).dispatch_type).read(),
                (&raw const (*interface).dispatch).cast::<usize>().read(),
                (&raw const (*interface).contract_id).read(),
            )
        };
        if create == 0 || destroy == 0 {
            return Err("`create_instance` or `destroy_instance` is null".to_owned());
        }
        match dispatch_type {
            DispatchType::Native => {}
            DispatchType::VirtualMachine if first_word == 0 => return Err("`call` is null".to_owned()),
            DispatchType::VirtualMachine => {}
            other => return Err(format!("{other:?} is no way to dispatch")),
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.contains_key(&id) {
            return Err("the runtime provides this contract already".to_owned());
        }
        all.insert(id, Provided { interface, instances: Vec::new() });
        Ok(())
    }

    /// The table of a contract whose minor version is at least `min_version`; whether another version is there.
    pub(super) fn resolve(&self, id: HostContractId, min_version: u32) -> Result<*const HostContractInterface, bool> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let provided = all.get(&id).ok_or(false)?;
        // SAFETY: valid until the runtime ends, by the promise made to `register`.
        let minor = unsafe { (*provided.interface).contract_version.minor };
        if minor >= min_version { Ok(provided.interface) } else { Err(true) }
    }

    /// An object of a contract.
    pub(super) fn instance(&self, id: HostContractId, min_version: u32) -> Result<HostContractInstance, bool> {
        let interface = self.resolve(id, min_version)?;
        // SAFETY: valid until the runtime ends; the functions were found not null.
        let api = unsafe { &*interface };
        let known = |all: &HashMap<HostContractId, Provided>| all.get(&id)?.instances.first().copied();
        if api.singleton != 0
            && let Some(instance) = known(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
        {
            return Ok(instance);
        }
        let mut instance = HostContractInstance::null();
        // SAFETY: called as its type says, without our lock: it is the host's own code.
        unsafe { (api.create_instance)(interface, std::ptr::null(), &raw mut instance) };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if api.singleton != 0
            && let Some(first) = known(&all)
        {
            drop(all);
            // Another thread was faster.
            // SAFETY: made above and seen by nobody else.
            unsafe { (api.destroy_instance)(interface, instance) };
            return Ok(first);
        }
        if !instance.is_null() {
            all.entry(id).and_modify(|provided| provided.instances.push(instance));
        }
        Ok(instance)
    }
}

impl Drop for HostContracts {
    fn drop(&mut self) {
        let all = std::mem::take(self.0.get_mut().unwrap_or_else(PoisonError::into_inner));
        for provided in all.into_values() {
            for instance in provided.instances {
                // SAFETY: made by this interface, and no plugin of the runtime is left to use it.
                unsafe { ((*provided.interface).destroy_instance)(provided.interface, instance) };
            }
        }
    }
}
