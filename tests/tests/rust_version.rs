//! Each crate builds with the Rust that it asks for, as far as the crates say that it depends on. What the compiler itself has
//! to offer is clippy's matter: `incompatible_msrv`.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The one crate that asks for a newer Rust than the others. With the features `dotnet` of those that depend on it they ask
/// for that as well.
const NEWER: &str = "polyplug-dotnet";

/// Everything that cargo knows about the workspace.
struct Metadata {
    packages: HashMap<String, Value>,
    dependencies: HashMap<String, Vec<String>>,
    members: Vec<String>,
}

impl Metadata {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["metadata", "--format-version", "1", "--locked"]).current_dir(root);
        let output = cargo.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self::of(&serde_json::from_slice(&output.stdout).unwrap())
    }

    fn of(json: &Value) -> Self {
        let list = |value: &Value| value.as_array().expect("a list").clone();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let is_built = |dependency: &Value| list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"] != "dev");
        let nodes = list(&json["resolve"]["nodes"]);
        let dependencies = nodes.iter().map(|node| {
            let built = list(&node["deps"]).into_iter().filter(is_built);
            (text(&node["id"]), built.map(|dependency| text(&dependency["pkg"])).collect())
        });
        Self {
            packages: list(&json["packages"]).into_iter().map(|package| (text(&package["id"]), package)).collect(),
            dependencies: dependencies.collect(),
            members: list(&json["workspace_members"]).iter().map(text).collect(),
        }
    }

    fn name(&self, id: &str) -> &str {
        self.packages[id]["name"].as_str().expect("a package has a name")
    }

    /// Returns the Rust that a package asks for.
    fn rust(&self, id: &str) -> Option<Vec<u32>> {
        let version = self.packages[id]["rust_version"].as_str()?;
        let mut numbers: Vec<_> = version.split('.').map(|number| number.parse().expect("a number")).collect();
        numbers.resize(3, 0);
        Some(numbers)
    }

    /// Returns what is wrong with the Rust that a member asks for.
    fn problems(&self, member: &str) -> Vec<String> {
        let name = self.name(member);
        let Some(own) = self.rust(member) else { return vec![format!("{name}: `rust-version` is missing")] };
        let (mut seen, mut open, mut problems) = (HashSet::new(), vec![member], Vec::new());
        while let Some(id) = open.pop() {
            if !seen.insert(id) || (id != member && self.name(id) == NEWER) {
                continue;
            }
            open.extend(self.dependencies[id].iter().map(String::as_str));
            if let Some(needed) = self.rust(id).filter(|needed| *needed > own) {
                problems.push(format!("{name} asks for Rust {own:?}, and {id} for {needed:?}"));
            }
        }
        problems
    }
}

#[test]
fn no_dependency_asks_for_a_newer_rust() {
    let metadata = Metadata::read();
    assert!(metadata.members.len() > 20 && metadata.packages.len() > 100);
    let problems: Vec<_> = metadata.members.iter().flat_map(|member| metadata.problems(member)).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn the_book_and_the_readme_name_the_versions() {
    let metadata = Metadata::read();
    let short = |name: &str| {
        let member = metadata.members.iter().find(|member| metadata.name(member) == name).unwrap();
        let [major, minor, _] = metadata.rust(member).unwrap()[..] else { panic!("three numbers") };
        format!("{major}.{minor}")
    };
    let (least, newer) = (short("polyplug"), short(NEWER));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for (file, words) in [
        ("docs/src/by-hand.md", format!("You need Rust {least} or newer")),
        ("docs/src/by-hand.md", format!("Rust {newer} is needed by")),
        ("docs/src/quickstart.md", format!("You need Rust {newer} or newer")),
        ("docs/src/dotnet.md", format!("with Rust {newer} or newer")),
        ("README.md", format!("need Rust {newer} or newer")),
        ("CONTRIBUTING.md", format!("You need Rust {newer} or newer")),
    ] {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        assert!(text.contains(&words), "{file} should say: {words}");
    }
}

#[test]
fn a_newer_dependency_is_found_however_deep_and_a_development_one_is_not() {
    let package = |id: &str, rust: Option<&str>| serde_json::json!({ "id": id, "name": id, "rust_version": rust });
    let node = |id: &str, dependencies: &[(&str, Option<&str>)]| {
        let dependency =
            |(id, kind): &(&str, Option<&str>)| serde_json::json!({ "pkg": id, "dep_kinds": [{ "kind": kind }] });
        serde_json::json!({ "id": id, "deps": dependencies.iter().map(dependency).collect::<Vec<_>>() })
    };
    let metadata = Metadata::of(&serde_json::json!({
        "packages": [
            package("ours", Some("1.89")), package("bare", None), package("middle", None), package("deep", Some("1.90.1")),
            package("equal", Some("1.89.0")), package("tool", Some("1.99")), package(NEWER, Some("1.95")),
        ],
        "resolve": { "nodes": [
            node("ours", &[("middle", None), ("equal", None), ("tool", Some("dev")), (NEWER, None)]),
            node("middle", &[("deep", Some("build"))]),
            node("bare", &[]), node("deep", &[("middle", None)]), node("equal", &[]), node("tool", &[]),
            node(NEWER, &[("deep", None)]),
        ] },
        "workspace_members": ["ours", "bare", NEWER],
    }));
    assert_eq!(metadata.problems("ours"), ["ours asks for Rust [1, 89, 0], and deep for [1, 90, 1]"]);
    assert_eq!(metadata.problems("bare"), ["bare: `rust-version` is missing"]);
    assert!(metadata.problems(NEWER).is_empty());
}
