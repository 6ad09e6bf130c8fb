//! The lock of an engine: one thread at a time is in, each waiting thread gets in, and no wait is endless.

use std::sync::Arc as Untracked;

use loom::cell::UnsafeCell;

use super::{join, spawn};
use crate::explore::explore;
use crate::host::engine::engine::Engine;
use crate::host::engine::lock::EngineLock;
use crate::host::engine::places::Places;
use crate::host::engine::vm::Vm;
use crate::host::engine::vm_pool::VmPool;
use crate::host::waits::WouldDeadlock;
use crate::sync::Condvar;

/// Data that only the thread in the engine may use.
struct Guarded {
    lock: EngineLock,
    visits: UnsafeCell<u32>,
}

// SAFETY: loom checks each access to the cell.
unsafe impl Sync for Guarded {}

impl Guarded {
    fn new(name: &str) -> Untracked<Self> {
        Untracked::new(Self { lock: EngineLock::new(name), visits: UnsafeCell::new(0) })
    }

    fn visit(&self) {
        // SAFETY: loom checks each access.
        self.visits.with_mut(|visits| unsafe { *visits += 1 });
    }

    /// Enters, runs `body`, and leaves.
    fn during<R>(&self, body: impl FnOnce() -> R) -> Result<R, WouldDeadlock> {
        self.lock.enter()?;
        self.visit();
        let result = body();
        self.visit();
        let _ = self.lock.leave();
        Ok(result)
    }
}

/// One thread at a time is in the engine, and each gets in.
pub fn threads_take_turns() {
    explore(|| {
        let guarded = Guarded::new("a");
        let other = |guarded: &Untracked<Guarded>| {
            let guarded = Untracked::clone(guarded);
            spawn(move || guarded.during(|| ()).expect("there is one lock"))
        };
        let threads = [other(&guarded), other(&guarded)];
        guarded.during(|| guarded.during(|| ()).expect("the thread is in")).expect("there is one lock");
        let _ = threads.map(join);
        // SAFETY: loom checks each access.
        assert_eq!(guarded.visits.with(|visits| unsafe { *visits }), 8);
    });
}

/// Two threads enter two engines in opposite order: at most one of them is refused.
pub fn two_do_not_wait_for_each_other() {
    explore(|| {
        let (a, b) = (Guarded::new("a"), Guarded::new("b"));
        let other = spawn({
            let (a, b) = (Untracked::clone(&a), Untracked::clone(&b));
            move || b.during(|| a.during(|| ()).is_err()).expect("the first engine is entered without a wait for ever")
        });
        let here = a.during(|| b.during(|| ()).is_err()).expect("the first engine is entered without a wait for ever");
        assert!(!(join(other) && here), "both are refused");
        // A thread that was refused can enter now.
        a.during(|| b.during(|| ())).expect("no thread is in").expect("no thread is in");
    });
}

/// Three threads enter three engines in a circle: at most one of them is refused.
pub fn three_do_not_wait_for_each_other() {
    explore(|| {
        let all = ["a", "b", "c"].map(Guarded::new);
        let go = |first: usize| {
            let [one, two] = [first, (first + 1) % 3].map(|i| Untracked::clone(&all[i]));
            move || {
                one.during(|| two.during(|| ()).is_err()).expect("the first engine is entered without a wait for ever")
            }
        };
        let threads = [spawn(go(1)), spawn(go(2))];
        let here = go(0)();
        let refused = threads.map(join).into_iter().chain([here]).filter(|refused| *refused).count();
        assert!(refused <= 1, "{refused} are refused");
    });
}

/// An engine that counts the objects that end in it.
struct Counting {
    ended: UnsafeCell<u32>,
}

// SAFETY: loom checks each access to the cell.
unsafe impl Send for Counting {}
// SAFETY: loom checks each access to the cell.
unsafe impl Sync for Counting {}

impl Engine for Counting {
    type Object = ();

    fn end(&self, (): ()) {
        // SAFETY: loom checks each access.
        self.ended.with_mut(|ended| unsafe { *ended += 1 });
    }
}

impl Counting {
    fn ended(vm: &Vm<Self>) -> u32 {
        // SAFETY: loom checks each access.
        vm.enter().expect("there is one lock").ended.with(|ended| unsafe { *ended })
    }
}

/// Objects that end while the engine is busy end when it is left at the latest, and each ends once.
pub fn objects_end_once() {
    explore(|| {
        let vm = Untracked::new(Vm::new(
            Counting { ended: UnsafeCell::new(0) },
            &Untracked::new(Places::new("a", None, None)),
        ));
        let busy = spawn({
            let vm = Untracked::clone(&vm);
            move || {
                let inside = vm.enter().expect("there is one lock");
                // SAFETY: loom checks each access.
                inside.ended.with(|ended| unsafe { *ended })
            }
        });
        let ending = spawn({
            let vm = Untracked::clone(&vm);
            move || vm.end(())
        });
        vm.end(());
        join(busy);
        join(ending);
        assert_eq!(Counting::ended(&vm), 2, "objects that ended");
    });
}

/// A thread that waits for the engine does not lose a request of another thread, and carries it out.
pub fn a_waiter_does_what_is_asked() {
    explore(|| {
        let vm = Untracked::new(Vm::new(
            Counting { ended: UnsafeCell::new(0) },
            &Untracked::new(Places::new("a", None, None)),
        ));
        let enter = |vm: &Untracked<Vm<Counting>>| {
            let vm = Untracked::clone(vm);
            spawn(move || drop(vm.enter().expect("there is one lock")))
        };
        let threads = [enter(&vm), enter(&vm)];
        vm.end(());
        let _ = threads.map(join);
        assert_eq!(Counting::ended(&vm), 1, "objects that ended");
    });
}

/// Makes a pool of this many engines.
fn pool(engines: usize) -> VmPool<Counting> {
    let freed = Untracked::new(Condvar::new());
    let places = Untracked::new(Places::new("a", None, None));
    let engine = || Counting { ended: UnsafeCell::new(0) };
    VmPool::new((0..engines).map(|_| Untracked::new(Vm::pooled(engine(), &places, &freed))).collect())
}

/// Counts in one of the engines of a pool. Returns the engine's number.
fn count_in(pool: &VmPool<Counting>) -> usize {
    let (number, inside) = pool.enter().expect("no thread waits for another one");
    inside.end(());
    let (nested, again) = pool.enter().expect("the thread is in");
    assert_eq!(nested, number, "the engine that the thread is in");
    again.end(());
    number
}

/// One thread at a time is in each engine of a pool, each thread gets into one, and again into the same one.
pub fn threads_share_a_pool() {
    explore(|| {
        let pool = pool(2);
        let other = |pool: &VmPool<Counting>| {
            let pool = pool.clone();
            spawn(move || count_in(&pool))
        };
        let threads = [other(&pool), other(&pool)];
        count_in(&pool);
        let _ = threads.map(join);
        let ended: u32 = pool.vms().iter().map(|vm| Counting::ended(vm)).sum();
        assert_eq!(ended, 6, "entries into the pool");
    });
}

/// A thread in an engine waits for a pool whose engines are both busy, one of them on a thread that waits for the first
/// engine. No thread is refused, as the other engine of the pool is left.
pub fn a_wait_for_a_pool_ends_with_any_engine() {
    explore(|| {
        let (pool, alone) = (pool(2), Guarded::new("b"));
        let crossing = spawn({
            let (pool, alone) = (pool.clone(), Untracked::clone(&alone));
            move || {
                let inside = pool.enter().expect("an engine is free or is left");
                alone.during(|| ()).expect("the thread in it waits for any engine of the pool");
                drop(inside);
            }
        });
        let passing = spawn({
            let pool = pool.clone();
            move || drop(pool.enter().expect("an engine is free or is left"))
        });
        alone.during(|| drop(pool.enter().expect("one engine is left"))).expect("the thread in it goes on");
        join(crossing);
        join(passing);
    });
}

/// A thread in an engine waits for a pool of one engine, and the thread in that for the first engine: at most one of them
/// is refused, and no wait is endless.
pub fn a_wait_for_a_whole_pool_is_refused() {
    explore(|| {
        let (pool, alone) = (pool(1), Guarded::new("b"));
        let other = spawn({
            let (pool, alone) = (pool.clone(), Untracked::clone(&alone));
            move || {
                let _inside = pool.enter().expect("the first engine is entered without a wait for ever");
                alone.during(|| ()).is_err()
            }
        });
        let here = alone.during(|| pool.enter().is_err()).expect("the first engine is entered without a wait for ever");
        assert!(!(join(other) && here), "both are refused");
    });
}
