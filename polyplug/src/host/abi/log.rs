//! The host's log, for bundles.

use std::panic::{AssertUnwindSafe, catch_unwind};

use polyplug_abi::LogLevel;

/// Writes to the host's log for a bundle.
pub(crate) fn write_log(level: LogLevel, bundle: &str, scope: &str, message: &str) {
    // A subscriber is the program's own code and may panic.
    let _ = catch_unwind(AssertUnwindSafe(|| emit(level, bundle, scope, message)));
}

/// One event of the `tracing` world; its target is `polyplug::plugin`.
fn emit(level: LogLevel, bundle: &str, scope: &str, message: &str) {
    macro_rules! event {
        ($level:ident) => {
            tracing::event!(target: "polyplug::plugin", tracing::Level::$level, bundle, scope, "{message}")
        };
    }
    match level {
        LogLevel::Error => event!(ERROR),
        LogLevel::Warn => event!(WARN),
        LogLevel::Info => event!(INFO),
        LogLevel::Debug => event!(DEBUG),
        _ => event!(TRACE),
    }
}
