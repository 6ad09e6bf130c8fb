//! Projects that the command makes: they build, pass their own tests, and serve a host.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Run, checkout, path, run, target, without_flags};

#[track_caller]
fn cargo(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO"));
    // The same versions of other crates as here, which are at hand.
    if !folder.join("Cargo.lock").is_file() {
        fs::copy(checkout().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    }
    command.args(arguments).current_dir(folder).env("CARGO_TARGET_DIR", target());
    without_flags(&mut command);
    let output = command.output().unwrap();
    let text = format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "cargo {} in {}:\n{text}", arguments.join(" "), folder.display());
    text
}

/// Makes the contract `greeter` in `folder`.
fn contract(folder: &Path) -> PathBuf {
    let contract = folder.join("greeter");
    run(&["new", "contract", path(&contract), "--polyplug", path(&checkout())]).is(0).says(&["src/lib.rs"]);
    contract
}

#[test]
fn all_that_is_made_builds_and_works_together() {
    let folder = tempfile::tempdir().unwrap();
    let contract = contract(folder.path());
    cargo(&contract, &["test", "--quiet"]);
    cargo(&contract, &["fmt", "--check"]);

    let host = folder.path().join("my-host");
    run(&["new", "host", path(&host), "--contracts", path(&contract)]).is(0);
    let plugins = host.join("plugins");
    let made = |name: &str, lang: &str| {
        let plugin = folder.path().join(name);
        run(&["new", "plugin", path(&plugin), "--lang", lang, "--contracts", path(&contract)]).is(0);
        plugin
    };

    let rust = made("in-rust", "rust");
    cargo(&rust, &["fmt", "--check"]);
    cargo(&rust, &["clippy", "--quiet", "--all-targets", "--", "-D", "warnings"]);
    cargo(&rust, &["test", "--quiet"]);
    run(&["build", path(&rust), "--out", path(&plugins), "--target-dir", path(&target())])
        .is(0)
        .says(&["in-rust 0.1.0 (native, 2 files"]);
    run(&["check", path(&plugins.join("in-rust"))]).is(0);

    for (name, lang) in [("in-lua", "lua"), ("in-python", "python"), ("in-js", "js")] {
        let plugin = made(name, lang);
        run(&["check", path(&plugin)]).is(0);
        run(&["test", path(&plugin)]).is(0).says(&["1 passed, 0 failed"]);
        run(&["build", path(&plugin), "--out", path(&plugins)]).is(0).says(&[name, "3 files"]);
        let answer = format!("\"greet of {name}\"\n");
        let bundle = plugins.join(name);
        assert_eq!(run(&["call", path(&bundle), "example.greeter", "greet", "Ada"]).is(0).out, answer);
        assert_eq!(run(&["call", path(&bundle), "example.greeter", "add", "1", "2"]).is(0).out, "0\n");
    }

    let c = made("in-c", "c");
    run(&["test", path(&c)]).is(0).says(&["1 passed, 0 failed"]);
    run(&["build", path(&c), "--out", path(&plugins)]).is(0).says(&["in-c 0.1.0 (native, 3 files"]);
    run(&["check", path(&plugins.join("in-c"))]).is(0);

    cargo(&host, &["fmt", "--check"]);
    cargo(&host, &["test", "--quiet"]);
    let said = cargo(&host, &["run", "--quiet", "--", "--once"]);
    for name in ["in-rust", "in-lua", "in-python", "in-js", "in-c"] {
        assert!(said.contains(&format!("{name}: \"greet of {name}\"")), "{said}");
    }
}

#[test]
fn a_project_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    run(&["new", "contract", path(&at("Not A Name")), "--polyplug", path(&checkout())])
        .is(3)
        .complains(&["`Not A Name` cannot be the name"]);
    run(&["new", "contract", path(&at("test")), "--polyplug", path(&checkout())])
        .is(3)
        .complains(&["`test` cannot be the name"]);
    fs::create_dir(at("full")).unwrap();
    fs::write(at("full").join("x"), "").unwrap();
    run(&["new", "contract", path(&at("full")), "--polyplug", path(&checkout())])
        .is(3)
        .complains(&["the folder is not empty"]);
    run(&["new", "contract", path(&at("a"))]).is(2).complains(&["--polyplug <CHECKOUT>"]);
    run(&["new", "contract", path(&at("a")), "--polyplug", path(folder.path())])
        .is(3)
        .complains(&["no checkout of polyplug"]);
    run(&["new", "host", path(&at("a")), "--contracts", path(folder.path())]).is(3).complains(&["no Rust crate"]);
    for lang in ["cs", "c#", "csharp"] {
        run(&["new", "plugin", path(&at("a")), "--lang", lang, "--contracts", "nowhere"]).is(3).complains(&["nowhere"]);
    }
    run(&["new", "plugin", path(&at("a")), "--lang", "cobol", "--contracts", "x"]).is(2).complains(&["cobol", "lua"]);
    run(&["new", "plugin", path(&at("a")), "--lang", "lua", "--contracts", path(&at("nowhere"))])
        .is(3)
        .complains(&["nowhere", "no such file or folder"]);
    assert!(!at("a").exists());
}

#[test]
fn a_crate_of_a_plugin_has_test_files_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let contract = contract(folder.path());
    let plugin = folder.path().join("hello");
    run(&["new", "plugin", path(&plugin), "--lang", "rust", "--contracts", path(&contract)]).is(0);
    fs::copy(checkout().join("Cargo.lock"), plugin.join("Cargo.lock")).unwrap();
    fs::create_dir(plugin.join("tests")).unwrap();
    let test = |greeting: &str| {
        let text = format!(
            "from polyplug.test import instance\n\ndef test_greets():\n    \
             assert instance(\"example.greeter@1\").greet(\"Ada\") == \"{greeting}\"\n"
        );
        fs::write(plugin.join("tests/test_it.py"), text).unwrap();
        Run::of(common::command(&["test", path(&plugin)]).env("CARGO_TARGET_DIR", target()))
    };
    test("greet of hello").is(0).says(&["tests/test_it.py", "ok      test_greets", "ok      cargo test", "2 passed"]);
    test("Good day").is(1).says(&["FAILED  test_greets", "greet of hello", "ok      cargo test"]);
    assert!(!plugin.join("bundles").exists(), "the bundle is made elsewhere");
}

#[test]
fn names_of_the_contract_are_not_those_of_the_plugin() {
    let folder = tempfile::tempdir().unwrap();
    let contract = contract(folder.path());
    let lib = "//! Orders.\n\nuse std::{collections::BTreeMap, fmt};\n\nconst _: Option<fmt::Error> = None;\n\n/// An order.\n#[derive(Debug, Clone, PartialEq, polyplug::Type)]\npub struct Order {\n    /// What.\n    pub item: \
               String,\n}\n\n/// Takes orders.\n#[polyplug::contract(name = \"example.orders\", version = \"1.0\")]\npub trait Orders {\n    \
               /// Takes one.\n    fn take(&self, order: Order) -> Option<Order>;\n    /// Counts \
               them.\n    fn totals(&self) -> BTreeMap<String, u64>;\n}\n";
    fs::write(contract.join("src/lib.rs"), lib).unwrap();
    for name in ["order", "option", "orders"] {
        let plugin = folder.path().join(name);
        run(&["new", "plugin", path(&plugin), "--lang", "rust", "--contracts", path(&contract)]).is(0);
        let code = fs::read_to_string(plugin.join("src/lib.rs")).unwrap();
        assert!(code.starts_with("use std::collections::BTreeMap;\n\nuse greeter::*;\n"), "{code}");
        let manifest = fs::read_to_string(plugin.join("Cargo.toml")).unwrap();
        assert!(manifest.contains("greeter = { path = \"../greeter\" }"), "{manifest}");
        cargo(&plugin, &["test", "--quiet"]);
    }
    // Two packages of one name are a mystery to cargo.
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    for kind in [&["host"][..], &["plugin", "--lang", "rust"]] {
        let project = other.join("greeter");
        let arguments = [&["new", kind[0], path(&project)][..], &kind[1..], &["--contracts", path(&contract)]];
        run(&arguments.concat()).is(3).complains(&["`greeter` is the name of the crate with the contracts"]);
    }
}

#[test]
fn a_plugin_is_made_of_a_schema_file() {
    let (_folder, bundle) = common::greeter_bundle();
    let folder = tempfile::tempdir().unwrap();
    let schema = bundle.join("demo.greeter@1.schema");
    for lang in ["lua", "python", "js", "c"] {
        let plugin = folder.path().join(format!("my-{lang}"));
        run(&["new", "plugin", path(&plugin), "--lang", lang, "--contracts", path(&schema)]).is(0);
        run(&["test", path(&plugin)]).is(0);
        run(&["build", path(&plugin)]).is(0);
        let bundle = plugin.join("bundles").join(format!("my-{lang}"));
        run(&["check", path(&bundle)]).is(0);
        assert_eq!(run(&["call", path(&bundle), "demo.greeter", "all", "[\"a\"]"]).is(0).out, "[]\n");
    }
    let plugin = folder.path().join("my-rust");
    run(&["new", "plugin", path(&plugin), "--lang", "rust", "--contracts", path(&schema)])
        .is(3)
        .complains(&["the folder of the Rust crate"]);
    run(&["new", "plugin", path(&plugin), "--lang", "lua", "--contracts", path(&schema), "--contract", "demo.greter"])
        .is(3)
        .complains(&["there is no contract `demo.greter`, only demo.greeter@1"]);
}

#[test]
fn a_build_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    run(&["build", path(&folder.path().join("nowhere"))]).is(3).complains(&["no such folder"]);
    run(&["build", path(folder.path())]).is(3).complains(&["no project there", "Cargo.toml", "manifest.toml"]);
    fs::write(folder.path().join("manifest.toml"), "version = \"1.0.0\"").unwrap();
    run(&["build", path(folder.path())]).is(3).complains(&["manifest.toml:1:1", "missing field `name`"]);
    let elsewhere = "name = \"../elsewhere\"\nversion = \"1.0.0\"\nloader = \"lua\"\nfile = \"main.lua\"\n";
    fs::write(folder.path().join("manifest.toml"), elsewhere).unwrap();
    run(&["build", path(folder.path())]).is(3).complains(&["`name`", "../elsewhere"]);
    assert!(!folder.path().join("elsewhere").exists() && !folder.path().join("bundles").exists());
    fs::write(folder.path().join("manifest.toml"), "name = ").unwrap();
    run(&["build", path(folder.path())]).is(3).complains(&["manifest.toml"]);
    fs::remove_file(folder.path().join("manifest.toml")).unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("src/lib.rs"), "").unwrap();
    let manifest = "[package]\nname = \"a\"\nversion = \"0.1.0\"\n\n[workspace]\n";
    fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    run(&["build", path(folder.path())]).is(3).complains(&["`a` is no plugin", "cdylib"]);
}

#[test]
fn calls_are_made_as_they_are_typed() {
    let (_folder, bundle) = common::greeter_bundle();
    let lines = "greet Ada\nadd 1 2\ndemo.greeter@1 add 3 4\nall [\"a\", \"b\"]\n:methods\ngrete x\nadd 1\n:nothing\n\n:reload\n:quit\n";
    let said = common::run_with(&["repl", path(&bundle)], lines).is(0);
    said.says(&[
        "\"Good day, Ada!\"\n3\n7\n[\"Good day, a!\",\"Good day, b!\"]\n",
        "greet(name: string) -> string",
        "there is no method `grete`, only greet, add, all",
        "2 arguments are expected",
        "there is no `:nothing`",
        "greeter 1.2.0 is loaded",
    ]);
    common::run_with(&["repl", "/nowhere"], "").is(3).complains(&["no bundle there"]);
}

#[test]
fn a_folder_of_bundles_is_loaded_and_followed() {
    let (folder, bundle) = common::greeter_bundle();
    run(&["run", path(folder.path())]).is(0).says(&["greeter 1.2.0", "implements demo.greeter@1.0"]);
    run(&["run", "/nowhere"]).is(3).complains(&["no such folder"]);

    let mut follow = common::command(&["run", path(folder.path()), "--watch", "--seconds", "20"]);
    let mut running = follow.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(running.stdout.take().unwrap()));
    let mut until = |part: &str| loop {
        let line = lines.next().expect("the line comes before the time is over").unwrap();
        if line.contains(part) {
            return;
        }
    };
    until("loaded from");
    fs::write(bundle.join("main.lua"), "error(").unwrap();
    until("the old version serves on");
    fs::write(bundle.join("main.lua"), common::GREETER).unwrap();
    until("reloaded");
    fs::remove_dir_all(&bundle).unwrap();
    until("unloaded");
    running.kill().unwrap();
    running.wait().unwrap();

    let (folder, bundle) = common::greeter_bundle();
    fs::write(bundle.join("main.lua"), "error(").unwrap();
    run(&["run", path(folder.path())]).is(1).says(&["main.lua:1"]);
}
