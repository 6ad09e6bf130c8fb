//! `polyplug test`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use polyplug::loader::ManifestData;
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::args::Test;
use crate::bundle::{Contracts, Opened, files};
use crate::cargo::Package;
use crate::contracts;
use crate::exit::Exit;
use crate::testing::foreign::Project;
use crate::testing::report::{FileReport, TestReport, summary};
use crate::testing::session::{Job, UnderTest};
use crate::testing::{captured_log, junit, test_file, watchdog};
use crate::text::{BOLD, RED, styled};
use crate::{assemble, build};

/// The error of the files after one whose test does not return.
const NOT_RUN: &str = "not run: a test before does not return";

pub(crate) fn run(args: &Test) -> Result<Exit> {
    let folder = match args.bundle.parent().filter(|_| args.bundle.is_file()) {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => &args.bundle,
    };
    let projects = if folder.is_dir() { Project::find(folder)? } else { Vec::new() };
    let has_bundle = folder.join("manifest.toml").is_file() || has_script_tests(folder)?;
    let mut reports = Vec::new();
    let mut name = folder.display().to_string();
    if has_bundle || projects.is_empty() {
        let built = if has_bundle { built(folder)? } else { None };
        let manifest = ManifestData::read(built.as_ref().map_or(folder, |(_, bundle)| bundle))?;
        name.clone_from(&manifest.name);
        reports = run_files(args, manifest, projects.is_empty())?;
    }
    for project in projects {
        let report = project.run(args.filter.as_deref());
        let mut printer = Printer::new(args, &report.file);
        report.tests.iter().for_each(|test| printer.test(test));
        if let Some(error) = &report.error {
            printer.error(error, &[]);
        }
        reports.push(report);
    }
    if let Some(part) = &args.filter
        && reports.iter().all(|report| report.tests.is_empty() && report.error.is_none())
    {
        bail!("no test has a name that contains `{part}`");
    }
    finish(args, &name, &reports)
}

/// Returns whether a folder is the crate of a plugin that has test files beside those of cargo.
fn has_script_tests(folder: &Path) -> Result<bool> {
    let is_crate = folder.join("Cargo.toml").is_file();
    Ok(is_crate && !test_file::find(folder)?.is_empty() && Package::read(folder)?.is_plugin())
}

/// Builds the bundle of a project whose code is compiled, into a folder of its own, and adds the tests. Returns nothing for
/// a bundle that is used as it is.
fn built(project: &Path) -> Result<Option<(TempDir, PathBuf)>> {
    let Some(artifacts) = build::compiled(project)? else { return Ok(None) };
    let folder = tempfile::tempdir().context("cannot make a folder for the bundle")?;
    let bundle = assemble::write(&artifacts, folder.path())?;
    let tests = project.join(test_file::FOLDER);
    for (path, _) in if tests.is_dir() { files(&tests)? } else { Vec::new() } {
        let (from, to) = (tests.join(&path), bundle.join(test_file::FOLDER).join(&path));
        fs::create_dir_all(to.parent().unwrap_or(&bundle))?;
        fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    Ok(Some((folder, bundle)))
}

/// Runs the test files of a bundle.
fn run_files(args: &Test, manifest: ManifestData, must_exist: bool) -> Result<Vec<FileReport>> {
    let folder = manifest.origin.clone();
    let files = test_file::find(&folder)?;
    if files.is_empty() {
        if must_exist {
            bail!(
                "bundle `{}` has no tests: write one as {}, .py or .js, or give the folder of a crate or of a .NET project",
                manifest.name,
                folder.join(test_file::FOLDER).join("NAME.lua").display()
            );
        }
        return Ok(Vec::new());
    }
    captured_log::start();
    let mut given = contracts::shipped(&folder)?;
    given.extend(contracts::read_all(&args.needs.contracts)?);
    for other in &args.needs.with {
        given.extend(contracts::shipped(&ManifestData::read(other)?.origin)?);
    }
    let under_test = UnderTest {
        contracts: with_own(&manifest, given),
        manifest,
        with: args.needs.with.clone(),
        settings: settings(&args.config)?,
        timeout: Duration::from_secs(args.timeout),
        filter: args.filter.clone(),
    };
    let mut reports = Vec::new();
    let mut is_stuck = false;
    for file in files {
        let path = file.path();
        let mut printer = Printer::new(args, &path);
        let report = if is_stuck {
            FileReport { file: path.clone(), tests: Vec::new(), error: Some(NOT_RUN.to_owned()) }
        } else {
            let job = Job { bundle: under_test.clone(), file };
            let (report, stuck) = watchdog::run(job, |test| printer.test(test));
            is_stuck = stuck;
            report
        };
        let log = captured_log::take();
        if let Some(error) = &report.error {
            printer.error(error, &log);
        }
        reports.push(report);
    }
    Ok(reports)
}

/// Adds the contracts of the bundle's own plugins, which are not known if the bundle is native and ships no schemas.
fn with_own(manifest: &ManifestData, mut contracts: Contracts) -> Contracts {
    if !matches!(manifest.loader.as_str(), "lua" | "python" | "js")
        && let Ok(opened) = Opened::load_alone(&manifest.origin, &contracts)
    {
        for schema in opened.contracts().into_iter().flatten() {
            contracts.entry(contracts::key(&schema)).or_insert(schema);
        }
    }
    contracts
}

/// Reads settings, each of which is a line of TOML.
fn settings(given: &[String]) -> Result<toml::Table> {
    let mut settings = toml::Table::new();
    for text in given {
        let more: toml::Table = text
            .parse()
            .with_context(|| format!("--config {text}: no TOML: write for example --config 'greeting = \"Hello\"'"))?;
        settings.extend(more);
    }
    Ok(settings)
}

/// The report of one file as text, which is printed while the tests run. Nothing is printed if the output is JSON.
struct Printer<'a> {
    file: &'a str,
    is_text: bool,
    has_begun: bool,
}

impl<'a> Printer<'a> {
    fn new(args: &Test, file: &'a str) -> Self {
        Self { file, is_text: !args.output.json, has_begun: false }
    }

    /// Prints the name of the file, once. Returns whether more is to be printed.
    fn begin(&mut self) -> bool {
        if self.is_text && !std::mem::replace(&mut self.has_begun, true) {
            anstream::println!("{}", styled(BOLD, self.file));
        }
        self.is_text
    }

    fn test(&mut self, test: &TestReport) {
        if self.begin() {
            anstream::print!("{}", test.text());
        }
    }

    fn error(&mut self, error: &str, log: &[String]) {
        if self.begin() {
            anstream::println!("  {} {}", styled(RED, "could not be run:"), error.replace('\n', "\n    "));
            for line in log {
                anstream::println!("    {}", line.replace('\n', "\n    "));
            }
        }
    }
}

fn finish(args: &Test, name: &str, reports: &[FileReport]) -> Result<Exit> {
    if let Some(file) = &args.junit {
        fs::write(file, junit::xml(name, reports)).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if args.output.json {
        anstream::println!("{:#}", Json::Array(reports.iter().map(FileReport::json).collect()));
    } else {
        anstream::println!("\n{}", summary(reports));
    }
    if reports.iter().any(|report| report.error.is_some()) {
        return Ok(Exit::Failed);
    }
    Ok(Exit::of(!reports.iter().any(FileReport::has_failed)))
}
