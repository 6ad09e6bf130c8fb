//! The lock of an engine that one thread at a time may be in.
//!
//! A thread may enter again where it is in already: a guest calls its host, which calls the guest. Two threads can wait
//! for each other through two engines: the first is in A and calls B, the second in B and calls A. Before a thread
//! waits, it looks for such a cycle, and gets an error in place of the wait.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The lowest bit of the word: somebody waits. Marks of threads are even.
const CONTENDED: usize = 1;

/// The lock of one engine.
pub(super) struct EngineLock {
    /// The mark of the thread that is in, and whether others wait.
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

/// The threads that wait, each for one lock. Every wait begins and ends with this mutex held, so what stands here is so:
/// a thread that waits goes on being in whatever it is in.
static WAITING: Mutex<Option<HashMap<usize, Wait>>> = Mutex::new(None);

#[derive(Clone, Copy)]
struct Wait {
    /// The lock's address. The thread that waits there keeps it alive.
    lock: *const EngineLock,
}

// SAFETY: followed only with the mutex of `WAITING` held, while the thread that waits keeps the lock alive.
unsafe impl Send for Wait {}

fn waiting() -> MutexGuard<'static, Option<HashMap<usize, Wait>>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number that no other living thread has: even, and not 0.
fn mark() -> usize {
    thread_local! {
        static MARK: Cell<u16> = const { Cell::new(0) };
    }
    MARK.with(|mark| std::ptr::from_ref(mark).addr())
}

/// Waiting for an engine would never end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "bundle `{wanted}` is busy on a thread that waits {}this one to leave bundle `{held}`: call one of them without \
     being inside the other",
    .between.iter().map(|bundle| format!("for bundle `{bundle}`, whose thread waits ")).collect::<String>() + "for "
)]
pub(super) struct WouldDeadlock {
    /// The bundle that the thread wants to enter.
    wanted: String,
    /// The bundles on the way back.
    between: Vec<String>,
    /// The bundle that the thread is in.
    held: String,
}

impl EngineLock {
    pub(super) fn new(name: &str) -> Self {
        Self { word: AtomicUsize::new(0), again: Cell::new(0), freed: Condvar::new(), name: name.to_owned() }
    }

    /// Waits until the engine is free, unless this thread is in.
    #[inline]
    pub(super) fn enter(&self) -> Result<(), WouldDeadlock> {
        let me = mark();
        match self.word.compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => Ok(()),
            Err(word) if word & !CONTENDED == me => {
                self.again.set(self.again.get() + 1);
                Ok(())
            }
            Err(_) => self.wait(me),
        }
    }

    /// Enters if that needs no waiting.
    pub(super) fn try_enter(&self) -> bool {
        let me = mark();
        match self.word.compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => true,
            Err(word) if word & !CONTENDED == me => {
                self.again.set(self.again.get() + 1);
                true
            }
            Err(_) => false,
        }
    }

    /// Ends one entry of this thread.
    ///
    /// The thread must be in.
    #[inline]
    pub(super) fn leave(&self) {
        let again = self.again.get();
        if again > 0 {
            self.again.set(again - 1);
            return;
        }
        if self.word.swap(0, Ordering::Release) & CONTENDED != 0 {
            // With the mutex, so that whoever is about to wait does not miss it.
            drop(waiting());
            self.freed.notify_all();
        }
    }

    #[cold]
    fn wait(&self, me: usize) -> Result<(), WouldDeadlock> {
        let mut waits = waiting();
        loop {
            // Whoever is in sees the mark when leaving, and needs the mutex then.
            let word = self.word.fetch_or(CONTENDED, Ordering::Acquire);
            if word & !CONTENDED == 0 {
                // Free: taken, still marked, for others may wait as well. Nobody else can: the word is not 0.
                self.word.store(me | CONTENDED, Ordering::Relaxed);
                return Ok(());
            }
            self.find_cycle(word & !CONTENDED, me, waits.as_ref())?;
            waits.get_or_insert_default().insert(me, Wait { lock: self });
            waits = self.freed.wait(waits).unwrap_or_else(PoisonError::into_inner);
            waits.get_or_insert_default().remove(&me);
        }
    }

    /// Whether the thread that is in waits, in the end, for this one.
    fn find_cycle(
        &self,
        mut owner: usize,
        me: usize,
        waits: Option<&HashMap<usize, Wait>>,
    ) -> Result<(), WouldDeadlock> {
        let mut way = Vec::new();
        while let Some(wait) = waits.and_then(|waits| waits.get(&owner)) {
            // SAFETY: the thread waits there, and keeps the lock until it has taken itself off the list.
            let lock = unsafe { &*wait.lock };
            owner = lock.word.load(Ordering::Acquire) & !CONTENDED;
            if owner == me {
                return Err(WouldDeadlock { wanted: self.name.clone(), between: way, held: lock.name.clone() });
            }
            if way.len() > waits.map_or(0, HashMap::len) {
                break; // a thread that was woken and has not got around to leaving the list
            }
            way.push(lock.name.clone());
        }
        Ok(())
    }
}
