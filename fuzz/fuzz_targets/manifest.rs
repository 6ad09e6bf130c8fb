//! The text of a manifest, from anybody: it is a manifest whose paths stay in the bundle, or an error that names the file.

#![no_main]

use std::path::{Component, Path};

use libfuzzer_sys::fuzz_target;
use polyplug::BundleId;
use polyplug::loader::ManifestData;

// This target does not use all of the module's functions.
#[allow(dead_code)]
#[path = "../../tests/src/generate.rs"]
mod generate;

use generate::Source;

fuzz_target!(|bytes: &[u8]| {
    read(&String::from_utf8_lossy(bytes));
    // Most texts are no TOML, so one is put together of known and unknown parts as well.
    read(&text(&mut Source::new(bytes)));
});

fn read(text: &str) {
    let manifest = match ManifestData::parse(text, "plugins/bundle") {
        Ok(manifest) => manifest,
        Err(error) => return assert!(error.to_string().contains("manifest.toml"), "{error}"),
    };
    assert!((1..=128).contains(&manifest.name.len()) && manifest.name.is_ascii(), "{:?}", manifest.name);
    assert_eq!(manifest.id, BundleId::new(&manifest.name));
    assert!(!manifest.loader.is_empty());
    let stays = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    assert!(Path::new(&manifest.file).components().all(stays), "{:?} leads out", manifest.file);
    assert!(manifest.artifact().starts_with("plugins/bundle"));
    let lines = text.split('\n').count();
    let needs = manifest.dependencies.iter().map(|need| (&need.contract, need.line));
    for (contract, line) in needs.chain(manifest.host_contracts.iter().map(|need| (&need.contract, need.line))) {
        assert!(!contract.is_empty() && (1..=lines).contains(&line), "{contract:?} in line {line} of {lines}");
    }
}

const KEYS: [&str; 14] = [
    "name",
    "version",
    "loader",
    "file",
    "id",
    "workers",
    "description",
    "authors",
    "license",
    "config",
    "dependency",
    "host",
    "lua",
    "nmae",
];

const VALUES: [&str; 24] = [
    "\"calc\"",
    "\"1.0.0\"",
    "\"lua\"",
    "\"native\"",
    "\"main.lua\"",
    "\"../main.lua\"",
    "\"/etc/passwd\"",
    "\"a/./b/../../../c\"",
    "'C:\\a'",
    "\"\"",
    "\"con\"",
    "\"\\u0000\"",
    "\"1.2.3-alpha+x\"",
    "\"999999999999999999999.0.0\"",
    "1",
    "-9223372036854775808",
    "\"per-core\"",
    "\"0xffffffffffffffff\"",
    "[\"a\", 1]",
    "{ \"linux.x86_64\" = \"a\", linux = { aarch64 = \"b\" } }",
    "{ linux = { x86_64 = \"../a\" } }",
    "1979-05-27T07:32:00Z",
    "nan",
    "{ a = { b = [{ c = { d = [] } }] } }",
];

const TABLES: [&str; 10] = [
    "[[dependency]]\ncontract = \"demo.calculator@1\"\n",
    "[[dependency]]\ncontract = \"demo.calculator@1.7\"\n",
    "[[dependency]]\ncontract = \"@1\"\n",
    "[[dependency]]\ncontract = \"a@4294967296\"\n",
    "[[host]]\ncontract = \"demo.logger@1\"\noptional = true\n",
    "[[host]]\ncontract = \"\u{202e}demo@1.\"\n",
    "[config]\na = 1\n",
    "[config.a.b]\nc = 1\n",
    "[lua]\nmemory_limit = 1\n",
    "[native]\n",
];

/// Makes the text of a manifest that may lack something, have something twice, or be quite right.
fn text(source: &mut Source<'_>) -> String {
    let mut text = String::new();
    for (key, usual) in [("name", 0), ("version", 1), ("loader", 2), ("file", 4)] {
        let value = if source.below(4) == 3 { source.below(VALUES.len()) } else { usual };
        if source.below(8) != 7 {
            text += &format!("{key} = {}\n", VALUES[value]);
        }
    }
    for _ in 0..source.below(3) {
        text += &format!("{} = {}\n", KEYS[source.below(KEYS.len())], VALUES[source.below(VALUES.len())]);
    }
    for _ in 0..source.below(6) {
        text += TABLES[source.below(TABLES.len())];
    }
    text
}
