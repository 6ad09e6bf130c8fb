//! The records of versions that no longer serve.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use super::bundles::Loaded;
use super::event::{Event, EventKind, Operation};
use super::events::Events;
use super::info::BundleInfo;
use super::report::{Holder, Lingering, held_by};
use crate::host::abi::log::report;
use crate::host::store::provider::Provider;
use crate::host::version::module::Remains;
use crate::host::version::version::BundleVersion;

/// The status of a retired version: empty until the version is reclaimed, then `None`, or what remains of the version's
/// code.
type ReclaimStatus = OnceLock<Option<Remains>>;

/// The record of a version that no longer serves. Holds no lease on the version.
#[derive(Clone)]
pub(crate) struct Retired {
    version: Weak<BundleVersion>,
    providers: Vec<Weak<Provider>>,
    end: Arc<End>,
}

/// The end of a retired version, which the thread that reclaims the version records.
struct End {
    /// The version as it was when it was retired.
    about: BundleInfo,
    /// The operation that retired the version.
    operation: Operation,
    status: ReclaimStatus,
    order: Mutex<Order>,
}

/// The order of the events of a version's end, which come from two threads: the one that retires the version and the
/// one that reclaims it.
#[derive(Default)]
struct Order {
    /// True while the thread that retired the version emits the event that the version is held.
    is_emitting: bool,
    /// The event of the reclaiming, which the emitting thread emits afterwards.
    pending: Option<Event>,
}

impl End {
    fn order(&self) -> MutexGuard<'_, Order> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn event(&self, kind: EventKind) -> Event {
        Event::new(self.about.clone(), kind, self.operation, true)
    }

    /// Records that the version is reclaimed, and emits the event.
    fn record(&self, remains: Option<Remains>, events: &Events) {
        let kind = match &remains {
            None => EventKind::Reclaimed,
            Some(Remains { reason, threads, .. }) => {
                report!(WARN, bundle = &self.about.name, "the code of a retired version stays in memory: {reason}");
                let (reason, threads) = (reason.clone(), threads.clone());
                EventKind::StillMapped { reason, holders: Vec::new(), threads, reclaimed: true }
            }
        };
        let mut order = self.order();
        let _ = self.status.set(remains);
        if order.is_emitting {
            order.pending = Some(self.event(kind));
            return;
        }
        drop(order);
        if !events.is_empty() {
            events.emit(&self.event(kind));
        }
    }
}

impl Retired {
    /// Makes the record of a version that `operation` is about to retire. `about` describes the version.
    pub(crate) fn new(loaded: &Loaded, about: BundleInfo, operation: Operation) -> Self {
        let (holders, threads) = (Vec::new(), Vec::new()); // those of its end are not those of now
        let about = BundleInfo { holders, threads, ..about };
        Self {
            version: Arc::downgrade(&loaded.version),
            providers: loaded.providers.iter().map(Arc::downgrade).collect(),
            end: Arc::new(End { about, operation, status: OnceLock::new(), order: Mutex::default() }),
        }
    }

    /// Returns the description of the version when it was retired, without its holders.
    pub(crate) fn about(&self) -> &BundleInfo {
        &self.end.about
    }

    /// Returns the function to call when the version is reclaimed, which emits the event.
    pub(crate) fn when_gone(&self, events: Arc<Events>) -> impl FnOnce(Option<Remains>) + Send + Sync + 'static {
        let end = Arc::clone(&self.end);
        move |remains| end.record(remains, &events)
    }

    /// Emits the event that the version is not reclaimed yet, if that is so. The event of the reclaiming comes
    /// afterwards.
    pub(crate) fn emit_held(&self, events: &Events) {
        if events.is_empty() {
            return;
        }
        let mut order = self.end.order();
        if self.end.status.get().is_some() {
            return;
        }
        order.is_emitting = true;
        drop(order);
        let (holders, threads) = (self.holders(), self.threads());
        let reason = match held_by(&holders, &threads) {
            Some(holders) => format!("held by {holders}"),
            None if self.is_held() => "calls that are running, or readers, have not finished".to_owned(),
            None => "its code has not ended yet".to_owned(),
        };
        events.emit(&self.end.event(EventKind::StillMapped { reason, holders, threads, reclaimed: false }));
        let mut order = self.end.order();
        order.is_emitting = false;
        let pending = order.pending.take();
        drop(order);
        if let Some(event) = pending {
            events.emit(&event);
        }
    }

    /// Returns the status of a reclaimed version: `None`, or what remains of its code. Returns no status if the version
    /// is not reclaimed yet.
    pub(crate) fn status(&self) -> Option<&Option<Remains>> {
        self.end.status.get()
    }

    /// Returns whether a lease on the version exists.
    pub(crate) fn is_held(&self) -> bool {
        self.version.strong_count() > 0
    }

    /// Returns the known leases on the version.
    pub(crate) fn holders(&self) -> Vec<Holder> {
        self.providers.iter().filter_map(Weak::upgrade).flat_map(|provider| holders_of(&provider)).collect()
    }

    /// Returns the names of the version's threads that have not ended.
    pub(crate) fn threads(&self) -> Vec<String> {
        self.version.upgrade().map(|version| version.threads().names()).unwrap_or_default()
    }

    /// Returns whether the version is reclaimed, and nothing remains of its code. Runs code of the version's loader.
    pub(crate) fn is_gone(&self) -> bool {
        match self.status() {
            None => false,
            Some(remains) => !remains.as_ref().is_some_and(Remains::are_there),
        }
    }

    /// Returns whether this is another record of the same version.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.end, &other.end)
    }

    /// Returns the report of a version that is not gone.
    pub(crate) fn lingering(&self) -> Lingering {
        let (id, bundle) = (self.about().id, self.about().name.clone());
        let (holders, mut threads) = (self.holders(), self.threads());
        let remains = self.status().cloned().flatten();
        let still_mapped = remains.map(|remains| {
            threads.extend(remains.threads);
            remains.reason
        });
        Lingering { id, bundle, holders, threads, still_mapped }
    }
}

/// Returns the known leases on a provider.
pub(crate) fn holders_of(provider: &Provider) -> Vec<Holder> {
    let contract = &provider.plugin.contract;
    let sites = provider.leases().sites().into_iter();
    sites.map(|(site, count)| Holder { contract: contract.clone(), site, count }).collect()
}
