//! Figures of a source folder: how many files and arrows there are, and how many run in circles.

use std::fmt;

use super::arrows::Imports;
use super::circles::circles;
use super::tables::Table;
use super::tree::Tree;

/// The figures of one source folder. Files with only `mod` and `use` are no files here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// The source folder, from the repository's root.
    pub folder: String,
    /// The files with items of their own.
    pub files: usize,
    /// The pairs of files of which the first uses the second.
    pub arrows: usize,
    /// The arrows that lead to a higher row of the table; `None` without a table.
    pub upward: Option<usize>,
    /// The imports through the face of the importing file's own folder.
    pub detours: usize,
    /// The arrows whose both ends are in one circle.
    pub in_circles: usize,
    /// The number of circles.
    pub circles: usize,
    /// The files of the largest circle.
    pub largest: Vec<String>,
}

impl Figures {
    pub(super) fn of(folder: &str, tree: &Tree, imports: &Imports, table: Option<&Table>) -> Self {
        let found = circles(&imports.arrows);
        let inside = |from: &str, to: &str| found.iter().any(|circle| circle.contains(from) && circle.contains(to));
        let upward = |table: &Table| imports.arrows.keys().filter(|(from, to)| table.leads_up(from, to)).count();
        let largest = found.iter().max_by_key(|circle| circle.len());
        Self {
            folder: folder.to_owned(),
            files: tree.files().into_iter().filter(|file| !tree.is_face(file)).count(),
            arrows: imports.arrows.len(),
            upward: table.map(upward),
            detours: imports.detours.len(),
            in_circles: imports.arrows.keys().filter(|(from, to)| inside(from, to)).count(),
            circles: found.len(),
            largest: largest.into_iter().flatten().map(|file| (*file).to_owned()).collect(),
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { folder, files, arrows, upward, detours, in_circles, circles, largest } = self;
        let upward = upward.map_or("no table".to_owned(), |upward| upward.to_string());
        writeln!(
            f,
            "{folder}: {files} files, {arrows} arrows, upward: {upward}, in circles: {in_circles}, through own face: \
             {detours}, circles: {circles}, largest: {} files",
            largest.len()
        )?;
        largest.iter().try_for_each(|file| writeln!(f, "    {file}"))
    }
}
