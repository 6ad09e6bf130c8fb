//! A host for the tests of plugins, with fakes for the contracts that a real host and other bundles would provide.
//!
//! - [`Host`]: a host for the plugins of one package that are linked into the test
//! - [`Calls`]: a list of the calls that a fake received
//!
//! Invariant: no library is built or loaded, but the plugins are otherwise loaded as a bundle, and their calls take the
//! same path.
//!
//! The crate of the plugins has polyplug with its runtime among its `[dev-dependencies]`:
//!
//! ```toml
//! [dependencies]
//! polyplug = { path = "../../polyplug/polyplug", default-features = false }
//!
//! [dev-dependencies]
//! polyplug = { path = "../../polyplug/polyplug", features = ["host"] }
//! ```
//!
//! A test keeps a clone of each fake that shares the fake's state, for example through [`Calls`]:
//!
//! ```standalone_crate
//! use polyplug::testing::{Calls, Host};
//! use polyplug::{CallError, PluginContext};
//!
//! #[polyplug::contract(name = "demo.logger", version = "1.0")]
//! trait Logger {
//!     fn log(&self, text: &str);
//! }
//!
//! #[polyplug::contract(name = "demo.calculator", version = "1.0")]
//! trait Calculator {
//!     fn add(&self, a: i32, b: i32) -> i32;
//! }
//!
//! struct Talkative(LoggerProxy);
//!
//! impl Talkative {
//!     fn new(context: &PluginContext) -> Result<Self, CallError> {
//!         context.host::<dyn Logger>().map(Self)
//!     }
//! }
//!
//! #[polyplug::plugin(create = Talkative::new)]
//! impl Calculator for Talkative {
//!     fn add(&self, a: i32, b: i32) -> i32 {
//!         let _ = self.0.log(&format!("{a} + {b}")); // works without
//!         a + b
//!     }
//! }
//!
//! #[derive(Clone, Default)]
//! struct FakeLogger {
//!     lines: Calls<String>,
//! }
//!
//! impl Logger for FakeLogger {
//!     fn log(&self, text: &str) {
//!         self.lines.push(text.to_owned());
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let logger = FakeLogger::default();
//! let host = Host::new().provide::<dyn Logger>(logger.clone());
//! let calculator = host.proxy::<dyn Calculator>()?;
//! assert_eq!(calculator.add(2, 3)?, 5);
//! assert_eq!(logger.lines.take(), ["2 + 3"]);
//! # Ok(())
//! # }
//! ```

mod calls;
mod fake;
mod host;
mod linked;

pub use calls::Calls;
pub use host::Host;
