//! The host in Python of `examples/python-host` does what its README says, and says what is wrong.
//!
//! The names of these tests begin alike, so that a sanitizer's run can leave them out.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use polyplug_tests::{Bundle, library};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn example(file: &str) -> PathBuf {
    root().join("examples/python-host").join(file)
}

/// Runs the host with a Python and a library. The library of the fixtures has the loader for Python in it, unlike that of the
/// README, but only bundles in Python would start it.
fn run(library: &Path, arguments: &[&str]) -> Output {
    let python = std::env::var_os("PYO3_PYTHON").unwrap_or_else(|| "python3".into());
    let mut host = Command::new(python);
    host.arg(example("host.py")).args(arguments).env("POLYPLUG_LIBRARY", library);
    host.output().unwrap()
}

/// Runs the host, which must fail. Returns the reason.
#[track_caller]
fn fails(arguments: &[&str]) -> String {
    let output = run(&library("polyplug-loaders"), arguments);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), String::new()));
    text(&output.stderr)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The output that the README shows, and the error.
fn shown() -> [String; 2] {
    let readme = std::fs::read_to_string(example("README.md")).unwrap();
    let blocks: Vec<_> = readme.split("```text\n").map(|block| block.split("```").next().unwrap().to_owned()).collect();
    let [_, _files, output, error] = &blocks[..] else { panic!("{blocks:?}") };
    [output.clone(), error.clone()]
}

#[test]
fn the_host_in_python_prints_what_its_readme_says() {
    let output = run(&library("polyplug-loaders"), &[]);
    assert_eq!((text(&output.stdout), text(&output.stderr)), (shown()[0].clone(), String::new()));
    assert!(output.status.success());
}

#[test]
fn the_host_in_python_runs_a_compiled_plugin_and_takes_any_text() {
    let bundle = Bundle::native("greeter", "plugin-greeter-one");
    let output = run(&library("polyplug-loaders"), &[bundle.path().to_str().unwrap(), "Zoë", "名前"]);
    assert_eq!(text(&output.stdout), "Good morning, Zoë.\nGood morning, 名前.\ngreeted so far: 2\n", "{output:?}");
    assert!(output.status.success());
}

#[test]
fn the_host_in_python_says_what_is_wrong() {
    let shipped = example("greeter");
    let said = fails(&[shipped.to_str().unwrap(), ""]);
    assert!(said.starts_with(&shown()[1]), "{said}");

    let nowhere = Bundle::empty().path().join("nowhere");
    let said = fails(&[nowhere.to_str().unwrap()]);
    assert!(said.starts_with("host.py: cannot load the bundle (error 4): "), "{said}");
    assert!(said.contains("no bundle there"), "{said}");

    let other = Bundle::native("stamp", "plugin-reload-one");
    let said = fails(&[other.path().to_str().unwrap()]);
    assert_eq!(said, "host.py: no greeter (error 4): the bundle does not provide example.greeter@1.0\n");

    let output = run(Path::new("/nowhere.so"), &[]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.starts_with("host.py: cannot open polyplug's library: /nowhere.so: "), "{said}");
    let build = said.lines().last().unwrap().strip_prefix("It is built by `").unwrap().strip_suffix('`').unwrap();
    assert!(std::fs::read_to_string(example("README.md")).unwrap().contains(&format!("\n{build} && ")), "{build}");
}

/// The schema is that of the example in C, whose tests compare it with the contract.
#[test]
fn the_host_in_python_has_a_bundle_with_the_schema() {
    let schema = |folder: &str| std::fs::read(root().join(folder).join("example.greeter@1.schema")).unwrap();
    assert_eq!(schema("examples/python-host/greeter"), schema("examples/c/greeter"));
}
