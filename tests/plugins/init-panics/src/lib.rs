//! A bundle whose start panics: describing its contract does.
//!
//! No plugin that is written with the macros can do this, so its entry is written by hand.

use polyplug::__private::{PluginEntry, abi, inventory, native_dispatch};
use polyplug::GuestContractId;

unsafe extern "C" fn create(_: *const abi::HostApi, _: *mut abi::GuestContractInstance, _: *mut abi::AbiError) {}

unsafe extern "C" fn create_instance(
    _: abi::VmLoaderData,
    _: *const abi::HostApi,
    _: *const (),
    _: *mut abi::GuestContractInstance,
) {
}

unsafe extern "C" fn destroy_instance(_: abi::VmLoaderData, _: *const abi::HostApi, _: abi::GuestContractInstance) {}

static INTERFACE: abi::GuestContractInterface = abi::GuestContractInterface {
    contract_id: GuestContractId::new("demo.calculator", 1),
    contract_version: abi::Version::new(1, 2, 0),
    dispatch_type: abi::DispatchType::Native,
    create_instance,
    destroy_instance,
    dispatch: abi::DispatchMechanisms { native: native_dispatch(&[]) },
};

inventory::submit! {
    PluginEntry {
        name: "Stillborn",
        package: env!("CARGO_PKG_NAME"),
        version: abi::Version::new(1, 0, 0),
        contract: || panic!("the start is no good"), // mark: init
        interface: &INTERFACE,
        flags: abi::PluginFlags(0),
        create,
        migration: None,
        health: None,
    }
}
