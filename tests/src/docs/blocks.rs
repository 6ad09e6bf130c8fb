//! Every block of the book is looked at by a test, or the line before it says why none does.
//!
//! Blocks in Rust are documentation tests. What is written in TOML, JSON and shell is read here, on all pages. Other
//! languages have tests of their own, which [`LOOKED_AT`] names. Blocks in `text` are no code: they show what is printed,
//! or draw something.

use std::fs;
use std::path::Path;

use polyplug::loader::ManifestData;
use toml::{Table, Value};

use super::root;

/// The tests that look at the blocks of a page in a language.
const LOOKED_AT: [(&str, &str, &str); 11] = [
    ("abi.md", "c", "tests/src/docs/abi.rs"),
    ("c.md", "c", "tests/src/docs/c.rs"),
    ("dotnet.md", "cs", "cli/tests/stubs/pages.rs"),
    ("dotnet.md", "csharp", "tests/tests/dotnet_docs.rs"),
    ("javascript.md", "js", "tests/tests/js_docs.rs"),
    ("javascript.md", "ts", "cli/tests/stubs/pages.rs"),
    ("lua.md", "lua", "tests/tests/lua_docs.rs"),
    ("python.md", "python", "tests/tests/python_docs.rs"),
    ("testing.md", "js", "cli/tests/testing/page.rs"),
    ("testing.md", "lua", "cli/tests/testing/page.rs"),
    ("testing.md", "python", "cli/tests/testing/page.rs"),
];

/// A block of a page.
#[derive(Debug, PartialEq)]
struct Block {
    /// The line of its fence, from 1.
    line: usize,
    language: String,
    /// What follows the language on the fence, such as `ignore`.
    attributes: Vec<String>,
    /// What the line before the fence says: `<!-- ignored: REASON -->`.
    reason: Option<String>,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let (mut blocks, mut open, mut before) = (Vec::new(), None::<Block>, "");
    for (number, line) in page.lines().enumerate() {
        match (open.take(), line.strip_prefix("```")) {
            (Some(block), Some(_)) => {
                blocks.push(block);
                before = "";
            }
            (Some(mut block), None) => {
                block.text.extend([line, "\n"]);
                open = Some(block);
            }
            (None, Some(fence)) => {
                let mut words = fence.split(',').map(|word| word.trim().to_owned());
                let reason = before.strip_prefix("<!-- ignored: ").and_then(|rest| rest.strip_suffix(" -->"));
                open = Some(Block {
                    line: number + 1,
                    language: words.next().unwrap_or_default(),
                    attributes: words.collect(),
                    reason: reason.map(str::to_owned),
                    text: String::new(),
                });
            }
            (None, None) => before = line,
        }
    }
    assert_eq!(open, None, "a block does not end");
    blocks
}

/// Returns the pages: the name and the blocks of each.
fn pages() -> Vec<(String, Vec<Block>)> {
    let entries = fs::read_dir(root().join("docs/src")).unwrap().map(|entry| entry.unwrap());
    let read = |path: &Path| blocks(&fs::read_to_string(path).unwrap());
    let pages = entries.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "md"));
    let mut pages: Vec<_> =
        pages.map(|entry| (entry.file_name().into_string().unwrap(), read(&entry.path()))).collect();
    pages.sort_by(|one, other| one.0.cmp(&other.0));
    assert!(pages.len() > 20, "the pages of the book are here");
    pages
}

/// Returns the blocks of all pages in a language, each with its place.
fn all_in(language: &str) -> Vec<(String, Block)> {
    let pages =
        pages().into_iter().flat_map(|(page, blocks)| blocks.into_iter().map(move |block| (page.clone(), block)));
    let chosen = pages.filter(|(_, block)| block.language == language);
    chosen.map(|(page, block)| (format!("docs/src/{page}:{}", block.line), block)).collect()
}

/// Returns why nothing looks at a block of a page, if nothing does.
fn unseen(page: &str, block: &Block, documentation_tests: &str) -> Option<String> {
    if block.reason.is_some() {
        return None;
    }
    let language = block.language.as_str();
    let why = if block.attributes.iter().any(|attribute| attribute == "ignore") {
        "the block is ignored".to_owned()
    } else {
        match language {
            "text" | "toml" | "json" | "sh" => return None,
            "rust" if documentation_tests.contains(&format!("docs/src/{page}\"")) => return None,
            "rust" => "tests/src/docs.rs does not name the page".to_owned(),
            "" => "the fence names no language".to_owned(),
            _ if LOOKED_AT.iter().any(|(of, in_, _)| (*of, *in_) == (page, language)) => return None,
            language => format!("no test looks at blocks in `{language}` of this page, as far as LOOKED_AT says"),
        }
    };
    Some(format!(
        "docs/src/{page}:{}: {why}: have a test run it, or write `<!-- ignored: REASON -->` on the line before",
        block.line
    ))
}

#[test]
fn a_test_looks_at_every_block() {
    let documentation_tests = fs::read_to_string(root().join("tests/src/docs.rs")).unwrap();
    let mut unseen_blocks = Vec::new();
    for (page, blocks) in pages() {
        unseen_blocks.extend(blocks.iter().filter_map(|block| unseen(&page, block, &documentation_tests)));
    }
    assert!(unseen_blocks.is_empty(), "{}", unseen_blocks.join("\n"));
}

#[test]
fn a_block_that_nothing_looks_at_is_found() {
    let page = "```rust\n```\n```fish\nls\n```\n```rust,ignore\n```\n\n<!-- ignored: it needs a sea -->\n```fish\n```\n\
                ```lua\n```\n```\n```\n";
    let found = |name: &str| {
        let found =
            blocks(page).iter().filter_map(|block| unseen(name, block, "docs/src/lua.md\"")).collect::<Vec<_>>();
        found.iter().map(|text| text.split(": ").take(2).collect::<Vec<_>>().join(": ")).collect::<Vec<_>>()
    };
    assert_eq!(
        found("lua.md"),
        [
            "docs/src/lua.md:3: no test looks at blocks in `fish` of this page, as far as LOOKED_AT says",
            "docs/src/lua.md:6: the block is ignored",
            "docs/src/lua.md:14: the fence names no language",
        ]
    );
    assert_eq!(found("new.md").len(), 5);
}

#[test]
fn the_tests_that_look_are_there() {
    let pages = pages();
    for (page, language, test) in LOOKED_AT {
        let (_, blocks) = pages.iter().find(|(name, _)| name == page).unwrap_or_else(|| panic!("no {page}"));
        assert!(blocks.iter().any(|block| block.language == language), "{page} has nothing in {language}");
        let text = fs::read_to_string(root().join(test)).unwrap_or_else(|error| panic!("{test}: {error}"));
        assert!(text.contains(page), "{test} does not read {page}");
    }
}

#[test]
fn the_toml_is_right() {
    let blocks = all_in("toml");
    assert!(blocks.len() > 30, "the pages have manifests");
    for (place, block) in blocks {
        let table: Table = block.text.parse().unwrap_or_else(|error| panic!("{place}: {error}"));
        for key in ["dependencies", "dev-dependencies"] {
            let dependencies = table.get(key).and_then(Value::as_table);
            dependencies
                .into_iter()
                .flatten()
                .for_each(|(name, dependency)| check_dependency(&place, name, dependency));
        }
        if table.contains_key("loader") {
            check_manifest(&place, &block.text);
        } else if ["host", "dependency", "python"].iter().any(|key| table.contains_key(*key)) {
            // A part of one. The table of a loader is only for its own bundles.
            let loader = if table.contains_key("python") { "python" } else { "lua" };
            let head = format!("name = 'a'\nversion = '1.0.0'\nloader = '{loader}'\nfile = 'a'\n");
            check_manifest(&place, &(head + &block.text));
        }
    }
}

#[track_caller]
fn check_manifest(place: &str, text: &str) {
    ManifestData::parse(text, "bundle").unwrap_or_else(|error| panic!("{place}: {error}"));
}

/// Checks that a dependency on a crate of the repository names one, and features that it has.
#[track_caller]
fn check_dependency(place: &str, name: &str, dependency: &Value) {
    let Some(path) = dependency.get("path").and_then(Value::as_str) else { return };
    let Some(path) = path.strip_prefix("../../polyplug/") else { return };
    let manifest = root().join(path).join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap_or_else(|error| panic!("{place}: {}: {error}", manifest.display()));
    let manifest: Table = text.parse().unwrap();
    assert_eq!(manifest["package"]["name"].as_str(), Some(name), "{place}");
    let wanted = dependency.get("features").and_then(Value::as_array).into_iter().flatten();
    for feature in wanted.map(|feature| feature.as_str().expect("a text")) {
        let there = manifest.get("features").is_some_and(|features| features.get(feature).is_some());
        assert!(there, "{place}: {name} has no feature `{feature}`");
    }
}

#[test]
fn the_json_is_right() {
    let blocks = all_in("json");
    assert!(!blocks.is_empty());
    for (place, block) in blocks {
        serde_json::from_str::<serde_json::Value>(&block.text).unwrap_or_else(|error| panic!("{place}: {error}"));
    }
}

/// What the commands do is seen where they are carried out: the quickstart, the page `by-hand.md`.
#[cfg(unix)]
#[test]
fn a_shell_can_read_the_commands() {
    let blocks = all_in("sh");
    assert!(blocks.len() > 10, "the pages have commands");
    for (place, block) in blocks {
        let output = std::process::Command::new("bash").args(["-n", "-c", &block.text]).output().expect("a shell");
        assert!(output.status.success(), "{place}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
