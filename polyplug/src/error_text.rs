//! The texts of errors that cross the ABI: their parts, and the limit of their length.
//!
//! A text is a message, followed by the location and the traceback if there are any. A text that is too long keeps the
//! beginning of each part. So what kind of error occurred, and where, is known of every error.

use std::borrow::Cow;

/// The separator between a message and its location in the text of an `AbiError`. A host that shows the text unparsed
/// still shows something readable.
pub(crate) const LOCATION_MARK: &str = "\n  at ";

/// The separator before a traceback, which follows the message and the location.
pub(crate) const TRACEBACK_MARK: &str = "\ntraceback:\n";

/// The longest text of an error, in bytes.
pub(crate) const LIMIT: usize = 1 << 20;

/// The most bytes that each part of a text that is too long keeps.
const MESSAGE_LIMIT: usize = 512 << 10;
const LOCATION_LIMIT: usize = 64 << 10;
const TRACEBACK_LIMIT: usize = 256 << 10;

/// The parts of a text.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub(crate) message: &'a str,
    pub(crate) location: Option<&'a str>,
    pub(crate) traceback: Option<&'a str>,
}

impl<'a> Parts<'a> {
    /// Splits a text into its parts.
    pub(crate) fn of(text: &'a str) -> Self {
        let (text, traceback) = match text.find(TRACEBACK_MARK) {
            Some(mark) => (&text[..mark], Some(&text[mark + TRACEBACK_MARK.len()..])),
            None => (text, None),
        };
        let (message, location) = match text.rfind(LOCATION_MARK) {
            Some(mark) => (&text[..mark], Some(&text[mark + LOCATION_MARK.len()..])),
            None => (text, None),
        };
        Self { message, location, traceback }
    }

    /// Joins the parts to a text of at most [`LIMIT`] bytes.
    pub(crate) fn join(self) -> String {
        let Self { message, location, traceback } = self;
        let parts = [("", Some(message), MESSAGE_LIMIT), (LOCATION_MARK, location, LOCATION_LIMIT)];
        let parts = parts.into_iter().chain([(TRACEBACK_MARK, traceback, TRACEBACK_LIMIT)]);
        let parts = parts.filter_map(|(mark, part, limit)| Some((mark, part?, limit)));
        let len: usize = parts.clone().map(|(mark, part, _)| mark.len() + part.len()).sum();
        let mut text = String::with_capacity(len.min(LIMIT));
        for (mark, part, limit) in parts {
            text.push_str(mark);
            match len > LIMIT {
                true => text.push_str(&beginning(part, limit)),
                false => text.push_str(part),
            }
        }
        text
    }
}

/// Returns a text if it has at most [`LIMIT`] bytes, otherwise the beginning of each part.
pub(crate) fn bounded(text: &str) -> Cow<'_, str> {
    if text.len() <= LIMIT { Cow::Borrowed(text) } else { Cow::Owned(Parts::of(text).join()) }
}

/// Returns the beginning of a part, with a note that tells how much is missing.
fn beginning(part: &str, limit: usize) -> Cow<'_, str> {
    if part.len() <= limit {
        return Cow::Borrowed(part);
    }
    let end = (0..=limit).rev().find(|end| part.is_char_boundary(*end)).unwrap_or(0);
    Cow::Owned(format!("{} [{} more bytes are cut off]", &part[..end], part.len() - end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_is_whole() {
        for text in ["", "x", "ä\n  at main:1", "x\n  at main:1\ntraceback:\n  main:1"] {
            assert_eq!(bounded(text), text);
            assert_eq!(Parts::of(text).join(), text);
        }
        let text = "x".repeat(LIMIT);
        assert_eq!(bounded(&text), text);
    }

    #[test]
    fn what_is_long_keeps_the_beginning_of_each_part() {
        let message = format!("x{}", "ä".repeat(LIMIT));
        let text = bounded(&format!("{message}{LOCATION_MARK}main:1{TRACEBACK_MARK}  main:1")).into_owned();
        let parts = Parts::of(&text);
        let kept = MESSAGE_LIMIT - 1;
        let rest = message.len() - kept;
        assert_eq!(parts.message, format!("{} [{rest} more bytes are cut off]", &message[..kept]));
        assert_eq!((parts.location, parts.traceback), (Some("main:1"), Some("  main:1")));

        let long = "ä".repeat(LIMIT);
        let text = Parts { message: &long, location: Some(&long), traceback: Some(&long) }.join();
        assert!(text.len() <= LIMIT);
        let parts = Parts::of(&text);
        for part in [Some(parts.message), parts.location, parts.traceback] {
            assert!(part.unwrap().ends_with("more bytes are cut off]"));
        }
    }
}
