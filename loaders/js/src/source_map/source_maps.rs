//! The maps of a bundle's files.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::map::{MOST_BYTES, Map};
use super::path;
use super::reference::{self, Reference, Target};

/// The frames of a stack that are looked up.
const MOST_FRAMES: usize = 200;

/// The maps of a bundle's files, by the path of the file relative to the bundle.
#[derive(Debug, Default)]
pub(crate) struct SourceMaps {
    files: Mutex<HashMap<String, State>>,
}

/// The state of a file's map.
#[derive(Debug, Clone)]
enum State {
    Named(Reference),
    /// The decoded map; `None` if there is no usable one.
    Decoded(Option<Arc<Map>>),
}

impl SourceMaps {
    /// Makes an empty set.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Remembers the name of the map in the last lines of a file's text. Called when the file is loaded; replaces what
    /// was known of an earlier text.
    pub(crate) fn register(&self, file: &str, source: &[u8]) {
        let mut files = self.files();
        match reference::at_end(source) {
            Some(reference) => {
                files.insert(file.to_owned(), State::Named(reference));
            }
            None => {
                files.remove(file);
            }
        }
    }

    /// Returns the source's path, line and column for a place in a file, with lines and columns from 1 as QuickJS counts
    /// them: columns of the file in bytes. Returns `None` if no map tells. `read` returns a file of the bundle.
    pub(crate) fn place(
        &self,
        file: &str,
        line: u32,
        column: u32,
        read: &dyn Fn(&str) -> Option<Vec<u8>>,
    ) -> Option<(String, u32, u32)> {
        let map = self.map(file, read)?;
        let line = line.checked_sub(1)?;
        let column = read(file).map_or(column.saturating_sub(1), |text| units(&text, line, column.saturating_sub(1)));
        let (source, line, column) = map.find(line, column)?;
        Some((source.to_owned(), line.saturating_add(1), column.saturating_add(1)))
    }

    /// Returns a stack of QuickJS in which each frame has the place in the source, as far as maps tell.
    pub(crate) fn map_stack(&self, stack: &str, read: &dyn Fn(&str) -> Option<Vec<u8>>) -> String {
        if self.files().is_empty() {
            return stack.to_owned();
        }
        let mut mapped = String::with_capacity(stack.len());
        for (at, line) in stack.split_inclusive('\n').enumerate() {
            match self.frame(line).filter(|_| at < MOST_FRAMES) {
                Some((start, end, file, number, column)) => match self.place(file, number, column, read) {
                    Some((source, number, column)) => {
                        mapped.push_str(&line[..start]);
                        mapped.push_str(&format!("{source}:{number}:{column}"));
                        mapped.push_str(&line[end..]);
                    }
                    None => mapped.push_str(line),
                },
                None => mapped.push_str(line),
            }
        }
        mapped
    }

    /// Returns the place in a line `    at f (file:3:5)` or `    at file:3:5` of a stack: its start and end in the line,
    /// and its parts. Returns `None` for other lines.
    fn frame<'a>(&self, line: &'a str) -> Option<(usize, usize, &'a str, u32, u32)> {
        let indent = line.len() - line.trim_start().len();
        let start = indent + line[indent..].starts_with("at ").then_some(3)?;
        let trimmed = line.trim_end();
        let (start, end) = match trimmed.strip_suffix(')') {
            // Names of functions and of files may have parentheses.
            Some(inner) => (start + inner[start..].find(" (").map(|at| at + 2)?, inner.len()),
            None => (start, trimmed.len()),
        };
        let parse = |start: usize| {
            let (rest, column) = line[start..end].rsplit_once(':')?;
            let (file, number) = rest.rsplit_once(':')?;
            Some((start, end, file, number.parse().ok()?, column.parse().ok()?))
        };
        // The file is the registered one, wherever the function's name ends.
        let mut start = start;
        loop {
            let parsed = parse(start)?;
            if self.files().contains_key(parsed.2) {
                return Some(parsed);
            }
            start += line[start..end].find(" (").map(|at| at + 2)?;
        }
    }

    /// Returns the decoded map of a file.
    fn map(&self, file: &str, read: &dyn Fn(&str) -> Option<Vec<u8>>) -> Option<Arc<Map>> {
        let reference = match self.files().get(file)? {
            State::Decoded(map) => return map.clone(),
            State::Named(reference) => reference.clone(),
        };
        // The lock is not held while files are read.
        let map = decoded(file, &reference, read).map(Arc::new);
        let mut files = self.files();
        if let Some(state) = files.get_mut(file)
            && matches!(state, State::Named(known) if *known == reference)
        {
            *state = State::Decoded(map.clone());
        }
        map
    }

    fn files(&self) -> MutexGuard<'_, HashMap<String, State>> {
        // No panic leaves the map half changed.
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn decoded(file: &str, reference: &Reference, read: &dyn Fn(&str) -> Option<Vec<u8>>) -> Option<Map> {
    let url = match reference {
        Reference::Url(url) => url.clone(),
        Reference::LongLine => {
            let text = read(file).filter(|text| text.len() <= 2 * MOST_BYTES)?;
            reference::in_text(&text)?
        }
    };
    match reference::target(file, &url)? {
        Target::Text(text) => Map::decode(&text, path::folder(file)),
        Target::File(map) => Map::decode(&read(&map)?, path::folder(&map)),
    }
}

/// Returns the column in units of UTF-16, which maps count, of a column in bytes.
fn units(text: &[u8], line: u32, column: u32) -> u32 {
    let line = text.split(|&byte| byte == b'\n').nth(line as usize).unwrap_or_default();
    let start = &line[..line.len().min(column as usize)];
    if start.is_ascii() {
        return column;
    }
    String::from_utf8_lossy(start).encode_utf16().count() as u32
}
