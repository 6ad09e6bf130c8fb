//! Guards, and what waits for them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use loom::sync::atomic::{AtomicUsize, Ordering};

use crate::atomic::Shared;
use crate::{Collects, memory};

thread_local! {
    // All threads of a model run on one thread of the system.
    static COLLECTOR: RefCell<Option<Rc<Collector>>> = const { RefCell::new(None) };
}

/// The state that all guards share. `waiting` is no part of the model; the atomics tell loom which steps of two threads
/// depend on each other, and carry the orders that the crate's documentation names.
struct Collector {
    /// Changed by what defers; seen by guards that are made later.
    deferred: AtomicUsize,
    /// Changed by guards that go; seen by what runs then.
    unpinned: AtomicUsize,
    waiting: RefCell<Waiting>,
    collects: Cell<Collects>,
}

#[derive(Default)]
struct Waiting {
    latest: usize,
    guards: Vec<usize>,
    garbage: Vec<Garbage>,
}

struct Garbage {
    /// The guards that it waits for.
    guards: Vec<usize>,
    run: Box<dyn FnOnce()>,
}

/// Begins an execution of a model. Everything else here must happen in one.
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

/// When garbage is collected in this execution, from its beginning.
pub fn set_collects(collects: Collects) {
    collector().collects.set(collects);
}

/// Collects what is left, when no other thread has a guard. Whether to try again: nothing is left.
pub fn push() -> bool {
    pin().flush();
    false
}

impl Collector {
    /// Runs what waits for no guard any more.
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

    /// As [`collect`](Self::collect), at a moment that has nothing to do with the garbage.
    fn collect_late(&self) {
        if self.collects.get() == Collects::Later {
            // Whether the last guard has gone depends on who takes this step first.
            self.unpinned.fetch_add(0, Ordering::Relaxed);
            self.collect();
        }
    }
}

/// Keeps what is loaded while it exists from being destroyed.
pub struct Guard {
    /// None protects nothing.
    number: Option<usize>,
}

/// A guard.
#[must_use]
pub fn pin() -> Guard {
    let collector = collector();
    collector.deferred.fetch_add(1, Ordering::Acquire);
    let mut waiting = collector.waiting.borrow_mut();
    waiting.latest += 1;
    let number = waiting.latest;
    waiting.guards.push(number);
    drop(waiting);
    collector.collect_late();
    Guard { number: Some(number) }
}

/// A guard that protects nothing.
///
/// # Safety
///
/// As crossbeam's.
#[must_use]
pub unsafe fn unprotected() -> &'static Guard {
    static UNPROTECTED: Guard = Guard { number: None };
    &UNPROTECTED
}

impl Guard {
    /// Runs `f` when no guard of this moment is left.
    pub fn defer<F: FnOnce() -> R + Send + 'static, R>(&self, f: F) {
        // SAFETY: `f` is valid for ever and may run anywhere.
        unsafe { self.defer_unchecked(f) }
    }

    /// As [`defer`](Self::defer), for what the types cannot show to be safe.
    ///
    /// # Safety
    ///
    /// As crossbeam's.
    pub unsafe fn defer_unchecked<F: FnOnce() -> R, R>(&self, f: F) {
        let run: Box<dyn FnOnce() + '_> = Box::new(move || drop(f()));
        // SAFETY: what `f` borrows lives until it has run, by the caller's promise.
        let run: Box<dyn FnOnce() + 'static> = unsafe { std::mem::transmute(run) };
        if self.number.is_none() {
            return run();
        }
        let collector = collector();
        collector.unpinned.fetch_add(0, Ordering::Relaxed);
        collector.deferred.fetch_add(1, Ordering::AcqRel);
        let mut waiting = collector.waiting.borrow_mut();
        let guards = waiting.guards.clone();
        waiting.garbage.push(Garbage { guards, run });
    }

    /// Destroys what `pointer` leads to when no guard of this moment is left.
    ///
    /// # Safety
    ///
    /// As crossbeam's.
    pub unsafe fn defer_destroy<T>(&self, pointer: Shared<'_, T>) {
        let address = pointer.as_raw().cast_mut();
        // SAFETY: the caller's promise.
        unsafe { self.defer_unchecked(move || drop(Shared::from(address.cast_const()).into_owned())) };
    }

    /// Collects, if that was not done at once.
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
        waiting.guards.retain(|guard| *guard != number);
        for garbage in &mut waiting.garbage {
            garbage.guards.retain(|guard| *guard != number);
        }
        drop(waiting);
        if collector.collects.get() == Collects::AtOnce {
            collector.collect();
        }
    }
}
