//! The counts and latencies of calls, as a host reads them.

use std::fmt;

use super::histogram::Histogram;

/// The counts and latencies of the calls of a runtime's plugins. From [`Runtime::metrics`](crate::Runtime::metrics).
///
/// The [`Display`](fmt::Display) is a table with a line for each method.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Metrics {
    /// The methods, in the order of bundles, contracts and methods.
    pub methods: Vec<MethodMetrics>,
}

/// The counts and latencies of the calls of one method.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MethodMetrics {
    /// The name of the bundle.
    pub bundle: String,
    /// The contract, such as `demo.calculator@1`.
    pub contract: String,
    /// The method's name, or its number after `#` for a plugin without a schema.
    pub method: String,
    /// The number of calls that have ended.
    pub calls: u64,
    /// The number of these calls that failed with a [`CallError`](crate::CallError). An error that the contract declares is
    /// an answer, and not counted here.
    pub errors: u64,
    /// The times that the calls took in the plugin. What a proxy does before and after is not part of them.
    pub latency: Histogram,
}

impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> =
            self.methods.iter().map(|each| format!("{} {}.{}", each.bundle, each.contract, each.method)).collect();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max("method".len());
        write!(f, "{:width$} {:>10} {:>8} {:>10} {:>10} {:>10}", "method", "calls", "errors", "50 %", "99 %", "mean")?;
        for (name, each) in names.iter().zip(&self.methods) {
            let MethodMetrics { calls, errors, latency, .. } = each;
            let [half, most, mean] =
                [latency.percentile(50.0), latency.percentile(99.0), latency.mean()].map(|time| format!("{time:.1?}"));
            write!(f, "\n{name:width$} {calls:>10} {errors:>8} {half:>10} {most:>10} {mean:>10}")?;
        }
        Ok(())
    }
}
