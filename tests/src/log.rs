//! Listening to the host's log.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// How serious it is.
    pub level: Level,
    /// The bundle it came from.
    pub bundle: String,
    /// Its text.
    pub message: String,
}

/// Runs `body` and gives what plugins wrote to the log of this thread meanwhile.
pub fn logged<R>(body: impl FnOnce() -> R) -> (R, Vec<Logged>) {
    let recorder = Recorder::default();
    let messages = Arc::clone(&recorder.0);
    let result = tracing::subscriber::with_default(recorder, body);
    let messages = std::mem::take(&mut *messages.lock().unwrap_or_else(PoisonError::into_inner));
    (result, messages)
}

#[derive(Default)]
struct Recorder(Arc<Mutex<Vec<Logged>>>);

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "polyplug::plugin"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let logged = Logged { level: *event.metadata().level(), bundle: fields.bundle, message: fields.message };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(logged);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Fields {
    bundle: String,
    message: String,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "bundle" {
            value.clone_into(&mut self.bundle);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            write!(self.message, "{value:?}").expect("a String takes any text");
        }
    }
}
