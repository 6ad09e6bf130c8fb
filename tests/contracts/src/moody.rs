//! The contract of a plugin that does to its host what plugins should not, or seldom do.

/// For a plugin that changes bundles, and holds them, from inside.
///
/// A bundle is named by its id, and a contract by its own.
#[polyplug::contract(name = "test.moody", version = "1.0")]
pub trait Moody {
    /// Which version answers.
    fn version(&self) -> u32;
    /// Unloads a bundle from inside this call; what the host's table answers.
    fn unload(&self, bundle: u64) -> u32;
    /// Unloads a bundle from a thread that the plugin starts.
    fn unload_on_a_thread(&self, bundle: u64);
    /// Starts a thread that takes a lease on the provider of `contract`, or none if that is 0, and holds on to it until
    /// its own version is retired and `file` is gone.
    fn linger(&self, contract: u64, file: &str);
}
