//! The reclaimer: whatever is queued is taken apart, once, by somebody, who holds no lock.

use super::{Event, join, spawn};
use crate::explore::explore;
use crate::host::version::module::Module;
use crate::host::version::reclaim::{Reclaimer, VersionResources};
use crate::sync::{Waits, end_waits, set_waits};

/// Remains whose end is `event`.
fn resources(event: &Event) -> VersionResources {
    let event = event.clone();
    let mut resources = VersionResources::default();
    resources.when_gone = Some(Box::new(move |_| event.happen()));
    resources
}

/// Remains are queued by a thread that does nothing else, while another collects, and after.
fn everything_queued_is_taken_apart(waits: Waits) {
    explore(move || {
        set_waits(waits);
        let reclaimer = Reclaimer::default();
        let events: [Event; 3] = Default::default();
        let giver = spawn({
            let (reclaimer, events) = (reclaimer.clone(), events.clone());
            move || {
                reclaimer.enqueue(resources(&events[0]));
                reclaimer.enqueue(resources(&events[1]));
            }
        });
        reclaimer.collecting(|| reclaimer.enqueue(resources(&events[2])));
        join(giver);
        events.iter().for_each(Event::wait);
        reclaimer.defer(end_waits);
    });
}

/// Where the thread's waits may end at any moment, and it with them.
pub fn everything_queued_is_taken_apart_by_a_thread_that_ends() {
    everything_queued_is_taken_apart(Waits::PassAnyTime);
}

/// Where only a notification ends the thread's waits.
pub fn everything_queued_is_taken_apart_by_a_thread_that_waits() {
    everything_queued_is_taken_apart(Waits::NeverPass);
}

/// Two givers, and the thread that is about to end.
pub fn a_thread_that_ends_leaves_nothing_behind() {
    explore(|| {
        let reclaimer = Reclaimer::default();
        let events: [Event; 2] = Default::default();
        let givers = events.clone().map(|event| {
            let reclaimer = reclaimer.clone();
            spawn(move || reclaimer.enqueue(resources(&event)))
        });
        givers.into_iter().for_each(join);
        events.iter().for_each(Event::wait);
    });
}

/// Two collect at a time, and each leaves something to the other.
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

/// Who finds nothing to be taken apart, nor somebody who does it, finds it done.
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

/// A library whose end drops the last lease on another.
struct Nested(Reclaimer, Event);

impl Module for Nested {
    fn close(self: Box<Self>) -> Option<String> {
        let Self(reclaimer, event) = *self;
        reclaimer.enqueue(resources(&event));
        None
    }
}

/// What is taken apart may leave more remains: no lock is held, whoever does it.
pub fn taking_apart_holds_no_lock() {
    explore(|| {
        let reclaimer = Reclaimer::default();
        let events: [Event; 4] = Default::default();
        let nested = |outer: &Event, inner: &Event| {
            let mut resources = resources(outer);
            resources.modules.push(Box::new(Nested(reclaimer.clone(), inner.clone())));
            resources
        };
        let giver = spawn({
            let (reclaimer, resources) = (reclaimer.clone(), nested(&events[0], &events[1]));
            move || reclaimer.enqueue(resources)
        });
        reclaimer.collecting(|| reclaimer.enqueue(nested(&events[2], &events[3])));
        join(giver);
        events.iter().for_each(Event::wait);
    });
}

/// What comes while the thread pushes the epoch collector on does not wait for the next push.
pub fn pushing_does_not_delay_what_comes() {
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
