//! What is told about a bundle comes in the order of its changes, and whoever is told may do as they like: they get an
//! answer, whatever they ask for.

use std::env::consts::DLL_SUFFIX;
use std::sync::{Arc, Barrier, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use polyplug::error::RuntimeError;
use polyplug::{BundleId, Runtime};
use polyplug_abi::ReloadPhaseType;
use polyplug_native::NativeLoader;
use polyplug_tests::{Bundle, library, rounds};
use test_contracts::Stamp;

/// A runtime that tells `react` everything, with itself.
fn telling(react: impl Fn(&Arc<Runtime>, ReloadPhaseType, BundleId) + Send + Sync + 'static) -> Arc<Runtime> {
    let own: Arc<OnceLock<Weak<Runtime>>> = Arc::default();
    let known = Arc::clone(&own);
    let builder = Runtime::builder().loader(NativeLoader::new()).hot_reload(true).on_reload(move |_, phase| {
        if let Some(runtime) = known.get().and_then(Weak::upgrade) {
            react(&runtime, phase.phase_type, phase.bundle_id);
        }
    });
    let runtime = builder.build().unwrap();
    own.set(Arc::downgrade(&runtime)).unwrap();
    runtime
}

fn install(bundle: &Bundle, package: &str) {
    std::fs::copy(library(package), bundle.path().join(format!("plugin{DLL_SUFFIX}"))).unwrap();
}

#[test]
fn events_come_one_after_the_other() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&told);
    let runtime = telling(move |_, phase, _| {
        // For as long as this takes, nobody else may begin.
        std::thread::sleep(Duration::from_millis(1));
        log.lock().unwrap().push(phase);
    });
    let (good, bad) = (Bundle::native("told", "plugin-reload-one"), Bundle::native("told", "plugin-reload-two"));
    bad.write(&format!("plugin{DLL_SUFFIX}"), "no library");
    let id = runtime.load_bundle(good.path()).unwrap();
    let rounds = rounds(10);
    std::thread::scope(|scope| {
        for path in [good.path(), bad.path(), good.path(), bad.path()] {
            let runtime = &runtime;
            scope.spawn(move || (0..rounds).for_each(|_| drop(runtime.reload_bundle(path))));
        }
    });
    runtime.unload_bundle(id).unwrap();
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);

    let told = told.lock().unwrap();
    let changes: Vec<_> = told.iter().copied().filter(|phase| *phase != ReloadPhaseType::Quiesced).collect();
    let (last, reloads) = changes.split_last().unwrap();
    assert_eq!(*last, ReloadPhaseType::Unloading);
    for reload in reloads.chunks(2) {
        let complete =
            matches!(reload, [ReloadPhaseType::Preparing, ReloadPhaseType::Reloaded | ReloadPhaseType::Failed]);
        assert!(complete, "{reload:?} of {told:?}");
    }
    let count = |phase| told.iter().filter(|told| **told == phase).count();
    let (reloaded, failed) = (count(ReloadPhaseType::Reloaded), count(ReloadPhaseType::Failed));
    assert_eq!((reloaded, failed), (2 * rounds as usize, 2 * rounds as usize));
    assert_eq!(count(ReloadPhaseType::Quiesced), reloaded + 1, "each version that served");
}

#[test]
fn at_the_event_reloaded_the_new_version_serves() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let runtime = telling(move |runtime, phase, id| {
        let versions: Vec<_> = runtime.bundles().iter().map(|bundle| bundle.version.to_string()).collect();
        let answer = runtime.proxy::<dyn Stamp>().map(|stamp| stamp.version().unwrap()).ok();
        let mut seen = log.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push((phase, versions, runtime.bundle_name(id), answer));
    });
    let bundle = Bundle::native("told", "plugin-reload-one");
    let id = runtime.load_bundle(bundle.path()).unwrap();
    install(&bundle, "plugin-reload-two");
    let manifest = std::fs::read_to_string(bundle.path().join("manifest.toml")).unwrap();
    bundle.write("manifest.toml", manifest.replace("1.0.0", "2.0.0"));
    runtime.reload_bundle(bundle.path()).unwrap();
    bundle.write(&format!("plugin{DLL_SUFFIX}"), "no library");
    runtime.reload_bundle(bundle.path()).unwrap_err();
    runtime.unload_bundle(id).unwrap();
    let seen = seen.lock().unwrap();
    let seen: Vec<_> = seen.iter().filter(|seen| seen.0 != ReloadPhaseType::Quiesced).cloned().collect();
    let at = |phase, version: &str, answer| (phase, vec![version.to_owned()], Some("told".to_owned()), Some(answer));
    assert_eq!(
        seen,
        [
            at(ReloadPhaseType::Preparing, "1.0.0", 1),
            at(ReloadPhaseType::Reloaded, "2.0.0", 2),
            at(ReloadPhaseType::Preparing, "2.0.0", 2),
            at(ReloadPhaseType::Failed, "2.0.0", 2),
            at(ReloadPhaseType::Unloading, "2.0.0", 2),
        ]
    );
}

#[test]
fn a_callback_cannot_change_the_bundle_of_its_event() {
    let bundle = Arc::new(Bundle::native("told", "plugin-reload-one"));
    let answers = Arc::new(Mutex::new(Vec::new()));
    let (log, path) = (Arc::clone(&answers), bundle.path().to_owned());
    let runtime = telling(move |runtime, phase, id| {
        if phase == ReloadPhaseType::Quiesced {
            return;
        }
        let reload = runtime.reload_bundle(&path).map(drop);
        let unload = runtime.unload_bundle(id).map(drop);
        log.lock().unwrap().push((phase, [reload, unload]));
    });
    let id = runtime.load_bundle(bundle.path()).unwrap();
    runtime.reload_bundle(bundle.path()).unwrap();
    let whole = std::fs::read(library("plugin-reload-one")).unwrap();
    bundle.write(&format!("plugin{DLL_SUFFIX}"), "no library");
    runtime.reload_bundle(bundle.path()).unwrap_err();
    bundle.write(&format!("plugin{DLL_SUFFIX}"), whole);
    runtime.unload_bundle(id).unwrap();
    let answers = answers.lock().unwrap();
    let phases: Vec<_> = answers.iter().map(|(phase, _)| *phase).collect();
    let (preparing, unloading) = (ReloadPhaseType::Preparing, ReloadPhaseType::Unloading);
    assert_eq!(phases, [preparing, ReloadPhaseType::Reloaded, preparing, ReloadPhaseType::Failed, unloading]);
    for error in answers.iter().flat_map(|(_, answers)| answers) {
        let Err(error @ RuntimeError::Busy { .. }) = error else { panic!("{error:?}") };
        assert_eq!(
            error.to_string(),
            "bundle `told` is being changed, or called, by the call that this one is nested in, or by one that waits \
             for that: do it after that has returned"
        );
    }
}

#[test]
fn a_callback_may_change_a_bundle_at_the_event_quiesced() {
    let answers = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&answers);
    let bundle = Bundle::native("told", "plugin-reload-one");
    let path = bundle.path().to_owned();
    let runtime = telling(move |runtime, phase, _| {
        let is_first = log.lock().unwrap().is_empty();
        if phase == ReloadPhaseType::Quiesced && is_first {
            log.lock().unwrap().push(None);
            let answer = runtime.reload_bundle(&path).map(drop).map_err(|error| error.to_string());
            log.lock().unwrap().push(Some(answer));
        }
    });
    let id = runtime.load_bundle(bundle.path()).unwrap();
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
    assert_eq!(*answers.lock().unwrap(), [None, Some(Ok(()))]);
    runtime.unload_bundle(id).unwrap();
}

/// Each of two threads changes a bundle, and wants to change the other's while it is told of its own.
#[test]
fn two_that_would_wait_for_each_other_do_not() {
    let bundles = ["one", "other"].map(|name| Bundle::native(name, "plugin-reload-one"));
    let paths = bundles.each_ref().map(|bundle| bundle.path().to_owned());
    let answers = Arc::new(Mutex::new(Vec::new()));
    let (log, both) = (Arc::clone(&answers), Barrier::new(2));
    let begun = Mutex::new(Vec::new());
    let runtime = telling(move |runtime, phase, id| {
        let this_thread = std::thread::current().id();
        let mut threads = begun.lock().unwrap();
        if phase != ReloadPhaseType::Preparing || threads.contains(&this_thread) {
            return;
        }
        threads.push(this_thread);
        drop(threads);
        both.wait();
        let others = if id == BundleId::new("one") { &paths[1] } else { &paths[0] };
        let answer = runtime.reload_bundle(others).map(drop);
        log.lock().unwrap().push(answer);
    });
    for bundle in &bundles {
        runtime.load_bundle(bundle.path()).unwrap();
    }
    std::thread::scope(|scope| {
        for bundle in &bundles {
            scope.spawn(|| runtime.reload_bundle(bundle.path()).unwrap());
        }
    });
    let answers = answers.lock().unwrap();
    assert_eq!(answers.len(), 2);
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    assert!(answers.iter().any(|answer| matches!(answer, Err(RuntimeError::Busy { .. }))), "{answers:?}");
}
