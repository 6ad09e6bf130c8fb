//! The places in the sources of a bundle's files, which compilers have made of other files.

use polyplug::engine::Limits;

use crate::source_map::SourceMaps;
use crate::state::State;

/// The source maps of a bundle's files. A map is read when an error needs it.
pub(crate) struct Sources(SourceMaps);

impl Sources {
    pub(crate) fn new() -> Self {
        Self(SourceMaps::new())
    }

    /// Notes where the map of a file is.
    pub(crate) fn register(&self, file: &str, text: &[u8]) {
        self.0.register(file, text);
    }

    /// Returns file, line and column in the source of a place, if there is a map.
    pub(crate) fn place(&self, state: &State, file: &str, line: u32, column: u32) -> Option<(String, u32, u32)> {
        self.0.place(file, line, column, &|file| read(state, file))
    }

    /// Returns the text of a stack with the places in the sources.
    pub(crate) fn map_stack(&self, state: &State, stack: &str) -> String {
        self.0.map_stack(stack, &|file| read(state, file))
    }
}

/// Reads a map. The memory of the VM does not count, for the map is no part of the program.
fn read(state: &State, file: &str) -> Option<Vec<u8>> {
    state.guest.read_program(file, &Limits::default(), 0).ok()
}
