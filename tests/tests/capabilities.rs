//! A manifest lists the host contracts that its bundle uses, and the host may grant fewer.

use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex};

use polyplug::error::{LoaderError, RuntimeError};
use polyplug::loader::{BundleLoader, BundleSource, ManifestData};
use polyplug::{HostContractId, Runtime};
use polyplug_abi::{AbiErrorCode, HostApi, SupportedLanguage};
use polyplug_native::NativeLoader;
use polyplug_tests::{Bundle, last_error, manifest, runtime};
use test_contracts::calling::{Caller, CallerProxy, Echo, Logger};

#[derive(Default)]
struct Memory(Mutex<Vec<String>>);

impl Logger for Memory {
    fn log(&self, line: &str) -> u32 {
        let mut lines = self.0.lock().unwrap();
        lines.push(line.to_owned());
        u32::try_from(lines.len()).unwrap()
    }

    fn panics(&self, words: &str) {
        panic!("{words}");
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Does not call back.
struct Silence;

impl Echo for Silence {
    fn call_back(&self, depth: u32) -> Result<u32, String> {
        Ok(depth - 1)
    }
}

/// A runtime that provides test.logger@1.1 and test.echo@1.0.
fn providing() -> Arc<Runtime> {
    let runtime = runtime();
    runtime.provide::<dyn Logger>(Memory::default()).unwrap();
    runtime.provide::<dyn Echo>(Silence).unwrap();
    runtime
}

/// A bundle called `caller` whose manifest lists these, from line 5 on, with the contract on the second of three lines.
fn bundle(lists: &[(&str, bool)]) -> Bundle {
    let bundle = Bundle::native("caller", "plugin-caller");
    write(&bundle, lists);
    bundle
}

fn write(bundle: &Bundle, lists: &[(&str, bool)]) {
    let lists = lists.iter().map(|(contract, optional)| {
        format!("[[host]]\ncontract = {contract:?}\n{}\n", if *optional { "optional = true" } else { "" })
    });
    bundle.write("manifest.toml", manifest("caller", "native", "plugin") + &lists.collect::<String>());
}

fn load(runtime: &Runtime, lists: &[(&str, bool)]) -> (Bundle, CallerProxy) {
    let bundle = bundle(lists);
    runtime.load_bundle(bundle.path()).unwrap();
    let caller = runtime.proxy::<dyn Caller>().unwrap();
    (bundle, caller)
}

/// Why a bundle that lists these is refused; without the manifest's path.
#[track_caller]
fn refusal(runtime: &Runtime, lists: &[(&str, bool)]) -> String {
    let bundle = bundle(lists);
    let error = runtime.load_bundle(bundle.path()).unwrap_err();
    assert!(matches!(error, RuntimeError::HostContractMissing { .. }), "{error:?}");
    assert!(runtime.bundle_ids().is_empty());
    let file = bundle.path().join("manifest.toml").display().to_string();
    error.to_string().strip_prefix(&file).expect("it begins with the manifest").to_owned()
}

#[test]
fn a_bundle_that_lists_none_may_use_all() {
    let runtime = providing();
    let (_bundle, caller) = load(&runtime, &[]);
    assert_eq!((caller.log("x"), caller.nested(1)), (Ok(Ok(1)), Ok(Ok(1))));
}

#[test]
fn a_bundle_that_lists_some_may_use_these() {
    let runtime = providing();
    let (_bundle, caller) = load(&runtime, &[("test.logger@1", false)]);
    assert_eq!(caller.log("x"), Ok(Ok(1)));
    let error = caller.nested(1).unwrap().unwrap_err();
    assert!(
        error.starts_with(
            "test.echo@1: failed with code 17: bundle `caller` may not use the host contract test.echo@1.0, for its manifest \
             lists others only: add `[[host]]` with `contract = \"test.echo@1.0\"`"
        ),
        "{error}"
    );
}

#[test]
fn what_is_needed_and_not_provided_refuses_the_bundle() {
    let runtime = runtime();
    runtime.provide::<dyn Echo>(Silence).unwrap();
    assert_eq!(
        refusal(&runtime, &[("test.echo@1", false), ("test.logger@1.1", false)]),
        ":9: bundle `caller` needs the host contract test.logger@1.1, which the host does not provide: provide it before the \
         bundle is loaded, with `Runtime::provide`, or write `optional = true` if the bundle can do without"
    );
    runtime.provide::<dyn Logger>(Memory::default()).unwrap();
    let (_bundle, caller) = load(&runtime, &[("test.echo@1", false), ("test.logger@1.1", false)]);
    assert_eq!(caller.log("x"), Ok(Ok(1)));
}

#[test]
fn what_is_provided_in_an_older_version_refuses_the_bundle() {
    assert_eq!(
        refusal(&providing(), &[("test.logger@1.2", false)]),
        ":6: bundle `caller` needs the host contract test.logger@1.2, which the host provides in version 1.1 only: update the \
         host, or write `optional = true` if the bundle can do without"
    );
    let text = refusal(&providing(), &[("test.logger@2", false)]);
    assert!(
        text.contains("test.logger@2.0, which the host does not provide"),
        "another major is another contract: {text}"
    );
}

#[test]
fn what_is_optional_may_be_missing() {
    let runtime = runtime();
    let (_bundle, caller) = load(&runtime, &[("test.logger@1.1", true)]);
    let error = caller.log("x").unwrap().unwrap_err();
    assert!(error.contains("the host does not provide the host contract test.logger@1.0"), "{error}");
    runtime.provide::<dyn Logger>(Memory::default()).unwrap();
    assert_eq!(caller.log("x"), Ok(Ok(1)), "provided later, found later");
}

#[test]
fn the_least_version_is_that_of_the_manifest() {
    let runtime = providing();
    let (_bundle, caller) = load(&runtime, &[("test.logger@1.5", true)]);
    let error = caller.log("x").unwrap().unwrap_err();
    assert!(error.contains("the host provides 1.1 of the host contract, and test.logger@1.5 is wanted"), "{error}");
}

#[test]
fn what_is_needed_and_not_granted_refuses_the_bundle() {
    let runtime = providing();
    runtime.grant("caller", ["test.echo@1"]).unwrap();
    assert_eq!(
        refusal(&runtime, &[("test.echo@1", false), ("test.logger@1", false)]),
        ":9: bundle `caller` needs the host contract test.logger@1.0, which the host has not granted to it: name it in \
         `Runtime::grant`, or write `optional = true` if the bundle can do without"
    );
    runtime.grant("caller", ["test.echo@1", "test.logger@1"]).unwrap();
    load(&runtime, &[("test.echo@1", false), ("test.logger@1", false)]);
}

/// What a call says for want of a grant.
#[track_caller]
fn assert_not_granted(error: &str, contract: &str) {
    let (name, _) = contract.split_once('.').unwrap().1.split_once('@').unwrap();
    let text = format!(
        "test.{name}@1: failed with code {}: bundle `caller` may not use the host contract {contract}, for the host has not \
         granted it: the host's program does, with `Runtime::grant`",
        AbiErrorCode::NotAllowed as u32
    );
    assert!(error.starts_with(&text), "{error}");
}

#[test]
fn what_is_not_granted_does_not_resolve() {
    let runtime = providing();
    runtime.grant("caller", ["test.logger@1"]).unwrap();
    for lists in [&[][..], &[("test.logger@1", false), ("test.echo@1", true)]] {
        let (_bundle, caller) = load(&runtime, lists);
        assert_eq!(caller.log("x").unwrap().map(|_| ()), Ok(()));
        assert_not_granted(&caller.nested(1).unwrap().unwrap_err(), "test.echo@1.0");
        runtime.unload_bundle(polyplug::BundleId::new("caller")).unwrap();
    }
}

#[test]
fn grants_count_from_the_next_look_up() {
    let runtime = providing();
    let (_bundle, caller) = load(&runtime, &[]);
    assert_eq!(caller.log("x"), Ok(Ok(1)));
    runtime.grant("caller", [] as [&str; 0]).unwrap();
    assert_eq!(caller.log("y"), Ok(Ok(2)), "a proxy that is there stays");
    caller.forget().unwrap();
    assert_not_granted(&caller.log("z").unwrap().unwrap_err(), "test.logger@1.0");
    runtime.grant("caller", ["test.logger@1".to_owned()]).unwrap();
    assert_eq!(caller.log("z"), Ok(Ok(3)));
    assert_not_granted(&caller.nested(1).unwrap().unwrap_err(), "test.echo@1.0");
    runtime.grant_all("caller");
    assert_eq!(caller.nested(1), Ok(Ok(1)));
}

#[test]
fn a_grant_is_of_one_bundle() {
    let runtime = providing();
    runtime.grant("other", [] as [&str; 0]).unwrap();
    let (_bundle, caller) = load(&runtime, &[]);
    assert_eq!(caller.log("x"), Ok(Ok(1)));
}

#[test]
fn a_grant_of_no_contract_changes_nothing() {
    let runtime = providing();
    let error = runtime.grant("caller", ["test.echo@1", "logger"]).unwrap_err();
    assert!(matches!(&error, RuntimeError::InvalidContract { contract } if contract == "logger"), "{error:?}");
    let (_bundle, caller) = load(&runtime, &[]);
    assert_eq!(caller.log("x"), Ok(Ok(1)));
}

#[test]
fn a_reload_is_held_to_the_same() {
    let runtime = Runtime::builder().loader(NativeLoader::new()).hot_reload(true).build().unwrap();
    runtime.provide::<dyn Logger>(Memory::default()).unwrap();
    let (bundle, caller) = load(&runtime, &[]);
    write(&bundle, &[("test.echo@1", false)]);
    let error = runtime.reload_bundle(bundle.path()).unwrap_err();
    assert!(matches!(error, RuntimeError::HostContractMissing { .. }), "{error:?}");
    assert_eq!(caller.log("x"), Ok(Ok(1)), "the old version serves on");
    write(&bundle, &[("test.echo@1", true)]);
    runtime.reload_bundle(bundle.path()).unwrap();
    let error = caller.log("x").unwrap().unwrap_err();
    assert!(error.contains("its manifest lists others only"), "{error}");
}

/// Loads libraries, and looks at the table that the bundle gets.
#[derive(Default)]
struct Peeking(Arc<AtomicPtr<HostApi>>);

impl BundleLoader for Peeking {
    fn loader_name(&self) -> &'static str {
        "peeking"
    }

    fn loader_language(&self) -> SupportedLanguage {
        SupportedLanguage::Rust
    }

    fn supports_hot_reload(&self) -> bool {
        false
    }

    fn load(&self, manifest: &ManifestData, source: &BundleSource, runtime: &Runtime) -> Result<(), LoaderError> {
        self.0.store(runtime.staging(manifest.id)?.host_abi().cast_mut(), Ordering::SeqCst);
        NativeLoader::new().load(manifest, source, runtime)
    }

    fn reload(&self, _: &ManifestData, _: &Runtime) -> Result<(), LoaderError> {
        unreachable!("asked first")
    }
}

#[test]
fn a_host_table_of_a_bundle_is_held_to_the_same() {
    let runtime = providing();
    let (logger, echo) = (HostContractId::new("test.logger", 1), HostContractId::new("test.echo", 1));
    let peeking = Peeking::default();
    let seen = Arc::clone(&peeking.0);
    runtime.register_loader(Box::new(peeking)).unwrap();
    let bundle = bundle(&[("test.logger@1.1", false)]);
    let text = std::fs::read_to_string(bundle.path().join("manifest.toml")).unwrap();
    bundle.write("manifest.toml", text.replace("native", "peeking"));
    runtime.load_bundle(bundle.path()).unwrap();
    let host: *const HostApi = seen.load(Ordering::SeqCst);
    runtime.grant("caller", ["test.echo@1"]).unwrap();
    // SAFETY: the bundle stays loaded, and its table with it.
    unsafe {
        let refused = |id: HostContractId| {
            assert!(((*host).get_host_contract)(host, id.id(), 0).is_null());
            let first = last_error(host);
            assert!(((*host).resolve_host_contract_interface)(host, id.id(), 0).is_null());
            assert_eq!(last_error(host), first);
            first
        };
        assert_eq!(
            refused(logger),
            "bundle `caller` may not use the host contract test.logger@1, for the host has not granted it: the host's \
             program does, with `Runtime::grant`"
        );
        assert_eq!(
            refused(echo),
            "bundle `caller` may not use the host contract test.echo@1, for its manifest lists others only: add `[[host]]` \
             with `contract = \"test.echo@1\"`"
        );
        runtime.grant("caller", ["test.logger@1"]).unwrap();
        assert!(!((*host).get_host_contract)(host, logger.id(), 0).is_null());
        assert!(!((*host).resolve_host_contract_interface)(host, logger.id(), 0).is_null());
        let own = runtime.host_abi();
        assert!(!((*own).get_host_contract)(own, echo.id(), 0).is_null(), "the host itself may use everything");
    }
}
