//! Guards, and the deferred functions that wait for them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread::{self, ThreadId};

use crate::atomic::Shared;
use crate::{Collects, memory};

thread_local! {
    // All threads of a model run on one thread of the system.
    static COLLECTOR: RefCell<Option<Rc<Collector>>> = const { RefCell::new(None) };
}

/// The state that all guards share. `waiting` is not a part of the model. The atomics show loom which steps of two
/// threads depend on each other, and have the orderings that the crate's documentation names.
struct Collector {
    /// Changed when a function is deferred; read by guards that are made later.
    deferred: AtomicUsize,
    /// Changed when a guard is dropped; read before a deferred function runs.
    unpinned: AtomicUsize,
    waiting: RefCell<Waiting>,
    collects: Cell<Collects>,
}

#[derive(Default)]
struct Waiting {
    latest: usize,
    /// The guards that exist, each with the thread that made it.
    guards: Vec<(usize, ThreadId)>,
    garbage: Vec<Garbage>,
}

struct Garbage {
    /// The guards that the function waits for.
    guards: Vec<usize>,
    run: Box<dyn FnOnce()>,
}

/// Begins an execution of a model. All other functions must be called in an execution.
pub fn reset() {
    memory::reset();
    let collector = Collector {
        deferred: AtomicUsize::new(0),
        unpinned: AtomicUsize::new(0),
        waiting: RefCell::default(),
        collects: Cell::default(),
    };
    COLLECTOR.set(Some(Rc::new(collector)));
}

fn collector() -> Rc<Collector> {
    COLLECTOR.with_borrow(|collector| Rc::clone(collector.as_ref().expect("`reset` begins an execution")))
}

/// Sets when garbage is collected in this execution. Must be called at its beginning.
pub fn set_collects(collects: Collects) {
    collector().collects.set(collects);
}

/// Collects the remaining garbage, when no other thread has a guard. Returns whether to try again: never, because none
/// remains.
pub fn push() -> bool {
    pin().flush();
    false
}

impl Collector {
    /// Runs the functions that wait for no guard any more.
    fn collect(&self) {
        let mut waiting = self.waiting.borrow_mut();
        let garbage = std::mem::take(&mut waiting.garbage);
        let (ready, left): (Vec<_>, _) = garbage.into_iter().partition(|garbage| garbage.guards.is_empty());
        waiting.garbage = left;
        drop(waiting);
        if ready.is_empty() {
            return;
        }
        self.unpinned.fetch_add(0, Ordering::Acquire);
        self.deferred.fetch_add(0, Ordering::Acquire);
        for garbage in ready {
            (garbage.run)();
        }
    }

    /// Does the same as [`collect`](Self::collect), at a step that does not concern the garbage itself.
    fn collect_late(&self) {
        if self.collects.get() == Collects::Later {
            // Whether the last guard has been dropped depends on which thread takes this step first.
            self.unpinned.fetch_add(0, Ordering::Relaxed);
            self.collect();
        }
    }
}

/// A guard: values that are loaded under it are not destroyed while it exists.
pub struct Guard {
    /// The number of the guard; `None` protects nothing.
    number: Option<usize>,
}

/// Makes a guard.
#[must_use]
pub fn pin() -> Guard {
    let collector = collector();
    collector.deferred.fetch_add(1, Ordering::Acquire);
    let mut waiting = collector.waiting.borrow_mut();
    waiting.latest += 1;
    let number = waiting.latest;
    waiting.guards.push((number, thread::current().id()));
    drop(waiting);
    collector.collect_late();
    Guard { number: Some(number) }
}

/// Returns whether this thread has a guard.
#[must_use]
pub fn is_pinned() -> bool {
    let this = thread::current().id();
    collector().waiting.borrow().guards.iter().any(|(_, thread)| *thread == this)
}

/// Returns a guard that protects nothing.
///
/// # Safety
///
/// The conditions of crossbeam's function.
#[must_use]
pub unsafe fn unprotected() -> &'static Guard {
    static UNPROTECTED: Guard = Guard { number: None };
    &UNPROTECTED
}

impl Guard {
    /// Runs `f` when all guards that exist now are dropped.
    pub fn defer<F: FnOnce() -> R + Send + 'static, R>(&self, f: F) {
        // SAFETY: `f` is `'static` and `Send`.
        unsafe { self.defer_unchecked(f) }
    }

    /// Does the same as [`defer`](Self::defer), for a function that need not be `'static` or `Send`.
    ///
    /// # Safety
    ///
    /// The conditions of crossbeam's function.
    pub unsafe fn defer_unchecked<F: FnOnce() -> R, R>(&self, f: F) {
        let run: Box<dyn FnOnce() + '_> = Box::new(move || drop(f()));
        // SAFETY: the borrows of `f` live until it has run (the caller's promise).
        let run: Box<dyn FnOnce() + 'static> = unsafe { std::mem::transmute(run) };
        if self.number.is_none() {
            return run();
        }
        let collector = collector();
        collector.unpinned.fetch_add(0, Ordering::Relaxed);
        collector.deferred.fetch_add(1, Ordering::AcqRel);
        let mut waiting = collector.waiting.borrow_mut();
        let guards = waiting.guards.iter().map(|(number, _)| *number).collect();
        waiting.garbage.push(Garbage { guards, run });
    }

    /// Destroys the value of `pointer` when all guards that exist now are dropped.
    ///
    /// # Safety
    ///
    /// The conditions of crossbeam's function.
    pub unsafe fn defer_destroy<T>(&self, pointer: Shared<'_, T>) {
        let address = pointer.as_raw().cast_mut();
        // SAFETY: the caller's promise.
        unsafe { self.defer_unchecked(move || drop(Shared::from(address.cast_const()).into_owned())) };
    }

    /// Collects garbage, unless garbage is collected at once.
    pub fn flush(&self) {
        collector().collect_late();
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(number) = self.number else { return };
        let collector = collector();
        collector.unpinned.fetch_add(1, Ordering::Release);
        let mut waiting = collector.waiting.borrow_mut();
        waiting.guards.retain(|(guard, _)| *guard != number);
        for garbage in &mut waiting.garbage {
            garbage.guards.retain(|guard| *guard != number);
        }
        drop(waiting);
        if collector.collects.get() == Collects::AtOnce {
            collector.collect();
        }
    }
}
