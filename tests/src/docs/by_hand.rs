//! The page `by-hand.md`, carried out as written in an empty folder.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::{block, page, root};
use crate::Bundle;

/// A reader who carries out the page.
struct Reader {
    page: String,
    folder: Bundle,
    target: PathBuf,
}

impl Reader {
    fn new() -> Self {
        let test = std::env::current_exe().expect("a test knows its own path");
        // target/debug/deps/test: the reader's target directory lies in target, so that the next run need not compile
        // again.
        let target = test.ancestors().nth(3).expect("the test lies in a target directory").join("by-hand");
        Self { page: page("by-hand.md"), folder: Bundle::empty(), target }
    }

    /// Writes the file whose contents the page shows.
    fn write(&self, file: &str, language: &str) {
        let path = self.folder.path().join(file);
        let text = block(&self.page, &format!("`{file}`:"), language);
        // The page has a checkout beside the folder.
        let text = text.replace("../polyplug", root().to_str().expect("the repository's path is text"));
        fs::create_dir_all(path.parent().expect("a file is in a folder")).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Replaces `old`, which a file has once, by `new`.
    fn change(&self, file: &str, old: &str, new: &str) {
        let path = self.folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(old).count(), 1, "{file} should have this once: {old}");
        fs::write(path, text.replace(old, new)).unwrap();
    }

    /// Returns the code in Rust that the page shows after `mark`.
    fn rust(&self, mark: &str) -> &str {
        block(&self.page, mark, "rust")
    }

    /// Returns the printed lines that the page shows after `mark`.
    fn printed(&self, mark: &str) -> Vec<&str> {
        block(&self.page, mark, "text").lines().collect()
    }

    fn cargo(&self, arguments: &[&str]) -> String {
        self.cargo_with_errors(arguments).0
    }

    /// Returns what cargo prints, and what it writes to standard error.
    fn cargo_with_errors(&self, arguments: &[&str]) -> (String, String) {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(arguments).arg("--offline").current_dir(self.folder.path());
        // The flags of a sanitizer are for the tests, not for the reader's crates.
        cargo.env("CARGO_TARGET_DIR", &self.target).env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        cargo.env("NO_COLOR", "1");
        let output = cargo.output().unwrap();
        assert!(output.status.success(), "{cargo:?}\n{}", String::from_utf8_lossy(&output.stderr));
        let text = |bytes| String::from_utf8(bytes).expect("the host prints text");
        (text(output.stdout), text(output.stderr))
    }

    fn copy_library(&self) {
        let name = format!("{DLL_PREFIX}calculator_basic{DLL_SUFFIX}");
        fs::copy(self.target.join("debug").join(&name), self.folder.path().join("bundles/basic").join(&name)).unwrap();
    }

    /// Runs the host, which must print these lines.
    #[track_caller]
    fn expect(&self, lines: &[&[&str]]) {
        let printed = self.cargo(&["run", "-p", "calculator-host"]);
        assert_eq!(printed.lines().collect::<Vec<_>>(), lines.concat());
    }
}

const MAIN: &str = "host/src/main.rs";
const END_OF_MAIN: &str = "    Ok(())\n";

#[test]
fn it_works_as_written() {
    let reader = Reader::new();
    for file in
        ["Cargo.toml", "contracts/Cargo.toml", "plugin/Cargo.toml", "bundles/basic/manifest.toml", "host/Cargo.toml"]
    {
        reader.write(file, "toml");
    }
    for file in ["contracts/src/lib.rs", "plugin/src/lib.rs", MAIN] {
        reader.write(file, "rust");
    }
    // The versions that the repository is tested with, which need no network.
    fs::copy(root().join("Cargo.lock"), reader.folder.path().join("Cargo.lock")).unwrap();
    reader.cargo(&["build"]);
    reader.copy_library();
    let first = reader.printed("The last lines are the host's");
    reader.expect(&[&first]);

    let before_the_end = |code: &str| reader.change(MAIN, END_OF_MAIN, &format!("{code}{END_OF_MAIN}"));
    before_the_end(reader.rust("### A call that fails"));
    let failed = reader.printed("### A call that fails");
    reader.expect(&[&first, &failed]);

    let contract =
        |mark| reader.rust(mark).split_inclusive("\n}\n").find(|item| item.contains("trait")).expect("a trait");
    let (old, new) = (contract("`contracts/src/lib.rs`:"), contract("### A new method"));
    reader.change("contracts/src/lib.rs", old, new);
    before_the_end(reader.rust("Call it in the host"));
    let too_old = reader.printed("the new method says what is the matter");
    reader.expect(&[&first, &failed, &too_old]);

    let last = "a.checked_div(b).ok_or(MathError::Overflow)\n    }\n";
    reader.change("plugin/src/lib.rs", last, &format!("{last}\n{}", reader.rust("Now implement it")));
    reader.cargo(&["build", "-p", "calculator-basic"]);
    reader.copy_library();
    let power = reader.printed("Now implement it");
    reader.expect(&[&first, &failed, &power]);

    let load = "    runtime.load_bundle(\"bundles/basic\")?;\n";
    let folder = reader.rust("### A folder of bundles");
    reader.change(MAIN, load, folder);
    let printed = reader.cargo(&["run", "-p", "calculator-host"]);
    let report = printed.lines().next().expect("the report is printed first");
    assert!(report.ends_with("bundles: 1 bundle was loaded, `basic`"), "{report}");
    reader.change(MAIN, folder, load);

    reader.change(MAIN, load, reader.rust("### Unloading"));
    let unload = reader.rust("and unload the bundle at the end");
    before_the_end(unload);
    let unloaded = reader.printed("and unload the bundle at the end");
    reader.expect(&[&first, &failed, &power, &unloaded]);

    let first_line = unload.split_inclusive('\n').next().expect("two lines");
    reader.change(MAIN, unload, &format!("    drop(calculator);\n{first_line}"));
    let gone = "bundle `basic` is unloaded and its code is gone";
    reader.expect(&[&first, &failed, &power, &[gone]]);

    let plugin = "plugin/src/lib.rs";
    let text = fs::read_to_string(reader.folder.path().join(plugin)).unwrap();
    let beginning = text.split_inclusive("#[polyplug::plugin]\n").next().expect("a plugin");
    reader.change(plugin, beginning, reader.rust("### What a plugin writes"));
    reader.cargo(&["build", "-p", "calculator-basic"]);
    reader.copy_library();
    let line = reader.printed("This host has no subscriber")[0];
    let (_, errors) = reader.cargo_with_errors(&["run", "-p", "calculator-host"]);
    assert_eq!(errors.lines().filter(|written| *written == line).count(), 1, "{errors}");

    reader.change(
        "host/Cargo.toml",
        "polyplug-native.workspace = true\n",
        "polyplug-native.workspace = true\ntracing-subscriber = \"0.3\"\n",
    );
    let main = "fn main() -> Result<(), Box<dyn std::error::Error>> {\n";
    reader.change(MAIN, main, &format!("{main}{}", reader.rust("With a subscriber")));
    let event = reader.printed("now prints, after the time")[0];
    let (printed, errors) = reader.cargo_with_errors(&["run", "-p", "calculator-host"]);
    assert_eq!(printed.lines().filter(|written| written.ends_with(event)).count(), 1, "{printed}");
    assert!(!errors.contains("[basic]") && !errors.contains("plugin panic"), "{errors}");
}
