//! Projects that `polyplug new` makes, of a contract with every kind of type: their languages' tools accept them, and they
//! pass their own tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use polyplug::schema::Schema;
use tempfile::TempDir;

use crate::{Run, Schemas, csharp, polyplug, python, ts};

/// What is to be done.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub(crate) struct Task {
    title: String,
}

/// A contract whose results have no literals in some languages.
#[polyplug::contract(name = "test.tasks", version = "1.0")]
pub(crate) trait Tasks {
    fn newest(&self) -> Task;
    fn all(&self) -> Vec<Task>;
    fn find(&self, id: u32) -> Option<Task>;
    fn deep(&self) -> Option<Option<u32>>;
    fn by_name(&self) -> BTreeMap<String, Task>;
}

#[derive(Debug, Clone, Copy, PartialEq, polyplug::Type)]
pub(crate) enum Colour {
    Red,
    Blue,
}

/// A contract with a letter, a method of the name of an enum, and one of the name of the plugin.
#[polyplug::contract(name = "test.paint", version = "1.0")]
pub(crate) trait Paint {
    fn colour(&self) -> Colour;
    fn letter(&self) -> char;
    fn roller(&self) -> u32;
}

/// Makes a plugin for `test.kinds@1`.
fn made(lang: &str) -> (TempDir, PathBuf) {
    made_for("my-plugin", lang, &Schemas::new(), "test.kinds")
}

/// Makes a plugin of a name for a contract.
fn made_for(name: &str, lang: &str, schemas: &Schemas, contract: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let project = folder.path().join(name);
    let (project_text, contracts) = (project.to_str().unwrap(), schemas.path());
    polyplug(&["new", "plugin", project_text, "--lang", lang, "--contracts", contracts, "--contract", contract])
        .passes();
    (folder, project)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn in_python() {
    let (_folder, project) = made("python");
    polyplug(&["test", text(&project)]).passes();
    let Some(mypy) = python::mypy() else { return };
    // The configuration of the project leads to the stubs.
    Run::of(Command::new(mypy).args(["--no-incremental", "main.py"]).current_dir(&project), python::NEEDED).passes();
}

/// What engines have beside the language is declared.
const ENGINE: &str = "
const bytes = new TextEncoder().encode(new URL('x?a=1', 'http://a/').searchParams.get('a') ?? '');
const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
const timer = setTimeout((/** @type {string} */ word) => console.table([word, structuredClone({ text })]), 5, 'a');
clearTimeout(timer);
queueMicrotask(() => console.log(performance.now(), atob(btoa('a')), new URLSearchParams([['a', 'b']]).size));
";

#[test]
fn in_javascript() {
    let (_folder, project) = made("js");
    let main = project.join("main.js");
    fs::write(&main, fs::read_to_string(&main).unwrap() + ENGINE).unwrap();
    polyplug(&["test", text(&project)]).passes();
    let Some(compiler) = ts::compiler() else { return };
    let mut command = Command::new("node");
    command.arg(compiler).args(["--noEmit", "--pretty", "false", "--project", "jsconfig.json"]).current_dir(&project);
    Run::of(&mut command, ts::NEEDED).passes();
}

#[test]
fn in_typescript() {
    let (_folder, project) = made("ts");
    polyplug(&["test", text(&project)]).fails_with(&["run `npm install` there first"]);
    let checked = polyplug(&["check", text(&project)]).out;
    assert!(checked.contains("error[not-built]") && checked.contains("`polyplug build "), "{checked}");
    let Some(compiler) = ts::compiler() else { return };
    // As `npm install` would do.
    let modules = compiler.ancestors().nth(3).unwrap();
    std::os::unix::fs::symlink(modules, project.join("node_modules")).unwrap();
    polyplug(&["test", text(&project)]).passes();
    let built = polyplug(&["build", text(&project)]).passes();
    assert!(built.out.contains("my-plugin 0.1.0 (js, 4 files"), "{}", built.out);
    polyplug(&["check", text(&project.join("bundles/my-plugin"))]).passes();
}

#[test]
fn in_lua() {
    let (_folder, project) = made("lua");
    polyplug(&["test", text(&project)]).passes();
    polyplug(&["check", text(&project)]).passes();
}

#[test]
fn in_c() {
    let (_folder, project) = made("c");
    let makefile = fs::read_to_string(project.join("Makefile")).unwrap();
    fs::write(project.join("Makefile"), makefile.replace("-Wpedantic", "-Wpedantic -Werror")).unwrap();
    polyplug(&["test", text(&project)]).passes();
}

/// Compiles a project in C# of two sources, and runs its test.
fn passes_in_csharp(folder: &Path, project: &Path, assembly: &str, stub: &str, schema: &str) {
    let Some(toolchain) = csharp::Toolchain::find() else { return };
    let bundle = folder.join("bundle");
    fs::create_dir(&bundle).unwrap();
    let sources = [format!("{assembly}.cs"), format!("{stub}.cs")].map(|file| project.join(file));
    let made = bundle.join(assembly).with_extension("dll");
    csharp::compile_files(&toolchain, &sources, &made).passes();
    csharp::finish(&toolchain, &made);
    fs::remove_file(made.with_extension("xml")).unwrap();
    for file in ["manifest.toml", schema] {
        fs::copy(project.join(file), bundle.join(file)).unwrap();
    }
    fs::create_dir(bundle.join("tests")).unwrap();
    let test = format!("tests/{}.lua", project.file_name().unwrap().to_str().unwrap());
    fs::copy(project.join(&test), bundle.join(&test)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_polyplug"));
    command.args(["test", text(&bundle)]).env("DOTNET_ROOT", toolchain.root());
    Run::of(command.env("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1"), csharp::NEEDED).passes();
}

#[test]
fn in_csharp() {
    let (folder, project) = made("dotnet");
    passes_in_csharp(folder.path(), &project, "MyPlugin", "TestKinds1", "test.kinds@1.schema");
    // The project itself is built by an SDK, which this command names if there is none.
    let mut command = Command::new(env!("CARGO_BIN_EXE_polyplug"));
    command.args(["build", text(&project)]).env("PATH", "/nowhere");
    Run::of(&mut command, csharp::NEEDED).fails_with(&["cannot start `dotnet`", ".NET SDK"]);
}

#[test]
fn results_without_literals_are_made_in_csharp() {
    let schemas = Schemas::of(&[Schema::of::<dyn Tasks>()]);
    let (folder, project) = made_for("todo", "dotnet", &schemas, "test.tasks");
    let code = fs::read_to_string(project.join("Todo.cs")).unwrap();
    assert_eq!(code.matches("NotImplementedException").count(), 1, "{code}");
    passes_in_csharp(folder.path(), &project, "Todo", "TestTasks1", "test.tasks@1.schema");
    let test = fs::read_to_string(project.join("tests/todo.lua")).unwrap();
    assert!(test.contains("plugin:all()"), "{test}");
}

#[test]
fn methods_hide_no_types_in_csharp() {
    let schemas = Schemas::of(&[Schema::of::<dyn Paint>()]);
    let (folder, project) = made_for("roller", "dotnet", &schemas, "test.paint");
    let code = fs::read_to_string(project.join("Roller.cs")).unwrap();
    assert!(code.contains("return global::TestPaint1.Colour.Red;") && code.contains("class RollerPlugin"), "{code}");
    passes_in_csharp(folder.path(), &project, "Roller", "TestPaint1", "test.paint@1.schema");
}

#[test]
fn what_has_no_obvious_value_in_c_says_so() {
    let schemas = Schemas::of(&[Schema::of::<dyn Tasks>()]);
    let (_folder, project) = made_for("todo", "c", &schemas, "test.tasks");
    polyplug(&["test", text(&project)]).passes();
    let code = fs::read_to_string(project.join("plugin.c")).unwrap();
    assert_eq!(code.matches("is not written yet").count(), 1, "{code}");
    let built = polyplug(&["build", text(&project)]).passes();
    assert!(built.out.contains("todo 0.1.0"), "{}", built.out);
    polyplug(&["call", text(&project.join("bundles/todo")), "test.tasks", "newest"])
        .fails_with(&["newest is not written yet"]);
}

#[test]
fn names_that_hide_others_are_not_those_of_classes_in_csharp() {
    let schemas = Schemas::of(&[Schema::of::<dyn Tasks>()]);
    for (name, assembly) in
        [("task", "Task"), ("system", "SystemPlugin"), ("test-tasks1", "TestTasks1Plugin"), ("object", "ObjectPlugin")]
    {
        let (folder, project) = made_for(name, "dotnet", &schemas, "test.tasks");
        passes_in_csharp(folder.path(), &project, assembly, "TestTasks1", "test.tasks@1.schema");
    }
}
