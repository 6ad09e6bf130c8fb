//! A decoded source map.

use oxc_sourcemap::{JSONSourceMap, SourceMap};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::path;

/// The longest text of a map that is decoded.
pub(super) const MOST_BYTES: usize = 64 << 20;

/// The names and sources that a map may list. Each takes memory, however short it is in the text.
const MOST_LISTED: usize = 1 << 20;

/// The levels of sections within sections.
const MOST_LEVELS: usize = 8;

/// A map: the places in the sources, ordered by the places in the generated text.
#[derive(Debug)]
pub(super) struct Map {
    sources: Vec<String>,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    line: u32,
    column: u32,
    /// The source's index, and the place there; `None` if the generated text is of no source.
    source: Option<(u32, u32, u32)>,
}

/// The fields of a map's text that matter here. The sources' contents are skipped.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Text {
    version: u32,
    source_root: Option<String>,
    #[serde(default)]
    sources: Vec<Option<String>>,
    #[serde(default)]
    names: Vec<IgnoredAny>,
    #[serde(default)]
    mappings: String,
    sections: Option<Vec<Section>>,
}

#[derive(Deserialize)]
struct Section {
    offset: Offset,
    map: Box<Text>,
}

#[derive(Deserialize)]
struct Offset {
    line: u32,
    column: u32,
}

impl Map {
    /// Decodes a map. `folder` is that of the file with the map. Returns `None` for malformed maps.
    pub(super) fn decode(text: &[u8], folder: &str) -> Option<Self> {
        if text.len() > MOST_BYTES {
            return None;
        }
        let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
        // A line that keeps scripts of other pages from reading the map.
        let text = match text.strip_prefix(b")]}") {
            Some(rest) => &rest[rest.iter().position(|&byte| byte == b'\n')?..],
            None => text,
        };
        let mut map = Self { sources: Vec::new(), entries: Vec::new() };
        map.add(serde_json::from_slice(text).ok()?, folder, (0, 0), 0)?;
        // Columns may decrease within a line, and sections may overlap.
        map.entries.sort_by_key(|entry| (entry.line, entry.column));
        map.entries.shrink_to_fit();
        Some(map)
    }

    fn add(&mut self, text: Text, folder: &str, (line, column): (u32, u32), level: usize) -> Option<()> {
        if text.version != 3
            || text.names.len() > MOST_LISTED
            || text.sources.len() + self.sources.len() > MOST_LISTED
            || level > MOST_LEVELS
        {
            return None;
        }
        if let Some(sections) = text.sections {
            for Section { offset, map } in sections {
                // The column is that of the section's first line, as for entries.
                let first = if offset.line == 0 { column } else { 0 };
                let place = (line.checked_add(offset.line)?, first.checked_add(offset.column)?);
                self.add(*map, folder, place, level + 1)?;
            }
            return Some(());
        }
        let first = self.sources.len() as u32;
        let root = text.source_root.unwrap_or_default();
        let count = text.sources.len();
        self.sources.extend(text.sources.into_iter().map(|source| match source {
            Some(source) => path::source(folder, &root, &source),
            None => String::new(),
        }));
        let decoded = SourceMap::from_json(JSONSourceMap {
            version: 3,
            file: None,
            mappings: text.mappings,
            source_root: None,
            sources: vec![String::new(); count],
            sources_content: None,
            names: vec![String::new(); text.names.len()],
            debug_id: None,
            x_google_ignore_list: None,
        })
        .ok()?;
        for token in decoded.get_tokens() {
            let shift = if token.get_dst_line() == 0 { column } else { 0 };
            self.entries.push(Entry {
                line: token.get_dst_line().saturating_add(line),
                column: token.get_dst_col().saturating_add(shift),
                source: token
                    .get_source_id()
                    .map(|source| (source.saturating_add(first), token.get_src_line(), token.get_src_col())),
            });
        }
        Some(())
    }

    /// Returns the source, line and column of a place in the generated text. All lines and columns begin at 0.
    pub(super) fn find(&self, line: u32, column: u32) -> Option<(&str, u32, u32)> {
        let next = self.entries.partition_point(|entry| (entry.line, entry.column) <= (line, column));
        let before = next.checked_sub(1).map(|at| self.entries[at]).filter(|entry| entry.line == line);
        // A place before the first entry of its line is that of the entry: tools leave out the white space.
        let entry = match before {
            Some(entry) => entry,
            None => *self.entries.get(next).filter(|entry| entry.line == line)?,
        };
        let (source, line, column) = entry.source?;
        let source = self.sources.get(source as usize).filter(|source| !source.is_empty())?;
        Some((source, line, column))
    }
}
