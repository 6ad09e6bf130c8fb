//! The test files of a bundle.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::language::Language;

/// The folder of the test files, in the folder of the bundle.
pub(crate) const FOLDER: &str = "tests";

/// A test file.
#[derive(Debug, Clone)]
pub(crate) struct TestFile {
    /// The name of the file, without its folder.
    pub(crate) name: String,
    pub(crate) language: Language,
}

impl TestFile {
    /// Returns the path in the bundle's folder, with `/` between the parts.
    pub(crate) fn path(&self) -> String {
        format!("{FOLDER}/{}", self.name)
    }
}

/// Returns the test files of a bundle, by name. Files whose names begin with `_` are modules of the test files.
pub(crate) fn find(bundle: &Path) -> Result<Vec<TestFile>> {
    let folder = bundle.join(FOLDER);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in folder.read_dir().with_context(|| format!("cannot read {}", folder.display()))? {
        let path: PathBuf = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if let Some(language) = Language::of(&path)
            && !name.starts_with('_')
            && path.is_file()
        {
            found.push(TestFile { name: name.to_owned(), language });
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}
