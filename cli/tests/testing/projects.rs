//! Crates and projects of .NET.

use std::fs;

use tempfile::TempDir;

use crate::bundle::{Run, polyplug};

#[test]
fn crates_are_tested_by_cargo() {
    let write = |body: &str| {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("src")).unwrap();
        fs::write(
            folder.path().join("Cargo.toml"),
            "[package]\nname = \"tested\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n",
        )
        .unwrap();
        fs::write(folder.path().join("src/lib.rs"), format!("#[test]\nfn it() {{\n    {body}\n}}\n")).unwrap();
        folder
    };
    let test = |folder: &TempDir| Run::of(polyplug().arg("test").arg(folder.path()));
    test(&write("")).is(0).says(&["ok      cargo test", "1 passed"]).complains(&["test it ... ok"]);
    test(&write("panic!(\"words\");")).is(1).says(&["FAILED  cargo test"]).complains(&["words"]);
    test(&write("nothing")).is(3).says(&["could not be run", "the tests could not be built"]);
}

#[test]
fn a_missing_dotnet_sdk_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Tests.csproj"), "<Project/>").unwrap();
    let run = Run::of(polyplug().arg("test").arg(folder.path()).env("PATH", folder.path()));
    run.is(3).says(&["could not be run", "Tests.csproj", "`dotnet` cannot be started", "install the .NET SDK"]);
}
