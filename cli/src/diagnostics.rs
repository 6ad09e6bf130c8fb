//! Problems, and how they are shown: as rustc shows them, with the place in the file, or as JSON.

use std::fs;
use std::ops::Range;
use std::path::PathBuf;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde_json::{Value as Json, json};

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    /// A host refuses the bundle.
    Error,
    /// The bundle loads, and something is likely to be a mistake.
    Warning,
}

/// A problem.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) severity: Severity,
    /// The name of the kind of problem.
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) place: Option<Place>,
    pub(crate) help: Option<String>,
}

/// The place of a problem.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) file: PathBuf,
    pub(crate) part: Part,
}

/// The part of a file.
#[derive(Debug)]
pub(crate) enum Part {
    Whole,
    /// A line, from 1, and a column, from 1 or 0 for the whole line.
    Line(usize, usize),
    /// The first place of a text.
    Text(String),
}

impl Problem {
    pub(crate) fn new(severity: Severity, code: &'static str, message: impl Into<String>) -> Self {
        Self { severity, code, message: message.into(), place: None, help: None }
    }

    pub(crate) fn at(mut self, file: impl Into<PathBuf>, part: Part) -> Self {
        self.place = Some(Place { file: file.into(), part });
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Returns the problem as text, which ends with a line feed.
    pub(crate) fn text(&self) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let source = self.place.as_ref().and_then(|place| fs::read_to_string(&place.file).ok());
        let path = self.place.as_ref().map(|place| place.file.display().to_string());
        let title = level.primary_title(self.message.as_str()).id(self.code);
        let mut group = match (&self.place, &source, &path) {
            (Some(place), Some(source), Some(path)) => {
                let span = place.part.span(source);
                let snippet = Snippet::source(source.as_str()).path(path.as_str());
                title.element(snippet.annotation(AnnotationKind::Primary.span(span)))
            }
            (Some(_), _, Some(path)) => title.element(annotate_snippets::Origin::path(path.as_str())),
            _ => annotate_snippets::Group::with_title(title),
        };
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        format!("{}\n", Renderer::styled().render(&[group]))
    }

    pub(crate) fn json(&self) -> Json {
        let line = self.place.as_ref().and_then(|place| {
            let source = fs::read_to_string(&place.file).ok()?;
            match &place.part {
                Part::Whole => None,
                part => Some(line_of(&source, part.span(&source).start)),
            }
        });
        json!({
            "severity": match self.severity { Severity::Error => "error", Severity::Warning => "warning" },
            "code": self.code,
            "message": self.message,
            "file": self.place.as_ref().map(|place| place.file.display().to_string()),
            "line": line.map(|(line, _)| line),
            "column": line.map(|(_, column)| column),
            "help": self.help,
        })
    }
}

impl Part {
    /// Returns the part as a range of bytes of the file's text.
    fn span(&self, source: &str) -> Range<usize> {
        match self {
            Self::Whole => 0..source.lines().next().map_or(0, str::len),
            Self::Text(text) => source.find(text.as_str()).map_or(0..0, |start| start..start + text.len()),
            Self::Line(line, column) => {
                let start: usize = source.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
                let text = source[start..].lines().next().unwrap_or_default();
                if *column == 0 {
                    let indentation = text.len() - text.trim_start().len();
                    return start + indentation..start + text.trim_end().len();
                }
                let at = text.char_indices().nth(column - 1).map_or(text.len(), |(at, _)| at);
                let len =
                    text[at..].find(|letter: char| letter.is_whitespace() || letter == '=').unwrap_or(text.len() - at);
                start + at..start + at + len.max(usize::from(at < text.len()))
            }
        }
    }
}

/// Returns the line and the column, from 1, of a place in a text.
fn line_of(source: &str, at: usize) -> (usize, usize) {
    let before = &source[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}
