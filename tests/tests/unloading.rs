//! Unloading takes a bundle out of service at once, and its code out of the process when nobody can run it any more.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use polyplug::error::RuntimeError;
use polyplug::{BundleId, Contract, Runtime};
use polyplug_abi::GuestContractInstance;
use polyplug_native::NativeLoader;
use polyplug_tests::{Bundle, Logged, eventually, logged, mapped_below, reported, runtime, unloaded};
use test_contracts::instances::{Singleton, Stateful};
use tracing::Level;

/// One test at a time: a pin that another one holds delays the reclaiming here, rightly.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn loaded() -> (Arc<Runtime>, Bundle, BundleId) {
    let bundle = Bundle::native("counting", "plugin-instances");
    let runtime = runtime();
    let id = runtime.load_bundle(bundle.path()).unwrap();
    (runtime, bundle, id)
}

#[cfg(target_os = "linux")]
#[track_caller]
fn assert_mapped(folder: &Path) {
    assert_ne!(mapped_below(folder), [""; 0], "the code is still there");
}

#[cfg(not(target_os = "linux"))]
fn assert_mapped(_: &Path) {}

fn gone(folder: &Path) -> bool {
    mapped_below(folder).is_empty()
}

/// Unloads bundles that nobody holds until one is reclaimed at once, usually the first: a thread of an earlier test's
/// runtime may just have a pin.
fn unload_at_once() -> (Arc<Runtime>, Bundle, Vec<Logged>) {
    for _ in 0..100 {
        let (runtime, bundle, id) = loaded();
        assert_mapped(bundle.path());
        let (report, messages) = logged(|| runtime.unload_bundle(id).unwrap());
        assert_eq!(report.bundle, "counting");
        assert!(report.holders.is_empty(), "{report:?}");
        if report.reclaimed {
            return (runtime, bundle, messages);
        }
        eventually("the code goes", || gone(bundle.path()));
    }
    panic!("no bundle was reclaimed at once");
}

#[test]
fn without_proxies_the_code_is_unmapped_at_once() {
    let _alone = alone();
    let (runtime, bundle, _) = unload_at_once();
    assert!(gone(bundle.path()), "what the report says");
    assert_eq!(runtime.bundle_ids(), []);
    assert!(matches!(runtime.proxy::<dyn Stateful>(), Err(RuntimeError::NoProvider { .. })));
}

/// The runtime's own thread, which the reload of a bundle in use starts, may take the version that the unload retires.
#[test]
fn an_unload_waits_for_the_thread_that_reclaims_the_version() {
    let _alone = alone();
    let bundle = Bundle::native("counting", "plugin-instances");
    let runtime = Runtime::builder().loader(NativeLoader::new()).hot_reload(true).build().unwrap();
    for _ in 0..100 {
        let id = runtime.load_bundle(bundle.path()).unwrap();
        let proxy = runtime.proxy::<dyn Stateful>().unwrap();
        assert!(!runtime.reload_bundle(bundle.path()).unwrap().reclaimed);
        drop(proxy);
        let report = runtime.unload_bundle(id).unwrap();
        assert!(report.reclaimed, "{report:?}");
    }
}

#[test]
fn a_proxy_keeps_the_code_and_reaches_it_no_more() {
    let _alone = alone();
    let (runtime, bundle, id) = loaded();
    let proxy = runtime.proxy::<dyn Stateful>().unwrap();
    let clone = proxy.clone();
    let report = runtime.unload_bundle(id).unwrap();
    assert!(!report.reclaimed, "{report:?}");
    let [holder] = &report.holders[..] else { panic!("one holder, not {report:?}") };
    assert_eq!((holder.contract.as_str(), holder.count), (<dyn Stateful>::NAME, 2), "a proxy and its clone");
    assert!(holder.site.file().ends_with("unloading.rs"), "{holder:?}");
    for _ in 0..2 {
        assert_eq!([proxy.count(), clone.count()].map(unloaded), ["counting", "counting"]);
    }
    assert!(proxy.count().unwrap_err().is_unloaded());

    drop(proxy);
    assert_mapped(bundle.path());
    drop(clone);
    eventually("the code goes with the last proxy", || gone(bundle.path()));
}

#[test]
fn an_instance_of_the_c_abi_keeps_the_code_until_it_is_destroyed() {
    let _alone = alone();
    let (runtime, bundle, id) = loaded();
    let host = runtime.host_abi();
    let handle = runtime.find_guest_contract(<dyn Stateful>::ID.id(), 0).unwrap();
    let mut instance = GuestContractInstance::null();
    let (code, text) = reported(|error| {
        // SAFETY: the runtime is alive, and both places are writable.
        unsafe { ((*host).create_guest_instance)(host, handle, std::ptr::null(), &raw mut instance, error) }
    });
    assert_eq!(code, 0, "{text}");
    let report = runtime.unload_bundle(id).unwrap();
    assert!(!report.reclaimed, "{report:?}");
    assert_mapped(bundle.path());
    // SAFETY: the runtime is alive.
    unsafe { ((*host).destroy_guest_instance)(host, instance) };
    eventually("the code goes with the last instance", || gone(bundle.path()));
}

#[test]
fn a_singleton_ends_when_its_bundle_does() {
    let _alone = alone();
    let (_runtime, _bundle, messages) = unload_at_once();
    let end = Logged { level: Level::WARN, bundle: "counting".to_owned(), message: "the singleton ends".to_owned() };
    assert_eq!(messages, [end]);
}

#[test]
fn a_bundle_that_is_loaded_again_begins_anew() {
    let _alone = alone();
    let (runtime, bundle, id) = loaded();
    assert_eq!(runtime.proxy::<dyn Singleton>().unwrap().count(), Ok(1));
    runtime.unload_bundle(id).unwrap();
    eventually("the code goes", || gone(bundle.path()));
    assert_eq!(runtime.load_bundle(bundle.path()).unwrap(), id);
    let singleton = runtime.proxy::<dyn Singleton>().unwrap();
    assert_eq!((singleton.count(), singleton.made()), (Ok(1), Ok(1)), "not even its statics are left");
}

#[test]
fn an_old_proxy_does_not_come_back_to_life() {
    let _alone = alone();
    let (runtime, bundle, id) = loaded();
    let old = runtime.proxy::<dyn Stateful>().unwrap();
    runtime.unload_bundle(id).unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    assert_eq!(unloaded(old.count()), "counting");
    assert_eq!(unloaded(old.clone().count()), "counting");
    assert_eq!(runtime.proxy::<dyn Stateful>().unwrap().count(), Ok(1));
}

#[test]
fn a_bundle_is_unloaded_once() {
    let _alone = alone();
    let (runtime, _bundle, id) = loaded();
    runtime.unload_bundle(id).unwrap();
    let error = runtime.unload_bundle(id).unwrap_err();
    assert!(matches!(error, RuntimeError::BundleNotLoaded { id: unknown, .. } if unknown == id), "{error:?}");
    let error = runtime.unload_bundle(BundleId::new("never seen")).unwrap_err();
    assert!(matches!(error, RuntimeError::BundleNotLoaded { .. }), "{error:?}");
}

#[test]
fn a_runtime_that_ends_takes_its_bundles_along() {
    let _alone = alone();
    let (runtime, bundle, _) = loaded();
    assert_mapped(bundle.path());
    drop(runtime);
    eventually("the code goes", || gone(bundle.path()));
}

#[test]
fn a_proxy_outlives_its_runtime() {
    let _alone = alone();
    let (runtime, bundle, _) = loaded();
    let proxy = runtime.proxy::<dyn Stateful>().unwrap();
    drop(runtime);
    assert_eq!(unloaded(proxy.count()), "counting");
    assert_eq!(unloaded(proxy.clone().count()), "counting");
    assert_eq!(polyplug::Proxy::bundle_name(&proxy), "counting");
    assert_mapped(bundle.path());
    drop(proxy);
    eventually("the code goes with the last proxy", || gone(bundle.path()));
}

#[test]
fn a_last_proxy_may_go_on_any_thread() {
    let _alone = alone();
    let (runtime, bundle, id) = loaded();
    let proxy = runtime.proxy::<dyn Stateful>().unwrap();
    runtime.unload_bundle(id).unwrap();
    std::thread::spawn(move || drop(proxy)).join().unwrap();
    eventually("the code goes with the last proxy", || gone(bundle.path()));
}
