//! A plugin has as many instances as it asks for: one a proxy, one a bundle, or one for good.

use std::sync::Arc;

use polyplug::error::RuntimeError;
use polyplug::{BundleId, Contract, Runtime};
use polyplug_tests::{Bundle, eventually, logged, runtime, works};
use test_contracts::instances::{Singleton, Stateful, Stateless};
use test_contracts::{Calculator, MathError};
use tracing::Level;

fn loaded() -> (Arc<Runtime>, Bundle) {
    let bundle = Bundle::native("counting", "plugin-instances");
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    (runtime, bundle)
}

#[test]
fn several_plugins_live_in_one_crate() {
    let (runtime, _bundle) = loaded();
    assert_eq!(runtime.bundle_ids(), [BundleId::new("counting")]);
    for contract in [<dyn Stateful>::ID, <dyn Singleton>::ID, <dyn Stateless>::ID] {
        assert!(runtime.find_guest_contract(contract.id(), 0).is_ok());
    }
    assert_eq!(runtime.proxy::<dyn Stateful>().unwrap().count(), Ok(1));
    assert_eq!(runtime.proxy::<dyn Singleton>().unwrap().count(), Ok(1));
    assert_eq!(runtime.proxy::<dyn Stateless>().unwrap().made(), Ok(1));
}

#[test]
fn each_proxy_has_an_instance_of_its_own() {
    let (runtime, _bundle) = loaded();
    let (first, second) = (runtime.proxy::<dyn Stateful>().unwrap(), runtime.proxy::<dyn Stateful>().unwrap());
    assert_eq!((first.count(), first.count(), second.count()), (Ok(1), Ok(2), Ok(1)));
    assert_eq!(first.alive(), Ok(2));
}

#[test]
fn clones_of_a_proxy_share_its_instance() {
    let (runtime, _bundle) = loaded();
    let first = runtime.proxy::<dyn Stateful>().unwrap();
    let clone = first.clone();
    assert_eq!((first.count(), clone.count(), first.count()), (Ok(1), Ok(2), Ok(3)));
    assert_eq!(clone.alive(), Ok(1));
}

#[test]
fn an_instance_ends_with_the_last_of_its_proxies() {
    let (runtime, _bundle) = loaded();
    let witness = runtime.proxy::<dyn Stateful>().unwrap();
    let first = runtime.proxy::<dyn Stateful>().unwrap();
    let clone = first.clone();
    assert_eq!(witness.alive(), Ok(2));
    drop(first);
    assert_eq!((witness.alive(), clone.count()), (Ok(2), Ok(1)), "the clone holds it");
    drop(clone);
    eventually("the instance ends", || witness.alive() == Ok(1));
}

#[test]
fn an_instance_serves_many_threads() {
    let (runtime, _bundle) = loaded();
    let shared = runtime.proxy::<dyn Stateful>().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let mine = shared.clone();
            scope.spawn(move || (0..250).for_each(|_| assert!(mine.count().is_ok())));
        }
    });
    assert_eq!(shared.count(), Ok(1001));
}

#[test]
fn a_singleton_is_one_for_all_proxies() {
    let (runtime, _bundle) = loaded();
    let (first, second) = (runtime.proxy::<dyn Singleton>().unwrap(), runtime.proxy::<dyn Singleton>().unwrap());
    assert_eq!((first.count(), second.count(), first.count()), (Ok(1), Ok(2), Ok(3)));
    drop((first, second));
    let third = runtime.proxy::<dyn Singleton>().unwrap();
    assert_eq!((third.count(), third.made()), (Ok(4), Ok(1)), "it outlives its proxies");
}

#[test]
fn a_plugin_without_data_is_made_once() {
    let (runtime, _bundle) = loaded();
    for _ in 0..3 {
        assert_eq!(runtime.proxy::<dyn Stateless>().unwrap().made(), Ok(1));
    }
}

#[test]
fn a_factory_reaches_the_hosts_log() {
    let ((_runtime, _bundle), messages) = logged(loaded);
    let [message] = &messages[..] else { panic!("one message, not {messages:?}") };
    assert_eq!((message.level, message.bundle.as_str()), (Level::INFO, "counting"));
    assert_eq!(message.message, "the singleton begins");
}

#[test]
fn a_proxy_from_one_bundle_is_from_that_bundle() {
    let (first, second) = (Bundle::native("first", "plugin-calc"), Bundle::native("second", "plugin-calc"));
    let runtime = runtime();
    let ids = [&first, &second].map(|bundle| runtime.load_bundle(bundle.path()).unwrap());
    for (id, name) in ids.into_iter().zip(["first", "second"]) {
        let calculator = runtime.proxy_from::<dyn Calculator>(id).unwrap();
        assert_eq!(polyplug::Proxy::bundle_name(&calculator), name);
        assert_eq!(calculator.divide(1, 0), Ok(Err(MathError::DivisionByZero)));
    }
    let names: Vec<_> = runtime.proxies::<dyn Calculator>().unwrap().iter().map(polyplug::Proxy::bundle_name).collect();
    assert_eq!(names, ["first", "second"], "in load order");
    assert_eq!(polyplug::Proxy::bundle_name(&runtime.proxy::<dyn Calculator>().unwrap()), "first");

    let error = runtime.proxy_from::<dyn Stateful>(ids[0]).unwrap_err();
    assert!(matches!(&error, RuntimeError::NoProvider { bundle: Some(bundle), .. } if bundle == "first"), "{error:?}");
    let error = runtime.proxy_from::<dyn Calculator>(BundleId::new("third")).unwrap_err();
    assert!(matches!(error, RuntimeError::BundleNotLoaded { .. }), "{error:?}");
}

#[test]
fn runtimes_in_one_process_share_nothing() {
    let bundle = Bundle::native("counting", "plugin-instances");
    let (first, second) = (runtime(), runtime());
    let id = first.load_bundle(bundle.path()).unwrap();
    assert_eq!(second.bundle_ids(), []);
    assert!(second.proxy::<dyn Singleton>().is_err());

    second.load_bundle(bundle.path()).unwrap();
    let (ours, theirs) = (first.proxy::<dyn Singleton>().unwrap(), second.proxy::<dyn Singleton>().unwrap());
    assert_eq!((ours.count(), ours.count(), theirs.count()), (Ok(1), Ok(2), Ok(1)), "a singleton each");

    first.unload_bundle(id).unwrap();
    assert!(ours.count().unwrap_err().is_unloaded());
    assert_eq!(theirs.count(), Ok(2), "the other serves on");
    assert_eq!(second.bundle_ids(), [id]);
    drop(first);
    assert_eq!(theirs.count(), Ok(3));
    works(&second_empty(second, id));
}

fn second_empty(runtime: Arc<Runtime>, id: BundleId) -> Arc<Runtime> {
    runtime.unload_bundle(id).unwrap();
    runtime
}
