//! Messages of an engine's own.

use polyplug_abi::LogLevel;

use crate::host::abi::log::write_log;

/// Writes a message that belongs to no bundle to the host's log. [`Guest::log`](crate::engine::Guest::log) writes a
/// bundle's messages.
pub fn log_message(level: LogLevel, message: &str) {
    write_log(level, "", "", message);
}
