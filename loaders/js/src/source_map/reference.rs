//! The comment that names a file's map.

use super::path;

/// The bytes at a file's end in which `register` looks for the comment.
const TAIL: usize = 2048;

/// The reference of a file to its map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reference {
    /// The URL of the map.
    Url(String),
    /// The last line is longer than the part that was looked at: the file is to be read again.
    LongLine,
}

/// Looks at the end of a file for the name of its map. The time is the same for files of all lengths.
pub(super) fn at_end(source: &[u8]) -> Option<Reference> {
    let start = source.len().saturating_sub(TAIL);
    let tail = &source[start..];
    match in_lines(tail, start == 0) {
        Found::Url(url) => Some(Reference::Url(url)),
        Found::Cut => Some(Reference::LongLine),
        Found::None => None,
    }
}

/// Looks for the name of a file's map in all of the file's text.
pub(super) fn in_text(source: &[u8]) -> Option<String> {
    match in_lines(source, true) {
        Found::Url(url) => Some(url),
        Found::Cut | Found::None => None,
    }
}

enum Found {
    Url(String),
    /// The first line, whose start is not there, has been reached.
    Cut,
    None,
}

/// Looks through the lines from the end. Only comments and empty lines may follow the comment that names the map.
fn in_lines(text: &[u8], whole: bool) -> Found {
    let mut end = text.len();
    loop {
        let start = text[..end].iter().rposition(|byte| matches!(byte, b'\n' | b'\r')).map_or(0, |at| at + 1);
        if start == 0 && !whole {
            return Found::Cut;
        }
        let line = text[start..end].trim_ascii();
        let comment = if let Some(comment) = line.strip_prefix(b"//") {
            Some(comment)
        } else {
            line.strip_prefix(b"/*").and_then(|comment| comment.strip_suffix(b"*/"))
        };
        match comment {
            Some(comment) => {
                let url = [b"# sourceMappingURL=", b"@ sourceMappingURL="]
                    .iter()
                    .find_map(|&mark| comment.strip_prefix(mark).map(<[u8]>::trim_ascii));
                if let Some(url) = url {
                    return match str::from_utf8(url) {
                        Ok(url) if !url.is_empty() && !url.contains([' ', '\t', '"', '\'', '`']) => {
                            Found::Url(url.to_owned())
                        }
                        _ => Found::None,
                    };
                }
            }
            None if line.is_empty() => {}
            None => return Found::None,
        }
        match start.checked_sub(1) {
            Some(before) => end = before,
            None => return Found::None,
        }
    }
}

/// The place of a map's text.
pub(super) enum Target {
    /// The text itself.
    Text(Vec<u8>),
    /// A file of the bundle.
    File(String),
}

/// Returns where the map is that a file of the bundle names. Maps outside of the bundle are not read.
pub(super) fn target(file: &str, url: &str) -> Option<Target> {
    if let Some((scheme, rest)) = path::scheme(url) {
        if !scheme.eq_ignore_ascii_case("data") {
            return None;
        }
        let (kind, data) = rest.split_once(',')?;
        return if kind.to_ascii_lowercase().ends_with(";base64") {
            base64(&path::percent_decoded(data)).map(Target::Text)
        } else {
            Some(Target::Text(path::percent_decoded(data)))
        };
    }
    let relative = url.split(['?', '#']).next().unwrap_or_default();
    let relative = String::from_utf8(path::percent_decoded(relative)).ok()?;
    let map = path::joined(path::folder(file), &relative);
    path::is_within(&map).then_some(Target::File(map))
}

/// Decodes base64, of the ordinary alphabet or of that for URLs. The padding may be missing.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut bits, mut count) = (0u32, 0);
    for &byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            byte if byte.is_ascii_whitespace() => continue,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}
