//! The page of the stage `report` in a browser: `report-test`, which Node.js runs with a headless Chromium.
//!
//! Without these, list `browser` in `POLYPLUG_TESTS_WITHOUT`.

mod support;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{bundles, pipeline, shipped};

const NEEDED: &str = "this test runs Node.js (18 or newer) with npm, which gets playwright-core from its registry, and opens pages in \
                      Chromium. On Debian and Ubuntu: apt-get install nodejs npm chromium. Elsewhere, name a Chromium in the \
                      environment variable CHROMIUM. Or do without: POLYPLUG_TESTS_WITHOUT=browser";

/// Whether the test is to do without a browser. One that is missing and not listed makes the test fail.
fn without_browser() -> bool {
    let without = std::env::var("POLYPLUG_TESTS_WITHOUT").unwrap_or_default();
    let without = without.split(',').any(|each| each.trim() == "browser");
    if without {
        eprintln!("SKIPPED: POLYPLUG_TESTS_WITHOUT names browser");
    }
    without
}

/// Returns what a program says; it has to succeed.
fn done(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}: {NEEDED}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}\n{NEEDED}");
    text
}

/// Returns a copy of `report-test` with the packages that it needs. They stay for the next run, beside what Cargo builds.
fn report_test() -> PathBuf {
    let (from, to) = (shipped("report-test"), Path::new(env!("CARGO_TARGET_TMPDIR")).join("report-test"));
    fs::create_dir_all(&to).unwrap();
    let lock = File::create(to.join("lock")).unwrap();
    lock.lock().unwrap();
    for entry in fs::read_dir(&from).unwrap().map(|entry| entry.unwrap().path()) {
        let is_test = entry.extension().is_some_and(|extension| extension == "mjs" || extension == "json");
        if is_test {
            fs::copy(&entry, to.join(entry.file_name().unwrap())).unwrap();
        }
    }
    let wanted = fs::read(from.join("package-lock.json")).unwrap();
    let installed = to.join("installed.lock");
    if fs::read(&installed).ok().as_ref() != Some(&wanted) {
        done(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&to));
        fs::write(&installed, wanted).unwrap();
    }
    to
}

#[test]
fn the_page_is_right_in_a_browser() {
    if without_browser() {
        return;
    }
    let folder = report_test();
    let bundles = bundles();
    let (report, passed) = (bundles.path().join("report.html"), bundles.path().join("passed.log"));
    let arguments = ["--report", report.to_str().unwrap(), "--output", passed.to_str().unwrap()];
    let output = pipeline(&shipped("pipeline.toml"), bundles.path(), &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let mut node = Command::new("node");
    node.args(["--test", "modules.test.mjs", "browser.test.mjs"]).current_dir(folder);
    node.env("REPORT_STAGE", shipped("stages/report")).env("REPORT", report).env("PASSED", passed);
    let said = done(&mut node);
    for none in ["# fail 0", "# cancelled 0", "# skipped 0"] {
        assert!(said.contains(none), "{said}");
    }
}
