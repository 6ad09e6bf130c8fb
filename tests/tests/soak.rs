//! What is done over and over leaves nothing behind: memory, mappings, files and threads stay flat after warm-up.
//!
//! A short form by default; `POLYPLUG_SOAK=50 cargo test -p polyplug-tests --test soak -- --nocapture` does fifty times as
//! much, and prints the series.
#![cfg(target_os = "linux")]

use std::time::Duration;

use polyplug::Runtime;
use polyplug_abi::{AbiError, GuestContractInstance};
use polyplug_native::NativeLoader;
use polyplug_tests::{Bundle, rounds, runtime};
use test_contracts::moody::Moody;
use test_contracts::{Calculator, Counter, Stamp};

/// Only one test at a time looks at the process.
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

#[derive(Debug, Clone, Copy)]
struct Footprint {
    kib: u64,
    mappings: usize,
    files: usize,
    threads: usize,
}

fn footprint() -> Footprint {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let number = |key: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    Footprint {
        kib: number("VmRSS:"),
        mappings: std::fs::read_to_string("/proc/self/maps").unwrap().lines().count(),
        files: std::fs::read_dir("/proc/self/fd").unwrap().count(),
        threads: usize::try_from(number("Threads:")).unwrap(),
    }
}

/// Does `cycle` many times; after a warm-up nothing may grow.
fn flat(what: &str, cycles: u32, mut cycle: impl FnMut(u32)) {
    let cycles = rounds(cycles);
    let mut series = Vec::new();
    for step in 0..10 {
        for n in 0..cycles / 10 {
            cycle(step * (cycles / 10) + n);
        }
        series.push(footprint());
        println!("{what}, after {:>8}: {:?}", (step + 1) * (cycles / 10), series.last().unwrap());
    }
    let (warm, end) = (series[3], series[9]);
    // A page here and there is the allocator's; a leak of 32 bytes a cycle would be far more.
    assert!(end.kib <= warm.kib + 512, "{what}: {series:#?}");
    assert!(end.mappings <= warm.mappings + 4, "{what}: {series:#?}");
    assert!(end.files <= warm.files && end.threads <= warm.threads + 1, "{what}: {series:#?}");
}

#[test]
fn loading_calling_and_unloading() {
    let _alone = ALONE.lock().unwrap_or_else(|error| error.into_inner());
    let bundle = Bundle::native("calc", "plugin-calc");
    let runtime = runtime();
    flat("load, call, unload", 2_000, |n| {
        let id = runtime.load_bundle(bundle.path()).unwrap();
        let (calc, counter) = (runtime.proxy::<dyn Calculator>().unwrap(), runtime.proxy::<dyn Counter>().unwrap());
        assert_eq!(calc.greet("x").unwrap(), "Hello, x!");
        assert_eq!(counter.add(u64::from(n)).unwrap(), u64::from(n));
        drop((calc, counter));
        runtime.unload_bundle(id).unwrap();
    });
}

#[test]
fn reloading_under_a_proxy_that_is_never_refreshed() {
    let _alone = ALONE.lock().unwrap_or_else(|error| error.into_inner());
    let versions = [("plugin-reload-one", 1), ("plugin-reload-two", 2)]
        .map(|(package, version)| (Bundle::native("reloaded", package), version));
    let runtime = Runtime::builder().loader(NativeLoader::new()).hot_reload(true).build().unwrap();
    runtime.load_bundle(versions[0].0.path()).unwrap();
    let (stamp, counter) = (runtime.proxy::<dyn Stamp>().unwrap(), runtime.proxy::<dyn Counter>().unwrap());
    flat("reload", 400, |n| {
        let (bundle, version) = &versions[(n as usize + 1) % 2];
        runtime.reload_bundle(bundle.path()).unwrap();
        assert_eq!(stamp.version(), Ok(*version));
        assert_eq!(counter.add(1), Ok(u64::from(*version)));
    });
    assert_eq!(runtime.quiesce(Duration::from_secs(1)).len(), 1, "the version the proxies were made with");
}

#[test]
fn threads_of_bundles() {
    let _alone = ALONE.lock().unwrap_or_else(|error| error.into_inner());
    let bundle = Bundle::native("moody", "plugin-moody");
    let runtime = Runtime::builder().loader(NativeLoader::new()).hot_reload(true).build().unwrap();
    let nothing = bundle.path().join("nothing");
    let start_a_thread = || {
        let moody = runtime.proxy::<dyn Moody>().unwrap();
        moody.linger(0, nothing.to_str().unwrap()).unwrap();
    };
    flat("load, start threads, reload, unload", 100, |_| {
        let id = runtime.load_bundle(bundle.path()).unwrap();
        start_a_thread();
        start_a_thread();
        runtime.reload_bundle(bundle.path()).unwrap();
        start_a_thread();
        runtime.unload_bundle(id).unwrap();
        // On a busy machine a thread may take longer to end than an unload waits.
        assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
    });
}

#[test]
fn calls_that_fail() {
    let _alone = ALONE.lock().unwrap_or_else(|error| error.into_inner());
    let bundle = Bundle::native("panics", "plugin-panics");
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    let panics = runtime.proxy::<dyn test_contracts::panics::Panics>().unwrap();
    flat("failing calls", 10_000, |_| {
        panics.literal().unwrap_err();
    });
}

#[test]
fn instances_through_the_c_abi() {
    let _alone = ALONE.lock().unwrap_or_else(|error| error.into_inner());
    let bundle = Bundle::native("calc", "plugin-calc");
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    let handle = runtime.find_guest_contract(<dyn Counter as polyplug::Contract>::ID.id(), 0).unwrap();
    let host = runtime.host_abi();
    flat("tokens", 50_000, |_| {
        let (mut token, mut error) = (GuestContractInstance::null(), AbiError::ok());
        // SAFETY: the table is valid while the runtime is, and all pointers are.
        unsafe {
            ((*host).create_guest_instance)(host, handle, std::ptr::null(), &raw mut token, &raw mut error);
            ((*host).destroy_guest_instance)(host, token);
        }
        assert!(error.is_ok());
    });
}
