//! Makes the mutants: for each a copy of all checked files, with one change, as a module of this crate.

use std::fs;
use std::path::{Path, PathBuf};

use mutants::{MUTANTS, Mutant};

mod mutants;

fn main() {
    let package = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("set by cargo"));
    println!("cargo::rerun-if-changed=mutants.rs");

    let files = files(&package.join("src"));
    let (mut modules, mut tests) = (String::new(), String::new());
    for mutant in MUTANTS {
        write(mutant, &files, &out);
        let Mutant { name, model, complaint, .. } = mutant;
        modules += &format!("#[path = {:?}]\npub mod {name};\n", out.join(name).join("mod.rs"));
        tests += &format!(
            "#[test]\nfn {name}() {{\n    \
             polyplug_loom::must_fail({name:?}, polyplug_loom::mutants::{name}::host::models::{model}, {complaint:?});\n\
             }}\n",
        );
    }
    save(&out.join("mutants.rs"), &modules);
    save(&out.join("tests.rs"), &tests);
}

/// A checked file.
struct File {
    /// Its path in a copy.
    path: PathBuf,
    /// Its path in the repository, for messages.
    source: PathBuf,
    text: String,
}

/// Returns all files of a copy: those that `lib.rs` and the files of `src` include, and the files of `src` themselves.
fn files(src: &Path) -> Vec<File> {
    let mut files = Vec::new();
    let mut beside = vec![src.join("proxy.rs")];
    beside.extend(rust_files(&src.join("host")));
    for including in beside.iter().chain([&src.join("lib.rs")]) {
        let folder = including.parent().expect("a file");
        for path in included(&read(including)) {
            let source = folder.join(path);
            let name = Path::new(path).file_name().expect("a file");
            let inside = folder.strip_prefix(src).expect("inside");
            files.push(File { path: inside.join(name), text: read(&source), source });
        }
    }
    for source in beside {
        let path = source.strip_prefix(src).expect("inside").to_owned();
        files.push(File { path, text: without_paths(&read(&source)), source });
    }
    let text = "#![allow(warnings)]\npub mod host;\nmod proxy;\nmod revision;\n".to_owned();
    files.push(File { path: "mod.rs".into(), source: PathBuf::new(), text });
    files
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    println!("cargo::rerun-if-changed={}", folder.display());
    assert!(folder.is_dir(), "{} is not a folder", folder.display());
    all_files(folder)
}

/// Returns the files below a folder; none if it does not exist.
fn all_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("a folder can be listed").path());
    paths.flat_map(|path| if path.is_dir() { all_files(&path) } else { vec![path] }).collect()
}

/// Returns the file that a line includes, or `None`.
fn path_of(line: &str) -> Option<&str> {
    line.trim().strip_prefix("#[path = \"")?.strip_suffix("\"]")
}

fn included(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(path_of)
}

/// Returns a text without `#[path]`: in a copy each file lies at the path of its module.
fn without_paths(text: &str) -> String {
    text.lines().filter(|line| path_of(line).is_none()).map(|line| format!("{line}\n")).collect()
}

fn write(mutant: &Mutant, files: &[File], out: &Path) {
    let Mutant { name, file, from, to, model, .. } = mutant;
    remove_others(&out.join(name), files);
    let mut found = 0;
    for File { path, source, text } in files {
        let mut text = text.clone();
        if path == Path::new(file) {
            let times = text.matches(from).count();
            assert!(
                times == 1,
                "the mutant `{name}` has to change one place in {}, but what it replaces is there {times} times. The \
                 file was changed: change `from` and `to` in tests/loom/mutants.rs likewise, so that the mutant still \
                 has the mistake that it is there for. What it replaces:\n{from}",
                source.display(),
            );
            text = text.replace(from, to);
            found += 1;
        }
        if path == Path::new("host/models/mod.rs") {
            text = only_model(&text, model);
        }
        for module in ["host", "proxy", "revision"] {
            text = text.replace(&format!("crate::{module}"), &format!("crate::mutants::{name}::{module}"));
        }
        save(&out.join(name).join(path), &text);
    }
    assert!(found == 1, "the mutant `{name}` is of a file that is not checked: {file}");
}

/// Removes the files of an earlier build that a copy no longer has.
fn remove_others(copy: &Path, files: &[File]) {
    let known: Vec<_> = files.iter().map(|file| copy.join(&file.path)).collect();
    for stale in all_files(copy).into_iter().filter(|path| !known.contains(path)) {
        fs::remove_file(stale).expect("the build's folder can be written");
    }
}

/// Returns the list of models without all modules but that of `model`: the others would only be compiled.
fn only_model(text: &str, model: &str) -> String {
    let (module, _) = model.split_once("::").expect("a model is named with its module");
    let keep = |line: &&str| !line.starts_with("pub mod ") || *line == format!("pub mod {module};");
    text.lines().filter(keep).map(|line| format!("{line}\n")).collect()
}

fn read(path: &Path) -> String {
    println!("cargo::rerun-if-changed={}", path.display());
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Writes a file, unless it has this text already.
fn save(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|known| known == text) {
        return;
    }
    fs::create_dir_all(path.parent().expect("a file")).expect("the build's folder can be written");
    fs::write(path, text).expect("the build's folder can be written");
}
