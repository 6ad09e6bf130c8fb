//! Plugins that work on canonical memory themselves: their instances, their errors, and their ends.

use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use polyplug::engine::{
    self, Engine, Exception, Fault, IncomingCall, KnownContract, Limits, LoadedCode, LowLevel, PluginDecl,
};
use polyplug::error::{LoaderError, RuntimeError};
use polyplug::loader::{BundleLoader, BundleSource, ManifestData};
use polyplug::{BundleId, GuestContractId, Runtime, Version};
use polyplug_abi::{AbiErrorCode, CallArena, GuestContractInstance, SupportedLanguage};
use polyplug_tests::{eventually, manifest, reported};

/// What the plugins of a test have done.
#[derive(Default)]
struct Seen {
    made: AtomicUsize,
    ended: AtomicUsize,
    plugins: AtomicUsize,
}

/// A plugin whose functions are a number, a failure, another one, and a panic.
pub(super) struct Numbers {
    seen: Arc<Seen>,
    /// How many instances can be made.
    limit: usize,
}

impl Numbers {
    pub(super) fn unlimited() -> Self {
        Self { seen: Arc::default(), limit: usize::MAX }
    }
}

impl LowLevel for Numbers {
    type Instance = usize;

    fn functions(&self) -> usize {
        5
    }

    fn create(&self) -> Result<usize, Fault> {
        let number = self.seen.made.fetch_add(1, Ordering::SeqCst);
        match self.limit {
            0 => panic!("no instance at all"),
            limit if number >= limit => Err(Fault::new("sold out")),
            _ => Ok(number),
        }
    }

    fn end(&self, number: usize) {
        self.seen.ended.fetch_add(1, Ordering::SeqCst);
        assert!(number != 2, "the end of number 2");
    }

    fn call(
        &self,
        number: &usize,
        function: usize,
        _: *const (),
        out: *mut (),
        _: *mut CallArena,
    ) -> Result<(), Fault> {
        match function {
            // SAFETY: the test passes room for a number.
            0 => unsafe { out.cast::<usize>().write(*number) },
            1 => {
                let (message, location) = ("Error: none".to_owned(), Some("main:3".to_owned()));
                return Err(Exception { message, location, traceback: Some("by main".to_owned()) }.into());
            }
            2 => return Err(Limits::default().out_of_memory("numbers")),
            _ => panic!("function {function}"),
        }
        Ok(())
    }
}

impl Drop for Numbers {
    fn drop(&mut self) {
        self.seen.plugins.fetch_sub(1, Ordering::SeqCst);
    }
}

/// No bundle of the test's has an engine.
pub(super) enum Never {}

impl Engine for Never {
    type Object = ();

    fn prepare(&self, _: usize, _: &KnownContract) -> Result<(), Fault> {
        match *self {}
    }

    fn create(&self, _: usize) -> Result<(), Fault> {
        match *self {}
    }

    fn end(&self, (): ()) {
        match *self {}
    }

    fn call(&self, _: usize, (): &(), _: &IncomingCall<'_>) -> Result<(), Fault> {
        match *self {}
    }

    fn call_object(&self, _: u32, (): &(), _: &KnownContract, _: &IncomingCall<'_>) -> Result<(), Fault> {
        match *self {}
    }

    fn save(&self, _: usize, (): &()) -> Result<Vec<u8>, Fault> {
        match *self {}
    }

    fn restore(&self, _: usize, _: &[u8], _: Version) -> Result<(), Fault> {
        match *self {}
    }
}

/// Its programs are lists of contracts. The plugins for `limited` ones make that many instances.
#[derive(Default)]
struct Lists {
    seen: Arc<Seen>,
    limit: Option<usize>,
}

impl BundleLoader for Lists {
    fn loader_name(&self) -> &'static str {
        "lists"
    }

    fn loader_language(&self) -> SupportedLanguage {
        SupportedLanguage::Cpp
    }

    fn supports_hot_reload(&self) -> bool {
        false
    }

    fn load(&self, manifest: &ManifestData, source: &BundleSource, runtime: &Runtime) -> Result<(), LoaderError> {
        let BundleSource::Code(text) = source else { unreachable!("programs are in memory") };
        engine::load_either::<Never, _>(manifest, runtime, |guest| {
            let context = guest.init_context();
            assert_eq!(context.bundle_id, manifest.id.id());
            // SAFETY: the path is empty or the guest's.
            assert_eq!(unsafe { context.bundle_path.bytes() }, Some(&b""[..]), "of a bundle in memory");
            let plugins = text.lines().map(|contract| {
                self.seen.plugins.fetch_add(1, Ordering::SeqCst);
                let plugin = Numbers { seen: Arc::clone(&self.seen), limit: self.limit.unwrap_or(usize::MAX) };
                let place = Some(format!("list: {contract}"));
                (PluginDecl { contract: contract.to_owned(), place, ..PluginDecl::default() }, plugin)
            });
            Ok(LoadedCode::LowLevel(plugins.collect()))
        })
    }

    fn reload(&self, _: &ManifestData, _: &Runtime) -> Result<(), LoaderError> {
        unreachable!("hot reload is not supported")
    }
}

fn load(limit: Option<usize>, program: &str) -> (Result<Arc<Runtime>, RuntimeError>, Arc<Seen>) {
    let seen = Arc::<Seen>::default();
    let loader = Lists { seen: Arc::clone(&seen), limit };
    let runtime = Runtime::builder().loader(loader).build().unwrap();
    let source = BundleSource::Code(program.to_owned());
    let loaded = runtime.load_bundle_from(&manifest("numbers", "lists", "list"), source);
    (loaded.map(|_| runtime), seen)
}

/// Calls a function of an instance; code and text, and the number it wrote.
fn call(runtime: &Runtime, instance: GuestContractInstance, function: u32) -> ((u32, String), usize) {
    let mut out = usize::MAX;
    let handle = runtime.find_guest_contract(GuestContractId::new("test.numbers", 1).id(), 0).unwrap();
    let lease = runtime.lease(handle).unwrap();
    // SAFETY: leased; the room is writable.
    let said = unsafe {
        let vm = (*lease.interface()).dispatch.vm;
        let out = (&raw mut out).cast();
        reported(|error| (vm.call)(vm.loader_data, instance, function, null(), out, null_mut(), error))
    };
    (said, out)
}

fn create(runtime: &Runtime) -> (GuestContractInstance, (u32, String)) {
    let host = runtime.host_abi();
    let handle = runtime.find_guest_contract(GuestContractId::new("test.numbers", 1).id(), 0).unwrap();
    let mut instance = GuestContractInstance::null();
    // SAFETY: the runtime is alive, and the room is writable.
    let said =
        reported(|error| unsafe { ((*host).create_guest_instance)(host, handle, null(), &raw mut instance, error) });
    (instance, said)
}

#[test]
fn each_failure_has_its_code() {
    let (runtime, _seen) = load(None, "test.numbers@1");
    let runtime = runtime.unwrap();
    let default = GuestContractInstance::null();
    assert_eq!(call(&runtime, default, 0), ((0, String::new()), 0));
    let ((code, text), _) = call(&runtime, default, 1);
    assert_eq!(code, AbiErrorCode::Generic as u32);
    assert_eq!(text, "Error: none\n  at numbers/main:3\ntraceback:\nby main");
    let ((code, text), _) = call(&runtime, default, 2);
    assert_eq!(code, AbiErrorCode::LimitReached as u32, "{text}");
    let ((code, text), _) = call(&runtime, default, 4);
    assert_eq!(code, AbiErrorCode::Generic as u32);
    assert!(text.starts_with("the loader panicked: function 4"), "{text}");
    let ((code, text), _) = call(&runtime, default, 5);
    assert_eq!(code, AbiErrorCode::FunctionNotAvailable as u32, "{text}");
}

#[test]
fn everything_ends_with_the_bundle() {
    let (runtime, seen) = load(None, "test.numbers@1\ntest.numbers@2");
    let runtime = runtime.unwrap();
    let (token, said) = create(&runtime);
    assert_eq!(said, (0, String::new()));
    assert_eq!(seen.made.load(Ordering::SeqCst), 3, "two for those who make none");
    // SAFETY: the runtime is alive.
    unsafe { ((*runtime.host_abi()).destroy_guest_instance)(runtime.host_abi(), token) };
    eventually("the instance ends", || seen.ended.load(Ordering::SeqCst) == 1);
    // It panicked there, which is nobody's matter but the log's.
    runtime.unload_bundle(BundleId::new("numbers")).unwrap();
    eventually("the others end", || seen.ended.load(Ordering::SeqCst) == 3);
    eventually("the plugins go", || seen.plugins.load(Ordering::SeqCst) == 0);
}

#[test]
fn a_plugin_that_makes_no_instance_is_not_loaded() {
    let (refused, seen) = load(Some(0), "test.numbers@1");
    let text = refused.unwrap_err().to_string();
    let expected =
        "bundle `numbers`: could not be started: list: test.numbers@1: the loader panicked: no instance at all";
    assert!(text.starts_with(expected), "{text}");
    eventually("the plugin goes", || seen.plugins.load(Ordering::SeqCst) == 0);
    let (refused, seen) = load(Some(1), "test.numbers@1\ntest.numbers@2");
    let text = refused.unwrap_err().to_string();
    assert_eq!(text, "bundle `numbers`: could not be started: list: test.numbers@2: sold out");
    eventually("the plugins go", || seen.plugins.load(Ordering::SeqCst) == 0);
    assert_eq!(seen.ended.load(Ordering::SeqCst), 1);
}

#[test]
fn names_are_read_before_anything_is_made() {
    let (refused, seen) = load(None, "test.numbers@1\nno contract");
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("list: no contract: \"no contract\" names no contract"), "{text}");
    assert_eq!(seen.made.load(Ordering::SeqCst), 0);
    eventually("the plugins go", || seen.plugins.load(Ordering::SeqCst) == 0);
}

#[test]
fn a_factory_that_fails_is_reported() {
    let (runtime, _seen) = load(Some(1), "test.numbers@1");
    let runtime = runtime.unwrap();
    let (instance, (code, text)) = create(&runtime);
    assert_eq!((instance.is_null(), code), (true, AbiErrorCode::FactoryFailed as u32));
    assert!(text.contains("could not be started: sold out"), "{text}");
    assert_eq!(call(&runtime, GuestContractInstance::null(), 0), ((0, String::new()), 0));
}
