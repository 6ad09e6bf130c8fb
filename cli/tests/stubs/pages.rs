//! The examples in the book that use stubs: they pass, or are refused with what the page says of them, and they run.

use std::fs;
use std::process::Command;

use polyplug::schema::Schema;
use tempfile::TempDir;

use crate::csharp::Toolchain;
use crate::{Run, Schemas, csharp, polyplug, python, ts};

/// What is in store.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub(crate) struct Item {
    name: String,
}

/// Why there is no item.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub(crate) enum StoreError {
    Missing,
    Closed { until: String },
}

/// The store of the pages.
#[polyplug::contract(name = "demo.store", version = "1.0")]
pub(crate) trait Store {
    fn find(&self, name: &str) -> Result<Item, StoreError>;
}

/// Why nobody is greeted.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub(crate) enum GreetError {
    Nameless,
}

/// What the page on tests tests.
#[polyplug::contract(name = "demo.greeter", version = "1.0")]
pub(crate) trait Greeter {
    fn greet(&self, name: &str) -> Result<String, GreetError>;
}

/// The clock of the page on tests.
#[polyplug::contract(name = "demo.clock", version = "1.0")]
pub(crate) trait Clock {
    fn hour(&self) -> u32;
}

/// The log of the page on tests.
#[polyplug::contract(name = "demo.logger", version = "1.0")]
pub(crate) trait Logger {
    fn log(&self, line: &str);
}

fn schemas() -> Schemas {
    Schemas::of(&[Schema::of::<dyn Store>()])
}

/// Returns the contracts of the page on tests.
fn tested() -> Schemas {
    Schemas::of(&[Schema::of::<dyn Greeter>(), Schema::of::<dyn Clock>(), Schema::of::<dyn Logger>()])
}

const TESTING: &str = include_str!("../../../docs/src/testing.md");

/// Returns the first block of a page with this fence that has these words.
fn block(page: &'static str, fence: &str, words: &str) -> &'static str {
    let fence = format!("\n```{fence}\n");
    let mut blocks = page.split(&fence).skip(1).filter_map(|rest| rest.split("```").next());
    blocks.find(|block| block.contains(words)).unwrap_or_else(|| panic!("no block has {words}:{fence}"))
}

/// Checks that the bundle's store has nothing.
#[track_caller]
fn has_nothing(loader: &str, file: &str, folder: &TempDir) {
    let manifest = format!("name = \"store\"\nversion = \"1.0.0\"\nloader = \"{loader}\"\nfile = \"{file}\"\n");
    fs::write(folder.path().join("manifest.toml"), manifest).unwrap();
    let (bundle, schemas) = (folder.path().to_str().unwrap(), schemas());
    let run = polyplug(&["call", bundle, "demo.store", "find", "bread", "--contracts", schemas.path()]).passes();
    assert_eq!(run.out.trim(), r#"{"err":"Missing"}"#);
}

#[test]
fn the_store_in_python_passes_and_runs() {
    let code = block(include_str!("../../../docs/src/python.md"), "python,ignore", "demo_store_1");
    let guest = TempDir::new().unwrap();
    fs::write(guest.path().join("main.py"), code).unwrap();
    has_nothing("python", "main.py", &guest);
    let Some(mypy) = python::mypy() else { return };
    let stubs = schemas().stubs("python");
    let mut command = Command::new(mypy);
    command.args(["--strict", "--no-incremental", "main.py"]).current_dir(guest.path()).env("MYPYPATH", stubs.path());
    Run::of(&mut command, python::NEEDED).passes();
}

#[test]
fn the_store_in_typescript_passes_and_runs() {
    let code = block(include_str!("../../../docs/src/javascript.md"), "ts", "DemoStore1");
    let guest = TempDir::new().unwrap();
    if let Some(run) = ts::compile_with(&schemas(), code, guest.path()) {
        run.passes();
        has_nothing("js", "main.js", &guest);
    }
}

#[test]
fn the_tests_in_python_have_types() {
    let Some(mypy) = python::mypy() else { return };
    let (stubs, folder) = (tested().stubs("python"), TempDir::new().unwrap());
    let check = |code: &str| {
        fs::write(folder.path().join("test_greeter.py"), code).unwrap();
        let mut command = Command::new(&mypy);
        command.args(["--check-untyped-defs", "--no-incremental", "test_greeter.py"]).current_dir(folder.path());
        Run::of(command.env("MYPYPATH", stubs.path()), python::NEEDED)
    };
    let code = block(TESTING, "python", "stand_in");
    check(code).passes();
    check(&code.replace(".greet(\"\")", ".greet(1)")).fails_with(&["\"greet\"", "\"int\"", "\"str\""]);
    check(&code.replace("raises(", "raise(")).fails_with(&["syntax"]);
    check(&code.replace("import instance,", "import instances,")).fails_with(&["\"polyplug.test\" has no attribute"]);
    let more = "\nfrom polyplug.test import fail, near, settings, skip\n\nsettings(morning=\"Hi\")\nassert 3.14 == near(3.1416, 0.01)\n\n\n\
                def end() -> str:\n    with raises(ValueError, match=\"no\") as raised:\n        instance(\"demo.greeter@1\").greet(\"Ada\")\n    \
                if raised.value.args:\n        skip(\"no\")\n    fail(\"never\")\n";
    check(&format!("{code}{more}")).passes();
}

#[test]
fn the_tests_in_javascript_have_types() {
    let Some(compiler) = ts::compiler() else { return };
    let (stubs, folder) = (tested().stubs("ts"), TempDir::new().unwrap());
    fs::copy(stubs.path().join("polyplug.d.ts"), folder.path().join("polyplug.d.ts")).unwrap();
    let check = |code: &str| {
        fs::write(folder.path().join("greeter.test.js"), code).unwrap();
        let mut command = Command::new("node");
        command.arg(&compiler).args(["--strict", "--noEmit", "--checkJs", "--target", "es2022", "--module", "esnext"]);
        command.args(["--lib", "es2022", "--pretty", "false", "polyplug.d.ts", "greeter.test.js"]);
        Run::of(command.current_dir(folder.path()), ts::NEEDED)
    };
    let code = block(TESTING, "js", "standIn");
    // What is logged is a list of any values, as no annotation says more.
    let code = code.replace("const lines = [];", "/** @type {string[]} */\nconst lines = [];");
    check(&code).passes();
    check(&code.replace(".greet(\"\")", ".greet(1)")).fails_with(&["'number'", "'string'"]);
    check(&code.replace("hour() {", "hours() {")).fails_with(&["'hour'"]);
    check(&code.replace("assert.equal(", "assert.equals(")).fails_with(&["'equals'"]);
}

#[test]
fn the_tests_in_lua_have_annotations() {
    let text = fs::read_to_string(tested().stubs("lua").path().join("polyplug/test.lua")).unwrap();
    let page = block(TESTING, "lua", "t.stand_in");
    let used: std::collections::BTreeSet<_> = page
        .split(|other: char| !other.is_alphanumeric() && !"._".contains(other))
        .filter(|word| word.starts_with("t."))
        .collect();
    assert!(used.len() > 4, "{used:?}");
    for name in used {
        assert!(text.contains(&format!("function test.{}(", &name[2..])), "{name}");
    }
    assert!(text.contains("---@overload fun(contract: \"demo.clock@1\""), "{text}");
}

#[test]
fn the_store_in_csharp_is_told_what_it_lacks() {
    let code = block(include_str!("../../../docs/src/dotnet.md"), "cs", "IStore");
    let Some(toolchain) = Toolchain::find() else { return };
    let (stubs, folder) = (schemas().stubs("csharp"), TempDir::new().unwrap());
    let compile = |code: &str| {
        let source = folder.path().join("Store.cs");
        fs::write(&source, code).unwrap();
        let sources = [source, stubs.path().join("DemoStore1.cs")];
        csharp::compile_files(&toolchain, &sources, &folder.path().join("Store.dll"))
    };
    compile(code).fails_with(&["Store", "IStore.Find"]);
    let method = "{\n    public Item Find(string name) { return new Item(); }\n}\n";
    compile(&code.replace("{\n}\n", method)).passes();
}
