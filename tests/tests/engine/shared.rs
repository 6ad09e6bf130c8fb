//! An engine that says so has many threads in it at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use polyplug::engine::{self, Engine, Fault, IncomingCall, KnownContract, PluginDecl};
use polyplug::error::LoaderError;
use polyplug::loader::{BundleLoader, BundleSource, ManifestData};
use polyplug::{Runtime, Version};
use polyplug_abi::SupportedLanguage;
use polyplug_tests::manifest;
use test_contracts::Threads;

/// How many threads meet.
const THREADS: usize = 3;

/// An engine in whose calls threads wait for each other.
struct Meeting {
    here: Barrier,
    ended: Arc<AtomicUsize>,
}

impl Engine for Meeting {
    const EXCLUSIVE: bool = false;

    type Object = usize;

    fn method_name(name: &str) -> String {
        name.to_uppercase()
    }

    fn prepare(&self, _: usize, contract: &KnownContract) -> Result<(), Fault> {
        assert_eq!(contract.schema.name, "test.threads", "an engine may panic");
        Ok(())
    }

    fn create(&self, plugin: usize) -> Result<usize, Fault> {
        Ok(plugin + 7)
    }

    fn end(&self, object: usize) {
        assert_eq!(object, 7);
        self.ended.fetch_add(1, Ordering::SeqCst);
    }

    fn call(&self, _: usize, instance: &usize, call: &IncomingCall<'_>) -> Result<(), Fault> {
        assert_eq!((*instance, call.number(), call.arguments()), (7, 0, 0));
        self.here.wait();
        Ok(())
    }

    fn call_object(&self, _: u32, _: &usize, _: &KnownContract, _: &IncomingCall<'_>) -> Result<(), Fault> {
        unreachable!("it hands none over")
    }

    fn save(&self, _: usize, _: &usize) -> Result<Vec<u8>, Fault> {
        unreachable!("it keeps no state")
    }

    fn restore(&self, _: usize, _: &[u8], _: Version) -> Result<usize, Fault> {
        unreachable!("it keeps no state")
    }

    fn memory(&self) -> Option<u64> {
        panic!("it does not know")
    }
}

struct MeetingLoader(Arc<AtomicUsize>);

impl BundleLoader for MeetingLoader {
    fn loader_name(&self) -> &'static str {
        "meeting"
    }

    fn loader_language(&self) -> SupportedLanguage {
        SupportedLanguage::Rust
    }

    fn supports_hot_reload(&self) -> bool {
        false
    }

    /// Loads a plugin for the contract that the source names.
    fn load(&self, manifest: &ManifestData, source: &BundleSource, runtime: &Runtime) -> Result<(), LoaderError> {
        let BundleSource::Code(contract) = source else { unreachable!("the tests load code") };
        engine::load(manifest, runtime, |_| {
            let methods = ["NOTHING", "CURRENT", "DESTRUCTOR", "PANICKING", "ADD", "DIVIDE", "GREET", "SUM"];
            let methods = methods.map(str::to_owned).to_vec();
            let place = Some("main.meeting:1".to_owned());
            let declared = PluginDecl { contract: contract.clone(), methods, place, ..PluginDecl::default() };
            Ok((Meeting { here: Barrier::new(THREADS), ended: Arc::clone(&self.0) }, vec![declared]))
        })
    }

    fn reload(&self, _: &ManifestData, _: &Runtime) -> Result<(), LoaderError> {
        unreachable!("it is asked first")
    }
}

#[test]
fn threads_meet_in_an_engine_that_is_not_exclusive() {
    let ended = Arc::default();
    let runtime = Runtime::builder().loader(MeetingLoader(Arc::clone(&ended))).build().unwrap();
    let manifest = manifest("meeting", "meeting", "none");
    let id = runtime.load_bundle_from(&manifest, BundleSource::Code("test.threads@1".to_owned())).unwrap();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| runtime.proxy::<dyn Threads>().unwrap().nothing().unwrap());
        }
    });
    assert_eq!(ended.load(Ordering::SeqCst), THREADS, "each instance, at once");
    assert_eq!(runtime.bundle(id).unwrap().memory, 0, "who panics has none to tell of");
    runtime.unload_bundle(id).unwrap();
}

#[test]
fn a_panic_while_a_plugin_is_prepared_says_which_plugin() {
    let runtime = Runtime::builder().loader(MeetingLoader(Arc::default())).build().unwrap();
    let source = BundleSource::Code("demo.calculator@1".to_owned());
    let error = runtime.load_bundle_from(&manifest("meeting", "meeting", "none"), source).unwrap_err().to_string();
    assert!(
        error.contains("main.meeting:1: the loader panicked: ") && error.contains("an engine may panic"),
        "{error}"
    );
    assert!(runtime.bundle_ids().is_empty());
}
