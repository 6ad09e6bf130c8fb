//! The lock of an engine that one thread at a time may be in.
//!
//! The *owner* is the thread that is in the engine. The owner may enter again: a guest calls its host, which calls the
//! guest. Two threads can wait for each other through two engines: the first is in A and calls B, the second in B and
//! calls A. Before a thread waits, it [looks](crate::host::waits) for such a cycle, and gets an error in place of the wait.
//!
//! A thread that must not wait can ask the owner for work ([`EngineLock::enter_or_ask`]). The owner sees the request
//! when it leaves. Owner, waiters and requests share one atomic, so that none of them can miss another.

use std::cell::Cell;
use std::sync::Arc;

use crate::host::waits::{Lock, Target, WouldDeadlock, mark, waits};
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Condvar, PoisonError};

/// A bit of the word: at least one thread waits.
const CONTENDED: usize = 1;

/// A bit of the word: a thread asks the owner for work.
const ASKED: usize = 2;

/// The other bits of the word: the mark of the owner, or 0.
const MARK: usize = !(CONTENDED | ASKED);

/// The lock of one engine.
pub(crate) struct EngineLock {
    /// The mark of the owner, whether threads wait, and whether a thread asks.
    word: AtomicUsize,
    /// The number of entries of the owner beyond the first. Only the owner uses it.
    again: Cell<u32>,
    /// The signal that the engine is free, used with the mutex of [`waits`]. The engines of a pool share one.
    freed: Arc<Condvar>,
    /// The name of the bundle.
    name: String,
}

// SAFETY: only the owner uses `again`. The release in the swap of `leave` pairs with the acquire load of `word` by
// which the next owner enters, so the next owner sees the value of `again`.
unsafe impl Sync for EngineLock {}

impl EngineLock {
    pub(crate) fn new(name: &str) -> Self {
        Self::with_signal(name, &Arc::new(Condvar::new()))
    }

    /// Makes the lock of an engine of a pool, whose engines share the signal `freed`.
    pub(crate) fn with_signal(name: &str, freed: &Arc<Condvar>) -> Self {
        Self { word: AtomicUsize::new(0), again: Cell::new(0), freed: Arc::clone(freed), name: name.to_owned() }
    }

    /// Enters the engine. Waits until the engine is free, unless this thread is the owner.
    #[inline]
    pub(crate) fn enter(&self) -> Result<(), WouldDeadlock> {
        let me = mark();
        match self.word.compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => Ok(()),
            Err(word) if word & MARK == me => {
                self.again.set(self.again.get() + 1);
                Ok(())
            }
            Err(_) => self.wait(me),
        }
    }

    /// Enters if the engine is free. Returns whether the thread, which has the mark `me`, has entered.
    #[inline]
    pub(crate) fn try_first(&self, me: usize) -> bool {
        // Read first: a busy engine's word stays in the cache of the owner's processor core.
        self.word.load(Ordering::Relaxed) == 0
            && self.word.compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Enters if this thread, which has the mark `me`, is the owner. Returns whether it is.
    pub(crate) fn try_again(&self, me: usize) -> bool {
        let is_owner = self.word.load(Ordering::Relaxed) & MARK == me;
        if is_owner {
            self.again.set(self.again.get() + 1);
        }
        is_owner
    }

    /// Enters if that needs no wait. Returns whether the thread has entered.
    pub(crate) fn try_enter(&self) -> bool {
        let me = mark();
        match self.word.compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => true,
            Err(word) if word & MARK == me => {
                self.again.set(self.again.get() + 1);
                true
            }
            Err(_) => false,
        }
    }

    /// Enters if that needs no wait. Otherwise asks the owner, for which [`leave`](Self::leave) then returns true.
    /// Returns whether the thread has entered.
    pub(crate) fn enter_or_ask(&self) -> bool {
        let me = mark();
        loop {
            let word = self.word.load(Ordering::Relaxed);
            if word == 0 || word & MARK == me {
                if self.try_enter() {
                    return true;
                }
                continue; // another thread was faster
            }
            // Release: pairs with the acquire in the swap of `leave`, so the owner sees what this thread did before.
            if self.word.compare_exchange(word, word | ASKED, Ordering::Release, Ordering::Relaxed).is_ok() {
                return false;
            }
        }
    }

    /// Ends one entry of this thread, which must be the owner. Returns whether the entry was the thread's last and
    /// another thread has asked for work.
    #[inline]
    #[must_use]
    pub(crate) fn leave(&self) -> bool {
        let again = self.again.get();
        if again > 0 {
            self.again.set(again - 1);
            return false;
        }
        let word = self.word.swap(0, Ordering::AcqRel);
        if word & CONTENDED != 0 {
            // A waiter sets the bit with the mutex held, and releases the mutex when it waits. So after this lock of
            // the mutex the waiter cannot miss the notification.
            drop(waits());
            self.freed.notify_all();
        }
        word & ASKED != 0
    }

    #[cold]
    fn wait(&self, me: usize) -> Result<(), WouldDeadlock> {
        self.wait_until(self, me, || self.claim(me).then_some(()))
    }

    /// Waits until `claim` returns a value. `locks` are those of which `claim` claims one. They have this lock's signal,
    /// and this thread owns none of them.
    pub(crate) fn wait_until<T>(
        &self,
        locks: &(impl Lock + 'static),
        me: usize,
        claim: impl Fn() -> Option<T>,
    ) -> Result<T, WouldDeadlock> {
        let mut waits = waits();
        loop {
            if let Some(claimed) = claim() {
                return Ok(claimed);
            }
            waits.find_cycle(locks, me)?;
            waits.begin(me, Target::Lock(locks));
            waits = self.freed.wait(waits).unwrap_or_else(PoisonError::into_inner);
            waits.end(me);
        }
    }

    /// Enters if the engine is free, or else has the owner notify the waiting threads when it leaves. Returns whether
    /// the thread has entered. The caller holds the mutex of [`waits`].
    pub(crate) fn claim(&self, me: usize) -> bool {
        // The owner sees the bit when it leaves, and then needs the mutex, which this thread holds until it waits.
        let owner = self.word.fetch_or(CONTENDED, Ordering::Acquire) & MARK;
        if owner == 0 {
            // The engine is free. No other thread can take it: `enter` takes a word of 0 only, and other waiters
            // need the mutex. The bit stays, for other threads may wait as well.
            self.word.fetch_or(me, Ordering::Relaxed);
        }
        owner == 0
    }

    /// Returns the mark of the owner, or 0.
    pub(crate) fn current_owner(&self) -> usize {
        self.word.load(Ordering::Acquire) & MARK
    }

    /// Returns whether a thread that enters has to wait until the thread with the mark `thread` leaves an engine or
    /// ends a wait: `thread` is the owner, or the owner waits for it.
    pub(crate) fn waits_for(&self, thread: usize) -> bool {
        let waits = waits();
        let owner = self.current_owner();
        owner == thread || waits.way(owner, thread).is_some()
    }
}

impl Lock for EngineLock {
    fn owner(&self, number: usize) -> Option<usize> {
        (number == 0).then(|| self.current_owner())
    }

    fn bundle(&self) -> &str {
        &self.name
    }
}
