//! Calls of one method in all ways, reloads, and the times of calls during reloads.

use std::hint::black_box;
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_epoch::pin;
use polyplug::{Contract, Proxy, Runtime};
use polyplug_abi::{AbiError, Entry, GuestContractHandle, GuestContractInstance, HostApi};
use polyplug_native::NativeLoader;
use polyplug_tests::bench::{Goal, Table};
use polyplug_tests::{Bundle, library};
use test_contracts::Calculator;

type Add = extern "C" fn(i32, i32) -> i32;

/// The lowered arguments of `add`.
#[repr(C)]
struct AddArgs(i32, i32);

fn main() {
    let bundle = Bundle::native("calc", "plugin-calc");
    let runtime = Runtime::builder().loader(NativeLoader::new()).hot_reload(true).build().expect("one loader");
    runtime.load_bundle(bundle.path()).expect("the fixture loads");

    // SAFETY: the library is a fixture of this repository, without initialisers.
    let floor = unsafe { libloading::Library::new(library("plugin-floor")) }.expect("the fixture opens");
    // SAFETY: the fixture exports the function with this type.
    let add = *unsafe { floor.get::<Add>(b"floor_add\0") }.expect("the fixture has it");

    calls(&runtime, bundle.path(), add);
    let table = Table::new("Reloading a native bundle");
    if table.wants("reload") {
        reload(&table, &runtime, bundle.path());
    }
    if table.wants("pause") {
        pauses(&runtime, bundle.path());
    }
    if table.wants("threads") {
        threads();
    }
}

fn calls(runtime: &Runtime, path: &Path, add: Add) {
    let table = Table::new("Calls of add(i32, i32)");
    let old = runtime.proxy::<dyn Calculator>().expect("provided");
    runtime.reload_bundle(path).expect("it reloads");
    let mut refreshed = old.clone();
    refreshed.refresh();
    assert_eq!((old.add(2, 3), refreshed.add(2, 3)), (Ok(5), Ok(5)));

    let raw = || add(black_box(2), black_box(3));
    table.line("by proxy, beside a raw dlsym call", Goal::Above(0.8), raw, || {
        refreshed.add(black_box(2), black_box(3)).expect("it answers")
    });
    table.line(
        "by a proxy not refreshed since a reload",
        Goal::None,
        || drop(black_box(pin())),
        || old.add(black_box(2), black_box(3)).expect("it answers"),
    );

    let handle = runtime.find_guest_contract(<dyn Calculator>::ID.id(), 0).expect("provided");
    let host = runtime.host_abi();
    let instance = GuestContractInstance { data: host.cast_mut().cast(), contract_id: <dyn Calculator>::ID };
    let by_handle = || by_handle(runtime, handle, instance);
    table.line(
        "by handle, with a pin of its own",
        Goal::None,
        || drop(black_box(pin())),
        || {
            let guard = pin();
            let sum = by_handle();
            drop(guard);
            sum
        },
    );
    let guard = pin();
    table.line("by handle inside a pin, beside a raw call", Goal::None, raw, by_handle);
    drop(guard);

    let (mut token, mut error) = (GuestContractInstance::null(), AbiError::ok());
    // SAFETY: the table is valid while the runtime is, and the pointers are valid during the call.
    unsafe { ((*host).create_guest_instance)(host, handle, std::ptr::null(), &raw mut token, &raw mut error) };
    table.line(
        "through call_guest_method of the C ABI",
        Goal::None,
        || drop(black_box(pin())),
        // SAFETY: the table is valid while the runtime is; the instance is not destroyed yet.
        || unsafe { by_token(host, token) },
    );
    // SAFETY: the table is valid while the runtime is; the instance is destroyed once.
    unsafe { ((*host).destroy_guest_instance)(host, token) };
}

/// Resolves a handle and calls the first function of its table. The caller holds a pin.
#[inline]
fn by_handle(runtime: &Runtime, handle: GuestContractHandle, instance: GuestContractInstance) -> i32 {
    let table = runtime.resolve_guest_contract(black_box(handle)).expect("it serves");
    let (args, mut sum, mut error) = (AddArgs(black_box(2), black_box(3)), 0, AbiError::ok());
    // SAFETY: a pin is held, so the table stays. The plugin is native, and its first function is `add`. Its type has no
    // size, so that the host's table is its instance.
    unsafe {
        let entry = (*table).dispatch.native.functions.cast::<Entry>().read();
        let (args, out) = ((&raw const args).cast(), (&raw mut sum).cast());
        entry(instance, args, out, std::ptr::null_mut(), &raw mut error);
    }
    assert!(error.is_ok());
    sum
}

/// # Safety
///
/// The table must be valid, and the token must be one of its tokens.
unsafe fn by_token(host: *const HostApi, token: GuestContractInstance) -> i32 {
    let (args, mut sum, mut error) = (AddArgs(black_box(2), black_box(3)), 0i32, AbiError::ok());
    let (args, out) = ((&raw const args).cast(), (&raw mut sum).cast());
    // SAFETY: the caller's promise.
    unsafe { ((*host).call_guest_method)(host, token, 0, args, out, std::ptr::null_mut(), &raw mut error) };
    assert!(error.is_ok());
    sum
}

fn reload(table: &Table, runtime: &Runtime, path: &Path) {
    let file = path.join(format!("plugin{}", std::env::consts::DLL_SUFFIX));
    let folder = tempfile::tempdir().expect("a folder");
    let mut number = 0;
    table.line(
        "reload, beside copy, dlopen, dlsym, dlclose",
        Goal::None,
        || {
            number += 1;
            let copy = folder.path().join(format!("{number}.so"));
            std::fs::copy(&file, &copy).expect("a copy");
            // SAFETY: the library is a fixture of this repository.
            let library = unsafe { libloading::Library::new(&copy) }.expect("it opens");
            // SAFETY: the symbol is looked up, and not called.
            black_box(*unsafe { library.get::<extern "C" fn() -> u32>(b"polyplug_abi_version\0") }.expect("exported"));
            drop(library);
            std::fs::remove_file(&copy).expect("it is there");
        },
        || runtime.reload_bundle(path).expect("it reloads"),
    );
}

/// Measures each call of a caller, while bundles are reloaded and while nothing is reloaded.
fn pauses(runtime: &Runtime, path: &Path) {
    const TIME: Duration = Duration::from_secs(3);
    println!("\nPauses of a caller (ns; each call of add timed by itself, {TIME:?} each)");
    println!(
        "{:<44} {:>9} {:>8} {:>8} {:>8} {:>8} {:>10}",
        "", "calls", "50 %", "99 %", "99.9 %", "99.99 %", "longest"
    );
    let proxy = runtime.proxy::<dyn Calculator>().expect("provided");
    let histogram = |name: &str, reloading: bool| {
        let (stop, mut reloads) = (AtomicBool::new(false), 0);
        let times = std::thread::scope(|scope| {
            let caller = scope.spawn(|| {
                let mut times = Histogram::default();
                let mut proxy = proxy.clone();
                while !stop.load(Ordering::Relaxed) {
                    for _ in 0..1_000 {
                        let begun = Instant::now();
                        black_box(proxy.add(black_box(2), black_box(3)).expect("it answers"));
                        times.add(begun.elapsed());
                    }
                    proxy.refresh();
                }
                times
            });
            let begun = Instant::now();
            while begun.elapsed() < TIME {
                if reloading {
                    runtime.reload_bundle(path).expect("it reloads");
                    reloads += 1;
                } else {
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
            stop.store(true, Ordering::Relaxed);
            caller.join().expect("a caller never fails")
        });
        let name = if reloading { format!("{name} ({reloads} of them)") } else { name.to_owned() };
        let [half, most, nearly, all_but] = [0.5, 0.99, 0.999, 0.9999].map(|share| times.quantile(share));
        println!(
            "{name:<44} {:>9} {half:>8} {most:>8} {nearly:>8} {all_but:>8} {:>10}",
            times.count,
            times.longest.as_nanos()
        );
    };
    histogram("while nothing is reloaded", false);
    histogram("during reloads without a break", true);
}

/// A histogram of times by their binary logarithm, in eighths.
#[derive(Default)]
struct Histogram {
    buckets: std::collections::BTreeMap<u32, u64>,
    count: u64,
    longest: Duration,
}

impl Histogram {
    fn add(&mut self, time: Duration) {
        let bucket = ((time.as_nanos().max(1) as f64).log2() * 8.0) as u32;
        *self.buckets.entry(bucket).or_default() += 1;
        self.count += 1;
        self.longest = self.longest.max(time);
    }

    /// Returns the time that a share of all calls does not exceed.
    fn quantile(&self, share: f64) -> u64 {
        let mut left = (self.count as f64 * share) as u64;
        for (bucket, count) in &self.buckets {
            if *count >= left {
                return (f64::from(bucket + 1) / 8.0).exp2() as u64;
            }
            left -= count;
        }
        self.longest.as_nanos() as u64
    }
}

/// Measures find, resolve and dispatch on two threads: with one runtime for both, beside a runtime each.
fn threads() {
    let bundle = Bundle::native("calc", "plugin-calc");
    let runtimes = [(); 3].map(|()| {
        let runtime = polyplug_tests::runtime();
        runtime.load_bundle(bundle.path()).expect("the fixture loads");
        runtime
    });
    let [one, left, right] = &runtimes;
    println!("\nFind, resolve and call add, a pin each (million a second, median of 21 runs in turns)");
    println!("{:<44} {:>11} {:>11} {:>7}  {:<18} met", "", "ours", "floor", "ratio", "goal");
    let (mut shared, mut private, mut alone) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..21 {
        private.push(rate(&[left, right]));
        shared.push(rate(&[one, one]));
        alone.push(rate(&[one]));
    }
    let median = |mut rates: Vec<f64>| {
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    };
    let (shared, private, alone) = (median(shared), median(private), median(alone));
    let line = |name: &str, ours: f64, floor: f64, goal: f64| {
        let met = if ours >= floor * goal { "yes" } else { "NO" };
        let goal = format!("{goal} x floor");
        println!("{name:<44} {ours:>11.2} {floor:>11.2} {:>7.2}  {goal:<18} {met}", ours / floor);
    };
    line("2 threads, beside 2 with a runtime each", shared, private, 0.95);
    println!("{:<44} {:>11.2} {:>11.2} {:>7.2}", "2 threads, beside 1 thread", shared, alone, shared / alone);
}

/// Returns how many million calls a second the threads make together, one thread for each of `runtimes`.
fn rate(runtimes: &[&std::sync::Arc<Runtime>]) -> f64 {
    const CALLS: u32 = 400_000;
    let barrier = Barrier::new(runtimes.len());
    let slowest = std::thread::scope(|scope| {
        let workers: Vec<_> = runtimes
            .iter()
            .map(|runtime| {
                let barrier = &barrier;
                scope.spawn(move || {
                    let host = runtime.host_abi();
                    let instance =
                        GuestContractInstance { data: host.cast_mut().cast(), contract_id: <dyn Calculator>::ID };
                    barrier.wait();
                    let begun = Instant::now();
                    for _ in 0..CALLS {
                        let guard = pin();
                        let handle = runtime.find_guest_contract(<dyn Calculator>::ID.id(), 0).expect("provided");
                        black_box(by_handle(runtime, handle, instance));
                        drop(guard);
                    }
                    begun.elapsed()
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().expect("it calls")).max().expect("there is one")
    });
    f64::from(CALLS) * runtimes.len() as f64 / slowest.as_secs_f64() / 1e6
}
