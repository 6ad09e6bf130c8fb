//! Reading the host's log.

use std::cell::RefCell;
use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// The level of the message.
    pub level: Level,
    /// The bundle that wrote the message.
    pub bundle: String,
    /// Its text.
    pub message: String,
}

thread_local! {
    /// The messages of plugins on this thread, while [`logged`] runs.
    static MESSAGES: RefCell<Option<Vec<Logged>>> = const { RefCell::new(None) };
}

/// Runs `body` and returns the messages that plugins, or the runtime about signatures and files, wrote on this thread meanwhile.
///
/// # Panics
///
/// If the program has another subscriber.
pub fn logged<R>(body: impl FnOnce() -> R) -> (R, Vec<Logged>) {
    listen();
    MESSAGES.set(Some(Vec::new()));
    let result = body();
    (result, MESSAGES.take().expect("calls of this function are not nested"))
}

/// The messages of plugins on any thread, while a test reads them.
static EVERYWHERE: Mutex<Option<Vec<Logged>>> = Mutex::new(None);

/// Does the same as [`logged`], for messages of any thread of the process.
///
/// # Panics
///
/// If the program has another subscriber, or another test does the same at the same time.
pub fn logged_anywhere<R>(body: impl FnOnce() -> R) -> (R, Vec<Logged>) {
    listen();
    let before = everywhere().replace(Vec::new());
    assert_eq!(before, None, "one test at a time");
    let result = body();
    let messages = everywhere().take();
    (result, messages.expect("put there above"))
}

fn everywhere() -> MutexGuard<'static, Option<Vec<Logged>>> {
    EVERYWHERE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sets the program's subscriber, before the first message: a thread that is just writing may miss one that is set
/// later.
pub(crate) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Listener).expect("the tests have no other subscriber"));
}

struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let names = ["plugin", "signature", "compatibility", "files", "events"];
        let target = metadata.target().strip_prefix("polyplug::");
        target.is_some_and(|target| names.contains(&target))
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
        if let Some(everywhere) = everywhere().as_mut() {
            everywhere.push(logged.clone());
        }
        MESSAGES.with_borrow_mut(|messages| messages.as_mut().map(|messages| messages.push(logged)));
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
