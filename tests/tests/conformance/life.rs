//! What is unloaded serves no more, and goes when nobody holds it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use polyplug::error::RuntimeError;
use polyplug::{BundleId, Runtime};
use polyplug_tests::{eventually, mapped_below, unloaded};
use test_contracts::Counter;
use test_contracts::calling::Echo;
use test_contracts::conformance::{Reaching, Written};

use crate::guest::Guest;

pub(crate) fn proxies_of_unloaded_bundles_say_so(guest: &Guest) {
    let (runtime, _bundle, proxy) = guest.proxy::<dyn Counter>("state");
    let clone = proxy.clone();
    assert_eq!(proxy.add(1), Ok(1));
    runtime.unload_bundle(BundleId::new("state")).unwrap();
    for _ in 0..2 {
        assert_eq!([proxy.add(1), clone.add(1)].map(unloaded), ["state", "state"]);
    }
    assert!(matches!(runtime.proxy::<dyn Counter>(), Err(RuntimeError::NoProvider { .. })));
}

pub(crate) fn an_unloaded_bundle_is_reclaimed(guest: &Guest) {
    let (runtime, bundle, proxy) = guest.proxy::<dyn Counter>("state");
    let others = [runtime.proxy::<dyn Counter>().unwrap(), runtime.proxy::<dyn Counter>().unwrap()];
    assert_eq!(runtime.bundles()[0].memory > 0, guest.knows_memory, "a bundle's own memory");
    assert_eq!(proxy.add(1), Ok(1));
    drop((proxy, others));
    runtime.unload_bundle(BundleId::new("state")).unwrap();
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
    assert_eq!(runtime.retired(), []);
    eventually("no file of it is mapped", || mapped_below(bundle.path()).is_empty());
}

pub(crate) fn a_proxy_keeps_the_code(guest: &Guest) {
    let (runtime, _bundle, proxy) = guest.proxy::<dyn Counter>("state");
    let report = runtime.unload_bundle(BundleId::new("state")).unwrap();
    assert!(!report.reclaimed, "{report:?}");
    assert_eq!(report.holders.len(), 1, "{report:?}");
    assert_eq!(runtime.retired().len(), 1);
    drop(proxy);
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
}

pub(crate) fn a_bundle_is_loaded_again(guest: &Guest) {
    let (runtime, bundle, old) = guest.proxy::<dyn Counter>("state");
    assert_eq!(old.add(5), Ok(5));
    for _ in 0..5 {
        runtime.unload_bundle(BundleId::new("state")).unwrap();
        runtime.load_bundle(bundle.path()).unwrap();
        let proxy = runtime.proxy::<dyn Counter>().unwrap();
        assert_eq!((proxy.add(1), unloaded(old.add(1)).as_str()), (Ok(1), "state"));
    }
}

pub(crate) fn callers_survive_an_unload(guest: &Guest) {
    let (runtime, _bundle) = guest.loaded("written");
    let started = std::sync::Barrier::new(5);
    let is_unloaded = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (runtime, started, is_unloaded) = (&runtime, &started, &is_unloaded);
            scope.spawn(move || {
                let proxy = runtime.proxy::<dyn Written>().unwrap();
                let text = format!("thread {thread}");
                assert_eq!(proxy.repeat(&text, 2), Ok(text.repeat(2)));
                started.wait();
                loop {
                    let was_unloaded = is_unloaded.load(Ordering::SeqCst);
                    match proxy.repeat(&text, 2) {
                        Ok(answer) => assert!(answer == text.repeat(2) && !was_unloaded),
                        answer => break assert_eq!(unloaded(answer), "written"),
                    }
                }
            });
        }
        started.wait();
        runtime.unload_bundle(BundleId::new("written")).unwrap();
        is_unloaded.store(true, Ordering::SeqCst);
    });
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
}

/// Changes the bundle that calls it.
struct Changes(Weak<Runtime>, fn(&Runtime));

impl Echo for Changes {
    fn call_back(&self, depth: u32) -> Result<u32, String> {
        let runtime = self.0.upgrade().ok_or("the runtime has ended")?;
        (self.1)(&runtime);
        Ok(depth)
    }
}

pub(crate) fn a_bundle_may_be_unloaded_from_inside(guest: &Guest) {
    let (runtime, _bundle, proxy) = guest.proxy::<dyn Reaching>("reaching");
    let unload = |runtime: &Runtime| {
        let report = runtime.unload_bundle(BundleId::new("reaching")).unwrap();
        assert!(!report.reclaimed, "its code runs");
    };
    runtime.provide::<dyn Echo>(Changes(Arc::downgrade(&runtime), unload)).unwrap();
    assert_eq!(proxy.nested(5), Ok(Ok(6)), "the call ends where it began");
    assert_eq!(unloaded(proxy.nested(0)), "reaching");
    drop(proxy);
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
}

pub(crate) fn a_bundle_may_be_reloaded_from_inside(guest: &Guest) {
    let (runtime, bundle, proxy) = guest.proxy::<dyn Reaching>("reaching");
    let reload = |runtime: &Runtime| {
        let directory = runtime.bundles()[0].directory.clone().expect("it is loaded from one");
        runtime.reload_bundle(&directory).unwrap();
    };
    runtime.provide::<dyn Echo>(Changes(Arc::downgrade(&runtime), reload)).unwrap();
    for _ in 0..5 {
        assert_eq!(proxy.nested(5), Ok(Ok(6)), "the call ends where it began");
    }
    drop((proxy, bundle));
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
}

pub(crate) fn a_runtime_ends(guest: &Guest) {
    let (runtime, _bundle, proxy) = guest.proxy::<dyn Counter>("state");
    assert_eq!(proxy.add(1), Ok(1));
    let weak = Arc::downgrade(&runtime);
    drop(runtime);
    assert!(weak.upgrade().is_none(), "a proxy does not keep it");
    assert_eq!(unloaded(proxy.add(1)), "state");
}
