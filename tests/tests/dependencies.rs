//! What an author has to compile stays small.

use std::collections::BTreeSet;
use std::process::Command;

/// The crates that `package` compiles besides itself, build scripts and macros included.
fn compiled(package: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--edges", "normal,build", "--prefix", "none", "--package", package])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("cargo writes text");
    let crates = text.lines().map(|line| line.trim_end_matches(" (*)").split(" (").next().unwrap_or(line).to_owned());
    crates.filter(|name| !name.is_empty() && !name.starts_with(&format!("{package} "))).collect()
}

#[test]
fn a_plugin_compiles_at_most_twelve_crates_besides_itself_and_its_contracts() {
    let mut crates = compiled("plugin-calc");
    crates.retain(|name| !name.starts_with("test-contracts "));
    assert!(crates.len() <= 12, "{}: {crates:#?}", crates.len());
}

#[test]
fn a_native_host_compiles_at_most_thirty_five() {
    let mut crates = compiled("polyplug-native");
    crates.insert("polyplug-native".to_owned());
    assert!(crates.len() <= 35, "{}: {crates:#?}", crates.len());
}
