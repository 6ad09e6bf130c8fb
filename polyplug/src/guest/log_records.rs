//! Records of the crate `log`, sent to the host's log.

use log::{Level, LevelFilter, Log, Metadata, Record};
use polyplug_abi::LogLevel;

use super::host_log;

/// The logger that sends records to the host.
struct ToHost;

/// Makes the logger that of this library, unless there is one.
pub(super) fn install() {
    if log::set_logger(&ToHost).is_ok() {
        // The host's level may change at any time.
        log::set_max_level(LevelFilter::Trace);
    }
}

fn level_of(level: Level) -> LogLevel {
    match level {
        Level::Error => LogLevel::Error,
        Level::Warn => LogLevel::Warn,
        Level::Info => LogLevel::Info,
        Level::Debug => LogLevel::Debug,
        Level::Trace => LogLevel::Trace,
    }
}

impl Log for ToHost {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        host_log::is_enabled(level_of(metadata.level()))
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            host_log::write(level_of(record.level()), record.target(), &record.args().to_string());
        }
    }

    fn flush(&self) {}
}
