//! The names of a pack's entries: the paths of files that are the same on every system.

use super::limits::DEPTH_LIMIT;
use super::names::is_device;

/// The most bytes that a name may have.
const LENGTH: usize = 1024;

/// The letters that no file of Windows has in its name. `/` stands between folders.
const FORBIDDEN: &[char] = &['<', '>', ':', '"', '|', '?', '*'];

/// Checks the name of an entry: a relative path with `/` between its parts, which leads out of no folder and which every
/// system takes for the same file. Returns what is wrong with the name, and the remedy.
pub(crate) fn check(name: &str) -> Result<(), String> {
    let again = "make the pack with `polyplug pack`";
    if name.len() > LENGTH {
        return Err(format!("has a name of {} bytes (at most {LENGTH}): give it a shorter one", name.len()));
    }
    if name.contains('\\') {
        return Err(format!("has a `\\`, which only Windows takes for the end of a folder: {again}"));
    }
    if name.starts_with('/') || has_drive(name) {
        return Err(format!("is an absolute path, which leads out of the bundle: {again}"));
    }
    let parts: Vec<_> = name.split('/').collect();
    if parts.len() > DEPTH_LIMIT + 1 {
        return Err(format!("is nested too deeply, in more than {DEPTH_LIMIT} folders: put it further up"));
    }
    parts.into_iter().try_for_each(|part| check_part(part, again))
}

/// Checks the name of one folder or file on the way.
fn check_part(part: &str, again: &str) -> Result<(), String> {
    let rename = "give it another name";
    match part {
        "" | "." => return Err(format!("has an empty part: {again}")),
        ".." => return Err(format!("has a `..`, which leads out of its folder: {again}")),
        _ => {}
    }
    if let Some(bad) = part.chars().find(|c| c.is_control() || FORBIDDEN.contains(c)) {
        return Err(format!("has {bad:?}, which no name has on Windows: {rename}"));
    }
    if part.ends_with(['.', ' ']) {
        return Err(format!("has a part that ends with a dot or a space, which Windows drops: {rename}"));
    }
    if is_device(part) {
        return Err(format!("has {part:?}, which is a device on Windows: {rename}"));
    }
    Ok(())
}

fn has_drive(name: &str) -> bool {
    matches!(name.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_taken() {
        for name in ["manifest.toml", "lib/inner/a.lua", ".env", "a b/\u{e4}.txt", "demo.greeter@1.schema", "..a/b..c"]
        {
            assert_eq!(check(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        let (long, deep) = ("a".repeat(1025), format!("{}x", "a/".repeat(33)));
        for (name, reason) in [
            ("../evil", "has a `..`"),
            ("a/../../evil", "has a `..`"),
            ("/etc/passwd", "is an absolute path"),
            ("C:/evil", "is an absolute path"),
            ("c:evil", "is an absolute path"),
            ("a\\..\\evil", "has a `\\`"),
            ("\\\\server\\share", "has a `\\`"),
            ("a//b", "has an empty part"),
            ("./a", "has an empty part"),
            ("", "has an empty part"),
            ("a\0b", "has '\\0'"),
            ("a\nb", "has '\\n'"),
            ("file:stream", "has ':'"),
            ("nul", "has \"nul\""),
            ("lib/COM1.lua", "has \"COM1.lua\""),
            ("lib./a", "has a part that ends with a dot"),
            ("a ", "has a part that ends with a dot"),
            (&*long, "has a name of 1025 bytes"),
            (&*deep, "is nested too deeply"),
        ] {
            let error = check(name).unwrap_err();
            assert!(error.starts_with(reason) && error.contains(": "), "{name:?}: {error}");
        }
    }
}
