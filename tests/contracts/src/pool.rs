//! The contract of a plugin that works on threads of its own.

/// Implemented by a plugin with a pool of threads.
#[polyplug::contract(name = "test.pool", version = "1.0")]
pub trait Pool {
    /// Returns the sum of the squares up to `upto`, which the threads of the pool make.
    fn sum_of_squares(&self, upto: u64) -> u64;
}
