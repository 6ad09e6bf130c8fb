//! What fails through the C ABI is told by code and text, and kept as the last error of that runtime alone.

use std::ptr::{null, null_mut};
use std::sync::Arc;

use polyplug::Runtime;
use polyplug_abi::{
    AbiErrorCode, DispatchMechanisms, DispatchType, GuestContractId, GuestContractInstance, GuestContractInterface,
    HostApi, NativeDispatch, PluginDescriptor, StringView, Version, VmLoaderData,
};
use polyplug_native::NativeLoader;
use polyplug_tests::{BAD, Bundle, last_error, manifest, reported, runtime, works};

/// Loads what is at `path` as a C program does.
fn load(runtime: &Runtime, path: &[u8]) -> (u32, String) {
    let host = runtime.host_abi();
    // SAFETY: the runtime is alive, and the path readable.
    reported(|error| unsafe { ((*host).load_bundle)(host, path.as_ptr(), path.len(), error) })
}

fn last(runtime: &Runtime) -> String {
    // SAFETY: the runtime is alive.
    unsafe { last_error(runtime.host_abi()) }
}

/// The path of a bundle that is not there.
const MISSING: &str = if cfg!(windows) { r"C:\no\such\bundle" } else { "/no/such/bundle" };

#[test]
fn a_path_that_is_not_utf_8_is_refused() {
    let runtime = runtime();
    let (code, text) = load(&runtime, b"/tmp/caf\xe9");
    assert_eq!(code, AbiErrorCode::InvalidArgument as u32);
    assert!(text.contains("the path is not UTF-8"), "{text}");
    assert_eq!(last(&runtime), text);
    works(&runtime);
}

#[test]
fn a_path_longer_than_memory_is_refused() {
    let runtime = runtime();
    let host = runtime.host_abi();
    // SAFETY: the runtime is alive; the length is to be found impossible before anything is read.
    let (code, text) = reported(|error| unsafe { ((*host).load_bundle)(host, b"/".as_ptr(), usize::MAX, error) });
    assert_eq!(code, AbiErrorCode::InvalidArgument as u32, "{text}");
    works(&runtime);
}

#[test]
fn a_path_with_a_zero_in_it_is_refused() {
    let runtime = runtime();
    let (code, text) = load(&runtime, b"/tmp\0/bundle");
    assert_ne!(code, 0);
    assert!(!text.is_empty());
    works(&runtime);
}

#[test]
fn an_empty_path_is_no_bundle() {
    let runtime = runtime();
    let (code, text) = load(&runtime, b"");
    assert_eq!(code, AbiErrorCode::NotFound as u32, "{text}");
}

#[test]
fn a_bundle_that_is_not_there_is_not_found() {
    let runtime = runtime();
    let (code, text) = load(&runtime, MISSING.as_bytes());
    assert_eq!(code, AbiErrorCode::NotFound as u32);
    assert!(text.contains(MISSING), "{text}");
    assert_eq!(last(&runtime), text);
}

#[test]
fn a_bundle_without_its_artifact_is_not_found() {
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest(BAD, "native", "plugin"));
    let runtime = runtime();
    let (code, text) = load(&runtime, bundle.path().to_str().unwrap().as_bytes());
    assert_eq!(code, AbiErrorCode::NotFound as u32);
    assert!(text.contains("`bad`"), "{text}");
}

#[test]
fn a_good_path_loads() {
    let bundle = Bundle::native("calc", "plugin-calc");
    let runtime = runtime();
    let (code, text) = load(&runtime, bundle.path().to_str().unwrap().as_bytes());
    assert_eq!(code, 0, "{text}");
    assert_eq!(last(&runtime), "");
    assert_eq!(runtime.bundle_ids().len(), 1);
}

#[test]
fn unloading_what_is_not_loaded_is_not_found() {
    let runtime = runtime();
    let host = runtime.host_abi();
    // SAFETY: the runtime is alive.
    let (code, text) = reported(|error| unsafe { ((*host).unload_bundle)(host, 0x1234, error) });
    assert_eq!(code, AbiErrorCode::NotFound as u32);
    assert!(text.contains("0x0000000000001234"), "{text}");
}

#[test]
fn look_ups_that_find_nothing_are_recorded() {
    let runtime = runtime();
    let host = runtime.host_abi();
    // SAFETY: the runtime is alive.
    unsafe {
        assert!(((*host).find_guest_contract)(host, 0x77, 0).is_null());
        assert!(last(&runtime).contains("0x0000000000000077"));
        assert!(
            ((*host).resolve_guest_contract)(host, polyplug_abi::GuestContractHandle { index: 5, generation: 1 })
                .is_null()
        );
        assert!(last(&runtime).contains("slot 5"));
        assert!(((*host).get_host_contract)(host, 0x77, 0).is_null());
        assert!(last(&runtime).contains("0x0000000000000077"));
        assert!(((*host).resolve_host_contract_interface)(host, 0x77, 0).is_null());
        assert!(last(&runtime).contains("0x0000000000000077"));
    }
}

#[test]
fn taking_the_last_error_clears_it() {
    let runtime = runtime();
    let (_, text) = load(&runtime, MISSING.as_bytes());
    assert_eq!(last(&runtime), text);
    assert_eq!(last(&runtime), "");
}

#[test]
fn the_last_error_is_that_of_the_last_failure() {
    let runtime = runtime();
    load(&runtime, MISSING.as_bytes());
    let other = if cfg!(windows) { r"C:\nor\this\one" } else { "/nor/this/one" };
    let (_, text) = load(&runtime, other.as_bytes());
    assert!(text.contains(other));
    assert_eq!(last(&runtime), text);
}

#[test]
fn success_does_not_clear_the_last_error() {
    let runtime = runtime();
    let (_, text) = load(&runtime, MISSING.as_bytes());
    works(&runtime);
    assert_eq!(last(&runtime), text);
}

#[test]
fn the_length_of_the_last_error_does_not_take_it() {
    let runtime = runtime();
    let (_, text) = load(&runtime, MISSING.as_bytes());
    let host = runtime.host_abi();
    for _ in 0..2 {
        // SAFETY: the runtime is alive.
        assert_eq!(unsafe { ((*host).get_error_len)(host) }, text.len());
    }
}

#[test]
fn a_buffer_too_short_gets_the_beginning_up_to_a_whole_letter() {
    let runtime = runtime();
    let host = runtime.host_abi();
    // The part before the letters has an odd length.
    let (path, first) = if cfg!(windows) { (r"C:\üüüü", 3) } else { ("/üüüü", 1) };
    for room in first..8 {
        let (_, text) = load(&runtime, path.as_bytes());
        assert!(text.starts_with(path), "{text}");
        let mut buffer = [b'#'; 8];
        // SAFETY: the runtime is alive, and the buffer has more than `room` bytes.
        let copied = unsafe { ((*host).get_last_error)(host, buffer.as_mut_ptr(), room) };
        assert_eq!(copied, room - (room + 1) % 2, "letters of two bytes each after the first");
        assert_eq!(&buffer[..copied], &text.as_bytes()[..copied]);
        assert!(buffer[copied..].iter().all(|byte| *byte == b'#'), "nothing is written behind them");
        assert_eq!(last(&runtime), "", "the rest is not kept");
    }
}

#[test]
fn each_runtime_has_a_last_error_of_its_own() {
    let (first, second) = (runtime(), runtime());
    let (_, text) = load(&first, MISSING.as_bytes());
    assert_eq!(last(&second), "");
    let (_, other) = load(&second, b"/nor/this/one");
    assert_eq!(last(&first), text);
    assert_eq!(last(&second), other);
}

#[test]
fn the_last_error_is_the_runtimes_not_the_threads() {
    let runtime = runtime();
    let failing = Arc::clone(&runtime);
    let text = std::thread::spawn(move || load(&failing, MISSING.as_bytes()).1).join().unwrap();
    assert_eq!(last(&runtime), text);
}

#[test]
fn a_guest_contract_is_registered_only_while_a_bundle_is_loaded() {
    let runtime = runtime();
    let host = runtime.host_abi();
    let (descriptor, interface) = plugin();
    // SAFETY: the runtime is alive, and both parts are good.
    let (code, text) = reported(|error| unsafe {
        ((*host).register_guest_contract)(host, &raw const descriptor, &raw const interface, error);
    });
    assert_eq!(code, AbiErrorCode::NotAllowed as u32);
    assert!(text.contains("polyplug_init"), "where to do it: {text}");
    assert_eq!(last(&runtime), text);
    assert!(runtime.find_guest_contract(interface.contract_id.id(), 0).is_err());
    works(&runtime);
}

#[test]
fn a_loaders_name_is_registered_once() {
    let register = |runtime: &Runtime| {
        let host = runtime.host_abi();
        let loader: Box<Box<dyn polyplug::loader::BundleLoader>> = Box::new(Box::new(NativeLoader::new()));
        // SAFETY: the runtime is alive and takes the loader over.
        reported(|error| unsafe { ((*host).register_loader)(host, Box::into_raw(loader).cast(), error) })
    };
    let runtime = runtime();
    let (code, text) = register(&runtime);
    assert_ne!(code, 0);
    assert!(text.contains("`native`") && text.contains("register each loader once"), "{text}");
    assert_eq!(last(&runtime), text);

    let empty = Runtime::builder().build().unwrap();
    let (code, text) = register(&empty);
    assert_eq!(code, 0, "{text}");
    works(&empty);
}

#[test]
fn arrays_are_given_back_with_what_they_say_of_themselves() {
    let bundle = Bundle::native("calc", "plugin-calc");
    let runtime = runtime();
    let id = runtime.load_bundle(bundle.path()).unwrap();
    let host = runtime.host_abi();
    // SAFETY: the runtime is alive, and the array is given back as `Array` says.
    unsafe {
        let bundles = ((*host).list_bundles)(host);
        assert_eq!((bundles.len, *bundles.items), (1, id));
        ((*host).free)(host, bundles.items.cast(), bundles.byte_size(), bundles.align);
        assert!(((*host).get_dependencies)(host).is_empty(), "the host itself depends on nothing");
    }
}

fn plugin() -> (PluginDescriptor, GuestContractInterface) {
    unsafe extern "C" fn create(_: VmLoaderData, _: *const HostApi, _: *const (), _: *mut GuestContractInstance) {}
    unsafe extern "C" fn destroy(_: VmLoaderData, _: *const HostApi, _: GuestContractInstance) {}
    let descriptor = PluginDescriptor {
        name: StringView::from_static(b"Late"),
        contract_name: StringView::from_static(b"test.late"),
        version: Version::new(1, 0, 0),
    };
    let interface = GuestContractInterface {
        contract_id: GuestContractId::new("test.late", 1),
        contract_version: Version::new(1, 0, 0),
        dispatch_type: DispatchType::Native,
        create_instance: create,
        destroy_instance: destroy,
        dispatch: DispatchMechanisms { native: NativeDispatch { function_count: 0, functions: null() } },
    };
    (descriptor, interface)
}

#[test]
fn errors_without_room_for_them_are_only_recorded() {
    let runtime = runtime();
    let host = runtime.host_abi();
    // SAFETY: the runtime is alive, and the path readable.
    unsafe { ((*host).load_bundle)(host, MISSING.as_ptr(), MISSING.len(), null_mut()) };
    assert!(last(&runtime).contains(MISSING));
}
