//! The watcher of the directories of loaded bundles, which reloads a bundle when its files change, and of folders of
//! bundles, which loads the bundles that come and unloads those that go.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let runtime = polyplug::Runtime::builder()
//!     // .loader(polyplug_native::NativeLoader::new())
//!     .hot_reload(true)
//!     .on_event(|event| println!("{event}"))
//!     .build()?;
//! runtime.load_bundle("plugins/calc")?;
//! let watcher = runtime.watch()?;
//! // From here on, a build that writes into `plugins/calc` reloads the bundle.
//! watcher.stop();
//! # Ok(())
//! # }
//! ```
//!
//! - [`Watcher`]: the watcher that a host holds.
//! - [`WatchOptions`]: the durations that a watcher waits.
//! - [`WatchError`]: the reasons why bundles cannot be watched.
//! - `System`: the watcher of the operating system, which reports changes of files.
//! - `WatchSet`: the directories and files that matter for one bundle.
//! - `WatchedFiles`: the files of one folder, with their watch set and their state machine.
//! - `Directory`: a folder of bundles, with its entries that are not loaded.
//! - `Debouncer`: the state machine of one bundle: returns when its files are looked at, and what to do.
//! - `Source`, `Attempt`: the files that a bundle was loaded from, and the outcome of a reload.
//! - `Worker`: the thread that connects these parts.
//!
//! Invariant: a bundle is reloaded only if its files differ from those that serve and have not changed for a while.

mod debounce;
mod directory;
mod error;
mod files;
mod options;
mod system;
mod target;
mod watch_set;
mod watcher;
mod worker;

pub use error::WatchError;
pub use options::WatchOptions;
pub use watcher::Watcher;
