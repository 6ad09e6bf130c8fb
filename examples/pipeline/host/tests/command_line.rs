//! What the program says when something is not where it should be.

use std::path::Path;
use std::process::{Command, Output};

fn pipeline(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pipeline")).args(arguments).current_dir(folder).output().unwrap()
}

#[track_caller]
fn fails_with(output: &Output, parts: &[&str]) {
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    for part in parts {
        assert!(message.contains(part), "no {part:?} in\n{message}");
    }
}

fn folder_with(config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pipeline.toml"), config).unwrap();
    std::fs::write(folder.path().join("access.log"), "").unwrap();
    folder
}

const CONFIG: &str = "bundles = 'bundles'\nlog = 'access.log'\n[[stage]]\nbundle = 'parse'\n";

#[test]
fn a_missing_configuration() {
    let folder = tempfile::tempdir().unwrap();
    fails_with(&pipeline(&["absent.toml"], folder.path()), &["absent.toml"]);
}

#[test]
fn a_mistake_in_the_configuration() {
    let folder = folder_with("bundles = 'b'\nstages = []\n");
    fails_with(&pipeline(&["pipeline.toml"], folder.path()), &["pipeline.toml", "stages"]);
}

#[test]
fn a_missing_log() {
    let folder = folder_with(CONFIG);
    fails_with(&pipeline(&["pipeline.toml", "--log", "absent.log"], folder.path()), &["absent.log", "--log"]);
}

#[test]
fn a_missing_bundle() {
    let folder = folder_with(CONFIG);
    let remedies = ["bundles/parse", "cargo xtask demo", "--bundles"];
    fails_with(&pipeline(&["pipeline.toml"], folder.path()), &remedies);
    fails_with(&pipeline(&["pipeline.toml", "--bundles", "other"], folder.path()), &["other/parse"]);
}

#[test]
fn a_bundle_that_cannot_be_loaded() {
    let folder = folder_with(CONFIG);
    let bundle = folder.path().join("bundles/parse");
    std::fs::create_dir_all(&bundle).unwrap();
    std::fs::write(bundle.join("manifest.toml"), "name = 'parse'\n").unwrap();
    fails_with(&pipeline(&["pipeline.toml"], folder.path()), &["cannot load the bundle", "bundles/parse"]);
}

#[test]
fn events_of_bundles_are_told() {
    let folder = folder_with(CONFIG);
    let bundle = folder.path().join("bundles/parse");
    std::fs::create_dir_all(&bundle).unwrap();
    let manifest = "name = 'parse'\nversion = '1.0.0'\nloader = 'lua'\nfile = 'main.lua'\n";
    std::fs::write(bundle.join("manifest.toml"), manifest).unwrap();
    std::fs::write(bundle.join("main.lua"), "error('out of paper')").unwrap();
    let output = pipeline(&["pipeline.toml", "--events"], folder.path());
    fails_with(&output, &["bundle `parse` 1.0.0 (0x", "): could not be loaded: ", "out of paper"]);
    let output = pipeline(&["pipeline.toml"], folder.path());
    assert!(!String::from_utf8_lossy(&output.stderr).contains("bundle `parse` 1.0.0 (0x"));
}
