//! A bundle whose files may not be read, cannot be changed, or are gone: an error names the file, nothing else is disturbed,
//! and what needs no more than the system allows goes on.
#![cfg(target_os = "linux")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use polyplug::error::RuntimeError;
use polyplug::signature::{SecretKey, sign_bundle};
use polyplug_tests::calculators::{self, LOADERS, calculator};
use polyplug_tests::child::{again, is_child};
use polyplug_tests::confined::{as_ordinary_user, disk_without_programs, passes, read_only, with_mounts};
use polyplug_tests::copies::{mapped_copies, own_copies};
use polyplug_tests::{Bundle, eventually};
use test_contracts::Calculator;

/// Takes permissions from a file or folder for as long as this value exists.
struct Mode<'a>(&'a Path, Permissions);

impl<'a> Mode<'a> {
    fn set(path: &'a Path, mode: u32) -> Self {
        let before = fs::metadata(path).unwrap().permissions();
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        Self(path, before)
    }
}

impl Drop for Mode<'_> {
    fn drop(&mut self) {
        fs::set_permissions(self.0, self.1.clone()).unwrap();
    }
}

/// Returns the files of a bundle, and its folder at the end.
fn contents(bundle: &Bundle) -> Vec<PathBuf> {
    let files = fs::read_dir(bundle.path()).unwrap().map(|entry| entry.unwrap().path());
    files.chain([bundle.path().to_owned()]).collect()
}

#[track_caller]
fn denied(error: &RuntimeError, names: &Path) {
    let text = error.to_string();
    assert!(text.contains("Permission denied"), "{text}");
    assert!(text.contains(names.to_str().unwrap()), "{} is in: {text}", names.display());
}

#[test]
fn what_may_not_be_read_is_named() {
    if !as_ordinary_user("what_may_not_be_read_is_named") {
        return;
    }
    for (loader, hot_reload) in LOADERS.iter().flat_map(|loader| [(loader, false), (loader, true)]) {
        let bundle = calculator("calc", loader);
        let runtime = calculators::runtime(hot_reload);
        for path in contents(&bundle) {
            let is_folder = path == bundle.path();
            // Without hot reload only what is needed at the start is read at the start.
            let is_helper = path.file_stem().is_some_and(|stem| stem == "helper");
            if is_helper && !hot_reload && *loader != "js" {
                continue;
            }
            let mode = Mode::set(&path, 0);
            let error = runtime.load_bundle(bundle.path()).expect_err(loader);
            let named = if is_folder { bundle.path() } else { &path };
            denied(&error, named);
            assert!(runtime.bundle_ids().is_empty());
            drop(mode);
        }
        // A folder that may be listed and not entered.
        let mode = Mode::set(bundle.path(), 0o400);
        denied(&runtime.load_bundle(bundle.path()).expect_err(loader), bundle.path());
        drop(mode);
        let id = runtime.load_bundle(bundle.path()).expect(loader);
        calculators::check(&runtime.proxy::<dyn Calculator>().unwrap(), loader);
        runtime.unload_bundle(id).unwrap();
        assert_eq!(own_copies(), [] as [PathBuf; 0], "{loader}: half a copy is removed");
    }
}

#[test]
fn a_new_version_that_may_not_be_read_leaves_the_old_one() {
    if !as_ordinary_user("a_new_version_that_may_not_be_read_leaves_the_old_one") {
        return;
    }
    for loader in LOADERS {
        let bundle = calculator("calc", loader);
        let runtime = calculators::runtime(true);
        runtime.load_bundle(bundle.path()).expect(loader);
        let calc = runtime.proxy::<dyn Calculator>().unwrap();
        for path in contents(&bundle) {
            let mode = Mode::set(&path, 0);
            denied(&runtime.reload_bundle(bundle.path()).expect_err(loader), &path);
            calculators::check(&calc, loader);
            drop(mode);
        }
        runtime.reload_bundle(bundle.path()).expect(loader);
        calculators::check(&calc, loader);
    }
}

#[test]
fn others_load_beside_what_may_not_be_read() {
    if !as_ordinary_user("others_load_beside_what_may_not_be_read") {
        return;
    }
    let folder = Bundle::empty();
    for name in ["a", "b", "c", "d"] {
        fs::rename(calculator(name, "lua").path(), folder.path().join(name)).unwrap();
    }
    let (closed, without) = (folder.path().join("b"), folder.path().join("c/manifest.toml"));
    let _modes = (Mode::set(&closed, 0), Mode::set(&without, 0));
    let runtime = calculators::runtime(false);
    let report = runtime.load_dir(folder.path());
    assert_eq!(report.names(), ["a", "d"], "{report}");
    assert_eq!(report.problems.len(), 2, "{report}");
    let text = report.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    for path in [&closed, &without] {
        assert!(text.contains(path.to_str().unwrap()) && text.contains("Permission denied"), "{text}");
    }
    // The folder of the bundles itself.
    let _mode = Mode::set(folder.path(), 0);
    let report = runtime.load_dir(folder.path());
    assert_eq!(report.problems.len(), 1, "{report}");
    denied(&report.problems[0], folder.path());
    let error = calculators::runtime(true).watch_dir(folder.path()).expect_err("it cannot be watched").to_string();
    assert!(error.contains(folder.path().to_str().unwrap()), "{error}");
}

/// Loads, calls, reloads and unloads bundles of all loaders that nobody can write.
fn works_without_writing(folder: &Path) {
    for hot_reload in [false, true] {
        let runtime = calculators::runtime(hot_reload);
        for loader in LOADERS {
            let bundle = folder.join(loader);
            let id = runtime.load_bundle(&bundle).expect(loader);
            let calc = runtime.proxy::<dyn Calculator>().unwrap();
            calculators::check(&calc, loader);
            if hot_reload {
                runtime.reload_bundle(&bundle).expect(loader);
                calculators::check(&calc, loader);
            }
            drop(calc);
            runtime.unload_bundle(id).unwrap();
        }
        assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
        eventually("copies are removed", || own_copies().is_empty() && mapped_copies().is_empty());
    }
    let bundle = folder.join("lua");
    let error = sign_bundle(&bundle, &SecretKey::from_bytes([7; 32])).unwrap_err().to_string();
    assert!(error.contains("`bundle.sig` cannot be written"), "{error}");
    let error = polyplug::pack::write(&bundle, folder.join("lua.polyplug")).unwrap_err().to_string();
    assert!(error.contains(folder.join("lua.polyplug").to_str().unwrap()), "{error}");
}

/// Makes a folder with a bundle for each loader.
fn one_of_each() -> Bundle {
    let folder = Bundle::empty();
    for loader in LOADERS {
        fs::rename(calculator(loader, loader).path(), folder.path().join(loader)).unwrap();
    }
    folder
}

#[test]
fn files_without_permission_to_write() {
    if !as_ordinary_user("files_without_permission_to_write") {
        return;
    }
    let folder = one_of_each();
    let mut closed: Vec<PathBuf> = Vec::new();
    for loader in LOADERS {
        let bundle = folder.path().join(loader);
        closed.extend(fs::read_dir(&bundle).unwrap().map(|entry| entry.unwrap().path()));
        closed.push(bundle);
    }
    closed.push(folder.path().to_owned());
    let modes: Vec<_> = closed.iter().map(|path| Mode::set(path, if path.is_dir() { 0o555 } else { 0o444 })).collect();
    works_without_writing(folder.path());
    drop(modes);
}

const FOLDER: &str = "POLYPLUG_TEST_FOLDER";

fn given_folder() -> PathBuf {
    std::env::var_os(FOLDER).unwrap().into()
}

#[test]
fn a_disk_that_is_read_only() {
    if is_child() {
        let error = fs::write(given_folder().join("file"), "").unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ReadOnlyFilesystem);
        return works_without_writing(&given_folder());
    }
    let folder = one_of_each();
    let mut child = again("a_disk_that_is_read_only");
    child.env(FOLDER, folder.path());
    if let Some(mut command) = with_mounts(&child, &read_only(folder.path())) {
        passes(&mut command);
    }
}

/// As `/tmp` is on hardened systems: libraries cannot be run from private copies there.
#[test]
fn a_disk_for_temporary_files_without_programs() {
    if is_child() {
        let bundle = Bundle::empty(); // on that disk
        assert!(bundle.path().starts_with(given_folder()));
        let runtime = calculators::runtime(true);
        let error = runtime.load_bundle(std::env::var_os("POLYPLUG_TEST_BUNDLE").unwrap()).unwrap_err().to_string();
        for part in ["`calc`", "noexec", "TMPDIR"] {
            assert!(error.contains(part), "{part} is in: {error}");
        }
        assert_eq!(own_copies(), [] as [PathBuf; 0]);
        // Scripts are read, not run by the system.
        for loader in LOADERS.iter().filter(|loader| **loader != "native") {
            let bundle = calculator(loader, loader);
            let id = runtime.load_bundle(bundle.path()).expect(loader);
            calculators::check(&runtime.proxy::<dyn Calculator>().unwrap(), loader);
            runtime.unload_bundle(id).unwrap();
        }
        return;
    }
    let (disk, bundle) = (Bundle::empty(), calculator("calc", "native"));
    let mut child = again("a_disk_for_temporary_files_without_programs");
    child.env(FOLDER, disk.path()).env("TMPDIR", disk.path()).env("POLYPLUG_TEST_BUNDLE", bundle.path());
    if let Some(mut command) = with_mounts(&child, &disk_without_programs(disk.path())) {
        passes(&mut command);
    }
}

#[test]
fn a_bundle_whose_folder_has_vanished_serves_on() {
    for (loader, hot_reload) in LOADERS.iter().flat_map(|loader| [(loader, false), (loader, true)]) {
        let bundle = calculator("calc", loader);
        let runtime = calculators::runtime(hot_reload);
        let id = runtime.load_bundle(bundle.path()).expect(loader);
        let calc = runtime.proxy::<dyn Calculator>().unwrap();
        fs::remove_dir_all(bundle.path()).unwrap();
        assert_eq!(calc.add(2, 3), Ok(5), "{loader}");
        // Its file is read from the private copy, or was read at the start; or it is an error of this call alone.
        match calc.greet("you") {
            Ok(greeting) => assert_eq!(greeting, "Hello, you!", "{loader}"),
            Err(error) => {
                assert!(!hot_reload && ["lua", "python"].contains(loader), "{loader}: {error}");
                assert!(error.to_string().contains("helper"), "{loader}: {error}");
            }
        }
        assert_eq!(calc.add(2, 3), Ok(5), "{loader}");
        if hot_reload {
            let error = runtime.reload_bundle(bundle.path()).expect_err(loader);
            assert!(error.to_string().contains(bundle.path().to_str().unwrap()), "{loader}: {error}");
            calculators::check(&calc, loader);
        }
        drop(calc);
        assert!(runtime.unload_bundle(id).unwrap().reclaimed, "{loader}");
        runtime.load_bundle(bundle.path()).expect_err(loader);
        assert!(runtime.bundle_ids().is_empty());
        // What comes back is loaded.
        let again = calculator("calc", loader);
        fs::rename(again.path(), bundle.path()).unwrap();
        runtime.load_bundle(bundle.path()).expect(loader);
        calculators::check(&runtime.proxy::<dyn Calculator>().unwrap(), loader);
    }
}
