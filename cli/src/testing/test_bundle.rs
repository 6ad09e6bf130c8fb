//! The bundle that is made of a test file.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::test_file::{FOLDER, TestFile};
use crate::bundle::{Contracts, files};

/// A bundle with the files of the folder `tests`, the module `polyplug.test` and the schemas of contracts. Its name is
/// `tests`, so that errors name the test files by their paths in the folder of the bundle under test.
pub(crate) struct TestBundle {
    folder: TempDir,
    pub(crate) name: String,
}

impl TestBundle {
    /// Makes the bundle for a test file of the bundle `of` in `folder`. Tests may call plugins of all `contracts`.
    pub(crate) fn make(folder: &Path, of: &str, file: &TestFile, contracts: &Contracts) -> Result<Self> {
        let name = if of == FOLDER { format!("{FOLDER}-of-{of}") } else { FOLDER.to_owned() };
        let made = Self { folder: tempfile::tempdir().context("cannot make a folder for the test bundle")?, name };
        let from = folder.join(FOLDER);
        for (path, _) in files(&from)? {
            let to = made.prepare(&path)?;
            fs::copy(from.join(&path), to).with_context(|| format!("cannot copy {}", from.join(&path).display()))?;
        }
        for (path, text) in file.language.module() {
            made.write(path, text.as_bytes())?;
        }
        for (contract, schema) in contracts {
            made.write(&format!("{contract}.schema"), &schema.encode())?;
        }
        let (main, text) = file.language.main_file(&file.name);
        if let Some(text) = text {
            made.write(&main, text.as_bytes())?;
        }
        made.write("manifest.toml", made.manifest(file, &main, contracts).to_string().as_bytes())?;
        Ok(made)
    }

    fn manifest(&self, file: &TestFile, main: &str, contracts: &Contracts) -> toml::Table {
        let text = |text: &str| toml::Value::String(text.to_owned());
        let need =
            |contract: &String| toml::Value::Table([("contract".to_owned(), text(contract))].into_iter().collect());
        let entries = [
            ("name", text(&self.name)),
            ("version", text("0.0.0")),
            ("loader", text(file.language.loader())),
            ("file", text(main)),
            ("dependency", toml::Value::Array(contracts.keys().map(need).collect())),
        ];
        entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    /// Returns the bundle's folder.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join(FOLDER)
    }

    /// Returns a folder for the data of bundles.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn write(&self, path: &str, contents: &[u8]) -> Result<()> {
        let to = self.prepare(path.as_ref())?;
        fs::write(&to, contents).with_context(|| format!("cannot write {}", to.display()))
    }

    /// Returns the path of a file of the bundle, whose folder exists.
    fn prepare(&self, path: &Path) -> Result<PathBuf> {
        let to = self.path().join(path);
        let parent = to.parent().unwrap_or(&to);
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        Ok(to)
    }
}
