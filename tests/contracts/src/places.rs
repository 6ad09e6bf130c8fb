//! The contract of plugins that tell where their bundle and their data are, and write to the log.

/// Implemented by a plugin.
#[polyplug::contract(name = "test.places", version = "1.0")]
pub trait Places {
    /// The bundle's own directory.
    fn directory(&self) -> Option<String>;
    /// The folder in which the bundle keeps its data, or why there is none.
    fn data_directory(&self) -> Result<String, String>;
    /// Writes to the host's log, at the level with this number.
    fn log(&self, level: u32, message: &str);
    /// Panics.
    fn panic(&self, message: &str);
}
