//! Handles and instances of the C ABI are names, not pointers: what is stale or foreign is refused, never followed.

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::Arc;

use polyplug::{BundleId, Contract, Runtime};
use polyplug_abi::{AbiErrorCode, GuestContractHandle, GuestContractId, GuestContractInstance};
use polyplug_tests::{Bundle, last_error, reported, runtime};
use test_contracts::Calculator;
use test_contracts::instances::Stateful;

/// A runtime with the calculator and the counting plugins.
struct Host {
    runtime: Arc<Runtime>,
    calc: Bundle,
    _instances: Bundle,
}

impl Host {
    fn new() -> Self {
        let (calc, instances) = (Bundle::native("calc", "plugin-calc"), Bundle::native("counting", "plugin-instances"));
        let runtime = runtime();
        runtime.load_bundle(calc.path()).unwrap();
        runtime.load_bundle(instances.path()).unwrap();
        Self { runtime, calc, _instances: instances }
    }

    fn handle<C: Contract + ?Sized>(&self) -> GuestContractHandle {
        self.runtime.find_guest_contract(C::ID.id(), 0).unwrap()
    }

    fn create(&self, handle: GuestContractHandle) -> Result<GuestContractInstance, (u32, String)> {
        let host = self.runtime.host_abi();
        let mut instance = GuestContractInstance::null();
        let (code, text) = reported(|error| {
            // SAFETY: the runtime is alive, and both places are writable.
            unsafe { ((*host).create_guest_instance)(host, handle, null(), &raw mut instance, error) }
        });
        if code == 0 {
            return Ok(instance);
        }
        assert!(instance.is_null(), "nothing is written on failure");
        Err((code, text))
    }

    fn destroy(&self, instance: GuestContractInstance) {
        let host = self.runtime.host_abi();
        // SAFETY: the runtime is alive.
        unsafe { ((*host).destroy_guest_instance)(host, instance) };
    }

    /// Calls a method that takes what `add` takes and returns a number.
    fn call(&self, instance: GuestContractInstance, fn_id: u32) -> Result<u32, (u32, String)> {
        let host = self.runtime.host_abi();
        let (args, mut out) = ([2_i32, 3], 0_u32);
        let (code, text) = reported(|error| {
            // SAFETY: the runtime is alive; arguments and room fit every method that is called here.
            unsafe {
                let (args, out) = ((&raw const args).cast(), (&raw mut out).cast());
                ((*host).call_guest_method)(host, instance, fn_id, args, out, null_mut(), error);
            }
        });
        if code == 0 { Ok(out) } else { Err((code, text)) }
    }

    #[track_caller]
    fn refuses(&self, instance: GuestContractInstance) {
        let (code, text) = self.call(instance, 0).expect_err("no instance of this host");
        assert_eq!(code, AbiErrorCode::StaleHandle as u32, "{text}");
        // SAFETY: the runtime is alive.
        assert_eq!(unsafe { last_error(self.runtime.host_abi()) }, text);
        self.destroy(instance);
    }
}

#[test]
fn an_instance_is_called_until_it_is_destroyed() {
    let host = Host::new();
    let instance = host.create(host.handle::<dyn Stateful>()).unwrap();
    assert_eq!(host.call(instance, 0), Ok(1));
    assert_eq!(host.call(instance, 0), Ok(2), "its own state");
    assert_eq!(host.call(instance, 1), Ok(1), "one instance is alive");

    let second = host.create(host.handle::<dyn Stateful>()).unwrap();
    assert_eq!(host.call(second, 0), Ok(1), "another's state");
    assert_eq!(host.call(second, 1), Ok(2));
    host.destroy(instance);
    polyplug_tests::eventually("the first is destroyed", || host.call(second, 1) == Ok(1));
    host.refuses(instance);
    assert_eq!(host.call(second, 0), Ok(2), "the second is untouched");
}

#[test]
fn destroying_an_instance_twice_ends_no_other() {
    let host = Host::new();
    let first = host.create(host.handle::<dyn Stateful>()).unwrap();
    host.destroy(first);
    let second = host.create(host.handle::<dyn Stateful>()).unwrap();
    assert_ne!(first.data, second.data, "a place used again has another name");
    host.destroy(first);
    assert_eq!(host.call(second, 0), Ok(1));
}

#[test]
fn a_made_up_instance_is_refused() {
    let host = Host::new();
    let real = host.create(host.handle::<dyn Calculator>()).unwrap();
    let some_memory = Box::new([0_usize; 8]);
    for address in [0, 1, 2, 99, usize::MAX, real.data.addr() + 1, (&raw const *some_memory).addr()] {
        host.refuses(GuestContractInstance {
            data: std::ptr::without_provenance_mut::<c_void>(address),
            contract_id: real.contract_id,
        });
    }
    assert_eq!(host.call(real, 0), Ok(5));
}

#[test]
fn an_instance_of_another_contract_is_refused() {
    let host = Host::new();
    let calculator = host.create(host.handle::<dyn Calculator>()).unwrap();
    let counter = host.create(host.handle::<dyn Stateful>()).unwrap();
    for (token, contract) in [
        (calculator, counter.contract_id),
        (counter, calculator.contract_id),
        (calculator, GuestContractId::from_u64(0)),
    ] {
        let (code, _) = host.call(GuestContractInstance { contract_id: contract, ..token }, 0).unwrap_err();
        assert_eq!(code, AbiErrorCode::StaleHandle as u32);
    }
    assert_eq!(host.call(calculator, 0), Ok(5));
    assert_eq!(host.call(counter, 0), Ok(1));
}

#[test]
fn an_instance_of_another_runtime_is_refused() {
    let (ours, theirs) = (Host::new(), Host::new());
    let foreign = theirs.create(theirs.handle::<dyn Stateful>()).unwrap();
    let own = ours.create(ours.handle::<dyn Stateful>()).unwrap();
    ours.refuses(foreign);
    assert_eq!(ours.call(own, 0), Ok(1), "never reached by the foreign one");
    assert_eq!(theirs.call(foreign, 0), Ok(1), "and not destroyed by us");
}

#[test]
fn a_function_that_the_provider_does_not_have_is_refused() {
    let host = Host::new();
    let instance = host.create(host.handle::<dyn Calculator>()).unwrap();
    for fn_id in [4, 5, 1 << 16, u32::MAX] {
        let (code, text) = host.call(instance, fn_id).unwrap_err();
        assert_eq!(code, AbiErrorCode::FunctionNotAvailable as u32);
        assert!(text.contains(&fn_id.to_string()), "{text}");
    }
    assert_eq!(host.call(instance, 0), Ok(5));
}

#[test]
fn a_handle_that_never_was_is_refused() {
    let host = Host::new();
    let real = host.handle::<dyn Calculator>();
    for handle in [
        GuestContractHandle::null(),
        GuestContractHandle { index: 1000, generation: 1 },
        GuestContractHandle { generation: real.generation.wrapping_add(1), ..real },
        GuestContractHandle { generation: 0, ..real },
    ] {
        let (code, text) = host.create(handle).unwrap_err();
        assert_eq!(code, AbiErrorCode::StaleHandle as u32, "{text}");
        assert!(host.runtime.resolve_guest_contract(handle).is_err());
    }
}

#[test]
fn unloading_makes_handles_and_instances_stale() {
    let host = Host::new();
    let handle = host.handle::<dyn Calculator>();
    let instance = host.create(handle).unwrap();
    let counter = host.create(host.handle::<dyn Stateful>()).unwrap();
    host.runtime.unload_bundle(BundleId::new("calc")).unwrap();
    let (code, text) = host.create(handle).unwrap_err();
    assert_eq!(code, AbiErrorCode::StaleHandle as u32, "{text}");
    host.refuses(instance);
    assert_eq!(host.call(counter, 0), Ok(1), "another bundle's instance is untouched");
}

#[test]
fn loading_again_does_not_bring_old_handles_and_instances_back() {
    let host = Host::new();
    let handle = host.handle::<dyn Calculator>();
    let instance = host.create(handle).unwrap();
    host.runtime.unload_bundle(BundleId::new("calc")).unwrap();
    host.runtime.load_bundle(host.calc.path()).unwrap();
    assert!(host.create(handle).is_err());
    host.refuses(instance);
    let again = host.handle::<dyn Calculator>();
    assert_ne!(again, handle);
    let instance = host.create(again).unwrap();
    assert_eq!(host.call(instance, 0), Ok(5));
}
