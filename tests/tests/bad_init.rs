//! A library that is no plugin, speaks another ABI, or does not start, is refused with what it says, and unmapped.

use polyplug::error::{LoaderError, RuntimeError};
use polyplug_tests::{BAD, Bundle, refused};

/// Why a library made of `init.c` with these defines does not start.
#[track_caller]
fn init_failure(defines: &[&str]) -> String {
    failure(&Bundle::c(BAD, "init.c", defines))
}

#[track_caller]
fn failure(bundle: &Bundle) -> String {
    let error = refused(bundle);
    let text = error.to_string();
    let RuntimeError::Loader(LoaderError::InitFailed { bundle: name, error, .. }) = error else {
        panic!("a failed start, not {error:?}")
    };
    assert_eq!(name, BAD);
    assert_eq!(text, format!("bundle `bad`: could not be started: {error}"));
    error
}

#[track_caller]
fn lacks(define: &str, symbol: &str) {
    let error = refused(&Bundle::c(BAD, "init.c", &[define]));
    let RuntimeError::Loader(LoaderError::ArtifactInvalid { bundle, reason, .. }) = &error else {
        panic!("an invalid artifact, not {error:?}")
    };
    assert_eq!(bundle, BAD);
    assert!(reason.contains(&format!("does not export `{symbol}`")), "{reason}");
    assert!(reason.contains("#[polyplug::plugin]"), "the remedy: {reason}");
}

#[test]
fn a_library_without_polyplug_init_is_refused() {
    lacks("NO_INIT", "polyplug_init");
}

#[test]
fn a_library_without_polyplug_abi_version_is_refused() {
    lacks("NO_VERSION", "polyplug_abi_version");
}

#[test]
fn another_major_version_of_the_abi_is_refused() {
    for (packed, shown) in
        [("(2u<<16)", "2.0"), ("((7u<<16)|3u)", "7.3"), ("0u", "0.0"), ("0xffffffffu", "65535.65535")]
    {
        let error = refused(&Bundle::c(BAD, "init.c", &[&format!("ABI_VERSION={packed}")]));
        assert!(
            matches!(&error, RuntimeError::Loader(LoaderError::AbiVersion { bundle, .. }) if bundle == BAD),
            "{error:?}"
        );
        let text = error.to_string();
        for part in [&format!("version {shown} of polyplug's ABI"), "this host 1.", "same major version"] {
            assert!(text.contains(part), "{part} is in: {text}");
        }
    }
}

/// Seen by how far it comes: a library of another major version is not started at all.
#[test]
fn another_minor_version_of_the_abi_is_accepted() {
    let error = refused(&Bundle::c(BAD, "init.c", &["ABI_VERSION=((1u<<16)|9u)"]));
    assert!(matches!(error, RuntimeError::Loader(LoaderError::NothingRegistered { .. })), "{error:?}");
}

#[test]
fn the_text_of_a_start_that_fails_is_reported() {
    assert_eq!(
        init_failure(&["INIT_CODE=300", "INIT_TEXT=TEXT(\"no licence for \\xc3\\xa4pfel\")"]),
        "no licence for äpfel"
    );
}

#[test]
fn the_code_of_a_start_that_fails_without_a_text_is_reported() {
    assert_eq!(init_failure(&["INIT_CODE=300"]), "polyplug_init failed with code 300 (failed)");
    assert_eq!(init_failure(&["INIT_CODE=4"]), "polyplug_init failed with code 4 (not found)");
}

#[test]
fn the_readable_part_of_the_text_of_a_start_that_fails_is_reported() {
    assert_eq!(init_failure(&["INIT_CODE=1", "INIT_TEXT=TEXT(\"caf\\xc3\")"]), "caf\u{fffd}");
    let null = "INIT_TEXT=((StringView){NULL,7})";
    assert_eq!(init_failure(&["INIT_CODE=1", null]), "polyplug_init failed with code 1 (failed)");
    let endless = "INIT_TEXT=((StringView){(const uint8_t*)1,SIZE_MAX})";
    assert_eq!(init_failure(&["INIT_CODE=1", endless]), "polyplug_init failed with code 1 (failed)");
}

#[test]
fn a_panic_that_a_start_reports_is_reported_as_one() {
    assert_eq!(
        init_failure(&["INIT_CODE=CODE_PANIC", "INIT_TEXT=TEXT(\"index out of bounds\")"]),
        "polyplug_init panicked: index out of bounds"
    );
    assert_eq!(init_failure(&["INIT_CODE=CODE_PANIC"]), "polyplug_init failed with code 3 (panicked)");
}

#[test]
fn message_and_place_of_a_start_that_panics_are_reported() {
    let source = include_str!("../plugins/init-panics/src/lib.rs");
    let line = 1 + source.lines().position(|line| line.ends_with("// mark: init")).unwrap();
    let text = failure(&Bundle::native(BAD, "plugin-init-panics"));
    let place = format!("tests/plugins/init-panics/src/lib.rs:{line}:");
    assert!(text.starts_with("polyplug_init panicked: the start is no good"), "{text}");
    assert!(text.contains(&place), "{place} is in: {text}");
}

#[test]
fn a_start_that_registers_nothing_is_refused() {
    let error = refused(&Bundle::c(BAD, "init.c", &[]));
    assert!(
        matches!(&error, RuntimeError::Loader(LoaderError::NothingRegistered { bundle, .. }) if bundle == BAD),
        "{error:?}"
    );
    assert!(error.to_string().contains("#[polyplug::plugin]"), "{error}");
}
