//! Reclaims the resources of versions that are no longer used, on a thread where that is safe.
//!
//! The last lease of a version may be dropped anywhere: in an epoch closure, or on a plugin's own thread with the
//! plugin's frames below. So the drop only queues the version's resources here. A thread that is collecting reclaims
//! them, or else a thread of the runtime's own, which is started when first needed and ends when idle.

use std::collections::VecDeque;
use std::time::Duration;

use super::module::{Module, Remains};
use super::unload::Unload;
use crate::guest::{catch, describe_panic};
use crate::host::abi::log::report;
use crate::host::abi::table::HostTable;
use crate::host::plugin::instance::SharedInstance;
use crate::sync::{Arc, Condvar, Instant, Mutex, MutexGuard, PoisonError, thread};

/// A callback for a reclaimed version. Its argument is what remains of the version's code, if something does.
pub(crate) type WhenGone = Box<dyn FnOnce(Option<Remains>) + Send + Sync>;

/// The resources of a version. Dropping the resources reclaims them.
#[derive(Default)]
pub(crate) struct VersionResources {
    /// The instances that all callers shared, destroyed first, as they need the code.
    pub(crate) instances: Vec<SharedInstance>,
    /// The functions for the unload, which run once the instances are destroyed.
    pub(crate) unload: Option<Unload>,
    /// The libraries and engines, which are the code itself, in the order of loading.
    pub(crate) modules: Vec<Box<dyn Module>>,
    /// The host's table that the code received.
    pub(crate) table: Option<HostTable>,
    /// The callback that is called last.
    pub(crate) when_gone: Option<WhenGone>,
}

impl Drop for VersionResources {
    fn drop(&mut self) {
        if let Some(unload) = self.unload.take() {
            return unload.run_before(std::mem::take(self));
        }
        for instance in self.instances.drain(..) {
            drop(instance);
        }
        let mut remains = None;
        while let Some(module) = self.modules.pop() {
            // A loader's code may panic, and the other modules must be closed all the same.
            let closed = catch(|| module.close()).unwrap_or_else(|payload| Some(describe_panic(payload).into()));
            remains = closed.or(remains);
        }
        drop(self.table.take());
        if let Some(then) = self.when_gone.take() {
            then(remains);
        }
    }
}

/// The time that the idle thread waits for more resources before it ends.
const IDLE_TIMEOUT: Duration = Duration::from_millis(500);

/// The time for which the thread advances the epoch collector, for readers that hold a pin when a bundle is unloaded.
const PUSHING: Duration = Duration::from_secs(5);

type Job = Box<dyn FnOnce() + Send>;

/// The queue of resources to reclaim. Clones share the queue.
#[derive(Clone, Default)]
pub(crate) struct Reclaimer(Arc<Queue>);

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    /// Notified when the runtime's own thread has more to do.
    more: Condvar,
    /// Notified when a thread has reclaimed resources.
    reclaimed: Condvar,
}

#[derive(Default)]
struct State {
    queue: Vec<VersionResources>,
    /// The threads that are reclaiming resources.
    busy: Vec<thread::ThreadId>,
    /// The number of threads that are collecting and will empty the queue.
    collecting: usize,
    /// `true` while the runtime's own thread runs.
    thread: bool,
    /// The time until which that thread advances the epoch collector.
    push_until: Option<Instant>,
    /// The jobs of plugins that cannot run on a thread with the plugins' frames.
    jobs: VecDeque<Job>,
}

impl Reclaimer {
    /// Queues `resources` to be reclaimed. Does nothing else, so the caller may hold any lock and have any frames
    /// below.
    pub(crate) fn enqueue(&self, resources: VersionResources) {
        let mut state = self.0.lock();
        state.queue.push(resources);
        if state.collecting == 0 {
            self.wake(state);
        }
    }

    /// Advances the epoch collector for a while. Nothing else does so after a pin ends, and objects that a reader might
    /// have held would stay in memory.
    pub(crate) fn push_epochs(&self) {
        let mut state = self.0.lock();
        state.push_until = Some(Instant::now() + PUSHING);
        self.wake(state);
    }

    /// Runs `job` later, on the runtime's own thread, in the order of the calls.
    pub(crate) fn defer(&self, job: impl FnOnce() + Send + 'static) {
        let mut state = self.0.lock();
        state.jobs.push_back(Box::new(job));
        self.wake(state);
    }

    /// Starts the thread, or notifies it if it runs.
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
            // Without a thread the resources wait for the next collection.
            report!(WARN, "the reclaiming thread could not be started: {error}");
            self.0.lock().thread = false;
        }
    }

    /// Reclaims the queued resources on this thread, which is collecting and has to wait.
    pub(crate) fn collect(&self) {
        let mut state = self.0.lock();
        let queue = std::mem::take(&mut state.queue);
        drop(self.0.reclaim_all(state, queue));
    }

    /// Returns whether this thread is reclaiming resources.
    pub(crate) fn is_reclaiming(&self) -> bool {
        let this_thread = thread::current().id();
        self.0.lock().busy.contains(&this_thread)
    }

    /// Returns whether no resources are queued, and no other thread is reclaiming any.
    pub(crate) fn is_idle(&self) -> bool {
        let this_thread = thread::current().id();
        let state = self.0.lock();
        state.queue.is_empty() && state.busy.iter().all(|thread| *thread == this_thread)
    }

    /// Waits until another thread has made `done` true by reclaiming resources, but at most for `timeout`. Does not wait
    /// on a thread that is reclaiming, as other threads may wait for that thread.
    pub(crate) fn wait_for_others(&self, timeout: Duration, done: impl Fn() -> bool) {
        let this_thread = thread::current().id();
        let deadline = Instant::now() + timeout;
        let mut state = self.0.lock();
        while !done() && !state.busy.contains(&this_thread) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.0.reclaimed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Runs `body`, then reclaims the resources that were queued meanwhile, on this thread.
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

    /// Reclaims `queue` without the lock, as foreign code runs, which must not find the lock held.
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
        let index = state.busy.iter().rposition(|thread| *thread == this_thread).expect("pushed above");
        state.busy.swap_remove(index);
        self.reclaimed.notify_all();
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
                    report!(ERROR, "something a plugin asked for panicked: {}", describe_panic(payload));
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
                    continue; // no thread waited when these were queued
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
