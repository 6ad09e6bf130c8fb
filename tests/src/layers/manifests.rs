//! The rule for dependencies between crates.

use std::collections::BTreeMap;

use toml::{Table as Toml, Value};

use super::Sources;
use super::report::Finding;
use super::tables::{PAGE, Table, Tables};

/// A crate's manifest.
struct Manifest<'a> {
    path: &'a str,
    text: &'a str,
    /// The crate's folder, with a `/` at its end, so that it is compared like a file of the table.
    folder: String,
    toml: Toml,
}

/// Reports the dependencies that go upward, those between crates of one row, and entries without a crate.
pub(super) fn check(tables: &Tables, manifests: &Sources, findings: &mut Vec<Finding>) {
    let crates = read(manifests, findings);
    let rows = &tables.crates;
    for (package, manifest) in &crates {
        let Some(place) = rows.row_of(&manifest.folder) else {
            let message =
                format!("no row of `### Crates` in {PAGE} has the crate {package}: add it to the table in {PAGE}");
            findings.push(Finding::new(manifest.path, 0, message));
            continue;
        };
        for (key, dependency) in manifest.dependencies() {
            let above = crates.get(&dependency).and_then(|other| rows.row_of(&other.folder));
            if let Some(message) = above.and_then(|above| verdict(rows, package, &dependency, place, above)) {
                findings.push(Finding::new(manifest.path, manifest.line(&key), message));
            }
        }
    }
    with_tables(tables, &crates, findings);
    for row in &rows.rows {
        let used =
            |entry: &str| crates.values().any(|one| rows.row_of(&one.folder).is_some_and(|(_, own)| own == entry));
        for entry in row.entries.iter().filter(|entry| !used(entry)) {
            findings.push(Finding::new(
                PAGE,
                row.line,
                format!("stale row: no crate lies in `{entry}`: remove the entry"),
            ));
        }
    }
}

/// Reports the crates that have no table of their layers. Those of the highest row need none.
fn with_tables(tables: &Tables, crates: &BTreeMap<String, Manifest<'_>>, findings: &mut Vec<Finding>) {
    for manifest in crates.values() {
        let below_highest =
            tables.crates.row_of(&manifest.folder).is_some_and(|(row, _)| row + 1 < tables.crates.rows.len());
        let folder = format!("{}src", manifest.folder);
        if below_highest && !tables.folders.iter().any(|table| table.folder == folder) {
            let message = format!("the layers of this crate stand nowhere: add a section `### {folder}` to {PAGE}");
            findings.push(Finding::new(manifest.path, 0, message));
        }
    }
}

/// Returns what is wrong with a dependency, by the rows and entries of the two crates.
fn verdict(rows: &Table, package: &str, dependency: &str, own: (usize, &str), other: (usize, &str)) -> Option<String> {
    let [own_row, other_row] = [own.0, other.0].map(|row| &rows.rows[row]);
    if own.0 < other.0 {
        return Some(format!(
            "depends upward: {dependency} is in {} ({PAGE}:{}), above {package} in {} ({PAGE}:{}). Remove the \
             dependency: what {package} needs belongs below it, or comes to it as a value or a trait",
            other_row.name(),
            other_row.line,
            own_row.name(),
            own_row.line,
        ));
    }
    (own.0 == other.0 && own.1 != other.1).then(|| {
        format!(
            "depends sideways: {dependency} and {package} are both in {} ({PAGE}:{}), whose crates do not know each \
             other. Move what both need into a crate of a lower row",
            own_row.name(),
            own_row.line,
        )
    })
}

/// Reads the crates, by the names of their packages.
fn read<'a>(manifests: &'a Sources, findings: &mut Vec<Finding>) -> BTreeMap<String, Manifest<'a>> {
    let mut crates = BTreeMap::new();
    for (path, text) in manifests {
        let toml: Toml = match text.parse() {
            Ok(toml) => toml,
            Err(error) => {
                findings.push(Finding::new(path, 0, format!("not TOML: {error}")));
                continue;
            }
        };
        let package = toml.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
        if let Some(package) = package.map(str::to_owned) {
            let folder = path.trim_end_matches("Cargo.toml").to_owned();
            crates.insert(package, Manifest { path, text, folder, toml });
        }
    }
    crates
}

impl Manifest<'_> {
    /// Returns the key and the package of each dependency, those of single systems as well.
    fn dependencies(&self) -> Vec<(String, String)> {
        let systems = self.toml.get("target").and_then(Value::as_table).into_iter().flat_map(Toml::values);
        let tables = systems.map(|system| system.get("dependencies")).chain([self.toml.get("dependencies")]);
        let named = tables.flatten().filter_map(Value::as_table).flatten();
        named
            .map(|(key, value)| {
                let package = value.get("package").and_then(Value::as_str).unwrap_or(key);
                (key.clone(), package.to_owned())
            })
            .collect()
    }

    /// Returns the line of a dependency.
    fn line(&self, key: &str) -> usize {
        let begins = |line: &str| line.strip_prefix(key).is_some_and(|rest| rest.starts_with([' ', '=', '.']));
        self.text.lines().position(begins).map_or(0, |at| at + 1)
    }
}
