//! A plugin written by hand, without a schema, is callable by handle; typed proxies and calls by name need the schema,
//! which the bundle may bring as a file.

use std::ptr::{null, null_mut};
use std::sync::Arc;

use polyplug::error::{LoaderError, RuntimeError};
use polyplug::loader::{BundleLoader, BundleSource, ManifestData};
use polyplug::schema::{SIZE_LIMIT, Schema};
use polyplug::{CallError, Contract, Runtime, Value};
use polyplug_abi::{
    AbiError, CallArena, DispatchMechanisms, DispatchType, Entry, GuestContractId, GuestContractInstance,
    GuestContractInterface, HostApi, NativeDispatch, PluginDescriptor, StringView, SupportedLanguage, Version,
    VmLoaderData,
};
use polyplug_tests::{Bundle, manifest, reported};

/// What the plugin implements.
#[polyplug::contract(name = "test.handmade", version = "1.0")]
trait Handmade {
    fn add(&self, a: i32, b: i32) -> i32;
    fn double(&self, number: &u64) -> u64;
}

/// What it does not.
mod others {
    #[polyplug::contract(name = "test.longer", version = "1.0")]
    pub(super) trait Longer {
        fn add(&self, a: i32, b: i32) -> i32;
        fn double(&self, number: &u64) -> u64;
        fn triple(&self, number: &u64) -> u64;
    }
}

unsafe extern "C" fn add(_: GuestContractInstance, args: *const (), out: *mut (), _: *mut CallArena, _: *mut AbiError) {
    // SAFETY: the caller passes two numbers and room for one.
    unsafe {
        let [a, b] = args.cast::<[i32; 2]>().read();
        out.cast::<i32>().write(a + b);
    }
}

unsafe extern "C" fn double(
    _: GuestContractInstance,
    args: *const (),
    out: *mut (),
    _: *mut CallArena,
    _: *mut AbiError,
) {
    // SAFETY: the caller passes a number and room for one.
    unsafe { out.cast::<u64>().write(args.cast::<u64>().read() * 2) };
}

unsafe extern "C" fn create(_: VmLoaderData, _: *const HostApi, _: *const (), out: *mut GuestContractInstance) {
    let instance = GuestContractInstance { data: null_mut(), contract_id: GuestContractId::new("test.handmade", 1) };
    // SAFETY: the host passes room for an instance.
    unsafe { out.write(instance) };
}

unsafe extern "C" fn destroy(_: VmLoaderData, _: *const HostApi, _: GuestContractInstance) {}

static ENTRIES: [Entry; 2] = [add, double];

/// Registers the plugin as one written in C does.
struct ByHand;

impl BundleLoader for ByHand {
    fn loader_name(&self) -> &'static str {
        "by-hand"
    }

    fn loader_language(&self) -> SupportedLanguage {
        SupportedLanguage::Cpp
    }

    fn supports_hot_reload(&self) -> bool {
        false
    }

    fn load(&self, manifest: &ManifestData, _: &BundleSource, runtime: &Runtime) -> Result<(), LoaderError> {
        let host = runtime.staging(manifest.id)?.host_abi();
        let descriptor = PluginDescriptor {
            name: StringView::from_static(b"handmade"),
            contract_name: StringView::from_static(b"test.handmade"),
            version: Version::new(1, 0, 0),
        };
        let functions = ENTRIES.as_ptr().cast();
        let interface = GuestContractInterface {
            contract_id: GuestContractId::new("test.handmade", 1),
            contract_version: Version::new(1, 0, 0),
            dispatch_type: DispatchType::Native,
            create_instance: create,
            destroy_instance: destroy,
            dispatch: DispatchMechanisms { native: NativeDispatch { function_count: 2, functions } },
        };
        let (code, error) = reported(|error| {
            // SAFETY: the table is valid while the bundle is being loaded; the rest is on the stack.
            unsafe { ((*host).register_guest_contract)(host, &raw const descriptor, &raw const interface, error) }
        });
        if code == 0 { Ok(()) } else { Err(LoaderError::init_failed(&manifest.name, error)) }
    }

    fn reload(&self, _: &ManifestData, _: &Runtime) -> Result<(), LoaderError> {
        unreachable!("hot reload is not supported")
    }
}

fn handmade() -> (Arc<Runtime>, Bundle) {
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest("handmade", "by-hand", "plugin.hand"));
    bundle.write("plugin.hand", "");
    (Runtime::builder().loader(ByHand).build().unwrap(), bundle)
}

/// The file in which the bundle may bring its schema.
const FILE: &str = "test.handmade@1.schema";

#[test]
fn it_is_callable_by_handle() {
    let (runtime, bundle) = handmade();
    runtime.load_bundle(bundle.path()).unwrap();
    let host = runtime.host_abi();
    let handle = runtime.find_guest_contract(<dyn Handmade>::ID.id(), 0).unwrap();
    let mut instance = GuestContractInstance::null();
    // SAFETY: the runtime is alive, and the room is writable.
    let made =
        reported(|error| unsafe { ((*host).create_guest_instance)(host, handle, null(), &raw mut instance, error) });
    assert_eq!(made, (0, String::new()));
    let (args, mut out) = ([2_i32, 3], 0_i32);
    let (args_at, out_at) = ((&raw const args).cast(), (&raw mut out).cast());
    // SAFETY: the runtime is alive; arguments and room are what `add` expects.
    let called =
        reported(|error| unsafe { ((*host).call_guest_method)(host, instance, 0, args_at, out_at, null_mut(), error) });
    assert_eq!((called, out), ((0, String::new()), 5));
    // SAFETY: the runtime is alive.
    unsafe { ((*host).destroy_guest_instance)(host, instance) };
}

#[test]
fn proxies_refuse_it_and_say_what_to_do() {
    let (runtime, bundle) = handmade();
    runtime.load_bundle(bundle.path()).unwrap();
    let error = runtime.proxy::<dyn Handmade>().unwrap_err();
    assert!(matches!(&error, RuntimeError::NoSchema { file, .. } if file == FILE), "{error:?}");
    let text = "bundle `handmade`: plugin `handmade` has no schema of `test.handmade`, so a typed proxy cannot know what \
                it implements: put the contract's schema (`Schema::of::<dyn ..>().encode()`) into the bundle as \
                `test.handmade@1.schema`, or call it by handle";
    assert_eq!(error.to_string(), text);
    assert_eq!(runtime.dynamic("test.handmade@1").unwrap_err().to_string(), text);
    let error = runtime.call("test.handmade@1", "add", &[1.into(), 2.into()]).unwrap_err();
    assert!(matches!(&error, CallError::NotFound(failure) if failure.message == text), "{error}");
}

#[test]
fn with_a_schema_in_a_file_it_is_a_plugin_like_any_other() {
    let (runtime, bundle) = handmade();
    bundle.write(FILE, Schema::of::<dyn Handmade>().encode());
    runtime.load_bundle(bundle.path()).unwrap();
    let proxy = runtime.proxy::<dyn Handmade>().unwrap();
    assert_eq!(proxy.add(2, 3), Ok(5));
    assert_eq!(proxy.double(&(1 << 40)), Ok(1 << 41));
    assert_eq!(runtime.call("test.handmade@1", "double", &[Value::U8(4)]), Ok(Value::U64(8)));
}

/// Loads the bundle with `schema` as its file, which must be refused with a text that names it; the text behind that.
#[track_caller]
fn refused(schema: &[u8]) -> String {
    let (runtime, bundle) = handmade();
    bundle.write(FILE, schema);
    let error = runtime.load_bundle(bundle.path()).unwrap_err();
    let path = bundle.path().join(FILE);
    assert!(
        matches!(&error, RuntimeError::Loader(LoaderError::ArtifactInvalid { bundle, path: of, .. }) if *of == path && bundle == "handmade"),
        "{error:?}"
    );
    assert_eq!(runtime.bundle_ids(), []);
    let text = error.to_string();
    let start = format!("bundle `handmade`: {}: ", path.display());
    text.strip_prefix(&start).unwrap_or_else(|| panic!("`{start}` is in front of `{text}`")).to_owned()
}

#[test]
fn a_file_that_is_no_schema_is_refused() {
    let right = Schema::of::<dyn Handmade>().encode();
    assert_eq!(refused(b""), "plugin `handmade`: not a schema: it does not begin like one of version 1 or 2");
    assert_eq!(refused(b"hello"), "plugin `handmade`: not a schema: it does not begin like one of version 1 or 2");
    assert_eq!(refused(&right[..right.len() - 1]), "plugin `handmade`: not a schema: it ends too early");
    assert_eq!(refused(&[&right[..], b"!"].concat()), "plugin `handmade`: not a schema: 1 bytes are left over");
    let text = refused(&vec![0; SIZE_LIMIT + 1]);
    assert_eq!(text, "1048577 bytes are too many for a schema (at most 1048576): is this the right file?");
    let text = refused(&vec![0; SIZE_LIMIT * 3]);
    assert!(text.contains("too many for a schema (at most 1048576)"), "{text}");
}

#[test]
fn a_file_of_something_else_is_refused() {
    let text = refused(&Schema::of::<dyn others::Longer>().encode());
    assert_eq!(text, "plugin `handmade`: the schema is of test.longer@1.0, and the interface is not");
    let mut schema = Schema::of::<dyn others::Longer>();
    schema.name = "test.handmade".into();
    let text = refused(&schema.encode());
    assert_eq!(text, "plugin `handmade`: the table has 2 functions, and test.handmade@1.0 has 3 methods");
    schema.methods.truncate(1);
    let text = refused(&schema.encode());
    assert_eq!(text, "plugin `handmade`: the table has 2 functions, and test.handmade@1.0 has 1 methods");
    let mut schema = Schema::of::<dyn Handmade>();
    schema.major = 2;
    let text = refused(&schema.encode());
    assert_eq!(text, "plugin `handmade`: the schema is of test.handmade@2.0, and the interface is not");
}

#[test]
fn a_file_that_cannot_be_read_is_refused() {
    let (runtime, bundle) = handmade();
    std::fs::create_dir(bundle.path().join(FILE)).unwrap();
    let text = runtime.load_bundle(bundle.path()).unwrap_err().to_string();
    assert!(text.starts_with("bundle `handmade`: ") && text.contains(FILE), "{text}");
}

#[test]
fn a_file_that_describes_something_incompatible_is_refused_as_the_plugin_would_be() {
    let (runtime, bundle) = handmade();
    let mut schema = Schema::of::<dyn Handmade>();
    schema.methods[1].arguments[0].ty = polyplug::schema::TypeRef::String;
    bundle.write(FILE, schema.encode());
    let error = runtime.load_bundle(bundle.path()).unwrap_err();
    assert!(matches!(error, RuntimeError::Incompatible { .. }), "{error:?}");
    assert!(error.to_string().contains("double: argument `number`: the host has u64, the plugin string"), "{error}");
}
