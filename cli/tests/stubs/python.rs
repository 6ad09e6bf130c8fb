//! Python, by mypy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::{Guest, Run, Schemas, without};

pub(crate) const NEEDED: &str = "these tests make a virtual environment and install mypy from PyPI. Install what Python lacks (on Debian: \
                      apt install python3-venv) and let pip reach PyPI, or do without them: POLYPLUG_TESTS_WITHOUT=venv";

/// Returns mypy in an environment that is made once; `None` if the tests are to do without.
pub(crate) fn mypy() -> Option<PathBuf> {
    if without("venv") {
        return None;
    }
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stubs-mypy");
    let lock = fs::File::create(kept.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    if !kept.join("complete").is_file() {
        let _ = fs::remove_dir_all(&kept);
        let python = std::env::var_os("PYO3_PYTHON").unwrap_or_else(|| "python3".into());
        Run::of(Command::new(python).args(["-m", "venv"]).arg(&kept), NEEDED).passes();
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "mypy"];
        Run::of(Command::new(kept.join("bin/python")).args(install), NEEDED).passes();
        fs::write(kept.join("complete"), "").unwrap();
    }
    Some(kept.join("bin/mypy"))
}

fn check(code: &str) -> Option<Run> {
    let mypy = mypy()?;
    let stubs = Schemas::new().stubs("python");
    let guest = TempDir::new().unwrap();
    fs::write(guest.path().join("main.py"), code).unwrap();
    let mut command = Command::new(mypy);
    command.args(["--strict", "--no-incremental", "main.py"]).current_dir(guest.path()).env("MYPYPATH", stubs.path());
    Some(Run::of(&mut command, NEEDED))
}

const GUEST: &str = include_str!("guest.py");

#[test]
fn a_guest_that_uses_the_stubs_passes() {
    if let Some(run) = check(GUEST) {
        run.passes();
    }
}

#[test]
fn that_guest_answers() {
    let guest = Guest::new("python", "main.py");
    fs::write(guest.file("main.py"), GUEST).unwrap();
    guest.answers();
}

#[test]
fn the_package_itself_is_sound() {
    let Some(mypy) = mypy() else { return };
    let stubs = Schemas::new().stubs("python");
    let names = ["__init__", "test", "test_kinds_1", "test_store_room_2", "test_types_1"];
    let files = names.map(|name| format!("polyplug/{name}.pyi"));
    let mut command = Command::new(mypy);
    command.args(["--strict", "--no-incremental"]).args(files).current_dir(stubs.path());
    Run::of(&mut command, NEEDED).passes();
}

/// Checks that the guest with one text in place of another fails with a message that has these words.
#[track_caller]
fn refuses(from: &str, to: &str, words: &[&str]) {
    assert!(GUEST.contains(from), "{from}");
    if let Some(run) = check(&GUEST.replacen(from, to, 1)) {
        run.fails_with(words);
    }
}

#[test]
fn a_missing_method_is_named() {
    // The class derives from the protocol where types are checked, and is final, so that it may not be abstract.
    refuses("    def swap(", "    def swop(", &["Final class main.Guest has abstract attributes \"swap\""]);
}

#[test]
fn a_plugin_without_the_methods_is_no_plugin() {
    let code = GUEST.replace("class Guest(Methods)", "class Guest").replace("    def swap(", "    def swop(");
    if let Some(run) = check(&code) {
        run.fails_with(&["\"TestKinds1Plugin\"", "cannot be \"Guest\""]);
    }
}

#[test]
fn an_argument_of_another_type_is_named() {
    refuses("colour: Colour", "colour: int", &["Argument 1 of \"colour\" is incompatible", "Colour"]);
}

#[test]
fn a_misspelt_field_case_or_contract_is_named() {
    refuses("Refusal.Full(capacity=7)", "Refusal.Full(capacty=7)", &["\"capacty\" for \"Full\""]);
    refuses("Shapes.Dot(1)", "Shapes.Dott(1)", &["has no attribute \"Dott\""]);
    refuses(
        "types(\"test.kinds@1\")",
        "types(\"test.kind@1\")",
        &["No overload variant of \"types\"", "'test.kinds@1'"],
    );
}

#[test]
fn an_option_may_be_absent() {
    refuses("item.note or \"\"", "item.note", &["Item \"None\"", "has no attribute \"strip\""]);
}
