//! Cases that give the same in a bundle as in a program of the same Python. A folder in `tests/python` has a module
//! `cases` with them. `tests/python/main.py` is the main file of all, and runs a case by its name.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use polyplug_python::PythonLoader;

use super::{python_bundle, python_runtime};
use crate::lua::run;

/// Runs the cases in a program, where the module `polyplug` has only what the cases use.
const PROGRAM: &str = r#"
import sys, types
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
polyplug = sys.modules["polyplug"] = types.ModuleType("polyplug")
polyplug.plugin = lambda contract: lambda plugin: plugin
if __name__ == "__main__":
    import main, cases
    for name in cases.names():
        print(name, main.Script().run(name), sep="\t")
"#;

/// Copies a folder of `tests/python`, and the main file that all of them share.
///
/// # Panics
///
/// If it cannot be copied.
pub fn copy(name: &str, to: &Path) {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("python");
    copy_folder(&sources.join(name), to);
    std::fs::copy(sources.join("main.py"), to.join("main.py")).expect("a file in a temporary folder");
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder of the sources") {
        let entry = entry.expect("an entry of a folder");
        let (path, place) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &place);
        } else {
            std::fs::copy(path, place).expect("a file in a temporary folder");
        }
    }
}

/// Runs the cases of a folder of `tests/python` in a bundle and in a program, and compares what they give. There are at
/// least `count`.
///
/// # Panics
///
/// If a case gives something else in the bundle, or the program fails.
#[track_caller]
pub fn compare(name: &str, loader: PythonLoader, program: &Path, count: usize) {
    let bundle = python_bundle("python", "", &[]);
    copy(name, bundle.path());
    let expected = in_a_program(program, bundle.path(), count);
    compare_at(bundle.path(), loader, &expected, &[]);
}

/// Does the same with the pack of the bundle. The cases `of_files` open files by their paths, and have an error in a pack.
///
/// # Panics
///
/// As [`compare`], and if one of `of_files` has no error.
#[track_caller]
pub fn compare_packed(name: &str, loader: PythonLoader, program: &Path, count: usize, of_files: &[&str]) {
    let bundle = python_bundle("python", "", &[]);
    copy(name, bundle.path());
    let expected = in_a_program(program, bundle.path(), count);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("python.polyplug");
    polyplug::pack::write(bundle.path(), &path).unwrap_or_else(|error| panic!("{error}"));
    compare_at(&path, loader, &expected, of_files);
}

#[track_caller]
fn compare_at(bundle: &Path, loader: PythonLoader, expected: &BTreeMap<String, String>, of_files: &[&str]) {
    let runtime = python_runtime(loader);
    runtime.load_bundle(bundle).unwrap_or_else(|error| panic!("{error}"));
    let mut differing = Vec::new();
    for (name, result) in expected {
        println!("{name}");
        let given = run(&runtime, name).unwrap_or_else(|error| error.to_string());
        let is_right = if of_files.contains(&&**name) { given.contains("Error: ") } else { given == *result };
        if !is_right {
            differing.push(format!("{name}\n  program: {result}\n  bundle:  {given}"));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// Returns what the cases give in a program, of which there are at least `count`.
#[track_caller]
fn in_a_program(program: &Path, folder: &Path, count: usize) -> BTreeMap<String, String> {
    // A file, which processes that the program starts can import again.
    let file = folder.join("program.py");
    std::fs::write(&file, PROGRAM).expect("a file in a temporary folder");
    let mut command = Command::new(program);
    command.args(["-X", "utf8"]).arg(&file).arg(folder).stdin(Stdio::null());
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let lines = text.lines().map(|line| line.split_once('\t').unwrap_or_else(|| panic!("{line}")));
    let given: BTreeMap<_, _> = lines.map(|(name, result)| (name.to_owned(), result.to_owned())).collect();
    assert!(given.len() >= count, "{given:?}");
    given
}
