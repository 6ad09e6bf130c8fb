//! The lock of an engine that one thread at a time may be in.
//!
//! A thread may enter again where it is in already: a guest calls its host, which calls the guest. Two threads can wait
//! for each other through two engines: the first is in A and calls B, the second in B and calls A. Before a thread
//! waits, it looks for such a cycle, and gets an error in place of the wait.
//!
//! Who must not wait can leave word that there is something to do ([`EngineLock::enter_or_ask`]): whoever is in learns
//! of it when leaving. Word, waiters and owner share one atomic, so that none of them can miss another.

use std::cell::Cell;
use std::collections::HashMap;

use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError, thread_local};

/// A bit of the word: somebody waits.
const CONTENDED: usize = 1;

/// A bit of the word: somebody asks whoever is in to do something.
const ASKED: usize = 2;

/// The rest of the word is the mark of a thread.
const MARK: usize = !(CONTENDED | ASKED);

/// The lock of one engine.
pub(crate) struct EngineLock {
    /// The mark of the thread that is in, whether others wait, and whether others ask.
    word: AtomicUsize,
    /// How often that thread is in beyond the first time. Its own alone.
    again: Cell<u32>,
    /// Told when the engine is free, with the lock of [`WAITING`].
    freed: Condvar,
    /// The bundle.
    name: String,
}

// SAFETY: `again` is used only by the thread that is in, and handed from one to the next by `word`.
unsafe impl Sync for EngineLock {}

/// The threads that wait, by their marks, each for one lock. Every wait begins and ends with this mutex held, so what
/// stands here is so: a thread that waits goes on being in whatever it is in.
static WAITING: LazyLock<Mutex<Waits>> = LazyLock::new(|| Mutex::new(Waits::new()));

type Waits = HashMap<usize, Wait>;

#[derive(Clone, Copy)]
struct Wait {
    /// The lock's address. The thread that waits there keeps it alive.
    lock: *const EngineLock,
}

// SAFETY: followed only with the mutex of `WAITING` held, while the thread that waits keeps the lock alive.
unsafe impl Send for Wait {}

fn waiting() -> MutexGuard<'static, Waits> {
    LazyLock::force(&WAITING).lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number that no other living thread has: a multiple of 4, and not 0.
#[inline]
fn mark() -> usize {
    thread_local! {
        static HERE: Cell<u32> = const { Cell::new(0) };
    }
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

/// Waiting for an engine would never end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "bundle `{wanted}` is busy on a thread that waits {}this one to leave bundle `{held}`: call one of them without \
     being inside the other",
    .between.iter().map(|bundle| format!("for bundle `{bundle}`, whose thread waits ")).collect::<String>() + "for "
)]
pub(crate) struct WouldDeadlock {
    /// The bundle that the thread wants to enter.
    wanted: String,
    /// The bundles on the way back.
    between: Vec<String>,
    /// The bundle that the thread is in.
    held: String,
}

impl EngineLock {
    pub(crate) fn new(name: &str) -> Self {
        Self { word: AtomicUsize::new(0), again: Cell::new(0), freed: Condvar::new(), name: name.to_owned() }
    }

    /// Waits until the engine is free, unless this thread is in.
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

    /// Enters if that needs no waiting.
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

    /// Enters if that needs no waiting; else whoever is in is asked, and told so by [`leave`](Self::leave).
    pub(crate) fn enter_or_ask(&self) -> bool {
        let me = mark();
        loop {
            let word = self.word.load(Ordering::Relaxed);
            if word == 0 || word & MARK == me {
                if self.try_enter() {
                    return true;
                }
                continue; // somebody else was faster
            }
            // Release: whoever is asked sees what was done before.
            if self.word.compare_exchange(word, word | ASKED, Ordering::Release, Ordering::Relaxed).is_ok() {
                return false;
            }
        }
    }

    /// Ends one entry of this thread. Whether it was the last, and somebody asks for something.
    ///
    /// The thread must be in.
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
            // With the mutex, so that whoever is about to wait does not miss it.
            drop(waiting());
            self.freed.notify_all();
        }
        word & ASKED != 0
    }

    #[cold]
    fn wait(&self, me: usize) -> Result<(), WouldDeadlock> {
        let mut waits = waiting();
        loop {
            // Whoever is in sees the bit when leaving, and needs the mutex then.
            let owner = self.word.fetch_or(CONTENDED, Ordering::Acquire) & MARK;
            if owner == 0 {
                // Free, and nobody else takes it: the word is not 0. The bit stays, for others may wait as well.
                self.word.fetch_or(me, Ordering::Relaxed);
                return Ok(());
            }
            self.find_cycle(owner, me, &waits)?;
            waits.insert(me, Wait { lock: self });
            waits = self.freed.wait(waits).unwrap_or_else(PoisonError::into_inner);
            waits.remove(&me);
        }
    }

    /// Whether the thread that is in waits, in the end, for this one. There is no cycle without this one: whoever would
    /// have closed it did not wait.
    fn find_cycle(&self, mut owner: usize, me: usize, waits: &Waits) -> Result<(), WouldDeadlock> {
        let mut way = Vec::new();
        while let Some(wait) = waits.get(&owner) {
            // SAFETY: the thread waits there, and keeps the lock until it has taken itself off the list.
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
