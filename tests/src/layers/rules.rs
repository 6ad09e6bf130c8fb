//! The rules for the files of one source folder.

use std::collections::{BTreeMap, BTreeSet};

use super::arrows::{Arrow, Arrows, Imports};
use super::circles::{circles, shortest};
use super::report::Finding;
use super::tables::{LONGEST_ALLOWED, PAGE, Row, Table, Tables, may_be_allowed};
use super::tree::{Tree, folder_of};

/// A source folder, and what it is held against.
pub(super) struct Rules<'a> {
    pub(super) table: &'a Table,
    pub(super) tables: &'a Tables,
    pub(super) tree: &'a Tree,
    pub(super) imports: &'a Imports,
}

impl Rules<'_> {
    /// Reports what breaks a rule.
    pub(super) fn check(&self, findings: &mut Vec<Finding>) {
        self.rows(findings);
        self.unused_entries(findings);
        self.directions(findings);
        self.detours(findings);
        self.circles(findings);
    }

    /// Reports the files that have no row, and those that no module declaration leads to.
    fn rows(&self, findings: &mut Vec<Finding>) {
        for file in self.files().filter(|file| self.row(file).is_none()) {
            let message = format!(
                "no row of `### {}` in {PAGE} has this file: add it to the table in {PAGE}, to a row that is not \
                 lower than those of the files that it imports",
                self.table.folder
            );
            findings.push(Finding::new(file, 0, message));
        }
        for file in &self.tree.stray {
            let message = "no `mod` leads to this file: declare it, or delete it";
            findings.push(Finding::new(file, 0, message));
        }
    }

    /// Reports the entries of the table that have no file.
    fn unused_entries(&self, findings: &mut Vec<Finding>) {
        let used: BTreeSet<&str> = self.files().filter_map(|file| self.row(file)).map(|(_, entry)| entry).collect();
        for row in &self.table.rows {
            for entry in row.entries.iter().filter(|entry| !used.contains(entry.as_str())) {
                let message = format!(
                    "stale row: no file with items of its own in {} belongs to `{entry}`: remove the entry, or name \
                     the new place of the files. A file with only `mod` and `use` has no row",
                    self.table.folder
                );
                findings.push(Finding::new(PAGE, row.line, message));
            }
        }
    }

    /// Reports imports that lead to a higher row, or to another folder of the same row.
    fn directions(&self, findings: &mut Vec<Finding>) {
        for ((from, to), arrow) in &self.imports.arrows {
            let (Some((low, _)), Some((high, _))) = (self.row(from), self.row(to)) else { continue };
            if self.is_allowed(from, to) {
                continue;
            }
            if low < high {
                findings.push(Finding::new(from, arrow.line, self.upward(arrow, to, low, high)));
            } else if low == high && folder_of(from) != folder_of(to) {
                findings.push(Finding::new(from, arrow.line, self.sideways(arrow, to, low)));
            }
        }
    }

    fn upward(&self, Arrow { path, .. }: &Arrow, to: &str, low: usize, high: usize) -> String {
        let [low, high] = [low, high].map(|row| &self.table.rows[row]);
        format!(
            "imports upward: `{path}` is defined in {to}, layer {} ({PAGE}:{}), which is above this file's layer {} \
             ({PAGE}:{}). Move what both need into the lower layer, or have the upper layer hand it down as a value, a \
             closure or a trait of the lower one. If the order itself has changed, change the table in {PAGE}",
            high.name(),
            high.line,
            low.name(),
            low.line,
        )
    }

    fn sideways(&self, Arrow { path, .. }: &Arrow, to: &str, row: usize) -> String {
        let row = &self.table.rows[row];
        format!(
            "imports sideways: `{path}` is defined in {to}, another folder of the same layer {} ({PAGE}:{}). Give the \
             two folders rows of their own in {PAGE}, the imported one first",
            row.name(),
            row.line,
        )
    }

    /// Reports imports by way of the face of the importing file's own folder.
    fn detours(&self, findings: &mut Vec<Finding>) {
        for detour in &self.imports.detours {
            let message = format!(
                "imports through the face of its own folder: `{}` goes by way of {}, and is defined in {}. Import it \
                 from there",
                detour.path, detour.face, detour.definition
            );
            findings.push(Finding::new(&detour.file, detour.line, message));
        }
    }

    /// Reports circles that the page does not allow, and allowed circles that are gone.
    fn circles(&self, findings: &mut Vec<Finding>) {
        let found = circles(&self.imports.arrows);
        for circle in found.iter().filter(|circle| !self.allowed().any(|row| same(row, circle))) {
            findings.push(new_circle(circle, &self.imports.arrows));
        }
        for row in self.allowed().filter(|row| !found.iter().any(|circle| same(row, circle))) {
            let message = format!(
                "the allowed circle of {} is not one of exactly these files any more: remove the row",
                row.name()
            );
            findings.push(Finding::new(PAGE, row.line, message));
        }
    }

    /// Returns the allowed circles of this source folder.
    fn allowed(&self) -> impl Iterator<Item = &Row> {
        let own = |row: &&Row| row.entries.iter().any(|file| self.table.relative(file).is_some());
        let is_valid = |row: &&Row| may_be_allowed(row.entries.iter().map(String::as_str));
        self.tables.allowed.iter().filter(is_valid).filter(own)
    }

    fn is_allowed(&self, from: &str, to: &str) -> bool {
        self.allowed().any(|row| [from, to].iter().all(|file| row.entries.iter().any(|entry| entry == file)))
    }

    /// Returns the files with items of their own.
    fn files(&self) -> impl Iterator<Item = &str> {
        self.tree.files().into_iter().filter(|file| !self.tree.is_face(file))
    }

    fn row(&self, file: &str) -> Option<(usize, &str)> {
        self.table.row_of(self.table.relative(file)?)
    }
}

/// Returns whether the row names exactly the files of the circle.
fn same(row: &Row, circle: &BTreeSet<&str>) -> bool {
    row.entries.iter().map(String::as_str).collect::<BTreeSet<_>>() == *circle
}

fn new_circle(circle: &BTreeSet<&str>, arrows: &Arrows) -> Finding {
    let way = shortest(circle, arrows);
    let lines: BTreeMap<(&str, &str), &Arrow> =
        arrows.iter().map(|((from, to), arrow)| ((from.as_str(), to.as_str()), arrow)).collect();
    let steps: Vec<String> = way
        .iter()
        .zip(way.iter().cycle().skip(1))
        .filter_map(|(from, to)| {
            lines.get(&(*from, *to)).map(|arrow| format!("{from}:{} imports `{}`", arrow.line, arrow.path))
        })
        .collect();
    let first = way.first().copied().unwrap_or_default();
    let line = way.get(1).and_then(|to| lines.get(&(first, *to))).map_or(0, |arrow| arrow.line);
    let remedy = if !may_be_allowed(circle.iter().copied()) {
        format!("Cut one of the imports; a circle of more than {LONGEST_ALLOWED} files is never allowed")
    } else {
        format!(
            "Cut one of the imports. If the two belong together by design, add them to `### Allowed circles` in {PAGE}"
        )
    };
    let files = circle.iter().copied().collect::<Vec<_>>().join(", ");
    let message = format!("a circle of {} files: {}. {remedy}. The files: {files}", circle.len(), steps.join(", "));
    Finding::new(first, line, message)
}
