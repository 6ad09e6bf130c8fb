//! Watching the directories of loaded bundles, and reloading what changes there.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let runtime = polyplug::Runtime::builder()
//!     // .loader(polyplug_native::NativeLoader::new())
//!     .hot_reload(true)
//!     .on_reload(|_, event| println!("{:?}", event.phase_type))
//!     .build()?;
//! runtime.load_bundle("plugins/calc".as_ref())?;
//! let watcher = runtime.watch()?;
//! // .. from here on a build that writes into `plugins/calc` is all it takes ..
//! watcher.stop();
//! # Ok(())
//! # }
//! ```
//!
//! Inside: the `system` tells what happened in which directory, `watch_set` knows which directories matter, `debounce` when to
//! look and when to act, and the `worker`, a thread, brings them together.

mod debounce;
mod error;
mod options;
mod system;
mod target;
mod watch_set;
mod watcher;
mod worker;

pub use error::WatchError;
pub use options::WatchOptions;
pub use watcher::Watcher;
