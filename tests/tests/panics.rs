//! A panic stays in its plugin: the caller gets message and place, nothing is printed, and the plugin serves on.

use std::sync::Arc;

use polyplug::error::RuntimeError;
use polyplug::{CallError, Failure, Runtime};
use polyplug_tests::child::{again, is_child};
use polyplug_tests::{BAD, Bundle, Logged, eventually, logged, mapped_below, runtime};
use test_contracts::panics::{Exploding, Fragile, Panics, PanicsProxy, Refusing};
use tracing::Level;

/// The line of the fixture with this mark, as a place in a file begins.
fn place(mark: &str) -> String {
    let source = include_str!("../plugins/panics/src/lib.rs");
    let mark = format!("// mark: {mark}");
    let line = source.lines().position(|line| line.ends_with(&mark)).expect("the fixture has the mark");
    format!("tests/plugins/panics/src/lib.rs:{}:", line + 1)
}

fn loaded() -> (Arc<Runtime>, Bundle) {
    let bundle = Bundle::native(BAD, "plugin-panics");
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    (runtime, bundle)
}

/// What `call` reports, which must be a panic after which the plugin serves on.
#[track_caller]
fn panicked<R: std::fmt::Debug>(call: impl FnOnce(&PanicsProxy) -> Result<R, CallError>) -> Failure {
    let (runtime, _bundle) = loaded();
    let jumpy = runtime.proxy::<dyn Panics>().unwrap();
    let error = call(&jumpy).expect_err("a panic");
    assert_eq!(jumpy.calm(), Ok(42), "the plugin serves on");
    let text = error.to_string();
    let CallError::Panic(failure) = error else { panic!("a panic, not {error:?}") };
    for part in [&failure.method, &failure.message, failure.location.as_ref().expect("a place")] {
        assert!(text.contains(part), "{part} is in: {text}");
    }
    *failure
}

#[track_caller]
fn assert_place(failure: &Failure, mark: &str) {
    let (location, place) = (failure.location.as_deref().unwrap_or_default(), place(mark));
    assert!(location.starts_with(&place), "{location} begins with {place}");
}

#[test]
fn a_panic_with_a_literal_arrives() {
    let failure = panicked(PanicsProxy::literal);
    assert_eq!((failure.method.as_str(), failure.message.as_str()), ("test.panics.literal", "a plain text"));
    assert_place(&failure, "literal");
}

#[test]
fn a_panic_with_a_formatted_text_arrives() {
    let failure = panicked(|jumpy| jumpy.formatted("größe\nand more"));
    assert_eq!(failure.message, "a text with größe\nand more");
    assert_place(&failure, "formatted");
}

#[test]
fn a_panic_with_something_else_arrives() {
    let failure = panicked(PanicsProxy::payload);
    assert_eq!(failure.message, "a panic whose payload is not text");
    assert_place(&failure, "payload");
}

#[test]
fn a_payload_that_panics_itself_hides_neither_panic_nor_place() {
    let failure = panicked(PanicsProxy::hostile_payload);
    assert_eq!(failure.message, "a panic whose payload is not text");
    assert_place(&failure, "hostile");
}

#[test]
fn a_long_message_arrives_whole() {
    let long = "x".repeat(100_000);
    let failure = panicked(|jumpy| jumpy.formatted(&long));
    assert_eq!(failure.message.len(), "a text with ".len() + long.len());
}

#[test]
fn a_panic_on_a_thread_of_the_plugins_own_is_its_own_affair() {
    let (runtime, _bundle) = loaded();
    let jumpy = runtime.proxy::<dyn Panics>().unwrap();
    assert_eq!(jumpy.elsewhere(), Ok(true));
    let failure = match jumpy.literal() {
        Err(CallError::Panic(failure)) => failure,
        other => panic!("a panic, not {other:?}"),
    };
    assert_place(&failure, "literal");
}

#[test]
fn a_panic_is_written_to_the_hosts_log() {
    let (runtime, _bundle) = loaded();
    let jumpy = runtime.proxy::<dyn Panics>().unwrap();
    let (result, messages) = logged(|| jumpy.literal());
    assert!(result.is_err());
    let [message] = &messages[..] else { panic!("one message, not {messages:?}") };
    assert_eq!(message.level, Level::ERROR);
    assert!(message.message.starts_with("a plain text (at tests/plugins/panics/"), "{message:?}");
}

#[test]
fn panics_on_many_threads_keep_their_places_apart() {
    let (runtime, _bundle) = loaded();
    let jumpy = runtime.proxy::<dyn Panics>().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let jumpy = &jumpy;
            scope.spawn(move || {
                for n in 0..200 {
                    let (error, mark) = match (thread + n) % 2 {
                        0 => (jumpy.literal().unwrap_err(), "literal"),
                        _ => (jumpy.formatted(&format!("{thread}/{n}")).unwrap_err(), "formatted"),
                    };
                    let CallError::Panic(failure) = error else { panic!("a panic, not {error:?}") };
                    assert_place(&failure, mark);
                }
            });
        }
    });
}

#[test]
fn the_error_of_a_factory_names_the_plugin() {
    let (runtime, _bundle) = loaded();
    let error = runtime.proxy::<dyn Refusing>().unwrap_err();
    let RuntimeError::Factory { bundle, plugin, reason } = &error else { panic!("a failed factory, not {error:?}") };
    assert_eq!((bundle.as_str(), plugin.as_str()), (BAD, "the picky one"));
    assert_eq!(reason, "there is no configuration at /etc/picky");
    assert_eq!(runtime.proxy::<dyn Panics>().unwrap().calm(), Ok(42), "the bundle serves on");
}

#[test]
fn a_factory_that_panics_is_reported_with_message_and_place() {
    let (runtime, _bundle) = loaded();
    let error = runtime.proxy::<dyn Exploding>().unwrap_err();
    let RuntimeError::Factory { bundle, plugin, reason } = &error else { panic!("a failed factory, not {error:?}") };
    assert_eq!((bundle.as_str(), plugin.as_str()), (BAD, "Bomb"));
    assert!(reason.starts_with("boom") && reason.contains(&place("factory")), "{reason}");
    assert_eq!(runtime.proxy::<dyn Panics>().unwrap().calm(), Ok(42), "the bundle serves on");
}

#[test]
fn a_panic_of_a_destructor_is_written_to_the_hosts_log() {
    let (runtime, _bundle) = loaded();
    let glass = runtime.proxy::<dyn Fragile>().unwrap();
    let ((), messages) = logged(|| drop(glass));
    let broken =
        |message: &&Logged| message.message.starts_with("broken glass") && message.message.contains(&place("drop"));
    assert_eq!(messages.iter().filter(broken).count(), 1, "{messages:?}");
    assert_eq!(runtime.proxy::<dyn Panics>().unwrap().calm(), Ok(42), "the bundle serves on");
}

/// Panics leave no thread-local behind that would keep the library.
#[test]
fn a_plugin_that_panicked_is_unmapped_when_unloaded() {
    for (way, panic) in WAYS {
        let (runtime, bundle) = loaded();
        panic(&runtime, &runtime.proxy::<dyn Panics>().unwrap());
        runtime.unload_bundle(runtime.bundle_ids()[0]).unwrap();
        eventually(&format!("the library is unmapped after {way}"), || mapped_below(bundle.path()).is_empty());
    }
}

/// std remembers on the thread that starts another one what it must do when that thread ends.
#[test]
fn a_plugin_that_started_a_thread_is_unmapped_when_its_caller_has_ended() {
    let (runtime, bundle) = loaded();
    let jumpy = runtime.proxy::<dyn Panics>().unwrap();
    std::thread::spawn(move || assert_eq!(jumpy.elsewhere(), Ok(true))).join().unwrap();
    runtime.unload_bundle(runtime.bundle_ids()[0]).unwrap();
    eventually("the library is unmapped", || mapped_below(bundle.path()).is_empty());
}

type Way = (&'static str, fn(&Runtime, &PanicsProxy));

/// Ways to panic on the thread that calls.
const WAYS: [Way; 7] = [
    ("a literal", |_, jumpy| assert!(jumpy.literal().is_err())),
    ("a formatted text", |_, jumpy| assert!(jumpy.formatted("anything").is_err())),
    ("a payload", |_, jumpy| assert!(jumpy.payload().is_err())),
    ("a payload that panics itself", |_, jumpy| assert!(jumpy.hostile_payload().is_err())),
    ("a factory that fails", |runtime, _| assert!(runtime.proxy::<dyn Refusing>().is_err())),
    ("a factory that panics", |runtime, _| assert!(runtime.proxy::<dyn Exploding>().is_err())),
    ("a destructor", |runtime, _| drop(runtime.proxy::<dyn Fragile>().unwrap())),
];

#[test]
fn nothing_is_printed() {
    if is_child() {
        panic_in_every_way();
        return;
    }
    let output = again("nothing_is_printed").env("RUST_BACKTRACE", "1").output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && stdout.contains("1 passed"), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(!stdout.contains("panicked"), "{stdout}");
}

fn panic_in_every_way() {
    let (runtime, _bundle) = loaded();
    let jumpy = runtime.proxy::<dyn Panics>().unwrap();
    for (_, panic) in WAYS {
        panic(&runtime, &jumpy);
    }
    assert_eq!(jumpy.elsewhere(), Ok(true));
    for bad in ["plugin-init-panics", "plugin-singleton-fails"] {
        let bundle = Bundle::native("worse", bad);
        assert!(runtime.load_bundle(bundle.path()).is_err());
    }
}
