//! The contract of a plugin that writes to the host's log with the crates `tracing` and `log`.

/// Implemented by a plugin.
#[polyplug::contract(name = "test.logs", version = "1.0")]
pub trait Logs {
    /// Emits two events of `tracing`.
    fn event(&self, user: &str);
    /// Writes a record of `log`.
    fn record(&self, user: &str);
    /// Does both on another thread.
    fn events_on_a_thread(&self, user: &str);
    /// Emits an event in a span.
    fn in_a_span(&self, user: &str);
    /// Writes a message of each crate at the level `debug`; how often the argument of the event was evaluated.
    fn evaluated_at_debug(&self) -> u32;
}
