//! Engines that wait for each other: one call ends in an error, the others go on, and nothing hangs.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use polyplug::dynamic::DynamicProxy;
use polyplug::{CallError, Runtime, Value};
use polyplug_tests::engine::{Call, Class, Raise, Toy, ToyLoader};
use polyplug_tests::{Bundle, eventually, rounds};

use crate::declaring;

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// What a plugin's `walk` does.
type Walk = Arc<dyn Fn(&mut Call<'_>, &[Toy]) -> Result<Toy, Raise> + Send + Sync>;

/// The peers of an engine, which all its instances share.
type Peers = Arc<Mutex<Vec<Toy>>>;

/// The plugin of bundle number `own`, of `count`.
fn ring(own: usize, count: usize, peers: Peers, walk: Walk) -> Class {
    let connected = Arc::clone(&peers);
    Class::new(&contract(own))
        .method("connect", move |call| {
            let others = (1..count).map(|next| call.peer(&contract((own + next) % count)));
            *connected.lock().unwrap() = others.collect::<Result<_, _>>()?;
            Ok(Toy::Nil)
        })
        .method("walk", move |call| {
            let peers = peers.lock().unwrap().clone();
            walk(call, &peers)
        })
}

fn contract(number: usize) -> String {
    format!("test.ring_{}@1", NAMES[number])
}

/// As many bundles as there are walks, connected with each other.
struct Rings {
    runtime: Arc<Runtime>,
    bundles: Vec<Bundle>,
    all: Vec<DynamicProxy>,
}

impl Rings {
    fn new(loader: &ToyLoader, walks: &[Walk]) -> Self {
        let (runtime, count) = (loader.runtime(), walks.len());
        let mut bundles = Vec::new();
        for (own, walk) in walks.iter().enumerate() {
            loader.program(NAMES[own], declaring(ring(own, count, Arc::default(), Arc::clone(walk))));
            let others = (0..count).filter(|other| *other != own);
            let needs = others.map(|other| format!("[[dependency]]\ncontract = \"{}\"\n", contract(other)));
            let bundle = ToyLoader::bundle(NAMES[own], &needs.collect::<String>());
            runtime.load_bundle(bundle.path()).unwrap();
            bundles.push(bundle);
        }
        let all: Vec<_> = (0..count).map(|number| runtime.dynamic(&contract(number)).unwrap()).collect();
        for ring in &all {
            ring.call("connect", &[]).unwrap();
        }
        Self { runtime, bundles, all }
    }

    fn walk(&self, number: usize, steps: u32, seed: u64) -> Result<Value, CallError> {
        self.all[number].call("walk", &[steps.into(), seed.into()])
    }

    /// Walks from every bundle at once, each on a thread of its own.
    fn walk_at_once(&self, steps: u32) -> Vec<Result<Value, CallError>> {
        thread::scope(|scope| {
            let threads: Vec<_> =
                (0..self.all.len()).map(|number| scope.spawn(move || self.walk(number, steps, 0))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    /// Ends everything, of which nothing stays.
    fn end(self, loader: &ToyLoader) {
        drop((self.all, self.runtime));
        let counts = loader.counts();
        eventually("everything ends", || counts.vms() == 0 && counts.made() == counts.ended());
        assert_eq!(counts.overlaps(), 0, "one thread at a time");
    }
}

/// One step: when all are in their engines, each calls the next one.
fn next_when_all_are_in(barrier: &Arc<Barrier>) -> Walk {
    let barrier = Arc::clone(barrier);
    Arc::new(move |call, peers| {
        if call.arguments[0] == Toy::Int(0) {
            return Ok(Toy::Int(0));
        }
        barrier.wait();
        call.invoke(&peers[0], "walk", &[Toy::Int(0), Toy::Int(0)])
    })
}

/// As many bundles as threads, which go around in a circle.
#[track_caller]
fn one_is_refused(count: usize, texts: &[&str]) {
    let loader = ToyLoader::new();
    let barrier = Arc::new(Barrier::new(count));
    let rings = Rings::new(&loader, &vec![next_when_all_are_in(&barrier); count]);
    for _ in 0..50 {
        let outcomes = rings.walk_at_once(1);
        let refused: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
        let [CallError::Deadlock(failure)] = refused[..] else { panic!("one is refused, not {outcomes:?}") };
        assert!(texts.iter().any(|text| failure.message.contains(text)), "{}", failure.message);
        for number in 0..count {
            assert_eq!(rings.walk(number, 0, 0), Ok(Value::U32(0)), "every engine is usable");
        }
    }
    rings.end(&loader);
}

#[test]
fn of_two_that_call_each_other_one_is_refused() {
    one_is_refused(
        2,
        &[
            "bundle `b` is busy on a thread that waits for this one to leave bundle `a`",
            "bundle `a` is busy on a thread that waits for this one to leave bundle `b`",
        ],
    );
}

#[test]
fn of_three_in_a_ring_one_is_refused() {
    one_is_refused(
        3,
        &[
            "bundle `b` is busy on a thread that waits for bundle `c`, whose thread waits for this one to leave bundle `a`",
            "bundle `c` is busy on a thread that waits for bundle `a`, whose thread waits for this one to leave bundle `b`",
            "bundle `a` is busy on a thread that waits for bundle `b`, whose thread waits for this one to leave bundle `c`",
        ],
    );
}

#[test]
fn a_guest_may_do_something_else_then() {
    let loader = ToyLoader::new();
    let barrier = Arc::new(Barrier::new(2));
    let step = next_when_all_are_in(&barrier);
    let walk: Walk = Arc::new(move |call, peers| match step(call, peers) {
        Err(Raise::Fault(fault)) => match fault.into_call_error() {
            Ok(CallError::Deadlock(_)) => Ok(Toy::Int(77)),
            other => panic!("a deadlock, not {other:?}"),
        },
        outcome => outcome,
    });
    let rings = Rings::new(&loader, &[Arc::clone(&walk), walk]);
    let mut outcomes = rings.walk_at_once(1);
    outcomes.sort_by_key(|outcome| format!("{outcome:?}"));
    assert_eq!(outcomes, [Ok(Value::U32(0)), Ok(Value::U32(77))]);
    rings.end(&loader);
}

#[test]
fn one_thread_goes_around_and_back_into_its_engine() {
    let loader = ToyLoader::new();
    let walk: Walk = Arc::new(|call, peers| {
        let steps = call.arguments[0].int();
        if steps == 0 {
            return Ok(Toy::Int(0));
        }
        let Toy::Int(further) = call.invoke(&peers[0], "walk", &[Toy::Int(steps - 1), Toy::Int(0)])? else {
            return Err("a number is expected".into());
        };
        Ok(Toy::Int(further + 1))
    });
    let rings = Rings::new(&loader, &vec![walk; 3]);
    assert_eq!(rings.walk(0, 30, 0), Ok(Value::U32(30)));
    rings.end(&loader);
}

/// Walks wherever the seed leads.
fn anywhere() -> Walk {
    Arc::new(|call, peers| {
        let (steps, seed) = (call.arguments[0].int(), call.arguments[1].int());
        if steps == 0 {
            return Ok(Toy::Int(0));
        }
        let seed = (seed as u64).wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let next = &peers[(seed >> 33) as usize % peers.len()];
        call.invoke(next, "walk", &[Toy::Int(steps - 1), Toy::Int(seed.into())])
    })
}

/// Walks on many threads, from anywhere to anywhere; how many were through, and how many refused.
fn walk_for_long(rings: &Rings, threads: u64) -> (usize, usize) {
    let (through, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for thread in 0..threads {
            let (through, refused) = (&through, &refused);
            scope.spawn(move || {
                for round in 0..u64::from(rounds(400)) {
                    let seed = (thread << 32) + round;
                    match rings.walk((seed % 4) as usize, 6, seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)) {
                        Ok(end) => {
                            assert_eq!(end, Value::U32(0));
                            through.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(CallError::Deadlock(_)) => {
                            refused.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(other) => panic!("{other}"),
                    }
                    // Its instance ends while the engine is busy, as a rule.
                    drop(rings.all[(seed % 4) as usize].clone());
                }
            });
        }
    });
    (through.into_inner(), refused.into_inner())
}

#[test]
fn many_threads_walk_through_many_engines() {
    let loader = ToyLoader::new();
    let rings = Rings::new(&loader, &vec![anywhere(); 4]);
    let (through, refused) = walk_for_long(&rings, 6);
    assert_eq!(through + refused, 6 * rounds(400) as usize);
    assert!(through > 0, "some get through");
    for number in 0..4 {
        let walked = rings.walk(number, 6, 1);
        assert_eq!(walked, Ok(Value::U32(0)), "a thread by itself is never refused");
    }
    rings.end(&loader);
}

#[test]
fn instances_come_and_go_while_engines_call_each_other() {
    let loader = ToyLoader::new();
    let rings = Rings::new(&loader, &vec![anywhere(); 4]);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for thread in 0..2 {
            let (rings, done) = (&rings, &done);
            scope.spawn(move || {
                while !done.load(Ordering::SeqCst) {
                    // Made in the engine, which may be busy; ended without waiting for it.
                    let number = thread * 2;
                    drop(rings.runtime.dynamic(&contract(number)).unwrap());
                    let _ = rings.runtime.bundles();
                }
            });
        }
        let outcome = walk_for_long(&rings, 4);
        done.store(true, Ordering::SeqCst);
        assert!(outcome.0 > 0, "some get through");
    });
    rings.end(&loader);
}

#[test]
fn bundles_are_reloaded_while_they_call_each_other() {
    let loader = ToyLoader::new();
    let rings = Rings::new(&loader, &vec![anywhere(); 4]);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let (rings, done) = (&rings, &done);
        scope.spawn(move || {
            for bundle in rings.bundles.iter().cycle() {
                if done.load(Ordering::SeqCst) {
                    return;
                }
                rings.runtime.reload_bundle(bundle.path()).unwrap();
            }
        });
        let outcome = walk_for_long(rings, 4);
        done.store(true, Ordering::SeqCst);
        assert!(outcome.0 > 0, "some get through");
    });
    rings.end(&loader);
}
