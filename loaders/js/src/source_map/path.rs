//! Paths of files of a bundle, and of the sources that maps name.

/// Returns the path of a folder that contains a file; the file's path has `/` between its parts.
pub(super) fn folder(file: &str) -> &str {
    file.rfind('/').map_or("", |end| &file[..end])
}

/// Returns the path without `.` and `..`, but for a `..` at the start that leads out of the bundle.
pub(super) fn normalised(path: &str) -> String {
    let root = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if root => {}
            part => parts.push(part),
        }
    }
    format!("{}{}", if root { "/" } else { "" }, parts.join("/"))
}

/// Returns a path relative to a folder as a path relative to the bundle. An absolute path stays.
pub(super) fn joined(folder: &str, path: &str) -> String {
    if folder.is_empty() || is_absolute(path) { normalised(path) } else { normalised(&format!("{folder}/{path}")) }
}

/// Returns whether a path begins at the root of a file system.
pub(super) fn is_absolute(path: &str) -> bool {
    path.starts_with(['/', '\\'])
        || matches!(path.as_bytes(), [drive, b':', b'/' | b'\\', ..] if drive.is_ascii_alphabetic())
}

/// Returns whether a path leads to a file of the bundle.
pub(super) fn is_within(path: &str) -> bool {
    !path.is_empty() && !is_absolute(path) && path != ".." && !path.starts_with("../")
}

/// Returns the scheme of a URL and the rest after the colon, or `None` for paths.
pub(super) fn scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    // A scheme of one letter is a drive of Windows.
    let valid = scheme.len() > 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    valid.then_some((scheme, rest))
}

/// Returns the bytes of a text with percent signs decoded. A percent sign without two digits stays.
pub(super) fn percent_decoded(text: &str) -> Vec<u8> {
    let digit = |at: usize| text.as_bytes().get(at).and_then(|&byte| char::from(byte).to_digit(16));
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let byte = text.as_bytes()[at];
        if byte == b'%'
            && let (Some(high), Some(low)) = (digit(at + 1), digit(at + 2))
        {
            bytes.push((high * 16 + low) as u8);
            at += 3;
        } else {
            bytes.push(byte);
            at += 1;
        }
    }
    bytes
}

/// Returns the path that an error shows for a source: a path relative to the bundle, an absolute path, or a URL.
pub(super) fn source(folder: &str, root: &str, source: &str) -> String {
    let whole = if root.is_empty() || is_absolute(source) || scheme(source).is_some() {
        source.to_owned()
    } else {
        format!("{}/{source}", root.trim_end_matches('/'))
    };
    match scheme(&whole) {
        // The names that bundlers give to modules: the path of the project follows the authority.
        Some(("webpack" | "webpack-internal" | "rspack" | "turbopack" | "rollup" | "vite" | "ng", rest)) => {
            let path = match rest.strip_prefix("//") {
                Some(rest) => rest.split_once('/').map_or(rest, |(_, path)| path),
                None => rest,
            };
            let path = path.split(['?', '#']).next().unwrap_or_default();
            normalised(path.trim_start_matches('/'))
        }
        Some(("file", rest)) => {
            let path = match rest.strip_prefix("//") {
                Some(rest) => rest.find('/').map_or("", |at| &rest[at..]),
                None => rest,
            };
            let path = String::from_utf8_lossy(&percent_decoded(path)).into_owned();
            // `file:///C:/folder` names a drive.
            let without_slash = path.trim_start_matches('/');
            normalised(if is_absolute(without_slash) { without_slash } else { &path })
        }
        Some(_) => whole,
        None => joined(folder, &whole),
    }
}
