//! A host that is killed in the middle of a reload: its bundles and their data are whole, the next host loads them at once,
//! and what the killed one left behind is removed.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use polyplug_tests::Bundle;
use polyplug_tests::calculators::{self, LOADERS, calculator};
use polyplug_tests::child::{again, is_child};
use polyplug_tests::copies::own_copies;
use test_contracts::Calculator;

const FOLDER: &str = "POLYPLUG_TEST_FOLDER";

/// Loads all bundles of the folder, tells so, and reloads them for ever.
fn reload_for_ever() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let runtime = calculators::builder().hot_reload(true).data_directory(folder.join("data")).build().unwrap();
    let bundles: Vec<_> = LOADERS.iter().map(|loader| folder.join("bundles").join(loader)).collect();
    for bundle in &bundles {
        runtime.load_bundle(bundle).unwrap();
    }
    for calc in runtime.proxies::<dyn Calculator>().unwrap() {
        calculators::check(&calc, "loaded");
    }
    println!("\nready {}", own_copies().len());
    if std::env::var_os("POLYPLUG_TEST_ONCE").is_some() {
        return;
    }
    std::thread::scope(|scope| {
        for bundle in &bundles {
            let runtime = &runtime;
            scope.spawn(move || {
                loop {
                    runtime.reload_bundle(bundle).unwrap();
                }
            });
        }
    });
}

/// Returns the files below a folder with their contents and times.
fn everything(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let changed = path.metadata().unwrap().modified().unwrap();
                found.insert(path.clone(), (fs::read(path).unwrap(), changed));
            }
        }
    }
    found
}

#[test]
fn in_the_middle_of_a_reload() {
    const TEST: &str = "in_the_middle_of_a_reload";
    if is_child() {
        return reload_for_ever();
    }
    let folder = Bundle::empty();
    let temporary = folder.path().join("temporary");
    for part in ["bundles", "temporary", "data"] {
        fs::create_dir(folder.path().join(part)).unwrap();
    }
    for loader in LOADERS {
        fs::rename(calculator(loader, loader).path(), folder.path().join("bundles").join(loader)).unwrap();
    }
    folder.write("data/kept", "by a plugin");
    let parts = ["bundles", "data"].map(|part| folder.path().join(part));
    let before = parts.each_ref().map(|part| everything(part));
    let homes = || -> Vec<PathBuf> {
        let all = fs::read_dir(temporary.join("polyplug-bundles")).into_iter().flatten();
        all.map(|entry| entry.unwrap().path()).collect()
    };
    let start = || {
        let mut command = again(TEST);
        command.env(FOLDER, folder.path()).env("TMPDIR", &temporary).stdin(Stdio::null()).stdout(Stdio::piped());
        command
    };
    for round in 0..12_u64 {
        let mut child = start().spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.find_map(|line| line.unwrap().strip_prefix("ready ").map(str::to_owned));
        // JavaScript is read whole, and needs no copy.
        assert_eq!(ready, Some((LOADERS.len() - 1).to_string()), "round {round}: all are loaded, each from one copy");
        // At another moment of a reload each time.
        std::thread::sleep(Duration::from_micros(700 + round * 3_137 % 17_000));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(parts.each_ref().map(|part| everything(part)), before, "round {round}: nothing is changed");
        // What was left before was removed by this one, which has left its own.
        assert_eq!(homes().len(), 1, "round {round}: {:?}", homes());
    }
    // One that ends by itself. What it has in its folder goes, the folder with its lock goes with the next.
    let output = start().env("POLYPLUG_TEST_ONCE", "1").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let left: Vec<_> = homes().iter().flat_map(|home| everything(home).into_keys()).collect();
    assert!(left.iter().all(|file| file.ends_with("lock")) && left.len() <= 1, "{left:?}");
    assert_eq!(parts.each_ref().map(|part| everything(part)), before);
}
