//! Contracts whose methods take objects of other contracts.

use polyplug::Callback;

/// Implemented by callers.
#[polyplug::contract(name = "test.progress", version = "1.1")]
pub trait Progress {
    /// A step is done; whether to go on.
    fn step(&self, done: u32, label: &str) -> bool;
    /// Panics.
    fn breaks(&self);
    /// Something in between, for those that know it.
    #[contract(since = "1.1")]
    fn note(&self, text: String) -> Result<u32, String>;
}

/// Implemented by a plugin that calls back.
#[polyplug::contract(name = "test.worker", version = "1.0")]
pub trait Worker {
    /// Does `steps`, telling `progress` of each; how many were done.
    fn work(&self, steps: u32, progress: &dyn Progress) -> u32;
    /// The same with two.
    fn both(&self, first: &dyn Progress, text: &str, second: &dyn Progress) -> String;
    /// Tells on several threads at once; how many steps were told.
    fn on_threads(&self, threads: u32, steps: u32, progress: &dyn Progress) -> u32;
    /// Has the object panic.
    fn provoke(&self, progress: &dyn Progress) -> String;
    /// Keeps it.
    fn keep(&self, progress: Callback<dyn Progress>) -> u32;
    /// Keeps a copy of it.
    fn keep_copy(&self, progress: &Callback<dyn Progress>) -> u32;
    /// Calls all that are kept; what each answered, or why not.
    fn tell_all(&self, label: &str) -> Vec<Result<bool, String>>;
    /// Gives up all that are kept.
    fn forget_all(&self);
    /// Gives an object of its own to the provider of this contract in another bundle, which keeps it.
    fn plant(&self) -> Result<u32, String>;
    /// Hands an object on to the provider of this contract in another bundle.
    fn pass_on(&self, steps: u32, progress: &dyn Progress) -> Result<u32, String>;
}
