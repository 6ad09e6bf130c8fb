//! Mistakes are refused, with a message that says what to write instead.
//!
//! What a compiler prints depends on its version, so these run with one only: see `build.rs`.

/// Compiles the files, which must fail as recorded.
fn refused(files: &str) {
    if let Some(reason) = option_env!("OTHER_COMPILER") {
        panic!("{reason}: use that one, or record them again and change `COMPILER` in build.rs");
    }
    trybuild::TestCases::new().compile_fail(files);
}

#[test]
#[cfg_attr(other_compiler, ignore = "recorded with another compiler")]
fn mistakes_in_contracts_are_refused() {
    refused("ui/contract/*.rs");
}

#[test]
#[cfg_attr(other_compiler, ignore = "recorded with another compiler")]
fn mistakes_in_plugins_are_refused() {
    refused("ui/plugin/*.rs");
}

#[test]
#[cfg_attr(other_compiler, ignore = "recorded with another compiler")]
fn mistakes_in_types_are_refused() {
    refused("ui/type/*.rs");
}
