//! The host implements contracts that plugins call.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};

use polyplug::error::RuntimeError;
use polyplug::{CallError, Contract, HostContractId, Runtime};
use polyplug_abi::AbiErrorCode;
use polyplug_native::NativeLoader;
use polyplug_tests::{Bundle, runtime};
use test_contracts::calling::{Caller, CallerProxy, Echo, Logger};

/// Counts those of it that there are.
#[derive(Default)]
struct Memory {
    prefix: String,
    lines: Mutex<Vec<String>>,
}

static ALIVE: AtomicU32 = AtomicU32::new(0);

impl Memory {
    fn new(prefix: &str) -> Self {
        ALIVE.fetch_add(1, Ordering::SeqCst);
        Self { prefix: prefix.to_owned(), lines: Mutex::default() }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Logger for Memory {
    fn log(&self, line: &str) -> u32 {
        let mut lines = self.lines.lock().unwrap();
        lines.push(format!("{}{line}", self.prefix));
        u32::try_from(lines.len()).unwrap()
    }

    fn panics(&self, words: &str) {
        panic!("{words}");
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

/// A bundle that calls.
fn caller(runtime: &Runtime, name: &str) -> (Bundle, CallerProxy) {
    let bundle = Bundle::native(name, "plugin-caller");
    let id = runtime.load_bundle(bundle.path()).unwrap();
    let caller = runtime.proxy_from::<dyn Caller>(id).unwrap();
    (bundle, caller)
}

/// One test at a time counts what is alive.
fn alone() -> std::sync::MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[test]
fn plugins_share_one_object() {
    let _alone = alone();
    let runtime = runtime();
    runtime.provide::<dyn Logger>(Memory::new("")).unwrap();
    assert_eq!(ALIVE.load(Ordering::SeqCst), 1);
    let ((_one, first), (_other, second)) = (caller(&runtime, "first"), caller(&runtime, "second"));
    assert_eq!(first.log("one"), Ok(Ok(1)));
    assert_eq!(second.log("two"), Ok(Ok(2)));
    assert_eq!(first.lines(), Ok(Ok(vec!["one".to_owned(), "two".to_owned()])));
    drop((first, second));
    drop(runtime);
    assert_eq!(ALIVE.load(Ordering::SeqCst), 0, "it goes with the runtime");
}

#[test]
fn each_proxy_may_have_an_object_of_its_own() {
    let _alone = alone();
    let runtime = runtime();
    runtime.provide_each::<dyn Logger, _>(|bundle| Memory::new(&format!("{bundle}: "))).unwrap();
    assert_eq!(ALIVE.load(Ordering::SeqCst), 0);
    let ((_one, first), (_other, second)) = (caller(&runtime, "first"), caller(&runtime, "second"));
    assert_eq!((first.log("x"), second.log("y")), (Ok(Ok(1)), Ok(Ok(1))));
    assert_eq!(first.lines(), Ok(Ok(vec!["first: x".to_owned()])));
    assert_eq!(second.lines(), Ok(Ok(vec!["second: y".to_owned()])));
    assert_eq!(ALIVE.load(Ordering::SeqCst), 2);
    first.forget().unwrap();
    polyplug_tests::eventually("its object goes", || ALIVE.load(Ordering::SeqCst) == 1);
    drop((first, second));
    runtime.unload_bundle(polyplug::BundleId::new("second")).unwrap();
    polyplug_tests::eventually("the other's object goes with its bundle", || ALIVE.load(Ordering::SeqCst) == 0);
}

#[test]
fn a_host_that_panics_is_an_error_of_the_call() {
    let runtime = runtime();
    runtime.provide::<dyn Logger>(Memory::default()).unwrap();
    let (_bundle, caller) = caller(&runtime, "caller");
    let error = caller.host_panics("out of paper").unwrap().unwrap_err();
    assert!(
        error.starts_with("the host, test.logger.panics: panicked: out of paper (at tests/tests/host_contracts.rs:"),
        "{error}"
    );
    assert!(error.contains("[panic]"), "{error}");
    assert_eq!(caller.log("goes on"), Ok(Ok(1)));
}

#[test]
fn what_is_not_provided_is_said_so() {
    let runtime = runtime();
    let (_bundle, caller) = caller(&runtime, "caller");
    let error = caller.log("x").unwrap().unwrap_err();
    assert!(error.contains("the host does not provide the host contract test.logger@1.0"), "{error}");
    assert!(error.contains(&format!("code {}", AbiErrorCode::HostContractNotFound as u32)), "{error}");
    runtime.provide::<dyn Logger>(Memory::default()).unwrap();
    assert_eq!(caller.log("x"), Ok(Ok(1)), "provided later, found later");
}

mod older {
    #[polyplug::contract(name = "test.logger", version = "1.0")]
    pub(crate) trait Logger {
        fn log(&self, line: &str) -> u32;
        fn panics(&self, words: &str);
    }

    pub(crate) struct Nothing;

    impl Logger for Nothing {
        fn log(&self, _: &str) -> u32 {
            7
        }

        fn panics(&self, _: &str) {}
    }
}

mod newer {
    #[polyplug::contract(name = "test.logger", version = "1.2")]
    pub(crate) trait Logger {
        fn panics(&self, words: &str);
        fn log(&self, line: &str) -> u32;
        #[contract(since = "1.1")]
        fn lines(&self) -> Vec<String>;
        #[contract(since = "1.2")]
        fn flush(&self);
    }

    pub(crate) struct Nothing;

    impl Logger for Nothing {
        fn flush(&self) {}

        fn log(&self, _: &str) -> u32 {
            8
        }

        fn panics(&self, _: &str) {}

        fn lines(&self) -> Vec<String> {
            vec!["newer".to_owned()]
        }
    }
}

mod changed {
    #[polyplug::contract(name = "test.logger", version = "1.1")]
    pub(crate) trait Logger {
        fn log(&self, line: &str, level: u32) -> u32;
    }

    pub(crate) struct Nothing;

    impl Logger for Nothing {
        fn log(&self, _: &str, _: u32) -> u32 {
            9
        }
    }
}

#[test]
fn an_older_host_lacks_what_it_lacks() {
    let runtime = runtime();
    runtime.provide::<dyn older::Logger>(older::Nothing).unwrap();
    let (_bundle, caller) = caller(&runtime, "caller");
    assert_eq!(caller.log("x"), Ok(Ok(7)), "the plugin is content with 1.0");
    let error = caller.lines().unwrap().unwrap_err();
    assert!(error.contains("[method_not_available]"), "{error}");
    assert!(
        error.starts_with(
            "the host, test.logger.lines: the method exists since version 1.1 of the contract, and the host"
        ),
        "{error}"
    );
    let error = caller.log_on_threads(1, 1).unwrap().unwrap_err();
    assert!(error.contains("the host provides 1.0 of the host contract, and test.logger@1.1 is wanted"), "{error}");
}

#[test]
fn a_newer_host_serves_older_plugins() {
    let runtime = runtime();
    runtime.provide::<dyn newer::Logger>(newer::Nothing).unwrap();
    let (_bundle, caller) = caller(&runtime, "caller");
    assert_eq!(caller.log("x"), Ok(Ok(8)), "though the methods are numbered differently");
    assert_eq!(caller.lines(), Ok(Ok(vec!["newer".to_owned()])));
}

#[test]
fn another_contract_of_that_name_is_refused() {
    let runtime = runtime();
    runtime.provide::<dyn changed::Logger>(changed::Nothing).unwrap();
    let (_bundle, caller) = caller(&runtime, "caller");
    let error = caller.log("x").unwrap().unwrap_err();
    assert!(error.contains("the host has another test.logger@1.0 than this plugin calls"), "{error}");
    assert!(error.contains("log"), "{error}");
}

#[test]
fn a_contract_is_provided_once() {
    let _alone = alone();
    let runtime = runtime();
    runtime.provide::<dyn Logger>(Memory::new("first")).unwrap();
    let again = runtime.provide::<dyn Logger>(Memory::new("second"));
    assert!(matches!(again, Err(RuntimeError::AlreadyProvided { .. })));
    assert_eq!(
        again.unwrap_err().to_string(),
        "the runtime provides the host contract test.logger@1.1 already: provide each once"
    );
    assert_eq!(ALIVE.load(Ordering::SeqCst), 1, "what is refused goes");
    runtime.provide::<dyn Echo>(Resounding(Weak::new())).unwrap();
}

#[test]
fn a_factory_that_panics_gives_no_proxy() {
    let runtime = runtime();
    runtime.provide_each::<dyn Logger, Memory>(|_| panic!("no ink")).unwrap();
    let (_bundle, caller) = caller(&runtime, "caller");
    let error = caller.log("x").unwrap().unwrap_err();
    assert!(error.contains("no instance of test.logger@1.0 could be made"), "{error}");
}

/// Calls the plugin that calls it. It belongs to the runtime, so it must not hold it.
struct Resounding(Weak<Runtime>);

impl Echo for Resounding {
    fn call_back(&self, depth: u32) -> Result<u32, String> {
        let runtime = self.0.upgrade().ok_or("the runtime has ended")?;
        let caller = runtime.proxy::<dyn Caller>().map_err(|error| error.to_string())?;
        caller.nested(depth - 1).map_err(|error| error.to_string())?
    }
}

#[test]
fn calls_nest() {
    let runtime = runtime();
    runtime.provide::<dyn Echo>(Resounding(Arc::downgrade(&runtime))).unwrap();
    let (_bundle, caller) = caller(&runtime, "caller");
    for depth in [0, 1, 2, 10, 50] {
        assert_eq!(caller.nested(depth), Ok(Ok(depth)));
    }
    let weak = Arc::downgrade(&runtime);
    drop(runtime);
    assert!(weak.upgrade().is_none(), "what is provided does not keep the runtime");
    assert!(matches!(caller.nested(1), Err(CallError::Unloaded { .. })));
}

#[test]
fn nesting_without_end_is_an_error() {
    let runtime = runtime();
    runtime.provide::<dyn Echo>(Resounding(Arc::downgrade(&runtime))).unwrap();
    let (_bundle, caller) = caller(&runtime, "caller");
    // A thread with as much stack as a program's main thread has.
    let error = std::thread::scope(|scope| {
        let deep = std::thread::Builder::new().stack_size(8 << 20);
        deep.spawn_scoped(scope, || caller.nested(1_000_000).unwrap().unwrap_err()).unwrap().join().unwrap()
    });
    assert!(error.contains("calls by way of the host are nested on this thread"), "{error}");
    assert_eq!(caller.nested(3), Ok(Ok(3)), "and all is well again");
}

#[test]
fn any_thread_calls_the_host() {
    let runtime = runtime();
    runtime.provide::<dyn Logger>(Memory::default()).unwrap();
    let (_bundle, caller) = caller(&runtime, "caller");
    assert_eq!(caller.log_on_threads(4, 200), Ok(Ok(800)));
}

/// Plugins in C find what is provided in Rust.
#[test]
fn the_c_abi_finds_what_is_provided() {
    use polyplug_abi::{AbiError, GuestContractId, GuestContractInstance};
    let runtime = runtime();
    runtime.provide::<dyn Logger>(Memory::default()).unwrap();
    let (host, id) = (runtime.host_abi(), HostContractId::new("test.logger", 1).id());
    // SAFETY: the table is valid while the runtime is; `log` takes a text and returns a number.
    unsafe {
        let table = ((*host).resolve_host_contract_interface)(host, id, 1);
        assert_eq!((*table).contract_version, polyplug::Version::new(1, 1, 0));
        assert!(((*host).resolve_host_contract_interface)(host, id, 2).is_null());
        let object = ((*host).get_host_contract)(host, id, 0);
        assert_eq!(((*host).get_host_contract)(host, id, 0), object, "one for everybody");
        let log = (*table).dispatch.native.functions.cast::<polyplug_abi::Entry>().read();
        let (line, mut count, mut error) = (polyplug_abi::StringView::from_static(b"from C"), 0u32, AbiError::ok());
        let instance = GuestContractInstance { data: object.data, contract_id: GuestContractId::from_u64(id) };
        log(instance, (&raw const line).cast(), (&raw mut count).cast(), std::ptr::null_mut(), &raw mut error);
        assert!(error.is_ok());
        assert_eq!(count, 1);
    }
    let _ = <dyn Logger>::NAME;
}

#[test]
fn calls_go_on_over_a_reload() {
    let runtime = Runtime::builder().loader(NativeLoader::new()).hot_reload(true).build().unwrap();
    runtime.provide::<dyn Logger>(Memory::default()).unwrap();
    let (bundle, caller) = caller(&runtime, "caller");
    for round in 1..=5 {
        assert_eq!(caller.log("x"), Ok(Ok(round)));
        runtime.reload_bundle(bundle.path()).unwrap();
    }
    drop(caller);
    assert_eq!(runtime.quiesce(std::time::Duration::from_secs(20)), [], "a plugin's proxies keep nobody");
}
