//! Events of the crate `tracing`, sent to the host's log.

use std::fmt::{Debug, Write as _};
use std::num::NonZeroU64;

use polyplug_abi::LogLevel;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};

use super::host_log;

/// The subscriber that sends events to the host. Spans are not recorded.
///
/// The global default of the library uses no thread-local, so the library can be unmapped.
struct ToHost;

/// Makes the subscriber the global default of this library, unless there is one.
///
/// `tracing` keeps a default for ever: when the library is unmapped, some 50 bytes stay allocated.
pub(super) fn install() {
    let _ = tracing::dispatcher::set_global_default(Dispatch::new(ToHost));
}

fn level_of(level: &Level) -> LogLevel {
    match *level {
        Level::ERROR => LogLevel::Error,
        Level::WARN => LogLevel::Warn,
        Level::INFO => LogLevel::Info,
        Level::DEBUG => LogLevel::Debug,
        Level::TRACE => LogLevel::Trace,
    }
}

impl Subscriber for ToHost {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        // The host's level may change at any time.
        if metadata.is_event() { Interest::sometimes() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && host_log::is_enabled(level_of(metadata.level()))
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = EventText::default();
        event.record(&mut text);
        let EventText { message, fields } = text;
        let text = if message.is_empty() { fields.trim_start().to_owned() } else { message + &fields };
        let metadata = event.metadata();
        host_log::write(level_of(metadata.level()), metadata.target(), &text);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_non_zero_u64(NonZeroU64::MIN)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The text of an event: its message, then each field as ` key=value`.
#[derive(Default)]
struct EventText {
    message: String,
    fields: String,
}

impl Visit for EventText {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a `String` fails only if `value` says so, and then the text ends there.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
