//! Hot paths take no more instructions than before.
#![cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]

use polyplug_tests::instructions::{Baseline, Counts, GROUPS, Tools, baseline_path, build, counts};

/// The command that counts anew, and keeps the new counts.
const ACCEPT: &str = "INSTRUCTIONS=accept cargo nextest run --workspace --test instructions";

#[test]
fn hot_paths_take_no_more_instructions_than_before() {
    if polyplug_tests::without("valgrind") {
        return;
    }
    if std::env::var_os("POLYPLUG_SANITIZED").is_some() {
        eprintln!("SKIPPED: instructions are not counted, as POLYPLUG_SANITIZED is set");
        return;
    }
    let program = build().unwrap_or_else(|error| panic!("{error}"));
    let mut all = Counts::new();
    for (group, _) in GROUPS {
        all.extend(counts(&program, group).unwrap_or_else(|error| panic!("{error}")));
    }
    let tools = Tools::here().unwrap_or_else(|error| panic!("{error}"));
    let new = Baseline { tools, counts: all };
    let path = baseline_path();
    if std::env::var_os("INSTRUCTIONS").is_some_and(|value| value == "accept") {
        return std::fs::write(&path, new.to_toml()).unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let kept = Baseline::read(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let differences = kept.differences(&new.counts, &new.tools);
    let (failures, others): (Vec<_>, Vec<_>) = differences.iter().partition(|each| each.is_failure());
    for other in others {
        eprintln!("SKIPPED: {other}");
    }
    let failures: Vec<_> = failures.iter().map(ToString::to_string).collect();
    assert!(
        failures.is_empty(),
        "{}\nTo keep the new counts, if there is a reason for them, run: {ACCEPT}\nand commit {}. All counts:\n{}",
        failures.join("\n"),
        path.display(),
        new.to_toml()
    );
}
