//! The lock of an engine: one thread at a time, nobody forgotten, no wait without end.

use std::sync::Arc as Untracked;

use loom::cell::UnsafeCell;

use super::{join, spawn};
use crate::explore::explore;
use crate::host::engine::engine::Engine;
use crate::host::engine::lock::{EngineLock, WouldDeadlock};
use crate::host::engine::vm::Vm;

/// What only the thread that is in may touch.
struct Guarded {
    lock: EngineLock,
    visits: UnsafeCell<u32>,
}

// SAFETY: loom looks at each access to the cell.
unsafe impl Sync for Guarded {}

impl Guarded {
    fn new(name: &str) -> Untracked<Self> {
        Untracked::new(Self { lock: EngineLock::new(name), visits: UnsafeCell::new(0) })
    }

    fn visit(&self) {
        // SAFETY: loom looks at each access.
        self.visits.with_mut(|visits| unsafe { *visits += 1 });
    }

    /// Goes in, does something else there, and goes out.
    fn during<R>(&self, body: impl FnOnce() -> R) -> Result<R, WouldDeadlock> {
        self.lock.enter()?;
        self.visit();
        let result = body();
        self.visit();
        let _ = self.lock.leave();
        Ok(result)
    }
}

/// Threads take turns, and each gets in.
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
        // SAFETY: as above.
        assert_eq!(guarded.visits.with(|visits| unsafe { *visits }), 8);
    });
}

/// Two threads, each of which goes from one engine into the other: one of them is refused, or none.
pub fn two_do_not_wait_for_each_other() {
    explore(|| {
        let (a, b) = (Guarded::new("a"), Guarded::new("b"));
        let other = spawn({
            let (a, b) = (Untracked::clone(&a), Untracked::clone(&b));
            move || b.during(|| a.during(|| ()).is_err()).expect("the first is not waited for in vain")
        });
        let here = a.during(|| b.during(|| ()).is_err()).expect("the first is not waited for in vain");
        assert!(!(join(other) && here), "both are refused");
        // Whoever was refused can go there now.
        a.during(|| b.during(|| ())).expect("nobody is in").expect("nobody is in");
    });
}

/// The same in a ring of three.
pub fn three_do_not_wait_for_each_other() {
    explore(|| {
        let all = ["a", "b", "c"].map(Guarded::new);
        let go = |first: usize| {
            let [one, two] = [first, (first + 1) % 3].map(|i| Untracked::clone(&all[i]));
            move || one.during(|| two.during(|| ()).is_err()).expect("the first is not waited for in vain")
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

// SAFETY: loom looks at each access to the cell.
unsafe impl Send for Counting {}
// SAFETY: as above.
unsafe impl Sync for Counting {}

impl Engine for Counting {
    type Object = ();

    fn end(&self, (): ()) {
        // SAFETY: loom looks at each access.
        self.ended.with_mut(|ended| unsafe { *ended += 1 });
    }
}

impl Counting {
    fn ended(vm: &Vm<Self>) -> u32 {
        // SAFETY: as above.
        vm.enter().expect("there is one lock").ended.with(|ended| unsafe { *ended })
    }
}

/// Objects that end while the engine is busy end when it is left, at the latest; each once.
pub fn objects_end_once() {
    explore(|| {
        let vm = Untracked::new(Vm::new(Counting { ended: UnsafeCell::new(0) }, "a"));
        let busy = spawn({
            let vm = Untracked::clone(&vm);
            move || {
                let inside = vm.enter().expect("there is one lock");
                // SAFETY: as above.
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

/// One that waits for the engine finds it as whoever asked it to do something left it, and does that.
pub fn a_waiter_does_what_is_asked() {
    explore(|| {
        let vm = Untracked::new(Vm::new(Counting { ended: UnsafeCell::new(0) }, "a"));
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
