//! Tests that are run by the programs of their languages: `cargo test` and `dotnet test`.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::contract::Failure;
use super::report::{FileReport, Status, TestReport};
use crate::build::has_makefile;
use crate::cargo::cargo;
use crate::text::causes;

/// A project with tests of its own.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Project {
    /// A crate, by its `Cargo.toml`.
    Cargo(PathBuf),
    /// A project or a solution of .NET, which `dotnet` builds.
    Dotnet(PathBuf),
}

impl Project {
    /// Returns the projects in a folder.
    pub(crate) fn find(folder: &Path) -> Result<Vec<Self>> {
        let mut found = Vec::new();
        let cargo = folder.join("Cargo.toml");
        if cargo.is_file() {
            found.push(Self::Cargo(cargo));
        }
        let entries = folder.read_dir().with_context(|| format!("cannot read {}", folder.display()))?;
        let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let ends = |path: &PathBuf, endings: &[&str]| {
            path.extension().is_some_and(|ending| endings.iter().any(|known| ending == *known))
        };
        let mut projects: Vec<_> = files.filter(|path| ends(path, &["sln", "slnx", "csproj", "fsproj"])).collect();
        projects.sort_by_key(|path| (!ends(path, &["sln", "slnx"]), path.clone()));
        // A project that is built in another way has no tests for `dotnet`.
        if !has_makefile(folder) {
            found.extend(projects.into_iter().next().map(Self::Dotnet));
        }
        Ok(found)
    }

    /// Runs the tests whose names contain `filter`. What the program prints goes to standard error. The report has one test,
    /// which stands for all of them.
    pub(crate) fn run(&self, filter: Option<&str>) -> FileReport {
        let name = match self {
            Self::Cargo(_) => "cargo test",
            Self::Dotnet(_) => "dotnet test",
        };
        let start = Instant::now();
        let outcome = match self {
            Self::Cargo(manifest) => cargo_test(manifest, filter),
            Self::Dotnet(project) => dotnet_test(project, filter),
        };
        let time = start.elapsed();
        let (tests, error) = match outcome {
            Ok(status) => (vec![test(name, status, time)], None),
            Err(error) => (Vec::new(), Some(causes(&error))),
        };
        FileReport { file: name.to_owned(), tests, error }
    }
}

fn test(name: &str, status: ExitStatus, time: Duration) -> TestReport {
    let status = if status.success() {
        Status::Passed
    } else {
        Status::Failed(Failure { message: format!("{status}: see above"), ..Failure::default() })
    };
    TestReport { name: name.to_owned(), place: None, status, time, log: Vec::new() }
}

fn cargo_test(manifest: &Path, filter: Option<&str>) -> Result<ExitStatus> {
    let command = || {
        let mut command = cargo();
        command.args(["test", "--manifest-path"]).arg(manifest).stdout(Stdio::from(io::stderr()));
        command
    };
    // A crate that does not compile has no failed test.
    let built = command().arg("--no-run").status().context("cannot start cargo, which runs the tests of crates")?;
    if !built.success() {
        bail!("{}: the tests could not be built: see above", manifest.display());
    }
    Ok(command().args(filter).status()?)
}

fn dotnet_test(project: &Path, filter: Option<&str>) -> Result<ExitStatus> {
    const REMEDY: &str =
        "install the .NET SDK, https://dotnet.microsoft.com/download, whose program `dotnet` runs the tests";
    let sdks = Command::new("dotnet").arg("--list-sdks").stderr(Stdio::inherit()).output();
    match sdks {
        Ok(sdks) if !sdks.stdout.trim_ascii().is_empty() => {}
        Ok(_) => bail!("{}: there is a .NET runtime, and no .NET SDK: {REMEDY}", project.display()),
        Err(error) => bail!("{}: `dotnet` cannot be started: {error}: {REMEDY}", project.display()),
    }
    let command = |verb: &str| {
        let mut command = Command::new("dotnet");
        command.arg(verb).arg(project).stdout(Stdio::from(io::stderr()));
        command
    };
    if !command("build").status()?.success() {
        bail!("{}: the tests could not be built: see above", project.display());
    }
    let mut tests = command("test");
    tests.arg("--no-build");
    if let Some(filter) = filter {
        tests.arg("--filter").arg(format!("FullyQualifiedName~{filter}"));
    }
    Ok(tests.status()?)
}
