//! Memory that the host's allocator does not give: a result that has no room is an error of its call, and anywhere else the
//! process ends as Rust ends it, with a message, and never with a wrong answer or a broken heap.
#![cfg(target_os = "linux")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use polyplug::{CallError, Value};
use polyplug_tests::calculators::{self, calculator};
use polyplug_tests::child::{again, alone, is_child};
use test_contracts::Calculator;

/// The system's allocator, but for one allocation, or for large ones.
struct Failing;

/// The number of allocations until one fails. Below zero, each succeeds.
static UNTIL: AtomicI64 = AtomicI64::new(i64::MIN);
/// The most bytes that are given at once.
static MOST: AtomicUsize = AtomicUsize::new(usize::MAX);

impl Failing {
    fn gives(size: usize) -> bool {
        size <= MOST.load(Ordering::Relaxed) && UNTIL.fetch_sub(1, Ordering::Relaxed) != 0
    }
}

// SAFETY: each function is that of the system's allocator, or returns null, which means that there is no memory.
unsafe impl GlobalAlloc for Failing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of the same function.
        if Self::gives(layout.size()) { unsafe { System.alloc(layout) } } else { std::ptr::null_mut() }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of the same function, and each allocation is the system's.
        unsafe { System.dealloc(ptr, layout) };
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller keeps the contract of the same function, and each allocation is the system's.
        if Self::gives(size) { unsafe { System.realloc(ptr, layout, size) } } else { std::ptr::null_mut() }
    }
}

#[global_allocator]
static ALLOCATOR: Failing = Failing;

/// Does `work` while no allocation of more than `most` bytes succeeds.
fn with_at_most<R>(most: usize, work: impl FnOnce() -> R) -> R {
    MOST.store(most, Ordering::Relaxed);
    let result = work();
    MOST.store(usize::MAX, Ordering::Relaxed);
    result
}

#[test]
fn a_result_without_room_is_an_error_of_its_call() {
    if !alone("a_result_without_room_is_an_error_of_its_call") {
        return;
    }
    let long = "x".repeat(8 << 20);
    for loader in ["native", "lua", "js"] {
        let (bundle, runtime) = (calculator("calc", loader), calculators::runtime(false));
        runtime.load_bundle(bundle.path()).unwrap();
        let calc = runtime.proxy::<dyn Calculator>().unwrap();
        // The memory of results is a thread's own, and is kept for its next call.
        let error = std::thread::scope(|scope| {
            let call = || with_at_most(1 << 20, || calc.greet(&long)).expect_err(loader);
            scope.spawn(call).join().unwrap()
        });
        assert!(error.to_string().contains("demo.calculator.greet"), "{loader}: {error}");
        assert!(!matches!(error, CallError::Panic(_)), "{loader}: {error}");
        calculators::check(&calc, loader);
        assert_eq!(calc.greet(&long).map(|text| text.len()), Ok(long.len() + "Hello, !".len()), "{loader}");
    }
}

#[test]
fn the_hosts_table_gives_null() {
    if !alone("the_hosts_table_gives_null") {
        return;
    }
    let runtime = calculators::runtime(false);
    let host = runtime.host_abi();
    // SAFETY: the table is the runtime's, and what it gives is freed once.
    unsafe {
        assert!(with_at_most(1 << 20, || ((*host).alloc)(host, 8 << 20, 16)).is_null());
        let given = ((*host).alloc)(host, 8 << 20, 16);
        assert!(!given.is_null());
        ((*host).free)(host, given, 8 << 20, 16);
        for (size, align) in [(usize::MAX, 1), (usize::MAX / 2, 16), (8, 3), (8, 0), (0, 1)] {
            assert!(((*host).alloc)(host, size, align).is_null(), "{size}, {align}");
        }
    }
}

const NTH: &str = "POLYPLUG_TEST_NTH";
const LOADER: &str = "POLYPLUG_TEST_LOADER";
const MOMENT: &str = "POLYPLUG_TEST_MOMENT";

const MOMENTS: [&str; 4] = ["load", "call", "reload", "unload"];

/// Does everything once, and lets one allocation fail at the given moment. What is answered is right.
fn lose_one() {
    let given = |name: &str| std::env::var(name).unwrap();
    let (nth, loader, moment): (i64, _, _) = (given(NTH).parse().unwrap(), given(LOADER), given(MOMENT));
    let (bundle, runtime) = (calculator("calc", &loader), calculators::runtime(true));
    let at = |this: &str, work: &mut dyn FnMut()| {
        if this == moment {
            UNTIL.store(nth, Ordering::Relaxed);
        }
        work();
        if this == moment {
            let left = UNTIL.swap(i64::MIN, Ordering::Relaxed);
            println!("\nallocations {}", nth - left);
        }
    };
    let mut loaded = false;
    at("load", &mut || loaded = runtime.load_bundle(bundle.path()).is_ok());
    if !loaded {
        runtime.load_bundle(bundle.path()).expect("it has all memory now");
    }
    let calc = runtime.proxy::<dyn Calculator>().unwrap();
    at("call", &mut || {
        assert!(calc.add(2, 3).is_ok_and(|sum| sum == 5));
        let greeting = calc.greet("you");
        assert!(greeting.is_err() || greeting.is_ok_and(|text| text == "Hello, you!"));
        let by_name = runtime.call("demo.calculator@1", "add", &[Value::I32(2), Value::I32(3)]);
        assert!(by_name.is_err() || by_name == Ok(Value::I32(5)));
    });
    calculators::check(&calc, &loader);
    at("reload", &mut || drop(runtime.reload_bundle(bundle.path())));
    calculators::check(&calc, &loader);
    drop(calc);
    at("unload", &mut || drop(runtime.unload_bundle("calc")));
    let _ = runtime.unload_bundle("calc");
    runtime.load_bundle(bundle.path()).expect("it can be loaded again");
    calculators::check(&runtime.proxy::<dyn Calculator>().unwrap(), &loader);
    println!("\nsurvived");
}

#[test]
fn any_allocation_may_fail() {
    const TEST: &str = "any_allocation_may_fail";
    /// The number of allocations that are tried, of all at one moment.
    const TRIED: i64 = 24;
    if is_child() {
        return lose_one();
    }
    // What a process that was ended has left behind goes with this folder.
    let temporary = tempfile::tempdir().unwrap();
    let run = |loader: &str, moment: &str, nth: i64| {
        let mut command = again(TEST);
        command.env("TMPDIR", temporary.path());
        command.env(NTH, nth.to_string()).env(LOADER, loader).env(MOMENT, moment).env("RUST_BACKTRACE", "0");
        command.stdin(Stdio::null());
        let begun = Instant::now();
        let output = command.output().unwrap();
        assert!(begun.elapsed() < Duration::from_secs(60), "{loader}, {moment}, {nth}: it hangs");
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        (output.status, text(&output.stdout), text(&output.stderr))
    };
    let (mut survived, mut ended) = (0, 0);
    for (loader, moment) in ["native", "lua", "js"].iter().flat_map(|loader| MOMENTS.map(|moment| (*loader, moment))) {
        let (status, out, err) = run(loader, moment, i64::MAX);
        let is_whole = status.success() && out.contains("\nsurvived");
        assert!(is_whole, "{loader}, {moment}, all memory: {status}\n{out}\n{err}");
        let count = out.lines().find_map(|line| line.strip_prefix("allocations ")?.parse::<i64>().ok());
        let count = count.unwrap_or_else(|| panic!("{loader}, {moment}: {status}: {out}"));
        assert!(count > 0, "{loader}, {moment}");
        for nth in (0..count).step_by(usize::try_from((count / TRIED).max(1)).unwrap()) {
            let (status, out, err) = run(loader, moment, nth);
            let what = format!("{loader}, {moment}, allocation {nth} of {count}: {status}\n{out}\n{err}");
            if status.success() {
                assert!(out.contains("\nsurvived"), "{what}");
                survived += 1;
            } else {
                // Not by a fault of memory, nor by a panic, which would be an exit code.
                assert_eq!(status.signal(), Some(libc::SIGABRT), "{what}");
                assert!(err.contains("memory allocation of "), "{what}");
                ended += 1;
            }
        }
    }
    println!("{survived} survived, {ended} ended");
    // Which allocations are tried depends on their number, so all of them may be such as end the process.
    assert!(ended > 0, "{survived} survived, {ended} ended");
}
