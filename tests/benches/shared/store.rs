//! A store of contracts that nobody implements.

use polyplug::GuestContractId;
use polyplug::runtime_store::RuntimeStore;
use polyplug_abi::{
    BundleId, DispatchMechanisms, DispatchType, GuestContractInstance, GuestContractInterface, HostApi, NativeDispatch,
    PluginDescriptor, StringView, Version, VmLoaderData,
};

unsafe extern "C" fn create(_: VmLoaderData, _: *const HostApi, _: *const (), _: *mut GuestContractInstance) {}

unsafe extern "C" fn destroy(_: VmLoaderData, _: *const HostApi, _: GuestContractInstance) {}

/// Returns the identity of the contract with this number.
pub(crate) fn id(number: usize) -> GuestContractId {
    GuestContractId::new(&format!("bench.contract.{number}"), 1)
}

/// Makes a store with so many contracts.
pub(crate) fn store(contracts: usize) -> RuntimeStore {
    let store = RuntimeStore::new();
    for number in 0..contracts {
        let interface = GuestContractInterface {
            contract_id: id(number),
            contract_version: Version::new(1, 0, 0),
            dispatch_type: DispatchType::Native,
            create_instance: create,
            destroy_instance: destroy,
            dispatch: DispatchMechanisms { native: NativeDispatch { function_count: 0, functions: std::ptr::null() } },
        };
        let descriptor = PluginDescriptor {
            name: StringView::from_static(b"bench"),
            contract_name: StringView::from_static(b"bench"),
            version: Version::new(1, 0, 0),
        };
        // SAFETY: the interface is valid during the call, and points at no other data.
        unsafe { store.register_guest_contract(descriptor, &interface, "bench".into(), BundleId::from_u64(1)) }
            .expect("it is valid");
    }
    store
}
