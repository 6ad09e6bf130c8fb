//! Completion of words at a prompt.

use rustyline::completion::Completer as Complete;
use rustyline::{Context, Helper, Highlighter, Hinter, Result, Validator};

/// A completer of known words.
#[derive(Helper, Highlighter, Hinter, Validator)]
pub(crate) struct Completer {
    words: Vec<String>,
}

impl Completer {
    pub(crate) fn new(words: Vec<String>) -> Self {
        Self { words }
    }
}

impl Complete for Completer {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> Result<(usize, Vec<String>)> {
        let start = line[..at].rfind(char::is_whitespace).map_or(0, |space| space + 1);
        let begun = &line[start..at];
        Ok((start, self.words.iter().filter(|word| word.starts_with(begun)).cloned().collect()))
    }
}
