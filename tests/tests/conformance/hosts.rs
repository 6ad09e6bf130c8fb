//! Guests call what the host provides.

use std::sync::{Arc, Mutex, Weak};

use polyplug::Runtime;
use polyplug::error::RuntimeError;
use polyplug_tests::Bundle;
use test_contracts::calling::{Echo, Logger};
use test_contracts::conformance::{Mirror, Reaching, ReachingProxy};

use crate::guest::{Guest, raised};
use crate::wrong::Reflects;

#[derive(Default)]
pub(crate) struct Memory(Mutex<Vec<String>>);

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

/// Calls the plugin that calls it. It belongs to the runtime, so it must not hold it.
pub(crate) struct Resounding(pub(crate) Weak<Runtime>);

impl Echo for Resounding {
    fn call_back(&self, depth: u32) -> Result<u32, String> {
        let runtime = self.0.upgrade().ok_or("the runtime has ended")?;
        let proxy = runtime.proxy::<dyn Reaching>().map_err(|error| error.to_string())?;
        proxy.nested(depth - 1).map_err(|error| error.to_string())?
    }
}

/// A runtime that provides a logger, an echo and a mirror.
fn providing(guest: &Guest) -> Arc<Runtime> {
    let runtime = guest.runtime();
    runtime.provide::<dyn Logger>(Memory::default()).unwrap();
    runtime.provide::<dyn Echo>(Resounding(Arc::downgrade(&runtime))).unwrap();
    runtime.provide::<dyn Mirror>(Reflects).unwrap();
    runtime
}

/// The bundle that calls, and whose manifest lists these host contracts.
fn load(guest: &Guest, runtime: &Runtime, lists: &[(&str, bool)]) -> (Bundle, ReachingProxy) {
    let (bundle, id) = guest.load(runtime, "reaching", "reaching", &listed(lists));
    (bundle, runtime.proxy_from::<dyn Reaching>(id).unwrap())
}

fn listed(lists: &[(&str, bool)]) -> String {
    lists
        .iter()
        .map(|(contract, optional)| format!("[[host]]\ncontract = {contract:?}\noptional = {optional}\n"))
        .collect()
}

pub(crate) fn the_host_is_called(guest: &Guest) {
    let runtime = providing(guest);
    let (_bundle, proxy) = load(guest, &runtime, &[]);
    assert_eq!(proxy.log("Grüße \0 🦀"), Ok(Ok(1)));
    assert_eq!(proxy.log(""), Ok(Ok(2)), "one host object serves all calls");
}

pub(crate) fn what_is_missing_is_said_so(guest: &Guest) {
    let runtime = guest.runtime();
    let (_bundle, proxy) = load(guest, &runtime, &[]);
    let error = proxy.log("x").unwrap().unwrap_err();
    assert!(error.contains("the host does not provide the host contract test.logger@1"), "{error}");
}

pub(crate) fn what_is_required_refuses_the_bundle(guest: &Guest) {
    let runtime = guest.runtime();
    let bundle = guest.bundle("reaching", "reaching", &listed(&[("test.logger@1", false)]));
    let error = runtime.load_bundle(bundle.path()).unwrap_err();
    assert!(matches!(error, RuntimeError::HostContractMissing { .. }), "{error:?}");
    runtime.provide::<dyn Logger>(Memory::default()).unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    assert_eq!(runtime.proxy::<dyn Reaching>().unwrap().log("x"), Ok(Ok(1)));
}

pub(crate) fn what_is_optional_may_come_later(guest: &Guest) {
    let runtime = guest.runtime();
    let (_bundle, proxy) = load(guest, &runtime, &[("test.logger@1", true)]);
    assert!(proxy.log("x").unwrap().is_err());
    runtime.provide::<dyn Logger>(Memory::default()).unwrap();
    assert_eq!(proxy.log("x"), Ok(Ok(1)));
}

pub(crate) fn what_is_not_granted_is_refused(guest: &Guest) {
    let runtime = providing(guest);
    let (_bundle, proxy) = load(guest, &runtime, &[("test.logger@1", false)]);
    assert_eq!(proxy.log("x"), Ok(Ok(1)));
    let error = proxy.nested(1).unwrap().unwrap_err();
    assert!(error.contains("bundle `reaching` may not use the host contract test.echo@1.0"), "{error}");
}

pub(crate) fn a_panic_of_the_host_can_be_caught(guest: &Guest) {
    let runtime = providing(guest);
    let (_bundle, proxy) = load(guest, &runtime, &[]);
    let error = proxy.host_panics("out of paper").unwrap().unwrap_err();
    assert!(error.contains("panicked: out of paper (at tests/tests/conformance/hosts.rs:"), "{error}");
    assert!(error.contains("test.logger"), "{error}");
    assert_eq!(proxy.log("goes on"), Ok(Ok(1)));
}

pub(crate) fn a_panic_of_the_host_ends_the_call(guest: &Guest) {
    let runtime = providing(guest);
    let (_bundle, proxy) = load(guest, &runtime, &[]);
    let failure = raised(proxy.host_panics_through("out of paper"));
    assert_eq!(failure.method, "test.reaching.host_panics_through");
    assert!(failure.message.contains("panicked: out of paper (at tests/tests/conformance/hosts.rs:"), "{failure:?}");
    assert_eq!(proxy.log("goes on"), Ok(Ok(1)));
}

pub(crate) fn values_cross_to_the_host(guest: &Guest) {
    let runtime = providing(guest);
    let (_bundle, proxy) = load(guest, &runtime, &[]);
    assert_eq!(proxy.mirrored(), Ok(vec![true; 9]), "an order, extremes and seven shapes");
}

pub(crate) fn many_arguments_reach_the_host(guest: &Guest) {
    let runtime = providing(guest);
    let (_bundle, proxy) = load(guest, &runtime, &[]);
    let expected =
        ["1", "\"zwei\"", "true", "-9223372036854775808", "5.5", "'6'", "None", "18446744073709551615", "Blue"];
    assert_eq!(proxy.many().unwrap(), expected);
}

pub(crate) fn errors_of_the_host_can_be_caught(guest: &Guest) {
    let runtime = providing(guest);
    let (_bundle, proxy) = load(guest, &runtime, &[]);
    assert_eq!(proxy.refused(), Ok("full 7".to_owned()));
}

pub(crate) fn calls_nest(guest: &Guest) {
    let runtime = providing(guest);
    let (_bundle, proxy) = load(guest, &runtime, &[]);
    for depth in [0, 1, 2, 10, 50] {
        assert_eq!(proxy.nested(depth), Ok(Ok(depth)));
    }
}

pub(crate) fn nesting_without_end_is_an_error(guest: &Guest) {
    let runtime = providing(guest);
    let (_bundle, proxy) = load(guest, &runtime, &[]);
    // A thread with as much stack as a program's main thread has.
    let error = std::thread::scope(|scope| {
        let deep = std::thread::Builder::new().stack_size(8 << 20);
        deep.spawn_scoped(scope, || proxy.nested(1_000_000).unwrap().unwrap_err()).unwrap().join().unwrap()
    });
    assert!(error.contains("calls by way of the host are nested on this thread"), "{error}");
    assert_eq!(proxy.nested(3), Ok(Ok(3)), "and all is well again");
}
