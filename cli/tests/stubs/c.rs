//! C and C++, by the C compiler.
#![cfg(unix)]

use std::env::consts::DLL_SUFFIX;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::{Guest, Run, Schemas, without};

const NEEDED: &str = "these tests compile C. Install a C compiler (on Debian: apt install gcc), or name one in the \
                      environment variable CC";

const C: [&str; 2] = ["c", "-std=c11"];
const CPP: [&str; 2] = ["c++", "-std=c++17"];

/// A strict compiler that finds the headers of a folder, and that of polyplug.
fn compiler([language, standard]: [&str; 2], headers: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CC").unwrap_or_else(|| OsString::from("cc")));
    command.args(["-x", language, standard, "-Wall", "-Wextra", "-Werror", "-pedantic"]);
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("loaders/all/include");
    command.arg("-I").arg(own).arg("-I").arg(headers);
    command
}

/// Compiles a source, without making anything of it.
fn check(language: [&str; 2], code: &str) -> Run {
    let stubs = Schemas::new().stubs("c");
    let folder = TempDir::new().unwrap();
    let source = folder.path().join("source");
    fs::write(&source, code).unwrap();
    Run::of(compiler(language, stubs.path()).arg("-fsyntax-only").arg(source), NEEDED)
}

const ALL: &str = "#include \"test_kinds_1.h\"\n#include \"test_store_room_2.h\"\n#include \"test_types_1.h\"\n#include \"test_kinds_1.h\"\n";

#[test]
fn the_headers_are_clean_c_and_have_the_canonical_layout() {
    // The assertions in the headers compare each size and offset with those of the schema.
    check(C, ALL).passes();
}

#[test]
fn the_headers_are_clean_cpp() {
    if !without("c++") {
        check(CPP, ALL).passes();
    }
}

#[test]
fn ids_and_types_are_those_of_the_contract() {
    let uses = r"
        int uses(TestKinds1_Item *item, TestKinds1_Shape *shape, TestKinds1_names_args *names);
        int uses(TestKinds1_Item *item, TestKinds1_Shape *shape, TestKinds1_names_args *names) {
            const char *name = TEST_KINDS_1_NAME;
            PolyplugStringView class_ = item->class_;
            uint32_t count = item->count;
            uint8_t deep = item->deep.value.tag;
            const TestKinds1_Chain *next = ((TestKinds1_length_args *)(void *)names)->chain.next;
            double key = names->by_name.ptr[0].value.x;
            PolyplugGuestContractInstance progress = ((TestKinds1_watch_args *)(void *)names)->progress;
            TestKinds1_Colour colour = TEST_KINDS_1_COLOUR_UNKNOWN;
            return name[0] + (int)class_.len + (int)count + deep + (next != NULL) + (key > 0) + (progress.data != NULL)
                + (int)colour + (int)(shape->of.line._1.x + shape->of.circle.radius) + TEST_KINDS_1_METHOD_IMPORT
                + TEST_KINDS_1_PROGRESS_METHOD_STEP + (TEST_KINDS_1_ID == polyplug_guest_contract_id(name, 1));
        }
    ";
    check(C, &format!("{ALL}{uses}")).passes();
    for (from, to, message) in [
        ("item->count", "item->cuont", "cuont"),
        ("shape->of.circle.radius", "shape->of.circle.diameter", "diameter"),
        ("TEST_KINDS_1_COLOUR_UNKNOWN", "TEST_KINDS_1_COLOUR_BLACK", "TEST_KINDS_1_COLOUR_BLACK"),
        ("double key = names->by_name.ptr[0].value.x", "double key = names->by_name.ptr[0].value", "double"),
    ] {
        assert!(uses.contains(from), "{from}");
        check(C, &format!("{ALL}{}", uses.replacen(from, to, 1))).fails_with(&[message]);
    }
}

#[test]
fn a_plugin_by_a_header_answers() {
    let guest = Guest::new("native", "plugin");
    let stubs = guest.schemas.stubs("c");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stubs/guest.c");
    let mut command = compiler(C, stubs.path());
    command.args(["-shared", "-fPIC", "-o"]).arg(guest.file(&format!("plugin{DLL_SUFFIX}"))).arg(source);
    Run::of(&mut command, NEEDED).passes();
    let schema = "test.store-room@2.schema";
    fs::copy(Path::new(guest.schemas.path()).join(schema), guest.file(schema)).unwrap();
    let answer = |method, arguments: &[&str]| guest.call("test.store-room@2", method, arguments).passes().out;
    assert_eq!(answer("add", &["2", "3"]), "5\n");
    assert_eq!(answer("find", &["here"]), "{\"ok\":{\"x\":1.0,\"y\":2.0}}\n");
    assert_eq!(answer("find", &["elsewhere"]), "{\"err\":{\"Full\":{\"capacity\":9}}}\n");
}
