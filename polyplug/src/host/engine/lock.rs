//! The lock of an engine that one thread at a time may be in.
//!
//! The *owner* is the thread that is in the engine. The owner may enter again: a guest calls its host, which calls the
//! guest. Two threads can wait for each other through two engines: the first is in A and calls B, the second in B and
//! calls A. Before a thread waits, it looks for such a cycle, and gets an error in place of the wait.
//!
//! A thread that must not wait can ask the owner for work ([`EngineLock::enter_or_ask`]). The owner sees the request
//! when it leaves. Owner, waiters and requests share one atomic, so that none of them can miss another.

use std::cell::Cell;
use std::collections::HashMap;

use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError, thread_local};

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
    /// The signal that the engine is free, used with the mutex of [`WAITING`].
    freed: Condvar,
    /// The name of the bundle.
    name: String,
}

// SAFETY: only the owner uses `again`. The release in the swap of `leave` pairs with the acquire load of `word` by
// which the next owner enters, so the next owner sees the value of `again`.
unsafe impl Sync for EngineLock {}

/// The threads that wait, by their marks, each for one lock. A wait begins and ends with this mutex held, so the
/// entries are exact while the mutex is held. A thread that waits does not leave the engines that it is in.
static WAITING: LazyLock<Mutex<Waits>> = LazyLock::new(|| Mutex::new(Waits::new()));

type Waits = HashMap<usize, Wait>;

#[derive(Clone, Copy)]
struct Wait {
    /// The address of the lock. The waiting thread keeps the lock alive.
    lock: *const EngineLock,
}

// SAFETY: `lock` is dereferenced only with the mutex of `WAITING` held. The entry is there only while its thread waits,
// and that thread keeps the lock alive.
unsafe impl Send for Wait {}

fn waiting() -> MutexGuard<'static, Waits> {
    LazyLock::force(&WAITING).lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the mark of this thread: a multiple of 4, not 0, and different from the marks of other threads that exist.
#[inline]
fn mark() -> usize {
    thread_local! {
        static HERE: Cell<u32> = const { Cell::new(0) };
    }
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

/// The error of a wait for an engine that would never end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "bundle `{wanted}` is busy on a thread that waits {}this one to leave bundle `{held}`: call one of them without \
     being inside the other",
    .between.iter().map(|bundle| format!("for bundle `{bundle}`, whose thread waits ")).collect::<String>() + "for "
)]
pub(crate) struct WouldDeadlock {
    /// The bundle that the thread wants to enter.
    wanted: String,
    /// The bundles whose threads close the cycle between the two.
    between: Vec<String>,
    /// The bundle that the thread is in.
    held: String,
}

impl EngineLock {
    pub(crate) fn new(name: &str) -> Self {
        Self { word: AtomicUsize::new(0), again: Cell::new(0), freed: Condvar::new(), name: name.to_owned() }
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
            drop(waiting());
            self.freed.notify_all();
        }
        word & ASKED != 0
    }

    #[cold]
    fn wait(&self, me: usize) -> Result<(), WouldDeadlock> {
        let mut waits = waiting();
        loop {
            // The owner sees the bit when it leaves, and then needs the mutex, which this thread holds until it waits.
            let owner = self.word.fetch_or(CONTENDED, Ordering::Acquire) & MARK;
            if owner == 0 {
                // The engine is free. No other thread can take it: `enter` takes a word of 0 only, and other waiters
                // need the mutex. The bit stays, for other threads may wait as well.
                self.word.fetch_or(me, Ordering::Relaxed);
                return Ok(());
            }
            self.find_cycle(owner, me, &waits)?;
            waits.insert(me, Wait { lock: self });
            waits = self.freed.wait(waits).unwrap_or_else(PoisonError::into_inner);
            waits.remove(&me);
        }
    }

    /// Returns an error if the owner waits, directly or through other threads, for this thread. Each cycle that can be
    /// found contains this thread: the thread that would have closed another cycle did not wait.
    fn find_cycle(&self, mut owner: usize, me: usize, waits: &Waits) -> Result<(), WouldDeadlock> {
        let mut way = Vec::new();
        while let Some(wait) = waits.get(&owner) {
            // SAFETY: the thread of `wait` keeps the lock alive until it has removed its entry, which needs the mutex
            // that the caller holds.
            let lock = unsafe { &*wait.lock };
            owner = lock.word.load(Ordering::Acquire) & MARK;
            if owner == me {
                return Err(WouldDeadlock { wanted: self.name.clone(), between: way, held: lock.name.clone() });
            }
            way.push(lock.name.clone());
        }
        Ok(())
    }
}
