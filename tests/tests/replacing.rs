//! A plugin is changed and compiled while the host runs it: its file is replaced by cargo, by another one that is renamed
//! over it, or overwritten where it lies. What runs is not disturbed; a reload runs what was changed.
#![cfg(unix)]

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use polyplug::{CallError, Proxy, Runtime};
use polyplug_native::NativeLoader;
use polyplug_tests::{Bundle, copies, eventually, manifest};
use test_contracts::{Card, Stamp};

const NAME: &str = "replaced";

/// The artifact, as cargo calls it.
fn artifact() -> String {
    format!("{DLL_PREFIX}replaced_plugin{DLL_SUFFIX}")
}

/// The author's folder: a crate, which is a bundle as well.
struct Project {
    folder: PathBuf,
    /// Locked: all tests share the folder, so that what the plugin depends on is compiled once.
    _lock: File,
}

impl Project {
    fn new() -> Self {
        let test = std::env::current_exe().unwrap();
        // target/debug/deps/test: what is built here lies beside it, so that the next run finds everything compiled.
        let folder = test.ancestors().nth(3).unwrap().join("replacing");
        fs::create_dir_all(folder.join("src")).unwrap();
        let lock = File::create(folder.join(".lock")).unwrap();
        lock.lock().unwrap();
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = tests.parent().unwrap();
        let cargo = format!(
            "[package]\nname = \"replaced-plugin\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
             [lib]\ncrate-type = [\"cdylib\"]\n\n[workspace]\n\n[dependencies]\n\
             polyplug = {{ path = {:?}, default-features = false }}\ntest-contracts = {{ path = {:?} }}\n",
            root.join("polyplug"),
            tests.join("contracts"),
        );
        fs::write(folder.join("Cargo.toml"), cargo).unwrap();
        // The versions that the repository is tested with, which are there without a network.
        fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        fs::write(folder.join("manifest.toml"), manifest(NAME, "native", &format!("target/debug/{}", artifact())))
            .unwrap();
        Self { folder, _lock: lock }
    }

    /// Compiles a version of the plugin; the library.
    fn build(&self, version: u8) -> PathBuf {
        let source = include_str!("replacing/plugin.rs.txt").replace("VERSION", &version.to_string());
        fs::write(self.folder.join("src/lib.rs"), source).unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--offline", "--quiet"]).current_dir(&self.folder);
        // The flags of a sanitizer are for the tests, not for this.
        cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS").env_remove("CARGO_BUILD_TARGET");
        let output = cargo.env("CARGO_TARGET_DIR", self.folder.join("target")).output().unwrap();
        assert!(output.status.success(), "{cargo:?}\n{}", String::from_utf8_lossy(&output.stderr));
        self.folder.join("target/debug").join(artifact())
    }

    /// Two versions, as the bytes of their libraries.
    fn two(&self) -> [Vec<u8>; 2] {
        [1, 2].map(|version| fs::read(self.build(version)).unwrap())
    }
}

fn hot() -> Arc<Runtime> {
    Runtime::builder().loader(NativeLoader::new()).hot_reload(true).build().unwrap()
}

/// A bundle whose artifact has these bytes.
fn bundle(bytes: &[u8]) -> (Bundle, PathBuf) {
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest(NAME, "native", "plugin"));
    let file = bundle.path().join(format!("plugin{DLL_SUFFIX}"));
    fs::write(&file, bytes).unwrap();
    (bundle, file)
}

/// Sets a flag when dropped, so that callers end when a test fails.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Does something while plugins are called by everybody, who must get a whole answer of version 1 or 2 each time. `body`
/// is given a way to wait until everybody was answered by a version.
fn called_meanwhile(runtime: &Runtime, body: impl FnOnce(&dyn Fn(u8))) {
    let stop = AtomicBool::new(false);
    // How often each caller was answered by each version since the last time that somebody asked.
    let answers: [[AtomicU64; 2]; 3] = Default::default();
    std::thread::scope(|scope| {
        let _stop_at_end = StopAtEnd(&stop);
        let mut callers = Vec::new();
        for (caller, answers) in answers.iter().enumerate() {
            let mut stamp = runtime.proxy::<dyn Stamp>().unwrap();
            let stop = &stop;
            callers.push(scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    match caller {
                        0 => {} // never refreshed
                        1 => stamp.refresh(),
                        _ => stamp = runtime.proxy::<dyn Stamp>().unwrap(),
                    }
                    let card = stamp.card("x").unwrap();
                    assert_eq!(card, Card::new(card.last, "x"), "torn");
                    answers[usize::from(card.last) - 1].fetch_add(1, Ordering::Relaxed);
                }
            }));
        }
        body(&|version| {
            // From here on there may be none of the other version, but for calls that are running.
            let other = |answers: &[AtomicU64; 2]| answers[usize::from(2 - version)].load(Ordering::Relaxed);
            let these = |answers: &[AtomicU64; 2]| answers[usize::from(version - 1)].load(Ordering::Relaxed);
            let before: Vec<_> = answers.iter().map(|answers| (these(answers), other(answers))).collect();
            let pairs = || answers.iter().zip(&before);
            let failed = || callers.iter().any(std::thread::ScopedJoinHandle::is_finished);
            eventually("everybody is answered", || {
                failed() || pairs().all(|(answers, before)| these(answers) > before.0 + 20)
            });
            assert!(pairs().all(|(answers, before)| other(answers) <= before.1 + 1), "{answers:?}");
        });
    });
}

#[test]
fn cargo_build_replaces_it() {
    let project = Project::new();
    project.build(1);
    let runtime = hot();
    runtime.load_bundle(&project.folder).unwrap();
    called_meanwhile(&runtime, |answered_by| {
        answered_by(1);
        for (before, version) in [(1, 2), (2, 1), (1, 2)] {
            project.build(version);
            answered_by(before);
            runtime.reload_bundle(&project.folder).unwrap();
            answered_by(version);
        }
    });
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
}

#[test]
fn another_file_is_renamed_over_it() {
    let versions = Project::new().two();
    let (bundle, file) = bundle(&versions[0]);
    let runtime = hot();
    runtime.load_bundle(bundle.path()).unwrap();
    let rename = |bytes: &[u8]| {
        let inode = fs::metadata(&file).unwrap().ino();
        bundle.write("new", bytes);
        fs::rename(bundle.path().join("new"), &file).unwrap();
        assert_ne!(fs::metadata(&file).unwrap().ino(), inode, "another file");
    };
    called_meanwhile(&runtime, |answered_by| {
        for (before, version) in [(1, 2), (2, 1)] {
            rename(b"no library");
            assert!(runtime.reload_bundle(bundle.path()).is_err());
            answered_by(before);
            rename(&versions[usize::from(version) - 1]);
            answered_by(before);
            runtime.reload_bundle(bundle.path()).unwrap();
            answered_by(version);
        }
    });
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
}

#[test]
fn it_is_overwritten_in_place() {
    let versions = Project::new().two();
    let (bundle, file) = bundle(&versions[0]);
    let inode = fs::metadata(&file).unwrap().ino();
    let runtime = hot();
    runtime.load_bundle(bundle.path()).unwrap();
    let overwrite = |bytes: &[u8]| {
        let mut file = File::options().write(true).truncate(true).open(&file).unwrap();
        file.write_all(bytes).unwrap();
    };
    called_meanwhile(&runtime, |answered_by| {
        for (before, version) in [(1, 2), (2, 1)] {
            // What was mapped from this file would now change, or be gone.
            overwrite(&vec![0xcc; versions[0].len()]);
            answered_by(before);
            overwrite(b"");
            answered_by(before);
            overwrite(&versions[usize::from(version) - 1]);
            answered_by(before);
            runtime.reload_bundle(bundle.path()).unwrap();
            answered_by(version);
        }
    });
    assert_eq!(fs::metadata(&file).unwrap().ino(), inode, "the same file all the time");
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
}

#[test]
fn its_symbols_are_found() {
    let versions = Project::new().two();
    let (bundle, file) = bundle(&versions[0]);
    let runtime = hot();
    runtime.load_bundle(bundle.path()).unwrap();
    let stamp = runtime.proxy::<dyn Stamp>().unwrap();
    for version in [1, 2, 1, 2] {
        fs::write(&file, &versions[version - 1]).unwrap();
        runtime.reload_bundle(bundle.path()).unwrap();
        let trace = stamp.echo("backtrace").unwrap();
        for name in [&*format!("replaced_plugin::function_of_version_{version}"), "replacing/src/lib.rs:"] {
            assert!(trace.contains(name), "{name} is in: {trace}");
        }
        let Err(CallError::Panic(failure)) = stamp.give_up("x") else { panic!("a panic") };
        assert_eq!(failure.message, format!("{version} x"));
        assert!(failure.location.unwrap().starts_with("src/lib.rs:"));
        let there: Vec<_> = copies::mapped_copies().into_iter().filter(|file| Path::new(file).is_file()).collect();
        let runs = |file: &String| fs::read(file).unwrap() == versions[version - 1];
        assert!(there.iter().any(runs), "a debugger finds the file of what serves among {there:?}");
    }
}
