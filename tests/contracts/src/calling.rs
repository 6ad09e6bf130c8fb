//! Contracts for calls from a plugin to its host and to other plugins.

/// Implemented by the host.
#[polyplug::contract(name = "test.logger", version = "1.1")]
pub trait Logger {
    /// Keeps a line; how many there are.
    fn log(&self, line: &str) -> u32;
    /// Panics with `words`.
    fn panics(&self, words: &str);
    /// All lines.
    #[contract(since = "1.1")]
    fn lines(&self) -> Vec<String>;
}

/// Implemented by the host, which calls a plugin in turn.
#[polyplug::contract(name = "test.echo", version = "1.0")]
pub trait Echo {
    /// Calls [`Caller::nested`] with one less.
    fn call_back(&self, depth: u32) -> Result<u32, String>;
}

/// Implemented by a plugin. Errors are those that the plugin met, as text.
#[polyplug::contract(name = "test.caller", version = "1.0")]
pub trait Caller {
    /// Logs through the host.
    fn log(&self, line: &str) -> Result<u32, String>;
    /// Has the host panic.
    fn host_panics(&self, words: &str) -> Result<(), String>;
    /// Asks the host for all lines, content with a host that does not have that method.
    fn lines(&self) -> Result<Vec<String>, String>;
    /// Adds with the calculator of another bundle, through a proxy that is kept.
    fn add(&self, a: i32, b: i32) -> Result<i32, String>;
    /// Counts with an instance of another bundle, through a proxy that is kept.
    fn count(&self, by: u64) -> Result<u64, String>;
    /// Looks for a contract that the bundle's manifest does not declare.
    fn undeclared(&self) -> Result<u32, String>;
    /// Calls the host, which calls this again, until `depth` is 0; how deep it went.
    fn nested(&self, depth: u32) -> Result<u32, String>;
    /// Gives up all proxies that are kept.
    fn forget(&self);
    /// Makes proxies for the host's logger on several threads at once, and uses each `times` times.
    fn log_on_threads(&self, threads: u32, times: u32) -> Result<u32, String>;
}
