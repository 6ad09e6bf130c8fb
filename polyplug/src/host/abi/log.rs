//! The host's log, for bundles.

use std::panic::{AssertUnwindSafe, catch_unwind};

use polyplug_abi::LogLevel;

/// Writes to the host's log for a bundle.
pub(crate) fn write_log(level: LogLevel, bundle: &str, scope: &str, message: &str) {
    // A subscriber is code of the program, which may panic.
    let _ = catch_unwind(AssertUnwindSafe(|| emit(level, bundle, scope, message)));
}

/// Emits one event of `tracing` with the target `polyplug::plugin`.
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
