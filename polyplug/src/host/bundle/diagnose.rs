//! The look at a path where a bundle was expected and is not found: what is there instead.
//!
//! A look is made only for an error, and for the entries of a folder of bundles that are no bundles. No file is opened.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use super::artifact::loader_of;
use super::names::{FILE_NAME, belongs, is_cache, is_pack};
use crate::host::error::found::FoundInstead;
use crate::host::error::suggest::nearest;

/// The greatest number of entries of a folder that are looked at.
const ENTRIES: usize = 4096;

/// Names under which people write a manifest, in lower case.
const MANIFESTS: [&str; 7] =
    [FILE_NAME, "manifest", "manifest.json", "manifest.yaml", "plugin.toml", "bundle.toml", "polyplug.toml"];

/// Files of other tools, which are not taken for a manifest.
const OTHER_TOML: [&str; 4] = ["cargo.toml", "pyproject.toml", "clippy.toml", "rustfmt.toml"];

/// The ends of the names of archives.
const ARCHIVES: [&str; 10] =
    [".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".tar.zst", ".7z", ".rar", ".whl"];

/// Returns what is at `path`, where no manifest can be read. `path` is absolute.
#[cold]
pub(crate) fn found_instead(path: &Path) -> FoundInstead {
    let Ok(found) = path.symlink_metadata() else { return nothing_at(path) };
    if found.is_symlink()
        && let Some(link) = dangling(path)
    {
        return link;
    }
    match fs::read_dir(path) {
        Ok(entries) => in_folder(path, entries),
        Err(_) if path.is_file() => file(path),
        Err(error) => unreadable(&error),
    }
}

/// Returns what is at `path`, where a folder of bundles was expected, or `None` if a folder is there that can be read.
pub(crate) fn no_folder(path: &Path) -> Option<FoundInstead> {
    match fs::read_dir(path) {
        Ok(_) if is_bundle(path) => Some(FoundInstead::Bundle),
        Ok(_) => None,
        Err(_) if is_pack(path) => Some(FoundInstead::Bundle),
        Err(_) => Some(found_instead(path)),
    }
}

/// Returns whether there is a folder with a manifest at a path, or a pack.
pub(crate) fn is_bundle(path: &Path) -> bool {
    path.join(FILE_NAME).symlink_metadata().is_ok() || is_pack(path)
}

/// Returns whether a file or folder in a folder of bundles is of no interest, by its name: hidden files, files of
/// editors and tools, texts for people.
pub(crate) fn is_of_no_interest(path: &Path) -> bool {
    let Some(name) = path.file_name() else { return true };
    let lower = name.to_string_lossy().to_lowercase();
    let for_people = ["readme", "license", "licence", "copying", "changelog", "notice", "contributing"];
    let of_tools = ["target", "node_modules", "lost+found", "thumbs.db", "desktop.ini", "__init__.py"];
    let texts = [".md", ".txt", ".rst"];
    // A manifest that somebody has saved as text is of interest.
    !belongs(name)
        || of_tools.contains(&&*lower)
        || for_people.iter().any(|start| lower.starts_with(start))
        || (texts.iter().any(|end| lower.ends_with(end)) && !is_manifest(name))
        || is_cache(path)
}

/// Returns whether people write a manifest under this name.
fn is_manifest(name: &OsStr) -> bool {
    let lower = name.to_string_lossy().to_lowercase();
    let lower = lower.strip_suffix(".txt").unwrap_or(&lower);
    if OTHER_TOML.contains(&lower) {
        return false;
    }
    // Only a name that is about as long: others have too much in common by chance.
    let is_near = || lower.len() >= FILE_NAME.len() - 2 && nearest(lower, &[FILE_NAME]).is_some();
    MANIFESTS.contains(&lower) || (lower.starts_with('m') && is_near())
}

fn nothing_at(path: &Path) -> FoundInstead {
    let mut missing = path;
    for existing in path.ancestors().skip(1) {
        let kind = existing.symlink_metadata();
        match kind {
            Ok(found) if found.is_symlink() && !existing.exists() => {
                return dangling(existing).unwrap_or(FoundInstead::File);
            }
            Ok(_) => {
                let missing = missing.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let names: Vec<_> = listed(existing).map(|name| name.to_string_lossy().into_owned()).collect();
                let lower: Vec<_> = names.iter().map(|name| name.to_lowercase()).collect();
                let lower: Vec<_> = lower.iter().map(String::as_str).collect();
                let near = nearest(&missing.to_lowercase(), &lower);
                let similar = near.and_then(|near| Some(names[lower.iter().position(|name| *name == near)?].clone()));
                return FoundInstead::Nothing { existing: existing.to_owned(), missing, similar };
            }
            // Whether anything is there cannot be known.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return unreadable(&error),
            Err(_) => missing = existing,
        }
    }
    FoundInstead::Nothing { existing: "/".into(), missing: path.display().to_string(), similar: None }
}

/// Returns the names in a folder, up to [`ENTRIES`], or none if the folder cannot be read.
fn listed(folder: &Path) -> impl Iterator<Item = std::ffi::OsString> {
    fs::read_dir(folder).into_iter().flatten().take(ENTRIES).flatten().map(|entry| entry.file_name())
}

/// Returns the link at `path`, if it leads nowhere.
fn dangling(path: &Path) -> Option<FoundInstead> {
    let target = fs::read_link(path).ok()?;
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Some(unreadable(&error)),
        Err(_) => Some(FoundInstead::DanglingLink { link: path.to_owned(), target }),
        Ok(_) => None,
    }
}

fn unreadable(error: &io::Error) -> FoundInstead {
    FoundInstead::Unreadable { reason: error.to_string() }
}

fn in_folder(path: &Path, entries: fs::ReadDir) -> FoundInstead {
    let mut names = Vec::new();
    for entry in entries.take(ENTRIES) {
        match entry {
            Ok(entry) => names.push(entry.file_name()),
            Err(error) => return unreadable(&error),
        }
    }
    let manifest = path.join(FILE_NAME);
    match manifest.symlink_metadata() {
        // There is one, and it could not be read: a link that leads nowhere, unless it has just been written.
        Ok(_) => return dangling(&manifest).unwrap_or(FoundInstead::Folder),
        // The folder may be listed, and not entered.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return unreadable(&error),
        Err(_) => {}
    }
    if names.is_empty() {
        return FoundInstead::EmptyFolder;
    }
    names.sort();
    let is_file = |name: &&std::ffi::OsString| path.join(name).is_file();
    if let Some(file) = names.iter().filter(|name| is_manifest(name)).find(is_file) {
        return FoundInstead::MisspeltManifest { file: file.to_string_lossy().into_owned() };
    }
    let folders: Vec<_> = names.iter().filter(|name| belongs(name) && is_bundle(&path.join(name))).collect();
    if !folders.is_empty() {
        return FoundInstead::Bundles {
            folders: folders.iter().map(|name| name.to_string_lossy().into_owned()).collect(),
        };
    }
    if path.join("Cargo.toml").is_file() {
        return FoundInstead::Crate;
    }
    let artifacts = names.iter().filter(|name| belongs(name)).filter(is_file).filter_map(|name| {
        let name = name.to_string_lossy().into_owned();
        let loader = loader_of(&name)?;
        Some((name, loader))
    });
    // The main file, if one is called so.
    match artifacts.min_by_key(|(name, _)| !name.starts_with("main.")) {
        Some((file, loader)) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            FoundInstead::NoManifest { name, file, loader }
        }
        None => FoundInstead::Folder,
    }
}

fn file(path: &Path) -> FoundInstead {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let lower = name.to_lowercase();
    if ARCHIVES.iter().any(|end| lower.ends_with(end)) {
        return FoundInstead::Archive;
    }
    match loader_of(&name) {
        Some(loader) => FoundInstead::LoneArtifact { file: name, loader },
        None => FoundInstead::File,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_are_known_by_their_names() {
        for name in [
            "manifest.toml",
            "Manifest.toml",
            "MANIFEST.TOML",
            "manifest.tml",
            "manifset.toml",
            "manifest.toml.txt",
            "manifest.txt",
            "manifest",
            "manifest.json",
            "mainfest.toml",
            "plugin.toml",
            "Bundle.toml",
        ] {
            assert!(is_manifest(OsStr::new(name)), "{name}");
        }
        for name in [
            "Cargo.toml",
            "pyproject.toml",
            "settings.toml",
            "package.json",
            "main.toml",
            "main.lua",
            "latest.toml",
            "man",
        ] {
            assert!(!is_manifest(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn entries_that_nobody_means_as_bundles_are_known() {
        for name in
            [".git", "target", "node_modules", "__pycache__", "README.md", "LICENSE", "a.txt", "calc~", "calc.bak"]
        {
            assert!(is_of_no_interest(Path::new(name)), "{name}");
        }
        for name in ["calc", "calc.lua", "calc.zip", "manifest.txt", "manifest.toml.txt", "data"] {
            assert!(!is_of_no_interest(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn artifacts_are_known_by_their_ends() {
        assert_eq!(loader_of("main.lua"), Some("lua"));
        assert_eq!(loader_of("Main.PY"), Some("python"));
        assert_eq!(loader_of("libcalc.so"), Some("native"));
        assert_eq!(loader_of("Calc.dll"), Some(if cfg!(windows) { "native" } else { "dotnet" }));
        assert_eq!(loader_of("numbers.csv"), None);
    }
}
