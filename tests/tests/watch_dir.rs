//! A folder of bundles is watched: the loaded bundles are those that are there, and each change is an event.

use std::env::consts::DLL_SUFFIX;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use polyplug::error::{FoundInstead, ManifestError, RuntimeError};
use polyplug::runtime::Operation;
use polyplug::watch::{WatchError, WatchOptions, Watcher};
use polyplug::{Event, EventKind, Runtime};
use polyplug_lua::LuaLoader;
use polyplug_native::NativeLoader;
use polyplug_tests::watching::{impatient, patient, until, write_slowly};
use polyplug_tests::{library, manifest, remove_dir_all, rename};
use tempfile::TempDir;
use test_contracts::{Counter, Stamp};

const ONE: &str = "plugin-reload-one";
const TWO: &str = "plugin-reload-two";
const CALC: &str = "plugin-calc";
const CALLER: &str = "plugin-caller";

/// The limit of a wait for an event that has to come.
const DEADLINE: Duration = Duration::from_secs(90);

/// The duration for which no event must come: longer than the patience of the tests.
const QUIET: Duration = Duration::from_millis(1500);

/// A folder of bundles, and a runtime.
struct Plugins {
    folder: TempDir,
    runtime: Arc<Runtime>,
    events: Receiver<Event>,
}

impl Plugins {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("plugins")).unwrap();
        let (send, events) = mpsc::channel();
        let builder = Runtime::builder().loader(NativeLoader::new()).loader(LuaLoader::new()).hot_reload(true);
        let runtime = builder.build().unwrap();
        runtime.on_event(move |event| drop(send.send(event.clone()))).detach();
        Self { folder, runtime, events }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("plugins")
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// Adds a bundle in the folder `name`, complete from the first moment.
    fn add(&self, name: &str, package: &str, needs: &[&str]) {
        let beside = self.beside();
        make(&beside, name, package, needs);
        rename(beside, self.at(name)).unwrap();
    }

    /// Returns the path of a folder that is not watched.
    fn beside(&self) -> PathBuf {
        self.folder.path().join("beside")
    }

    /// Watches the folder. The events of the start are thrown away.
    fn watch(&self, options: WatchOptions) -> Watcher {
        let watcher = self.runtime.watch_dir_with(self.root(), options).unwrap();
        self.events.try_iter().for_each(drop);
        watcher
    }

    /// Waits for the next change or failure, as `loaded calc`.
    #[track_caller]
    fn next(&self) -> String {
        text(&self.next_event())
    }

    #[track_caller]
    fn next_event(&self) -> Event {
        loop {
            let event = self.events.recv_timeout(DEADLINE).expect("something should happen");
            if !text(&event).is_empty() {
                return event;
            }
        }
    }

    /// Waits for the next failure, of this operation and bundle, and returns the error.
    #[track_caller]
    fn failed(&self, operation: Operation, bundle: &str) -> Arc<RuntimeError> {
        let event = self.next_event();
        let EventKind::Failed(error) = &event.kind else { panic!("{event}") };
        assert_eq!((event.operation(), &*event.bundle.name), (operation, bundle), "{event}");
        Arc::clone(error)
    }

    /// Checks that nothing is changed for a while.
    #[track_caller]
    fn none(&self) {
        let deadline = std::time::Instant::now() + QUIET;
        while let Ok(event) = self.events.recv_timeout(deadline.saturating_duration_since(std::time::Instant::now())) {
            assert_eq!(text(&event), "", "{event}");
        }
    }

    fn stamp(&self) -> u32 {
        self.runtime.proxy::<dyn Stamp>().unwrap().version().unwrap()
    }
}

/// Returns a change or failure as text, and nothing for the events on the way there.
fn text(event: &Event) -> String {
    let what = match &event.kind {
        EventKind::Loaded => "loaded",
        EventKind::Reloaded(_) => "reloaded",
        EventKind::Unloaded(_) => "unloaded",
        EventKind::Failed(_) => "failed",
        _ => return String::new(),
    };
    format!("{what} {}", event.bundle.name)
}

fn artifact(folder: &Path) -> PathBuf {
    folder.join(format!("plugin{DLL_SUFFIX}"))
}

fn manifest_of(name: &str, needs: &[&str]) -> String {
    let needs = needs.iter().map(|contract| format!("[[dependency]]\ncontract = {contract:?}\n"));
    manifest(name, "native", "plugin") + &needs.collect::<String>()
}

fn make(folder: &Path, name: &str, package: &str, needs: &[&str]) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("manifest.toml"), manifest_of(name, needs)).unwrap();
    fs::copy(library(package), artifact(folder)).unwrap();
}

/// Replaces the library of a bundle, by a rename, as editors and linkers do.
fn install(folder: &Path, package: &str) {
    fs::copy(library(package), folder.join(".new")).unwrap();
    rename(folder.join(".new"), artifact(folder)).unwrap();
}

#[test]
fn the_start_loads_in_the_order_of_needs_and_reports() {
    let plugins = Plugins::new();
    plugins.add("a", CALLER, &["demo.calculator@1"]);
    plugins.add("b", CALC, &[]);
    fs::create_dir(plugins.at("typo")).unwrap();
    fs::write(plugins.at("typo/manifest.tml"), "").unwrap();
    let watcher = plugins.runtime.watch_dir(plugins.root()).unwrap();
    let report = watcher.report().unwrap();
    assert_eq!(report.names(), ["b", "a"]);
    let [RuntimeError::Manifest(ManifestError::Missing { found, .. })] = &report.problems[..] else {
        panic!("{report}")
    };
    assert!(matches!(&**found, FoundInstead::MisspeltManifest { file } if file == "manifest.tml"), "{report}");
    assert_eq!(plugins.next(), "loaded b");
    assert_eq!(plugins.next(), "loaded a");
    assert_eq!(plugins.next(), "failed typo");
    plugins.none();
    watcher.stop();
    assert!(!watcher.is_watching());
    plugins.add("late", ONE, &[]);
    plugins.none();
}

#[test]
fn a_bundle_that_comes_is_loaded() {
    let plugins = Plugins::new();
    let watcher = plugins.watch(patient());
    assert!(watcher.report().unwrap().loaded.is_empty());
    // By a copy, file by file.
    make(&plugins.at("copied"), "copied", ONE, &[]);
    assert_eq!(plugins.next(), "loaded copied");
    // By a rename of the whole folder.
    plugins.add("moved", CALC, &[]);
    assert_eq!(plugins.next(), "loaded moved");
    // By a rename from a hidden folder, whose files do not count.
    make(&plugins.at(".hidden"), "hidden", CALLER, &[]);
    plugins.none();
    rename(plugins.at(".hidden"), plugins.at("hidden")).unwrap();
    assert_eq!(plugins.next(), "loaded hidden");
    // From then on they are reloaded, also by a rename of the file, as editors do.
    install(&plugins.at("copied"), TWO);
    assert_eq!(plugins.next(), "reloaded copied");
    assert_eq!(plugins.stamp(), 2);
    plugins.none();
}

/// As a build that has just begun writes its artifact.
#[test]
fn a_bundle_that_comes_slowly_is_loaded_once_it_is_complete() {
    let plugins = Plugins::new();
    let _watcher = plugins.watch(patient());
    let whole = fs::read(library(ONE)).unwrap();
    fs::create_dir(plugins.at("slow")).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    fs::write(plugins.at("slow/manifest.toml"), manifest_of("slow", &[])).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    write_slowly(&artifact(&plugins.at("slow")), &whole, 5, Duration::from_millis(200), true);
    assert_eq!(plugins.next(), "loaded slow");
    plugins.none();
}

#[test]
fn half_a_bundle_is_reported_and_tried_again() {
    let plugins = Plugins::new();
    let _watcher = plugins.watch(impatient());
    let whole = fs::read(library(ONE)).unwrap();
    make(&plugins.beside(), "half", ONE, &[]);
    fs::write(artifact(&plugins.beside()), &whole[..whole.len() / 2]).unwrap();
    rename(plugins.beside(), plugins.at("half")).unwrap();
    let error = plugins.failed(Operation::Load, "half").to_string();
    assert!(error.contains("truncated"), "{error}");
    install(&plugins.at("half"), ONE);
    assert_eq!(plugins.next(), "loaded half");
    plugins.none();
}

#[test]
fn what_failed_at_the_start_is_tried_again_when_it_changes() {
    let plugins = Plugins::new();
    plugins.add("a", "plugin-init-panics", &[]);
    let watcher = plugins.watch(impatient());
    let report = watcher.report().unwrap();
    assert!(report.loaded.is_empty() && report.problems.len() == 1, "{report}");
    plugins.none();
    install(&plugins.at("a"), ONE);
    assert_eq!(plugins.next(), "loaded a");
    plugins.none();
}

#[test]
fn a_misspelt_manifest_is_reported_and_loaded_when_it_is_renamed() {
    let plugins = Plugins::new();
    let _watcher = plugins.watch(impatient());
    make(&plugins.beside(), "a", ONE, &[]);
    rename(plugins.beside().join("manifest.toml"), plugins.beside().join("manifest.tml")).unwrap();
    rename(plugins.beside(), plugins.at("a")).unwrap();
    let error = plugins.failed(Operation::Load, "a");
    assert!(error.to_string().contains("`manifest.tml`: if that is the bundle's manifest, rename it"), "{error}");
    rename(plugins.at("a/manifest.tml"), plugins.at("a/manifest.toml")).unwrap();
    assert_eq!(plugins.next(), "loaded a");
    fs::write(plugins.at("lone.lua"), "return 1").unwrap();
    let error = plugins.failed(Operation::Load, "lone.lua").to_string();
    assert!(error.contains("a file alone is no bundle"), "{error}");
    fs::write(plugins.at("numbers.csv"), "1").unwrap();
    plugins.none();
}

#[test]
fn what_lacks_a_contract_is_loaded_when_a_bundle_provides_it() {
    let plugins = Plugins::new();
    plugins.add("caller", CALLER, &["demo.calculator@1"]);
    let watcher = plugins.watch(impatient());
    assert!(matches!(watcher.report().unwrap().problems[..], [RuntimeError::DependencyMissing { .. }]));
    plugins.none();
    plugins.add("calc", CALC, &[]);
    assert_eq!(plugins.next(), "loaded calc");
    assert_eq!(plugins.next(), "loaded caller");
    plugins.none();

    // The same for a bundle that comes, and with a provider that the host loads from elsewhere.
    plugins.add("greeter", "plugin-greeter-one", &["test.stamp@1"]);
    let error = plugins.failed(Operation::Load, "greeter");
    assert!(matches!(*error, RuntimeError::DependencyMissing { .. }), "{error}");
    let elsewhere = plugins.folder.path().join("elsewhere");
    make(&elsewhere, "stamp", ONE, &[]);
    plugins.runtime.load_bundle(&elsewhere).unwrap();
    assert_eq!(plugins.next(), "loaded stamp");
    assert_eq!(plugins.next(), "loaded greeter");
    plugins.none();
}

/// A contract of the host.
#[polyplug::contract(name = "test.late", version = "1.0")]
trait Late {
    fn nothing(&self);
}

struct Provider;

impl Late for Provider {
    fn nothing(&self) {}
}

#[test]
fn what_lacks_a_contract_of_the_host_is_loaded_when_the_host_provides_it() {
    let plugins = Plugins::new();
    plugins.add("a", ONE, &[]);
    let manifest = manifest_of("a", &[]) + "[[host]]\ncontract = \"test.late@1\"\n";
    fs::write(plugins.at("a/manifest.toml"), manifest).unwrap();
    let watcher = plugins.watch(impatient());
    assert!(matches!(watcher.report().unwrap().problems[..], [RuntimeError::HostContractMissing(_)]));
    plugins.none();
    plugins.runtime.provide::<dyn Late>(Provider).unwrap();
    assert_eq!(plugins.next(), "loaded a");
    plugins.none();
}

/// The same folder has several paths.
#[cfg(unix)]
#[test]
fn what_was_loaded_by_another_path_is_watched() {
    let plugins = Plugins::new();
    plugins.add("a", ONE, &[]);
    std::os::unix::fs::symlink("plugins", plugins.folder.path().join("link")).unwrap();
    plugins.runtime.load_bundle(plugins.folder.path().join("link/a")).unwrap();
    let watcher = plugins.watch(patient());
    let report = watcher.report().unwrap();
    assert!(report.loaded.is_empty() && report.problems.is_empty(), "{report}");
    install(&plugins.at("a"), TWO);
    assert_eq!(plugins.next(), "reloaded a");
    plugins.none();
}

#[test]
fn a_bundle_that_is_removed_is_unloaded() {
    let plugins = Plugins::new();
    plugins.add("a", ONE, &[]);
    plugins.add("b", CALC, &[]);
    let _watcher = plugins.watch(impatient());
    let stamp = plugins.runtime.proxy::<dyn Stamp>().unwrap();
    remove_dir_all(plugins.at("a")).unwrap();
    assert_eq!(plugins.next(), "unloaded a");
    assert!(stamp.version().is_err());
    plugins.none();
    plugins.add("a", TWO, &[]);
    assert_eq!(plugins.next(), "loaded a");
    assert_eq!(plugins.stamp(), 2);
    // What makes the folder a bundle is its manifest.
    fs::remove_file(plugins.at("a/manifest.toml")).unwrap();
    assert_eq!(plugins.next(), "unloaded a");
}

#[test]
fn a_bundle_that_is_removed_may_stay_loaded() {
    let plugins = Plugins::new();
    plugins.add("a", ONE, &[]);
    let _watcher = plugins.watch(impatient().keep_removed(true));
    remove_dir_all(plugins.at("a")).unwrap();
    plugins.none();
    assert_eq!(plugins.stamp(), 1);
    plugins.add("a", TWO, &[]);
    assert_eq!(plugins.next(), "reloaded a");
    assert_eq!(plugins.stamp(), 2);
}

#[test]
fn what_others_need_is_unloaded_after_them() {
    let plugins = Plugins::new();
    plugins.add("calc", CALC, &[]);
    plugins.add("caller", CALLER, &["demo.calculator@1"]);
    let _watcher = plugins.watch(impatient().patience(Duration::from_secs(3)));
    remove_dir_all(plugins.at("calc")).unwrap();
    let error = plugins.failed(Operation::Unload, "calc");
    assert!(
        matches!(&*error, RuntimeError::DependencyInUse { dependents, .. } if dependents == &["caller"]),
        "{error}"
    );
    (0..3).for_each(|_| plugins.none()); // longer than the patience: it is said once
    remove_dir_all(plugins.at("caller")).unwrap();
    assert_eq!(plugins.next(), "unloaded caller");
    assert_eq!(plugins.next(), "unloaded calc");

    // Both at once.
    plugins.add("calc", CALC, &[]);
    plugins.add("caller", CALLER, &["demo.calculator@1"]);
    assert_eq!(plugins.next(), "loaded calc");
    assert_eq!(plugins.next(), "loaded caller");
    remove_dir_all(plugins.at("calc")).unwrap();
    remove_dir_all(plugins.at("caller")).unwrap();
    assert_eq!(plugins.next(), "unloaded caller");
    assert_eq!(plugins.next(), "unloaded calc");
    plugins.none();
}

/// The state of the instances shows that the bundle was reloaded, and not unloaded.
#[test]
fn a_folder_that_is_renamed_is_followed() {
    let plugins = Plugins::new();
    plugins.add("a", ONE, &[]);
    let _watcher = plugins.watch(patient());
    let stamp = plugins.runtime.proxy::<dyn Stamp>().unwrap();
    rename(plugins.at("a"), plugins.at("b")).unwrap();
    assert_eq!(plugins.next(), "reloaded a");
    assert_eq!(stamp.version(), Ok(1));
    assert_eq!(plugins.runtime.bundle("a").unwrap().directory, Some(plugins.at("b")));
    plugins.none();
    install(&plugins.at("b"), TWO);
    assert_eq!(plugins.next(), "reloaded a");
    assert_eq!(stamp.version(), Ok(2));
    plugins.none();
}

#[test]
fn a_folder_that_is_copied_and_then_removed_is_followed() {
    let plugins = Plugins::new();
    plugins.add("a", ONE, &[]);
    let _watcher = plugins.watch(patient());
    let stamp = plugins.runtime.proxy::<dyn Stamp>().unwrap();
    make(&plugins.beside(), "a", TWO, &[]);
    rename(plugins.beside(), plugins.at("b")).unwrap();
    let error = plugins.failed(Operation::Load, "a");
    let RuntimeError::DuplicateName { directories, .. } = &*error else { panic!("{error}") };
    assert_eq!(directories, &[plugins.at("a"), plugins.at("b")]);
    remove_dir_all(plugins.at("a")).unwrap();
    assert_eq!(plugins.next(), "reloaded a");
    assert_eq!(stamp.version(), Ok(2));
    plugins.none();
}

// In Wine a folder that is removed keeps its name while it is watched.
#[cfg(unix)]
#[test]
fn a_name_that_is_given_up_as_the_failure_is_told_is_taken() {
    let plugins = Plugins::new();
    plugins.add("a", ONE, &[]);
    let first = plugins.at("a");
    let give_up = move |event: &Event| {
        if matches!(event.kind, EventKind::Failed(_)) {
            remove_dir_all(&first).unwrap();
        }
    };
    plugins.runtime.on_event(give_up).detach();
    let _watcher = plugins.watch(patient());
    make(&plugins.beside(), "a", TWO, &[]);
    rename(plugins.beside(), plugins.at("b")).unwrap();
    plugins.failed(Operation::Load, "a");
    assert_eq!(plugins.next(), "reloaded a");
    assert_eq!(plugins.stamp(), 2);
    plugins.none();
}

#[test]
fn a_folder_that_is_replaced_is_reloaded() {
    let plugins = Plugins::new();
    plugins.add("a", ONE, &[]);
    let _watcher = plugins.watch(patient());
    let counter = plugins.runtime.proxy::<dyn Counter>().unwrap();
    for package in [TWO, ONE, TWO] {
        remove_dir_all(plugins.at("a")).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        plugins.add("a", package, &[]);
        assert_eq!(plugins.next(), "reloaded a");
        assert!(counter.add(1).is_ok());
    }
    plugins.none();
}

#[cfg(unix)]
#[test]
fn links_that_are_switched_are_followed() {
    use std::os::unix::fs::symlink;
    let plugins = Plugins::new();
    let release = |name: &str| plugins.folder.path().join(name);
    for (name, package) in [("1", ONE), ("2", TWO)] {
        make(&release(name), "a", package, &[]);
    }
    symlink(release("1"), plugins.at("a")).unwrap();
    let _watcher = plugins.watch(patient());
    assert_eq!(plugins.stamp(), 1);
    symlink(release("2"), plugins.at(".next")).unwrap();
    rename(plugins.at(".next"), plugins.at("a")).unwrap();
    assert_eq!(plugins.next(), "reloaded a");
    assert_eq!(plugins.stamp(), 2);
    plugins.none();
    // A link that leads nowhere for a moment.
    rename(release("2"), release("3")).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    rename(release("3"), release("2")).unwrap();
    install(&release("2"), ONE);
    assert_eq!(plugins.next(), "reloaded a");
    assert_eq!(plugins.stamp(), 1);
    plugins.none();
}

#[test]
fn another_name_in_a_manifest_is_another_bundle() {
    let plugins = Plugins::new();
    plugins.add("folder", ONE, &[]);
    let _watcher = plugins.watch(impatient());
    fs::write(plugins.at("folder/manifest.toml"), manifest_of("renamed", &[])).unwrap();
    assert_eq!(plugins.next(), "unloaded folder");
    assert_eq!(plugins.next(), "loaded renamed");
    plugins.none();
}

#[test]
fn two_bundles_of_a_name_wait_for_the_removal_of_one() {
    let plugins = Plugins::new();
    for folder in ["one", "two"] {
        make(&plugins.at(folder), "calc", CALC, &[]);
    }
    plugins.add("other", ONE, &[]);
    let watcher = plugins.watch(impatient());
    let report = watcher.report().unwrap();
    assert_eq!(report.names(), ["other"]);
    assert!(matches!(report.problems[..], [RuntimeError::DuplicateName { .. }]), "{report}");
    plugins.none();
    remove_dir_all(plugins.at("one")).unwrap();
    assert_eq!(plugins.next(), "loaded calc");
    plugins.none();
}

#[test]
fn what_the_host_unloads_stays_unloaded_until_it_changes() {
    let plugins = Plugins::new();
    plugins.add("a", ONE, &[]);
    plugins.add("b", CALC, &[]);
    let _watcher = plugins.watch(impatient());
    plugins.runtime.unload_bundle("a").unwrap();
    assert_eq!(plugins.next(), "unloaded a");
    plugins.runtime.unload_bundle("b").unwrap();
    assert_eq!(plugins.next(), "unloaded b");
    plugins.none();
    install(&plugins.at("a"), TWO);
    assert_eq!(plugins.next(), "loaded a");
    assert_eq!(plugins.stamp(), 2);
    plugins.none();
}

/// Windows does not rename a folder in which a watched one lies.
#[cfg(not(windows))]
#[test]
fn while_the_whole_folder_is_gone_its_bundles_serve_on() {
    let plugins = Plugins::new();
    plugins.add("a", ONE, &[]);
    plugins.add("b", CALC, &[]);
    let _watcher = plugins.watch(impatient());
    let away = plugins.folder.path().join("away");
    rename(plugins.root(), &away).unwrap();
    plugins.none();
    assert_eq!(plugins.stamp(), 1);
    // It comes back with a change, and without one of the bundles.
    install(&away.join("a"), TWO);
    rename(away.join("b"), plugins.folder.path().join("b")).unwrap();
    rename(&away, plugins.root()).unwrap();
    let mut seen = [plugins.next(), plugins.next()];
    seen.sort();
    assert_eq!(seen, ["reloaded a", "unloaded b"]);
    plugins.none();
    plugins.add("c", CALLER, &[]);
    assert_eq!(plugins.next(), "loaded c");
}

#[test]
fn the_whole_folder_may_be_removed_and_made_anew() {
    let plugins = Plugins::new();
    plugins.add("a", ONE, &[]);
    plugins.add("b", CALC, &[]);
    let _watcher = plugins.watch(impatient());
    remove_dir_all(plugins.root()).unwrap();
    plugins.none();
    assert_eq!(plugins.stamp(), 1);
    let away = plugins.folder.path().join("away");
    make(&away.join("a"), "a", TWO, &[]);
    make(&away.join("b"), "b", CALC, &[]);
    rename(&away, plugins.root()).unwrap();
    let mut seen = [plugins.next(), plugins.next()];
    seen.sort();
    assert_eq!(seen, ["reloaded a", "reloaded b"]);
    assert_eq!(plugins.stamp(), 2);
    plugins.none();
}

/// As `git checkout` of another branch does it. The bundles need each other against the order of their names.
#[test]
fn fifty_bundles_at_once() {
    const COUNT: usize = 50;
    let plugins = Plugins::new();
    let watcher = plugins.watch(patient());
    let make_all = |greeting: &str| {
        for number in 0..COUNT {
            let folder = plugins.at(&format!("b{number:02}"));
            fs::create_dir_all(&folder).unwrap();
            let text = manifest(&format!("b{number:02}"), "lua", "main.lua");
            let needs = "[[dependency]]\ncontract = \"demo.calculator@1\"\n";
            let last = number == COUNT - 1;
            fs::write(folder.join("manifest.toml"), if last { text } else { text + needs }).unwrap();
            let contract = if last { "demo.calculator@1" } else { "test.counter@1" };
            let methods = if last {
                "function P:add(a, b) return a + b end\nfunction P:divide(a, b) return a end\n\
                 function P:greet(name) return name end\nfunction P:sum(values) return 0 end"
            } else {
                "function P:add(by) return by end"
            };
            let code = format!(
                "-- {greeting}\nlocal polyplug = require('polyplug')\n\
                 local P = polyplug.plugin('{contract}')\n{methods}\n"
            );
            fs::write(folder.join("main.lua"), code).unwrap();
        }
    };
    make_all("one");
    let mut seen: Vec<_> = (0..COUNT).map(|_| plugins.next()).collect();
    assert_eq!(seen[0], format!("loaded b{}", COUNT - 1));
    seen.sort();
    let expected = |what: &str| (0..COUNT).map(|number| format!("{what} b{number:02}")).collect::<Vec<_>>();
    assert_eq!(seen, expected("loaded"));
    plugins.none();
    make_all("another");
    let mut seen: Vec<_> = (0..COUNT).map(|_| plugins.next()).collect();
    seen.sort();
    assert_eq!(seen, expected("reloaded"));
    watcher.stop();
    let _watcher = plugins.watch(impatient().patience(Duration::from_secs(3)));
    for number in 0..COUNT {
        remove_dir_all(plugins.at(&format!("b{number:02}"))).unwrap();
    }
    let mut seen: Vec<_> = (0..COUNT).map(|_| plugins.next()).collect();
    assert_eq!(seen[COUNT - 1], format!("unloaded b{}", COUNT - 1));
    seen.sort();
    assert_eq!(seen, expected("unloaded"));
    plugins.none();
}

#[test]
fn what_cannot_be_watched_is_said_at_the_start() {
    let plugins = Plugins::new();
    let error = plugins.runtime.watch_dir(plugins.folder.path().join("plugin")).unwrap_err();
    let WatchError::Directory(missing) = &error else { panic!("{error}") };
    assert!(matches!(**missing, RuntimeError::NoDirectory { .. }), "{error}");
    assert!(error.to_string().contains("(did you mean `plugins`?)"), "{error}");
    plugins.add("a", ONE, &[]);
    let error = plugins.runtime.watch_dir(plugins.at("a")).unwrap_err();
    assert!(error.to_string().contains("it is a bundle itself"), "{error}");
    assert!(plugins.runtime.bundle_ids().is_empty());
    let cold = polyplug_tests::runtime();
    assert!(matches!(cold.watch_dir(plugins.root()), Err(WatchError::HotReloadDisabled)));
    assert!(cold.bundle_ids().is_empty());
}

/// A stop from within a load is the end of the watcher's work, however many bundles are ready.
#[test]
fn stopped_by_a_subscriber() {
    let plugins = Plugins::new();
    let watcher = Arc::new(plugins.watch(patient()));
    let stopping = Arc::downgrade(&watcher);
    let subscription = plugins.runtime.on_event(move |event| {
        if let (EventKind::Loaded, Some(watcher)) = (&event.kind, stopping.upgrade()) {
            watcher.stop();
        }
    });
    for name in ["a", "b", "c"] {
        plugins.add(name, CALC, &[]);
    }
    assert!(plugins.next().starts_with("loaded "));
    plugins.none();
    assert!(!watcher.is_watching());
    drop(subscription);
}

/// Bundles that the host has loaded before are not loaded again, and are watched.
#[test]
fn what_is_loaded_already_is_watched() {
    let plugins = Plugins::new();
    plugins.add("a", ONE, &[]);
    assert_eq!(plugins.runtime.load_dir(plugins.root()).names(), ["a"]);
    let watcher = plugins.watch(impatient());
    let report = watcher.report().unwrap();
    assert!(report.loaded.is_empty() && report.problems.is_empty(), "{report}");
    install(&plugins.at("a"), TWO);
    assert_eq!(plugins.next(), "reloaded a");
    until("the watcher ends with the runtime", {
        let Plugins { folder: _folder, runtime, events } = plugins;
        drop((runtime, events));
        let watcher = watcher;
        move || !watcher.is_watching()
    });
}
