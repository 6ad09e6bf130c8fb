//! Tools that not every machine has.

/// Returns whether the tests are to do without a `tool` that not every machine has. The environment variable
/// `POLYPLUG_TESTS_WITHOUT` lists such tools, with commas. A tool that is missing and not listed makes its tests fail.
pub(crate) fn without(tool: &str) -> bool {
    let without = std::env::var("POLYPLUG_TESTS_WITHOUT").unwrap_or_default();
    let without = without.split(',').any(|each| each.trim() == tool);
    if without {
        eprintln!("SKIPPED: POLYPLUG_TESTS_WITHOUT names {tool}");
    }
    without
}
