//! Options of the CLR, and options that differ from those of the CLR that runs.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::super::ClrConfig;
use super::child::{again, in_child, passed, versions, with_each};
use super::dotnet::{at, call, contains, error, probe, root, start};

fn properties(list: &[(&str, &str)]) -> BTreeMap<String, String> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn options_that_differ_from_those_of_the_clr_that_runs_are_refused() {
    let Some(root) = with_each("options", "options_that_differ_from_those_of_the_clr_that_runs_are_refused") else {
        return;
    };
    let first = ClrConfig { properties: properties(&[("Demo.One", "1"), ("Demo.Two", "2")]), ..at(&root) };
    let clr = start(&first);

    // Options that are the same, fewer, or none.
    for same in [first.clone(), at(&root), ClrConfig::default(), at(root.join("..").join("dotnet"))] {
        assert!(std::ptr::eq(start(&same), clr), "{same:?}");
    }
    let fewer = ClrConfig { properties: properties(&[("Demo.Two", "2")]), ..ClrConfig::default() };
    assert!(std::ptr::eq(start(&fewer), clr));

    let other = error(&at("/elsewhere/dotnet"));
    let is = clr.root().display().to_string();
    contains(&other, &["a process has one CLR", &is, "/elsewhere/dotnet is asked for", "the same options"]);
    let other =
        error(&ClrConfig { properties: properties(&[("Demo.One", "3"), ("New", "x")]), ..ClrConfig::default() });
    contains(&other, &["`Demo.One`: `1` runs, `3` is asked for", "`New`: none runs, `x` is asked for"]);
    let file = Some(PathBuf::from("other.runtimeconfig.json"));
    let other = error(&ClrConfig { runtime_config: file, ..ClrConfig::default() });
    contains(&other, &["the loader's own runs, other.runtimeconfig.json is asked for"]);
    assert_eq!(call(probe(clr)), 42);
}

#[test]
fn a_runtimeconfig_of_the_host_counts() {
    let Some(root) = with_each("options", "a_runtimeconfig_of_the_host_counts") else { return };
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("host.runtimeconfig.json");
    let text = r#"{ "runtimeOptions": {
        "framework": { "name": "Microsoft.NETCore.App", "version": "3.0.0" }, "rollForward": "LatestMajor",
        "configProperties": { "Demo.Count": 7, "System.Globalization.Invariant": true } } }"#;
    fs::write(&file, text).unwrap();
    let config =
        ClrConfig { runtime_config: Some(file.clone()), properties: properties(&[("Demo.More", "yes")]), ..at(&root) };
    let clr = start(&config);
    assert!(std::ptr::eq(start(&config), clr));
    let of_file = ClrConfig { properties: properties(&[("Demo.Count", "7"), ("Demo.More", "yes")]), ..at(&root) };
    assert!(std::ptr::eq(start(&of_file), clr));
    let other = folder.path().join("other.runtimeconfig.json");
    fs::write(&other, text).unwrap();
    let refused = error(&ClrConfig { runtime_config: Some(other), ..ClrConfig::default() });
    contains(&refused, &["host.runtimeconfig.json runs", "other.runtimeconfig.json is asked for"]);
}

#[test]
fn the_folder_in_the_environment_counts_after_the_one_of_the_options() {
    let name = "the_folder_in_the_environment_counts_after_the_one_of_the_options";
    if let Some(root) = in_child() {
        let config = if std::env::var_os("DOTNET_ROOT").is_some_and(|folder| folder == "/nowhere") {
            contains(&error(&ClrConfig::default()), &["the environment variable DOTNET_ROOT names: /nowhere"]);
            at(&root)
        } else {
            ClrConfig::default()
        };
        assert_eq!(start(&config).root(), root.canonicalize().unwrap());
        return;
    }
    for version in versions() {
        passed(again("options", name, version).env("DOTNET_ROOT", root(version)));
        passed(again("options", name, version).env("DOTNET_ROOT", "/nowhere"));
    }
}
