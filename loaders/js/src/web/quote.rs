//! Strings in the notation of JavaScript.

use std::fmt::Write as _;

/// The characters that are shown of a string.
const MOST_TEXT: usize = 10_000;

/// Returns a string in quotation marks, with escapes.
pub(super) fn quoted(text: &str) -> String {
    let mark = if !text.contains('\'') {
        '\''
    } else if !text.contains('"') {
        '"'
    } else if !text.contains('`') {
        '`'
    } else {
        '\''
    };
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push(mark);
    for (count, c) in text.chars().enumerate() {
        if count == MOST_TEXT {
            let left = text.chars().count() - MOST_TEXT;
            quoted.push(mark);
            // Writing to a String cannot fail.
            let _ = write!(quoted, "... {left} more characters");
            return quoted;
        }
        match c {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\\' => quoted.push_str("\\\\"),
            c if c == mark => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\x{:02X}", c as u32);
            }
            c => quoted.push(c),
        }
    }
    quoted.push(mark);
    quoted
}

/// Returns whether a text can stand as a property's name without quotation marks.
pub(super) fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_' || c == '$')
        && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '$')
}

/// Returns a text, or its beginning and the number of characters that follow if the text is longer than `most` bytes.
pub(super) fn shortened(mut text: String, most: usize) -> String {
    if text.len() > most {
        let end = (0..=most).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        let more = text[end..].chars().count();
        text.truncate(end);
        text.push_str(&format!("... {more} more characters"));
    }
    text
}
