//! The program prints what its README says.

use std::process::Command;

#[test]
fn it_prints_what_the_readme_says() {
    let output = Command::new(env!("CARGO_BIN_EXE_hello")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let shown = include_str!("../README.md").split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), shown);
}
