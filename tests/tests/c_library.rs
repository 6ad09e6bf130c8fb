//! polyplug as a C library: two symbols and no others, a runtime that knows every loader, and no panic that leaves it.

use std::ptr::null;

use libloading::Library;
use polyplug::ffi;
use polyplug_abi::{AbiErrorCode, HostApi, RuntimeConfig};
use polyplug_tests::{Bundle, library, reported};

type Create = unsafe extern "C" fn(*const RuntimeConfig) -> *const HostApi;
type Destroy = unsafe extern "C" fn(*const HostApi);

struct CLibrary(Library);

impl CLibrary {
    fn open() -> Self {
        // SAFETY: what it runs when it is opened is the standard library's.
        Self(unsafe { Library::new(library("polyplug-loaders")) }.unwrap())
    }

    fn create(&self, config: *const RuntimeConfig) -> *const HostApi {
        // SAFETY: the symbol has this type, and the configuration is null or whole.
        unsafe { self.0.get::<Create>(b"polyplug_runtime_create\0").unwrap()(config) }
    }

    fn destroy(&self, host: *const HostApi) {
        // SAFETY: the symbol has this type; each test hands over null, or a runtime once.
        unsafe { self.0.get::<Destroy>(b"polyplug_runtime_destroy\0").unwrap()(host) };
    }
}

fn load(host: *const HostApi, bundle: &Bundle) -> (u32, String) {
    let path = bundle.path().to_str().unwrap();
    // SAFETY: the runtime is alive.
    reported(|error| unsafe { ((*host).load_bundle)(host, path.as_ptr(), path.len(), error) })
}

fn reload(host: *const HostApi, bundle: &Bundle) -> (u32, String) {
    let path = bundle.path().to_str().unwrap();
    // SAFETY: the runtime is alive.
    reported(|error| unsafe { ((*host).reload_bundle)(host, path.as_ptr(), path.len(), error) })
}

#[test]
fn without_a_configuration_the_defaults_hold() {
    let (library, bundle) = (CLibrary::open(), Bundle::native("calc", "plugin-calc"));
    let host = library.create(null());
    assert!(!host.is_null());
    assert_eq!(load(host, &bundle), (0, String::new()), "the native loader is there");
    assert_eq!(reload(host, &bundle).0, AbiErrorCode::NotAllowed as u32);
    library.destroy(host);
}

#[test]
fn a_configuration_is_heeded() {
    let (library, bundle) = (CLibrary::open(), Bundle::native("calc", "plugin-calc"));
    let host = library.create(&RuntimeConfig { hot_reload_enabled: true, ..RuntimeConfig::default() });
    assert_eq!(load(host, &bundle).0, 0);
    assert_eq!(reload(host, &bundle), (0, String::new()));
    library.destroy(host);
}

#[test]
fn two_runtimes_share_nothing() {
    let (library, bundle) = (CLibrary::open(), Bundle::native("calc", "plugin-calc"));
    let (one, two) = (library.create(null()), library.create(null()));
    assert_eq!(load(one, &bundle).0, 0);
    assert_eq!(load(two, &bundle).0, 0);
    library.destroy(one);
    // SAFETY: the second runtime is alive.
    assert_eq!(unsafe { ((*two).list_bundles)(two) }.len, 1);
    library.destroy(two);
}

#[test]
fn no_runtime_is_ignored() {
    CLibrary::open().destroy(null());
}

#[test]
fn a_panic_while_it_is_set_up_makes_no_runtime() {
    // SAFETY: null is allowed.
    let host = unsafe { ffi::create_with(null(), |_| panic!("on purpose")) };
    assert!(host.is_null());
}

#[test]
fn loaders_that_clash_make_no_runtime() {
    use polyplug_native::NativeLoader;
    // SAFETY: null is allowed.
    let host =
        unsafe { ffi::create_with(null(), |builder| builder.loader(NativeLoader::new()).loader(NativeLoader::new())) };
    assert!(host.is_null());
}

/// polyplug's guest side defines what plugins export, and rustc would export it from here as well.
#[test]
#[cfg(target_os = "linux")]
fn it_does_not_pass_for_a_plugin() {
    let library = CLibrary::open();
    for symbol in [b"polyplug_init\0".as_slice(), b"polyplug_abi_version\0"] {
        // SAFETY: the symbol is not used.
        assert!(unsafe { library.0.get::<*const ()>(symbol) }.is_err());
    }
    let bundle = Bundle::native("no-plugin", "polyplug-loaders");
    let host = library.create(null());
    let (code, text) = load(host, &bundle);
    assert!(code != 0 && text.contains("does not export `polyplug_abi_version`"), "{text}");
    library.destroy(host);
}
