//! Whatever goes wrong while a bundle is reloaded, the old version answers before, during and after; the error says what
//! happened, the event as well, and nothing of the new version stays.
#![cfg(target_os = "linux")]

use std::env::consts::DLL_SUFFIX;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use polyplug::error::{LoaderError, RuntimeError};
use polyplug::runtime::RuntimeBuilder;
use polyplug::{BundleId, Compatibility, Contract, Runtime};
use polyplug_abi::ReloadPhaseType;
use polyplug_native::NativeLoader;
use polyplug_tests::child::{again, is_child};
use polyplug_tests::copies::{mapped_copies, own_copies};
use polyplug_tests::handles::Handles;
use polyplug_tests::{Bundle, eventually, library, manifest, unloaded};
use test_contracts::moody::{Moody, MoodyProxy};
use test_contracts::{Counter, CounterProxy, Stamp};
use test_contracts_old::Evolving;

/// One test at a time: they look at what the process has mapped and copied.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn artifact() -> String {
    format!("plugin{DLL_SUFFIX}")
}

fn install(bundle: &Bundle, library: &Path) {
    fs::copy(library, bundle.path().join(artifact())).unwrap();
}

/// What was told, and on which thread.
type Told = Arc<Mutex<Vec<(ReloadPhaseType, String, String)>>>;

fn builder() -> (RuntimeBuilder, Told) {
    let told = Told::default();
    let log = Arc::clone(&told);
    let builder = Runtime::builder().loader(NativeLoader::new()).hot_reload(true).on_reload(move |_, phase| {
        // SAFETY: the reason is there during the callback.
        let reason = unsafe { phase.reason.bytes() }.unwrap_or_default();
        let thread = std::thread::current().name().unwrap_or_default().to_owned();
        log.lock().unwrap().push((phase.phase_type, String::from_utf8_lossy(reason).into_owned(), thread));
    });
    (builder, told)
}

fn phases(told: &Told) -> Vec<ReloadPhaseType> {
    told.lock().unwrap().iter().map(|(phase, ..)| *phase).collect()
}

/// A bundle that serves, and keeps serving.
struct Serving {
    runtime: Arc<Runtime>,
    id: BundleId,
    bundle: Bundle,
    told: Told,
    counter: CounterProxy,
    moody: MoodyProxy,
}

const NAME: &str = "steadfast";

impl Serving {
    fn new() -> Self {
        let bundle = Bundle::native(NAME, "plugin-moody");
        let (builder, told) = builder();
        let runtime = builder.build().unwrap();
        let id = runtime.load_bundle(bundle.path()).unwrap();
        let (counter, moody) = (runtime.proxy::<dyn Counter>().unwrap(), runtime.proxy::<dyn Moody>().unwrap());
        assert_eq!((counter.add(7), moody.version()), (Ok(7), Ok(1)));
        Self { runtime, id, bundle, told, counter, moody }
    }

    fn mood(&self, mood: &str) {
        self.bundle.write("mood", mood);
    }

    /// Reloads, which must fail without anybody noticing; the error and its text, in which `parts` are.
    #[track_caller]
    fn fails(&self, parts: &[&str]) -> RuntimeError {
        let before = (own_copies(), mapped_copies());
        self.told.lock().unwrap().clear();
        let (error, calls) = self.called_meanwhile(|| self.runtime.reload_bundle(self.bundle.path()).unwrap_err());
        assert!(calls > 0);
        let text = error.to_string();
        for part in [&[&*format!("`{NAME}`")], parts].concat() {
            assert!(text.contains(part), "{part} is in: {text}");
        }
        let told: Vec<_> = self.told.lock().unwrap().iter().map(|told| (told.0, told.1.clone())).collect();
        let expected = [(ReloadPhaseType::Preparing, String::new()), (ReloadPhaseType::Failed, text)];
        assert_eq!(told, expected, "told once");
        assert_eq!(self.runtime.quiesce(Duration::from_secs(20)), []);
        eventually("nothing is left", || (own_copies(), mapped_copies()) == before);
        assert_eq!((self.counter.add(0), self.moody.version()), (Ok(7), Ok(1)));
        error
    }

    /// Does something while somebody calls the old version, which answers; how many calls there were.
    fn called_meanwhile<R>(&self, body: impl FnOnce() -> R) -> (R, u64) {
        let (stop, calls) = (AtomicBool::new(false), AtomicU64::new(0));
        // SAFETY: the runtime outlives the thread.
        let handles = unsafe { Handles::new(self.runtime.host_abi()) };
        let result = std::thread::scope(|scope| {
            let caller = scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    assert_eq!((self.counter.add(0), self.moody.version()), (Ok(7), Ok(1)));
                    let token = handles.create(handles.find(<dyn Counter>::ID.id()).unwrap()).unwrap();
                    assert_eq!(handles.add(token, 1), Ok(1));
                    handles.destroy(token);
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            });
            let stop_at_end = StopAtEnd(&stop);
            eventually("calls are made", || caller.is_finished() || calls.load(Ordering::Relaxed) > 0);
            let result = body();
            drop(stop_at_end);
            caller.join().unwrap();
            result
        });
        (result, calls.into_inner())
    }

    /// After all failures, a good version is taken.
    fn recovers(self) {
        install(&self.bundle, &library("plugin-moody"));
        self.bundle.write("manifest.toml", manifest(NAME, "native", "plugin"));
        self.mood("version-2");
        let plugins = || self.runtime.bundle(self.id).unwrap().plugins;
        eventually("the callers' instances have ended", || plugins().iter().all(|plugin| plugin.instances == 1));
        let report = self.runtime.reload_bundle(self.bundle.path()).unwrap();
        assert_eq!((report.migrated, report.restarted), (2, 1), "the counter and the singleton, and the other");
        assert_eq!((self.counter.add(1), self.moody.version()), (Ok(9), Ok(2)), "the count goes on, by twos");
        let Self { runtime, id, counter, moody, .. } = self;
        drop((counter, moody));
        runtime.unload_bundle(id).unwrap();
        assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
        eventually("all copies are gone", || own_copies().is_empty() && mapped_copies().is_empty());
    }
}

#[test]
fn a_damaged_artifact() {
    let _alone = alone();
    let serving = Serving::new();
    let file = serving.bundle.path().join(artifact());
    let named = file.to_str().unwrap();
    let whole = fs::read(&file).unwrap();
    for len in [0, 3, 64, 4096, whole.len() / 2, whole.len() - 1] {
        serving.bundle.write(&artifact(), &whole[..len]);
        let reason = if len == 0 { "empty" } else { "" };
        let error = serving.fails(&[named, reason]);
        assert!(matches!(error, RuntimeError::Loader(LoaderError::ArtifactInvalid { .. })), "{error:?}");
    }
    fs::remove_file(&file).unwrap();
    let error = serving.fails(&[named, "there is no"]);
    assert!(matches!(error, RuntimeError::Loader(LoaderError::ArtifactMissing { .. })), "{error:?}");
    serving.recovers();
}

#[test]
fn a_manifest_with_another_name() {
    let _alone = alone();
    let serving = Serving::new();
    let before = (own_copies(), mapped_copies());
    serving.told.lock().unwrap().clear();
    serving.bundle.write("manifest.toml", manifest("renamed", "native", "plugin"));
    let (error, _) = serving.called_meanwhile(|| serving.runtime.reload_bundle(serving.bundle.path()).unwrap_err());
    let manifest = serving.bundle.path().join("manifest.toml");
    assert!(matches!(&error, RuntimeError::ReloadOfUnloaded { serving, .. } if *serving == [NAME]), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!(
            "{}: bundle `renamed` is not loaded, so it cannot be reloaded: `steadfast` was loaded from there and serves \
             on: give it its name back, or unload it and load `renamed`",
            manifest.display()
        )
    );
    let told: Vec<_> = serving.told.lock().unwrap().iter().map(|told| (told.0, told.1.clone())).collect();
    assert_eq!(told, [(ReloadPhaseType::Failed, error.to_string())], "of the one that serves");
    assert_eq!((own_copies(), mapped_copies()), before);
    serving.recovers();
}

/// Its plugins are those of another bundle: it serves what it has, and what it has not is gone until it is back.
#[test]
fn an_artifact_of_another_bundle() {
    let _alone = alone();
    let bundle = Bundle::native(NAME, "plugin-moody");
    let (builder, _) = builder();
    let runtime = builder.build().unwrap();
    let id = runtime.load_bundle(bundle.path()).unwrap();
    let (counter, moody) = (runtime.proxy::<dyn Counter>().unwrap(), runtime.proxy::<dyn Moody>().unwrap());
    let handle = runtime.find_guest_contract(<dyn Moody>::ID.id(), 0).unwrap();
    install(&bundle, &library("plugin-reload-two"));
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(counter.add(1), Ok(2), "made afresh by the other's plugin");
    assert_eq!(unloaded(moody.version()), NAME);
    assert!(runtime.resolve_guest_contract(handle).is_err());

    install(&bundle, &library("plugin-moody"));
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(moody.version(), Ok(1), "it is back");
    assert!(runtime.resolve_guest_contract(handle).is_err(), "the handle of what was gone is not");
    drop((counter, moody));
    runtime.unload_bundle(id).unwrap();
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
}

#[test]
fn a_version_without_what_others_need() {
    let _alone = alone();
    let serving = Serving::new();
    let dependent = Bundle::native("dependent", "plugin-calc");
    let need = "[[dependency]]\ncontract = \"test.moody@1\"\n";
    dependent.write("manifest.toml", manifest("dependent", "native", "plugin") + need);
    let dependent = serving.runtime.load_bundle(dependent.path()).unwrap();
    install(&serving.bundle, &library("plugin-reload-two"));
    let error = serving.fails(&["test.moody", "`dependent`", "unload `dependent` first"]);
    assert!(matches!(error, RuntimeError::DependencyInUse { .. }), "{error:?}");
    serving.runtime.unload_bundle(dependent).unwrap();
    serving.recovers();
}

#[test]
fn a_start_that_panics() {
    let _alone = alone();
    let serving = Serving::new();
    install(&serving.bundle, &library("plugin-init-panics"));
    let error = serving.fails(&["panicked: the start is no good", "tests/plugins/init-panics/src/lib.rs:"]);
    assert!(matches!(error, RuntimeError::Loader(LoaderError::InitFailed { .. })), "{error:?}");
    serving.recovers();
}

#[test]
fn a_plugin_that_is_not_fit() {
    let _alone = alone();
    let serving = Serving::new();
    for (mood, reason) in [
        ("health-fails", "it reports to be unfit: the database is not there"),
        ("health-panics", "it reports to be unfit: no pulse"),
        ("restore-fails", "its state could not be restored: the writing is illegible"),
        ("restore-panics", "its state could not be restored: the glasses are lost"),
        ("factory-fails", "the cellar is full"),
    ] {
        serving.mood(&format!("version-2 {mood}"));
        let plugin = if mood.starts_with("factory") { "`Meddler`" } else { "`Count`" };
        let error = serving.fails(&[plugin, reason]);
        assert!(matches!(error, RuntimeError::Factory { .. }), "{error:?}");
        if mood.ends_with("panics") {
            assert!(error.to_string().contains("tests/plugins/moody/src/lib.rs:"), "{error}");
        }
    }
    serving.recovers();
}

/// It is the old version that does: its mood was read long ago.
#[test]
fn a_state_that_cannot_be_saved() {
    let _alone = alone();
    let bundle = Bundle::native(NAME, "plugin-moody");
    bundle.write("mood", "save-panics");
    let (builder, told) = builder();
    let runtime = builder.build().unwrap();
    let id = runtime.load_bundle(bundle.path()).unwrap();
    let counter = runtime.proxy::<dyn Counter>().unwrap();
    assert_eq!(counter.add(7), Ok(7));
    let before = (own_copies(), mapped_copies());
    bundle.write("mood", "version-2");
    let error = runtime.reload_bundle(bundle.path()).unwrap_err().to_string();
    assert!(error.contains("`steadfast`") && error.contains("`Count`"), "{error}");
    assert!(error.contains("its state could not be saved: the pen is dry"), "{error}");
    assert_eq!(phases(&told), [ReloadPhaseType::Preparing, ReloadPhaseType::Failed]);
    assert_eq!(counter.add(1), Ok(8));
    eventually("nothing is left", || (own_copies(), mapped_copies()) == before);

    drop(counter);
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(runtime.proxy::<dyn Counter>().unwrap().add(1), Ok(2), "nobody held a state");
    runtime.unload_bundle(id).unwrap();
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
}

#[test]
fn a_contract_that_was_changed() {
    let _alone = alone();
    let bundle = Bundle::native("evolving", "plugin-evolving-old");
    let (builder, told) = builder();
    let runtime = builder.build().unwrap();
    let id = runtime.load_bundle(bundle.path()).unwrap();
    let evolving = runtime.proxy::<dyn Evolving>().unwrap();
    let before = (own_copies(), mapped_copies());
    install(&bundle, &library("plugin-evolving-changed"));
    let error = runtime.reload_bundle(bundle.path()).unwrap_err();
    let text = error.to_string();
    for part in ["`evolving`", "`Changed`", "test.evolving@1.0", "add: argument `a`: the host has i32, the plugin i64"]
    {
        assert!(text.contains(part), "{part} is in: {text}");
    }
    assert!(matches!(error, RuntimeError::Incompatible { .. }), "{error:?}");
    assert_eq!(phases(&told), [ReloadPhaseType::Preparing, ReloadPhaseType::Failed]);
    assert_eq!(evolving.add(2, 3), Ok(5));
    eventually("nothing is left", || (own_copies(), mapped_copies()) == before);
    drop(evolving);
    runtime.unload_bundle(id).unwrap();
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
}

/// A pipe on which starts wait.
struct Gate {
    folder: Bundle,
}

impl Gate {
    fn new() -> Self {
        let folder = Bundle::empty();
        let made = Command::new("mkfifo").arg(folder.path().join("gate")).status().unwrap();
        assert!(made.success());
        Self { folder }
    }

    /// A counter whose start waits.
    fn counter(&self, name: &str) -> Bundle {
        let define = |what: &str, file: &str| format!("{what}={:?}", self.folder.path().join(file));
        Bundle::c(name, "counter.c", &[&define("STARTED", "started"), &define("GATE", "gate")])
    }

    fn somebody_waits(&self) -> bool {
        self.folder.path().join("started").exists()
    }

    fn open(&self) {
        let mut gate = File::options().write(true).open(self.folder.path().join("gate")).unwrap();
        gate.write_all(b"!").unwrap();
    }
}

#[test]
fn a_start_that_hangs() {
    const LIMIT: Duration = Duration::from_secs(2);
    let _alone = alone();
    let (gate, other) = (Gate::new(), Bundle::native("other", "plugin-reload-one"));
    let good = |step| Bundle::c(NAME, "counter.c", &[&format!("STEP={step}")]);
    let (one, two, hanging) = (good(1), good(2), gate.counter(NAME));
    let (builder, told) = builder();
    let runtime = builder.reload_limit(LIMIT).build().unwrap();
    let id = runtime.load_bundle(one.path()).unwrap();
    runtime.load_bundle(other.path()).unwrap();
    // SAFETY: the runtime outlives everything here.
    let handles = unsafe { Handles::new(runtime.host_abi()) };
    let contract = runtime.find_guest_contract_in(<dyn Counter>::ID.id(), id).unwrap();
    let token = handles.create(contract).unwrap();
    assert_eq!(handles.add(token, 1), Ok(1));
    let before = (own_copies(), mapped_copies());

    std::thread::scope(|scope| {
        let began = Instant::now();
        let reload = scope.spawn(|| runtime.reload_bundle(hanging.path()));
        eventually("the start waits", || gate.somebody_waits());
        let stamp = runtime.proxy::<dyn Stamp>().unwrap();
        for n in 2..2000 {
            assert_eq!(handles.add(token, 1), Ok(n));
            assert_eq!(stamp.version(), Ok(1));
            handles.destroy(handles.create(contract).unwrap());
        }
        install(&other, &library("plugin-reload-two"));
        runtime.reload_bundle(other.path()).unwrap();
        assert_eq!(stamp.version(), Ok(2), "another bundle is reloaded meanwhile");
        assert!(!reload.is_finished(), "all this went on while the start hung");

        let error = reload.join().unwrap().unwrap_err();
        let took = began.elapsed();
        assert!(took >= LIMIT && took < LIMIT + Duration::from_secs(5), "{took:?}");
        assert!(matches!(error, RuntimeError::ReloadTimedOut { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("`steadfast`") && text.contains("2s"), "{text}");
        let failed: Vec<_> =
            told.lock().unwrap().iter().filter(|told| told.0 == ReloadPhaseType::Failed).cloned().collect();
        assert_eq!(failed.len(), 1);
        assert_eq!(failed[0].1, text);
    });
    assert_eq!(handles.add(token, 1), Ok(2000), "the old version serves on");

    runtime.reload_bundle(two.path()).unwrap();
    assert_eq!(handles.add(token, 1), Ok(2), "a good version is taken while the bad one still hangs");
    eventually("there are also the one that hangs, and the old one that the token was made with", || {
        own_copies().len() == before.0.len() + 2
    });

    gate.open();
    eventually("the start that hung is gone", || own_copies().len() == before.0.len() + 1);
    eventually("with its code", || mapped_copies().len() == before.1.len() + 1);
    assert_eq!(handles.add(token, 1), Ok(4));
    handles.destroy(token);
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
    eventually("nothing is left", || (own_copies().len(), mapped_copies().len()) == (before.0.len(), before.1.len()));
}

/// Sets a flag when dropped, so that whoever waits for it does not wait for ever when a test fails.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Whoever writes the artifact while it is copied must not be able to make half a library run.
#[test]
fn an_artifact_that_is_being_written() {
    let _alone = alone();
    let bundle = Bundle::native("reloaded", "plugin-reload-one");
    let file = bundle.path().join(artifact());
    // Of the same length, so that only their contents tell them apart; and so long that writing takes its time.
    let mut versions = ["plugin-reload-one", "plugin-reload-two"].map(|package| fs::read(library(package)).unwrap());
    let libraries = versions.each_ref().map(Vec::len);
    let len = libraries.iter().max().unwrap() + (6 << 20);
    versions.iter_mut().zip(1..).for_each(|(bytes, version)| bytes.resize(len, version));
    let (builder, told) = builder();
    let runtime = builder.build().unwrap();
    fs::write(&file, &versions[0]).unwrap();
    let id = runtime.load_bundle(bundle.path()).unwrap();
    let (stop, written) = (AtomicBool::new(false), AtomicU64::new(0));
    let rounds = polyplug_tests::rounds(60);
    let (mut tried, mut taken, mut refused) = (0, 0, Vec::new());
    std::thread::scope(|scope| {
        let _stop_at_end = StopAtEnd(&stop);
        scope.spawn(|| {
            for n in 0.. {
                let mut file = File::create(&file).unwrap(); // truncates
                for piece in versions[n % 2].chunks(len / 7) {
                    file.write_all(piece).unwrap();
                }
                drop(file);
                written.fetch_add(1, Ordering::Relaxed);
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                // Sometimes long enough for a copy to be made.
                std::thread::sleep(Duration::from_millis([0, 0, 1, 40, 0, 25, 35, 30][n % 8]));
            }
        });
        while tried < rounds || written.load(Ordering::Relaxed) < u64::from(rounds) {
            tried += 1;
            let before = runtime.proxy::<dyn Stamp>().unwrap().version().unwrap();
            match runtime.reload_bundle(bundle.path()) {
                Ok(_) => taken += 1,
                Err(error) => {
                    let text = error.to_string();
                    assert!(text.contains("`reloaded`") && text.contains(bundle.path().to_str().unwrap()), "{text}");
                    assert_eq!(runtime.proxy::<dyn Stamp>().unwrap().version(), Ok(before), "after: {text}");
                    refused.push(text.replace(char::is_numeric, "_"));
                }
            }
            let copies = || <[PathBuf; 1]>::try_from(own_copies());
            eventually("there is one copy", || copies().is_ok());
            let runs = fs::read(copies().unwrap()[0].join(artifact())).unwrap();
            // A writer may be kept waiting in the midst of what follows the library, for so long that nothing is seen of it.
            let is = |version: usize| runs.len() >= libraries[version] && versions[version].starts_with(&runs);
            let runs = (0..2).find(|version| is(*version)).expect("it runs one of the two, whole");
            assert_eq!(runtime.proxy::<dyn Stamp>().unwrap().version(), Ok(runs as u32 + 1));
        }
    });
    refused.sort();
    refused.dedup();
    println!("of {tried} reloads {taken} were taken, while it was written {written:?} times; refused: {refused:#?}");
    let failed = phases(&told).iter().filter(|phase| **phase == ReloadPhaseType::Failed).count();
    assert_eq!(failed + taken, tried as usize, "each was told once");

    fs::write(&file, &versions[1]).unwrap();
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(runtime.proxy::<dyn Stamp>().unwrap().version(), Ok(2));
    runtime.unload_bundle(id).unwrap();
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
    eventually("all copies are gone", || own_copies().is_empty() && mapped_copies().is_empty());
}

const SMALL: &str = "POLYPLUG_TEST_SMALL";
const LARGE: &str = "POLYPLUG_TEST_LARGE";

/// How much the disk has room for, and how much more the bundle is that does not fit.
const ROOM: u64 = 2 << 20;
const FILLER: usize = 4 << 20;

#[test]
fn a_full_disk() {
    if is_child() {
        let paths = [SMALL, LARGE].map(|path| PathBuf::from(std::env::var_os(path).unwrap()));
        reload_without_room(&paths[0], &paths[1]);
        return;
    }
    let _alone = alone();
    let [small, large] = [1, 2].map(|step| Bundle::c(NAME, "counter.c", &[&format!("STEP={step}")]));
    large.write("filler", vec![7; FILLER]);
    let disk = Bundle::empty();
    let child = again("a_full_disk");
    let mut command = Command::new("unshare");
    command.args(["-Urm", "sh", "-c"]);
    // Makes a disk that only this process sees.
    let mount = format!("mount -t tmpfs -o size={ROOM} none {:?}", disk.path());
    let may_mount = command.arg(&mount).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    let mut command = if may_mount {
        let mut command = Command::new("unshare");
        command.args(["-Urm", "sh", "-c"]).arg(format!("{mount} && exec \"$0\" \"$@\""));
        command
    } else {
        // Where one may not, no file may become larger than that: its unit is 512 bytes, or 1024 in some shells.
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", ROOM / 1024));
        command
    };
    command.arg(child.get_program()).args(child.get_args()).env("TMPDIR", disk.path());
    command.envs(child.get_envs().filter_map(|(key, value)| Some((key, value?))));
    let output = command.env(SMALL, small.path()).env(LARGE, large.path()).output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && stdout.contains("1 passed"), "{command:?}: {output:?}");
    let reason = if may_mount { "No space left on device" } else { "File too large" };
    assert!(stdout.contains(reason), "{stdout}");
}

fn reload_without_room(small: &Path, large: &Path) {
    let (builder, told) = builder();
    let runtime = builder.build().unwrap();
    runtime.load_bundle(small).unwrap();
    // SAFETY: the runtime outlives the calls.
    let handles = unsafe { Handles::new(runtime.host_abi()) };
    let token = handles.create(handles.find(<dyn Counter>::ID.id()).unwrap()).unwrap();
    assert_eq!(handles.add(token, 1), Ok(1));
    let before = (own_copies(), mapped_copies());
    for round in 0..5 {
        let error = runtime.reload_bundle(large).unwrap_err();
        println!("{error}");
        let text = error.to_string();
        assert!(text.contains("`steadfast`") && text.contains(large.to_str().unwrap()), "{text}");
        assert_eq!((own_copies(), mapped_copies()), before, "half a copy is removed");
        assert_eq!(handles.add(token, 1), Ok(round + 2));
    }
    assert_eq!(phases(&told).iter().filter(|phase| **phase == ReloadPhaseType::Failed).count(), 5);
    fs::remove_file(large.join("filler")).unwrap();
    runtime.reload_bundle(large).unwrap();
    assert_eq!(handles.add(token, 1), Ok(2), "the other version");
    handles.destroy(token);
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
    assert_eq!(own_copies().len(), 1);
}

/// Unloads a bundle whose own thread is the last to hold code, and lets that go.
fn end_of_the_last_thread(start: impl FnOnce(&MoodyProxy, &Path), expect_held: &[&str]) {
    let _alone = alone();
    let (builder, told) = builder();
    // What they need comes later, or never.
    let runtime = builder.compatibility(Compatibility::Relaxed).build().unwrap();
    let (bundle, other) = (Bundle::native(NAME, "plugin-moody"), Bundle::native("other", "plugin-reload-one"));
    let needs = ["test.moody@1", "test.stamp@1"].map(|contract| format!("[[dependency]]\ncontract = {contract:?}\n"));
    bundle.write("manifest.toml", manifest(NAME, "native", "plugin") + &needs.concat());
    let ids = [runtime.load_bundle(bundle.path()).unwrap(), runtime.load_bundle(other.path()).unwrap()];
    let folder = Bundle::empty();
    let file = folder.path().join("until");
    fs::write(&file, "").unwrap();
    start(&runtime.proxy::<dyn Moody>().unwrap(), &file);
    let reports = ids.map(|id| runtime.unload_bundle(id).unwrap());
    assert_eq!(reports[0].threads, ["lingerer"], "{reports:?}");
    for report in &reports {
        assert_eq!(report.reclaimed, !expect_held.contains(&&*report.bundle), "{report:?}");
    }
    let held = runtime.quiesce(Duration::from_millis(10));
    assert_eq!(held.iter().map(|held| held.bundle.as_str()).collect::<Vec<_>>(), expect_held);
    let before = told.lock().unwrap().len();
    fs::remove_file(file).unwrap();
    eventually("the code goes", || mapped_copies().is_empty() && own_copies().is_empty());
    eventually("that is told", || told.lock().unwrap().len() == before + expect_held.len());
    for (phase, reason, thread) in &told.lock().unwrap()[before..] {
        assert_eq!((*phase, reason.as_str()), (ReloadPhaseType::Quiesced, ""));
        assert_eq!(thread, "polyplug-reclaim", "never the plugin's own");
    }
    assert_eq!(runtime.quiesce(Duration::ZERO), []);
}

#[test]
fn a_plugins_thread_is_the_last_to_leave() {
    end_of_the_last_thread(|moody, file| moody.linger(0, file.to_str().unwrap()).unwrap(), &[NAME]);
}

#[test]
fn a_plugins_thread_drops_the_last_lease_on_itself() {
    let own = <dyn Moody>::ID.id();
    end_of_the_last_thread(|moody, file| moody.linger(own, file.to_str().unwrap()).unwrap(), &[NAME]);
}

#[test]
fn a_plugins_thread_drops_the_last_lease_on_another_bundle() {
    let others = <dyn Stamp>::ID.id();
    end_of_the_last_thread(
        |moody, file| {
            moody.linger(others, file.to_str().unwrap()).unwrap();
        },
        &[NAME, "other"],
    );
}

#[test]
fn a_thread_of_the_old_version_outlives_the_reload() {
    let _alone = alone();
    let serving = Serving::new();
    let folder = Bundle::empty();
    let file = folder.path().join("until");
    fs::write(&file, "").unwrap();
    serving.moody.linger(0, file.to_str().unwrap()).unwrap();
    serving.mood("version-2");
    serving.runtime.reload_bundle(serving.bundle.path()).unwrap();
    let Serving { mut counter, mut moody, runtime, .. } = serving;
    polyplug::Proxy::refresh(&mut counter);
    polyplug::Proxy::refresh(&mut moody);
    assert_eq!((counter.add(1), moody.version()), (Ok(9), Ok(2)));
    let held = runtime.quiesce(Duration::from_millis(10));
    assert_eq!(held.len(), 1, "{held:?}");
    assert_eq!(held[0].threads, ["lingerer"]);
    fs::remove_file(file).unwrap();
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
    assert_eq!((own_copies().len(), counter.add(1)), (1, Ok(11)));
}

/// Asks for the bundle's end from inside it.
fn unload_from_inside(ask: impl FnOnce(&MoodyProxy, u64)) {
    let _alone = alone();
    let serving = Serving::new();
    ask(&serving.moody, serving.id.id());
    eventually("the bundle is gone", || serving.runtime.bundle_ids().is_empty());
    let Serving { runtime, counter, moody, told, .. } = serving;
    eventually("proxies are told", || moody.version().is_err_and(|error| error.is_unloaded()));
    assert_eq!(unloaded(counter.add(1)), NAME);
    drop((counter, moody));
    eventually("the code goes", || mapped_copies().is_empty() && own_copies().is_empty());
    eventually("that is told", || phases(&told) == [ReloadPhaseType::Unloading, ReloadPhaseType::Quiesced]);
    assert!(told.lock().unwrap().iter().all(|told| told.2 == "polyplug-reclaim"), "{told:?}");
    assert_eq!(runtime.quiesce(Duration::ZERO), []);
}

#[test]
fn a_bundle_unloads_itself_in_a_call() {
    unload_from_inside(|moody, id| assert_eq!(moody.unload(id), Ok(0), "queued; the call returns"));
}

#[test]
fn a_bundle_unloads_itself_on_its_own_thread() {
    unload_from_inside(|moody, id| moody.unload_on_a_thread(id).unwrap());
}

/// A process that runs from private copies until its standard input ends.
fn run_until_signalled() {
    let bundle = Bundle::native(NAME, "plugin-reload-one");
    let (builder, _) = builder();
    let runtime = builder.build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    let stamp = runtime.proxy::<dyn Stamp>().unwrap();
    println!("\ncopy {}", own_copies()[0].display());
    std::io::stdin().lines().for_each(drop);
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(stamp.version(), Ok(1));
}

#[test]
fn what_a_killed_process_left_is_swept_by_the_next() {
    if is_child() {
        run_until_signalled();
        return;
    }
    let folder = Bundle::empty();
    let start = || {
        let mut command = again("what_a_killed_process_left_is_swept_by_the_next");
        let command = command.env("TMPDIR", folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let copy = lines.find_map(|line| line.unwrap().strip_prefix("copy ").map(PathBuf::from)).expect("it says so");
        assert!(copy.join(artifact()).is_file());
        (child, copy, lines)
    };
    let (mut living, living_copy, mut rest) = start();
    let (mut killed, killed_copy, _) = start();
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(killed_copy.exists(), "nobody has swept yet");
    let (mut next, next_copy, _rest) = start();
    assert!(!killed_copy.parent().unwrap().exists(), "what the killed one left is gone");
    assert!(living_copy.join(artifact()).exists() && next_copy.exists(), "what is in use is not");
    drop((living.stdin.take(), next.stdin.take()));
    assert!(rest.any(|line| line.unwrap().contains("1 passed")), "the living one reloads, and ends in peace");
    assert!(living.wait().unwrap().success());
    next.wait().unwrap();
    let left: Vec<_> = fs::read_dir(folder.path().join("polyplug-bundles")).unwrap().flatten().collect();
    assert!(left.len() <= 2, "{left:?}");
}
