//! A runtime that watches its bundles, and its events.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use polyplug::Runtime;
use polyplug::loader::BundleLoader;
use polyplug::watch::WatchOptions;
use polyplug_abi::{ReloadPhase, ReloadPhaseType};
use polyplug_native::NativeLoader;
use test_contracts::Stamp;

/// The time for which a bundle's files must not change in these tests.
pub const DEBOUNCE: Duration = Duration::from_millis(60);

/// The limit of a wait for an event that has to come.
const DEADLINE: Duration = Duration::from_secs(60);

/// The duration for which no event must come.
const QUIET: Duration = Duration::from_millis(600);

/// Returns options for tests in which all files become complete in the end.
pub fn patient() -> WatchOptions {
    WatchOptions::default().debounce(DEBOUNCE).patience(DEADLINE * 10)
}

/// Returns options for tests in which a file stays incomplete.
pub fn impatient() -> WatchOptions {
    WatchOptions::default().debounce(DEBOUNCE).patience(Duration::from_secs(1))
}

/// An event of the runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The phase of the reload.
    pub phase: ReloadPhaseType,
    /// The bundle's name.
    pub bundle: String,
    /// The reason of a failure.
    pub reason: String,
}

/// The events of a runtime, in order, except those of old versions.
pub struct Events(Receiver<Event>);

/// A function that is called with each event, before the test receives it.
pub type Hook = Box<dyn FnMut(&Event) + Send>;

/// Makes a runtime with hot reload, and returns its events. `hook` is called with each event, on the runtime's thread.
///
/// # Panics
///
/// If the runtime cannot be made.
#[must_use]
pub fn watched_runtime(hook: Hook) -> (Arc<Runtime>, Events) {
    watched_runtime_with(NativeLoader::new(), hook)
}

/// Does the same as [`watched_runtime`], with this loader.
///
/// # Panics
///
/// If the runtime cannot be made.
#[must_use]
pub fn watched_runtime_with(loader: impl BundleLoader + 'static, hook: Hook) -> (Arc<Runtime>, Events) {
    let (send, events) = mpsc::channel();
    let hook = Mutex::new(hook);
    let callback = move |_, phase: ReloadPhase| {
        let event = event(&phase);
        if matches!(event.phase, ReloadPhaseType::Preparing | ReloadPhaseType::Reloaded | ReloadPhaseType::Failed) {
            let mut hook = hook.lock().unwrap_or_else(PoisonError::into_inner);
            hook(&event);
            let _ = send.send(event); // under the lock: in the order of the calls
        }
    };
    let builder = Runtime::builder().loader(loader).hot_reload(true);
    (builder.on_reload(callback).build().expect("there is only one loader"), Events(events))
}

fn event(phase: &ReloadPhase) -> Event {
    let text = |text: polyplug_abi::StringView| {
        // SAFETY: the runtime's texts are valid during the callback.
        String::from_utf8_lossy(unsafe { text.bytes() }.expect("the runtime's texts are valid")).into_owned()
    };
    Event { phase: phase.phase_type, bundle: text(phase.bundle_name), reason: text(phase.reason) }
}

impl Events {
    /// Waits for the next event.
    ///
    /// # Panics
    ///
    /// If no event comes for a long time.
    #[track_caller]
    #[must_use]
    pub fn next(&self) -> Event {
        self.0.recv_timeout(DEADLINE).expect("something should happen")
    }

    /// Waits for the next events, which must be those of one reload of a bundle.
    ///
    /// # Panics
    ///
    /// If other events come, or none.
    #[track_caller]
    pub fn reloaded(&self, bundle: &str) {
        for phase in [ReloadPhaseType::Preparing, ReloadPhaseType::Reloaded] {
            let event = self.next();
            assert_eq!((event.phase, event.bundle.as_str()), (phase, bundle), "{event:?}");
        }
    }

    /// Waits for the next event, which must be a failed reload of a bundle, and returns the reason.
    ///
    /// # Panics
    ///
    /// If another event comes, or none.
    #[track_caller]
    #[must_use]
    pub fn failed(&self, bundle: &str) -> String {
        let event = self.next();
        assert_eq!((event.phase, event.bundle.as_str()), (ReloadPhaseType::Failed, bundle), "{event:?}");
        event.reason
    }

    /// Returns whether no event can come any more, because the runtime has ended.
    #[must_use]
    pub fn are_over(&self) -> bool {
        self.0.try_recv() == Err(TryRecvError::Disconnected)
    }

    /// Checks that no event comes for a while.
    ///
    /// # Panics
    ///
    /// If an event comes.
    #[track_caller]
    pub fn none(&self) {
        self.none_for(QUIET);
    }

    /// Checks that a runtime that has just begun to watch reloads nothing. From then on it acts only on notifications
    /// of the system.
    ///
    /// # Panics
    ///
    /// If an event comes.
    #[track_caller]
    pub fn none_at_first(&self) {
        self.none_for(QUIET / 4);
    }

    #[track_caller]
    fn none_for(&self, duration: Duration) {
        let event = self.0.recv_timeout(duration);
        assert_eq!(event, Err(RecvTimeoutError::Timeout));
    }
}

/// Threads that call a bundle all the time, also while it is reloaded.
pub struct Callers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<u64>>,
}

/// One call, which panics if the result is wrong.
pub type Call = Box<dyn FnMut() + Send>;

impl Callers {
    /// Starts a thread for each of `calls`.
    #[must_use]
    pub fn calling(calls: impl IntoIterator<Item = Call>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let start = |mut call: Call| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || {
                let mut count = 0;
                while !stop.load(Ordering::Relaxed) {
                    call();
                    count += 1;
                    std::thread::sleep(Duration::from_micros(100));
                }
                count
            })
        };
        Self { threads: calls.into_iter().map(start).collect(), stop }
    }

    /// Starts threads that call the plugin of `test.stamp`, which must answer as one of these versions.
    ///
    /// # Panics
    ///
    /// If there is no such plugin.
    #[must_use]
    pub fn start(runtime: &Runtime, versions: &'static [u32]) -> Self {
        Self::calling((0..2).map(|_| {
            let stamp = runtime.proxy::<dyn Stamp>().expect("something to call");
            let call = move || {
                let version = stamp.version().expect("a version answers at all times");
                assert!(versions.contains(&version), "{version}");
                let text = stamp.echo("x").expect("a version answers at all times");
                assert!(versions.iter().any(|version| text == format!("{version} x")), "{text}");
            };
            Box::new(call) as Call
        }))
    }

    /// Ends the calls.
    ///
    /// # Panics
    ///
    /// If a call failed.
    #[track_caller]
    pub fn stop(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in std::mem::take(&mut self.threads) {
            assert!(thread.join().expect("no call went wrong") > 0);
        }
    }
}

impl Drop for Callers {
    /// Ends the calls, and waits until none runs: the runtime may be dropped next.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // What went wrong has been printed, and this may be a thread that panics.
            let _ = thread.join();
        }
    }
}

/// Waits until `condition` holds.
///
/// # Panics
///
/// If it does not hold before the deadline.
#[track_caller]
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < deadline, "did not happen: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Writes a file as a slow tool does, in pieces.
///
/// # Panics
///
/// If it cannot be written.
pub fn write_slowly(file: &Path, contents: &[u8], pieces: usize, pause: Duration, reopen: bool) {
    use std::io::Write as _;
    let mut out = std::fs::File::create(file).expect("a file that can be written");
    for piece in contents.chunks(contents.len().div_ceil(pieces)) {
        out.write_all(piece).expect("space for a file");
        if reopen {
            out = std::fs::File::options().append(true).open(file).expect("a file that can be written");
        }
        std::thread::sleep(pause);
    }
}
