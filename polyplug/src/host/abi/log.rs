//! The host's log, for bundles.

use std::panic::{AssertUnwindSafe, catch_unwind};

use polyplug_abi::LogLevel;
use tracing::Level;
use tracing::level_filters::LevelFilter;

/// Writes to the host's log for a bundle.
pub(crate) fn write_log(level: LogLevel, bundle: &str, scope: &str, message: &str) {
    // A subscriber is code of the program, which may panic.
    let _ = catch_unwind(AssertUnwindSafe(|| emit(level, bundle, scope, message)));
}

/// Returns the most verbose level that the program's subscriber takes at present, or `None` if it takes none.
pub(crate) fn max_level() -> Option<LogLevel> {
    Some(match LevelFilter::current().into_level()? {
        Level::ERROR => LogLevel::Error,
        Level::WARN => LogLevel::Warn,
        Level::INFO => LogLevel::Info,
        Level::DEBUG => LogLevel::Debug,
        Level::TRACE => LogLevel::Trace,
    })
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
