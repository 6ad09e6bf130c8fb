//! TypeScript, by its compiler.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::{Guest, Run, Schemas, without};

pub(crate) const NEEDED: &str = "these tests need Node.js and npm (on Debian: apt install nodejs npm), or do without them: \
                      POLYPLUG_TESTS_WITHOUT=npm";

/// Returns the script of the compiler, which is installed once; `None` if the tests are to do without.
pub(crate) fn compiler() -> Option<PathBuf> {
    if without("npm") {
        return None;
    }
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("tests/typescript");
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stubs-typescript");
    fs::create_dir_all(&kept).unwrap();
    let lock = fs::File::create(kept.join("lock")).unwrap();
    lock.lock().unwrap();
    let locked = fs::read_to_string(from.join("package-lock.json")).unwrap();
    let stamp = kept.join("stamp");
    if fs::read_to_string(&stamp).ok().as_ref() != Some(&locked) {
        for file in ["package.json", "package-lock.json"] {
            fs::copy(from.join(file), kept.join(file)).unwrap();
        }
        Run::of(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&kept), NEEDED).passes();
        fs::write(&stamp, locked).unwrap();
    }
    Some(kept.join("node_modules/typescript/bin/tsc"))
}

/// Compiles a guest into `main.js` of the folder.
fn compile(code: &str, folder: &Path) -> Option<Run> {
    compile_with(&Schemas::new(), code, folder)
}

/// Compiles a plugin for contracts into `main.js` of the folder.
pub(crate) fn compile_with(schemas: &Schemas, code: &str, folder: &Path) -> Option<Run> {
    let compiler = compiler()?;
    let stubs = schemas.stubs("ts");
    fs::write(folder.join("main.ts"), code).unwrap();
    fs::copy(stubs.path().join("polyplug.d.ts"), folder.join("polyplug.d.ts")).unwrap();
    let mut command = Command::new("node");
    command.arg(compiler).args(["--strict", "--noUncheckedIndexedAccess", "--target", "es2022", "--module", "es2022"]);
    command.args(["--moduleResolution", "bundler", "--lib", "es2023", "--pretty", "false", "polyplug.d.ts", "main.ts"]);
    Some(Run::of(command.current_dir(folder), NEEDED))
}

const GUEST: &str = include_str!("guest.ts");

#[test]
fn a_guest_that_uses_the_stubs_passes_and_answers() {
    let guest = Guest::new("js", "main.js");
    if let Some(run) = compile(GUEST, guest.folder.path()) {
        run.passes();
        guest.answers();
    }
}

/// Checks that the guest with one text in place of another fails with a message that has these words.
#[track_caller]
fn refuses(from: &str, to: &str, words: &[&str]) {
    assert!(GUEST.contains(from), "{from}");
    let folder = TempDir::new().unwrap();
    if let Some(run) = compile(&GUEST.replacen(from, to, 1), folder.path()) {
        run.fails_with(words);
    }
}

#[test]
fn a_missing_method_is_named() {
    refuses("  swap([", "  swop([", &["Property 'swap' is missing in type 'Guest' but required in type 'Kinds'"]);
}

#[test]
fn a_class_without_the_methods_is_no_plugin() {
    let code = GUEST.replace("class Guest implements Methods", "class Guest").replace("  swap([", "  swop([");
    let folder = TempDir::new().unwrap();
    if let Some(run) = compile(&code, folder.path()) {
        run.fails_with(&["'typeof Guest'", "Property 'swap' is missing"]);
    }
}

#[test]
fn a_number_is_no_bigint() {
    refuses("1n + this.length(chain.next)", "1 + this.length(chain.next)", &["TS2365", "'+'", "bigint"]);
    refuses("length(chain: TestKinds1.Chain): bigint", "length(chain: TestKinds1.Chain): number", &["bigint"]);
}

#[test]
fn an_argument_of_another_type_is_named() {
    refuses("colour(colour: Colour)", "colour(colour: number)", &["Property 'colour'", "colour: Colour"]);
}

#[test]
fn a_misspelt_field_case_or_contract_is_named() {
    refuses("Refusal.Full({ capacity: 7 })", "Refusal.Full({ capacty: 7 })", &["'capacty'"]);
    refuses("Shapes.Dot(1)", "Shapes.Dott(1)", &["'Dott'"]);
    refuses("case \"Line\":", "case \"Lime\":", &["\"Lime\""]);
    refuses("types(\"test.kinds@1\")", "types(\"test.kind@1\")", &["\"test.kind@1\""]);
}

#[test]
fn an_option_may_be_absent() {
    refuses("(item.note ?? \"\").trim()", "item.note.trim()", &["'item.note' is possibly 'null'"]);
}

#[test]
fn the_declarations_of_the_loaders_tests_are_those_of_the_command() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("tests/typescript/polyplug.d.ts");
    let stubs = Schemas::of(&[crate::contracts::calculator()]).stubs("ts");
    let made = fs::read_to_string(stubs.path().join("polyplug.d.ts")).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), made, "{} is not what `polyplug stubs` makes", file.display());
}
