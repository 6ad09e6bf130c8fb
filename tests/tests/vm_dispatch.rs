//! A plugin of a VM, behind one function for all methods, is called like any other: through typed proxies
//! and through the C ABI.

use std::ffi::c_void;
use std::path::PathBuf;
use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use polyplug::error::LoaderError;
use polyplug::loader::{BundleLoader, BundleSource, ManifestData};
use polyplug::schema::Schema;
use polyplug::{BundleId, CallError, Contract, Runtime};
use polyplug_abi::{
    AbiError, AbiErrorCode, CallArena, DispatchMechanisms, DispatchType, GuestContractInstance, GuestContractInterface,
    HostApi, PluginDescriptor, PluginFlags, PluginRegistration, ProxyRequest, ProxyTarget, StringView,
    SupportedLanguage, VmDispatch, VmLoaderData,
};
use polyplug_tests::{eventually, manifest, reported, unloaded};
use test_contracts::{Calculator, MathError};

/// What the VM keeps for a bundle: loader data leads to it.
#[derive(Default)]
struct Vm {
    made: AtomicUsize,
    ended: AtomicUsize,
    /// The host's table for the bundle that was loaded last.
    host: AtomicPtr<HostApi>,
}

/// One object of the VM.
struct Object {
    number: usize,
}

unsafe extern "C" fn create(
    loader_data: VmLoaderData,
    _: *const HostApi,
    _: *const (),
    out: *mut GuestContractInstance,
) {
    // SAFETY: the loader data is the VM, which the bundle keeps.
    let vm = unsafe { &*loader_data.data.cast::<Vm>() };
    let number = vm.made.fetch_add(1, Ordering::SeqCst) + 1;
    let data = Box::into_raw(Box::new(Object { number })).cast();
    // SAFETY: the host offers room for the instance.
    unsafe { out.write(GuestContractInstance { data, contract_id: <dyn Calculator>::ID }) };
}

unsafe extern "C" fn destroy(loader_data: VmLoaderData, _: *const HostApi, instance: GuestContractInstance) {
    // SAFETY: `create` made the object, and the loader data is the VM, which the bundle keeps.
    unsafe {
        drop(Box::from_raw(instance.data.cast::<Object>()));
        (*loader_data.data.cast::<Vm>()).ended.fetch_add(1, Ordering::SeqCst);
    }
}

#[repr(C)]
struct RawResult {
    tag: u32,
    error: u32,
}

/// The text of the VM's error, in the static memory of its code.
static EXCEPTION: &[u8] = b"no such thing\n  at vm:7";

/// The one function of the VM. Its calculator adds the number of the object to every sum.
unsafe extern "C" fn call(
    loader_data: VmLoaderData,
    instance: GuestContractInstance,
    fn_id: u32,
    args: *const (),
    out: *mut (),
    arena: *mut CallArena,
    out_err: *mut AbiError,
) {
    assert!(!loader_data.data.is_null());
    // SAFETY: the host follows the protocol of the calculator's methods, and the object is one of `create`'s.
    unsafe {
        let object = &*instance.data.cast::<Object>();
        match fn_id {
            0 => {
                let [a, b] = *args.cast::<[i32; 2]>();
                out.cast::<i32>().write(a + b + object.number as i32 * 100);
            }
            1 => {
                // The error is at the place of a 64-bit union: behind the tag's padding.
                out.cast::<u32>().write(1);
                out.cast::<u64>().add(1).cast::<RawResult>().write(RawResult { tag: 0, error: 0 });
            }
            2 => {
                let name = (*args.cast::<StringView>()).bytes().unwrap();
                let place = (*arena).alloc(name.len(), 1);
                place.copy_from_nonoverlapping(name.as_ptr(), name.len());
                out.cast::<StringView>().write(StringView { ptr: place, len: name.len() });
            }
            _ => out_err.write(AbiError::new(AbiErrorCode::Exception, StringView::from_static(EXCEPTION))),
        }
    }
}

/// Registers a calculator of the VM, in the way of plugins with or without a schema.
struct VmLoader {
    vm: Arc<Vm>,
    flags: PluginFlags,
    with_schema: bool,
}

impl BundleLoader for VmLoader {
    fn loader_name(&self) -> &'static str {
        "machine"
    }

    fn loader_language(&self) -> SupportedLanguage {
        SupportedLanguage::Lua
    }

    fn supports_hot_reload(&self) -> bool {
        false
    }

    fn load(&self, manifest: &ManifestData, _: &BundleSource, runtime: &Runtime) -> Result<(), LoaderError> {
        let staging = runtime.staging(manifest.id)?;
        let vm = Arc::clone(&self.vm);
        let loader_data = VmLoaderData { data: Arc::as_ptr(&vm).cast_mut().cast::<c_void>() };
        staging.keep(vm);
        let interface = GuestContractInterface {
            contract_id: <dyn Calculator>::ID,
            contract_version: polyplug::Version::new(1, 2, 0),
            dispatch_type: DispatchType::VirtualMachine,
            create_instance: create,
            destroy_instance: destroy,
            dispatch: DispatchMechanisms { vm: VmDispatch { call, loader_data } },
        };
        let descriptor = PluginDescriptor {
            name: StringView::from_static(b"machine calculator"),
            contract_name: StringView::from_static(<dyn Calculator>::NAME.as_bytes()),
            version: polyplug::Version::new(1, 0, 0),
        };
        let schema = Schema::of::<dyn Calculator>().encode();
        let registration = PluginRegistration {
            struct_size: size_of::<PluginRegistration>(),
            descriptor,
            interface: &raw const interface,
            flags: self.flags,
            create: None,
            save: None,
            restore: None,
            health: None,
            schema: StringView::lend(&schema),
            reserved: null_mut(),
        };
        let host = staging.host_abi();
        self.vm.host.store(host.cast_mut(), Ordering::SeqCst);
        let (code, text) = reported(|error| {
            // SAFETY: the table is valid, and everything handed over is alive during the call.
            unsafe {
                if self.with_schema {
                    ((*host).register_plugin)(host, &raw const registration, error);
                } else {
                    ((*host).register_guest_contract)(host, &raw const descriptor, &raw const interface, error);
                }
            }
        });
        if code == 0 { Ok(()) } else { Err(LoaderError::Failed { bundle: manifest.name.clone(), reason: text }) }
    }

    fn reload(&self, _: &ManifestData, _: &Runtime) -> Result<(), LoaderError> {
        unreachable!("hot reload is not supported")
    }
}

/// A runtime with a bundle of the VM, and the VM.
fn loaded(flags: PluginFlags, with_schema: bool) -> (Arc<Runtime>, Arc<Vm>) {
    let vm = Arc::new(Vm::default());
    let loader = VmLoader { vm: Arc::clone(&vm), flags, with_schema };
    let runtime = Runtime::builder().loader(loader).build().unwrap();
    let source = BundleSource::Code("the machine needs none".to_owned());
    runtime.load_bundle_from(&manifest("machine", "machine", "main"), source).unwrap();
    (runtime, vm)
}

#[test]
fn a_proxy_calls_the_vm() {
    let (runtime, _vm) = loaded(PluginFlags::default(), true);
    let first = runtime.proxy::<dyn Calculator>().unwrap();
    let second = runtime.proxy::<dyn Calculator>().unwrap();
    assert_eq!((first.add(2, 3), second.add(2, 3)), (Ok(105), Ok(205)), "an object each");
    assert_eq!(first.clone().add(2, 3), Ok(105));
    assert_eq!(first.greet("Grüße"), Ok("Grüße".to_owned()));
    assert_eq!(first.divide(1, 0), Ok(Err(MathError::DivisionByZero)));
}

#[test]
fn an_exception_arrives_with_its_traceback() {
    let (runtime, _vm) = loaded(PluginFlags::default(), true);
    let error = runtime.proxy::<dyn Calculator>().unwrap().sum(&[1]).unwrap_err();
    let CallError::Exception(failure) = &error else { panic!("an exception, not {error:?}") };
    assert_eq!((failure.method.as_str(), failure.message.as_str()), ("demo.calculator.sum", "no such thing"));
    assert_eq!(failure.location.as_deref(), Some("vm:7"));
}

#[test]
fn objects_end_with_their_proxies() {
    let (runtime, vm) = loaded(PluginFlags::default(), true);
    let first = runtime.proxy::<dyn Calculator>().unwrap();
    let second = runtime.proxy::<dyn Calculator>().unwrap();
    drop(first);
    eventually("the first object ends", || vm.ended.load(Ordering::SeqCst) == 1);
    assert_eq!(second.add(1, 1), Ok(202));
    runtime.unload_bundle(BundleId::new("machine")).unwrap();
    assert_eq!(unloaded(second.add(1, 1)), "machine");
    drop(second);
    eventually("the second object ends", || vm.ended.load(Ordering::SeqCst) == 2);
    eventually("the machine is given back", || Arc::strong_count(&vm) == 2); // ours and the loader's
}

/// What a VM calls stateless still is an object to it.
#[test]
fn a_shared_object_is_one_for_all() {
    for flags in [PluginFlags::SINGLETON, PluginFlags::STATELESS] {
        let (runtime, vm) = loaded(flags, true);
        let proxies = [(); 3].map(|()| runtime.proxy::<dyn Calculator>().unwrap());
        assert!(proxies.iter().all(|proxy| proxy.add(2, 3) == Ok(105)));
        drop(proxies);
        assert_eq!(vm.ended.load(Ordering::SeqCst), 0);
        runtime.unload_bundle(BundleId::new("machine")).unwrap();
        eventually("the object ends with the bundle", || vm.ended.load(Ordering::SeqCst) == 1);
        assert_eq!(vm.made.load(Ordering::SeqCst), 1);
    }
}

#[test]
fn the_c_abi_calls_the_vm() {
    for with_schema in [true, false] {
        let (runtime, vm) = loaded(PluginFlags::default(), with_schema);
        let host = runtime.host_abi();
        let handle = runtime.find_guest_contract(<dyn Calculator>::ID.id(), 2).unwrap();
        let mut instance = GuestContractInstance::null();
        let (args, mut sum) = ([2_i32, 3], 0_i32);
        // SAFETY: the runtime is alive; arguments and room are those of the methods.
        unsafe {
            let (code, text) =
                reported(|error| ((*host).create_guest_instance)(host, handle, null(), &raw mut instance, error));
            assert_eq!(code, 0, "{text}");
            let (args, out) = ((&raw const args).cast(), (&raw mut sum).cast());
            let (code, text) =
                reported(|error| ((*host).call_guest_method)(host, instance, 0, args, out, null_mut(), error));
            assert_eq!((code, sum), (0, 105), "{text}");
            let (code, text) =
                reported(|error| ((*host).call_guest_method)(host, instance, 3, args, out, null_mut(), error));
            assert_eq!(code, AbiErrorCode::Exception as u32);
            assert!(text.contains("no such thing"), "{text}");
            ((*host).destroy_guest_instance)(host, instance);
        }
        eventually("the object ends", || vm.ended.load(Ordering::SeqCst) == 1);
    }
}

/// Calls with `call`, and checks that the text of the error is a copy: the code of the callee may be unloaded before
/// the caller reads the text.
fn fails_with_a_copy(call: impl FnOnce(*mut AbiError)) {
    let mut error = AbiError::ok();
    call(&raw mut error);
    // SAFETY: the host's texts stay until this thread's next call.
    let text = unsafe { error.message.bytes() };
    assert_eq!((error.code, text), (AbiErrorCode::Exception as u32, Some(EXCEPTION)));
    assert!(!EXCEPTION.as_ptr_range().contains(&error.message.ptr), "the text is in the memory of the callee");
}

#[test]
fn the_text_of_an_error_outlives_the_code_of_the_callee() {
    let (runtime, vm) = loaded(PluginFlags::default(), true);
    let handle = runtime.find_guest_contract(<dyn Calculator>::ID.id(), 2).unwrap();
    let callee = runtime.host_abi();
    let caller = manifest("caller", "machine", "main") + "[[dependency]]\ncontract = \"demo.calculator@1\"\n";
    runtime.load_bundle_from(&caller, BundleSource::Code(String::new())).unwrap();
    let caller = vm.host.load(Ordering::SeqCst).cast_const();
    let request = ProxyRequest {
        struct_size: size_of::<ProxyRequest>(),
        target: ProxyTarget::Peer,
        major: 1,
        minor: 0,
        reserved: 0,
        contract_name: StringView::from_static(<dyn Calculator>::NAME.as_bytes()),
        schema: StringView::null(),
    };
    let (mut instance, mut proxy) = (GuestContractInstance::null(), null_mut());
    // SAFETY: the runtime is alive, and both bundles are loaded; the method that fails reads and writes nothing.
    unsafe {
        let (code, text) = reported(|error| {
            ((*callee).create_guest_instance)(callee, handle, null(), &raw mut instance, error);
        });
        assert_eq!(code, 0, "{text}");
        fails_with_a_copy(|error| {
            ((*callee).call_guest_method)(callee, instance, 3, null(), null_mut(), null_mut(), error);
        });
        let (code, text) = reported(|error| {
            ((*caller).open_proxy)(caller, &raw const request, &raw mut proxy, null_mut(), error);
        });
        assert_eq!(code, 0, "{text}");
        fails_with_a_copy(|error| {
            ((*caller).call_proxy)(caller, proxy, 3, null(), null_mut(), null_mut(), error);
        });
        ((*caller).close_proxy)(caller, proxy);
        ((*callee).destroy_guest_instance)(callee, instance);
    }
}

#[test]
fn calls_by_name_reach_the_vm() {
    let (runtime, _vm) = loaded(PluginFlags::default(), true);
    let sum = runtime.call("demo.calculator@1", "add", &[2.into(), 3.into()]);
    assert_eq!(sum, Ok(polyplug::Value::I32(105)));
}

#[test]
fn a_source_in_memory_needs_no_folder() {
    let (runtime, _vm) = loaded(PluginFlags::default(), true);
    assert_eq!(runtime.bundle_name(BundleId::new("machine")).as_deref(), Some("machine"));
    assert!(!PathBuf::from("<memory>").exists());
}
