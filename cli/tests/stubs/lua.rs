//! Lua. No language server is among the tools of the tests: the annotations are comments, whose form is checked here, and
//! the file is loaded as the Lua that it is.

use std::fs;

use crate::{Guest, Schemas};

const GUEST: &str = include_str!("guest.lua");

fn stubs() -> String {
    stub("polyplug.lua")
}

fn stub(file: &str) -> String {
    fs::read_to_string(Schemas::new().stubs("lua").path().join(file)).unwrap()
}

#[test]
fn a_guest_of_the_annotated_contract_answers() {
    let guest = Guest::new("lua", "main.lua");
    fs::write(guest.file("main.lua"), GUEST).unwrap();
    guest.answers();
}

#[test]
fn the_file_is_lua() {
    // A module of the bundle, which is run. Its functions have the names of the loader's.
    let guest = Guest::new("lua", "main.lua");
    fs::write(guest.file("annotations.lua"), stubs()).unwrap();
    let check = "local made = require(\"annotations\")\n\
                 for name, value in pairs(require(\"polyplug\")) do\n  \
                 if type(value) == \"function\" then assert(type(made[name]) == \"function\", name) end\nend\n\
                 for name in pairs(made) do assert(require(\"polyplug\")[name], name) end\n";
    fs::write(guest.file("main.lua"), format!("{check}{GUEST}")).unwrap();
    guest.call("test.kinds@1", "length", &[r#"{"number": 1, "next": null}"#]).passes();
}

#[test]
fn everything_but_the_functions_of_the_module_is_a_comment() {
    let text = stubs();
    let code: Vec<_> = text.lines().filter(|line| !line.starts_with("--") && !line.is_empty()).collect();
    let functions = ["plugin", "host", "peer", "types", "raise", "log", "on_unload", "data_directory"];
    assert_eq!(code.len(), 2 + functions.len(), "{code:#?}");
    for (line, name) in code[1..].iter().zip(functions) {
        assert!(line.starts_with(&format!("function polyplug.{name}(")) && line.ends_with(") end"), "{line}");
    }
}

#[test]
fn every_annotation_has_a_tag_of_the_language_server_and_a_balanced_type() {
    let known = ["meta", "alias", "class", "field", "generic", "overload", "param", "return"];
    for line in (stubs() + &stub("polyplug/test.lua")).lines() {
        let Some(annotation) = line.strip_prefix("---@") else {
            assert!(!line.contains(" @"), "{line}");
            continue;
        };
        let (tag, text) = annotation.split_once(' ').unwrap();
        assert!(known.contains(&tag), "{line}");
        for (open, close) in [('(', ')'), ('{', '}'), ('<', '>'), ('[', ']')] {
            assert_eq!(text.matches(open).count(), text.matches(close).count(), "{line}");
        }
    }
}

#[test]
fn types_are_as_the_loader_has_them() {
    let text = stubs();
    for line in [
        "---@field numbers fun(self: TestKinds1.Kinds, small: integer, middle: integer, large: polyplug.Integer64, real: number, \
         flag: boolean, letter: string): [polyplug.Integer64, number]",
        "---@field names fun(self: TestKinds1.Kinds, items: TestKinds1.Item[], by_name: table<string, TestKinds1.Point>): \
         string[]",
        "---@field deep { tag: \"some\", val: integer|nil }|nil",
        "---@field count? integer",
        "---@alias TestKinds1.Pair [integer, polyplug.Integer64]",
        "---| \"Red\" # Like blood.",
        "---| { tag: \"Circle\", val: TestKinds1.Shape.Circle }",
        "---| \"Empty\"",
        "---@field import fun(self: TestKinds1.Kinds, class: integer, end_: string): integer",
        "---@field watch fun(self: TestKinds1.KindsProxy, steps: integer, progress: TestKinds1.Progress|fun(done: integer, \
         label: string): boolean): integer",
        "---@overload fun(contract: \"test.store-room@2\"|\"test.store-room@2.0\"): TestStoreRoom2.StoreRoomProxy",
        "---@field Line fun(_0: TestKinds1.Point, _1: TestKinds1.Point): TestKinds1.Shape",
    ] {
        assert!(text.lines().any(|each| each == line), "no `{line}` in\n{text}");
    }
}

/// What the module of tests has, and no more, is annotated.
#[test]
fn the_functions_of_the_module_of_tests_are_annotated() {
    let names = |text: &str, table: &str| {
        let start = format!("function {table}.");
        let names = text.lines().filter_map(|line| line.strip_prefix(&start)?.split_once('('));
        names.map(|(name, _)| name.to_owned()).collect::<std::collections::BTreeSet<_>>()
    };
    let mut there = names(include_str!("../../src/testing/modules/test.lua"), "M");
    assert!(there.insert("it".to_owned()), "`it` is another name of `test`");
    assert_eq!(names(&stub("polyplug/test.lua"), "test"), there);
}
