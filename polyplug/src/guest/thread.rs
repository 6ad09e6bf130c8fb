//! Threads that the host runs for a plugin.

use std::ffi::c_void;
use std::io;

use polyplug_abi::{AbiError, StringView};

use crate::call_error::message_text;
use crate::guest::context::PluginContext;
use crate::guest::panic::run_thread;

/// The data that a new thread receives.
struct Start<F> {
    context: PluginContext,
    name: String,
    body: F,
}

impl PluginContext {
    /// Runs `body` on a new thread, with this context.
    ///
    /// The host knows the thread by `name`, and keeps the bundle's code mapped while the thread runs. When the bundle
    /// is unloaded or reloaded, the host waits for the thread, or reports it. So `body` has to return once the version
    /// it belongs to is retired: ask [`is_retired`](Self::is_retired), or wait with
    /// [`wait_retired`](Self::wait_retired). A thread that a plugin starts in another way may still run when its code
    /// is unmapped, which ends the process.
    ///
    /// A panic in `body` ends the thread and is written to the host's log, with the names of bundle and thread.
    ///
    /// # Errors
    ///
    /// Fails if the version is retired already, or if the system cannot start a thread.
    ///
    /// ```
    /// use std::time::Duration;
    /// # use polyplug::PluginContext;
    /// # struct Cache;
    /// # impl Cache { fn sweep() {} }
    /// impl Cache {
    ///     fn new(context: &PluginContext) -> std::io::Result<Self> {
    ///         context.spawn("sweep", |context| {
    ///             while !context.wait_retired(Duration::from_secs(10)) {
    ///                 Cache::sweep();
    ///             }
    ///         })?;
    ///         Ok(Self)
    ///     }
    /// }
    /// ```
    pub fn spawn(&self, name: &str, body: impl FnOnce(&Self) + Send + 'static) -> std::io::Result<()> {
        spawn(self, name, body)
    }
}

fn spawn<F: FnOnce(&PluginContext) + Send + 'static>(context: &PluginContext, name: &str, body: F) -> io::Result<()> {
    let host = context.host_abi();
    let data = Box::into_raw(Box::new(Start { context: context.clone(), name: name.to_owned(), body }));
    let mut error = AbiError::ok();
    // SAFETY: the context keeps the host's table valid; the data is of the type that `run::<F>` takes, and is given to
    // the host.
    unsafe { ((*host).spawn)(host, StringView::lend(name.as_bytes()), Some(run::<F>), data.cast(), &raw mut error) };
    if error.is_ok() {
        return Ok(());
    }
    // SAFETY: the host did not start a thread, so it did not take the data; the text is in the buffer that the host
    // keeps for this thread.
    let text = unsafe {
        drop(Box::from_raw(data));
        message_text(&error)
    };
    Err(io::Error::other(text))
}

unsafe extern "C" fn run<F: FnOnce(&PluginContext)>(data: *mut c_void) {
    // SAFETY: `spawn` made the data for the same type, and the host calls `run` once (the ABI).
    let Start { context, name, body } = *unsafe { Box::from_raw(data.cast::<Start<F>>()) };
    // A thread cannot return an error, so a panic is logged.
    run_thread(&context, &name, || body(&context));
}
