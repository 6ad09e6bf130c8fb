//! Projects that `polyplug new` makes, of a contract with every kind of type: their languages' tools accept them, and they
//! pass their own tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::{Run, Schemas, csharp, polyplug, python, ts};

/// Makes a plugin for `test.kinds@1`.
fn made(lang: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let project = folder.path().join("my-plugin");
    let schemas = Schemas::new();
    let (project_text, contracts) = (project.to_str().unwrap(), schemas.path());
    polyplug(&["new", "plugin", project_text, "--lang", lang, "--contracts", contracts, "--contract", "test.kinds"])
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

#[test]
fn in_javascript() {
    let (_folder, project) = made("js");
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

#[test]
fn in_csharp() {
    let (folder, project) = made("dotnet");
    let Some(toolchain) = csharp::Toolchain::find() else { return };
    let bundle = folder.path().join("bundle");
    fs::create_dir(&bundle).unwrap();
    let sources = ["MyPlugin.cs", "TestKinds1.cs"].map(|file| project.join(file));
    csharp::compile_files(&toolchain, &sources, &bundle.join("MyPlugin.dll")).passes();
    csharp::finish(&toolchain, &bundle.join("MyPlugin.dll"));
    fs::remove_file(bundle.join("MyPlugin.xml")).unwrap();
    for file in ["manifest.toml", "test.kinds@1.schema"] {
        fs::copy(project.join(file), bundle.join(file)).unwrap();
    }
    fs::create_dir(bundle.join("tests")).unwrap();
    fs::copy(project.join("tests/my-plugin.lua"), bundle.join("tests/my-plugin.lua")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_polyplug"));
    command.args(["test", text(&bundle)]).env("DOTNET_ROOT", toolchain.root());
    Run::of(command.env("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1"), csharp::NEEDED).passes();
    // The project itself is built by an SDK, which this command names if there is none.
    let mut command = Command::new(env!("CARGO_BIN_EXE_polyplug"));
    command.args(["build", text(&project)]).env("PATH", "/nowhere");
    Run::of(&mut command, csharp::NEEDED).fails_with(&["cannot start `dotnet`", ".NET SDK"]);
}
