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

fn schemas() -> Schemas {
    Schemas::of(&[Schema::of::<dyn Store>()])
}

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
