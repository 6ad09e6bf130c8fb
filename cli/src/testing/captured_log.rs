//! The log of the bundles, which is kept for each test and shown if the test fails.

use std::sync::{Mutex, PoisonError};

use log::{LevelFilter, Log, Metadata, Record};

/// A logger that keeps the messages.
struct CapturedLog(Mutex<Vec<String>>);

static LOG: CapturedLog = CapturedLog(Mutex::new(Vec::new()));

/// The target of the warnings about dependencies that no bundle provides. The test bundle depends on the bundle under test,
/// which is loaded later.
const DEPENDENCIES: &str = "polyplug::compatibility";

impl Log for CapturedLog {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() != DEPENDENCIES
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let level = match record.level() {
                log::Level::Error => "error: ",
                log::Level::Warn => "warning: ",
                _ => "",
            };
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{level}{}", record.args()));
        }
    }

    fn flush(&self) {}
}

/// Begins to keep the messages of all bundles.
pub(crate) fn start() {
    if log::set_logger(&LOG).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}

/// Returns the messages since the last call.
pub(crate) fn take() -> Vec<String> {
    std::mem::take(&mut *LOG.0.lock().unwrap_or_else(PoisonError::into_inner))
}
