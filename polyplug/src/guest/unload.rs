//! The functions that a library runs before it is unloaded.

use std::ffi::c_void;
use std::fmt::Display;
use std::io;
use std::mem::offset_of;

use polyplug_abi::{AbiError, AbiErrorCode, HostApi, LogLevel};

use crate::call_error::message_text;
use crate::guest::context::PluginContext;
use crate::guest::error::write_error;
use crate::guest::panic::{catch, describe_panic};

/// A function that is marked `#[on_unload]`, as the macro describes it.
#[doc(hidden)]
pub struct UnloadEntry {
    /// The package that the function is part of.
    pub package: &'static str,
    /// The file of the function.
    pub file: &'static str,
    /// The line of the function.
    pub line: u32,
    /// The function. Returns the text of a failure.
    pub run: fn(&PluginContext) -> Result<(), String>,
}

inventory::collect!(UnloadEntry);

impl UnloadEntry {
    /// Returns all functions of the program, in the order of packages, files and lines.
    pub(crate) fn all() -> Vec<&'static Self> {
        let mut entries: Vec<_> = inventory::iter::<Self>.into_iter().collect();
        entries.sort_by_key(|entry| (entry.package, entry.file, entry.line));
        entries
    }

    /// Returns the functions of a package, in the order of files and lines.
    #[cfg(feature = "host")]
    pub(crate) fn of(package: &str) -> Vec<&'static Self> {
        let mut entries = Self::all();
        entries.retain(|entry| entry.package == package);
        entries
    }
}

/// A result that a function for the unload may return.
#[doc(hidden)]
pub trait UnloadOutcome {
    /// Returns the text of a failure.
    fn outcome(self) -> Result<(), String>;
}

impl UnloadOutcome for () {
    fn outcome(self) -> Result<(), String> {
        Ok(())
    }
}

impl<E: Display> UnloadOutcome for Result<(), E> {
    fn outcome(self) -> Result<(), String> {
        self.map_err(|error| error.to_string())
    }
}

impl PluginContext {
    /// Has `function` called once, before the code of this version of the bundle is unloaded. It ends what the plugin has
    /// started and no instance owns: a pool of threads, a timer, a connection.
    ///
    /// `function` runs after the last call of the version has returned, and before instances that all callers share, and
    /// the code, end. It runs at an unload, for the old version at a reload, when the runtime ends, and when a load or
    /// reload fails after this call. Of all functions for the unload, those that are marked
    /// [`on_unload`](crate::on_unload) included, the one that was registered last runs first. The host waits for all of
    /// them together for as long as `RuntimeBuilder::unload_limit` says, five seconds by default.
    ///
    /// A panic is written to the host's log. [`try_on_unload`](Self::try_on_unload) takes a function that may fail.
    ///
    /// # Errors
    ///
    /// The version is unloaded already or is about to be, or the host is older than functions for the unload. `function`
    /// is then dropped.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// # use polyplug::PluginContext;
    /// # struct Cache(mpsc::Sender<u32>);
    /// impl Cache {
    ///     // named in `#[polyplug::plugin(create = Cache::new)]`
    ///     fn new(context: &PluginContext) -> std::io::Result<Self> {
    ///         let (send, receive) = mpsc::channel::<u32>();
    ///         let worker = std::thread::spawn(move || for _ in receive.iter().take_while(|next| *next != 0) {});
    ///         let end = send.clone();
    ///         context.on_unload(move |_| {
    ///             let _ = end.send(0);
    ///             let _ = worker.join();
    ///         })?;
    ///         Ok(Self(send))
    ///     }
    /// }
    /// ```
    pub fn on_unload(&self, function: impl FnOnce(&PluginContext) + Send + 'static) -> io::Result<()> {
        self.try_on_unload(move |context| {
            function(context);
            Ok::<_, std::convert::Infallible>(())
        })
    }

    /// Does the same as [`on_unload`](Self::on_unload), with a function that may fail. The text of its error is written to
    /// the host's log.
    ///
    /// # Errors
    ///
    /// The errors of [`on_unload`](Self::on_unload).
    pub fn try_on_unload<E: Display>(
        &self,
        function: impl FnOnce(&PluginContext) -> Result<(), E> + Send + 'static,
    ) -> io::Result<()> {
        let function: Box<Function> = Box::new(Box::new(move |context| function(context).outcome()));
        // SAFETY: a context keeps the host's table valid.
        unsafe {
            if !has_on_unload(self.host_abi()) {
                return Err(io::Error::other("this host is older than `on_unload`, and calls no such function"));
            }
        }
        let data = Box::into_raw(function);
        let mut error = AbiError::ok();
        let host = self.host_abi();
        // SAFETY: the context keeps the host's table valid, and the table has the function (checked above). `run_once`
        // takes the data, which is given to the host.
        unsafe { ((*host).on_unload)(host, Some(run_once), data.cast(), &raw mut error) };
        if error.is_ok() {
            return Ok(());
        }
        // SAFETY: the host has refused the function, so it did not take the data; the text is in the buffer that the host
        // keeps for this thread.
        let text = unsafe {
            drop(Box::from_raw(data));
            message_text(&error)
        };
        Err(io::Error::other(text))
    }
}

/// A function of [`PluginContext::on_unload`].
type Function = Box<dyn FnOnce(&PluginContext) -> Result<(), String> + Send>;

/// Returns whether a host calls functions for the unload.
///
/// # Safety
///
/// `host` must be valid.
unsafe fn has_on_unload(host: *const HostApi) -> bool {
    // SAFETY: `host` is valid (the caller's promise).
    unsafe { (*host).struct_size >= offset_of!(HostApi, on_unload) + size_of::<usize>() }
}

/// Registers functions with a host.
///
/// # Safety
///
/// `host` must be valid.
pub(super) unsafe fn register_unload(host: *const HostApi, entries: &[&'static UnloadEntry]) -> Result<(), AbiError> {
    let Some(first) = entries.first() else { return Ok(()) };
    // SAFETY: `host` is valid (the caller's promise).
    if unsafe { !has_on_unload(host) } {
        let text =
            format!("{}:{}: this host is older than `on_unload`, and calls no such function", first.file, first.line);
        // SAFETY: `host` is valid (the caller's promise).
        unsafe { PluginContext::borrow(host) }.log(LogLevel::Warn, &text);
        return Ok(());
    }
    for entry in entries {
        let mut error = AbiError::ok();
        let data = std::ptr::from_ref::<UnloadEntry>(entry).cast_mut().cast();
        // SAFETY: `host` is valid (the caller's promise) and has the function (checked above); `run` takes an entry.
        unsafe { ((*host).on_unload)(host, Some(run), data, &raw mut error) };
        if !error.is_ok() {
            return Err(error);
        }
    }
    Ok(())
}

unsafe extern "C" fn run(host: *const HostApi, data: *mut c_void, out_err: *mut AbiError) {
    // SAFETY: `register_unload` passed a static entry.
    let entry = unsafe { &*data.cast::<UnloadEntry>() };
    // SAFETY: the host passes its table and an error to write to (the ABI).
    unsafe { run_function(host, out_err, |context| (entry.run)(context)) };
}

unsafe extern "C" fn run_once(host: *const HostApi, data: *mut c_void, out_err: *mut AbiError) {
    // SAFETY: `on_unload` made the data, and the host calls the function once (the ABI).
    let function = unsafe { Box::from_raw(data.cast::<Function>()) };
    // SAFETY: the host passes its table and an error to write to (the ABI).
    unsafe { run_function(host, out_err, function) };
}

/// Calls a function, and writes its failure or its panic to `out_err`.
///
/// # Safety
///
/// `host` must be valid, `out_err` writable or null.
unsafe fn run_function(
    host: *const HostApi,
    out_err: *mut AbiError,
    function: impl FnOnce(&PluginContext) -> Result<(), String>,
) {
    // SAFETY: the host keeps its table valid during the call (the caller's promise).
    let context = unsafe { PluginContext::borrow(host) };
    let (code, text) = match catch(|| function(&context)) {
        Ok(Ok(())) => return,
        Ok(Err(text)) => (AbiErrorCode::Generic, text),
        Err(payload) => (AbiErrorCode::Panic, describe_panic(payload)),
    };
    // SAFETY: `out_err` is writable or null, and the table is valid (the caller's promise).
    unsafe { write_error(out_err, host, std::ptr::null_mut(), code, &text) };
}
