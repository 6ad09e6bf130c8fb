//! The counts and latencies of the calls of plugins.
//!
//! - [`Metrics`]: what [`Runtime::metrics`](crate::Runtime::metrics) returns
//! - [`MethodMetrics`]: the counts of one method
//! - [`Histogram`]: the times of its calls

pub use crate::host::observe::histogram::Histogram;
pub use crate::host::observe::metrics::{MethodMetrics, Metrics};
