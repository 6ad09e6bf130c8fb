//! The files of a project.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// The files of a project: paths relative to its folder, and contents.
#[derive(Debug, Default)]
pub(crate) struct Files(Vec<(String, Vec<u8>)>);

impl Files {
    /// Adds a file.
    pub(crate) fn add(&mut self, path: impl Into<String>, contents: impl Into<Vec<u8>>) {
        self.0.push((path.into(), contents.into()));
    }

    /// Writes all files into `folder`, which must not exist, or be empty. Prints what was written.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        if folder.exists() {
            let mut entries = fs::read_dir(folder).with_context(|| format!("cannot use {}", folder.display()))?;
            if entries.next().is_some() {
                bail!("{}: the folder is not empty: choose another name, or remove what is in it", folder.display());
            }
        }
        for (path, contents) in &self.0 {
            let file = folder.join(path);
            let parent = file.parent().unwrap_or(folder);
            fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
            fs::write(&file, contents).with_context(|| format!("cannot write {}", file.display()))?;
            anstream::println!("{}", file.display());
        }
        Ok(())
    }
}

/// Refuses a name that is not one of a crate and of a bundle in every language.
pub(crate) fn check_name(name: &str) -> Result<()> {
    const RESERVED: [&str; 12] =
        ["test", "core", "std", "alloc", "polyplug", "self", "super", "crate", "con", "nul", "aux", "prn"];
    let is_word = name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-');
    if !is_word || name.contains("--") {
        bail!(
            "`{name}` cannot be the name of a project: write lowercase letters, digits and `-`, such as `word-count`"
        );
    }
    if RESERVED.contains(&name) {
        bail!("`{name}` cannot be the name of a project: the name has a meaning of its own");
    }
    Ok(())
}

/// Returns the name of a type for a project: `WordCount` for `word-count`.
pub(super) fn type_name(project: &str) -> String {
    project.split('-').map(|part| part[..1].to_uppercase() + &part[1..]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_serve_crates_and_bundles() {
        for name in ["a", "hello", "word-count", "v2"] {
            check_name(name).unwrap();
        }
        for name in ["", "Hello", "2a", "a_b", "a b", "-a", "a-", "a--b", "../a", "ä", "test", "nul"] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
