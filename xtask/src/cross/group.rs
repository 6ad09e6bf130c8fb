//! Packages that are unpacked together. A file in the root says which versions they have.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::apt::Apt;

/// Packages that are of use only together.
pub(super) struct Group {
    pub(super) name: &'static str,
    pub(super) packages: Vec<String>,
    /// Files of the packages, below the root, that are looked for afterwards.
    pub(super) tools: Vec<String>,
    /// Texts in the packages that name their place on a system.
    pub(super) places: &'static [Replacement],
}

/// A text in a file that is replaced, because the packages are not where they expect to be.
pub(super) struct Replacement {
    /// The file below the root.
    pub(super) file: &'static str,
    pub(super) from: &'static str,
    pub(super) to: &'static str,
}

impl Replacement {
    /// Replaces the text, unless the file is the system's and not in `root`.
    fn apply(&self, root: &Path) -> Result<()> {
        let path = root.join(self.file);
        if !path.is_file() {
            return Ok(());
        }
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        if !text.contains(self.from) {
            bail!("{} does not contain `{}`, which would be replaced", path.display(), self.from);
        }
        fs::write(&path, text.replace(self.from, self.to)).with_context(|| format!("cannot write {}", path.display()))
    }
}

impl Group {
    /// Downloads and unpacks the packages, unless that has been done. An interrupted run is taken up: what was downloaded
    /// is used, and the unpacking begins anew.
    pub(super) fn set_up(&self, apt: &Apt) -> Result<()> {
        if self.is_there(apt) {
            return Ok(());
        }
        let notes = notes(apt);
        fs::create_dir_all(&notes).with_context(|| format!("cannot make {}", notes.display()))?;
        let files = apt.needed(&self.packages)?;
        apt.download(self.name, &self.packages, &files)?;
        let others = unpacked(&notes)?;
        // A compiler of another group may run meanwhile, so its libraries stay.
        apt.unpack(self.name, files.iter().filter(|&file| !others.contains(file)))?;
        for place in self.places {
            place.apply(&apt.root)?;
        }
        self.check(apt)?;

        let (note, fresh) = (notes.join(self.name), notes.join(format!("{}{FRESH}", self.name)));
        let text = format!("{}\n{}\n", self.requested(), files.join("\n"));
        fs::write(&fresh, text).with_context(|| format!("cannot write {}", fresh.display()))?;
        fs::rename(&fresh, &note).with_context(|| format!("cannot make {}", note.display()))?;
        apt.forget_downloads()
    }

    /// Returns whether these packages are unpacked, whichever versions they have.
    pub(super) fn is_there(&self, apt: &Apt) -> bool {
        let note = fs::read_to_string(notes(apt).join(self.name)).unwrap_or_default();
        let requested: Vec<_> = note.lines().next().unwrap_or_default().split(' ').collect();
        self.packages.iter().all(|package| requested.contains(&package.as_str()))
    }

    fn requested(&self) -> String {
        self.packages.join(" ")
    }

    /// Refuses a group without its tools. apt leaves out what a package depends on and the system has, so some may be
    /// on the path.
    fn check(&self, apt: &Apt) -> Result<()> {
        let path = env::var_os("PATH").unwrap_or_default();
        let missing: Vec<_> = self.tools.iter().filter(|&tool| !is_in(tool, &apt.root, &path)).cloned().collect();
        if !missing.is_empty() {
            bail!(
                "the packages {} are unpacked in {}, but {} is neither there nor on the path",
                self.requested(),
                apt.root.display(),
                missing.join(", ")
            );
        }
        Ok(())
    }
}

/// The ending of a file that is not complete yet.
const FRESH: &str = ".new";

/// Returns the folder of the files that say what is unpacked. It goes with the root, and so what it says is true.
fn notes(apt: &Apt) -> PathBuf {
    apt.root.join("unpacked")
}

/// Returns the packages of all groups that are unpacked.
fn unpacked(notes: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(notes).with_context(|| format!("cannot list {}", notes.display()))? {
        let path = entry?.path();
        if !path.to_string_lossy().ends_with(FRESH) {
            let note = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            found.extend(note.lines().skip(1).map(str::to_owned));
        }
    }
    Ok(found)
}

/// Returns whether the file `tool` is below `root`, or one of its name in a folder of `path`.
fn is_in(tool: &str, root: &Path, path: &OsStr) -> bool {
    let name = Path::new(tool).file_name().unwrap_or_default();
    root.join(tool).is_file() || env::split_paths(path).any(|folder| folder.join(name).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(packages: &[&str]) -> Group {
        let packages = packages.iter().map(|&each| each.to_owned()).collect();
        Group { name: "tools", packages, tools: vec!["usr/bin/no-such-tool".to_owned()], places: &[] }
    }

    #[test]
    fn a_group_is_there_only_with_all_of_its_packages() {
        let temp = tempfile::tempdir().unwrap();
        let apt = Apt::new(temp.path());
        assert!(!group(&["a", "b"]).is_there(&apt));
        fs::create_dir_all(notes(&apt)).unwrap();
        fs::write(notes(&apt).join("tools.new"), "a b\na_1_amd64.deb\n").unwrap();
        assert!(!group(&["a", "b"]).is_there(&apt));
        assert_eq!(unpacked(&notes(&apt)).unwrap(), [""; 0]);
        fs::write(notes(&apt).join("tools"), "a b\na_1_amd64.deb\nc_2_all.deb\n").unwrap();
        assert!(group(&["a", "b"]).is_there(&apt));
        assert!(group(&["b"]).is_there(&apt));
        assert!(!group(&["a", "b", "c"]).is_there(&apt));
        assert_eq!(unpacked(&notes(&apt)).unwrap(), ["a_1_amd64.deb", "c_2_all.deb"]);
    }

    #[test]
    fn a_place_is_replaced_in_the_root_alone() {
        let temp = tempfile::tempdir().unwrap();
        let script = Replacement { file: "libc.so", from: "/usr/lib/", to: "" };
        script.apply(temp.path()).unwrap();
        let path = temp.path().join("libc.so");
        fs::write(&path, "GROUP ( /usr/lib/libc.so.6 /usr/lib/libc_nonshared.a )").unwrap();
        script.apply(temp.path()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "GROUP ( libc.so.6 libc_nonshared.a )");
        let error = script.apply(temp.path()).unwrap_err().to_string();
        assert!(error.contains("libc.so") && error.contains("`/usr/lib/`"), "{error}");
    }

    #[test]
    fn a_tool_that_is_missing_is_named() {
        let temp = tempfile::tempdir().unwrap();
        let apt = Apt::new(temp.path());
        let error = group(&["a", "b"]).check(&apt).unwrap_err().to_string();
        assert!(error.contains("no-such-tool") && error.contains("a b"), "{error}");

        fs::create_dir_all(apt.root.join("usr/bin")).unwrap();
        fs::write(apt.root.join("usr/bin/no-such-tool"), "").unwrap();
        group(&["a", "b"]).check(&apt).unwrap();

        let elsewhere = temp.path().join("elsewhere");
        fs::create_dir_all(&elsewhere).unwrap();
        fs::write(elsewhere.join("other"), "").unwrap();
        assert!(is_in("usr/bin/other", &apt.root, elsewhere.as_os_str()));
        assert!(!is_in("usr/bin/other", &apt.root, temp.path().as_os_str()));
    }
}
