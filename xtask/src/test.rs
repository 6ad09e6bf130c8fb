//! `cargo xtask test`: all tests, and the summaries of all test runners together at the end.
//!
//! A failure does not stop the following steps: one run shows all failures.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::{self, Observed};
use crate::python;
use crate::steps::Steps;
use crate::summary;
use crate::workspace::{self, PluginPackage, Profile};
use crate::{book, fixtures};

/// Runs the tests; returns whether all passed. The last lines printed are the runners' summaries.
pub(crate) fn run(thorough: bool) -> Result<bool> {
    let scripts = if thorough { scripts(&workspace::root().join("ci"))? } else { Vec::new() };
    let mut steps = Steps::new(5 + scripts.len());
    let mut report = Report::default();

    steps.step("Looking for what is needed", python::check)?;
    steps.step("Building the libraries that the tests load", || fixtures::build(Profile::Dev))?;
    steps.step("Tests", || if has_nextest() { nextest(&mut report) } else { libtest(&mut report) })?;
    steps.step("Documentation tests", || doc_tests(&mut report))?;
    steps.step("The book", || {
        report.add("the book", book::test()?);
        Ok(())
    })?;
    for script in &scripts {
        let title = format!("ci/{}", script.file_name().unwrap_or_default().display());
        steps.step(&title, || run_script(script, &title, &mut report))?;
    }
    steps.finish();
    Ok(report.print())
}

/// The results of the runners.
#[derive(Default)]
struct Report {
    summaries: Vec<String>,
    failed: Vec<String>,
}

impl Report {
    fn add(&mut self, what: &str, observed: Observed) {
        self.summaries.extend(observed.lines);
        if !observed.success {
            self.failed.push(what.to_owned());
        }
    }

    fn print(self) -> bool {
        let (skipped, summaries): (Vec<_>, Vec<_>) =
            self.summaries.iter().partition(|line| line.starts_with(summary::SKIPPED));
        if !self.failed.is_empty() {
            println!("\nFAILED: {}.", self.failed.join(", "));
        } else if skipped.is_empty() {
            println!("\nEverything passed.");
        } else {
            println!("\nEverything that could run passed; something could not:");
        }
        for line in skipped {
            println!("{line}");
        }
        println!("The summary of every test runner:");
        for line in summaries {
            println!("{line}");
        }
        self.failed.is_empty()
    }
}

fn has_nextest() -> bool {
    process::succeeds(process::cargo().args(["nextest", "--version"]))
}

fn nextest(report: &mut Report) -> Result<()> {
    if !compiles(process::cargo().args(["nextest", "run", "--workspace", "--no-run"]), "tests", report) {
        return Ok(());
    }
    let observed = process::observe(
        process::cargo().args(["nextest", "run", "--workspace", "--no-fail-fast"]),
        summary::of_nextest,
    )?;
    report.add("tests", observed);
    Ok(())
}

fn libtest(report: &mut Report) -> Result<()> {
    eprintln!("      `cargo nextest` is not installed, so the tests run one binary at a time.");
    // `--tests`, because the documentation tests have a step of their own.
    if !compiles(process::cargo().args(["test", "--workspace", "--tests", "--no-run"]), "tests", report) {
        return Ok(());
    }
    let observed = process::observe(
        process::cargo().args(["test", "--workspace", "--tests", "--no-fail-fast"]),
        summary::of_libtest,
    )?;
    report.add("tests", observed);
    Ok(())
}

/// Compiles ahead of a run whose output is read, because cargo then shows no progress bar.
fn compiles(command: &mut Command, what: &str, report: &mut Report) -> bool {
    let outcome = process::run(command);
    if let Err(error) = &outcome {
        eprintln!("error: {error:#}");
        report.failed.push(format!("{what} (do not compile)"));
    }
    outcome.is_ok()
}

/// Plugins that turn on features of crates that others depend on. Where these plugins are left out, those crates have
/// other features than in the build of the tests, so cargo compiles them and all that depends on them once more.
const WITH_FEATURES_OF_OTHERS: [&str; 2] = ["plugin-executors", "plugin-logs"];

fn doc_tests(report: &mut Report) -> Result<()> {
    let mut command = process::cargo();
    command.args(["test", "--doc", "--workspace", "--no-fail-fast"]);
    // Cargo warns about every library that cannot have documentation tests.
    let without_tests = |package: &&PluginPackage| {
        !package.is_rust_library && !WITH_FEATURES_OF_OTHERS.contains(&package.name.as_str())
    };
    for package in workspace::fixtures()?.iter().filter(without_tests) {
        command.args(["--exclude", &package.name]);
    }
    report.add("documentation tests", process::observe(&mut command, summary::of_libtest)?);
    Ok(())
}

/// Returns the scripts in `folder`, by name.
fn scripts(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut scripts: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    scripts.retain(|path| path.extension() == Some(OsStr::new("sh")));
    scripts.sort();
    Ok(scripts)
}

fn run_script(script: &Path, title: &str, report: &mut Report) -> Result<()> {
    // A script that cannot run is not a failure here, not even on a build server: the report repeats its message.
    let mut command = process::program("bash");
    command.arg(script).env("POLYPLUG_THOROUGH", "1");
    report.add(title, process::observe(&mut command, summary::of_script)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_run_in_order_of_their_names() {
        let temp = tempfile::tempdir().unwrap();
        for name in ["b.sh", "a.sh", "common.bash", "notes.md"] {
            fs::write(temp.path().join(name), "").unwrap();
        }
        let names: Vec<_> =
            scripts(temp.path()).unwrap().iter().map(|path| path.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["a.sh", "b.sh"]);
    }

    #[test]
    fn one_failure_fails_all() {
        let mut report = Report::default();
        report.add("tests", Observed { success: true, lines: vec!["test result: ok".to_owned()] });
        report.add("documentation tests", Observed { success: false, lines: vec!["test result: FAILED".to_owned()] });
        assert_eq!(report.summaries, ["test result: ok", "test result: FAILED"]);
        assert_eq!(report.failed, ["documentation tests"]);
        assert!(!report.print());
        assert!(Report::default().print());
    }
}
