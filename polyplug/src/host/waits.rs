//! The waits of threads for each other, by which a thread sees that a wait would never end before it waits.
//!
//! A thread waits for the lock of an engine, for a task that it gave to another thread, or for the change of a bundle.
//! Each wait leads to the thread that ends it. Before a thread waits, it follows the waits from there: if they lead back
//! to this thread, it gets an error in place of the wait. Waits that are not listed here, such as those in the code of
//! hosts and plugins, are not seen.

use std::collections::HashMap;
use std::fmt;

use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, thread_local};

/// The waits of all threads, by the marks of the threads. A wait begins and ends with the mutex held, so the list is
/// exact while the mutex is held. A thread that waits does not leave the engines that it is in.
static WAITS: LazyLock<Mutex<Waits>> = LazyLock::new(|| Mutex::new(Waits(HashMap::new())));

/// Locks the list of waits.
pub(crate) fn waits() -> MutexGuard<'static, Waits> {
    LazyLock::force(&WAITS).lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the mark of this thread: a multiple of 4, not 0, and different from the marks of other threads that exist.
#[inline]
pub(crate) fn mark() -> usize {
    thread_local! {
        static HERE: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
    }
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

/// The list of waits.
pub(crate) struct Waits(HashMap<usize, Wait>);

struct Wait {
    target: Target,
    /// The wait that the thread was in when this one began: a waiting thread may do other work meanwhile.
    outer: Option<Box<Wait>>,
}

/// The target of a wait.
pub(crate) enum Target {
    /// The owner of a lock, or any one of the owners of several. The waiting thread keeps the lock alive.
    Lock(*const dyn Lock),
    /// The thread that carries out a task.
    Task(Arc<Task>),
    /// The thread with the mark `changer`, which changes the bundle with the id `bundle` of the runtime `runtime`.
    Change { runtime: usize, bundle: u64, name: String, changer: usize },
}

// SAFETY: a lock is dereferenced only with the mutex of `WAITS` held. The entry is there only while its thread waits,
// and that thread keeps the lock alive. The other parts may be sent anyway.
unsafe impl Send for Target {}

/// A lock of an engine, or the locks of several engines of which a thread enters any one.
pub(crate) trait Lock {
    /// Returns the mark of the owner of the lock with this number, or 0 if it has no owner. Returns `None` if there are
    /// not so many locks. A wait ends when one of the owners leaves.
    fn owner(&self, number: usize) -> Option<usize>;

    /// Returns the name of the bundle whose engine the lock guards.
    fn bundle(&self) -> &str;
}

/// A task that one thread carries out while another waits for its end.
#[derive(Debug)]
pub(crate) struct Task {
    /// The mark of the thread that carries out the task; 0 before and afterwards.
    thread: AtomicUsize,
    what: String,
}

impl Task {
    /// Makes a task. `what` names the task in errors.
    pub(crate) fn new(what: String) -> Arc<Self> {
        Arc::new(Self { thread: AtomicUsize::new(0), what })
    }

    /// Runs `body`, which is the task, on this thread.
    pub(crate) fn run<R>(&self, body: impl FnOnce() -> R) -> R {
        struct Running<'a>(&'a Task);
        impl Drop for Running<'_> {
            fn drop(&mut self) {
                // Another thread may have the same mark after this one has ended.
                self.0.thread.store(0, Ordering::Release);
            }
        }
        self.thread.store(mark(), Ordering::Release);
        let _running = Running(self);
        body()
    }

    /// Marks this thread as one that waits for the end of the task, until the returned guard is dropped. Returns `None`
    /// if the thread that carries out the task waits for this one.
    pub(crate) fn awaiting(this: &Arc<Self>) -> Option<Awaiting> {
        let mut waits = waits();
        if waits.way(this.thread.load(Ordering::Acquire), mark()).is_some() {
            return None;
        }
        waits.begin(mark(), Target::Task(Arc::clone(this)));
        Some(Awaiting(()))
    }
}

/// The mark that this thread waits for a task, until dropped.
pub(crate) struct Awaiting(());

impl Drop for Awaiting {
    fn drop(&mut self) {
        waits().end(mark());
    }
}

/// One step on the way from a thread to another one that it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The lock of this bundle's engine.
    Lock(String),
    /// A task, or the change of a bundle.
    Task(String),
}

impl Waits {
    /// Adds a wait of a thread.
    pub(crate) fn begin(&mut self, thread: usize, target: Target) {
        let outer = self.0.remove(&thread).map(Box::new);
        self.0.insert(thread, Wait { target, outer });
    }

    /// Removes the latest wait of a thread, if it has one.
    pub(crate) fn end(&mut self, thread: usize) {
        if let Some(Wait { outer: Some(outer), .. }) = self.0.remove(&thread) {
            self.0.insert(thread, *outer);
        }
    }

    /// Turns the waits for the change of a bundle into waits for no thread, as the change has finished.
    pub(crate) fn finish_change(&mut self, runtime: usize, bundle: u64) {
        for mut wait in self.0.values_mut() {
            loop {
                if let Target::Change { runtime: of, bundle: changed, changer, .. } = &mut wait.target
                    && (*of, *changed) == (runtime, bundle)
                {
                    *changer = 0;
                }
                let Some(outer) = &mut wait.outer else { break };
                wait = outer;
            }
        }
    }

    /// Returns the way by which the thread `from` waits for the thread `to`, directly or through other threads, or
    /// `None` if it does not.
    pub(crate) fn way(&self, from: usize, to: usize) -> Option<Vec<Step>> {
        self.search(from, to, &mut Vec::new()).map(Way::into_steps)
    }

    /// Returns an error if the thread `me` would wait for `lock` without end: each owner is this thread, or waits for it
    /// directly or through other threads.
    pub(crate) fn find_cycle(&self, lock: &(dyn Lock + 'static), me: usize) -> Result<(), WouldDeadlock> {
        let Some(way) = self.all_lead(&Target::Lock(lock), me, &mut Vec::new()) else { return Ok(()) };
        Err(WouldDeadlock { wanted: lock.bundle().to_owned(), way: way.into_steps() })
    }

    /// Searches for a way as [`way`](Self::way) does. `path` are the threads that the search is at. A thread that is met
    /// again waits for itself, so it does not end the wait either.
    fn search(&self, from: usize, to: usize, path: &mut Vec<usize>) -> Option<Way> {
        let mut wait = Some(self.0.get(&from)?);
        if path.contains(&from) {
            return Some(Way { steps: Vec::new(), arrives: false });
        }
        path.push(from);
        let mut found = None;
        while let Some(Wait { target, outer }) = wait {
            if let Some(mut way) = self.all_lead(target, to, path) {
                way.steps.push(target.step());
                found = Some(way);
                break;
            }
            wait = outer.as_deref();
        }
        path.pop();
        found
    }

    /// Returns the way from one of the threads that could end a wait for `target` to the thread `to`, or `None` unless all
    /// of them are that thread or wait for it.
    fn all_lead(&self, target: &Target, to: usize, path: &mut Vec<usize>) -> Option<Way> {
        let mut found: Option<Way> = None;
        for next in (0..).map_while(|number| target.thread(number)) {
            let way = if next == to { Way { steps: Vec::new(), arrives: true } } else { self.search(next, to, path)? };
            if found.as_ref().is_none_or(|found| !found.arrives) {
                found = Some(way);
            }
        }
        found
    }
}

/// The steps from one thread to another one that it waits for.
struct Way {
    /// The steps, the last one first.
    steps: Vec<Step>,
    /// False if the steps end at a thread that they have passed before.
    arrives: bool,
}

impl Way {
    fn into_steps(mut self) -> Vec<Step> {
        self.steps.reverse();
        self.steps
    }
}

impl Target {
    /// Returns the mark of thread `number` of those of which any one ends the wait, or 0 if that thread is none. Returns
    /// `None` if there are not so many. The caller holds the mutex of `WAITS`.
    fn thread(&self, number: usize) -> Option<usize> {
        match self {
            // SAFETY: the waiting thread keeps the lock alive until it has removed its entry, which needs the mutex
            // that the caller holds.
            Self::Lock(lock) => unsafe { &**lock }.owner(number),
            Self::Task(task) => (number == 0).then(|| task.thread.load(Ordering::Acquire)),
            Self::Change { changer, .. } => (number == 0).then_some(*changer),
        }
    }

    fn step(&self) -> Step {
        match self {
            // SAFETY: the waiting thread keeps the lock alive until it has removed its entry, which needs the mutex
            // that the caller holds.
            Self::Lock(lock) => Step::Lock(unsafe { &**lock }.bundle().to_owned()),
            Self::Task(task) => Step::Task(task.what.clone()),
            Self::Change { name, .. } => Step::Task(format!("the change of bundle `{name}`")),
        }
    }
}

/// The error of a wait for an engine that would never end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) struct WouldDeadlock {
    /// The bundle that the thread wants to enter.
    wanted: String,
    /// The way from the thread in that bundle to this thread.
    way: Vec<Step>,
}

impl fmt::Display for WouldDeadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bundle `{}` is busy on a thread that waits ", self.wanted)?;
        let Some((last, between)) = self.way.split_last() else { return f.write_str("for this one") };
        for step in between {
            match step {
                Step::Lock(bundle) => write!(f, "for bundle `{bundle}`, whose thread waits ")?,
                Step::Task(what) => write!(f, "for {what}, whose thread waits ")?,
            }
        }
        match last {
            Step::Lock(held) => {
                write!(f, "for this one to leave bundle `{held}`: call one of them without being inside the other")
            }
            Step::Task(what) => write!(f, "for this one to finish {what}: do that after the call has returned"),
        }
    }
}
