//! The text that a bundle writes to its standard streams, which goes to the host's log line by line.

use std::cell::RefCell;

use polyplug::LogLevel;
use polyplug::engine::Guest;

/// The longest part of a line that is kept until the line ends.
const LONGEST: usize = 64 << 10;

/// A standard stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Out,
    Error,
}

impl Stream {
    /// Returns the level at which lines are logged.
    fn level(self) -> LogLevel {
        match self {
            Self::Out => LogLevel::Info,
            Self::Error => LogLevel::Warn,
        }
    }
}

/// The lines that have not ended.
#[derive(Default)]
pub(crate) struct Output {
    out: RefCell<Vec<u8>>,
    error: RefCell<Vec<u8>>,
}

impl Output {
    fn pending(&self, stream: Stream) -> &RefCell<Vec<u8>> {
        match stream {
            Stream::Out => &self.out,
            Stream::Error => &self.error,
        }
    }

    /// Writes text, and logs the lines that have ended.
    pub(crate) fn write(&self, guest: &Guest, stream: Stream, text: &[u8]) {
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let whole = line.strip_suffix(b"\n");
            let is_long = {
                let mut pending = self.pending(stream).borrow_mut();
                pending.extend_from_slice(whole.unwrap_or(line));
                pending.len() > LONGEST
            };
            if whole.is_some() || is_long {
                self.log(guest, stream);
            }
        }
    }

    /// Logs the line that has not ended, if there is one.
    pub(crate) fn flush(&self, guest: &Guest, stream: Stream) {
        if !self.pending(stream).borrow().is_empty() {
            self.log(guest, stream);
        }
    }

    fn log(&self, guest: &Guest, stream: Stream) {
        let line = self.pending(stream).take();
        guest.log(stream.level(), &String::from_utf8_lossy(&line));
    }

    /// Takes the line of a stream that has not ended.
    pub(crate) fn take(&self, stream: Stream) -> Vec<u8> {
        self.pending(stream).take()
    }
}
