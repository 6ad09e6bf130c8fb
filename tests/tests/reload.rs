//! A bundle is replaced while it serves: new calls run the new code, old ones finish, and whatever fails leaves the old
//! version as it was.

use std::env::consts::DLL_SUFFIX;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use polyplug::error::RuntimeError;
use polyplug::runtime::{ReloadPolicy, RuntimeBuilder};
use polyplug::{CallError, Proxy, Runtime};
use polyplug_abi::ReloadPhaseType;
use polyplug_native::NativeLoader;
use polyplug_tests::{Bundle, library, manifest, rounds, unloaded};
use test_contracts::{Counter, Stamp};

fn builder() -> RuntimeBuilder {
    Runtime::builder().loader(NativeLoader::new()).hot_reload(true)
}

fn install(bundle: &Bundle, package: &str) {
    std::fs::copy(library(package), bundle.path().join(format!("plugin{DLL_SUFFIX}"))).unwrap();
}

#[test]
fn a_proxy_finds_the_new_version() {
    let bundle = Bundle::native("reloaded", "plugin-reload-one");
    let runtime = builder().build().unwrap();
    let id = runtime.load_bundle(bundle.path()).unwrap();
    let mut old = runtime.proxy::<dyn Stamp>().unwrap();
    assert_eq!(old.version(), Ok(1));

    install(&bundle, "plugin-reload-two"); // overwrites in place the file that was loaded
    assert_eq!(old.echo("before"), Ok("1 before".to_owned()), "the private copy is untouched");
    let report = runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(report.bundle, id);
    assert!(!report.reclaimed, "the proxy holds the old code");
    assert_eq!(old.version(), Ok(2));
    assert_eq!(old.echo("after"), Ok("2 after".to_owned()));
    assert_eq!(old.clone().version(), Ok(2));
    assert_eq!(runtime.proxy::<dyn Stamp>().unwrap().version(), Ok(2));

    let lingering = runtime.quiesce(Duration::ZERO);
    assert_eq!(lingering.len(), 1, "{lingering:?}");
    assert_eq!(lingering[0].bundle, "reloaded");
    assert_eq!((lingering[0].holders[0].contract.as_str(), lingering[0].holders[0].count), ("test.stamp", 1));
    assert!(lingering[0].holders[0].site.file().ends_with("reload.rs"));
    old.refresh();
    assert_eq!(runtime.quiesce(Duration::from_secs(10)), []);

    let report = runtime.unload_bundle(id).unwrap();
    assert!(!report.reclaimed);
    assert_eq!(report.holders.len(), 1);
    assert_eq!(unloaded(old.version()), "reloaded");
}

#[test]
fn a_proxy_that_is_never_refreshed_keeps_one_version() {
    let bundle = Bundle::native("reloaded", "plugin-reload-one");
    let runtime = builder().build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    let (stamp, counter) = (runtime.proxy::<dyn Stamp>().unwrap(), runtime.proxy::<dyn Counter>().unwrap());
    for round in 0..20 {
        let (package, version) = [("plugin-reload-two", 2), ("plugin-reload-one", 1)][round % 2];
        install(&bundle, package);
        runtime.reload_bundle(bundle.path()).unwrap();
        assert_eq!(stamp.version(), Ok(version));
        assert_eq!(counter.add(10), Ok(10 * u64::from(version)), "made afresh");
        // Other tests share the collector: give it time to see that nobody else holds what lies between.
        let deadline = Instant::now() + Duration::from_secs(20);
        while runtime.quiesce(Duration::ZERO).len() > 1 {
            assert!(Instant::now() < deadline, "only the version the proxies were made with may stay");
        }
    }
}

#[test]
fn handles_and_tokens_survive() {
    use polyplug::Contract;
    use polyplug_abi::{AbiError, GuestContractInstance};

    let bundle = Bundle::native("reloaded", "plugin-reload-one");
    let runtime = builder().build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    let handle = runtime.find_guest_contract(<dyn Stamp>::ID.id(), 0).unwrap();
    let host = runtime.host_abi();
    let (mut token, mut error) = (GuestContractInstance::null(), AbiError::ok());
    // SAFETY: the table is valid while the runtime is, and all pointers are.
    unsafe { ((*host).create_guest_instance)(host, handle, std::ptr::null(), &raw mut token, &raw mut error) };
    assert!(error.is_ok());
    let call = |expected: u32| {
        let (mut out, mut error) = (0u32, AbiError::ok());
        let room = (&raw mut out).cast();
        let none = std::ptr::null_mut();
        // SAFETY: method 0 takes nothing and returns a `u32`.
        unsafe { ((*host).call_guest_method)(host, token, 0, std::ptr::null(), room, none, &raw mut error) };
        assert!(error.is_ok());
        assert_eq!(out, expected);
    };
    call(1);
    install(&bundle, "plugin-reload-two");
    runtime.reload_bundle(bundle.path()).unwrap();
    call(2);
    assert_eq!(runtime.find_guest_contract(<dyn Stamp>::ID.id(), 0), Ok(handle));
    // SAFETY: the table is valid while the runtime is.
    unsafe { ((*host).destroy_guest_instance)(host, token) };
}

#[test]
fn a_failed_reload_leaves_the_old_version() {
    let bundle = Bundle::native("reloaded", "plugin-reload-one");
    let events = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&events);
    let runtime = builder().on_reload(move |_, phase| log.lock().unwrap().push(phase.phase_type)).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    let counter = runtime.proxy::<dyn Counter>().unwrap();
    assert_eq!(counter.add(3), Ok(3));
    let artifact = bundle.path().join(format!("plugin{DLL_SUFFIX}"));
    let whole = std::fs::read(library("plugin-reload-two")).unwrap();
    for (bytes, reason) in
        [(&whole[..whole.len() / 2], "truncated"), (b"text".as_slice(), "text"), (b"".as_slice(), "empty")]
    {
        bundle.write(&format!("plugin{DLL_SUFFIX}"), bytes);
        let error = runtime.reload_bundle(bundle.path()).unwrap_err().to_string();
        assert!(error.contains("`reloaded`") && error.contains(reason), "{error}");
        assert!(error.contains(&*artifact.to_string_lossy()), "names the original, not the copy: {error}");
        assert_eq!(counter.add(1).map(|count| count > 3), Ok(true), "state is untouched");
    }
    std::fs::remove_file(&artifact).unwrap();
    assert!(matches!(runtime.reload_bundle(bundle.path()), Err(RuntimeError::Loader(_))));
    bundle.write("manifest.toml", manifest("another", "native", "plugin"));
    assert!(matches!(runtime.reload_bundle(bundle.path()), Err(RuntimeError::ReloadOfUnloaded { .. })));
    assert_eq!(counter.add(1), Ok(7));

    bundle.write("manifest.toml", manifest("reloaded", "native", "plugin"));
    install(&bundle, "plugin-reload-two");
    assert_eq!(runtime.reload_bundle(bundle.path()).unwrap().restarted, 1);
    assert_eq!(counter.add(1), Ok(2));
    let events = events.lock().unwrap();
    assert_eq!(events.iter().filter(|event| **event == ReloadPhaseType::Failed).count(), 5);
    assert_eq!(events.last(), Some(&ReloadPhaseType::Reloaded));
}

#[test]
fn what_is_not_loaded_is_not_reloaded() {
    let bundle = Bundle::native("other", "plugin-reload-one");
    let told = Arc::new(Mutex::new(0));
    let count = Arc::clone(&told);
    let runtime = builder().on_reload(move |_, _| *count.lock().unwrap() += 1).build().unwrap();
    let error = runtime.reload_bundle(bundle.path()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{}: bundle `other` is not loaded, so it cannot be reloaded: load it with `Runtime::load_bundle`, or correct \
             `name`",
            bundle.path().join("manifest.toml").display()
        )
    );
    assert!(matches!(&error, RuntimeError::ReloadOfUnloaded { serving, .. } if serving.is_empty()), "{error:?}");
    assert_eq!(*told.lock().unwrap(), 0, "nobody serves who could be told of");
}

#[test]
fn instances_may_drain() {
    let bundle = Bundle::native("reloaded", "plugin-reload-one");
    let runtime = builder().reload_policy(ReloadPolicy::Drain).build().unwrap();
    let id = runtime.load_bundle(bundle.path()).unwrap();
    let counter = runtime.proxy::<dyn Counter>().unwrap();
    assert_eq!(counter.add(5), Ok(5));
    install(&bundle, "plugin-reload-two");
    let report = runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!((report.drained, report.restarted), (1, 0));
    assert_eq!(counter.add(1), Ok(6), "still the old code and the old state");
    assert_eq!(runtime.proxy::<dyn Counter>().unwrap().add(5), Ok(10), "the new code doubles");
    let clone = counter.clone();
    assert_eq!(clone.add(1), Ok(7), "clones share the instance");

    install(&bundle, "plugin-reload-one");
    assert_eq!(runtime.reload_bundle(bundle.path()).unwrap().drained, 1, "it stays through further reloads");
    assert_eq!((counter.add(1), clone.add(1)), (Ok(8), Ok(9)));
    runtime.unload_bundle(id).unwrap();
    assert!(matches!(counter.add(1), Err(CallError::Unloaded { .. })), "an unload is for everybody");
    drop((counter, clone));
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
}

#[test]
fn reloading_must_be_switched_on() {
    let bundle = Bundle::native("reloaded", "plugin-reload-one");
    let runtime = polyplug_tests::runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    assert!(matches!(runtime.reload_bundle(bundle.path()), Err(RuntimeError::HotReloadDisabled { .. })));
}

#[test]
fn callers_never_notice() {
    let one = Bundle::native("reloaded", "plugin-reload-one");
    let two = Bundle::native("reloaded", "plugin-reload-two");
    let runtime = builder().build().unwrap();
    runtime.load_bundle(one.path()).unwrap();
    let (stop, calls) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for caller in 0..6 {
            let (runtime, stop, calls) = (&runtime, &stop, &calls);
            let stamp = runtime.proxy::<dyn Stamp>().unwrap();
            let counter = runtime.proxy::<dyn Counter>().unwrap();
            scope.spawn(move || {
                let mut count = 0u64;
                while !stop.load(Ordering::Relaxed) {
                    let stamp = if caller % 3 == 0 { runtime.proxy::<dyn Stamp>().unwrap() } else { stamp.clone() };
                    let version = stamp.version().unwrap();
                    assert!(version == 1 || version == 2);
                    let text = stamp.echo("x").unwrap();
                    assert!(text == "1 x" || text == "2 x", "{text}");
                    assert!(counter.add(1).unwrap() > 0);
                    count += 1;
                }
                calls.fetch_add(count, Ordering::Relaxed);
            });
        }
        for round in 0..rounds(60) {
            runtime.reload_bundle(if round % 2 == 0 { two.path() } else { one.path() }).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(calls.load(Ordering::Relaxed) > 0);
    assert_eq!(runtime.quiesce(Duration::from_secs(10)), []);
}
