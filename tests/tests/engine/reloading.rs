//! State is carried over a reload, or the bundle goes on as it was; and everything is given back.

use std::sync::Arc;

use polyplug::Runtime;
use polyplug_tests::engine::{Class, Toy, ToyLoader};
use polyplug_tests::{Bundle, eventually};
use test_contracts::Counter;

use crate::declaring;

/// A counter that adds `factor` times what it is told.
fn counter(factor: i128) -> Class {
    Class::new("test.counter@1").init(|_| Ok(Toy::Int(0))).method("add", move |call| {
        let sum = call.state().int() + factor * call.arguments[0].int();
        *call.state() = Toy::Int(sum);
        Ok(Toy::Int(sum))
    })
}

/// With state that is carried over.
fn keeping(factor: i128) -> Class {
    counter(factor).keeping(
        |state| Ok(state.int().to_le_bytes().to_vec()),
        |bytes, from| {
            assert_eq!((from.major, from.minor, from.patch), (1, 0, 0));
            Ok(Toy::Int(i128::from_le_bytes(bytes.try_into().map_err(|_| "what is that?")?)))
        },
    )
}

fn start(class: Class) -> (ToyLoader, Arc<Runtime>, Bundle) {
    let loader = ToyLoader::new();
    loader.program("toy", declaring(class));
    let (runtime, bundle) = (loader.runtime(), ToyLoader::bundle("toy", ""));
    runtime.load_bundle(bundle.path()).unwrap();
    (loader, runtime, bundle)
}

#[test]
fn state_is_carried_over() {
    let (loader, runtime, bundle) = start(keeping(1));
    let (one, other) = (runtime.proxy::<dyn Counter>().unwrap(), runtime.proxy::<dyn Counter>().unwrap());
    assert_eq!((one.add(5), other.add(7)), (Ok(5), Ok(7)));
    loader.program("toy", declaring(keeping(2)));
    let report = runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!((report.migrated, report.restarted), (2, 0), "{report:?}");
    assert_eq!((one.add(1), other.add(1)), (Ok(7), Ok(9)), "by new code, from the old state");
    drop((one, other));
    eventually("everything ends", || loader.counts().vms() == 1);
    eventually("everything ends", || loader.counts().made() == loader.counts().ended());
}

#[test]
fn without_state_instances_begin_afresh() {
    let (loader, runtime, bundle) = start(counter(1));
    let one = runtime.proxy::<dyn Counter>().unwrap();
    assert_eq!(one.add(5), Ok(5));
    loader.program("toy", declaring(counter(2)));
    let report = runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!((report.migrated, report.restarted), (0, 1), "{report:?}");
    assert_eq!(one.add(1), Ok(2));
}

#[test]
fn a_reload_that_fails_leaves_the_old_version() {
    let (loader, runtime, bundle) = start(keeping(1));
    let one = runtime.proxy::<dyn Counter>().unwrap();
    assert_eq!(one.add(5), Ok(5));
    let no_save = counter(2).keeping(|_| Err("no ink".into()), |_, _| Ok(Toy::Nil));
    let no_restore = counter(2).keeping(|_| Ok(vec![]), |_, _| Err("no glasses".into()));
    let panics = counter(2).keeping(|_| Ok(vec![]), |_, _| panic!("no glasses"));
    let no_contract = Class::new("test.unheard@1");
    for (class, text) in [
        (no_restore, "no glasses"),
        (panics, "the loader panicked: no glasses"),
        (no_contract, "test.unheard@1 is not known"),
        (Class::new("test.counter@1"), "lacks the method `add`"),
    ] {
        loader.program("toy", declaring(class));
        let error = runtime.reload_bundle(bundle.path()).unwrap_err().to_string();
        assert!(error.contains(text), "{text} is in: {error}");
        assert_eq!(one.add(0), Ok(5), "the old version serves on");
    }
    eventually("everything ends", || loader.counts().vms() == 1);
    loader.program("toy", declaring(no_save));
    // The version that serves now can save; the next one cannot.
    assert_eq!(runtime.reload_bundle(bundle.path()).map(|_| ()).map_err(|error| error.to_string()), Ok(()));
    let error = runtime.reload_bundle(bundle.path()).unwrap_err().to_string();
    assert!(error.contains("no ink"), "{error}");
}

#[test]
fn loading_and_unloading_leaves_nothing() {
    let loader = ToyLoader::new();
    loader.program("toy", declaring(keeping(1)));
    let (runtime, bundle) = (loader.runtime(), ToyLoader::bundle("toy", ""));
    for _ in 0..200 {
        let id = runtime.load_bundle(bundle.path()).unwrap();
        let counter = runtime.proxy::<dyn Counter>().unwrap();
        assert_eq!(counter.add(1), Ok(1));
        runtime.reload_bundle(bundle.path()).unwrap();
        assert_eq!(counter.add(1), Ok(2));
        drop(counter);
        runtime.unload_bundle(id).unwrap();
    }
    eventually("everything ends", || loader.counts().vms() == 0);
    assert_eq!(loader.counts().made(), loader.counts().ended());
}
