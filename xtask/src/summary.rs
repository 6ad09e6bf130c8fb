//! The lines of a test runner's output that are its summary. Nothing is printed here.

use std::borrow::Cow;

/// The beginning of the line by which a script says that it could not run.
pub(crate) const SKIPPED: &str = "SKIPPED ";

/// Returns whether this is the summary line of `cargo nextest run`: `     Summary [   0.006s] 2 tests run: 2 passed, 0
/// skipped`.
pub(crate) fn of_nextest(line: &str) -> bool {
    plain(line).trim_start().starts_with("Summary [")
}

/// Returns whether this is the summary line of a test harness: `test result: ok. 2 passed; 0 failed; ..`.
///
/// Only at the start of a line: an indented one is output of a failed test that nextest quotes.
pub(crate) fn of_libtest(line: &str) -> bool {
    plain(line).starts_with("test result: ")
}

/// Returns whether the line belongs to the summary of a script, which may use either runner, or say that it could not
/// run.
pub(crate) fn of_script(line: &str) -> bool {
    of_nextest(line) || of_libtest(line) || plain(line).starts_with(SKIPPED)
}

/// Returns `line` without terminal colours.
fn plain(line: &str) -> Cow<'_, str> {
    if !line.contains('\x1b') {
        return line.into();
    }
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find("\x1b[") {
        plain.push_str(&rest[..start]);
        let sequence = &rest[start + 2..];
        // A sequence ends with its first letter; the rest of the line belongs to one that never ends.
        rest = sequence.find(|c: char| c.is_ascii_alphabetic()).map_or("", |end| &sequence[end + 1..]);
    }
    plain.push_str(rest);
    plain.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nextest_summaries_are_found() {
        assert!(of_nextest("     Summary [   0.006s] 2 tests run: 2 passed, 0 skipped"));
        assert!(of_nextest("\x1b[32;1m     Summary\x1b[0m [   0.006s] \x1b[1m2\x1b[0m tests run: 2 passed"));
        assert!(!of_nextest("        PASS [   0.005s] (1/2) host t"));
        assert!(!of_nextest("test result: ok. 1 passed; 0 failed"));
        assert!(!of_nextest(""));
    }

    #[test]
    fn harness_summaries_are_found() {
        assert!(of_libtest("test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out"));
        assert!(of_libtest("test result: \x1b[31mFAILED\x1b[m. 0 passed; 1 failed"));
        assert!(!of_libtest("test summary ... ok"));
        assert!(!of_libtest("running 1 test"));
    }

    #[test]
    fn what_a_failed_test_printed_is_no_summary() {
        assert!(!of_libtest("    test result: FAILED. 0 passed; 1 failed"));
    }

    #[test]
    fn scripts_may_say_that_they_could_not_run() {
        assert!(of_script("SKIPPED miri: the component `miri` is missing"));
        assert!(of_script("     Summary [   0.006s] 2 tests run: 2 passed, 0 skipped"));
        assert!(!of_script("nothing was SKIPPED here"));
    }

    #[test]
    fn colours_are_taken_out() {
        assert_eq!(plain("plain"), "plain");
        assert_eq!(plain("\x1b[32;1mgreen\x1b[0m and \x1b[1mbold\x1b[m"), "green and bold");
        assert_eq!(plain("cut \x1b[3"), "cut ");
    }
}
