//! Instances are made, and end exactly once; whoever ends one never waits for the engine.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;

use polyplug::Runtime;
use polyplug::error::RuntimeError;
use polyplug_tests::engine::{Class, Toy, ToyLoader};
use polyplug_tests::eventually;
use test_contracts::Counter;
use test_contracts::instances::Singleton;

use crate::loaded;

/// Counts from 0.
fn counter() -> Class {
    Class::new("test.counter@1").init(|_| Ok(Toy::Int(0))).method("add", |call| {
        let sum = call.state().int() + call.arguments[0].int();
        *call.state() = Toy::Int(sum);
        Ok(Toy::Int(sum))
    })
}

/// Everything that was made has ended, and nothing is left.
#[track_caller]
fn nothing_is_left(loader: &ToyLoader) {
    let counts = loader.counts();
    eventually("everything ends", || counts.vms() == 0);
    assert_eq!(counts.made(), counts.ended(), "each ended once");
    assert_eq!(counts.overlaps(), 0, "one thread at a time");
}

#[test]
fn each_proxy_has_an_instance() {
    let (loader, runtime, id) = loaded(counter());
    let (one, other) = (runtime.proxy::<dyn Counter>().unwrap(), runtime.proxy::<dyn Counter>().unwrap());
    assert_eq!((one.add(5), other.add(7), one.add(1), one.clone().add(1)), (Ok(5), Ok(7), Ok(6), Ok(7)));
    assert_eq!((loader.counts().made(), loader.counts().ended()), (2, 0));
    drop(one);
    assert_eq!(loader.counts().ended(), 1, "at once: the engine is free");
    assert_eq!(other.add(1), Ok(8));
    drop(other);
    runtime.unload_bundle(id).unwrap();
    nothing_is_left(&loader);
}

#[test]
fn a_singleton_is_made_once() {
    let class = Class::new("test.singleton@1")
        .singleton()
        .init(|_| Ok(Toy::Int(0)))
        .method("count", |call| {
            let count = call.state().int() + 1;
            *call.state() = Toy::Int(count);
            Ok(Toy::Int(count))
        })
        .method("made", |_| Ok(Toy::Int(1)));
    let (loader, runtime, id) = loaded(class);
    assert!(runtime.bundle(id).unwrap().plugins[0].shared);
    let (one, other) = (runtime.proxy::<dyn Singleton>().unwrap(), runtime.proxy::<dyn Singleton>().unwrap());
    assert_eq!((one.count(), other.count(), one.count()), (Ok(1), Ok(2), Ok(3)));
    assert_eq!(loader.counts().made(), 1);
    drop((one, other));
    assert_eq!(loader.counts().ended(), 0, "it is the bundle's");
    runtime.unload_bundle(id).unwrap();
    nothing_is_left(&loader);
}

#[test]
fn a_factory_that_fails_says_why() {
    let (loader, runtime, _) = loaded(counter().init(|_| Err("no paper left".into())));
    let error = runtime.proxy::<dyn Counter>().unwrap_err();
    assert!(matches!(&error, RuntimeError::Factory { reason, .. } if reason == "no paper left"), "{error:?}");
    assert_eq!(loader.counts().made(), 0);
    let (_loader, runtime, _) = loaded(counter().init(|_| panic!("no paper left")));
    let error = runtime.proxy::<dyn Counter>().unwrap_err().to_string();
    assert!(error.contains("the loader panicked: no paper left"), "{error}");
}

/// A call that is in the engine until it is told to go on.
struct Busy {
    go: mpsc::Sender<()>,
    thread: thread::JoinHandle<()>,
}

impl Busy {
    /// A runtime whose counter's calls wait, and one such call.
    fn start(class: Class) -> (ToyLoader, Arc<Runtime>, polyplug::BundleId, Self) {
        let (go, gone) = mpsc::channel();
        let gone = std::sync::Mutex::new(gone);
        let inside = Arc::new(Barrier::new(2));
        let within = Arc::clone(&inside);
        let (loader, runtime, id) = loaded(class.method("add", move |_| {
            within.wait();
            let _ = gone.lock().unwrap().recv();
            Ok(Toy::Int(0))
        }));
        let counter = runtime.proxy::<dyn Counter>().unwrap();
        let thread = thread::spawn(move || assert_eq!(counter.add(1), Ok(0)));
        inside.wait();
        (loader, runtime, id, Self { go, thread })
    }

    fn finish(self) {
        self.go.send(()).unwrap();
        self.thread.join().unwrap();
    }
}

#[test]
fn ending_an_instance_does_not_wait() {
    let (go, gone) = mpsc::channel();
    let gone = std::sync::Mutex::new(gone);
    let inside = Arc::new(Barrier::new(2));
    let within = Arc::clone(&inside);
    let (loader, runtime, id) = loaded(counter().method("add", move |_| {
        within.wait();
        let _ = gone.lock().unwrap().recv();
        Ok(Toy::Int(0))
    }));
    let idle: Vec<_> = (0..3).map(|_| runtime.proxy::<dyn Counter>().unwrap()).collect();
    let counter = runtime.proxy::<dyn Counter>().unwrap();
    let busy = Busy { go, thread: thread::spawn(move || assert_eq!(counter.add(1), Ok(0))) };
    inside.wait();
    drop(idle); // would never return if it waited
    assert_eq!(loader.counts().ended(), 0, "the engine is busy");
    assert_eq!(runtime.bundle(id).unwrap().memory, 0, "nor does anybody wait to learn of its memory");
    busy.finish();
    assert_eq!(loader.counts().ended(), 4, "the three when the call was over, and its own");
    assert_eq!(runtime.bundle(id).unwrap().memory, 0);
    runtime.unload_bundle(id).unwrap();
    nothing_is_left(&loader);
}

#[test]
fn a_bundle_that_is_busy_can_be_unloaded() {
    let (loader, runtime, id, busy) = Busy::start(counter());
    let report = runtime.unload_bundle(id).unwrap();
    assert!(!report.reclaimed, "a call is running");
    busy.finish();
    nothing_is_left(&loader);
}

#[test]
fn an_instance_may_end_inside_of_a_call() {
    let other = Arc::new(std::sync::Mutex::new(None));
    let taken = Arc::clone(&other);
    let (loader, runtime, id) = loaded(counter().method("add", move |_| {
        drop(taken.lock().unwrap().take());
        Ok(Toy::Int(1))
    }));
    *other.lock().unwrap() = Some(runtime.proxy::<dyn Counter>().unwrap());
    let counter = runtime.proxy::<dyn Counter>().unwrap();
    assert_eq!(counter.add(1), Ok(1));
    assert_eq!(loader.counts().ended(), 1, "this thread is in already");
    drop(counter);
    runtime.unload_bundle(id).unwrap();
    nothing_is_left(&loader);
}

#[test]
fn a_panic_at_the_end_of_an_instance_does_no_harm() {
    let (loader, runtime, id) = loaded(counter().method("end", |_| panic!("not like this")));
    let counters: Vec<_> = (0..3).map(|_| runtime.proxy::<dyn Counter>().unwrap()).collect();
    assert_eq!(counters[0].add(1), Ok(1));
    drop(counters);
    assert_eq!(loader.counts().ended(), 3, "each is ended nevertheless");
    assert_eq!(runtime.proxy::<dyn Counter>().unwrap().add(1), Ok(1), "the engine is free");
    runtime.unload_bundle(id).unwrap();
    nothing_is_left(&loader);
}

#[test]
fn an_engine_reports_its_memory() {
    let (_loader, runtime, id) = loaded(counter());
    let memory = || runtime.bundles().into_iter().find(|bundle| bundle.id == id).unwrap().memory;
    assert_eq!(memory(), 0);
    let one = runtime.proxy::<dyn Counter>().unwrap();
    let other = runtime.proxy::<dyn Counter>().unwrap();
    assert_eq!(memory(), 2000);
    drop(one);
    assert_eq!(memory(), 1000);
    drop(other);
}

#[test]
fn instances_of_many_threads_end_once() {
    let (loader, runtime, id) = loaded(counter());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..300 {
                    let counter = runtime.proxy::<dyn Counter>().unwrap();
                    assert_eq!((counter.add(1), counter.add(1)), (Ok(1), Ok(2)));
                }
                done.store(true, Ordering::SeqCst);
            });
        }
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                let _ = runtime.bundle(id).unwrap().memory;
            }
        });
    });
    assert_eq!(loader.counts().made(), 1200);
    assert_eq!(loader.counts().ended(), 1200, "when the last call is over, nothing is left to end");
    runtime.unload_bundle(id).unwrap();
    nothing_is_left(&loader);
}
