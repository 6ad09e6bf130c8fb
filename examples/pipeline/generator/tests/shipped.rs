//! The log that comes with the example is the one that the generator makes.

use std::path::Path;
use std::process::Command;

fn generated(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_pipeline-generator")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn the_shipped_log_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/access.log");
    let shipped = std::fs::read(&path).unwrap();
    // No `assert_eq`: two logs are no message.
    assert!(
        shipped == generated(&[]),
        "`{}` is not what the generator makes now. If that is meant: cargo run -p pipeline-generator -- --out {0}",
        path.display()
    );
}

#[test]
fn the_seed_and_the_number_of_lines_decide() {
    let lines = |log: &[u8]| log.iter().filter(|byte| **byte == b'\n').count();
    let first = generated(&["--lines", "500", "--seed", "7"]);
    assert_eq!(lines(&first), 500);
    assert!(first == generated(&["--lines", "500", "--seed", "7"]));
    assert!(first != generated(&["--lines", "500", "--seed", "8"]));
    assert!(generated(&["--lines", "600", "--seed", "7"]).starts_with(&first));
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_pipeline-generator"))
        .args(["--lines", "1", "--out", "/nowhere/at/all.log"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nowhere/at/all.log"));
}
