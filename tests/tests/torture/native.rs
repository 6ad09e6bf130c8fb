//! What a library may do without breaking memory: the host finds it wrong, or goes on all the same.
#![cfg(target_os = "linux")]

use std::fs;
use std::time::{Duration, Instant};

use polyplug::Contract;
use polyplug_tests::handles::Handles;
use polyplug_tests::{Bundle, runtime};
use test_contracts::Counter;

use crate::DEADLINE;

const TRICKS: [(&str, &str); 5] = [
    ("WRITES_ARGUMENTS", "it writes over the memory of its arguments"),
    ("LIES_IN_LOGS", "texts that it gives to the host are shorter than it says, or not there"),
    ("REGISTERS_LATE", "it registers a plugin in a call"),
    ("RELEASES_TOO_MUCH", "it gives back what it never took"),
    ("UNLOADS_ALL", "it unloads all bundles, its own as well"),
];

#[test]
fn tricks_of_a_library() {
    for (trick, words) in TRICKS {
        println!("{trick}: {words}");
        let runtime = runtime();
        let (bundle, other) =
            (Bundle::c("hostile", "hostile.c", &[&format!("TRICK={trick}")]), Bundle::native("other", "plugin-calc"));
        let id = runtime.load_bundle(bundle.path()).unwrap();
        runtime.load_bundle(other.path()).unwrap();
        let ends_itself = trick == "UNLOADS_ALL";
        // SAFETY: the runtime outlives the calls.
        let handles = unsafe { Handles::new(runtime.host_abi()) };
        let handle = runtime.find_guest_contract_in(<dyn Counter>::ID.id(), id).unwrap();
        let token = handles.create(handle).unwrap();
        for round in 1..=if ends_itself { 1 } else { 20 } {
            assert_eq!(handles.add(token, 2), Ok(2 * round), "{trick}: {words}");
        }
        if ends_itself {
            let begun = Instant::now();
            while !runtime.bundle_ids().is_empty() {
                assert!(begun.elapsed() < DEADLINE, "{trick}");
                std::thread::sleep(Duration::from_millis(1));
            }
            handles.add(token, 2).expect_err(trick);
            handles.destroy(token);
        } else {
            handles.destroy(token);
            assert!(runtime.unload_bundle(id).unwrap().reclaimed, "{trick}");
            runtime.unload_bundle("other").unwrap();
        }
        assert_eq!(runtime.quiesce(Duration::from_secs(20)), [], "{trick}");
        runtime.load_bundle(other.path()).unwrap();
        let calc = runtime.proxy::<dyn test_contracts::Calculator>().unwrap();
        assert_eq!(calc.add(2, 3), Ok(5), "{trick}");
    }
}

/// A thread that the host knows nothing of, in a library that stays mapped, calls the table while its bundle is unloaded, when it
/// is gone, and when there is no runtime any more.
#[test]
fn a_thread_calls_the_host_after_its_end() {
    let folder = Bundle::empty();
    let (until, done) = (folder.path().join("until"), folder.path().join("done"));
    folder.write("until", "");
    let bundle = Bundle::c(
        "hostile",
        "hostile.c",
        &["TRICK=CALLS_AFTER_THE_END", &format!("UNTIL={until:?}"), &format!("DONE={done:?}")],
    );
    let runtime = runtime();
    let id = runtime.load_bundle(bundle.path()).unwrap();
    // SAFETY: the runtime outlives the calls.
    let handles = unsafe { Handles::new(runtime.host_abi()) };
    let token = handles.create(handles.find(<dyn Counter>::ID.id()).unwrap()).unwrap();
    assert_eq!(handles.add(token, 1), Ok(1));
    std::thread::sleep(Duration::from_millis(50));
    handles.destroy(token);
    runtime.unload_bundle(id).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    drop(runtime);
    std::thread::sleep(Duration::from_millis(50));
    // Another one in its place.
    let other = Bundle::native("other", "plugin-calc");
    let runtime = polyplug_tests::runtime();
    runtime.load_bundle(other.path()).unwrap();
    assert_eq!(runtime.proxy::<dyn test_contracts::Calculator>().unwrap().add(2, 3), Ok(5));
    fs::remove_file(until).unwrap();
    let begun = Instant::now();
    while !done.exists() {
        assert!(begun.elapsed() < DEADLINE, "the thread goes on after the end of its runtime");
        std::thread::sleep(Duration::from_millis(1));
    }
    let text = fs::read_to_string(done).unwrap();
    let (rounds, code) = text.split_once(' ').unwrap();
    assert!(rounds.parse::<u64>().unwrap() > 10, "{text}");
    assert_ne!(code, "0", "what it asks for is refused");
}
