//! Several bundles provide a contract: a host can choose among them, look at all at one moment, and list what there is.

use std::sync::Arc;

use polyplug::error::RuntimeError;
use polyplug::{BundleId, Contract, Runtime};
use polyplug_abi::{GuestContractHandle, Version};
use polyplug_native::NativeLoader;
use polyplug_tests::{Bundle, last_error, reported, runtime, unloaded};
use test_contracts::{Calculator, Counter, Stamp};

/// A runtime with `first` and `second`, which differ in how they count, and can be reloaded.
fn two() -> (Arc<Runtime>, [Bundle; 2], [BundleId; 2]) {
    let runtime = Runtime::builder().loader(NativeLoader::new()).hot_reload(true).build().unwrap();
    let bundles = [Bundle::native("first", "plugin-reload-one"), Bundle::native("second", "plugin-reload-two")];
    let ids = [&bundles[0], &bundles[1]].map(|bundle| runtime.load_bundle(bundle.path()).unwrap());
    (runtime, bundles, ids)
}

fn served(runtime: &Runtime) -> u32 {
    runtime.proxy::<dyn Stamp>().unwrap().version().unwrap()
}

#[test]
fn the_preferred_provider_is_found_first() {
    let (runtime, bundles, [first, second]) = two();
    assert_eq!(served(&runtime), 1);
    let before = runtime.proxy::<dyn Stamp>().unwrap();

    runtime.prefer::<dyn Stamp>(second).unwrap();
    assert_eq!(served(&runtime), 2);
    assert_eq!(before.version(), Ok(1), "what was found stays as it is");
    let order: Vec<_> = runtime.proxies::<dyn Stamp>().unwrap().iter().map(|stamp| stamp.version().unwrap()).collect();
    assert_eq!(order, [2, 1]);
    assert_eq!(runtime.proxy::<dyn Counter>().unwrap().add(1), Ok(1), "the other contract is not affected");
    let handle = runtime.find_guest_contract(<dyn Stamp>::ID.id(), 0);
    assert_eq!(handle, runtime.find_guest_contract_in(<dyn Stamp>::ID.id(), second));

    runtime.reload_bundle(bundles[1].path()).unwrap();
    assert_eq!(served(&runtime), 2, "over a reload");
    runtime.prefer::<dyn Stamp>(first).unwrap();
    assert_eq!(served(&runtime), 1, "the latest wish counts");
    runtime.prefer::<dyn Stamp>(second).unwrap();
    runtime.unload_bundle(second).unwrap();
    assert_eq!(served(&runtime), 1);
    runtime.load_bundle(bundles[1].path()).unwrap();
    assert_eq!(served(&runtime), 1, "a bundle that is loaded again comes last");
}

#[test]
fn only_a_provider_can_be_preferred() {
    let (runtime, _bundles, [first, _]) = two();
    let error = runtime.prefer::<dyn Calculator>(first).unwrap_err();
    assert!(matches!(&error, RuntimeError::NoProvider { bundle: Some(name), .. } if name == "first"), "{error}");
    let error = runtime.prefer::<dyn Stamp>("secnod").unwrap_err().to_string();
    assert_eq!(error, "no bundle `secnod` is loaded (did you mean `second`?)");
    let error = runtime.prefer::<dyn Stamp>(BundleId::new("nobody")).unwrap_err();
    assert!(matches!(error, RuntimeError::BundleNotLoaded { .. }), "{error}");
    assert_eq!(served(&runtime), 1);
}

#[test]
fn a_c_host_chooses_as_well() {
    let (runtime, _bundles, [first, second]) = two();
    let (host, contract) = (runtime.host_abi(), <dyn Stamp>::ID.id());
    // SAFETY: the table is valid while the runtime is.
    unsafe {
        let find_in = |bundle: BundleId| ((*host).find_guest_contract_in)(host, contract, bundle.id());
        assert_eq!(((*host).find_guest_contract)(host, contract, 0), find_in(first));
        assert_eq!(reported(|error| ((*host).prefer)(host, contract, second.id(), error)).0, 0);
        assert_eq!(((*host).find_guest_contract)(host, contract, 0), find_in(second));
        assert!(find_in(BundleId::new("nobody")).is_null());
        let (code, text) = reported(|error| ((*host).prefer)(host, contract, 1, error));
        assert_eq!(code, polyplug_abi::AbiErrorCode::NotFound as u32, "{text}");
    }
}

#[test]
fn a_snapshot_shows_one_moment() {
    let (runtime, bundles, [first, second]) = two();
    let snapshot = runtime.snapshot();
    let handle = snapshot.find_guest_contract(<dyn Stamp>::ID, 0).unwrap();
    let table = snapshot.resolve_guest_contract(handle).unwrap();

    // Everything changes: `first` gets the other code, `second` goes.
    std::fs::copy(
        polyplug_tests::library("plugin-reload-two"),
        bundles[0].path().join(format!("plugin{}", std::env::consts::DLL_SUFFIX)),
    )
    .unwrap();
    let report = runtime.reload_bundle(bundles[0].path()).unwrap();
    assert!(!report.reclaimed, "the snapshot holds the old code");
    assert!(!runtime.unload_bundle(second).unwrap().reclaimed);

    assert_eq!(snapshot.find_guest_contract(<dyn Stamp>::ID, 0), Ok(handle));
    assert_eq!(snapshot.resolve_guest_contract(handle), Ok(table), "the table of then");
    assert_ne!(runtime.resolve_guest_contract(handle), Ok(table));
    // SAFETY: the snapshot keeps the table.
    assert_eq!(unsafe { (*table).contract_id }, <dyn Stamp>::ID);
    assert_eq!(snapshot.find_all_guest_contracts(<dyn Stamp>::ID, 0).len(), 2);
    assert_eq!(runtime.find_all_guest_contracts(<dyn Stamp>::ID.id(), 0).len(), 1);
    assert!(snapshot.find_guest_contract_in(<dyn Stamp>::ID, second).is_some());

    // A proxy is one like any other: it goes where its bundle is now.
    assert_eq!(snapshot.proxy_from::<dyn Stamp>(first).unwrap().version(), Ok(2));
    let gone = snapshot.proxy_from::<dyn Stamp>(second).unwrap();
    assert_eq!(unloaded(gone.version()), "second");
    assert_eq!(snapshot.proxies::<dyn Stamp>().unwrap().len(), 2);
    assert!(snapshot.proxy::<dyn Calculator>().is_err());
    assert!(snapshot.proxy_from::<dyn Stamp>(BundleId::new("nobody")).is_err());

    drop((snapshot, gone));
    assert_eq!(runtime.quiesce(std::time::Duration::from_secs(20)), []);
}

#[test]
fn a_snapshot_outlives_its_runtime() {
    let (runtime, _bundles, _) = two();
    let snapshot = runtime.snapshot().clone();
    drop(runtime);
    let handle = snapshot.find_guest_contract(<dyn Stamp>::ID, 0).unwrap();
    // SAFETY: the snapshot keeps the table.
    assert_eq!(unsafe { (*snapshot.resolve_guest_contract(handle).unwrap()).contract_id }, <dyn Stamp>::ID);
    assert!(snapshot.proxy::<dyn Stamp>().unwrap().version().is_err());
}

#[test]
fn whole_bundles_appear_in_snapshots() {
    let bundle = Bundle::native("both", "plugin-reload-one");
    let runtime = runtime();
    std::thread::scope(|scope| {
        let watch = |runtime: &Runtime, done: &std::sync::atomic::AtomicBool| {
            let mut seen = [false; 2];
            while !done.load(std::sync::atomic::Ordering::Relaxed) || seen != [true; 2] {
                let snapshot = runtime.snapshot();
                let stamp = snapshot.find_guest_contract(<dyn Stamp>::ID, 0).is_ok();
                let counter = snapshot.find_guest_contract(<dyn Counter>::ID, 0).is_ok();
                assert_eq!(stamp, counter, "both plugins of the bundle or none");
                seen[usize::from(stamp)] = true;
            }
        };
        let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
        for _ in 0..2 {
            let (runtime, done) = (&runtime, Arc::clone(&done));
            scope.spawn(move || watch(runtime, &done));
        }
        for _ in 0..200 {
            let id = runtime.load_bundle(bundle.path()).unwrap();
            runtime.unload_bundle(id).unwrap();
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        // Until each has seen both states.
        runtime.load_bundle(bundle.path()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        runtime.unload_bundle(BundleId::new("both")).unwrap();
    });
}

#[test]
fn a_lease_keeps_a_table() {
    let (runtime, bundles, [first, _]) = two();
    let handle = runtime.find_guest_contract(<dyn Stamp>::ID.id(), 0).unwrap();
    let lease = runtime.lease(handle).unwrap();
    assert_eq!(Ok(lease.interface()), runtime.resolve_guest_contract(handle));
    assert!(lease.is_current());
    let site = runtime.bundle(first).unwrap().holders;
    assert_eq!((site.len(), site[0].count), (1, 1));
    assert!(site[0].site.file().ends_with("choosing.rs"));

    runtime.reload_bundle(bundles[0].path()).unwrap();
    assert!(!lease.is_current());
    assert_eq!(runtime.retired().len(), 1);
    // SAFETY: the lease keeps the table.
    assert_eq!(unsafe { (*lease.interface()).contract_id }, <dyn Stamp>::ID);
    let another = lease.clone();
    drop(lease);
    assert_eq!(runtime.retired()[0].holders[0].count, 1);
    drop(another);
    assert_eq!(runtime.quiesce(std::time::Duration::from_secs(20)), []);
    assert!(runtime.lease(GuestContractHandle { index: 1000, generation: 1 }).is_err());
}

#[test]
fn a_c_host_leases_tables() {
    let (runtime, bundles, _) = two();
    let host = runtime.host_abi();
    // SAFETY: the table is valid while the runtime is; leased tables until they are released.
    unsafe {
        let handle = ((*host).find_guest_contract)(host, <dyn Stamp>::ID.id(), 0);
        let table = ((*host).lease)(host, handle, std::ptr::null_mut());
        assert!(!table.is_null());
        assert_eq!(((*host).lease)(host, handle, std::ptr::null_mut()), table, "once more");
        runtime.reload_bundle(bundles[0].path()).unwrap();
        assert_ne!(((*host).resolve_guest_contract)(host, handle), table);
        ((*host).release)(host, table);
        assert_eq!((*table).contract_id, <dyn Stamp>::ID, "leased twice, released once");
        assert_eq!(((*host).quiesce)(host, 0), 1);
        ((*host).release)(host, table);
        assert_eq!(((*host).quiesce)(host, 20_000), 0);

        ((*host).release)(host, table);
        assert!(last_error(host).contains("no lease"), "an error, and no harm");
        let stale = GuestContractHandle { generation: handle.generation + 1, ..handle };
        let (code, _) = reported(|error| assert!(((*host).lease)(host, stale, error).is_null()));
        assert_eq!(code, polyplug_abi::AbiErrorCode::StaleHandle as u32);
    }
}

#[test]
fn a_lease_that_is_never_released_ends_with_the_runtime() {
    let (runtime, bundles, _) = two();
    let host = runtime.host_abi();
    // SAFETY: the table is valid while the runtime is.
    let table = unsafe {
        let handle = ((*host).find_guest_contract)(host, <dyn Stamp>::ID.id(), 0);
        ((*host).lease)(host, handle, std::ptr::null_mut())
    };
    assert!(!table.is_null());
    drop(runtime);
    polyplug_tests::eventually("the code goes", || polyplug_tests::mapped_below(bundles[0].path()).is_empty());
}

#[test]
fn what_is_loaded_is_listed() {
    let (runtime, bundles, [first, second]) = two();
    let listed = runtime.bundles();
    assert_eq!(listed.iter().map(|bundle| bundle.id).collect::<Vec<_>>(), [first, second]);
    let [bundle, _] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!((bundle.name.as_str(), bundle.version.to_string().as_str()), ("first", "1.0.0"));
    assert_eq!((bundle.loader, bundle.directory.as_deref()), (Some("native"), Some(bundles[0].path())));
    assert_eq!((bundle.leases(), &bundle.threads), (0, &Vec::new()));
    if cfg!(target_os = "linux") {
        assert!(bundle.memory > 100_000, "the library's segments: {}", bundle.memory);
    }
    let plugin = |name: &str| {
        let info = runtime.bundle(first).unwrap();
        info.plugins.into_iter().find(|plugin| plugin.name == name).unwrap()
    };
    let stamp = plugin("Stateless");
    assert_eq!((stamp.contract.as_str(), stamp.contract_version), ("test.stamp", Version::new(1, 0, 0)));
    assert_eq!((stamp.shared, stamp.instances), (true, 1));
    assert_eq!(Ok(stamp.handle), runtime.find_guest_contract(<dyn Stamp>::ID.id(), 0));
    assert_eq!((plugin("Count").shared, plugin("Count").instances), (false, 0));

    let counter = runtime.proxy::<dyn Counter>().unwrap();
    let clone = counter.clone();
    assert_eq!(plugin("Count").instances, 1, "clones share it");
    assert_eq!(runtime.bundle(first).unwrap().leases(), 2, "each holds a lease");
    let text = runtime.bundle(first).unwrap().to_string();
    let expected = [
        &format!("first 1.0.0 ({first}, native"),
        &format!("from {}", bundles[0].path().display()),
        "\n  Stateless 1.0.0 implements test.stamp@1.0, one instance for everybody",
        "\n  Count 1.0.0 implements test.counter@1.0, 1 instance",
        "\n  held by 2 leases of test.counter taken at ",
    ];
    for part in expected {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    drop((counter, clone));
    assert_eq!(plugin("Count").instances, 0);

    runtime.reload_bundle(bundles[0].path()).unwrap();
    assert_eq!(runtime.bundle(first).unwrap().directory.as_deref(), Some(bundles[0].path()), "not the private copy");
    runtime.unload_bundle(first).unwrap();
    assert_eq!(runtime.bundle(first), None);
    assert_eq!(runtime.bundles().len(), 1);
}
