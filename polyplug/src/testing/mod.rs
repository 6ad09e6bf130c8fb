//! A host for the tests of plugins, with fakes for what a real host and other bundles would provide.
//!
//! A [`Host`] serves the plugins that are linked into the test, so no library is built or loaded; apart from that they
//! live as in a bundle, and calls go the same way. For this the plugin's crate has polyplug with its runtime among its
//! `[dev-dependencies]`:
//!
//! ```toml
//! [dependencies]
//! polyplug = { version = "0.1", default-features = false }
//!
//! [dev-dependencies]
//! polyplug = { version = "0.1", features = ["host"] }
//! ```
//!
//! What a test holds of its fakes is a clone that shares its state, such as [`Calls`]:
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
