//! Taking apart what is no longer used, at a time and place where that is safe.
//!
//! Dropping the last lease of a version may happen anywhere: in an epoch closure, on a plugin's own thread with the
//! plugin's frames below. So it only puts the remains here. They are taken apart by whoever is collecting, or else
//! by a thread of the runtime's own, which is started when first needed and ends when idle.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::context::HostContext;
use super::loader::Module;
use super::provider::SharedInstance;
use crate::guest::{catch, describe_panic};

/// Told what keeps a version's code in memory after it was taken apart.
pub(super) type WhenGone = Box<dyn FnOnce(Option<&str>) + Send + Sync>;

/// What is left of a version that nobody uses any more. Dropping it takes it apart.
#[derive(Default)]
pub(super) struct Remains {
    /// Instances that served everybody; ended first, for they need the code.
    pub(super) instances: Vec<SharedInstance>,
    /// Libraries, engines: the code itself, in the order it was loaded.
    pub(super) modules: Vec<Box<dyn Module>>,
    /// The host's table that the code was given.
    pub(super) context: Option<Arc<HostContext>>,
    /// Told at the end, with what keeps the code in memory all the same.
    pub(super) when_gone: Option<WhenGone>,
}

impl Drop for Remains {
    fn drop(&mut self) {
        for instance in self.instances.drain(..) {
            drop(instance);
        }
        let mut still_there = None;
        while let Some(module) = self.modules.pop() {
            // A loader's code may panic; what is left must go all the same.
            let closed = catch(|| module.close()).unwrap_or_else(|payload| Some(describe_panic(payload)));
            still_there = closed.or(still_there);
        }
        drop(self.context.take());
        if let Some(then) = self.when_gone.take() {
            then(still_there.as_deref());
        }
    }
}

/// How long the thread waits for more before it ends.
const LINGER: Duration = Duration::from_millis(500);

/// How long the thread pushes the epoch collector on, for readers that hold a pin when a bundle is unloaded.
const PUSHING: Duration = Duration::from_secs(5);

type Job = Box<dyn FnOnce() + Send>;

/// The queue of remains.
#[derive(Default)]
pub(super) struct Reclaimer {
    state: Mutex<State>,
    more: Condvar,
}

#[derive(Default)]
struct State {
    queue: Vec<Remains>,
    /// Threads that are collecting and will empty the queue.
    collecting: usize,
    /// Whether the runtime's own thread runs.
    thread: bool,
    /// Until when that thread pushes the epoch collector on.
    push_until: Option<Instant>,
    /// What plugins asked for that cannot be done on a thread with their frames on it.
    jobs: VecDeque<Job>,
}

impl Reclaimer {
    /// Leaves `remains` to be taken apart. Does nothing else: any lock may be held, any frames be below.
    pub(super) fn enqueue(self: &Arc<Self>, remains: Remains) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.queue.push(remains);
        if state.collecting == 0 {
            self.wake(state);
        }
    }

    /// Pushes the epoch collector on for a while: nothing else does when a pin ends, and what a reader might have held
    /// would stay.
    pub(super) fn push_epochs(self: &Arc<Self>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.push_until = Some(Instant::now() + PUSHING);
        self.wake(state);
    }

    /// Does something later, on the runtime's own thread, in the order of asking.
    pub(super) fn later(self: &Arc<Self>, job: impl FnOnce() + Send + 'static) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.jobs.push_back(Box::new(job));
        self.wake(state);
    }

    /// Sees to it that the thread runs and looks.
    fn wake(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        if std::mem::replace(&mut state.thread, true) {
            drop(state);
            self.more.notify_one();
            return;
        }
        drop(state);
        let this = Arc::clone(self);
        let thread = std::thread::Builder::new().name("polyplug-reclaim".to_owned());
        if let Err(error) = thread.spawn(move || this.run()) {
            // Without a thread the remains wait for the next collection.
            tracing::warn!(%error, "the reclaiming thread could not be started");
            self.state.lock().unwrap_or_else(PoisonError::into_inner).thread = false;
        }
    }

    /// Runs `body`, then takes apart what has gathered meanwhile, on this thread.
    pub(super) fn collecting<R>(self: &Arc<Self>, body: impl FnOnce() -> R) -> R {
        struct Collecting<'a>(&'a Reclaimer);
        impl Drop for Collecting<'_> {
            fn drop(&mut self) {
                loop {
                    let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
                    let queue = std::mem::take(&mut state.queue);
                    if queue.is_empty() {
                        state.collecting -= 1;
                        return;
                    }
                    drop(state); // remains run foreign code, which must not find the lock held
                    drop(queue);
                }
            }
        }
        self.state.lock().unwrap_or_else(PoisonError::into_inner).collecting += 1;
        let guard = Collecting(self);
        let result = body();
        drop(guard);
        result
    }

    fn run(&self) {
        let mut wait = Duration::from_millis(1);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let queue = std::mem::take(&mut state.queue);
            if !queue.is_empty() {
                drop(state);
                drop(queue);
                state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                if let Err(payload) = catch(job) {
                    tracing::error!(panic = describe_panic(payload), "something a plugin asked for panicked");
                }
                state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            state.push_until = state.push_until.filter(|until| Instant::now() < *until);
            let pushing = state.push_until.is_some();
            if pushing {
                drop(state);
                crossbeam_epoch::pin().flush();
                state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                wait = (wait * 2).min(Duration::from_millis(100));
            }
            let wait = if pushing { wait } else { LINGER };
            let (next, waited) = self.more.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner);
            state = next;
            let idle = state.queue.is_empty() && state.jobs.is_empty() && state.push_until.is_none();
            if waited.timed_out() && !pushing && idle {
                state.thread = false;
                return;
            }
        }
    }
}
