//! The texts of a repository, and the two questions about them: findings and figures.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use super::arrows::Imports;
use super::figures::Figures;
use super::manifests;
use super::report::Finding;
use super::rules::Rules;
use super::tables::{PAGE, Tables};
use super::tree::Tree;

/// Texts by their paths from the repository's root, with `/` between folders.
pub type Sources = BTreeMap<String, String>;

/// The source folders whose figures are asked for where the page has no tables.
const FOLDERS: [&str; 8] = [
    "polyplug-abi/src",
    "polyplug-macros/src",
    "polyplug/src",
    "loaders/native/src",
    "loaders/lua/src",
    "loaders/python/src",
    "loaders/all/src",
    "xtask/src",
];

/// The texts of a repository that the rules are about.
#[derive(Debug, Clone, Default)]
pub struct Repository {
    /// The source files.
    pub sources: Sources,
    /// The manifests of the crates, each called `Cargo.toml`.
    pub manifests: Sources,
    /// The page with the tables.
    pub page: String,
}

impl Repository {
    /// Reads the repository in the folder `root`.
    ///
    /// # Errors
    ///
    /// If a file or a folder cannot be read. A page that does not exist is empty.
    pub fn read(root: &Path) -> io::Result<Self> {
        let page = fs::read_to_string(root.join(PAGE)).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(String::new()),
            _ => Err(error),
        })?;
        let mut repository = Self { page, ..Self::default() };
        repository.add(root, "")?;
        Ok(repository)
    }

    /// Adds the files below `root` in `folder`, which is empty or ends with `/`.
    fn add(&mut self, root: &Path, folder: &str) -> io::Result<()> {
        for entry in fs::read_dir(root.join(folder))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{folder}{name}");
            let kind = entry.file_type()?;
            if kind.is_dir() && name != "target" && !name.starts_with('.') {
                self.add(root, &format!("{path}/"))?;
            } else if kind.is_file() && name == "Cargo.toml" {
                self.manifests.insert(path, fs::read_to_string(entry.path())?);
            } else if kind.is_file() && name.ends_with(".rs") {
                self.sources.insert(path, fs::read_to_string(entry.path())?);
            }
        }
        Ok(())
    }

    /// Returns every line that breaks a rule.
    #[must_use]
    pub fn check(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let tables = Tables::read(&self.page, &mut findings);
        for table in &tables.folders {
            let tree = Tree::read(&table.folder, &self.sources, &mut findings);
            let imports = Imports::of(&tree);
            Rules { table, tables: &tables, tree: &tree, imports: &imports }.check(&mut findings);
        }
        manifests::check(&tables, &self.manifests, &mut findings);
        findings.sort();
        findings
    }

    /// Returns the figures of each source folder that has a table.
    ///
    /// Without any table they are those of the framework's crates.
    #[must_use]
    pub fn figures(&self) -> Vec<Figures> {
        let mut unreadable = Vec::new();
        let tables = Tables::read(&self.page, &mut unreadable);
        let has_sources = |folder: &&str| self.sources.keys().any(|path| path.starts_with(&format!("{folder}/")));
        let folders: Vec<&str> = match &tables.folders[..] {
            [] => FOLDERS.into_iter().filter(has_sources).collect(),
            with_tables => with_tables.iter().map(|table| table.folder.as_str()).collect(),
        };
        let figures = folders.into_iter().map(|folder| {
            let tree = Tree::read(folder, &self.sources, &mut unreadable);
            let table = tables.folders.iter().find(|table| table.folder == folder);
            Figures::of(folder, &tree, &Imports::of(&tree), table)
        });
        figures.collect()
    }
}
