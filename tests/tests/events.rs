//! A host sees what happens to its bundles: each load, reload and unload, each failure with its error, and the end of each
//! version's code, in order, without a line of unsafe code.

use std::env::consts::DLL_SUFFIX;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::thread::{self, ThreadId};
use std::time::Duration;

use polyplug::error::{LoaderError, ManifestError, RuntimeError};
use polyplug::runtime::{Operation, RuntimeBuilder};
use polyplug::{BundleId, Event, EventKind, EventSubscription, Runtime};
use polyplug_lua::LuaLoader;
use polyplug_native::NativeLoader;
use polyplug_tests::lua::{SCRIPT, Script};
use polyplug_tests::{Bundle, eventually, library, logged_anywhere, manifest};
use tempfile::TempDir;
use test_contracts::Counter;

fn builder() -> RuntimeBuilder {
    Runtime::builder().loader(NativeLoader::new()).loader(LuaLoader::new()).hot_reload(true)
}

/// The events so far, with the threads that the subscriber was called on.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<(Event, ThreadId)>>>);

impl Seen {
    fn subscribe(runtime: &Runtime) -> (Self, EventSubscription) {
        let seen = Self::default();
        let subscription = runtime.on_event(seen.subscriber());
        (seen, subscription)
    }

    fn subscriber(&self) -> impl Fn(&Event) + Send + Sync + 'static {
        let Self(seen) = self.clone();
        move |event| seen.lock().unwrap().push((event.clone(), thread::current().id()))
    }

    fn take(&self) -> Vec<Event> {
        self.take_with_threads().into_iter().map(|(event, _)| event).collect()
    }

    fn take_with_threads(&self) -> Vec<(Event, ThreadId)> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the events so far as `bundle: kind`.
    fn take_words(&self) -> Vec<String> {
        self.take().iter().map(words).collect()
    }

    #[track_caller]
    fn only(&self) -> Event {
        let mut events = self.take();
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    }
}

fn words(event: &Event) -> String {
    format!("{}: {}", event.bundle.name, kind(&event.kind))
}

fn kind(kind: &EventKind) -> &'static str {
    match kind {
        EventKind::Loaded => "Loaded",
        EventKind::Reloading => "Reloading",
        EventKind::Reloaded(_) => "Reloaded",
        EventKind::Failed(_) => "Failed",
        EventKind::Unloading => "Unloading",
        EventKind::Unloaded(_) => "Unloaded",
        EventKind::Reclaimed => "Reclaimed",
        EventKind::StillMapped { reclaimed: false, .. } => "held",
        EventKind::StillMapped { .. } => "StillMapped",
        _ => "another kind",
    }
}

#[track_caller]
fn failure(event: &Event) -> &RuntimeError {
    let EventKind::Failed(error) = &event.kind else { panic!("{event:?}") };
    error
}

fn install(bundle: &Bundle, package: &str) {
    std::fs::copy(library(package), bundle.path().join(format!("plugin{DLL_SUFFIX}"))).unwrap();
}

#[test]
fn a_bundle_from_its_load_to_its_end() {
    let runtime = builder().build().unwrap();
    let (seen, _subscription) = Seen::subscribe(&runtime);
    let bundle = Bundle::native("counts", "plugin-reload-one");
    runtime.load_bundle(bundle.path()).unwrap();
    let loaded = seen.only();
    assert!(matches!(loaded.kind, EventKind::Loaded), "{loaded:?}");
    assert_eq!((loaded.bundle.name.as_str(), loaded.bundle.id), ("counts", BundleId::new("counts")));
    assert_eq!((loaded.bundle.version.to_string(), loaded.bundle.loader), ("1.0.0".to_owned(), Some("native")));
    assert_eq!(loaded.bundle.plugins.len(), 2);

    let counter = runtime.proxy::<dyn Counter>().unwrap();
    counter.add(1).unwrap();
    install(&bundle, "plugin-reload-two");
    let manifest = std::fs::read_to_string(bundle.path().join("manifest.toml")).unwrap();
    bundle.write("manifest.toml", manifest.replace("1.0.0", "2.0.0"));
    let report = runtime.reload_bundle(bundle.path()).unwrap();
    let events = seen.take();
    let [reloading, reloaded, held] = &events[..] else { panic!("{events:?}") };
    assert!(matches!(reloading.kind, EventKind::Reloading), "{reloading:?}");
    assert_eq!(reloading.bundle.version.to_string(), "1.0.0", "the version that serves");
    let EventKind::Reloaded(told) = &reloaded.kind else { panic!("{reloaded:?}") };
    assert_eq!((told.restarted, told.migrated, told.drained), (1, 0, 0));
    assert_eq!((told.restarted, &told.name), (report.restarted, &report.name));
    assert_eq!(reloaded.bundle.version.to_string(), "2.0.0", "the new version");
    let EventKind::StillMapped { reason, holders, reclaimed: false, .. } = &held.kind else { panic!("{held:?}") };
    assert_eq!(holders.len(), 1, "{holders:?}");
    assert!(reason.contains("1 lease of test.counter taken at ") && reason.contains("events.rs"), "{reason}");
    assert_eq!((held.bundle.version.to_string(), held.operation()), ("1.0.0".to_owned(), Operation::Reload));

    drop(counter);
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
    eventually("the old version's end is told", || !seen.0.lock().unwrap().is_empty());
    let reclaimed = seen.only();
    assert!(matches!(reclaimed.kind, EventKind::Reclaimed), "{reclaimed:?}");
    assert_eq!(reclaimed.bundle.version.to_string(), "1.0.0");

    bundle.write(&format!("plugin{DLL_SUFFIX}"), "no library");
    let error = runtime.reload_bundle(bundle.path()).unwrap_err();
    let events = seen.take();
    let [reloading, failed] = &events[..] else { panic!("{events:?}") };
    assert!(matches!(reloading.kind, EventKind::Reloading), "{reloading:?}");
    assert_eq!(failure(failed).to_string(), error.to_string());
    assert!(matches!(failure(failed), RuntimeError::Loader(LoaderError::ArtifactInvalid { .. })), "{failed:?}");
    assert_eq!(failed.bundle.version.to_string(), "2.0.0", "which serves on");

    let report = runtime.unload_bundle("counts").unwrap();
    assert!(report.reclaimed, "{report}");
    let events = seen.take();
    assert_eq!(
        events.iter().map(words).collect::<Vec<_>>(),
        ["counts: Unloading", "counts: Unloaded", "counts: Reclaimed"]
    );
    assert!(events.iter().all(|event| event.bundle.plugins.len() == 2 && event.operation() == Operation::Unload));
}

#[test]
fn the_report_of_an_unload_names_the_holders() {
    let runtime = builder().build().unwrap();
    let bundle = Bundle::native("counts", "plugin-reload-one");
    runtime.load_bundle(bundle.path()).unwrap();
    let counter = runtime.proxy::<dyn Counter>().unwrap();
    let (seen, _subscription) = Seen::subscribe(&runtime);
    runtime.unload_bundle("counts").unwrap();
    let events = seen.take();
    let [_, unloaded, held] = &events[..] else { panic!("{events:?}") };
    let EventKind::Unloaded(report) = &unloaded.kind else { panic!("{unloaded:?}") };
    assert_eq!((report.id, report.bundle.as_str(), report.reclaimed), (BundleId::new("counts"), "counts", false));
    assert_eq!(report.holders[0].contract, "test.counter");
    assert!(unloaded.to_string().contains("unloaded; its code is held by 1 lease of test.counter"), "{unloaded}");
    assert_eq!(kind(&held.kind), "held");
    drop(counter);
    eventually("the end is told", || seen.0.lock().unwrap().len() == 1);
    assert_eq!(seen.take_words(), ["counts: Reclaimed"]);
}

#[test]
fn each_failure_of_a_load_is_told_with_its_error() {
    let runtime = builder().build().unwrap();
    let (seen, _subscription) = Seen::subscribe(&runtime);
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let write = |name: &str, manifest: &str, code: &str| {
        std::fs::create_dir(at(name)).unwrap();
        std::fs::write(at(name).join("manifest.toml"), manifest).unwrap();
        std::fs::write(at(name).join("main.lua"), code).unwrap();
    };
    let lua = |name: &str| manifest(name, "lua", "main.lua");
    write("syntax", "name = ", SCRIPT);
    write("loader", &manifest("wants", "cobol", "main.cob"), SCRIPT);
    write("artifact", &manifest("lacks", "lua", "other.lua"), SCRIPT);
    write("code", &lua("raises"), "error('no good')");
    write("needs", &(lua("needs") + "[[dependency]]\ncontract = \"test.unheard_of@1\"\n"), SCRIPT);
    type Expected = fn(&RuntimeError) -> bool;
    let cases: [(&str, &str, Expected); 6] = [
        ("missing", "missing", |error| matches!(error, RuntimeError::Manifest(ManifestError::Missing { .. }))),
        ("syntax", "syntax", |error| matches!(error, RuntimeError::Manifest(ManifestError::Syntax { .. }))),
        ("loader", "wants", |error| matches!(error, RuntimeError::UnknownLoader { .. })),
        ("artifact", "lacks", |error| matches!(error, RuntimeError::Loader(LoaderError::ArtifactMissing { .. }))),
        ("code", "raises", |error| matches!(error, RuntimeError::Loader(LoaderError::InitFailed { .. }))),
        ("needs", "needs", |error| matches!(error, RuntimeError::DependencyMissing { .. })),
    ];
    for (folder, name, expected) in cases {
        let error = runtime.load_bundle(at(folder)).unwrap_err();
        let event = seen.only();
        assert_eq!((event.bundle.name.as_str(), event.operation()), (name, Operation::Load), "{event:?}");
        assert!(expected(failure(&event)), "{event:?}");
        assert_eq!(failure(&event).to_string(), error.to_string());
        assert_eq!(event.bundle.directory.as_deref(), Some(&*at(folder)));
        assert!(event.bundle.plugins.is_empty());
    }
    let error = runtime.load_bundle_from("name = 5", polyplug::loader::BundleSource::Code(String::new())).unwrap_err();
    assert_eq!(failure(&seen.only()).to_string(), error.to_string());

    let bundle = Bundle::script("lua", SCRIPT);
    runtime.load_bundle(bundle.path()).unwrap();
    seen.take();
    runtime.load_bundle(bundle.path()).unwrap_err();
    assert!(matches!(failure(&seen.only()), RuntimeError::AlreadyLoaded { .. }));
}

#[test]
fn the_failures_of_a_directory_are_told_each_for_its_bundle() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: String| {
        let bundle = folder.path().join(name);
        std::fs::create_dir(&bundle).unwrap();
        std::fs::write(bundle.join("manifest.toml"), text).unwrap();
        std::fs::write(bundle.join("main.lua"), SCRIPT).unwrap();
    };
    let lua = |name: &str| manifest(name, "lua", "main.lua");
    write("good", lua("good"));
    write("needs", lua("needs") + "[[dependency]]\ncontract = \"test.unheard_of@1\"\n");
    write("syntax", "name = ".to_owned());
    let runtime = builder().build().unwrap();
    let (seen, _subscription) = Seen::subscribe(&runtime);
    runtime.load_dir(folder.path()).into_result().unwrap_err();
    let events = seen.take();
    let mut told: Vec<_> = events.iter().map(words).collect();
    told.sort();
    assert_eq!(told, ["good: Loaded", "needs: Failed", "syntax: Failed"]);

    write("twin", lua("good"));
    let runtime = builder().build().unwrap();
    let (seen, _subscription) = Seen::subscribe(&runtime);
    runtime.load_dir(folder.path()).into_result().unwrap_err();
    let mut told = seen.take_words();
    told.sort();
    assert_eq!(told, ["good: Failed", "good: Failed", "needs: Failed", "syntax: Failed"], "neither twin is loaded");
}

#[test]
fn a_reload_that_never_begins_is_a_failure_of_the_bundle_that_serves() {
    let runtime = builder().build().unwrap();
    let bundle = Bundle::script("lua", SCRIPT);
    runtime.load_bundle(bundle.path()).unwrap();
    let (seen, _subscription) = Seen::subscribe(&runtime);
    for (text, expected) in
        [("name = ".to_owned(), "manifest.toml:1"), (manifest("other", "lua", "main.lua"), "`other`")]
    {
        bundle.write("manifest.toml", text);
        let error = runtime.reload_bundle(bundle.path()).unwrap_err();
        let event = seen.only();
        assert_eq!((event.bundle.name.as_str(), event.operation()), ("lua", Operation::Reload), "{event:?}");
        assert_eq!(failure(&event).to_string(), error.to_string());
        assert!(
            event.to_string().contains("the old version serves on") && event.to_string().contains(expected),
            "{event}"
        );
    }
    runtime.reload_bundle(Path::new("/nowhere/else")).unwrap_err();
    let event = seen.only();
    assert_eq!(event.bundle.name, "else", "the name of the folder, as no bundle serves from there");
    assert!(!event.to_string().contains("serves on"), "{event}");
}

#[test]
fn an_unload_that_is_refused_is_told() {
    let runtime = builder().build().unwrap();
    let (provider, user) = (Bundle::native("calc", "plugin-calc"), Bundle::script("lua", SCRIPT));
    let needs = manifest("user", "lua", "main.lua") + "[[dependency]]\ncontract = \"demo.calculator@1\"\n";
    user.write("manifest.toml", needs);
    runtime.load_bundle(provider.path()).unwrap();
    runtime.load_bundle(user.path()).unwrap();
    let (seen, _subscription) = Seen::subscribe(&runtime);
    runtime.unload_bundle("calc").unwrap_err();
    let event = seen.only();
    assert!(matches!(failure(&event), RuntimeError::DependencyInUse { .. }), "{event:?}");
    assert_eq!((event.bundle.name.as_str(), event.operation()), ("calc", Operation::Unload));
    runtime.unload_bundle("unheard of").unwrap_err();
    assert_eq!(seen.take_words(), [""; 0], "there is no such bundle");
}

#[test]
fn a_subscriber_that_panics_does_no_harm() {
    let seen = Seen::default();
    let runtime = builder().on_event(|_| panic!("out of paper")).on_event(seen.subscriber()).build().unwrap();
    let bundle = Bundle::script("lua", SCRIPT);
    let ((), messages) = logged_anywhere(|| {
        runtime.load_bundle(bundle.path()).unwrap();
        runtime.reload_bundle(bundle.path()).unwrap();
        assert!(runtime.unload_bundle("lua").unwrap().reclaimed);
    });
    let kinds: Vec<_> = seen.take().iter().map(|event| kind(&event.kind)).collect();
    assert_eq!(kinds, ["Loaded", "Reloading", "Reloaded", "Reclaimed", "Unloading", "Unloaded", "Reclaimed"]);
    let logged = messages.iter().filter(|logged| logged.message.contains("a subscriber of events panicked"));
    assert_eq!(logged.count(), 7, "{messages:?}");
}

#[test]
fn a_subscription_ends_with_its_guard_and_a_detached_one_does_not() {
    let runtime = builder().build().unwrap();
    let (dropped, subscription) = Seen::subscribe(&runtime);
    let (detached, other) = Seen::subscribe(&runtime);
    other.detach();
    drop(subscription);
    runtime.load_bundle(Bundle::script("lua", SCRIPT).path()).unwrap();
    assert_eq!(dropped.take_words(), [""; 0]);
    assert_eq!(detached.take_words(), ["lua: Loaded"]);
    drop(runtime);
    assert_eq!(detached.take_words(), ["lua: Unloading", "lua: Unloaded", "lua: Reclaimed"]);
    assert_eq!(Arc::strong_count(&dropped.0), 1, "the subscriber is dropped");
    assert_eq!(Arc::strong_count(&detached.0), 1, "the subscriber is dropped with the runtime");
}

/// Makes a runtime that calls `react` with itself for each event.
fn reacting(react: impl Fn(&Arc<Runtime>, &Event) + Send + Sync + 'static) -> Arc<Runtime> {
    let own: Arc<OnceLock<Weak<Runtime>>> = Arc::default();
    let known = Arc::clone(&own);
    let builder = builder().on_event(move |event| {
        if let Some(runtime) = known.get().and_then(Weak::upgrade) {
            react(&runtime, event);
        }
    });
    let runtime = builder.build().unwrap();
    own.set(Arc::downgrade(&runtime)).unwrap();
    runtime
}

fn script_called(name: &str) -> Bundle {
    let bundle = Bundle::script("lua", SCRIPT);
    bundle.write("manifest.toml", manifest(name, "lua", "main.lua"));
    bundle
}

#[test]
fn a_subscriber_may_change_other_bundles_and_its_own_subscription() {
    let (first, second) = (script_called("first"), script_called("second"));
    let path = second.path().to_owned();
    let log = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&log);
    let runtime = reacting(move |runtime, event| {
        told.lock().unwrap().push(words(event));
        let is_first = event.bundle.name == "first";
        match &event.kind {
            EventKind::Loaded if is_first => {
                let found = runtime.bundle("first").expect("it serves");
                assert_eq!(found.plugins, event.bundle.plugins);
                assert_eq!(runtime.bundles().len(), 1);
                assert!(runtime.proxy_from::<dyn Script>("first").is_ok());
                runtime.load_bundle(&path).unwrap();
                let own = runtime.unload_bundle("first").unwrap_err();
                assert!(matches!(own, RuntimeError::Busy { .. }), "{own}");
            }
            EventKind::Reloaded(_) if is_first => drop(runtime.reload_bundle(&path).unwrap()),
            EventKind::Unloaded(_) if is_first => drop(runtime.unload_bundle("second").unwrap()),
            _ => {}
        }
    });
    // It ends its own subscription at the first event.
    let (calls, own) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(None)));
    let (counted, slot) = (Arc::clone(&calls), Arc::clone(&own));
    let once = runtime.on_event(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        let subscription: Option<EventSubscription> = slot.lock().unwrap().take();
        drop(subscription);
    });
    *own.lock().unwrap() = Some(once);

    runtime.load_bundle(first.path()).unwrap();
    runtime.reload_bundle(first.path()).unwrap();
    runtime.unload_bundle("first").unwrap();
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    assert_eq!(runtime.bundles().len(), 0);
    let of = |name: &str| {
        let log = log.lock().unwrap();
        let of_bundle = log.iter().filter_map(|word| word.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned));
        of_bundle.collect::<Vec<_>>()
    };
    let all = ["Loaded", "Reloading", "Reloaded", "Reclaimed", "Unloading", "Unloaded", "Reclaimed"];
    assert_eq!((of("first"), of("second")), (all.map(str::to_owned).to_vec(), all.map(str::to_owned).to_vec()));
}

#[test]
fn the_thread_that_makes_a_change_calls_the_subscribers() {
    let runtime = builder().build().unwrap();
    let (seen, _subscription) = Seen::subscribe(&runtime);
    let bundle = Bundle::script("lua", SCRIPT);
    runtime.load_bundle(bundle.path()).unwrap();
    let proxy = runtime.proxy::<dyn Script>().unwrap();
    runtime.unload_bundle("lua").unwrap();
    let here = thread::current().id();
    assert!(seen.take_with_threads().iter().all(|(_, thread)| *thread == here));
    drop(proxy);
    eventually("the end is told", || seen.0.lock().unwrap().len() == 1);
    let (event, thread) = seen.take_with_threads().remove(0);
    assert!(matches!(event.kind, EventKind::Reclaimed), "{event:?}");
    assert_ne!(thread, here, "the thread that reclaims");
}

#[test]
fn events_of_a_bundle_come_in_the_order_of_its_changes() {
    let runtime = builder().build().unwrap();
    let (seen, _subscription) = Seen::subscribe(&runtime);
    let bundle = Bundle::script("lua", SCRIPT);
    runtime.load_bundle(bundle.path()).unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    runtime.reload_bundle(bundle.path()).unwrap();
                }
            });
        }
    });
    runtime.unload_bundle("lua").unwrap();
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
    let kinds: Vec<_> = seen.take().iter().map(|event| kind(&event.kind)).collect();
    let ends = kinds.iter().filter(|kind| **kind == "Reclaimed").count();
    assert_eq!(ends, 21, "each version once: {kinds:?}");
    let changes: Vec<_> = kinds.into_iter().filter(|kind| !["Reclaimed", "held"].contains(kind)).collect();
    assert_eq!(changes[0], "Loaded");
    assert!(changes[1..41].chunks(2).all(|pair| pair == ["Reloading", "Reloaded"]), "{changes:?}");
    assert_eq!(changes[41..], ["Unloading", "Unloaded"]);
}

/// A version that is held and released at the same time is never told to be held after its end was told.
#[test]
fn the_end_of_a_version_is_told_last() {
    for _ in 0..50 {
        let runtime = builder().build().unwrap();
        let bundle = Bundle::script("lua", SCRIPT);
        runtime.load_bundle(bundle.path()).unwrap();
        let proxy = runtime.proxy::<dyn Script>().unwrap();
        let (seen, _subscription) = Seen::subscribe(&runtime);
        thread::scope(|scope| {
            scope.spawn(|| drop(proxy));
            runtime.unload_bundle("lua").unwrap();
        });
        assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
        eventually("the end is told", || {
            seen.0.lock().unwrap().iter().any(|(event, _)| matches!(event.kind, EventKind::Reclaimed))
        });
        let told = seen.take_words();
        assert_eq!(told.last().map(String::as_str), Some("lua: Reclaimed"), "{told:?}");
    }
}

#[test]
fn an_event_is_one_line_with_name_version_and_id() {
    let runtime = builder().build().unwrap();
    let (seen, _subscription) = Seen::subscribe(&runtime);
    let bundle = Bundle::script("lua", SCRIPT);
    runtime.load_bundle(bundle.path()).unwrap();
    let id = BundleId::new("lua");
    let folder = bundle.path().display();
    assert_eq!(seen.only().to_string(), format!("bundle `lua` 1.0.0 ({id}): loaded from {folder} (lua)"));
    let held = runtime.proxy::<dyn Script>().unwrap();
    runtime.reload_bundle(bundle.path()).unwrap();
    let events = seen.take();
    let restarted = "reloaded; 1 instance was made afresh and lost its state";
    assert_eq!(events[1].to_string(), format!("bundle `lua` 1.0.0 ({id}): {restarted}"));
    drop(held);
    bundle.write("main.lua", "local x =\n  error('no\\ngood')");
    runtime.reload_bundle(bundle.path()).unwrap_err();
    for event in events.iter().chain(&seen.take()) {
        let text = event.to_string();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.starts_with(&format!("bundle `lua` 1.0.0 ({id}): ")), "{text}");
    }
}

#[test]
fn a_watcher_tells_what_it_sees() {
    let runtime = builder().build().unwrap();
    let (seen, _subscription) = Seen::subscribe(&runtime);
    let bundle = Bundle::script("lua", SCRIPT);
    runtime.load_bundle(bundle.path()).unwrap();
    let options = polyplug::watch::WatchOptions::default();
    let options = options.debounce(Duration::from_millis(50)).patience(Duration::from_millis(300));
    let _watcher = runtime.watch_with(options).unwrap();
    seen.take();
    let wait_for = |wanted: fn(&EventKind) -> bool| {
        eventually("the watcher tells it", || seen.0.lock().unwrap().iter().any(|(event, _)| wanted(&event.kind)));
        seen.take()
    };
    bundle.write("main.lua", "this is no Lua");
    let events = wait_for(|kind| matches!(kind, EventKind::Failed(_)));
    assert!(events.iter().any(|event| matches!(event.kind, EventKind::FilesChanged)), "{events:?}");
    let failed = events.iter().find(|event| matches!(event.kind, EventKind::Failed(_))).unwrap();
    assert!(matches!(failure(failed), RuntimeError::Loader(LoaderError::ArtifactInvalid { .. })), "{failed:?}");

    bundle.write("main.lua", format!("{SCRIPT}\n-- better"));
    let events = wait_for(|kind| matches!(kind, EventKind::Reloaded(_)));
    assert!(events.iter().any(|event| matches!(event.kind, EventKind::FilesChanged)), "{events:?}");

    std::fs::remove_file(bundle.path().join("main.lua")).unwrap();
    let events = wait_for(|kind| matches!(kind, EventKind::Waiting { .. }));
    let waiting = events.iter().find(|event| matches!(event.kind, EventKind::Waiting { .. })).unwrap();
    assert!(waiting.to_string().contains("waits for") && waiting.to_string().contains("main.lua"), "{waiting}");
}
