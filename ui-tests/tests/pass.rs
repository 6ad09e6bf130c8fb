//! What is unusual but right compiles without a warning, and runs.

#[test]
fn unusual_programs_compile_and_run() {
    trybuild::TestCases::new().pass("pass/*.rs");
}
