//! The input of cbindgen: the ABI's types and the C library's functions, with a few replacements.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The replacements in all sources: the text in Rust, and the text that C needs. The sources must contain each.
const REPLACED: &[(&str, &str)] = &[
    // Every function pointer of C may be null. cbindgen knows that where the function's type is written out; an option
    // of a named function type is a type that it does not know.
    ("Option<GrowFn>", "GrowFn"),
    ("Option<CreateWithError>", "CreateWithError"),
    ("Option<SaveInstance>", "SaveInstance"),
    ("Option<RestoreInstance>", "RestoreInstance"),
    ("Option<CheckHealth>", "CheckHealth"),
    ("Option<OnReload>", "OnReload"),
    ("Option<DropObject>", "DropObject"),
    ("Option<UnloadFunction>", "UnloadFunction"),
    // Rust has no type for functions of every signature. Plugins in C need no cast with the type of C.
    ("pub functions: *const *const ()", "pub functions: *const Entry"),
];

/// A copy of the sources, which is removed when the value is dropped.
pub(crate) struct Sources {
    folder: TempDir,
    /// The names of all types that they define.
    pub(crate) names: Vec<String>,
}

impl Sources {
    /// Copies the sources of the repository at `root`.
    pub(crate) fn read(root: &Path) -> Self {
        let mut paths = rust_files(&root.join("polyplug-abi/src"));
        paths.push(root.join("loaders/all/src/lib.rs"));
        let mut texts: Vec<String> = paths.iter().map(|path| fs::read_to_string(path).expect("UTF-8")).collect();
        for (from, to) in REPLACED {
            assert!(texts.iter().any(|text| text.contains(from)), "polyplug-abi no longer says `{from}`: see REPLACED");
            texts.iter_mut().for_each(|text| *text = text.replace(from, to));
        }
        let folder = TempDir::new().expect("a temporary folder");
        for (number, text) in texts.iter().enumerate() {
            fs::write(folder.path().join(format!("{number:02}.rs")), text).expect("room for a copy");
        }
        let names = texts.iter().flat_map(|text| text.lines()).filter_map(defined).map(str::to_owned).collect();
        Self { folder, names }
    }

    /// Returns the files of the copy, always in the same order.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        rust_files(self.folder.path())
    }
}

/// Returns the name of the type that a line of Rust begins to define, or `None` for a generic type: C has only its
/// instances.
fn defined(line: &str) -> Option<&str> {
    let rest = ["pub struct ", "pub enum ", "pub union ", "pub type "].iter().find_map(|key| line.strip_prefix(key))?;
    let end = rest.find(|letter: char| !letter.is_alphanumeric())?;
    (!rest[end..].starts_with('<')).then_some(&rest[..end])
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files.sort();
    files
}
