//! Guests call plugins of other bundles, which their manifest declares.

use std::time::Duration;

use polyplug::Runtime;
use polyplug_tests::Bundle;
use test_contracts::conformance::{Reaching, ReachingProxy};

use crate::guest::{Guest, needs};

fn reaching(guest: &Guest, runtime: &Runtime, contracts: &[&str]) -> (Bundle, ReachingProxy) {
    let (bundle, id) = guest.load(runtime, "reaching", "reaching", &needs(contracts));
    (bundle, runtime.proxy_from::<dyn Reaching>(id).unwrap())
}

pub(crate) fn a_declared_peer_is_called(guest: &Guest) {
    let runtime = guest.runtime();
    let (_calculator, _) = guest.load(&runtime, "calculator", "calculator", "");
    let (_bundle, proxy) = reaching(guest, &runtime, &["demo.calculator@1"]);
    assert_eq!(proxy.add(2, 3), Ok(Ok(5)));
    assert_eq!(proxy.divide(i64::MAX, 1), Ok(Ok(i64::MAX)));
}

pub(crate) fn errors_of_a_peer_can_be_caught(guest: &Guest) {
    let runtime = guest.runtime();
    let (_calculator, _) = guest.load(&runtime, "calculator", "calculator", "");
    let (_bundle, proxy) = reaching(guest, &runtime, &["demo.calculator@1"]);
    assert_eq!(proxy.divide(1, 0), Ok(Err("DivisionByZero".to_owned())));
    assert_eq!(proxy.divide(i64::MIN, -1), Ok(Err(format!("Overflow {}", i64::MIN))));
}

pub(crate) fn what_is_not_declared_is_refused(guest: &Guest) {
    let runtime = guest.runtime();
    let (_stamp, _) = guest.load(&runtime, "stamp", "stamp_one", "");
    let (_calculator, _) = guest.load(&runtime, "calculator", "calculator", "");
    let (_bundle, proxy) = reaching(guest, &runtime, &["demo.calculator@1"]);
    let error = proxy.undeclared().unwrap().unwrap_err();
    for part in ["`reaching`", "test.stamp@1", "[[dependency]]"] {
        assert!(error.contains(part), "{part} is in: {error}");
    }
    assert_eq!(proxy.add(2, 3), Ok(Ok(5)), "the plugin serves on");
}

pub(crate) fn an_unloaded_peer_is_an_error(guest: &Guest) {
    let runtime = guest.runtime();
    let (_calculator, id) = guest.load(&runtime, "calculator", "calculator", "");
    // Another one provides the contract, so that the first may go.
    let (_other, _) = guest.load(&runtime, "other", "calculator", "");
    let (_bundle, proxy) = reaching(guest, &runtime, &["demo.calculator@1"]);
    assert_eq!((proxy.add_again(2, 3), proxy.add_again(4, 5)), (Ok(Ok(5)), Ok(Ok(9))));
    runtime.unload_bundle(id).unwrap();
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), [], "a proxy of a plugin's keeps nobody");
    let error = proxy.add_again(2, 3).unwrap().unwrap_err();
    assert!(
        error.contains("bundle `calculator`, demo.calculator.") && error.contains(": the bundle is unloaded"),
        "{error}"
    );
    assert_eq!(proxy.add(2, 3), Ok(Ok(5)), "a new proxy finds the other one");
}

pub(crate) fn a_reloaded_peer_is_followed(guest: &Guest) {
    let runtime = guest.runtime();
    let (calculator, _) = guest.load(&runtime, "calculator", "calculator", "");
    let (_bundle, proxy) = reaching(guest, &runtime, &["demo.calculator@1"]);
    for _ in 0..3 {
        assert_eq!(proxy.add_again(2, 3), Ok(Ok(5)));
        runtime.reload_bundle(calculator.path()).unwrap();
    }
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), [], "a proxy of a plugin's keeps nobody");
}

pub(crate) fn peers_of_other_languages_are_called(guest: &Guest) {
    for other in guest.all() {
        let runtime = guest.runtime_for_all();
        let (_calculator, _) = other.load(&runtime, "calculator", "calculator", "");
        let (_bundle, proxy) = reaching(guest, &runtime, &["demo.calculator@1"]);
        assert_eq!(proxy.add(2, 3), Ok(Ok(5)), "{} calls {}", guest.loader, other.loader);
        assert_eq!(proxy.divide(i64::MIN, -1), Ok(Err(format!("Overflow {}", i64::MIN))));
    }
}
