//! Threads that plugins start through their context: known by name, told to end, joined or reported, and never without
//! the code that they run.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use polyplug::{BundleId, PluginContext, Runtime};
use polyplug_native::NativeLoader;
use polyplug_tests::{Bundle, eventually, logged_anywhere, mapped_below, runtime};
use test_contracts::moody::Moody;

/// Starts threads.
#[polyplug::contract(name = "test.spawner", version = "1.0")]
trait Spawner {
    /// One that ends when it is told to.
    fn well_behaved(&self, name: &str);
    /// One that ends when [`release`] lets it.
    fn stubborn(&self, name: &str);
    /// Whether its version is retired.
    fn is_retired(&self) -> bool;
}

struct Threads(PluginContext);

impl Threads {
    fn new(context: &PluginContext) -> Result<Self, String> {
        Ok(Self(context.clone()))
    }
}

static ENDED: AtomicU32 = AtomicU32::new(0);
static RELEASED: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

fn release() {
    *RELEASED.0.lock().unwrap() = true;
    RELEASED.1.notify_all();
}

#[polyplug::plugin(create = Threads::new)]
impl Spawner for Threads {
    fn well_behaved(&self, name: &str) {
        let body = |context: &PluginContext| {
            assert!(context.wait_retired(Duration::from_secs(60)));
            ENDED.fetch_add(1, Ordering::Relaxed);
        };
        self.0.spawn(name, body).unwrap();
    }

    fn stubborn(&self, name: &str) {
        let body = |_: &PluginContext| {
            drop(RELEASED.1.wait_while(RELEASED.0.lock().unwrap(), |released| !*released).unwrap());
        };
        self.0.spawn(name, body).unwrap();
    }

    fn is_retired(&self) -> bool {
        self.0.is_retired()
    }
}

/// The bundle of the plugin above, which is part of this program.
fn linked() -> (Arc<Runtime>, BundleId) {
    let runtime = runtime();
    runtime.load_linked_plugins().unwrap();
    (runtime, BundleId::new("polyplug-tests"))
}

#[test]
fn threads_are_named_notified_and_joined() {
    let (runtime, id) = linked();
    let spawner = runtime.proxy::<dyn Spawner>().unwrap();
    spawner.well_behaved("first").unwrap();
    spawner.well_behaved("second").unwrap();
    assert_eq!(spawner.is_retired(), Ok(false));
    let mut threads = runtime.bundle(id).unwrap().threads;
    threads.sort();
    assert_eq!(threads, ["first", "second"]);
    assert!(runtime.bundle(id).unwrap().to_string().contains("\n  runs thread `second`"));
    drop(spawner);
    let report = runtime.unload_bundle(id).unwrap();
    assert_eq!(ENDED.load(Ordering::Relaxed), 2, "unloading waits for them");
    assert!(report.threads.is_empty(), "{report:?}");
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
}

#[test]
fn a_thread_that_does_not_end_is_reported() {
    let (runtime, id) = linked();
    runtime.proxy::<dyn Spawner>().unwrap().stubborn("mule").unwrap();
    let begun = Instant::now();
    let report = runtime.unload_bundle(id).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(20), "it is not waited for without end");
    assert!(!report.reclaimed);
    assert_eq!(report.threads, ["mule"]);
    assert_eq!(report.to_string(), "bundle `polyplug-tests` is unloaded; its code is held by its thread `mule`");
    let left = runtime.quiesce(Duration::from_millis(1));
    assert_eq!(left[0].threads, ["mule"], "{left:?}");
    assert_eq!(runtime.retired()[0].threads, ["mule"]);
    release();
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
}

#[test]
fn a_thread_that_panics_is_logged() {
    let bundle = Bundle::native("threads", "plugin-threads");
    let runtime = runtime();
    let id = runtime.load_bundle(bundle.path()).unwrap();
    let ((), messages) = logged_anywhere(|| {
        runtime.proxy::<dyn test_contracts::Threads>().unwrap().panicking("not today").unwrap();
        eventually("the thread ends", || runtime.bundle(id).unwrap().threads.is_empty());
    });
    let texts: Vec<_> = messages.iter().map(|logged| logged.message.as_str()).collect();
    assert!(texts.iter().any(|text| text.contains("not today")), "{texts:?}");
    assert_eq!(runtime.unload_bundle(id).unwrap().threads, [""; 0]);
}

#[test]
fn threads_of_a_runtime_that_ends_are_notified() {
    let (runtime, _) = linked();
    let before = ENDED.load(Ordering::Relaxed);
    runtime.proxy::<dyn Spawner>().unwrap().well_behaved("last").unwrap();
    drop(runtime);
    assert_eq!(ENDED.load(Ordering::Relaxed), before + 1);
}

#[test]
fn only_bundles_have_threads() {
    let runtime = runtime();
    let host = runtime.host_abi();
    unsafe extern "C" fn never(_: *mut std::ffi::c_void) {
        unreachable!("it is refused");
    }
    let (code, text) = polyplug_tests::reported(|error| {
        // SAFETY: the table is valid while the runtime is; the data is not used.
        unsafe { ((*host).spawn)(host, polyplug_abi::StringView::null(), Some(never), std::ptr::null_mut(), error) };
    });
    assert_eq!(code, polyplug_abi::AbiErrorCode::NotAllowed as u32, "{text}");
    // SAFETY: the table is valid while the runtime is.
    assert_eq!(unsafe { ((*host).wait_retired)(host, 0) }, 0, "the host itself does not retire");
}

/// A library, rather than a part of this program, so that code can really go.
#[test]
fn a_library_stays_while_its_thread_runs() {
    let bundle = Bundle::native("moody", "plugin-moody");
    let runtime = runtime();
    let id = runtime.load_bundle(bundle.path()).unwrap();
    let file = bundle.path().join("linger");
    std::fs::write(&file, "").unwrap();
    runtime.proxy::<dyn Moody>().unwrap().linger(0, file.to_str().unwrap()).unwrap();
    let report = runtime.unload_bundle(id).unwrap();
    assert_eq!(report.threads, ["lingerer"], "{report}");
    if cfg!(target_os = "linux") {
        assert_ne!(mapped_below(bundle.path()), [""; 0], "its code is needed");
    }
    std::fs::remove_file(&file).unwrap();
    eventually("the code goes, without anybody asking", || mapped_below(bundle.path()).is_empty());
    eventually("nothing is retired", || runtime.retired().is_empty());
}

#[test]
fn a_reload_notifies_the_threads_of_the_old_version() {
    let bundle = Bundle::native("moody", "plugin-moody");
    let runtime = Runtime::builder().loader(NativeLoader::new()).hot_reload(true).build().unwrap();
    let id = runtime.load_bundle(bundle.path()).unwrap();
    runtime.proxy::<dyn Moody>().unwrap().linger(0, "/nowhere/at/all").unwrap();
    assert_eq!(runtime.bundle(id).unwrap().threads, ["lingerer"]);
    runtime.reload_bundle(bundle.path()).unwrap();
    assert!(runtime.bundle(id).unwrap().threads.is_empty(), "the new version has started none");
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), [], "the old version's has ended");
}
