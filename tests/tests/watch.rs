//! What changes in a bundle's directory is loaded by itself: once, when it is whole, however it got there.

use std::env::consts::DLL_SUFFIX;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::sleep;
use std::time::Duration;

use polyplug::error::LoaderError;
use polyplug::loader::{BundleLoader, BundleSource, ManifestData};
use polyplug::watch::{WatchError, WatchOptions, Watcher};
use polyplug::{BundleId, Runtime};
use polyplug_abi::{ReloadPhaseType, SupportedLanguage};
use polyplug_native::NativeLoader;
use polyplug_tests::watching::{
    Callers, DEBOUNCE, Event, Events, impatient, patient, until, watched_runtime, watched_runtime_with, write_slowly,
};
use polyplug_tests::{Bundle, library, manifest, remove_dir_all, rename};
use tempfile::TempDir;
use test_contracts::{Counter, Stamp};

const ONE: &str = "plugin-reload-one";
const TWO: &str = "plugin-reload-two";

/// Longer than the debounce, so that what is there meanwhile is looked at; shorter than the patience.
const PAUSE: Duration = Duration::from_millis(4 * DEBOUNCE.as_millis() as u64);

/// A bundle that is loaded, watched, and called all the time.
struct Scene {
    // Dropped first, before the runtime.
    callers: Callers,
    bundle: Bundle,
    runtime: Arc<Runtime>,
    events: Events,
    watcher: Watcher,
}

impl Scene {
    fn new() -> Self {
        Self::with(patient())
    }

    fn with(options: WatchOptions) -> Self {
        let bundle = Bundle::native("watched", ONE);
        let (runtime, events) = watched_runtime(Box::new(|_| ()));
        runtime.load_bundle(bundle.path()).unwrap();
        let watcher = runtime.watch_with(options).unwrap();
        events.none_at_first();
        let callers = Callers::start(&runtime, &[1, 2]);
        Self { callers, bundle, runtime, events, watcher }
    }

    fn artifact(&self) -> PathBuf {
        artifact(self.bundle.path())
    }

    fn version(&self) -> u32 {
        self.runtime.proxy::<dyn Stamp>().unwrap().version().unwrap()
    }

    /// Exactly one reload follows, after which version 2 answers.
    #[track_caller]
    fn expect_two(self) {
        self.events.reloaded("watched");
        assert_eq!(self.version(), 2);
        self.events.none();
        self.callers.stop();
        self.watcher.stop();
    }
}

fn artifact(directory: &Path) -> PathBuf {
    directory.join(format!("plugin{DLL_SUFFIX}"))
}

fn install(directory: &Path, package: &str) {
    fs::copy(library(package), artifact(directory)).unwrap();
}

fn make_bundle(directory: &Path, package: &str) {
    fs::create_dir_all(directory).unwrap();
    fs::write(directory.join("manifest.toml"), manifest("watched", "native", "plugin")).unwrap();
    install(directory, package);
}

#[test]
fn overwritten_in_place() {
    let scene = Scene::new();
    install(scene.bundle.path(), TWO);
    scene.expect_two();
}

#[test]
fn with_the_options_that_are_default() {
    let bundle = Bundle::native("watched", ONE);
    let (runtime, events) = watched_runtime(Box::new(|_| ()));
    runtime.load_bundle(bundle.path()).unwrap();
    let _watcher = runtime.watch().unwrap();
    events.none_at_first();
    install(bundle.path(), TWO);
    events.reloaded("watched");
    events.none();
}

#[test]
fn replaced_by_rename() {
    let scene = Scene::new();
    let beside = scene.bundle.path().join("plugin.new");
    fs::copy(library(TWO), &beside).unwrap();
    rename(beside, scene.artifact()).unwrap();
    scene.expect_two();
}

#[test]
fn replaced_by_a_hard_link() {
    let scene = Scene::new();
    let elsewhere = TempDir::new().unwrap();
    let built = elsewhere.path().join("built");
    fs::copy(library(TWO), &built).unwrap();
    fs::remove_file(scene.artifact()).unwrap();
    fs::hard_link(built, scene.artifact()).unwrap();
    scene.expect_two();
}

#[test]
fn deleted_and_made_anew_after_a_while() {
    let scene = Scene::new();
    fs::remove_file(scene.artifact()).unwrap();
    sleep(PAUSE);
    install(scene.bundle.path(), TWO);
    scene.expect_two();
}

#[test]
fn written_slowly_while_it_stays_open() {
    let scene = Scene::new();
    let counter = scene.runtime.proxy::<dyn Counter>().unwrap();
    let (artifact, whole) = (scene.artifact(), fs::read(library(TWO)).unwrap());
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| write_slowly(&artifact, &whole, 6, PAUSE, false));
        let mut count = 0;
        while !writer.is_finished() {
            count += 1;
            let (counted, version) = (counter.add(1), scene.version());
            // Only Linux reports that a file which is whole is still open.
            let is_whole = !cfg!(target_os = "linux") && fs::metadata(&artifact).unwrap().len() == whole.len() as u64;
            if !is_whole {
                assert_eq!((counted, version), (Ok(count), 1), "the old version serves, and has its state");
            }
            sleep(Duration::from_millis(1));
        }
    });
    scene.expect_two();
}

#[test]
fn written_slowly_and_opened_again_and_again() {
    let scene = Scene::new();
    let whole = fs::read(library(TWO)).unwrap();
    write_slowly(&scene.artifact(), &whole, 6, PAUSE, true);
    scene.expect_two();
}

/// As a linker does that knows how long the file will be: the headers are right, the length is, the rest is missing.
#[cfg(target_os = "linux")]
#[test]
fn written_slowly_into_a_file_of_the_right_length() {
    let scene = Scene::new();
    let whole = fs::read(library(TWO)).unwrap();
    let mut file = File::create(scene.artifact()).unwrap();
    file.set_len(whole.len() as u64).unwrap();
    for piece in whole.chunks(whole.len().div_ceil(6)) {
        file.write_all(piece).unwrap();
        sleep(PAUSE);
    }
    drop(file);
    scene.expect_two();
}

#[test]
fn half_a_file_that_stays_is_reported_and_the_whole_one_is_loaded() {
    let scene = Scene::with(impatient());
    let counter = scene.runtime.proxy::<dyn Counter>().unwrap();
    assert_eq!(counter.add(5), Ok(5));
    let whole = fs::read(library(TWO)).unwrap();
    let (first, second) = whole.split_at(whole.len() / 2);
    fs::write(scene.artifact(), first).unwrap();
    let reason = scene.events.failed("watched");
    assert!(reason.contains("truncated") && reason.contains(&*scene.artifact().to_string_lossy()), "{reason}");
    assert_eq!(counter.add(1), Ok(6), "nothing is lost");
    File::options().append(true).open(scene.artifact()).unwrap().write_all(second).unwrap();
    scene.expect_two();
}

#[test]
fn failed_builds_are_reported_once_each() {
    let scene = Scene::with(impatient());
    let counter = scene.runtime.proxy::<dyn Counter>().unwrap();
    assert_eq!(counter.add(5), Ok(5));
    scene.bundle.write(&format!("plugin{DLL_SUFFIX}"), "error: could not compile");
    let reason = scene.events.failed("watched");
    assert!(reason.contains("text"), "{reason}");
    scene.events.none();

    // A library like any other, to all appearance.
    install(scene.bundle.path(), "plugin-init-panics");
    assert_eq!(scene.events.next().phase, ReloadPhaseType::Preparing);
    let reason = scene.events.failed("watched");
    assert!(reason.contains("the start is no good"), "{reason}");
    scene.events.none();
    assert_eq!(counter.add(1), Ok(6), "the old version serves, and has its state");

    install(scene.bundle.path(), TWO);
    scene.expect_two();
}

#[test]
fn the_manifest_counts() {
    let scene = Scene::with(impatient());
    let id = BundleId::new("watched");
    let text = manifest("watched", "native", "plugin");
    scene.bundle.write("manifest.toml", text.replace("1.0.0", "2.0.0"));
    scene.events.reloaded("watched");
    assert_eq!(scene.runtime.bundle(id).unwrap().version.major, 2);

    scene.bundle.write("manifest.toml", &text[..text.len() - 4]);
    let reason = scene.events.failed("watched");
    assert!(reason.contains("manifest.toml:4:"), "{reason}");

    let other = Bundle::native("other", "plugin-calc");
    scene.runtime.load_bundle(other.path()).unwrap();
    scene.bundle.write("manifest.toml", manifest("other", "native", "plugin"));
    let reason = scene.events.failed("watched");
    assert!(reason.contains("\"other\" is another bundle than \"watched\""), "{reason}");

    scene.bundle.write("manifest.toml", manifest("watched", "cobol", "plugin"));
    let reason = scene.events.failed("watched");
    assert!(reason.contains("`cobol`"), "{reason}");

    scene.bundle.write("manifest.toml", text);
    install(scene.bundle.path(), TWO);
    scene.expect_two();
}

#[test]
fn what_does_not_belong_to_the_bundle_does_not_count() {
    let scene = Scene::new();
    for file in [".plugin.so.swp", "#plugin#", "plugin~", "4913", "plugin.tmp"] {
        scene.bundle.write(file, "1");
    }
    fs::create_dir(scene.bundle.path().join("target")).unwrap();
    scene.bundle.write("target/CACHEDIR.TAG", "");
    scene.bundle.write("target/object", "1");
    drop(fs::read(scene.artifact()).unwrap());
    scene.events.none();
    assert_eq!(scene.version(), 1);
    install(scene.bundle.path(), TWO);
    scene.expect_two();
}

#[test]
fn files_further_down_count() {
    let scene = Scene::new();
    fs::create_dir_all(scene.bundle.path().join("data/words")).unwrap();
    scene.bundle.write("data/words/en", "one");
    scene.events.reloaded("watched");
    scene.events.none();
    scene.bundle.write("data/words/en", "three");
    scene.events.reloaded("watched");
    scene.events.none();
}

#[test]
fn the_directory_replaced_by_rename() {
    let folder = TempDir::new().unwrap();
    let (served, next) = (folder.path().join("plugins/watched"), folder.path().join("next"));
    make_bundle(&served, ONE);
    let (runtime, events) = watched_runtime(Box::new(|_| ()));
    runtime.load_bundle(&served).unwrap();
    let _watcher = runtime.watch_with(patient()).unwrap();
    events.none_at_first();
    let stamp = runtime.proxy::<dyn Stamp>().unwrap();
    for (round, package) in [TWO, ONE].into_iter().enumerate() {
        make_bundle(&next, package);
        rename(&served, folder.path().join(format!("old{round}"))).unwrap();
        rename(&next, &served).unwrap();
        events.reloaded("watched");
        assert_eq!(stamp.version(), Ok(2 - round as u32));
        events.none();
    }
    install(&served, TWO); // in the directory that has taken the place of the first
    events.reloaded("watched");
    assert_eq!(stamp.version(), Ok(2));

    // What was moved away is of no interest any more.
    install(&folder.path().join("old0"), TWO);
    events.none();
}

/// Windows does not rename a folder in which a watched one lies.
#[cfg(not(windows))]
#[test]
fn the_directory_above_moved_away_and_made_anew() {
    let folder = TempDir::new().unwrap();
    let served = folder.path().join("plugins/watched");
    make_bundle(&served, TWO);
    let (runtime, events) = watched_runtime(Box::new(|_| ()));
    runtime.load_bundle(&served).unwrap();
    let _watcher = runtime.watch_with(patient()).unwrap();
    events.none_at_first();
    let stamp = runtime.proxy::<dyn Stamp>().unwrap();
    rename(folder.path().join("plugins"), folder.path().join("gone")).unwrap();
    sleep(PAUSE);
    fs::create_dir(folder.path().join("plugins")).unwrap();
    sleep(PAUSE);
    make_bundle(&served, ONE);
    events.reloaded("watched");
    assert_eq!(stamp.version(), Ok(1));
    events.none();
    install(&served, TWO);
    events.reloaded("watched");
    events.none();
}

#[test]
fn the_directory_removed_and_made_anew() {
    let folder = TempDir::new().unwrap();
    let served = folder.path().join("watched");
    make_bundle(&served, ONE);
    let (runtime, events) = watched_runtime(Box::new(|_| ()));
    runtime.load_bundle(&served).unwrap();
    let _watcher = runtime.watch_with(patient()).unwrap();
    events.none_at_first();
    let callers = Callers::start(&runtime, &[1, 2]);
    for (package, pause) in [(TWO, PAUSE), (ONE, Duration::ZERO), (TWO, PAUSE)] {
        remove_dir_all(&served).unwrap();
        sleep(pause);
        make_bundle(&served, package);
        events.reloaded("watched");
        events.none();
    }
    install(&served, ONE);
    events.reloaded("watched");
    callers.stop();
}

#[cfg(unix)]
#[test]
fn a_link_turned_to_another_directory() {
    use std::os::unix::fs::symlink;
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    for (release, package) in [("1", ONE), ("2", TWO)] {
        make_bundle(&at(release).join("plugins/watched"), package);
    }
    symlink("1", at("current")).unwrap();
    let (runtime, events) = watched_runtime(Box::new(|_| ()));
    runtime.load_bundle(at("current/plugins/watched")).unwrap();
    let _watcher = runtime.watch_with(patient()).unwrap();
    events.none_at_first();
    let stamp = runtime.proxy::<dyn Stamp>().unwrap();

    symlink("2", at("next")).unwrap();
    rename(at("next"), at("current")).unwrap();
    events.reloaded("watched");
    assert_eq!(stamp.version(), Ok(2));
    events.none();
    install(&at("2/plugins/watched"), ONE);
    events.reloaded("watched");
    assert_eq!(stamp.version(), Ok(1));
    events.none();
    install(&at("1/plugins/watched"), TWO);
    events.none();
}

#[cfg(unix)]
#[test]
fn a_link_that_made_a_reload_fail_is_removed() {
    use std::os::unix::fs::symlink;
    // Hidden files say nothing about a bundle, but a link among them keeps it from being copied as well.
    for link in ["out", ".out", ".hidden/out", "round"] {
        let bundle = Bundle::native("watched", ONE);
        fs::create_dir(bundle.path().join(".hidden")).unwrap();
        let (runtime, events) = watched_runtime(Box::new(|_| ()));
        runtime.load_bundle(bundle.path()).unwrap();
        let _watcher = runtime.watch_with(patient()).unwrap();
        events.none_at_first();
        let path = bundle.path().join(link);
        symlink(if link == "round" { "." } else { "/" }, &path).unwrap();
        fs::copy(library(TWO), bundle.path().join(".new")).unwrap();
        rename(bundle.path().join(".new"), artifact(bundle.path())).unwrap();
        // The link and the library may be seen in one look or in two.
        let failed = |event: Event| {
            if event.phase == ReloadPhaseType::Preparing { events.next() } else { event }
        };
        let event = failed(events.next());
        assert_eq!(event.phase, ReloadPhaseType::Failed, "{link}: {event:?}");
        assert!(event.reason.contains(&*path.to_string_lossy()), "{link}: {}", event.reason);
        fs::remove_file(&path).unwrap();
        let mut event = events.next();
        while event.phase != ReloadPhaseType::Reloaded {
            event = events.next();
        }
        assert_eq!(runtime.proxy::<dyn Stamp>().unwrap().version(), Ok(2), "{link}");
    }
}

#[cfg(unix)]
#[test]
fn an_artifact_that_is_a_link() {
    use std::os::unix::fs::symlink;
    let bundle = Bundle::native("watched", ONE);
    let builds = bundle.path().join(".builds/1");
    fs::create_dir_all(&builds).unwrap();
    rename(artifact(bundle.path()), builds.join("built")).unwrap();
    symlink(".builds/1/built", artifact(bundle.path())).unwrap();
    let (runtime, events) = watched_runtime(Box::new(|_| ()));
    runtime.load_bundle(bundle.path()).unwrap();
    let _watcher = runtime.watch_with(patient()).unwrap();
    events.none_at_first();
    let stamp = runtime.proxy::<dyn Stamp>().unwrap();
    fs::copy(library(TWO), builds.join("built")).unwrap();
    events.reloaded("watched");
    assert_eq!(stamp.version(), Ok(2));
    events.none();

    fs::remove_file(builds.join("built")).unwrap();
    sleep(PAUSE);
    fs::copy(library(ONE), builds.join("built")).unwrap();
    events.reloaded("watched");
    assert_eq!(stamp.version(), Ok(1));
    events.none();
}

#[test]
fn two_bundles_in_one_go() {
    let (first, second) = (Bundle::native("first", ONE), Bundle::native("second", ONE));
    let (runtime, events) = watched_runtime(Box::new(|_| ()));
    for bundle in [&first, &second] {
        runtime.load_bundle(bundle.path()).unwrap();
    }
    let _watcher = runtime.watch_with(patient()).unwrap();
    events.none_at_first();
    install(first.path(), TWO);
    install(second.path(), TWO);
    let mut told: Vec<_> = (0..4).map(|_| events.next()).map(|told| (told.bundle, told.phase)).collect();
    told.sort_by_key(|(bundle, phase)| (bundle.clone(), *phase == ReloadPhaseType::Reloaded));
    let expected = ["first", "second"]
        .map(|bundle| [ReloadPhaseType::Preparing, ReloadPhaseType::Reloaded].map(|phase| (bundle.to_owned(), phase)));
    assert_eq!(told, expected.concat());
    for stamp in runtime.proxies::<dyn Stamp>().unwrap() {
        assert_eq!(stamp.version(), Ok(2));
    }
    events.none();
}

#[test]
fn bundles_that_come_and_go() {
    let (first, second) = (Bundle::native("first", ONE), Bundle::native("second", ONE));
    let (runtime, events) = watched_runtime(Box::new(|_| ()));
    let watcher = runtime.watch_with(patient()).unwrap();

    let id = runtime.load_bundle(first.path()).unwrap();
    install(first.path(), TWO); // before anybody can have looked
    events.reloaded("first");

    runtime.load_bundle(second.path()).unwrap();
    runtime.unload_bundle(id).unwrap();
    install(first.path(), ONE);
    events.none();
    install(second.path(), TWO);
    events.reloaded("second");

    runtime.load_bundle(first.path()).unwrap();
    install(first.path(), TWO);
    events.reloaded("first");

    // A reload from elsewhere moves the bundle there.
    let moved = Bundle::native("first", ONE);
    runtime.reload_bundle(moved.path()).unwrap();
    events.reloaded("first");
    install(first.path(), ONE);
    events.none();
    install(moved.path(), TWO);
    events.reloaded("first");
    events.none();
    watcher.stop();
}

#[test]
fn what_changed_before_the_watch_is_loaded() {
    let bundle = Bundle::native("watched", ONE);
    let (runtime, events) = watched_runtime(Box::new(|_| ()));
    runtime.load_bundle(bundle.path()).unwrap();
    install(bundle.path(), TWO);
    let _watcher = runtime.watch_with(patient()).unwrap();
    events.reloaded("watched");
    events.none();
}

#[test]
fn what_was_reloaded_by_hand_is_not_reloaded_again() {
    let bundle = Bundle::native("watched", ONE);
    let (runtime, events) = watched_runtime(Box::new(|_| ()));
    runtime.load_bundle(bundle.path()).unwrap();
    let _watcher = runtime.watch_with(patient()).unwrap();
    events.none_at_first();
    install(bundle.path(), TWO);
    runtime.reload_bundle(bundle.path()).unwrap();
    events.reloaded("watched");
    events.none();
}

#[test]
fn two_watchers_reload_once() {
    let bundle = Bundle::native("watched", ONE);
    let (runtime, events) = watched_runtime(Box::new(|_| ()));
    runtime.load_bundle(bundle.path()).unwrap();
    let _watchers = [runtime.watch_with(patient()).unwrap(), runtime.watch_with(patient()).unwrap()];
    events.none_at_first();
    for package in [TWO, ONE, TWO, ONE] {
        install(bundle.path(), package);
        events.reloaded("watched");
    }
    events.none();
}

/// Loads libraries, and does something while it is asked for the first time whether one looks whole.
struct Checking {
    native: NativeLoader,
    meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl BundleLoader for Checking {
    fn loader_name(&self) -> &'static str {
        self.native.loader_name()
    }

    fn loader_language(&self) -> SupportedLanguage {
        self.native.loader_language()
    }

    fn supports_hot_reload(&self) -> bool {
        true
    }

    fn load(&self, manifest: &ManifestData, source: &BundleSource, runtime: &Runtime) -> Result<(), LoaderError> {
        self.native.load(manifest, source, runtime)
    }

    fn reload(&self, manifest: &ManifestData, runtime: &Runtime) -> Result<(), LoaderError> {
        self.native.reload(manifest, runtime)
    }

    fn check(&self, manifest: &ManifestData) -> Result<(), LoaderError> {
        let meanwhile = self.meanwhile.lock().unwrap().take();
        meanwhile.into_iter().for_each(|meanwhile| meanwhile());
        self.native.check(manifest)
    }
}

#[test]
fn what_is_reloaded_by_hand_at_the_last_moment_is_not_reloaded_again() {
    let bundle = Bundle::native("watched", ONE);
    let directory = bundle.path().to_owned();
    let slot = Arc::new(OnceLock::<Arc<Runtime>>::new());
    let known = Arc::clone(&slot);
    let reload = move || {
        known.get().unwrap().reload_bundle(&directory).unwrap();
    };
    let loader = Checking { native: NativeLoader::new(), meanwhile: Mutex::new(Some(Box::new(reload))) };
    let (runtime, events) = watched_runtime_with(loader, Box::new(|_| ()));
    slot.set(Arc::clone(&runtime)).unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    let _watcher = runtime.watch_with(patient()).unwrap();
    install(bundle.path(), TWO);
    events.reloaded("watched"); // by the loader above, when the watcher has decided to
    events.none();
    assert_eq!(runtime.proxy::<dyn Stamp>().unwrap().version(), Ok(2));
}

#[test]
fn a_change_during_a_reload_is_not_lost() {
    let bundle = Bundle::native("watched", ONE);
    let directory = bundle.path().to_owned();
    let mut changes = [(ReloadPhaseType::Reloaded, ONE), (ReloadPhaseType::Reloaded, TWO)].into_iter().peekable();
    let (runtime, events) = watched_runtime(Box::new(move |told: &Event| {
        if let Some((_, package)) = changes.next_if(|(phase, _)| *phase == told.phase) {
            install(&directory, package);
        }
    }));
    runtime.load_bundle(bundle.path()).unwrap();
    let _watcher = runtime.watch_with(patient()).unwrap();
    let stamp = runtime.proxy::<dyn Stamp>().unwrap();
    install(bundle.path(), TWO);
    for version in [2, 1, 2] {
        events.reloaded("watched");
        assert_eq!(stamp.version(), Ok(version));
    }
    events.none();
}

#[test]
fn a_change_before_the_copy_is_loaded_at_once() {
    let bundle = Bundle::native("watched", ONE);
    let directory = bundle.path().to_owned();
    let mut late = Some(ONE);
    let (runtime, events) = watched_runtime(Box::new(move |told: &Event| {
        if told.phase == ReloadPhaseType::Preparing {
            late.take().into_iter().for_each(|package| install(&directory, package));
        }
    }));
    runtime.load_bundle(bundle.path()).unwrap();
    let _watcher = runtime.watch_with(patient()).unwrap();
    install(bundle.path(), TWO);
    events.reloaded("watched");
    assert_eq!(runtime.proxy::<dyn Stamp>().unwrap().version(), Ok(1));
    events.none();
}

/// Where a callback finds the watcher.
type Slot = Arc<OnceLock<Watcher>>;

#[test]
fn stopped_by_the_callback() {
    let bundle = Bundle::native("watched", ONE);
    let slot = Slot::default();
    let watcher = Arc::clone(&slot);
    let (runtime, events) = watched_runtime(Box::new(move |told: &Event| {
        if told.phase == ReloadPhaseType::Preparing {
            let watcher = watcher.get().unwrap();
            assert!(watcher.is_watching());
            watcher.stop();
            assert!(!watcher.is_watching());
        }
    }));
    runtime.load_bundle(bundle.path()).unwrap();
    slot.set(runtime.watch_with(patient()).unwrap()).unwrap();
    install(bundle.path(), TWO);
    events.reloaded("watched"); // the last one
    slot.get().unwrap().stop();
    install(bundle.path(), ONE);
    events.none();
    assert_eq!(runtime.proxy::<dyn Stamp>().unwrap().version(), Ok(2));
}

#[test]
fn dropped_by_the_callback() {
    let bundle = Bundle::native("watched", ONE);
    let slot = Arc::new(Mutex::new(None::<Watcher>));
    let watcher = Arc::clone(&slot);
    let (runtime, events) = watched_runtime(Box::new(move |_| drop(watcher.lock().unwrap().take())));
    runtime.load_bundle(bundle.path()).unwrap();
    *slot.lock().unwrap() = Some(runtime.watch_with(patient()).unwrap());
    install(bundle.path(), TWO);
    events.reloaded("watched");
    install(bundle.path(), ONE);
    events.none();
}

/// The watcher has something to reload while the bundle is being reloaded by somebody who stops the watcher.
#[test]
fn stopped_by_the_callback_of_another_reload() {
    let bundle = Bundle::native("watched", ONE);
    let directory = bundle.path().to_owned();
    let slot = Slot::default();
    let watcher = Arc::clone(&slot);
    let (runtime, events) = watched_runtime(Box::new(move |told: &Event| {
        if told.phase == ReloadPhaseType::Preparing {
            install(&directory, TWO);
            sleep(2 * PAUSE); // the watcher's turn would come
            watcher.get().unwrap().stop();
        }
    }));
    runtime.load_bundle(bundle.path()).unwrap();
    slot.set(runtime.watch_with(patient()).unwrap()).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| runtime.reload_bundle(bundle.path()).unwrap());
        events.reloaded("watched");
    });
    assert!(!slot.get().unwrap().is_watching());
    events.none();
}

/// As above, but nobody stops: the turn comes when the other reload, which fails, is over.
#[test]
fn a_bundle_that_is_being_changed_is_reloaded_after_that() {
    let bundle = Bundle::native("watched", ONE);
    let elsewhere = Bundle::native("watched", "plugin-init-panics");
    let directory = bundle.path().to_owned();
    let mut first = true;
    let (runtime, events) = watched_runtime(Box::new(move |told: &Event| {
        if std::mem::take(&mut first) {
            assert_eq!(told.phase, ReloadPhaseType::Preparing);
            install(&directory, TWO);
            sleep(2 * PAUSE); // the watcher's turn would come
        }
    }));
    runtime.load_bundle(bundle.path()).unwrap();
    let _watcher = runtime.watch_with(patient()).unwrap();
    runtime.reload_bundle(elsewhere.path()).unwrap_err();
    // The end of one may be told after the other has begun.
    let told: Vec<_> = (0..4).map(|_| events.next().phase).collect();
    let count = |phase| told.iter().filter(|told| **told == phase).count();
    let counts = [ReloadPhaseType::Preparing, ReloadPhaseType::Failed, ReloadPhaseType::Reloaded].map(count);
    assert_eq!(counts, [2, 1, 1], "{told:?}");
    assert_eq!(runtime.proxy::<dyn Stamp>().unwrap().version(), Ok(2));
    events.none();
}

#[test]
fn a_watcher_does_not_keep_the_runtime() {
    let bundle = Bundle::native("watched", ONE);
    let (runtime, events) = watched_runtime(Box::new(|_| ()));
    runtime.load_bundle(bundle.path()).unwrap();
    let watcher = runtime.watch_with(patient()).unwrap();
    install(bundle.path(), TWO);
    events.reloaded("watched");
    let stamp = runtime.proxy::<dyn Stamp>().unwrap();
    let weak = Arc::downgrade(&runtime);
    drop(runtime);
    until("the runtime ends", || weak.upgrade().is_none());
    until("the watcher ends", || !watcher.is_watching());
    until("the bundle is unloaded", || stamp.version().is_err());

    // Without bundles nothing else would tell it.
    let (runtime, _events) = watched_runtime(Box::new(|_| ()));
    let watcher = runtime.watch_with(patient()).unwrap();
    drop(runtime);
    until("the watcher ends", || !watcher.is_watching());
}

/// The callback has the watcher, and goes with the runtime.
#[test]
fn a_watcher_that_belongs_to_the_runtime() {
    let bundle = Bundle::native("watched", ONE);
    let slot = Slot::default();
    let watcher = Arc::clone(&slot);
    let (runtime, events) = watched_runtime(Box::new(move |_| assert!(watcher.get().is_none_or(Watcher::is_watching))));
    runtime.load_bundle(bundle.path()).unwrap();
    slot.set(runtime.watch_with(patient()).unwrap()).unwrap();
    drop(slot);
    install(bundle.path(), TWO);
    events.reloaded("watched");
    drop(runtime);
    until("the callback is gone", || events.are_over());
}

#[test]
fn hot_reload_must_be_on() {
    let runtime = polyplug_tests::runtime();
    let error = runtime.watch().unwrap_err();
    assert!(matches!(error, WatchError::HotReloadDisabled));
    assert!(error.to_string().contains("`Runtime::builder().hot_reload(true)`"), "{error}");
}

#[test]
fn the_directory_must_be_there() {
    let folder = TempDir::new().unwrap();
    let gone = folder.path().join("gone");
    make_bundle(&gone, ONE);
    let (runtime, events) = watched_runtime(Box::new(|_| ()));
    runtime.load_bundle(&gone).unwrap();
    remove_dir_all(&gone).unwrap();
    let error = runtime.watch_with(patient()).unwrap_err();
    assert!(matches!(&error, WatchError::DirectoryMissing { bundle, .. } if bundle == "watched"), "{error:?}");
    assert!(error.to_string().contains(&*gone.to_string_lossy()), "{error}");

    make_bundle(&gone, TWO);
    let _watcher = runtime.watch_with(patient()).unwrap();
    events.reloaded("watched");
}

/// Nobody can see there that the bundle's directory is exchanged. (Unless by the superuser, who may read anything.)
#[cfg(unix)]
#[test]
fn the_directory_above_need_not_be_readable() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let (above, served) = (folder.path().join("above"), folder.path().join("above/watched"));
    make_bundle(&served, ONE);
    fs::set_permissions(&above, fs::Permissions::from_mode(0o311)).unwrap();
    let (runtime, events) = watched_runtime(Box::new(|_| ()));
    runtime.load_bundle(&served).unwrap();
    let _watcher = runtime.watch_with(patient()).unwrap();
    events.none_at_first();
    install(&served, TWO);
    events.reloaded("watched");
    events.none();
    fs::set_permissions(&above, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Reloads by the watcher, by hand, from elsewhere, and loads and unloads of another bundle, all at once.
#[test]
fn all_bundles_at_once() {
    let (here, elsewhere) = (Bundle::native("watched", ONE), Bundle::native("watched", TWO));
    let other = Bundle::native("other", "plugin-calc");
    let (runtime, _events) = watched_runtime(Box::new(|_| ()));
    runtime.load_bundle(here.path()).unwrap();
    let watchers = [runtime.watch_with(patient()).unwrap(), runtime.watch_with(patient()).unwrap()];
    let callers = Callers::start(&runtime, &[1, 2]);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..20 {
                install(here.path(), [TWO, ONE][round % 2]);
                sleep(DEBOUNCE * (round as u32 % 4));
            }
        });
        scope.spawn(|| {
            for round in 0..30 {
                // The file may be half-written, which is refused.
                let _ = runtime.reload_bundle([elsewhere.path(), here.path()][round % 2]);
                sleep(DEBOUNCE / 2);
            }
        });
        scope.spawn(|| {
            for _ in 0..30 {
                let id = runtime.load_bundle(other.path()).unwrap();
                sleep(DEBOUNCE / 4);
                runtime.unload_bundle(id).unwrap();
            }
        });
    });
    runtime.reload_bundle(here.path()).unwrap();
    install(here.path(), TWO);
    until("the last change serves", || runtime.proxy::<dyn Stamp>().unwrap().version() == Ok(2));
    callers.stop();
    drop(watchers);
}

/// In a process of its own, whose threads are known.
#[cfg(target_os = "linux")]
mod threads {
    use super::*;
    use polyplug_tests::child;

    /// The threads of this process that watch, and how often each has been woken.
    fn watching() -> Vec<(String, u64)> {
        let mut threads = Vec::new();
        for task in fs::read_dir("/proc/self/task").unwrap().flatten() {
            // It may end while it is looked at.
            let Ok(name) = fs::read_to_string(task.path().join("comm")) else { continue };
            let Ok(status) = fs::read_to_string(task.path().join("status")) else { continue };
            let switches = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            if name.starts_with("polyplug-watch") || name.starts_with("notify") {
                threads.push((name, switches.unwrap().trim().parse().unwrap()));
            }
        }
        threads.sort();
        threads
    }

    fn in_a_child(name: &str, body: impl FnOnce()) {
        if child::is_child() {
            return body();
        }
        let output = child::again(name).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    }

    #[test]
    fn they_end_with_the_watcher() {
        in_a_child("threads::they_end_with_the_watcher", || {
            let bundle = Bundle::native("watched", ONE);
            let (runtime, events) = watched_runtime(Box::new(|_| ()));
            runtime.load_bundle(bundle.path()).unwrap();
            let open_files = || fs::read_dir("/proc/self/fd").unwrap().count();
            let before = open_files();
            for package in [TWO, ONE].repeat(5) {
                let watcher = runtime.watch_with(patient()).unwrap();
                install(bundle.path(), package);
                events.reloaded("watched");
                assert_eq!(watching().len(), 2, "{:?}", watching());
                if package == TWO {
                    watcher.stop()
                } else {
                    drop(watcher)
                }
                // The system forgets a thread a moment after it has ended.
                until("no thread is left", || watching().is_empty());
            }
            until("no file is left open", || open_files() == before);
        });
    }

    #[test]
    fn they_sleep_while_nothing_happens() {
        in_a_child("threads::they_sleep_while_nothing_happens", || {
            let folder = TempDir::new().unwrap();
            make_bundle(&folder.path().join("bundle"), ONE);
            let (runtime, events) = watched_runtime(Box::new(|_| ()));
            runtime.load_bundle(folder.path().join("bundle")).unwrap();
            let _watcher = runtime.watch_with(patient()).unwrap();
            install(&folder.path().join("bundle"), TWO);
            events.reloaded("watched");
            events.none();
            let before = watching();
            assert_eq!(before.len(), 2);
            events.none();
            assert_eq!(watching(), before, "nobody was woken");
        });
    }
}

const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Watcher>();
};
