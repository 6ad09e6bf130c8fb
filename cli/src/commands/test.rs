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
use crate::contracts;
use crate::exit::Exit;
use crate::testing::foreign::Project;
use crate::testing::report::{FileReport, summary};
use crate::testing::session::{Job, UnderTest};
use crate::testing::{captured_log, junit, test_file, watchdog};
use crate::text::{BOLD, RED, styled};
use crate::{assemble, build};

pub(crate) fn run(args: &Test) -> Result<Exit> {
    let folder = if args.bundle.is_file() { args.bundle.parent().unwrap_or(&args.bundle) } else { &args.bundle };
    let projects = if folder.is_dir() { Project::find(folder)? } else { Vec::new() };
    let is_bundle = folder.join("manifest.toml").is_file();
    let mut reports = Vec::new();
    let mut name = folder.display().to_string();
    if is_bundle || projects.is_empty() {
        let built = if is_bundle { built(folder)? } else { None };
        let manifest = ManifestData::read(built.as_ref().map_or(folder, |(_, bundle)| bundle))?;
        name.clone_from(&manifest.name);
        reports = run_files(args, manifest, projects.is_empty())?;
    }
    for project in projects {
        let report = project.run(args.filter.as_deref());
        show(args, &report);
        reports.push(report);
    }
    if let Some(part) = &args.filter
        && reports.iter().all(|report| report.tests.is_empty() && report.error.is_none())
    {
        bail!("no test has a name that contains `{part}`");
    }
    finish(args, &name, &reports)
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
    captured_log::start();
    let mut reports = Vec::new();
    let mut is_stuck = false;
    for file in files {
        if is_stuck {
            let error = "not run: a test before does not return".to_owned();
            reports.push(FileReport { file: file.path(), tests: Vec::new(), error: Some(error) });
            show(args, &reports[reports.len() - 1]);
            continue;
        }
        let path = file.path();
        let mut is_first = true;
        let (report, stuck) = watchdog::run(Job { bundle: under_test.clone(), file }, |test| {
            if !args.output.json {
                if std::mem::take(&mut is_first) {
                    anstream::println!("{}", styled(BOLD, &path));
                }
                anstream::print!("{}", test.text());
            }
        });
        is_stuck = stuck;
        if let Some(error) = report.error.as_ref().filter(|_| !args.output.json) {
            if is_first {
                anstream::println!("{}", styled(BOLD, &path));
            }
            print_error(error);
            for line in captured_log::take() {
                anstream::println!("    {line}");
            }
        }
        captured_log::take();
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

/// Prints the report of a file at once.
fn show(args: &Test, report: &FileReport) {
    if args.output.json {
        return;
    }
    anstream::println!("{}", styled(BOLD, &report.file));
    for test in &report.tests {
        anstream::print!("{}", test.text());
    }
    if let Some(error) = &report.error {
        print_error(error);
    }
}

fn print_error(error: &str) {
    anstream::println!("  {} {}", styled(RED, "could not be run:"), error.replace('\n', "\n    "));
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
