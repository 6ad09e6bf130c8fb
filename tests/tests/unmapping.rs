//! A library that is unloaded leaves the process, or the report says why not; and whatever it left on threads that called
//! it does no harm when they end.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::sync::mpsc::channel;

use polyplug::Runtime;
use polyplug::runtime::UnloadReport;
use polyplug_native::NativeLoader;
use polyplug_tests::Bundle;
use test_contracts::{Threads, ThreadsProxy};

fn is_mapped(bundle: &Path) -> bool {
    std::fs::read_to_string("/proc/self/maps").unwrap().contains(&*bundle.to_string_lossy())
}

/// Calls the plugin on a thread of its own, unloads it while that thread waits, and ends the thread.
fn unload_under_a_thread(bundle: &Bundle, call: fn(&ThreadsProxy)) -> (UnloadReport, bool) {
    let runtime = Runtime::builder().loader(NativeLoader::new()).build().unwrap();
    let id = runtime.load_bundle(bundle.path()).unwrap();
    let plugin = runtime.proxy::<dyn Threads>().unwrap();
    let ((called, wait_for_call), (finish, wait_for_end)) = (channel(), channel::<()>());
    let thread = std::thread::spawn(move || {
        call(&plugin);
        drop(plugin);
        called.send(()).unwrap();
        let _ = wait_for_end.recv();
    });
    wait_for_call.recv().unwrap();
    let report = runtime.unload_bundle(id).unwrap();
    let mapped = is_mapped(bundle.path());
    finish.send(()).unwrap();
    thread.join().unwrap();
    (report, mapped)
}

#[test]
fn a_call_leaves_nothing_behind() {
    let bundle = Bundle::native("threads", "plugin-threads");
    let (report, mapped) = unload_under_a_thread(&bundle, |plugin| plugin.nothing().unwrap());
    assert!(report.reclaimed && !mapped, "{report:?}");
}

#[test]
fn the_thread_handle_of_the_standard_library_is_harmless() {
    let bundle = Bundle::native("threads", "plugin-threads");
    let (report, mapped) =
        unload_under_a_thread(&bundle, |plugin| assert!(plugin.current().unwrap().contains("ThreadId")));
    // The thread has ended: had its destructor been called in the unmapped library, we would not be here.
    assert_eq!(report.reclaimed, !mapped, "{report:?}");
}

#[test]
fn a_destructor_that_is_pending_keeps_the_library_and_the_report_says_so() {
    let bundle = Bundle::native("threads", "plugin-threads");
    let (report, mapped) = unload_under_a_thread(&bundle, |plugin| plugin.destructor().unwrap());
    assert!(mapped && !report.reclaimed, "{report:?}");
    assert!(report.still_mapped.unwrap().contains("thread-local destructor"));
    assert!(report.holders.is_empty());
}
