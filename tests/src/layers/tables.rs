//! The tables under `## Layers` of the page on the design: the order that the imports are held against.

use std::collections::BTreeSet;

use super::report::Finding;

/// The page with the tables.
pub const PAGE: &str = "docs/src/design.md";

/// The number of files of a circle that can be allowed.
pub(super) const LONGEST_ALLOWED: usize = 2;

/// The folder whose circles may be longer: C structures lead to each other by pointers, and have no other way.
const C_STRUCTURES: &str = "polyplug-abi/src/";

/// Returns whether files may be listed as an allowed circle.
pub(super) fn may_be_allowed<'a>(files: impl ExactSizeIterator<Item = &'a str>) -> bool {
    let length = files.len();
    let all_c = files.into_iter().all(|file| file.starts_with(C_STRUCTURES));
    length == LONGEST_ALLOWED || (all_c && length > LONGEST_ALLOWED)
}

/// The tables of the page.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// The layers of each source folder.
    pub(super) folders: Vec<Table>,
    /// The order of the crates.
    pub(super) crates: Table,
    /// The circles of two files that are meant.
    pub(super) allowed: Vec<Row>,
}

/// One table: rows from the lowest to the highest.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// The source folder, from the repository's root.
    pub(super) folder: String,
    pub(super) rows: Vec<Row>,
}

/// A row of a table: what its first cell names.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) entries: Vec<String>,
    /// The line of the page.
    pub(super) line: usize,
}

impl Row {
    /// Returns the row's first cell as the page has it.
    pub(super) fn name(&self) -> String {
        self.entries.iter().map(|entry| format!("`{entry}`")).collect::<Vec<_>>().join(", ")
    }
}

impl Table {
    /// Returns the path of a file relative to the table's folder, or `None` if it lies elsewhere.
    pub(super) fn relative<'f>(&self, file: &'f str) -> Option<&'f str> {
        file.strip_prefix(&self.folder)?.strip_prefix('/')
    }

    /// Returns whether both files have rows and the second file's row is the higher one.
    pub(super) fn leads_up(&self, from: &str, to: &str) -> bool {
        let row = |file| self.relative(file).and_then(|path| self.row_of(path)).map(|(row, _)| row);
        row(from).zip(row(to)).is_some_and(|(low, high)| low < high)
    }

    /// Returns the row and the entry of `path`, which is relative to the table's folder. The longest entry decides.
    pub(super) fn row_of(&self, path: &str) -> Option<(usize, &str)> {
        let entries =
            self.rows.iter().enumerate().flat_map(|(at, row)| row.entries.iter().map(move |entry| (at, entry)));
        entries
            .filter(|(_, entry)| path == entry.as_str() || entry.ends_with('/') && path.starts_with(entry.as_str()))
            .max_by_key(|(_, entry)| entry.len())
            .map(|(at, entry)| (at, entry.as_str()))
    }
}

impl Tables {
    /// Reads the page.
    pub(super) fn read(page: &str, findings: &mut Vec<Finding>) -> Self {
        let mut tables = Self::default();
        let mut section: Option<Section> = None;
        let mut inside = false;
        for (at, line) in page.lines().enumerate() {
            if let Some(heading) = line.strip_prefix("## ") {
                inside = heading.trim() == "Layers";
                section = None;
            } else if let Some(heading) = line.strip_prefix("### ").filter(|_| inside) {
                section = Some(tables.begin(heading.trim()));
            } else if let (Some(section), true) = (&section, is_row(line)) {
                let row = Row { entries: quoted(first_cell(line)), line: at + 1 };
                tables.add(section, row, findings);
            }
        }
        tables.check(findings);
        tables
    }

    fn begin(&mut self, heading: &str) -> Section {
        match heading.trim_matches('`') {
            "Crates" => Section::Crates,
            "Allowed circles" => Section::Allowed,
            folder => {
                let folder = folder.trim_end_matches('/').to_owned();
                self.folders.push(Table { folder, rows: Vec::new() });
                Section::Folder
            }
        }
    }

    fn add(&mut self, section: &Section, row: Row, findings: &mut Vec<Finding>) {
        if row.entries.is_empty() {
            let message = "the first cell of this row names nothing in backticks: write `folder/` or `file.rs`";
            return findings.push(Finding::new(PAGE, row.line, message));
        }
        match section {
            Section::Crates => self.crates.rows.push(row),
            Section::Allowed => self.allowed.push(row),
            Section::Folder => self.folders.last_mut().expect("a section has a table").rows.push(row),
        }
    }

    /// Reports what no table may say.
    fn check(&self, findings: &mut Vec<Finding>) {
        for row in &self.allowed {
            let length = row.entries.len();
            if !may_be_allowed(row.entries.iter().map(String::as_str)) {
                let message = format!(
                    "an allowed circle has {LONGEST_ALLOWED} files, this one has {length}: cut a longer circle"
                );
                findings.push(Finding::new(PAGE, row.line, message));
            }
            for file in
                row.entries.iter().filter(|file| !self.folders.iter().any(|table| table.relative(file).is_some()))
            {
                let message =
                    format!("`{file}` lies in no source folder that has a table: write the path from the root");
                findings.push(Finding::new(PAGE, row.line, message));
            }
        }
        for table in self.folders.iter().chain([&self.crates]) {
            let mut seen = BTreeSet::new();
            for row in &table.rows {
                for twice in row.entries.iter().filter(|entry| !seen.insert(entry.as_str())) {
                    findings.push(Finding::new(PAGE, row.line, format!("`{twice}` stands in two rows: leave one")));
                }
            }
        }
    }
}

/// The kind of table under a heading.
enum Section {
    Crates,
    Allowed,
    Folder,
}

/// Returns whether the line is a row of a table, and neither its head nor the line below that.
fn is_row(line: &str) -> bool {
    let cell = first_cell(line);
    line.starts_with('|') && !HEADS.contains(&cell) && !cell.chars().all(|sign| "-: ".contains(sign))
}

/// The first cells of the tables' heads.
const HEADS: [&str; 3] = ["layer", "crates", "files"];

fn first_cell(line: &str) -> &str {
    line.split('|').nth(1).unwrap_or_default().trim()
}

/// Returns the texts between backticks.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}
