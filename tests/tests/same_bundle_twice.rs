//! A bundle is loaded once at a time, however many ask for it.

use std::sync::Barrier;

use polyplug::error::RuntimeError;
use polyplug_tests::{BAD, Bundle, refused_by, runtime, works};
use test_contracts::Calculator;

#[test]
fn a_bundle_that_is_loaded_already_is_refused() {
    let bundle = Bundle::native("calc", "plugin-calc");
    let runtime = runtime();
    let id = runtime.load_bundle(bundle.path()).unwrap();
    let calculator = runtime.proxy::<dyn Calculator>().unwrap();
    let error = runtime.load_bundle(bundle.path()).unwrap_err();
    assert!(matches!(&error, RuntimeError::AlreadyLoaded { bundle } if bundle == "calc"), "{error:?}");
    assert!(error.to_string().contains("unload it first, or reload it"), "{error}");

    assert_eq!(runtime.bundle_ids(), [id]);
    assert_eq!(calculator.add(2, 3), Ok(5));
    assert_eq!(runtime.proxies::<dyn Calculator>().unwrap().len(), 1);
}

#[test]
fn a_name_that_is_taken_is_refused_from_another_folder_too() {
    let (first, second) = (Bundle::native("calc", "plugin-calc"), Bundle::native("calc", "plugin-calc"));
    let runtime = runtime();
    runtime.load_bundle(first.path()).unwrap();
    let error = runtime.load_bundle(second.path()).unwrap_err();
    assert!(matches!(error, RuntimeError::AlreadyLoaded { .. }), "{error:?}");
}

#[test]
fn bundles_with_the_same_artifact_and_other_names_live_side_by_side() {
    let (first, second) = (Bundle::native("first", "plugin-calc"), Bundle::native("second", "plugin-calc"));
    let runtime = runtime();
    let first = runtime.load_bundle(first.path()).unwrap();
    let second = runtime.load_bundle(second.path()).unwrap();
    assert_eq!(runtime.bundle_ids(), [first, second]);
    assert_eq!(runtime.proxies::<dyn Calculator>().unwrap().len(), 2);
    runtime.unload_bundle(first).unwrap();
    assert_eq!(runtime.proxy::<dyn Calculator>().unwrap().add(2, 3), Ok(5));
}

#[test]
fn of_two_threads_that_load_one_bundle_exactly_one_wins() {
    let bundle = Bundle::native("calc", "plugin-calc");
    let runtime = runtime();
    for round in 0..20 {
        let start = Barrier::new(2);
        let load = || {
            start.wait();
            runtime.load_bundle(bundle.path())
        };
        let outcomes = std::thread::scope(|scope| {
            let threads = [scope.spawn(load), scope.spawn(load)];
            threads.map(|thread| thread.join().expect("loading does not panic"))
        });
        let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 1), "round {round}");
        assert!(matches!(&lost[0], Err(RuntimeError::AlreadyLoaded { bundle }) if bundle == "calc"), "{lost:?}");
        let id = *won[0].as_ref().unwrap();
        assert_eq!(runtime.bundle_ids(), [id]);
        assert_eq!(runtime.proxy::<dyn Calculator>().unwrap().add(2, 3), Ok(5));
        runtime.unload_bundle(id).unwrap();
    }
    works(&runtime);
}

/// A load that fails gives the name free, also while others try.
#[test]
fn of_many_threads_that_load_a_bad_bundle_all_fail() {
    let bundle = Bundle::c(BAD, "init.c", &["INIT_CODE=1"]);
    let runtime = runtime();
    let start = Barrier::new(4);
    let load = || {
        start.wait();
        (0..10).filter(|_| runtime.load_bundle(bundle.path()).is_ok()).count()
    };
    let loaded: usize = std::thread::scope(|scope| {
        let threads = [(); 4].map(|()| scope.spawn(load));
        threads.into_iter().map(|thread| thread.join().expect("loading does not panic")).sum()
    });
    assert_eq!(loaded, 0);
    let _ = refused_by(&runtime, bundle.path());
}
