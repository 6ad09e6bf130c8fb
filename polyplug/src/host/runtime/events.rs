//! The subscribers of a runtime's events.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::event::Event;
use crate::guest::{catch, describe_panic};
use crate::host::abi::log::report;

/// A function that is called for each event.
pub(crate) type OnEvent = dyn Fn(&Event) + Send + Sync;

/// The subscribers of a runtime's events, in the order of subscription.
#[derive(Default)]
pub(crate) struct Events(Mutex<Vec<Arc<Subscriber>>>);

/// A function that is called for each event until it is unsubscribed.
pub(crate) struct Subscriber {
    is_subscribed: AtomicBool,
    call: Box<OnEvent>,
}

impl Events {
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Subscriber>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a subscriber, which is called for the events from now on.
    pub(crate) fn subscribe(&self, call: Box<OnEvent>) -> Weak<Subscriber> {
        let subscriber = Arc::new(Subscriber { is_subscribed: AtomicBool::new(true), call });
        let weak = Arc::downgrade(&subscriber);
        self.lock().push(subscriber);
        weak
    }

    /// Removes a subscriber. A call of it that runs on another thread finishes.
    fn unsubscribe(&self, subscriber: &Arc<Subscriber>) {
        subscriber.is_subscribed.store(false, Ordering::Release);
        let mut subscribers = self.lock();
        let index = subscribers.iter().position(|other| Arc::ptr_eq(other, subscriber));
        let removed = index.map(|index| subscribers.remove(index));
        drop(subscribers);
        drop(removed); // code of the host may run, which must not find the lock held
    }

    /// Returns whether no subscriber needs events.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Calls the subscribers. The caller must not hold a lock of the runtime.
    pub(crate) fn emit(&self, event: &Event) {
        // A copy, so that a subscriber may subscribe and unsubscribe.
        let subscribers = self.lock().clone();
        for subscriber in subscribers {
            if !subscriber.is_subscribed.load(Ordering::Acquire) {
                continue;
            }
            if let Err(payload) = catch(|| (subscriber.call)(event)) {
                // The event has happened, so a panic of a subscriber cannot prevent it.
                let (bundle, panic) = (&event.bundle.name, describe_panic(payload));
                report!(ERROR, target: "polyplug::events", bundle = bundle, "a subscriber of events panicked at `{event}`: {panic}");
            }
        }
    }
}

/// A subscription to the events of a runtime. From [`Runtime::on_event`](crate::Runtime::on_event).
///
/// Dropping the value ends the subscription: no call of the function begins afterwards. The drop does not wait for a
/// call that runs on another thread. [`detach`](Self::detach) keeps the subscription for the runtime's life.
#[must_use = "the subscription ends when this value is dropped: keep it, or call `detach`"]
pub struct EventSubscription {
    events: Weak<Events>,
    subscriber: Weak<Subscriber>,
}

impl EventSubscription {
    pub(crate) fn new(events: &Arc<Events>, subscriber: Weak<Subscriber>) -> Self {
        Self { events: Arc::downgrade(events), subscriber }
    }

    /// Keeps the subscription for the runtime's life.
    pub fn detach(mut self) {
        self.subscriber = Weak::new();
    }
}

impl Drop for EventSubscription {
    fn drop(&mut self) {
        if let (Some(events), Some(subscriber)) = (self.events.upgrade(), self.subscriber.upgrade()) {
            events.unsubscribe(&subscriber);
        }
    }
}

impl fmt::Debug for EventSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSubscription").field("is_active", &(self.subscriber.strong_count() > 0)).finish()
    }
}
