//! The end of a bundle for .NET: its load context is collected, or the report says what keeps it.
#![cfg(target_os = "linux")]

use std::sync::Arc;
use std::time::Duration;

use polyplug::runtime::UnloadReport;
use polyplug::{BundleId, Callback, Runtime};
use polyplug_tests::dotnet::{Version, dotnet_bundle, dotnet_runtime};
use polyplug_tests::footprint::{self, Slack};
use polyplug_tests::lua::Script;
use polyplug_tests::{Bundle, Logged, logged_anywhere, on_each_dotnet};
use test_contracts::callbacks::Progress;
use test_contracts::calling::Logger;
use test_contracts::conformance::{Extremes, Listener, Mirror, Objects, Order, Radio, Reaching};
use test_contracts::types::{Colour, Refusal, Shape};
use test_contracts::{Calculator, Stamp};

on_each_dotnet! {
    what_is_the_versions_own_goes_with_it what_is_ended_in_time_keeps_nothing functions_for_the_unload_run_in_order
    an_event_keeps_the_code a_timer_keeps_the_code a_thread_keeps_the_code a_handle_keeps_the_code
    a_task_keeps_the_code_until_it_is_done what_was_kept_is_measured_again
    what_stays_with_a_thread_keeps_the_code loading_calling_and_unloading_stays_flat reloading_stays_flat
    failing_calls_stay_flat proxies_and_objects_stay_flat interfaces_with_generic_types_are_unloaded
}

fn loaded(version: Version) -> (Arc<Runtime>, Bundle) {
    let (runtime, bundle) = (dotnet_runtime(version), dotnet_bundle("lingering", "lingering"));
    runtime.load_bundle(bundle.path()).unwrap_or_else(|error| panic!("{error}"));
    (runtime, bundle)
}

fn unload(runtime: &Runtime) -> UnloadReport {
    runtime.unload_bundle(BundleId::new("lingering")).unwrap()
}

/// Loads the bundle, has its code do something, and unloads it. Returns the messages of its code as well.
fn run_and_unload(version: Version, code: &str) -> (Arc<Runtime>, UnloadReport, Vec<String>) {
    let (runtime, _bundle) = loaded(version);
    runtime.proxy::<dyn Script>().unwrap().run(code).unwrap_or_else(|error| panic!("{code}: {error}"));
    let (report, messages) = logged_anywhere(|| unload(&runtime));
    (runtime, report, messages.into_iter().map(|Logged { message, .. }| message).collect())
}

fn what_is_the_versions_own_goes_with_it(version: Version) {
    for code in ["nothing", "statics", "tasks done"] {
        let (runtime, report, messages) = run_and_unload(version, code);
        assert!(report.reclaimed, "{code}: {report}");
        assert_eq!(is_alive(version), "False", "{code}: the instance");
        assert_eq!((report.threads, report.still_mapped), (vec![], None), "{code}");
        assert_eq!(messages, ["disposed"], "{code}");
        assert_eq!(runtime.retired(), []);
    }
}

/// Asks the bundle's code, which is loaded anew, whether the instance that had run before is alive.
fn is_alive(version: Version) -> String {
    let (runtime, _bundle) = loaded(version);
    runtime.proxy::<dyn Script>().unwrap().run("is it alive").unwrap()
}

fn what_is_ended_in_time_keeps_nothing(version: Version) {
    for code in ["event removed", "timer disposed", "thread ended"] {
        let (_runtime, report, _) = run_and_unload(version, code);
        assert!(report.reclaimed, "{code}: {report}");
        assert_eq!((report.threads, report.still_mapped), (vec![], None), "{code}");
    }
}

fn functions_for_the_unload_run_in_order(version: Version) {
    let (_runtime, report, messages) = run_and_unload(version, "unload throws");
    assert!(report.reclaimed, "{report}");
    let place = |words: &str| messages.iter().position(|message| message.contains(words));
    let places = ["first of all", "cannot end", "still called"].map(place);
    assert!(places.is_sorted() && !places.contains(&None), "{messages:?}");
}

/// Has the bundle's code leave something behind, and returns what the report says of it.
fn kept(version: Version, code: &str) -> (Arc<Runtime>, String) {
    let (runtime, report, _) = run_and_unload(version, code);
    assert!(!report.reclaimed, "{code}: {report}");
    let reason = report.still_mapped.unwrap_or_else(|| panic!("{code}: a reason"));
    assert!(!reason.is_empty(), "{code}");
    assert_eq!(runtime.retired().len(), 1);
    // The bundle may be loaded again all the same.
    let bundle = dotnet_bundle("lingering", "lingering");
    runtime.load_bundle(bundle.path()).unwrap();
    assert_eq!(runtime.proxy::<dyn Script>().unwrap().run("nothing"), Ok("nothing".to_owned()));
    (runtime, reason)
}

fn an_event_keeps_the_code(version: Version) {
    let (_runtime, reason) = kept(version, "event");
    assert_eq!(reason, "its code is kept by a handler of `AppDomain.ProcessExit`, `Script.OnExit`");
}

fn a_timer_keeps_the_code(version: Version) {
    let (_runtime, reason) = kept(version, "timer");
    assert_eq!(reason, "its code is kept by a timer that calls `Script.Tick`");
}

/// .NET has no list of these.
#[track_caller]
fn is_guessed(reason: &str, what: &str) {
    assert!(reason.contains("that .NET does not tell of") && reason.contains(what), "{what} is in: {reason}");
}

fn a_thread_keeps_the_code(version: Version) {
    let (_runtime, reason) = kept(version, "thread");
    is_guessed(&reason, "a thread that still runs");
}

fn a_handle_keeps_the_code(version: Version) {
    let (_runtime, reason) = kept(version, "handle");
    is_guessed(&reason, "a `GCHandle`");
    // An object of the runtime's own that is pinned does not.
    let (_runtime, report, _) = run_and_unload(version, "pinned");
    assert!(report.reclaimed, "{report}");
}

fn a_task_keeps_the_code_until_it_is_done(version: Version) {
    let (_runtime, reason) = kept(version, "task");
    is_guessed(&reason, "a task that does not end");
}

/// A value that code leaves with the calling thread is an object of the bundle, and as old as the thread.
fn what_stays_with_a_thread_keeps_the_code(version: Version) {
    for code in ["thread local", "async local"] {
        let (runtime, reason) = std::thread::spawn(move || kept(version, code)).join().unwrap();
        is_guessed(&reason, "a `ThreadLocal` or `AsyncLocal`");
        goes_in_the_end(&runtime);
    }
}

/// Waits until nothing keeps the code any more.
#[track_caller]
fn goes_in_the_end(runtime: &Runtime) {
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while !runtime.retired().is_empty() {
        assert!(std::time::Instant::now() < deadline, "{:?}", runtime.retired());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn what_was_kept_is_measured_again(version: Version) {
    let (runtime, report, _) = run_and_unload(version, "brief");
    assert!(!report.reclaimed, "{report}");
    // It ends by itself, half a second later.
    goes_in_the_end(&runtime);
}

/// The garbage collector takes and gives back memory in large pieces. 2 KiB a cycle would be more.
fn flat(what: &str, cycles: u32, cycle: impl FnMut(u32)) {
    footprint::flat(what, cycles, Slack { kib: 1024, mappings: 16 }, cycle);
}

fn loading_calling_and_unloading_stays_flat(version: Version) {
    let (runtime, bundle) = (dotnet_runtime(version), dotnet_bundle("calculator", "calculator"));
    flat("load, call, unload", 2_000, |n| {
        let id = runtime.load_bundle(bundle.path()).unwrap();
        let calc = runtime.proxy::<dyn Calculator>().unwrap();
        assert_eq!(calc.greet("x").unwrap(), "Hello, x!");
        assert_eq!(calc.add(n as i32, 1).unwrap(), n as i32 + 1);
        drop(calc);
        let report = runtime.unload_bundle(id).unwrap();
        assert!(report.reclaimed, "{report}");
    });
}

fn reloading_stays_flat(version: Version) {
    let runtime = dotnet_runtime(version);
    let versions = ["stamp_one", "stamp_two"].map(|plugins| dotnet_bundle("stamp", plugins));
    runtime.load_bundle(versions[0].path()).unwrap();
    let stamp = runtime.proxy::<dyn Stamp>().unwrap();
    flat("reload", 2_000, |n| {
        runtime.reload_bundle(versions[(n as usize + 1) % 2].path()).unwrap();
        assert_eq!(stamp.version(), Ok((n + 1) % 2 + 1));
        stamp.give_up("x").unwrap_err();
    });
    assert_eq!(runtime.quiesce(Duration::from_secs(20)).len(), 1, "the version that the proxy was made with");
}

fn failing_calls_stay_flat(version: Version) {
    let (runtime, bundle) = (dotnet_runtime(version), dotnet_bundle("calculator", "calculator"));
    runtime.load_bundle(bundle.path()).unwrap();
    let stamp = dotnet_bundle("stamp", "stamp_one");
    runtime.load_bundle(stamp.path()).unwrap();
    let (calc, stamp) = (runtime.proxy::<dyn Calculator>().unwrap(), runtime.proxy::<dyn Stamp>().unwrap());
    flat("failing calls", 20_000, |_| {
        stamp.give_up("x").unwrap_err(); // an exception with its traceback
        assert!(calc.divide(1, 0).unwrap().is_err()); // a declared error
    });
}

struct Patient;

impl Progress for Patient {
    fn step(&self, _: u32, _: &str) -> bool {
        true
    }

    fn breaks(&self) {}

    fn note(&self, text: String) -> Result<u32, String> {
        Err(text)
    }
}

impl Logger for Patient {
    fn log(&self, line: &str) -> u32 {
        line.len() as u32
    }

    fn panics(&self, _: &str) {}

    fn lines(&self) -> Vec<String> {
        vec![]
    }
}

impl Mirror for Patient {
    fn order(&self, order: Order) -> Order {
        order
    }

    fn extremes(&self, value: Extremes) -> Extremes {
        value
    }

    fn many(
        &self,
        _: u8,
        _: String,
        _: bool,
        _: i64,
        _: f64,
        _: char,
        _: Option<u8>,
        _: u64,
        _: Colour,
    ) -> Vec<String> {
        vec![]
    }

    fn shape(&self, shape: Result<Shape, Refusal>) -> Result<Shape, Refusal> {
        shape
    }
}

impl Radio for Patient {
    fn play(&self, words: &str, listener: &dyn Listener) -> Result<u32, String> {
        listener.hear(words)
    }

    fn tune(&self, _: Callback<dyn Listener>) {}
}

/// What is compiled for proxies and objects goes as well.
fn proxies_and_objects_stay_flat(version: Version) {
    let runtime = dotnet_runtime(version);
    runtime.provide::<dyn Logger>(Patient).unwrap();
    runtime.provide::<dyn Radio>(Patient).unwrap();
    let (reaching, objects) = (dotnet_bundle("reaching", "reaching"), dotnet_bundle("objects", "objects"));
    flat("proxies and objects", 1_000, |_| {
        let ids = [&reaching, &objects].map(|bundle| runtime.load_bundle(bundle.path()).unwrap());
        assert_eq!(runtime.proxy::<dyn Reaching>().unwrap().log("four"), Ok(Ok(4)));
        let objects = runtime.proxy::<dyn Objects>().unwrap();
        assert_eq!((objects.work(1, &Patient), objects.listen("three")), (Ok(1), Ok(Ok(5))));
        assert_eq!(objects.keep(runtime.callback::<dyn Progress>(Patient).unwrap()), Ok(1));
        assert_eq!(objects.notes("x", &Patient, &Patient), Ok(vec!["no: x".to_owned(); 2]));
        assert_eq!(objects.subscribe(), Ok(()));
        drop(objects);
        for id in ids {
            let report = runtime.unload_bundle(id).unwrap();
            assert!(report.reclaimed, "{report}");
        }
    });
}

/// .NET Core 3.1 ends with a segmentation fault after such an interface is gone, if it was implemented explicitly.
fn interfaces_with_generic_types_are_unloaded(version: Version) {
    let runtime = dotnet_runtime(version);
    runtime.provide::<dyn Mirror>(Patient).unwrap();
    runtime.provide::<dyn Radio>(Patient).unwrap();
    let (reaching, objects) = (dotnet_bundle("reaching", "reaching"), dotnet_bundle("objects", "objects"));
    for _ in 0..10 {
        let ids = [&reaching, &objects].map(|bundle| runtime.load_bundle(bundle.path()).unwrap());
        let proxy = runtime.proxy::<dyn Reaching>().unwrap();
        assert_eq!((proxy.mirrored(), proxy.many()), (Ok(vec![true; 9]), Ok(vec![])));
        assert_eq!(runtime.proxy::<dyn Objects>().unwrap().listen("three"), Ok(Ok(5)));
        drop(proxy);
        for id in ids {
            let report = runtime.unload_bundle(id).unwrap();
            assert!(report.reclaimed, "{report}");
        }
    }
}
