//! Files of C# in a folder, and the value that differs when one of them does.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::packages::sha256;

/// Returns the files of C# below `folder`, in the order of their paths; none when the folder does not exist.
pub(super) fn below(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut found, mut folders) = (Vec::new(), Vec::new());
    if folder.is_dir() {
        folders.push(folder.to_owned());
    }
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                // An SDK builds into these, and has sources of its own there.
                if !["bin", "obj"].iter().any(|name| path.ends_with(name)) {
                    folders.push(path);
                }
            } else if is_source(&path) {
                found.push(path);
            }
        }
    }
    found.sort_by_key(|path| relative(path, folder));
    Ok(found)
}

/// Returns whether this is a file of C#.
pub(super) fn is_source(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "cs")
}

/// Returns the path of a file in a folder, the same on every platform.
pub(super) fn relative(path: &Path, folder: &Path) -> String {
    let parts = path.strip_prefix(folder).unwrap_or(path).components();
    parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Returns the SHA-256 of the paths of these files in `folder`, and of their contents. Ends of lines are of no account,
/// because git may change them.
pub(super) fn hash(files: &[PathBuf], folder: &Path) -> Result<String> {
    let mut all = Vec::new();
    for file in files {
        let contents = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let contents = without_carriage_returns(&contents);
        let path = relative(file, folder);
        all.extend_from_slice(format!("{path}\0{}\0", contents.len()).as_bytes());
        all.extend_from_slice(&contents);
    }
    Ok(sha256(&all))
}

fn without_carriage_returns(contents: &[u8]) -> Vec<u8> {
    let next = contents.iter().skip(1).map(Some).chain([None]);
    contents.iter().zip(next).filter(|&pair| pair != (&b'\r', Some(&b'\n'))).map(|(&byte, _)| byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_folder_have_one_order_and_ends_of_lines_are_of_no_account() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path();
        assert!(below(&folder.join("missing")).unwrap().is_empty());
        fs::create_dir_all(folder.join("a")).unwrap();
        for (name, text) in [("b.cs", "one\ntwo\n"), ("a/c.cs", "three"), ("a.cs", "four"), ("notes.md", "five")] {
            fs::write(folder.join(name), text).unwrap();
        }
        let files = below(folder).unwrap();
        assert_eq!(files.iter().map(|file| relative(file, folder)).collect::<Vec<_>>(), ["a.cs", "a/c.cs", "b.cs"]);
        let before = hash(&files, folder).unwrap();

        fs::write(folder.join("b.cs"), "one\r\ntwo\r\n").unwrap();
        assert_eq!(hash(&files, folder).unwrap(), before);
        fs::write(folder.join("b.cs"), "one\rtwo\n").unwrap();
        assert_ne!(hash(&files, folder).unwrap(), before);
        // A text that moves from one file to the next is another program.
        fs::write(folder.join("b.cs"), "\ntwo\n").unwrap();
        fs::write(folder.join("a/c.cs"), "threeone").unwrap();
        assert_ne!(hash(&files, folder).unwrap(), before);
    }
}
