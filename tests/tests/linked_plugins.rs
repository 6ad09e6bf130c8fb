//! Plugins that are part of the program serve like any others: one bundle a crate, with the crate's name.

use plugin_linked as _; // nothing of it is named
use polyplug::error::RuntimeError;
use polyplug::{BundleId, CallError, Proxy};
use polyplug_tests::child::{again, is_child};
use polyplug_tests::{Bundle, runtime, unloaded};
use test_contracts::instances::{Stateful, Stateless};
use test_contracts::panics::Panics;

#[derive(Default)]
struct Here {
    asked: std::sync::atomic::AtomicU32,
}

#[polyplug::plugin]
impl Stateful for Here {
    fn count(&self) -> u32 {
        self.asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1
    }

    fn alive(&self) -> u32 {
        0
    }
}

#[derive(Default)]
struct AlsoHere;

#[polyplug::plugin]
impl Stateless for AlsoHere {
    fn made(&self) -> u32 {
        1
    }
}

const HERE: BundleId = BundleId::new("polyplug-tests");
const LINKED: BundleId = BundleId::new("plugin-linked");

#[test]
fn each_crate_is_a_bundle() {
    let runtime = runtime();
    let mut ids = runtime.load_linked_plugins().unwrap();
    ids.sort_unstable();
    let mut expected = [HERE, LINKED];
    expected.sort_unstable();
    assert_eq!(ids, expected);
    assert_eq!(runtime.bundle_name(LINKED).as_deref(), Some("plugin-linked"));

    let linked = runtime.proxy::<dyn Panics>().unwrap();
    assert_eq!(linked.bundle_name(), "plugin-linked");
    assert_eq!(linked.calm(), Ok(7));
    assert_eq!(linked.formatted("text"), Ok("linked text".to_owned()));
    assert_eq!(runtime.proxy_from::<dyn Stateful>(HERE).unwrap().count(), Ok(1));
    assert_eq!(runtime.proxy_from::<dyn Stateless>(HERE).unwrap().made(), Ok(1));
}

#[test]
fn linked_plugins_are_loaded_once() {
    let runtime = runtime();
    runtime.load_linked_plugins().unwrap();
    let error = runtime.load_linked_plugins().unwrap_err();
    assert!(matches!(error, RuntimeError::AlreadyLoaded { .. }), "{error:?}");
    assert_eq!(runtime.bundle_ids().len(), 2);
}

#[test]
fn linked_plugins_stand_beside_those_of_libraries() {
    let bundle = Bundle::native("counting", "plugin-instances");
    let runtime = runtime();
    let library = runtime.load_bundle(bundle.path()).unwrap();
    runtime.load_linked_plugins().unwrap();
    let names: Vec<_> = runtime.proxies::<dyn Stateful>().unwrap().iter().map(Proxy::bundle_name).collect();
    assert_eq!(names, ["counting", "polyplug-tests"]);
    runtime.unload_bundle(library).unwrap();
    assert_eq!(runtime.proxy::<dyn Stateful>().unwrap().bundle_name(), "polyplug-tests");
}

#[test]
fn linked_plugins_are_unloaded_and_loaded_again() {
    let runtime = runtime();
    runtime.load_linked_plugins().unwrap();
    let old = runtime.proxy::<dyn Stateful>().unwrap();
    for id in [HERE, LINKED] {
        runtime.unload_bundle(id).unwrap();
    }
    assert_eq!(unloaded(old.count()), "polyplug-tests");
    assert!(runtime.proxy::<dyn Panics>().is_err());
    runtime.load_linked_plugins().unwrap();
    assert_eq!(runtime.proxy::<dyn Panics>().unwrap().calm(), Ok(7));
}

/// The hook is the program's own here, and prints; the place arrives all the same.
#[test]
fn a_panic_arrives_with_its_place() {
    let source = include_str!("../plugins/linked/src/lib.rs");
    let line = 1 + source.lines().position(|line| line.ends_with("// mark: linked")).unwrap();
    let runtime = runtime();
    runtime.load_linked_plugins().unwrap();
    let linked = runtime.proxy::<dyn Panics>().unwrap();
    let Err(CallError::Panic(failure)) = linked.literal() else { panic!("a panic") };
    assert_eq!(failure.message, "a plain text");
    let place = format!("tests/plugins/linked/src/lib.rs:{line}:");
    assert!(failure.location.as_deref().is_some_and(|location| location.starts_with(&place)), "{failure:?}");
    assert_eq!(linked.calm(), Ok(7));
}

/// A program that hosts no linked plugins keeps its hook as it is.
#[test]
fn the_programs_own_hook_still_runs() {
    if is_child() {
        let runtime = runtime();
        runtime.load_linked_plugins().unwrap();
        assert!(runtime.proxy::<dyn Panics>().unwrap().literal().is_err());
        return;
    }
    let output = again("the_programs_own_hook_still_runs").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("a plain text"), "{output:?}");
}
