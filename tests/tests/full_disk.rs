//! A disk that becomes full: what was to be written is an error that names the place, and no half of it is left.
//! `reload_faults.rs` does so for a reload.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};

use polyplug::signature::{SecretKey, sign_bundle};
use polyplug_tests::calculators::{self, LOADERS, calculator};
use polyplug_tests::child::{again, is_child};
use polyplug_tests::confined::{passes, small_disk, with_mounts};
use polyplug_tests::copies::own_copies;
use test_contracts::Calculator;

const FOLDER: &str = "POLYPLUG_TEST_FOLDER";
const ROOM: u64 = 2 << 20;

/// The files below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // The lock of a process has no contents.
        if path.is_dir() {
            found.extend(files_below(&path))
        } else if !path.ends_with("lock") {
            found.push(path)
        }
    }
    found.sort();
    found
}

/// Fills the disk to the last byte.
fn fill(disk: &Path) -> PathBuf {
    let filler = disk.join("filler");
    let error = fs::write(&filler, vec![7; 2 * ROOM as usize]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    filler
}

#[test]
fn nothing_is_half_written() {
    if !is_child() {
        let disk = tempfile::tempdir().unwrap();
        let mut child = again("nothing_is_half_written");
        child.env(FOLDER, disk.path()).env("TMPDIR", disk.path());
        if let Some(mut command) = with_mounts(&child, &small_disk(disk.path(), ROOM)) {
            passes(&mut command);
        }
        return;
    }
    let disk = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let bundle = calculator("calc", "lua");
    bundle
        .write("noise", (0..100_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect::<Vec<_>>());
    let runtime = calculators::builder().hot_reload(true).data_directory(disk.join("data")).build().unwrap();
    let key = SecretKey::from_bytes([7; 32]);

    let filler = fill(&disk);
    let before = files_below(&disk);
    let full = |error: &dyn std::fmt::Display, place: &Path| {
        let text = error.to_string();
        assert!(text.contains("No space left on device"), "{text}");
        assert!(text.contains(place.to_str().unwrap()), "{} is in: {text}", place.display());
        assert_eq!(files_below(&disk), before, "nothing of it is left");
    };
    // A private copy.
    full(&runtime.load_bundle(bundle.path()).unwrap_err(), &disk);
    assert_eq!(own_copies(), [] as [PathBuf; 0]);
    assert!(runtime.bundle_ids().is_empty());
    // A pack. One that is there already stays.
    let pack = disk.join("calc.polyplug");
    full(&polyplug::pack::write(bundle.path(), &pack).unwrap_err(), &pack);
    // A signature.
    full(&sign_bundle(bundle.path(), &key).unwrap_err(), bundle.path());

    // Room again: everything goes on without a new start.
    fs::remove_file(filler).unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    calculators::check(&runtime.proxy::<dyn Calculator>().unwrap(), "after the disk was full");
    polyplug::pack::write(bundle.path(), &pack).unwrap();
    sign_bundle(bundle.path(), &key).unwrap();

    // Calls and unloads write nothing, in no language.
    // A library has no room here.
    for loader in LOADERS.iter().filter(|loader| **loader != "native") {
        let bundle = calculator(loader, loader);
        runtime.load_bundle(bundle.path()).unwrap();
    }
    let good = fs::read(&pack).unwrap();
    fill(&disk);
    polyplug::pack::write(bundle.path(), &pack).unwrap_err();
    assert_eq!(fs::read(&pack).unwrap(), good, "the old pack is whole");
    for calc in runtime.proxies::<dyn Calculator>().unwrap() {
        calculators::check(&calc, "on a full disk");
    }
    for id in runtime.bundle_ids() {
        runtime.unload_bundle(id).unwrap();
    }
    assert_eq!(own_copies(), [] as [PathBuf; 0]);
}
