//! Taking apart what is no longer used, at a time and place where that is safe.
//!
//! Dropping the last lease of a version may happen anywhere: in an epoch closure, on a plugin's own thread with the
//! plugin's frames below. So it only puts the remains here. They are taken apart by whoever is collecting, or else
//! by a thread of the runtime's own, which is started when first needed and ends when idle.

use std::any::Any;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::provider::SharedInstance;

/// What is left of a version that nobody uses any more.
#[derive(Default)]
pub(super) struct Remains {
    /// Instances that served everybody; ended first, for they need the code.
    pub(super) instances: Vec<SharedInstance>,
    /// Libraries, engines: the code itself, in the order it was loaded.
    pub(super) modules: Vec<Box<dyn Any + Send + Sync>>,
    /// The host's table that the code was given.
    pub(super) context: Option<Arc<super::context::HostContext>>,
}

impl Drop for Remains {
    fn drop(&mut self) {
        for instance in self.instances.drain(..) {
            drop(instance);
        }
        while let Some(module) = self.modules.pop() {
            drop(module);
        }
        drop(self.context.take());
    }
}

/// How long the thread waits for more before it ends.
const LINGER: Duration = Duration::from_millis(500);

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
}

impl Reclaimer {
    /// Leaves `remains` to be taken apart. Does nothing else: any lock may be held, any frames be below.
    pub(super) fn enqueue(self: &Arc<Self>, remains: Remains) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.queue.push(remains);
        if state.collecting > 0 {
            return;
        }
        if state.thread {
            drop(state);
            self.more.notify_one();
            return;
        }
        state.thread = true;
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
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let queue = std::mem::take(&mut state.queue);
            if !queue.is_empty() {
                drop(state);
                drop(queue);
                state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let (next, waited) = self.more.wait_timeout(state, LINGER).unwrap_or_else(PoisonError::into_inner);
            state = next;
            if waited.timed_out() && state.queue.is_empty() {
                state.thread = false;
                return;
            }
        }
    }
}
