//! A runtime that watches its bundles, and what it tells of them.

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

/// How long a bundle's files must be still in these tests.
pub const DEBOUNCE: Duration = Duration::from_millis(60);

/// For what has to happen.
const DEADLINE: Duration = Duration::from_secs(60);

/// For what must not happen.
const QUIET: Duration = Duration::from_millis(600);

/// Options for tests in which everything becomes whole in the end.
pub fn patient() -> WatchOptions {
    WatchOptions::default().debounce(DEBOUNCE).patience(DEADLINE * 10)
}

/// Options for tests in which something stays as it is.
pub fn impatient() -> WatchOptions {
    WatchOptions::default().debounce(DEBOUNCE).patience(Duration::from_secs(1))
}

/// Something that the runtime told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What happened.
    pub phase: ReloadPhaseType,
    /// To which bundle.
    pub bundle: String,
    /// Why.
    pub reason: String,
}

/// What a runtime tells, in order, but for what becomes of old versions.
pub struct Events(Receiver<Told>);

/// Something to be done when the runtime tells something, before the test hears of it.
pub type Hook = Box<dyn FnMut(&Told) + Send>;

/// A runtime with hot reload, and what it tells. `hook` is called with each event, on the thread that tells it.
///
/// # Panics
///
/// If the runtime cannot be made.
#[must_use]
pub fn watched_runtime(hook: Hook) -> (Arc<Runtime>, Events) {
    watched_runtime_with(NativeLoader::new(), hook)
}

/// As [`watched_runtime`], with this loader.
///
/// # Panics
///
/// If the runtime cannot be made.
#[must_use]
pub fn watched_runtime_with(loader: impl BundleLoader + 'static, hook: Hook) -> (Arc<Runtime>, Events) {
    let (send, events) = mpsc::channel();
    let hook = Mutex::new(hook);
    let callback = move |_, phase: ReloadPhase| {
        let told = told(&phase);
        if matches!(told.phase, ReloadPhaseType::Preparing | ReloadPhaseType::Reloaded | ReloadPhaseType::Failed) {
            let mut hook = hook.lock().unwrap_or_else(PoisonError::into_inner);
            hook(&told);
            let _ = send.send(told); // under the lock: in the order of the calls
        }
    };
    let builder = Runtime::builder().loader(loader).hot_reload(true);
    (builder.on_reload(callback).build().expect("one loader has no rival"), Events(events))
}

fn told(phase: &ReloadPhase) -> Told {
    let text = |text: polyplug_abi::StringView| {
        // SAFETY: the runtime's texts are valid during the callback.
        String::from_utf8_lossy(unsafe { text.bytes() }.expect("the runtime's texts are valid")).into_owned()
    };
    Told { phase: phase.phase_type, bundle: text(phase.bundle_name), reason: text(phase.reason) }
}

impl Events {
    /// The next event.
    ///
    /// # Panics
    ///
    /// If none comes for a long time.
    #[track_caller]
    #[must_use]
    pub fn next(&self) -> Told {
        self.0.recv_timeout(DEADLINE).expect("something should happen")
    }

    /// The next events must be those of one reload of a bundle.
    ///
    /// # Panics
    ///
    /// If they are others, or do not come.
    #[track_caller]
    pub fn reloaded(&self, bundle: &str) {
        for phase in [ReloadPhaseType::Preparing, ReloadPhaseType::Reloaded] {
            let told = self.next();
            assert_eq!((told.phase, told.bundle.as_str()), (phase, bundle), "{told:?}");
        }
    }

    /// The next event must tell that a bundle was not reloaded; the reason.
    ///
    /// # Panics
    ///
    /// If it is another, or does not come.
    #[track_caller]
    #[must_use]
    pub fn failed(&self, bundle: &str) -> String {
        let told = self.next();
        assert_eq!((told.phase, told.bundle.as_str()), (ReloadPhaseType::Failed, bundle), "{told:?}");
        told.reason
    }

    /// Whether nobody is left who could tell anything.
    #[must_use]
    pub fn are_over(&self) -> bool {
        self.0.try_recv() == Err(TryRecvError::Disconnected)
    }

    /// Nothing must happen for a while.
    ///
    /// # Panics
    ///
    /// If something does.
    #[track_caller]
    pub fn none(&self) {
        self.none_for(QUIET);
    }

    /// A runtime that has just begun to watch must find nothing to do; and from then on it only knows what it is told.
    ///
    /// # Panics
    ///
    /// If it finds something.
    #[track_caller]
    pub fn none_at_first(&self) {
        self.none_for(QUIET / 4);
    }

    #[track_caller]
    fn none_for(&self, duration: Duration) {
        let told = self.0.recv_timeout(duration);
        assert_eq!(told, Err(RecvTimeoutError::Timeout));
    }
}

/// Threads that call a bundle all the time, whatever happens to it.
pub struct Callers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<u64>>,
}

/// One call, which panics if something is wrong.
pub type Call = Box<dyn FnMut() + Send>;

impl Callers {
    /// Begins to call, each on a thread of its own.
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

    /// Begins to call the plugins of `test.stamp`, which must answer as one of these versions.
    ///
    /// # Panics
    ///
    /// If there are none.
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
    /// If one went wrong.
    #[track_caller]
    pub fn stop(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in std::mem::take(&mut self.threads) {
            assert!(thread.join().expect("no call went wrong") > 0);
        }
    }
}

impl Drop for Callers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Waits until `condition` holds.
///
/// # Panics
///
/// If it does not.
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
        out.write_all(piece).expect("room for a file");
        if reopen {
            out = std::fs::File::options().append(true).open(file).expect("a file that can be written");
        }
        std::thread::sleep(pause);
    }
}
