//! `cargo xtask bench`: the benchmarks, each of which prints its own table.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

use crate::workspace::{self, Profile};
use crate::{dotnet, fixtures, process, python};

const PACKAGE: &str = "polyplug-tests";
const FOLDER: &str = "tests";

pub(crate) fn run(filter: Option<&str>) -> Result<()> {
    let folder = workspace::root().join(FOLDER);
    let benches = benches(&folder)?;
    if benches.is_empty() {
        bail!("the package {PACKAGE} has no benchmarks");
    }
    python::required()?;
    fixtures::plugins(Profile::Release)?;
    dotnet::build_guests()?;

    let mut command = process::cargo();
    command.args(["bench", "--package", PACKAGE]);
    // By name, because cargo would run the package's tests as benchmarks too.
    for bench in &benches {
        command.args(["--bench", bench]);
    }
    command.arg("--").args(filter);
    process::run(&mut command)
}

/// Returns the benchmarks of the package in `folder`: those in its manifest and those in `benches`.
fn benches(folder: &Path) -> Result<BTreeSet<String>> {
    let path = folder.join("Cargo.toml");
    let manifest = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let manifest: Table = manifest.parse().with_context(|| format!("in {}", path.display()))?;

    let declared = manifest.get("bench").and_then(Value::as_array).into_iter().flatten();
    let mut names: BTreeSet<String> =
        declared.filter_map(|bench| bench.get("name")?.as_str().map(str::to_owned)).collect();

    let discovers = manifest.get("package").and_then(|package| package.get("autobenches")).and_then(Value::as_bool);
    if discovers != Some(false) {
        names.extend(discovered(&folder.join("benches"))?);
    }
    Ok(names)
}

/// Returns the benchmarks that cargo finds by their paths: `benches/x.rs` and `benches/x/main.rs`.
fn discovered(folder: &Path) -> Result<Vec<String>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") || path.join("main.rs").is_file() {
            names.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn benchmarks_are_found_as_cargo_finds_them() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path();
        fs::create_dir_all(folder.join("benches/reload")).unwrap();
        fs::create_dir_all(folder.join("benches/support")).unwrap();
        fs::write(folder.join("benches/calls.rs"), "").unwrap();
        fs::write(folder.join("benches/reload/main.rs"), "").unwrap();
        fs::write(folder.join("benches/support/mod.rs"), "").unwrap();

        let manifest = "[package]\nname = 'x'\n[[bench]]\nname = 'calls'\nharness = false\n";
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        assert_eq!(benches(folder).unwrap().into_iter().collect::<Vec<_>>(), ["calls", "reload"]);

        fs::write(folder.join("Cargo.toml"), manifest.replace("'x'", "'x'\nautobenches = false")).unwrap();
        assert_eq!(benches(folder).unwrap().into_iter().collect::<Vec<_>>(), ["calls"]);
    }
}
