//! The plugins in C# that tests load. A file of C# in the folder of guests becomes an assembly, and so does a folder in
//! it with all its files. Each file below `lib` becomes an assembly that others refer to, by a comment at their
//! beginning: `// reference: lib/Words.dll`. The examples of the book's page become assemblies in `page`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::bridge;
use super::compile::{Options, compile, version};
use super::packages::sha256;
use super::page;
use super::sources::{self, relative};
use super::toolchain::{Toolchain, place};
use crate::lock::Lock;
use crate::workspace;

const SOURCES: &str = "tests/guests/dotnet";

/// The page of the book whose examples are compiled.
const PAGE: &str = "docs/src/dotnet.md";

/// The folder of its examples among all assemblies.
const EXAMPLES: &str = "page";

/// The folder of libraries in it.
const LIBRARIES: &str = "lib";

/// The beginning of the line that names an assembly to refer to.
const REFERENCE: &str = "// reference:";

/// An assembly and what it is made from.
#[derive(Debug, Default, PartialEq, Eq)]
struct Guest {
    sources: Vec<PathBuf>,
    /// The assemblies that it refers to, by their paths among all.
    references: BTreeSet<String>,
}

/// The assemblies, by their paths in the folder of all: `calculator.dll`, `lib/Words.dll`.
#[derive(Debug, Default)]
pub(super) struct Guests {
    assemblies: BTreeMap<String, Guest>,
}

impl Guests {
    /// Reads the folder of the sources and the examples of the page, which are written into files.
    pub(super) fn all() -> Result<Self> {
        let mut guests = Self::read(&workspace::root().join(SOURCES))?;
        let page = workspace::root().join(PAGE);
        let text = fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
        let examples = page::examples(&text).with_context(|| format!("{PAGE} cannot be used"))?;
        let _lock = Lock::take(&place())?;
        for file in page::write(&examples, &place().join(EXAMPLES))? {
            guests.add(relative(&file.with_extension("dll"), &place()), vec![file])?;
        }
        Ok(guests)
    }

    /// Reads the folder of the sources; there are none when it does not exist.
    fn read(folder: &Path) -> Result<Self> {
        let mut guests = Self::default();
        if !folder.is_dir() {
            return Ok(guests);
        }
        for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name == LIBRARIES) {
                for library in sources::below(&path)? {
                    let name = relative(&library.with_extension("dll"), folder);
                    guests.add(name, vec![library])?;
                }
            } else if path.is_dir() {
                guests.add(format!("{}.dll", relative(&path, folder)), sources::below(&path)?)?;
            } else if sources::is_source(&path) {
                guests.add(relative(&path.with_extension("dll"), folder), vec![path])?;
            }
        }
        guests.check()?;
        Ok(guests)
    }

    /// Adds an assembly, unless it has no sources.
    pub(super) fn add(&mut self, name: String, sources: Vec<PathBuf>) -> Result<()> {
        if sources.is_empty() {
            return Ok(());
        }
        let mut references = BTreeSet::new();
        for source in &sources {
            let text = fs::read_to_string(source).with_context(|| format!("cannot read {}", source.display()))?;
            references.extend(references_in(&text));
        }
        if self.assemblies.contains_key(&name) {
            bail!("two things are to be compiled to {name}, such as a file and a folder: rename one");
        }
        self.assemblies.insert(name, Guest { sources, references });
        Ok(())
    }

    /// Refuses a reference to an assembly that does not exist.
    fn check(&self) -> Result<()> {
        for (name, guest) in &self.assemblies {
            if let Some(unknown) = guest.references.iter().find(|each| !self.assemblies.contains_key(*each)) {
                bail!("{name} refers to {unknown}, which {SOURCES} has no source for");
            }
        }
        Ok(())
    }

    /// Returns the assemblies in groups. Those that an assembly refers to are in the groups before.
    fn in_order(&self) -> Result<Vec<Vec<&str>>> {
        let (mut groups, mut done) = (Vec::new(), BTreeSet::new());
        while done.len() < self.assemblies.len() {
            let remaining = self.assemblies.iter().filter(|(name, _)| !done.contains(*name));
            let ready: Vec<_> = remaining.filter(|(_, guest)| guest.references.is_subset(&done)).collect();
            if ready.is_empty() {
                let circle: Vec<_> = self.assemblies.keys().filter(|name| !done.contains(*name)).cloned().collect();
                bail!("these assemblies refer to each other in a circle: {}", circle.join(", "));
            }
            done.extend(ready.iter().map(|(name, _)| (*name).clone()));
            groups.push(ready.iter().map(|(name, _)| name.as_str()).collect());
        }
        Ok(groups)
    }

    /// Compiles to the folder `out` what has changed, and removes from it what has no source any more.
    pub(super) fn build(&self, toolchain: &Toolchain, out: &Path) -> Result<()> {
        let bridge = &bridge::assembly();
        if self.assemblies.is_empty() {
            return Ok(());
        }
        if !bridge.is_file() {
            bail!("{} is not there: make it with `cargo xtask bridge`", bridge.display());
        }
        let begin = Instant::now();
        let groups = self.in_order()?;
        let _lock = Lock::take(&place())?;
        self.clear(out, out)?;
        let common = format!("{}\n{}\n", version(toolchain)?, sha256(&fs::read(bridge)?));
        let failed = Mutex::new(Vec::new());
        let mut compiled = 0;
        for group in groups {
            let mut stale = Vec::new();
            for name in group {
                let stamp = self.assemblies[name].stamp(&common, out)?;
                if fs::read_to_string(stamp_file(out, name)).ok().as_ref() != Some(&stamp) {
                    stale.push((name, stamp));
                }
            }
            compiled += stale.len();
            let queue = Mutex::new(stale.into_iter());
            let worker = || {
                while let Some((name, stamp)) = next(&queue) {
                    if let Err(error) = self.assemblies[name].compile(name, &stamp, toolchain, bridge, out) {
                        failed.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(format!("{error:#}"));
                    }
                }
            };
            let cores = thread::available_parallelism().map_or(1, NonZero::get);
            thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(worker))));
            let failed = failed.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            if !failed.is_empty() {
                bail!("{}", failed.join("\n\n"));
            }
        }
        if compiled > 0 {
            let (all, time) = (self.assemblies.len(), begin.elapsed().as_secs_f64());
            eprintln!("      {compiled} of {all} plugins and libraries in C# are compiled, after {time:.1} s");
        }
        Ok(())
    }

    /// Removes from `folder`, which is `out` or in it, what is not made from these sources.
    fn clear(&self, folder: &Path, out: &Path) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let path = entry?.path();
            let holds = |name: &str| self.assemblies.keys().any(|each| each.starts_with(name));
            let outcome = if !path.is_dir() {
                let known = self.assemblies.contains_key(&relative(&path.with_extension("dll"), out));
                if known { Ok(()) } else { fs::remove_file(&path) }
            } else if holds(&format!("{}/", relative(&path, out))) {
                self.clear(&path, out)?;
                Ok(())
            } else {
                fs::remove_dir_all(&path)
            };
            outcome.with_context(|| format!("cannot remove {}", path.display()))?;
        }
        Ok(())
    }
}

impl Guest {
    /// Returns a text that differs when the assembly has to be compiled again.
    fn stamp(&self, common: &str, out: &Path) -> Result<String> {
        let mut stamp = common.to_owned();
        // With their full paths, which are in the lines of methods.
        stamp.push_str(&sources::hash(&self.sources, Path::new(""))?);
        for reference in &self.references {
            let path = out.join(reference);
            let contents = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            stamp.push_str(&format!("\n{reference} {}", sha256(&contents)));
        }
        Ok(stamp)
    }

    fn compile(&self, name: &str, stamp: &str, toolchain: &Toolchain, bridge: &Path, out: &Path) -> Result<()> {
        let (assembly, note) = (out.join(name), stamp_file(out, name));
        if note.exists() {
            fs::remove_file(&note).with_context(|| format!("cannot remove {}", note.display()))?;
        }
        let references: Vec<_> =
            [bridge.to_owned()].into_iter().chain(self.references.iter().map(|each| out.join(each))).collect();
        let options = Options { lines: true, ..Options::default() };
        let warnings = compile(toolchain, &self.sources, &references, &assembly, options)?;
        if !warnings.is_empty() {
            eprintln!("{warnings}");
        }
        fs::write(&note, stamp).with_context(|| format!("cannot write {}", note.display()))
    }
}

/// Returns the file with the stamp of an assembly.
fn stamp_file(out: &Path, name: &str) -> PathBuf {
    out.join(name).with_extension("stamp")
}

fn next<T>(queue: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).next()
}

/// Returns the references that the comments at the beginning of a source name.
fn references_in(text: &str) -> impl Iterator<Item = String> {
    let text = text.trim_start_matches('\u{feff}');
    let comments = text.lines().map(str::trim).take_while(|line| line.is_empty() || line.starts_with("//"));
    comments.filter_map(|line| line.strip_prefix(REFERENCE)).map(|named| named.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let temp = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = temp.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        temp
    }

    fn refusal(files: &[(&str, &str)]) -> String {
        let guests = Guests::read(folder(files).path());
        guests.and_then(|guests| guests.in_order().map(drop)).unwrap_err().to_string()
    }

    #[test]
    fn files_and_folders_become_assemblies_after_those_that_they_refer_to() {
        let temp = folder(&[
            ("calculator.cs", "class A {}"),
            ("large/one.cs", "// A plugin.\n\n// reference: lib/two/Words.dll\nclass B {}\n// reference: not this"),
            ("large/inner/two.cs", ""),
            ("lib/Words.cs", ""),
            ("lib/two/Words.cs", "\u{feff}// reference: lib/Words.dll\r\n"),
            ("README.md", ""),
        ]);
        let guests = Guests::read(temp.path()).unwrap();
        let groups = [vec!["calculator.dll", "lib/Words.dll"], vec!["lib/two/Words.dll"], vec!["large.dll"]];
        assert_eq!(guests.in_order().unwrap(), groups);
        let sources = ["inner/two.cs", "one.cs"].map(|name| temp.path().join("large").join(name));
        assert_eq!(guests.assemblies["large.dll"].sources, sources);
        assert!(Guests::read(&temp.path().join("missing")).unwrap().assemblies.is_empty());
    }

    #[test]
    fn sources_that_cannot_be_compiled_in_any_order_are_refused() {
        let error = refusal(&[("a.cs", "// reference: lib/B.dll")]);
        assert!(error.contains("a.dll refers to lib/B.dll"), "{error}");
        let error = refusal(&[("lib/A.cs", "// reference: lib/B.dll"), ("lib/B.cs", "// reference: lib/A.dll")]);
        assert!(error.contains("circle: lib/A.dll, lib/B.dll"), "{error}");
        let error = refusal(&[("a.cs", ""), ("a/b.cs", "")]);
        assert!(error.contains("compiled to a.dll"), "{error}");
    }

    #[test]
    fn what_has_no_source_any_more_is_removed() {
        let sources = folder(&[("a.cs", ""), ("lib/B.cs", "")]);
        let kept = ["a.dll", "a.pdb", "a.stamp", "lib/B.dll"];
        let gone = ["old.dll", "old.pdb", ".unfinished-a.dll/a.dll", "lib/Old.dll", "old/C.dll"];
        let out = folder(&kept.iter().chain(&gone).map(|name| (*name, "")).collect::<Vec<_>>());
        Guests::read(sources.path()).unwrap().clear(out.path(), out.path()).unwrap();
        for name in kept {
            assert!(out.path().join(name).exists(), "{name}");
        }
        for name in gone {
            assert!(!out.path().join(name).exists(), "{name}");
        }
    }
}
