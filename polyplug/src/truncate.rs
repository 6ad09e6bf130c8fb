//! Values in the texts of errors, cut to a length.

use std::fmt::{self, Write};

/// The most bytes of a value that an error quotes.
const LIMIT: usize = 100;

/// A value that displays only the beginning of its text. A value that crosses can be of any size, and nested so deep
/// that displaying all of it needs more stack than the thread has.
pub(crate) struct Truncated<'a, T: ?Sized>(pub(crate) &'a T);

impl<T: fmt::Display + ?Sized> fmt::Display for Truncated<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut beginning = LimitedWriter(String::new());
        let whole = write!(beginning, "{}", self.0).is_ok();
        f.write_str(&beginning.0)?;
        if whole { Ok(()) } else { f.write_str("...") }
    }
}

/// A writer that fails once the limit is reached, which stops the `Display` implementation that writes to it.
struct LimitedWriter(String);

impl Write for LimitedWriter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let available = LIMIT - self.0.len();
        if text.len() <= available {
            self.0.push_str(text);
            return Ok(());
        }
        let end = (0..=available).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        self.0.push_str(&text[..end]);
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_is_whole() {
        assert_eq!(Truncated("ä".repeat(50).as_str()).to_string(), "ä".repeat(50));
    }

    #[test]
    fn what_is_long_ends_between_letters() {
        assert_eq!(Truncated(format!("x{}", "ä".repeat(50)).as_str()).to_string(), format!("x{}...", "ä".repeat(49)));
    }
}
