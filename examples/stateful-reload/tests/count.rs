//! The program prints what its README says, but for the numbers.

use std::process::Command;

/// Returns the numbers in `text`, and the text without their digits.
fn numbers(text: &str) -> (Vec<u64>, String) {
    let words = text.split(|c: char| !c.is_ascii_digit()).filter(|word| !word.is_empty());
    (words.map(|word| word.parse().unwrap()).collect(), text.replace(|c: char| c.is_ascii_digit(), ""))
}

#[test]
fn the_count_goes_on_in_the_new_version() {
    let output = Command::new(env!("CARGO_BIN_EXE_stateful-reload")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let (printed, text) = numbers(std::str::from_utf8(&output.stdout).unwrap());
    let readme = include_str!("../README.md").split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(text, numbers(readme).1);
    let [first, migrated, last, tickets] = printed[..] else { panic!("{printed:?}") };
    assert_eq!((first, migrated, last), (1, 1, tickets));
    assert!(tickets >= 802, "{tickets}"); // 100 of each caller before the reload and 100 after it, and two of the host
}
