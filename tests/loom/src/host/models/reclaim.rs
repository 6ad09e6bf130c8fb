//! The reclaimer: all queued resources are reclaimed, once, by a thread that holds no lock.

use std::time::Duration;

use super::{Event, join, spawn};
use crate::explore::explore;
use crate::host::version::module::{Module, Remains};
use crate::host::version::reclaim::{Reclaimer, VersionResources};
use crate::sync::{Waits, end_waits, set_waits};

/// Makes resources whose end is `event`.
fn resources(event: &Event) -> VersionResources {
    let event = event.clone();
    let mut resources = VersionResources::default();
    resources.when_gone = Some(Box::new(move |_| event.happen()));
    resources
}

/// Resources are queued by a thread that does nothing else, while another thread collects, and afterwards.
fn all_queued_resources_are_reclaimed(waits: Waits) {
    explore(move || {
        set_waits(waits);
        let reclaimer = Reclaimer::default();
        let events: [Event; 3] = Default::default();
        let queuer = spawn({
            let (reclaimer, events) = (reclaimer.clone(), events.clone());
            move || {
                reclaimer.enqueue(resources(&events[0]));
                reclaimer.enqueue(resources(&events[1]));
            }
        });
        reclaimer.collecting(|| reclaimer.enqueue(resources(&events[2])));
        join(queuer);
        events.iter().for_each(Event::wait);
        reclaimer.defer(end_waits);
    });
}

/// The same where the thread's waits may end at any moment, and the thread with them.
pub fn all_queued_resources_are_reclaimed_by_a_thread_that_ends() {
    all_queued_resources_are_reclaimed(Waits::PassAnyTime);
}

/// The same where only a notification ends the thread's waits.
pub fn all_queued_resources_are_reclaimed_by_a_thread_that_waits() {
    all_queued_resources_are_reclaimed(Waits::NeverPass);
}

/// Two threads queue resources while the reclaimer's thread is about to end.
pub fn a_thread_that_ends_leaves_nothing_behind() {
    explore(|| {
        let reclaimer = Reclaimer::default();
        let events: [Event; 2] = Default::default();
        let queuers = events.clone().map(|event| {
            let reclaimer = reclaimer.clone();
            spawn(move || reclaimer.enqueue(resources(&event)))
        });
        queuers.into_iter().for_each(join);
        events.iter().for_each(Event::wait);
    });
}

/// Two threads collect at the same time, and each leaves resources to the other.
pub fn collectors_leave_nothing_behind() {
    explore(|| {
        let reclaimer = Reclaimer::default();
        let events: [Event; 3] = Default::default();
        let other = spawn({
            let (reclaimer, event) = (reclaimer.clone(), events[0].clone());
            move || reclaimer.collecting(|| reclaimer.enqueue(resources(&event)))
        });
        reclaimer.collecting(|| reclaimer.enqueue(resources(&events[1])));
        reclaimer.enqueue(resources(&events[2]));
        join(other);
        events.iter().for_each(Event::wait);
    });
}

/// When the queue is empty and no thread is reclaiming, all resources that were queued before are reclaimed.
pub fn an_idle_reclaimer_is_done() {
    explore(|| {
        let reclaimer = Reclaimer::default();
        let event = Event::default();
        reclaimer.enqueue(resources(&event));
        if reclaimer.is_idle() {
            assert!(*event.lock(), "what was queued before is done");
        }
        event.wait();
    });
}

/// A thread that waits for resources which another thread reclaims is notified.
pub fn a_wait_for_others_ends_when_they_are_done() {
    explore(|| {
        set_waits(Waits::NeverPass);
        let reclaimer = Reclaimer::default();
        let event = Event::default();
        reclaimer.enqueue(resources(&event));
        reclaimer.wait_for_others(Duration::from_secs(1), || *event.lock());
        assert!(*event.lock(), "the wait ends when the resources are reclaimed");
        reclaimer.defer(end_waits);
    });
}

/// A library whose end drops the last lease on another library.
struct Nested(Reclaimer, Event);

impl Module for Nested {
    fn close(self: Box<Self>) -> Option<Remains> {
        let Self(reclaimer, event) = *self;
        reclaimer.enqueue(resources(&event));
        None
    }
}

/// Reclaiming may queue more resources: no lock is held meanwhile, on any thread.
pub fn reclaiming_holds_no_lock() {
    explore(|| {
        let reclaimer = Reclaimer::default();
        let events: [Event; 4] = Default::default();
        let nested = |outer: &Event, inner: &Event| {
            let mut resources = resources(outer);
            resources.modules.push(Box::new(Nested(reclaimer.clone(), inner.clone())));
            resources
        };
        let queuer = spawn({
            let (reclaimer, resources) = (reclaimer.clone(), nested(&events[0], &events[1]));
            move || reclaimer.enqueue(resources)
        });
        reclaimer.collecting(|| reclaimer.enqueue(nested(&events[2], &events[3])));
        join(queuer);
        events.iter().for_each(Event::wait);
    });
}

/// What comes while the thread pushes the epoch collector on does not wait for the next push.
pub fn pushing_does_not_delay_new_work() {
    explore(|| {
        set_waits(Waits::NeverPass);
        let reclaimer = Reclaimer::default();
        let event = Event::default();
        reclaimer.push_epochs();
        reclaimer.enqueue(resources(&event));
        event.wait();
        reclaimer.defer(end_waits);
    });
}

/// What is asked for is done, in the order of asking.
pub fn jobs_are_done_in_order() {
    explore(|| {
        set_waits(Waits::NeverPass);
        let reclaimer = Reclaimer::default();
        let [first, second]: [Event; 2] = Default::default();
        reclaimer.defer({
            let first = first.clone();
            move || first.happen()
        });
        reclaimer.defer({
            let second = second.clone();
            move || {
                first.wait();
                second.happen();
            }
        });
        second.wait();
        reclaimer.defer(end_waits);
    });
}
