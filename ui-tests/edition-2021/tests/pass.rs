//! The programs of `ui-tests/pass` compile without a warning in edition 2021 too, and run.

#[test]
fn unusual_programs_compile_and_run() {
    let cases = trybuild::TestCases::new();
    cases.pass("../pass/*.rs");
    cases.pass("pass/*.rs");
}
