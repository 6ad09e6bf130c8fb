//! A null pointer handed to a function of the host's table is refused and recorded, and ends nothing.

use std::mem::{MaybeUninit, offset_of};
use std::ptr::{null, null_mut};
use std::sync::Arc;

use polyplug::{Contract, Runtime, ffi};
use polyplug_abi::{
    AbiError, AbiErrorCode, DispatchMechanisms, DispatchType, GuestContractHandle, GuestContractInstance, HostApi,
    HostContractId, HostContractInstance, HostContractInterface, NativeDispatch, StringView, Version, VmLoaderData,
};
use polyplug_tests::{Bundle, last_error, reported, runtime, works};
use test_contracts::Calculator;

/// What a function of the table that reports its failure does with null pointers.
#[track_caller]
fn refuses(call: impl Fn(&HostApi, *const HostApi, *mut AbiError)) {
    let (runtime, other) = (runtime(), runtime());
    let host = runtime.host_abi();
    // SAFETY: both runtimes are alive until the end of this function.
    unsafe {
        let (code, text) = reported(|error| call(&*host, host, error));
        assert_eq!(code, AbiErrorCode::InvalidPointer as u32, "{text}");
        assert!(text.contains("null"), "{text}");
        assert_eq!(last_error(host), text, "the failure is recorded");

        call(&*host, host, null_mut());
        assert_eq!(last_error(host), text, "the failure is recorded without room for it as well");
        assert_eq!(last_error(other.host_abi()), "", "another runtime knows nothing of it");

        let (code, _) = reported(|error| call(&*host, null(), error));
        assert_eq!(code, AbiErrorCode::InvalidPointer as u32, "a null host");
        assert_eq!(last_error(host), "", "nobody's error is recorded nowhere");
        call(&*host, null(), null_mut());
    }
    works(&runtime);
}

#[test]
fn load_bundle_without_a_path() {
    // SAFETY: a table's function may be called with null.
    refuses(|api, host, error| unsafe { (api.load_bundle)(host, null(), 0, error) });
    // SAFETY: a table's function may be called with null.
    refuses(|api, host, error| unsafe { (api.load_bundle)(host, null(), 8, error) });
}

#[test]
fn reload_bundle_without_a_path() {
    // SAFETY: a table's function may be called with null.
    refuses(|api, host, error| unsafe { (api.reload_bundle)(host, null(), 8, error) });
}

#[test]
fn register_guest_contract_without_its_parts() {
    let interface = some_interface();
    let descriptor = polyplug_abi::PluginDescriptor {
        name: StringView::from_static(b"Basic"),
        contract_name: StringView::from_static(b"demo.calculator"),
        version: polyplug_abi::Version::new(1, 0, 0),
    };
    // SAFETY: a table's function may be called with null.
    refuses(|api, host, error| unsafe { (api.register_guest_contract)(host, null(), &raw const interface, error) });
    // SAFETY: a table's function may be called with null.
    refuses(|api, host, error| unsafe { (api.register_guest_contract)(host, &raw const descriptor, null(), error) });
    // SAFETY: a table's function may be called with null.
    refuses(|api, host, error| unsafe { (api.register_guest_contract)(host, null(), null(), error) });
}

#[test]
fn register_plugin_without_a_registration() {
    // SAFETY: a table's function may be called with null.
    refuses(|api, host, error| unsafe { (api.register_plugin)(host, null(), error) });
}

#[test]
fn register_host_contract_without_an_interface() {
    // SAFETY: a table's function may be called with null.
    refuses(|api, host, error| unsafe { (api.register_host_contract)(host, null(), error) });
}

/// A host contract without any of its functions is refused when it is registered, not when it is called.
#[test]
fn register_host_contract_without_its_functions() {
    unsafe extern "C" fn create(_: *const HostContractInterface, _: *const (), _: *mut HostContractInstance) {}
    unsafe extern "C" fn destroy(_: *const HostContractInterface, _: HostContractInstance) {}
    let table: [*const (); 2] = [create as *const (), null()];
    let native =
        |function_count, functions| DispatchMechanisms { native: NativeDispatch { function_count, functions } };
    let interface = |dispatch| HostContractInterface {
        contract_id: HostContractId::new("test.host", 1),
        contract_version: Version::new(1, 0, 0),
        singleton: 1,
        dispatch_type: DispatchType::Native,
        user_data: null_mut(),
        create_instance: create,
        destroy_instance: destroy,
        dispatch,
    };
    let whole = runtime();
    for (dispatch, expected) in [
        (native(2, table.as_ptr()), "function 1 of 2 is null"),
        (native(1, null()), "the table of functions is null or not aligned"),
        (native(1, table.as_ptr().wrapping_byte_add(1)), "the table of functions is null or not aligned"),
        (native(u32::MAX, table.as_ptr()), "functions are too many"),
    ] {
        let interface = interface(dispatch);
        let host = whole.host_abi();
        // SAFETY: the runtime is alive, and the interface as readable as it says before it is refused.
        let (code, text) =
            unsafe { reported(|error| ((*host).register_host_contract)(host, &raw const interface, error)) };
        assert_eq!(code, AbiErrorCode::InvalidInterface as u32, "{text}");
        assert!(text.contains(expected), "{text}");
    }
    let function_is_null = |field: usize| {
        let mut interface = MaybeUninit::new(interface(native(0, null())));
        // SAFETY: the offset is that of a function of the interface, which is written as a number and never called.
        unsafe { interface.as_mut_ptr().byte_add(field).cast::<usize>().write(0) };
        let host = whole.host_abi();
        // SAFETY: the runtime is alive; it reads the functions as numbers.
        unsafe { reported(|error| ((*host).register_host_contract)(host, interface.as_ptr(), error)) }
    };
    for (field, name) in [
        (offset_of!(HostContractInterface, create_instance), "create_instance"),
        (offset_of!(HostContractInterface, destroy_instance), "destroy_instance"),
    ] {
        let (code, text) = function_is_null(field);
        assert_eq!(code, AbiErrorCode::InvalidInterface as u32, "{text}");
        assert!(text.contains(&format!("`{name}` is null")), "{text}");
    }
    works(&whole);
}

#[test]
fn register_loader_without_a_loader() {
    // SAFETY: a table's function may be called with null.
    refuses(|api, host, error| unsafe { (api.register_loader)(host, null_mut(), error) });
}

#[test]
fn create_guest_instance_without_room() {
    let handle = GuestContractHandle { index: 0, generation: 1 };
    // SAFETY: a table's function may be called with null.
    refuses(|api, host, error| unsafe { (api.create_guest_instance)(host, handle, null(), null_mut(), error) });
}

#[test]
fn call_guest_method_without_an_instance() {
    let runtime = runtime();
    let host = runtime.host_abi();
    let call = |error| {
        // SAFETY: the runtime is alive; a table's function may be called with null.
        unsafe {
            let none = GuestContractInstance::null();
            ((*host).call_guest_method)(host, none, 0, null(), null_mut(), null_mut(), error);
        }
    };
    let (code, text) = reported(call);
    assert_eq!(code, AbiErrorCode::StaleHandle as u32, "{text}");
    call(null_mut());
    // SAFETY: the runtime is alive.
    assert_eq!(unsafe { last_error(host) }, text);
}

/// The callee finds them missing; the host records what it says.
#[test]
fn call_guest_method_without_arguments_or_room() {
    let (runtime, _bundle, instance) = calculator();
    let host = runtime.host_abi();
    let args = [1_i32, 2];
    let mut sum = 0_i32;
    let call = |args: *const i32, out: *mut i32, error| {
        // SAFETY: the runtime is alive; arguments and room are null or what `add` expects.
        unsafe { ((*host).call_guest_method)(host, instance, 0, args.cast(), out.cast(), null_mut(), error) };
    };
    for (args, out) in [(null(), &raw mut sum), (args.as_ptr(), null_mut()), (null(), null_mut())] {
        let (code, text) = reported(|error| call(args, out, error));
        assert_eq!(code, AbiErrorCode::InvalidPointer as u32, "{text}");
        // SAFETY: the runtime is alive.
        assert_eq!(unsafe { last_error(host) }, text);
        call(args, out, null_mut());
        // SAFETY: the runtime is alive.
        assert_eq!(unsafe { last_error(host) }, text, "also without room for the error");
    }
    let (code, text) = reported(|error| call(args.as_ptr(), &raw mut sum, error));
    assert_eq!((code, sum), (0, 3), "{text}");
    call(args.as_ptr(), &raw mut sum, null_mut());
    // SAFETY: the runtime is alive.
    assert_eq!(unsafe { last_error(host) }, "", "success is not recorded");
}

#[test]
fn get_last_error_without_a_buffer_keeps_the_error() {
    let runtime = runtime();
    let host = runtime.host_abi();
    // SAFETY: the runtime is alive; a table's function may be called with null.
    unsafe {
        ((*host).register_loader)(host, null_mut(), null_mut());
        assert_eq!(((*host).get_last_error)(host, null_mut(), 100), 0);
        let mut byte = 0;
        assert_eq!(((*host).get_last_error)(host, &raw mut byte, 0), 0);
        assert_ne!(((*host).get_error_len)(host), 0);
        assert_ne!(last_error(host), "");
    }
}

/// The functions that have no room for an error answer with nothing.
#[test]
fn functions_without_an_error_answer_a_null_host_with_nothing() {
    let runtime = runtime();
    // SAFETY: the runtime is alive; every function of its table may be called with a null host.
    unsafe {
        let api = &*runtime.host_abi();
        let mut byte = 0;
        assert!((api.find_guest_contract)(null(), 1, 0).is_null());
        assert!((api.find_all_guest_contracts)(null(), 1, 0).is_empty());
        assert!((api.resolve_guest_contract)(null(), GuestContractHandle { index: 0, generation: 1 }).is_null());
        assert!((api.resolve_guest_contract)(null(), GuestContractHandle::null()).is_null());
        assert!((api.get_host_contract)(null(), 1, 0).is_null());
        assert!((api.resolve_host_contract_interface)(null(), 1, 0).is_null());
        assert!((api.list_bundles)(null()).is_empty());
        assert!((api.get_dependencies)(null()).is_empty());
        assert_eq!((api.get_last_error)(null(), &raw mut byte, 1), 0);
        assert_eq!((api.get_error_len)(null()), 0);
        (api.destroy_guest_instance)(null(), GuestContractInstance::null());
        (api.log)(null(), 1, StringView::null(), StringView::null());
        (api.log)(null(), 99, StringView { ptr: null(), len: 9 }, StringView { ptr: null(), len: usize::MAX });
        (api.free)(null(), null_mut(), 8, 8);
        (api.retain_host)(null());
        (api.release_host)(null());
        assert!((api.lease)(null(), GuestContractHandle { index: 0, generation: 1 }, null_mut()).is_null());
        (api.release)(null(), null());
        assert_eq!((api.wait_retired)(null(), u64::MAX), 1);
        assert!((api.find_guest_contract_in)(null(), 1, 1).is_null());
        assert_eq!((api.quiesce)(null(), u64::MAX), 0);
        assert_eq!((api.config)(null()).bytes(), Some(&b"{}"[..]));
        assert_eq!((api.bundle_name)(null()).bytes(), Some(&b""[..]));
        let arena = (api.enter_arena)(null());
        assert!(!arena.is_null());
        (api.leave_arena)(null(), arena);
    }
    works(&runtime);
}

#[test]
fn unload_bundle_without_a_host() {
    let runtime = runtime();
    // SAFETY: the runtime is alive; a table's function may be called with a null host.
    let (code, _) = reported(|error| unsafe { ((*runtime.host_abi()).unload_bundle)(null(), 1, error) });
    assert_eq!(code, AbiErrorCode::InvalidPointer as u32);
}

#[test]
fn allocating_what_cannot_be_is_null() {
    let runtime = runtime();
    let host = runtime.host_abi();
    // SAFETY: the runtime is alive, and what is allocated is given back as it was asked for.
    unsafe {
        for (size, align) in [(0, 8), (8, 0), (8, 3), (usize::MAX, 1), (usize::MAX, 8), (isize::MAX as usize, 1)] {
            assert!(((*host).alloc)(host, size, align).is_null(), "{size} bytes aligned to {align}");
        }
        let room = ((*host).alloc)(host, 24, 64);
        assert!(!room.is_null() && room.addr().is_multiple_of(64));
        ((*host).free)(host, room, 24, 64);
        assert!(((*host).error_text)(host, usize::MAX).is_null());
    }
}

#[test]
fn a_null_configuration_means_the_defaults() {
    // SAFETY: null is allowed, and the runtime is destroyed once.
    unsafe {
        let host = ffi::polyplug_runtime_create(null());
        assert!(!host.is_null());
        assert!(((*host).list_bundles)(host).is_empty());
        let path = "/tmp";
        let (code, text) = reported(|error| ((*host).reload_bundle)(host, path.as_ptr(), path.len(), error));
        assert_eq!(code, AbiErrorCode::NotAllowed as u32, "hot reload is off: {text}");
        ffi::polyplug_runtime_destroy(host);
    }
}

#[test]
fn destroying_no_runtime_is_ignored() {
    // SAFETY: null is allowed.
    unsafe { ffi::polyplug_runtime_destroy(null()) };
}

fn calculator() -> (Arc<Runtime>, Bundle, GuestContractInstance) {
    let bundle = Bundle::native("calc", "plugin-calc");
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    let handle = runtime.find_guest_contract(<dyn Calculator>::ID.id(), 0).unwrap();
    let host = runtime.host_abi();
    let mut instance = GuestContractInstance::null();
    // SAFETY: the runtime is alive, and both places are writable.
    let (code, text) =
        reported(|error| unsafe { ((*host).create_guest_instance)(host, handle, null(), &raw mut instance, error) });
    assert_eq!(code, 0, "{text}");
    (runtime, bundle, instance)
}

fn some_interface() -> polyplug_abi::GuestContractInterface {
    unsafe extern "C" fn create(_: VmLoaderData, _: *const HostApi, _: *const (), _: *mut GuestContractInstance) {}
    unsafe extern "C" fn destroy(_: VmLoaderData, _: *const HostApi, _: GuestContractInstance) {}
    polyplug_abi::GuestContractInterface {
        contract_id: <dyn Calculator>::ID,
        contract_version: polyplug_abi::Version::new(1, 0, 0),
        dispatch_type: polyplug_abi::DispatchType::Native,
        create_instance: create,
        destroy_instance: destroy,
        dispatch: polyplug_abi::DispatchMechanisms {
            native: polyplug_abi::NativeDispatch { function_count: 0, functions: null() },
        },
    }
}
