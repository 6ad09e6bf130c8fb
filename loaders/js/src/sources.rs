//! The places in the sources of a bundle's files, which compilers have made of other files.

use std::sync::Arc;

use polyplug::engine::{Guest, Limits};

use crate::source_map::SourceMaps;

/// The source maps of a bundle's files. A map is read when an error needs it.
pub(crate) struct Sources {
    guest: Arc<Guest>,
    maps: SourceMaps,
}

impl Sources {
    pub(crate) fn new(guest: &Arc<Guest>) -> Self {
        Self { guest: Arc::clone(guest), maps: SourceMaps::new() }
    }

    /// Notes where the map of a file is.
    pub(crate) fn register(&self, file: &str, text: &[u8]) {
        self.maps.register(file, text);
    }

    /// Returns file, line and column in the source of a place, if there is a map.
    pub(crate) fn place(&self, file: &str, line: u32, column: u32) -> Option<(String, u32, u32)> {
        self.maps.place(file, line, column, &|file| self.read(file))
    }

    /// Returns the text of a stack with the places in the sources.
    pub(crate) fn map_stack(&self, stack: &str) -> String {
        self.maps.map_stack(stack, &|file| self.read(file))
    }

    /// Reads a file. The memory of the VM does not count, for a map is no part of the program.
    fn read(&self, file: &str) -> Option<Vec<u8>> {
        self.guest.read_program(file, &Limits::default(), 0).ok()
    }
}
