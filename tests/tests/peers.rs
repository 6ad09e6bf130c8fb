//! Plugins call plugins of other bundles, which their manifest declares.

use std::time::Duration;

use polyplug::{BundleId, Runtime};
use polyplug_native::NativeLoader;
use polyplug_tests::{Bundle, manifest, runtime};
use test_contracts::Counter;
use test_contracts::calling::{Caller, CallerProxy};

/// A bundle that declares to call `needs`.
fn caller(runtime: &Runtime, needs: &[&str]) -> (Bundle, CallerProxy) {
    let bundle = Bundle::native("caller", "plugin-caller");
    let needs = needs.iter().map(|contract| format!("[[dependency]]\ncontract = {contract:?}\n"));
    bundle.write("manifest.toml", manifest("caller", "native", "plugin") + &needs.collect::<String>());
    let id = runtime.load_bundle(bundle.path()).unwrap();
    let caller = runtime.proxy_from::<dyn Caller>(id).unwrap();
    (bundle, caller)
}

fn calc(runtime: &Runtime, name: &str) -> (Bundle, BundleId) {
    let bundle = Bundle::native(name, "plugin-calc");
    let id = runtime.load_bundle(bundle.path()).unwrap();
    (bundle, id)
}

#[test]
fn a_declared_peer_is_called() {
    let runtime = runtime();
    let (_calc, _) = calc(&runtime, "calc");
    let (_caller, caller) = caller(&runtime, &["demo.calculator@1", "test.counter@1"]);
    assert_eq!(caller.add(2, 3), Ok(Ok(5)));
    assert_eq!((caller.count(2), caller.count(3)), (Ok(Ok(2)), Ok(Ok(5))), "the proxy has an instance of its own");
    assert_eq!(runtime.proxy::<dyn Counter>().unwrap().add(1), Ok(1));
}

#[test]
fn what_is_not_declared_is_refused() {
    let runtime = runtime();
    let stamp = Bundle::native("stamp", "plugin-reload-one");
    runtime.load_bundle(stamp.path()).unwrap();
    let (_calc, _) = calc(&runtime, "calc");
    let (_caller, caller) = caller(&runtime, &["demo.calculator@1"]);
    let error = caller.undeclared().unwrap().unwrap_err();
    assert!(
        error.starts_with(
            "test.stamp@1: failed with code 17: bundle `caller` may not look up test.stamp@1.0, for its manifest does not \
             declare it: add `[[dependency]]` with `contract = \"test.stamp@1.0\"`"
        ),
        "{error}"
    );
    assert!(caller.count(1).unwrap().is_err(), "though the bundle provides another contract that is declared");
    assert_eq!(caller.add(1, 1), Ok(Ok(2)));
}

#[test]
fn a_peer_that_is_reloaded_is_followed() {
    let runtime = Runtime::builder().loader(NativeLoader::new()).hot_reload(true).build().unwrap();
    let peer = Bundle::native("peer", "plugin-reload-one");
    runtime.load_bundle(peer.path()).unwrap();
    let (_caller, caller) = caller(&runtime, &["test.counter@1"]);
    assert_eq!(caller.count(5), Ok(Ok(5)));
    let two = Bundle::native("peer", "plugin-reload-two");
    let report = runtime.reload_bundle(two.path()).unwrap();
    assert_eq!(report.restarted, 1);
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), [], "the plugin's proxy does not keep the old version");
    assert_eq!(caller.count(5), Ok(Ok(10)), "the new code doubles");
}

#[test]
fn a_call_of_an_unloaded_peer_fails() {
    let runtime = runtime();
    let (bundle, id) = calc(&runtime, "calc");
    let (_other, _) = calc(&runtime, "other");
    let (_caller, caller) = caller(&runtime, &["demo.calculator@1", "test.counter@1"]);
    assert_eq!((caller.add(1, 1), caller.count(1)), (Ok(Ok(2)), Ok(Ok(1))));
    runtime.unload_bundle(id).unwrap();
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), [], "the plugin's proxies do not keep it");
    let error = caller.add(1, 1).unwrap().unwrap_err();
    assert!(
        error.starts_with("bundle `calc`, demo.calculator.add: the bundle is unloaded: make a new proxy"),
        "{error}"
    );
    let error = caller.count(1).unwrap().unwrap_err();
    assert!(error.starts_with("bundle `calc`, test.counter.add: the bundle is unloaded"), "{error}");
    caller.forget().unwrap();
    assert_eq!(caller.add(1, 1), Ok(Ok(2)), "the other one serves");
    drop(bundle);
}

#[test]
fn the_least_version_is_that_of_the_manifest() {
    let runtime = runtime();
    let old = Bundle::native("old", "plugin-evolving-old");
    runtime.load_bundle(old.path()).unwrap();
    let (_calc, _) = calc(&runtime, "calc");
    let (_caller, caller) = caller(&runtime, &["demo.calculator@1.2"]);
    assert_eq!(caller.add(2, 2), Ok(Ok(4)));
}

#[test]
fn a_plugin_is_no_peer_of_itself() {
    let runtime = runtime();
    let (_calc, calc) = calc(&runtime, "calc");
    let (_caller, caller) = caller(&runtime, &["demo.calculator@1"]);
    assert_eq!(caller.add(2, 2), Ok(Ok(4)));
    // The dependent goes first.
    drop(caller);
    runtime.unload_bundle_cascade(calc).unwrap();
    assert!(runtime.bundle_ids().is_empty());
}

#[test]
fn callers_and_reloads_of_a_peer_race() {
    let runtime = Runtime::builder().loader(NativeLoader::new()).hot_reload(true).build().unwrap();
    let peers = [Bundle::native("peer", "plugin-reload-one"), Bundle::native("peer", "plugin-reload-two")];
    runtime.load_bundle(peers[0].path()).unwrap();
    let (_caller, caller) = caller(&runtime, &["test.counter@1"]);
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    assert!(caller.count(1).unwrap().unwrap() > 0);
                }
            });
        }
        for round in 1..=60 {
            runtime.reload_bundle(peers[round % 2].path()).unwrap();
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
}
