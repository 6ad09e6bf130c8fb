//! What a native plugin writes with the crates `tracing` and `log` is in the host's log, and the library can be unmapped
//! all the same.

use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use polyplug::Runtime;
use polyplug_native::NativeLoader;
use polyplug_tests::{Bundle, mapped_below};
use test_contracts::logs::Logs;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// A message of a bundle: its level, bundle, scope and text.
type Message = (Level, String, String, String);

static MESSAGES: Mutex<Vec<Message>> = Mutex::new(Vec::new());
static TAKES_DEBUG: AtomicBool = AtomicBool::new(false);

struct Listener;

#[derive(Default)]
struct Fields {
    bundle: String,
    scope: String,
    message: String,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = match field.name() {
            "message" => &mut self.message,
            _ => return,
        };
        write!(text, "{value:?}").unwrap();
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "bundle" => value.clone_into(&mut self.bundle),
            "scope" => value.clone_into(&mut self.scope),
            _ => {}
        }
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "polyplug::plugin"
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(if TAKES_DEBUG.load(Ordering::Relaxed) { LevelFilter::DEBUG } else { LevelFilter::INFO })
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let Fields { bundle, scope, message } = fields;
        MESSAGES.lock().unwrap().push((*event.metadata().level(), bundle, scope, message));
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// One test at a time has the log.
fn listening() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    static ONCE: Once = Once::new();
    let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    ONCE.call_once(|| tracing::subscriber::set_global_default(Listener).unwrap());
    MESSAGES.lock().unwrap().clear();
    one
}

fn messages() -> Vec<Message> {
    std::mem::take(&mut MESSAGES.lock().unwrap())
}

fn message(level: Level, scope: &str, text: &str) -> Message {
    (level, "logs".to_owned(), scope.to_owned(), text.to_owned())
}

#[test]
fn events_and_records_reach_the_host() {
    let _listening = listening();
    let bundle = Bundle::native("logs", "plugin-logs");
    let runtime = Runtime::builder().loader(NativeLoader::new()).build().unwrap();
    let id = runtime.load_bundle(bundle.path()).unwrap();
    let logs = runtime.proxy::<dyn Logs>().unwrap();
    let expected = |user: &str| {
        [
            message(Level::INFO, "plugin_logs", &format!("logged in user={user:?} count=3")),
            message(Level::ERROR, "plugin_logs::special", "ready=true"),
            message(Level::WARN, "plugin_logs", &format!("{user} is late")),
        ]
    };
    logs.event("ann").unwrap();
    logs.record("ann").unwrap();
    assert_eq!(messages(), expected("ann"));
    // On a thread that ends: starting a thread leaves a thread-local of the library's standard library behind. A scope waits for
    // what the thread does, and `join` for the end of its thread-locals as well.
    std::thread::scope(|scope| scope.spawn(|| logs.events_on_a_thread("bob").unwrap()).join().unwrap());
    assert_eq!(messages(), expected("bob"));
    logs.in_a_span("eve").unwrap();
    assert_eq!(messages(), [message(Level::INFO, "plugin_logs", "inside")]);
    drop(logs);
    let report = runtime.unload_bundle(id).unwrap();
    assert_eq!(messages(), [message(Level::INFO, "plugin_logs", "goodbye")]);
    assert!(report.reclaimed, "no thread-local keeps the library: {report}");
    if cfg!(target_os = "linux") {
        assert_eq!(mapped_below(bundle.path()), [""; 0]);
    }
}

#[test]
fn messages_that_the_host_does_not_take_are_not_made() {
    let _listening = listening();
    let bundle = Bundle::native("logs", "plugin-logs");
    let runtime = Runtime::builder().loader(NativeLoader::new()).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    let logs = runtime.proxy::<dyn Logs>().unwrap();
    assert_eq!(logs.evaluated_at_debug(), Ok(0));
    assert_eq!(messages(), []);
    TAKES_DEBUG.store(true, Ordering::Relaxed);
    tracing::callsite::rebuild_interest_cache();
    assert_eq!(logs.evaluated_at_debug(), Ok(1), "the level may change at any time");
    let taken = [message(Level::DEBUG, "plugin_logs", "event 1"), message(Level::DEBUG, "plugin_logs", "record")];
    assert_eq!(messages(), taken);
    TAKES_DEBUG.store(false, Ordering::Relaxed);
    tracing::callsite::rebuild_interest_cache();
    assert_eq!(logs.evaluated_at_debug(), Ok(0));
}

/// Both runtimes run the same library, which has one list of hosts.
#[test]
fn events_reach_a_host_that_is_left() {
    let _listening = listening();
    let bundle = Bundle::native("logs", "plugin-logs");
    let runtimes = [(); 2].map(|()| Runtime::builder().loader(NativeLoader::new()).build().unwrap());
    for runtime in &runtimes {
        runtime.load_bundle(bundle.path()).unwrap();
    }
    let [first, second] = runtimes;
    drop(second);
    assert_eq!(messages(), [message(Level::INFO, "plugin_logs", "goodbye")]);
    first.proxy::<dyn Logs>().unwrap().record("ann").unwrap();
    assert_eq!(messages(), [message(Level::WARN, "plugin_logs", "ann is late")]);
    drop(first);
    assert_eq!(messages(), [message(Level::INFO, "plugin_logs", "goodbye")]);
}
