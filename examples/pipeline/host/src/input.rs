//! Reads a log as batches of records.

use pipeline_contracts::{Record, Rejected};
use std::io::{self, BufRead};
use std::num::NonZeroUsize;

/// What the next lines of the log are.
#[derive(Debug, Default, PartialEq)]
pub struct Chunk {
    /// The lines that are text.
    pub records: Vec<Record>,
    /// The lines that are not: stages are given text, and a line altered without a word would be a lie.
    pub rejected: Vec<Rejected>,
}

/// The log, a chunk at a time.
#[derive(Debug)]
pub struct Chunks<R> {
    log: R,
    size: usize,
    line: u64,
}

impl<R: BufRead> Chunks<R> {
    /// Reads `log`, up to `size` lines at a time.
    pub fn new(log: R, size: NonZeroUsize) -> Self {
        Self { log, size: size.get(), line: 0 }
    }

    fn chunk(&mut self) -> io::Result<Option<Chunk>> {
        let mut chunk = Chunk::default();
        let mut bytes = Vec::new();
        while chunk.records.len() + chunk.rejected.len() < self.size {
            bytes.clear();
            if self.log.read_until(b'\n', &mut bytes)? == 0 {
                break;
            }
            self.line += 1;
            match str::from_utf8(without_line_break(&bytes)) {
                Ok(text) => chunk.records.push(Record::new(self.line, text)),
                Err(error) => chunk.rejected.push(Rejected {
                    line: self.line,
                    raw: String::from_utf8_lossy(without_line_break(&bytes)).into_owned(),
                    reason: "not UTF-8".into(),
                    detail: error.to_string(),
                }),
            }
        }
        let is_end = chunk.records.is_empty() && chunk.rejected.is_empty();
        Ok((!is_end).then_some(chunk))
    }
}

impl<R: BufRead> Iterator for Chunks<R> {
    type Item = io::Result<Chunk>;

    fn next(&mut self) -> Option<Self::Item> {
        self.chunk().transpose()
    }
}

fn without_line_break(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(log: &[u8], size: usize) -> Vec<Chunk> {
        Chunks::new(log, NonZeroUsize::new(size).unwrap()).collect::<io::Result<_>>().unwrap()
    }

    #[test]
    fn lines_are_numbered_across_chunks() {
        let chunks = chunks(b"one\r\n\nthree\nfour", 3);
        assert_eq!(chunks.len(), 2);
        assert_eq!(chunks[0].records, [Record::new(1, "one"), Record::new(2, ""), Record::new(3, "three")]);
        assert_eq!(chunks[1].records, [Record::new(4, "four")]);
    }

    #[test]
    fn a_line_that_is_no_text_is_rejected_in_its_place() {
        let chunks = chunks(b"one\ncaf\xe9\nthree\n", 2);
        assert_eq!(chunks[0].records, [Record::new(1, "one")]);
        let rejected = &chunks[0].rejected[0];
        assert_eq!((rejected.line, rejected.raw.as_str(), rejected.reason.as_str()), (2, "caf\u{fffd}", "not UTF-8"));
        assert_eq!(chunks[1].records, [Record::new(3, "three")]);
    }

    #[test]
    fn an_empty_log_has_no_chunks() {
        assert_eq!(chunks(b"", 2), []);
    }
}
