//! The host's log: messages of bundles, and the runtime's own about them.
//!
//! Messages are events of `tracing`. Where this thread has no subscriber that would receive them, they go to the logger of
//! the crate `log` if the program has installed one, and to standard error otherwise.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use polyplug_abi::LogLevel;
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::NoSubscriber;

use super::stderr;

/// The most verbose level that is written to standard error.
const STDERR_LEVEL: LogLevel = LogLevel::Info;

/// Writes to the host's log for a bundle.
pub(crate) fn write_log(level: LogLevel, bundle: &str, scope: &str, message: &str) {
    // A subscriber is code of the program, which may panic.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        if has_subscriber() {
            emit(level, bundle, scope, message);
        } else if scope.is_empty() {
            write_elsewhere(level, TARGET, bundle, format_args!("{message}"));
        } else {
            write_elsewhere(level, TARGET, bundle, format_args!("{scope}: {message}"));
        }
    }));
}

/// Writes a message of the runtime's own to the host's log: `report!(WARN, bundle = name, "reload failed: {error}")`. The
/// message may be about no bundle.
macro_rules! report {
    ($level:ident, target: $target:expr, bundle = $bundle:expr, $($message:tt)+) => {{
        let bundle: &str = $bundle;
        if $crate::host::abi::log::has_subscriber() {
            ::tracing::event!(target: $target, ::tracing::Level::$level, bundle, $($message)+);
        } else {
            let level = $crate::host::abi::log::level_of(::tracing::Level::$level);
            $crate::host::abi::log::write_elsewhere(level, $target, bundle, format_args!($($message)+));
        }
    }};
    ($level:ident, bundle = $bundle:expr, $($message:tt)+) => {
        $crate::host::abi::log::report!($level, target: module_path!(), bundle = $bundle, $($message)+)
    };
    ($level:ident, $($message:tt)+) => {{
        if $crate::host::abi::log::has_subscriber() {
            ::tracing::event!(::tracing::Level::$level, $($message)+);
        } else {
            let level = $crate::host::abi::log::level_of(::tracing::Level::$level);
            $crate::host::abi::log::write_elsewhere(level, module_path!(), "", format_args!($($message)+));
        }
    }};
}
pub(crate) use report;

/// Returns the most verbose level that the log takes at present, or `None` if it takes none.
pub(crate) fn max_level() -> Option<LogLevel> {
    if has_subscriber() {
        return LevelFilter::current().into_level().map(level_of);
    }
    Some(match log::max_level() {
        log::LevelFilter::Off => STDERR_LEVEL,
        log::LevelFilter::Error => LogLevel::Error,
        log::LevelFilter::Warn => LogLevel::Warn,
        log::LevelFilter::Info => LogLevel::Info,
        log::LevelFilter::Debug => LogLevel::Debug,
        log::LevelFilter::Trace => LogLevel::Trace,
    })
}

/// Returns whether a subscriber receives the events of this thread.
///
/// `tracing::dispatcher::has_been_set` does not say that: it is true as soon as another thread has a subscriber of its own.
pub(crate) fn has_subscriber() -> bool {
    tracing::dispatcher::get_default(|dispatch| !dispatch.is::<NoSubscriber>())
}

pub(crate) fn level_of(level: Level) -> LogLevel {
    match level {
        Level::ERROR => LogLevel::Error,
        Level::WARN => LogLevel::Warn,
        Level::INFO => LogLevel::Info,
        Level::DEBUG => LogLevel::Debug,
        Level::TRACE => LogLevel::Trace,
    }
}

/// The target of the messages of bundles.
const TARGET: &str = "polyplug::plugin";

/// Emits one event of `tracing` for a bundle.
fn emit(level: LogLevel, bundle: &str, scope: &str, message: &str) {
    macro_rules! event {
        ($level:ident) => {
            tracing::event!(target: TARGET, tracing::Level::$level, bundle, scope, "{message}")
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

/// Writes a message that no subscriber would receive, to the program's logger or to standard error.
#[cold]
pub(crate) fn write_elsewhere(level: LogLevel, target: &str, bundle: &str, message: fmt::Arguments<'_>) {
    let name = if bundle.is_empty() { "polyplug" } else { bundle };
    // The logger is code of the program, which may panic.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        if log::max_level() != log::LevelFilter::Off {
            log::log!(target: target, record_level(level), "[{name}] {message}");
        } else if level.0 <= STDERR_LEVEL.0 {
            stderr::write_lines(&lines(level, name, &message.to_string()));
        }
    }));
}

fn record_level(level: LogLevel) -> log::Level {
    match level {
        LogLevel::Error => log::Level::Error,
        LogLevel::Warn => log::Level::Warn,
        LogLevel::Info => log::Level::Info,
        LogLevel::Debug => log::Level::Debug,
        _ => log::Level::Trace,
    }
}

/// Returns a message as whole lines, each of which begins with a name. The first line has the level of warnings and errors.
fn lines(level: LogLevel, name: &str, message: &str) -> String {
    let shown_level = match level {
        LogLevel::Error => "error: ",
        LogLevel::Warn => "warning: ",
        _ => "",
    };
    let mut lines = String::with_capacity(name.len() + message.len() + 16);
    let mut rest = message.strip_suffix('\n').unwrap_or(message).split('\n');
    let first = rest.next().unwrap_or_default();
    for (level, line) in std::iter::once((shown_level, first)).chain(rest.map(|line| ("", line))) {
        for part in ["[", name, "] ", level, line.strip_suffix('\r').unwrap_or(line), "\n"] {
            lines.push_str(part);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_begins_with_the_name() {
        assert_eq!(lines(LogLevel::Info, "calc", "ready"), "[calc] ready\n");
        assert_eq!(lines(LogLevel::Info, "calc", ""), "[calc] \n");
        assert_eq!(lines(LogLevel::Info, "calc", "a\n"), "[calc] a\n");
        assert_eq!(lines(LogLevel::Warn, "calc", "a\r\n\nb"), "[calc] warning: a\n[calc] \n[calc] b\n");
        assert_eq!(lines(LogLevel::Error, "calc", "a\nb\n"), "[calc] error: a\n[calc] b\n");
    }
}
