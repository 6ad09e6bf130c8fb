//! What to do about a library that the system refuses, where the system's message does not say it.
//!
//! macOS loads no library that its rules of signatures forbid. The message of `dlopen` names the rule and no remedy. Linux
//! maps no code from a file system that is mounted with `noexec`, as that of temporary files is on some systems.

use std::path::Path;

/// Returns what to do about `message`, which the system gave for the library at `path`.
pub(crate) fn remedy(message: &str, path: &Path) -> Option<String> {
    let has = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
    let path = path.display();
    // Library validation is named beside the fault of an unsigned library as well.
    if has(&["code signature invalid", "has no cdhash", "unsigned library"]) {
        Some(format!(
            "the library has no valid signature, or was changed after it was signed: sign it with `codesign --force \
             --sign - '{path}'`"
        ))
    } else if has(&["different Team IDs", "has no Team ID", "using Library Validation"]) {
        Some(
            "this program has the hardened runtime, and takes only libraries that are signed with its own identity: \
             sign the library with it, or give the program the entitlement \
             com.apple.security.cs.disable-library-validation"
                .to_owned(),
        )
    } else if has(&["disallowed by system policy"]) {
        Some(format!(
            "macOS keeps downloaded code in quarantine until it is notarized or approved: if you trust the library, \
             release it with `xattr -d com.apple.quarantine '{path}'`"
        ))
    } else if has(&["failed to map segment from shared object"]) {
        Some(
            "the system maps no code from there: if the file system is mounted with `noexec`, move the bundle to another \
             one, or let the environment variable TMPDIR name a folder on another one if this is a private copy; or the \
             memory is used up"
                .to_owned(),
        )
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(reason: &str, expected: Option<&str>) {
        let path = Path::new("/plugins/calc/libcalc.dylib");
        let message = format!("dlopen({0}, 0x0002): tried: '{0}' ({reason})", path.display());
        let found = remedy(&message, path);
        match expected {
            Some(expected) => assert!(found.as_ref().is_some_and(|found| found.contains(expected)), "{found:?}"),
            None => assert_eq!(found, None),
        }
    }

    #[test]
    fn each_rule_of_macos_has_a_remedy() {
        let process =
            "code signature in <C444527A-7752-61BB-B9FE-C32A10C71456> 'libcalc.dylib' not valid for use in process";
        check(
            &format!("{process}: library load disallowed by system policy"),
            Some("xattr -d com.apple.quarantine '/plugins/calc/libcalc.dylib'"),
        );
        check(
            &format!("{process}: mapping process and mapped file (non-platform) have different Team IDs"),
            Some("com.apple.security.cs.disable-library-validation"),
        );
        check(
            &format!("{process} using Library Validation: mapped file has no Team ID and is not a platform binary"),
            Some("com.apple.security.cs.disable-library-validation"),
        );
        for unsigned in ["", " using Library Validation"] {
            check(
                &format!(
                    "{process}{unsigned}: mapped file has no cdhash, completely unsigned? Code has to be at least ad-hoc signed."
                ),
                Some("codesign --force --sign - '/plugins/calc/libcalc.dylib'"),
            );
        }
        check("code signature invalid (errno=1) sliceOffset=0x0, codeBlobOffset=0x8040", Some("codesign"));
    }

    #[test]
    fn a_file_system_without_code_has_a_remedy() {
        check("failed to map segment from shared object", Some("TMPDIR"));
        check("failed to map segment from shared object: Operation not permitted", Some("`noexec`"));
    }

    #[test]
    fn other_faults_have_none() {
        check("no such file", None);
        check("Symbol not found: _missing", None);
    }
}
