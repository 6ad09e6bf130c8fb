//! The observation of calls: counts, latencies and spans.
//!
//! - [`Observers`](observers::Observers): whether a runtime observes calls, and the counters of its plugins
//! - [`Observer`](observer::Observer): what stands between callers and the methods of one plugin
//! - [`Counters`](counters::Counters): the counts and latencies of one method
//! - [`Metrics`](metrics::Metrics), [`Histogram`](histogram::Histogram): what a host reads
//!
//! Invariant: an observed plugin differs from any other by its table alone, whose functions are those of the observer. So
//! calls of plugins that are not observed cost nothing more, and every way of a call is observed: those of typed proxies, of
//! dynamic calls, of other plugins and of the C ABI.

pub(crate) mod counters;
pub(crate) mod histogram;
pub(crate) mod metrics;
pub(crate) mod observer;
pub(crate) mod observers;
