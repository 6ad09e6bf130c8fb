//! Imports lead down the layers that `docs/src/design.md` lists, and files do not import each other in a circle.
//!
//! The first test is about this repository. The others plant mistakes and look at the findings.

use std::path::Path;

use polyplug_tests::layers::{Finding, PAGE, Repository};

/// Reads this repository.
fn here() -> Repository {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    Repository::read(&root).expect("the repository of the tests can be read")
}

/// Returns the findings, a line each.
fn text(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("{finding}\n")).collect()
}

/// Makes a repository with the crate `demo`, whose table has these rows.
fn demo(rows: &[&str], files: &[(&str, &str)]) -> Repository {
    let rows: String = rows.iter().map(|row| format!("| {row} | words |\n")).collect();
    let page = format!("# Design\n\n## Layers\n\n### `demo/src`\n\n| layer | what it holds |\n|---|---|\n{rows}");
    let sources = files.iter().map(|(path, text)| (format!("demo/src/{path}"), (*text).to_owned())).collect();
    Repository { sources, page, ..Repository::default() }
}

/// Makes a crate with a low folder, a face in front of it, and a high file.
fn two_layers(low: &str, high: &str) -> Repository {
    let files = [
        ("lib.rs", "//! Demo.\nmod high;\nmod low;\npub use low::Part;\n"),
        ("low/mod.rs", "//! Parts.\nmod part;\nmod word;\npub use part::Part;\npub use word::Word;\n"),
        ("low/part.rs", low),
        ("low/word.rs", "//! Word.\npub struct Word;\n"),
        ("high.rs", high),
    ];
    demo(&["`low/`", "`high.rs`"], &files)
}

const PART: &str = "//! Part.\npub struct Part;\n";
const HIGH: &str = "//! High.\nuse crate::Part;\npub struct High(Part);\n";

/// Returns the only finding.
#[track_caller]
fn only(repository: &Repository) -> Finding {
    let findings = repository.check();
    assert_eq!(findings.len(), 1, "{}", text(&findings));
    findings.into_iter().next().expect("one finding")
}

#[track_caller]
fn contains(finding: &Finding, parts: &[&str]) {
    for part in parts {
        assert!(finding.message.contains(part), "no `{part}` in: {finding}");
    }
}

#[test]
fn this_repository_keeps_the_layers_of_its_page() {
    let findings = here().check();
    assert!(findings.is_empty(), "{} lines break a rule of the layers:\n{}", findings.len(), text(&findings));
}

#[test]
fn an_import_upward_in_this_repository_is_named_with_both_layers_and_the_remedy() {
    let mut repository = here();
    let file = "polyplug/src/revision.rs";
    let source = repository.sources.get_mut(file).expect("a file of a low layer");
    let line = source.lines().position(|line| line.starts_with("use ")).expect("an import") + 1;
    let at = source.match_indices("use ").find(|(at, _)| source[..*at].ends_with('\n')).expect("the same import").0;
    source.insert_str(at, "use crate::host::runtime::Runtime;\n");

    let findings = repository.check();
    let upward = findings.iter().find(|finding| finding.file == file && finding.line == line);
    let upward = upward.unwrap_or_else(|| panic!("nothing about {file}:{line} in\n{}", text(&findings)));
    contains(upward, &["imports upward", "`crate::host::runtime::Runtime`", "`host/runtime/`", "`revision.rs`"]);
    contains(upward, &["Move what both need into the lower layer", "change the table in docs/src/design.md"]);
}

#[test]
fn a_file_of_this_repository_in_no_row_is_named() {
    let mut repository = here();
    repository.sources.insert("polyplug/src/adrift.rs".to_owned(), "pub(crate) struct Adrift;\n".to_owned());
    repository.sources.get_mut("polyplug/src/lib.rs").expect("the root").push_str("mod adrift;\n");
    let findings = repository.check();
    let adrift = findings.iter().find(|finding| finding.file == "polyplug/src/adrift.rs").expect("a finding");
    contains(adrift, &["no row of `### polyplug/src`", "add it to the table in docs/src/design.md"]);
}

#[test]
fn what_keeps_the_rules_is_not_mentioned() {
    assert_eq!(text(&two_layers(PART, HIGH).check()), "");
}

#[test]
fn an_import_upward_is_found_wherever_it_stands() {
    for (low, line) in [
        ("//! Part.\nuse crate::high::High;\npub struct Part(High);\n", 2),
        ("//! Part.\npub struct Part(crate::high::High);\n", 2),
        ("//! Part.\npub struct Part;\nfn f() {\n    use super::super::high::{self, High as Other};\n}\n", 4),
        ("//! Part.\nuse crate::high as above;\npub struct Part;\nfn f() {\n    above::run();\n}\n", 5),
        ("//! Part.\npub struct Part;\nfn f() {\n    println!(\"{}\", vec![crate::high::High]);\n}\n", 4),
        ("//! Part.\nuse crate::high::*;\npub struct Part(High);\n", 2),
        ("//! Part.\npub struct Part;\nmod inner {\n    use crate::high::High as _;\n}\n", 4),
        ("//! Part.\npub struct Part;\nfn f(high: &dyn crate::high::Trait) {}\n", 3),
        ("//! Part.\npub struct Part;\nmacro_rules! make {\n    () => {\n        $crate::high::High\n    };\n}\n", 5),
    ] {
        let finding = only(&two_layers(low, "//! High.\npub struct High;\npub trait Trait {}\npub fn run() {}\n"));
        assert_eq!((finding.file.as_str(), finding.line), ("demo/src/low/part.rs", line), "{low}");
        contains(&finding, &["imports upward", "`high.rs`", "`low/`"]);
    }
}

#[test]
fn code_for_tests_and_code_that_is_quoted_may_name_anything() {
    let low = [
        "pub struct Part;",
        "#[cfg(test)] use crate::high::High;",
        "#[cfg(all(test, unix))] mod tests { use crate::high::High; }",
        "#[test] fn f() { crate::high::run(); }",
        "fn g() { quote! { crate::high::High } }",
    ]
    .join("\n");
    assert_eq!(text(&two_layers(&low, HIGH).check()), "");
}

#[test]
fn an_arrow_leads_to_the_definition_whatever_hands_it_on() {
    let files = [
        ("lib.rs", "mod a;\nmod face;\nmod high;\npub use face::*;\n"),
        ("face.rs", "pub use crate::high::Thing;\npub use std::fmt::Debug;\n"),
        ("high.rs", "pub struct Thing;\n"),
        ("a/mod.rs", "use crate::Debug;\nuse crate::Thing;\npub struct A(Thing);\n"),
    ];
    let finding = only(&demo(&["`a/`", "`high.rs`"], &files));
    assert_eq!((finding.file.as_str(), finding.line), ("demo/src/a/mod.rs", 2));
    contains(&finding, &["`crate::Thing` is defined in demo/src/high.rs"]);
}

#[test]
fn what_a_macro_makes_counts_for_the_module_it_is_looked_for_in() {
    let files = [
        ("lib.rs", "mod a;\nmod high;\n"),
        ("high.rs", "make! { Thing }\n"),
        ("a.rs", "use crate::high::Thing;\npub struct A(Thing);\n"),
    ];
    contains(&only(&demo(&["`a.rs`", "`high.rs`"], &files)), &["defined in demo/src/high.rs"]);
}

#[test]
fn folders_of_one_layer_do_not_import_each_other() {
    let files = [
        ("lib.rs", "mod a;\nmod b;\n"),
        ("a/mod.rs", "pub struct A;\n"),
        ("b/mod.rs", "use crate::a::A;\npub struct B(A);\n"),
    ];
    let finding = only(&demo(&["`a/`, `b/`"], &files));
    assert_eq!((finding.file.as_str(), finding.line), ("demo/src/b/mod.rs", 1));
    contains(&finding, &["imports sideways", "demo/src/a/mod.rs", "`a/`, `b/`", "rows of their own"]);
}

/// Makes files of one layer, of which each imports the next, and the last the first.
fn circle(names: &[&str], allowed: &str) -> Repository {
    let next = names.iter().cycle().skip(1);
    let mut files: Vec<(String, String)> = names
        .iter()
        .zip(next)
        .map(|(name, next)| {
            (format!("{name}.rs"), format!("use crate::{next}::Item as Next;\npub struct Item(Next);\n"))
        })
        .collect();
    files.push(("lib.rs".to_owned(), names.iter().map(|name| format!("mod {name};\n")).collect()));
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let row = names.iter().map(|name| format!("`{name}.rs`")).collect::<Vec<_>>().join(", ");
    let mut repository = demo(&[&row], &files);
    repository.page.push_str(allowed);
    repository
}

const A_AND_B: &str =
    "\n### Allowed circles\n\n| files | why |\n|---|---|\n| `demo/src/a.rs`, `demo/src/b.rs` | words |\n";

#[test]
fn a_circle_of_files_in_one_layer_is_named_with_its_imports() {
    let finding = only(&circle(&["a", "b"], ""));
    assert_eq!((finding.file.as_str(), finding.line), ("demo/src/a.rs", 1));
    contains(&finding, &["a circle of 2 files", "demo/src/a.rs:1 imports `crate::b::Item`", "demo/src/b.rs:1 imports"]);
    contains(&finding, &["Cut one of the imports", "`### Allowed circles`"]);
}

#[test]
fn a_circle_of_two_files_can_be_allowed() {
    assert_eq!(text(&circle(&["a", "b"], A_AND_B).check()), "");
}

#[test]
fn an_allowed_circle_may_cross_layers_and_nothing_else_may() {
    let mut repository = circle(&["a", "b"], A_AND_B);
    repository.page = repository.page.replace("| `a.rs`, `b.rs` |", "| `a.rs` | words |\n| `b.rs`, `c.rs` |");
    repository.sources.insert("demo/src/c.rs".to_owned(), "pub struct C;\n".to_owned());
    repository.sources.get_mut("demo/src/lib.rs").expect("the root").push_str("mod c;\n");
    assert_eq!(text(&repository.check()), "");
    repository.sources.get_mut("demo/src/a.rs").expect("a file").push_str("use crate::c::C;\n");
    contains(&only(&repository), &["imports upward: `crate::c::C`"]);
}

#[test]
fn a_longer_circle_cannot_be_allowed() {
    let three = A_AND_B.replace("`demo/src/b.rs`", "`demo/src/b.rs`, `demo/src/c.rs`");
    let findings = circle(&["a", "b", "c"], &three).check();
    assert_eq!(findings.len(), 2, "{}", text(&findings));
    contains(&findings[0], &["a circle of 3 files", "a circle of more than 2 files is never allowed"]);
    contains(&findings[1], &["an allowed circle has 2 files, this one has 3"]);
    assert_eq!((findings[1].file.as_str(), findings[1].line), (PAGE, 15));
}

#[test]
fn an_allowed_circle_that_is_gone_or_larger_is_an_error() {
    let mut gone = circle(&["a", "b"], A_AND_B);
    gone.sources.insert("demo/src/a.rs".to_owned(), "pub struct Item;\n".to_owned());
    contains(&only(&gone), &["the allowed circle of `demo/src/a.rs`, `demo/src/b.rs`", "remove the row"]);
    let findings = circle(&["a", "b", "c"], A_AND_B).check();
    contains(&findings[0], &["a circle of 3 files"]);
    contains(&findings[1], &["not one of exactly these files"]);
}

#[test]
fn every_file_has_a_row_and_every_row_a_file() {
    let mut repository = two_layers(PART, HIGH);
    repository.page = repository.page.replace("`high.rs`", "`higher.rs`");
    let findings = repository.check();
    assert_eq!(findings.len(), 2, "{}", text(&findings));
    assert_eq!(findings[0].file, "demo/src/high.rs");
    contains(&findings[0], &["no row of `### demo/src`", "add it to the table in docs/src/design.md"]);
    assert_eq!((findings[1].file.as_str(), findings[1].line), (PAGE, 10));
    contains(&findings[1], &["stale row", "`higher.rs`", "remove the entry"]);
}

#[test]
fn the_longest_entry_decides() {
    let mut repository = two_layers("use crate::low::word::Word;\npub struct Part(Word);\n", HIGH);
    repository.page = repository.page.replace("| `high.rs`", "| `low/word.rs`, `high.rs`");
    contains(&only(&repository), &["imports upward", "demo/src/low/word.rs", "`low/word.rs`, `high.rs`"]);
}

#[test]
fn a_file_that_no_module_leads_to_is_named() {
    let mut repository = two_layers(PART, HIGH);
    repository.sources.insert("demo/src/low/lost.rs".to_owned(), String::new());
    contains(&only(&repository), &["no `mod` leads to this file"]);
}

#[test]
fn an_import_through_the_own_face_is_named() {
    let low = "//! Part.\nuse super::{word, Word};\npub struct Part(Word);\n";
    let finding = only(&two_layers(low, HIGH));
    assert_eq!((finding.file.as_str(), finding.line), ("demo/src/low/part.rs", 2));
    contains(
        &finding,
        &["the face of its own folder", "demo/src/low/mod.rs", "demo/src/low/word.rs", "Import it from there"],
    );
}

#[test]
fn modules_are_found_by_path_and_under_a_condition() {
    let files = [
        ("lib.rs", "#[cfg(unix)]\n#[path = \"unix.rs\"]\nmod system;\n#[cfg(windows)]\nmod system;\nmod a;\n"),
        ("unix.rs", "pub struct System;\n"),
        ("system.rs", "pub struct System;\n"),
        ("a.rs", "use crate::system::System;\npub struct A(System);\n"),
    ];
    let findings = demo(&["`a.rs`", "`unix.rs`, `system.rs`"], &files).check();
    assert_eq!(findings.len(), 2, "{}", text(&findings));
    contains(&findings[0], &["demo/src/system.rs"]);
    contains(&findings[1], &["demo/src/unix.rs"]);
}

/// Makes a repository of the crates `one` and `two`, in this order, and these dependencies.
fn crates(one: &str, two: &str) -> Repository {
    let page = "## Layers\n### Crates\n| crates | what they are |\n|---|---|\n| `one/`, `other/` | |\n| `two/` | |\n\
                ### one/src\n### other/src\n";
    let manifest =
        |name: &str, rest: &str| (format!("{name}/Cargo.toml"), format!("[package]\nname = \"{name}\"\n{rest}"));
    let manifests = [manifest("one", one), manifest("two", two), manifest("other", "")].into();
    Repository { manifests, page: page.to_owned(), ..Repository::default() }
}

#[test]
fn crates_depend_downward_only() {
    assert_eq!(
        text(&crates("[dev-dependencies]\ntwo = \"1\"\n", "[dependencies]\none.workspace = true\n").check()),
        ""
    );
    let finding = only(&crates("[dependencies]\nmine = { package = \"two\", version = \"1\" }\n", ""));
    assert_eq!((finding.file.as_str(), finding.line), ("one/Cargo.toml", 4));
    contains(&finding, &["depends upward: two is in `two/`", "above one in `one/`, `other/`", "Remove the dependency"]);
    let finding = only(&crates("[target.'cfg(unix)'.dependencies]\nother = \"1\"\n", ""));
    contains(&finding, &["depends sideways: other and one"]);
}

#[test]
fn a_crate_has_a_row_and_a_table() {
    let mut repository = crates("", "");
    repository.page = repository.page.replace(", `other/`", "").replace("### one/src\n", "");
    let findings = repository.check();
    assert_eq!(findings.len(), 2, "{}", text(&findings));
    contains(&findings[0], &["add a section `### one/src`"]);
    contains(&findings[1], &["no row of `### Crates` in docs/src/design.md has the crate other"]);
}

#[test]
fn figures_count_files_arrows_and_circles() {
    let mut repository = circle(&["a", "b", "c"], "");
    repository.sources.insert("demo/src/d.rs".to_owned(), "use crate::a::Item;\npub struct D(Item);\n".to_owned());
    repository.sources.get_mut("demo/src/lib.rs").expect("the root").push_str("mod d;\n");
    let figures = &repository.figures()[0];
    assert_eq!((figures.files, figures.arrows, figures.in_circles, figures.circles), (4, 4, 3, 1));
    assert_eq!(figures.largest, ["demo/src/a.rs", "demo/src/b.rs", "demo/src/c.rs"]);
}
