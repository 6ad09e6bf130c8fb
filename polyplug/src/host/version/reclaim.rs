//! Taking apart what is no longer used, at a time and place where that is safe.
//!
//! Dropping the last lease of a version may happen anywhere: in an epoch closure, on a plugin's own thread with the
//! plugin's frames below. So it only puts the remains here. They are taken apart by whoever is collecting, or else
//! by a thread of the runtime's own, which is started when first needed and ends when idle.

use std::collections::VecDeque;
use std::time::Duration;

use super::module::Module;
use crate::guest::{catch, describe_panic};
use crate::host::abi::table::HostTable;
use crate::host::plugin::instance::SharedInstance;
use crate::sync::{Arc, Condvar, Instant, Mutex, MutexGuard, PoisonError, thread};

/// Told what keeps a version's code in memory after it was taken apart.
pub(crate) type WhenGone = Box<dyn FnOnce(Option<&str>) + Send + Sync>;

/// What is left of a version that nobody uses any more. Dropping it takes it apart.
#[derive(Default)]
pub(crate) struct VersionResources {
    /// Instances that served everybody; ended first, for they need the code.
    pub(crate) instances: Vec<SharedInstance>,
    /// Libraries, engines: the code itself, in the order it was loaded.
    pub(crate) modules: Vec<Box<dyn Module>>,
    /// The host's table that the code was given.
    pub(crate) table: Option<HostTable>,
    /// Told at the end, with what keeps the code in memory all the same.
    pub(crate) when_gone: Option<WhenGone>,
}

impl Drop for VersionResources {
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
        drop(self.table.take());
        if let Some(then) = self.when_gone.take() {
            then(still_there.as_deref());
        }
    }
}

/// How long the thread waits for more before it ends.
const IDLE_TIMEOUT: Duration = Duration::from_millis(500);

/// How long the thread pushes the epoch collector on, for readers that hold a pin when a bundle is unloaded.
const PUSHING: Duration = Duration::from_secs(5);

type Job = Box<dyn FnOnce() + Send>;

/// The queue of remains. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Reclaimer(Arc<Queue>);

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    more: Condvar,
}

#[derive(Default)]
struct State {
    queue: Vec<VersionResources>,
    /// Threads that are taking remains apart.
    busy: Vec<thread::ThreadId>,
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
    /// Leaves `resources` to be taken apart. Does nothing else: any lock may be held, any frames be below.
    pub(crate) fn enqueue(&self, resources: VersionResources) {
        let mut state = self.0.lock();
        state.queue.push(resources);
        if state.collecting == 0 {
            self.wake(state);
        }
    }

    /// Pushes the epoch collector on for a while: nothing else does when a pin ends, and what a reader might have held
    /// would stay.
    pub(crate) fn push_epochs(&self) {
        let mut state = self.0.lock();
        state.push_until = Some(Instant::now() + PUSHING);
        self.wake(state);
    }

    /// Does something later, on the runtime's own thread, in the order of asking.
    pub(crate) fn defer(&self, job: impl FnOnce() + Send + 'static) {
        let mut state = self.0.lock();
        state.jobs.push_back(Box::new(job));
        self.wake(state);
    }

    /// Sees to it that the thread runs and looks.
    fn wake(&self, mut state: MutexGuard<'_, State>) {
        if std::mem::replace(&mut state.thread, true) {
            drop(state);
            self.0.more.notify_one();
            return;
        }
        drop(state);
        let queue = Arc::clone(&self.0);
        let thread = thread::Builder::new().name("polyplug-reclaim".to_owned());
        if let Err(error) = thread.spawn(move || queue.run()) {
            // Without a thread the remains wait for the next collection.
            tracing::warn!(%error, "the reclaiming thread could not be started");
            self.0.lock().thread = false;
        }
    }

    /// Takes apart what has gathered, on this thread: for one that is collecting and has to wait.
    pub(crate) fn collect(&self) {
        let mut state = self.0.lock();
        let queue = std::mem::take(&mut state.queue);
        drop(self.0.reclaim_all(state, queue));
    }

    /// Whether this thread is taking remains apart.
    pub(crate) fn is_reclaiming(&self) -> bool {
        let this_thread = thread::current().id();
        self.0.lock().busy.contains(&this_thread)
    }

    /// Whether nothing is left to be taken apart, nor being taken apart by another thread.
    pub(crate) fn is_idle(&self) -> bool {
        let this_thread = thread::current().id();
        let state = self.0.lock();
        state.queue.is_empty() && state.busy.iter().all(|thread| *thread == this_thread)
    }

    /// Runs `body`, then takes apart what has gathered meanwhile, on this thread.
    pub(crate) fn collecting<R>(&self, body: impl FnOnce() -> R) -> R {
        struct Collecting<'a>(&'a Queue);
        impl Drop for Collecting<'_> {
            fn drop(&mut self) {
                let mut state = self.0.lock();
                loop {
                    let queue = std::mem::take(&mut state.queue);
                    if queue.is_empty() {
                        state.collecting -= 1;
                        return;
                    }
                    state = self.0.reclaim_all(state, queue);
                }
            }
        }
        self.0.lock().collecting += 1;
        let guard = Collecting(&self.0);
        let result = body();
        drop(guard);
        result
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes remains apart without the lock: they run foreign code, which must not find it held.
    fn reclaim_all<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        queue: Vec<VersionResources>,
    ) -> MutexGuard<'a, State> {
        let this_thread = thread::current().id();
        state.busy.push(this_thread);
        drop(state);
        drop(queue);
        let mut state = self.lock();
        let place = state.busy.iter().rposition(|thread| *thread == this_thread).expect("pushed above");
        state.busy.swap_remove(place);
        state
    }

    fn run(&self) {
        let mut wait = Duration::from_millis(1);
        let mut state = self.lock();
        loop {
            let queue = std::mem::take(&mut state.queue);
            if !queue.is_empty() {
                state = self.reclaim_all(state, queue);
                continue;
            }
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                if let Err(payload) = catch(job) {
                    tracing::error!(panic = describe_panic(payload), "something a plugin asked for panicked");
                }
                state = self.lock();
                continue;
            }
            state.push_until = state.push_until.filter(|until| Instant::now() < *until);
            let pushing = state.push_until.is_some();
            if pushing {
                drop(state);
                crossbeam_epoch::pin().flush();
                state = self.lock();
                if !state.queue.is_empty() || !state.jobs.is_empty() {
                    continue; // nobody waited when that was told
                }
                wait = (wait * 2).min(Duration::from_millis(100));
            }
            let wait = if pushing { wait } else { IDLE_TIMEOUT };
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
