//! The name of a manifest, the names of files that are no part of a bundle, or that say nothing about its contents, and the
//! names of folders that are called after bundles.

use std::ffi::OsStr;
use std::path::Path;

use polyplug_abi::BundleId;

/// The name of a manifest's file.
pub(crate) const FILE_NAME: &str = "manifest.toml";

/// The extension of the files of packs.
pub(crate) const PACK_EXTENSION: &str = "polyplug";

/// The most letters of a bundle's name that the name of a folder has.
const LETTERS: usize = 100;

/// Returns the name of a folder that belongs to one bundle: the bundle's name, or, where not every file system tells that
/// name from others, the like of it with the bundle's id.
///
/// The names of two bundles also differ where a file system does not distinguish upper case from lower case.
pub(crate) fn folder_name(bundle: &str) -> String {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    let is_odd = bundle.is_empty() || bundle.starts_with('.') || bundle.ends_with('.') || is_device(bundle);
    if !is_odd && bundle.len() <= LETTERS && bundle.chars().all(is_plain) {
        return bundle.to_owned();
    }
    let plain = bundle.chars().map(|c| c.to_ascii_lowercase()).map(|c| if is_plain(c) { c } else { '_' });
    let like: String = plain.take(LETTERS).collect();
    // No plain name has a tilde, so the result is no other bundle's name.
    format!("{}~{:016x}", like.trim_matches('.'), BundleId::new(bundle).id())
}

/// Returns whether Windows takes a name for that of a device, whatever its extension.
pub(crate) fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end_matches(' ').to_ascii_lowercase();
    let is_number =
        |rest: &str| matches!(rest, "\u{b9}" | "\u{b2}" | "\u{b3}") || matches!(rest.as_bytes(), [b'1'..=b'9']);
    let is_numbered = |kind: &str| stem.strip_prefix(kind).is_some_and(is_number);
    let is_plain = ["con", "prn", "aux", "nul", "conin$", "conout$"].contains(&&*stem);
    is_plain || is_numbered("com") || is_numbered("lpt")
}

/// Returns whether a file of this name was made by an editor beside the file that it edits: a lock, swap or backup
/// file. Such a file is no part of a bundle.
pub(crate) fn is_editor_file(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    // Emacs: `.#name` is a link that leads nowhere, `#name#` has what is not saved yet.
    let emacs = name.starts_with(".#") || (name.len() > 1 && name.starts_with('#') && name.ends_with('#'));
    // Vim: `.name.swp`, `.name.swo` and so on, and `4913`, with which it tests whether it may write.
    let vim = name == "4913" || is_swap_file(&name);
    let kate = name.starts_with('.') && name.ends_with(".kate-swp");
    let libre_office = name.starts_with(".~lock.");
    let backup = name.len() > 1 && name.ends_with('~');
    let jet_brains = name.ends_with("___jb_tmp___") || name.ends_with("___jb_old___");
    emacs || vim || kate || libre_office || backup || jet_brains
}

/// Returns whether a name is that of a swap file: `.name.swp`, `.name.swo` and so on.
fn is_swap_file(name: &str) -> bool {
    let Some((stem, extension)) = name.rsplit_once('.') else { return false };
    stem.starts_with('.') && ["swp", "swo", "swn", "swm", "swx"].contains(&extension)
}

/// Returns whether a folder of this name is the store of a version control system, which is no part of a bundle.
pub(crate) fn is_version_control(name: &OsStr) -> bool {
    [".git", ".hg", ".svn", ".jj"].iter().any(|store| name == *store)
}

/// Returns whether a change of a file or folder of this name says that the bundle has changed.
pub(crate) fn belongs(name: &OsStr) -> bool {
    if is_editor_file(name) {
        return false;
    }
    let name = name.to_string_lossy();
    let backup = name.ends_with(".bak") || name.ends_with(".orig");
    let editing = name.starts_with('#') || name.contains("___jb_");
    let partial = name.ends_with(".tmp") || name.ends_with(".swp") || name.ends_with(".part");
    !(name.starts_with('.') || backup || editing || partial || name == "__pycache__")
}

/// Returns whether there is a file at a path whose name is that of a pack.
pub(crate) fn is_pack(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(PACK_EXTENSION)) && path.is_file()
}

/// Returns whether a directory is marked as a cache, as cargo marks `target`: see
/// <https://bford.info/cachedir/>.
pub(crate) fn is_cache(directory: &Path) -> bool {
    directory.join("CACHEDIR.TAG").exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editors_files_are_known_by_their_names() {
        for name in [
            ".#main.lua",
            "#main.lua#",
            "main.lua~",
            ".main.lua.swp",
            ".main.lua.swo",
            ".main.lua.swx",
            ".swp.swp",
            "4913",
            ".main.py.kate-swp",
            ".~lock.table.ods#",
            "main.lua___jb_tmp___",
        ] {
            assert!(is_editor_file(OsStr::new(name)), "{name}");
            assert!(!belongs(OsStr::new(name)), "{name}");
        }
        for name in
            ["main.lua", "#", "~", "49130", "main.swp", ".env", ".swp", "#include", "a#b", ".logo.svg", ".a.sql"]
        {
            assert!(!is_editor_file(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn devices_are_known_by_their_names() {
        for name in ["nul", "CON.lua", "aux .txt", "com1", "LPT9.tar.gz", "com\u{b2}", "Conin$"] {
            assert!(is_device(name), "{name}");
        }
        for name in
            ["comp", "comp.lua", "come", "com-", "com", "com0", "com10", "lpta.js", "nulls", "con-1", "\u{e4}nul", ""]
        {
            assert!(!is_device(name), "{name}");
        }
    }

    #[test]
    fn folders_of_bundles_differ_on_every_file_system() {
        for name in ["calc", "calc-rust", "a_b", "4.2", "-x", "console", "com10", "com0", "nullable"] {
            assert_eq!(folder_name(name), name);
        }
        let long = "x".repeat(128);
        let odd =
            ["Calc", "CALC", "calC", "..", ".", "", "nul", "con.lua", "Com1", "lpt9", "end.", "a/b", "a\\b", "\u{e4}"];
        let names: Vec<_> = odd.into_iter().chain([&*long, &long[1..]]).map(folder_name).collect();
        for (index, name) in names.iter().enumerate() {
            let is_safe = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.~".contains(c);
            assert!(name.chars().all(is_safe) && name.len() < 128 && !name.starts_with('.'), "{name}");
            assert!(name.contains('~') && !names[..index].contains(name), "{name}");
        }
        assert!(names[0].starts_with("calc~"), "{names:?}");
    }

    #[test]
    fn what_is_in_progress_says_nothing() {
        for name in [".hidden", "a.bak", "a.orig", "a.tmp", "a.part", "a.swp", "__pycache__", "#a"] {
            assert!(!belongs(OsStr::new(name)), "{name}");
        }
        for name in ["main.lua", "~", "tmp", "a.swan"] {
            assert!(belongs(OsStr::new(name)), "{name}");
        }
    }
}
