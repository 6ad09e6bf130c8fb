//! Values in the texts of errors, where the beginning is enough.

use std::fmt::{self, Write};

/// The most bytes of a value that an error quotes.
const LIMIT: usize = 100;

/// Displays the beginning of what it holds. Values that cross can be of any size, and nested so deep that displaying
/// one whole needs more stack than there is.
pub(crate) struct Truncated<'a, T: ?Sized>(pub(crate) &'a T);

impl<T: fmt::Display + ?Sized> fmt::Display for Truncated<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut beginning = LimitedWriter(String::new());
        let whole = write!(beginning, "{}", self.0).is_ok();
        f.write_str(&beginning.0)?;
        if whole { Ok(()) } else { f.write_str("...") }
    }
}

/// Takes no more than the limit, and then fails, which ends whoever writes.
struct LimitedWriter(String);

impl Write for LimitedWriter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = LIMIT - self.0.len();
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        let end = (0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
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
