//! Whether a runtime observes calls, and the counters of its plugins.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use polyplug_abi::{GuestContractInterface, VmLoaderData};

use super::counters::Counters;
use super::metrics::{MethodMetrics, Metrics};
use super::observer::{Names, Observer};

/// Whether a runtime observes calls, and the counters of its plugins.
#[derive(Default)]
pub(crate) struct Observers {
    pub(crate) counts: bool,
    pub(crate) spans: bool,
    known: Mutex<Vec<Known>>,
}

/// The counters of a method. They live as long as a version of the bundle that counts with them.
struct Known {
    bundle: String,
    contract: String,
    method: String,
    counters: Weak<Counters>,
}

impl Observers {
    /// Returns whether calls are observed at all.
    pub(crate) fn is_on(&self) -> bool {
        self.counts || self.spans
    }

    /// Makes the observer of a plugin, and the table that takes the place of the plugin's own. A new version of a bundle goes
    /// on with the counts of the old one.
    ///
    /// # Safety
    ///
    /// Registration must have checked the interface. Its functions must stay valid as long as the new table is used, and
    /// the observer must live as long.
    pub(crate) unsafe fn observe(
        &self,
        interface: &GuestContractInterface,
        loader_data: VmLoaderData,
        names: Names,
    ) -> (Arc<Observer>, GuestContractInterface) {
        let counters = if self.counts { self.counters(&names) } else { Vec::new() };
        // SAFETY: the caller promises the interface.
        let observer = Arc::new(unsafe { Observer::new(interface, loader_data, names, counters, self.spans) });
        let table = observer.table(interface);
        (observer, table)
    }

    fn counters(&self, names: &Names) -> Vec<Arc<Counters>> {
        let Names { bundle, contract, methods } = names;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|each| each.counters.strong_count() > 0);
        let of_method = |method: &String| {
            let is_same =
                |each: &&Known| each.bundle == *bundle && each.contract == *contract && each.method == *method;
            if let Some(counters) = known.iter().find(is_same).and_then(|each| each.counters.upgrade()) {
                return counters;
            }
            let made = Arc::new(Counters::default());
            let counters = Arc::downgrade(&made);
            let (bundle, contract, method) = (bundle.clone(), contract.clone(), method.clone());
            known.push(Known { bundle, contract, method, counters });
            made
        };
        methods.iter().map(of_method).collect()
    }

    /// Returns the counts and latencies so far.
    pub(crate) fn metrics(&self) -> Metrics {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let alive = known.iter().filter_map(|each| Some((each, each.counters.upgrade()?)));
        let mut methods: Vec<_> = alive
            .map(|(each, counters)| {
                let latency = counters.latency();
                MethodMetrics {
                    bundle: each.bundle.clone(),
                    contract: each.contract.clone(),
                    method: each.method.clone(),
                    calls: latency.count(),
                    errors: counters.errors(),
                    latency,
                }
            })
            .collect();
        // Stable: the methods of a plugin stay in their order.
        methods.sort_by(|a, b| (&a.bundle, &a.contract).cmp(&(&b.bundle, &b.contract)));
        Metrics { methods }
    }
}
