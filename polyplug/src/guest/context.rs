//! The context of a plugin, which gives access to its host and to its bundle's data.

use std::io;
use std::mem::{ManuallyDrop, offset_of};
use std::path::PathBuf;
use std::ptr::NonNull;
use std::time::Duration;

use polyplug_abi::{AbiError, AbiErrorCode, HostApi, LogLevel, StringView};

use crate::call_error::message_text;

/// The access of a plugin to its host. A factory receives one, and may clone and keep it.
///
/// ```
/// # use polyplug::PluginContext;
/// # use polyplug_abi::LogLevel;
/// struct Greeter;
///
/// impl Greeter {
///     // named in `#[polyplug::plugin(create = Greeter::new)]`
///     fn new(context: &PluginContext) -> Result<Self, String> {
///         context.log(LogLevel::Info, "ready");
///         Ok(Self)
///     }
/// }
/// ```
pub struct PluginContext {
    host: NonNull<HostApi>,
}

// SAFETY: the host's table accepts calls from any thread (the ABI), and stays valid while it is retained.
unsafe impl Send for PluginContext {}
// SAFETY: the host's table accepts calls from several threads at a time (the ABI).
unsafe impl Sync for PluginContext {}

impl PluginContext {
    /// Makes a context that keeps the host's table valid. The context does not keep the bundle loaded.
    ///
    /// # Safety
    ///
    /// `host` must be valid and not null.
    pub(crate) unsafe fn retain(host: *const HostApi) -> Self {
        // SAFETY: `host` is valid and not null (the caller's promise).
        unsafe {
            ((*host).retain_host)(host);
            Self { host: NonNull::new_unchecked(host.cast_mut()) }
        }
    }

    /// Makes a context for one call of a factory. The host keeps its table valid during the call, so nothing is
    /// retained; a clone that the factory makes retains the table as usual.
    ///
    /// # Safety
    ///
    /// `host` must be valid and not null for as long as the context is used.
    pub(crate) unsafe fn borrow(host: *const HostApi) -> ManuallyDrop<Self> {
        // SAFETY: `host` is not null (the caller's promise).
        ManuallyDrop::new(Self { host: unsafe { NonNull::new_unchecked(host.cast_mut()) } })
    }

    /// Writes to the host's log, under the bundle's name.
    pub fn log(&self, level: LogLevel, message: &str) {
        self.log_in(level, "", message);
    }

    /// Writes to the host's log, under the bundle's name, with a scope.
    pub(super) fn log_in(&self, level: LogLevel, scope: &str, message: &str) {
        let [scope, message] = [scope, message].map(|text| StringView::lend(text.as_bytes()));
        // SAFETY: the table is valid (retained), and the views are alive during the call.
        unsafe { (self.host.as_ref().log)(self.host.as_ptr(), level.0, scope, message) };
    }

    /// Returns whether the version of the bundle that this context belongs to has been reloaded or unloaded.
    #[must_use]
    pub fn is_retired(&self) -> bool {
        self.wait_retired(Duration::ZERO)
    }

    /// Waits at most for `timeout` until the version of the bundle that this context belongs to is reloaded or
    /// unloaded. Returns whether the version is. Only for threads of the bundle's own: a method that waits would block
    /// its caller.
    #[must_use]
    pub fn wait_retired(&self, timeout: Duration) -> bool {
        let millis = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        // SAFETY: the table is valid (retained).
        unsafe { (self.host.as_ref().wait_retired)(self.host.as_ptr(), millis) != 0 }
    }

    /// Returns the name of the bundle that this plugin is part of.
    #[must_use]
    pub fn bundle_name(&self) -> String {
        // SAFETY: the table is valid (retained), and the text is valid while the table is (the ABI).
        let name = unsafe { (self.host.as_ref().bundle_name)(self.host.as_ptr()).bytes() };
        name.map(String::from_utf8_lossy).unwrap_or_default().into_owned()
    }

    /// Returns the bundle's settings as JSON: the `[config]` of its manifest, overridden by the settings that the host
    /// gives; `{}` if there are none.
    ///
    /// The settings do not change during the lifetime of this version of the bundle. TOML values that JSON lacks are
    /// text: dates and times, `nan` and `inf`. With the feature `config`, `PluginContext::config` reads the settings
    /// into a type.
    #[must_use]
    pub fn config_text(&self) -> String {
        // SAFETY: the table is valid (retained), and the text is valid while the table is (the ABI).
        let text = unsafe { (self.host.as_ref().config)(self.host.as_ptr()).bytes() };
        text.map(String::from_utf8_lossy).unwrap_or_default().into_owned()
    }

    /// Returns the bundle's own directory, absolute: the directory that the host has loaded. The files in it may be newer
    /// than the code that runs, as with hot reload a version runs from a private copy.
    ///
    /// Returns `None` for a bundle that has no directory: one that is part of the program, or that was loaded from memory or
    /// from a pack. Also returns `None` under a host that is too old to tell.
    ///
    /// ```
    /// # use polyplug::PluginContext;
    /// fn read_table(context: &PluginContext) -> std::io::Result<String> {
    ///     let directory = context.directory().ok_or(std::io::ErrorKind::NotFound)?;
    ///     std::fs::read_to_string(directory.join("table.csv"))
    /// }
    /// ```
    #[must_use]
    pub fn directory(&self) -> Option<PathBuf> {
        if !self.has_field(offset_of!(HostApi, directory)) {
            return None;
        }
        // SAFETY: the table is valid (retained) and has the field; the text is valid while the table is (the ABI).
        let path = unsafe { (self.host.as_ref().directory)(self.host.as_ptr()).bytes() };
        path.filter(|path| !path.is_empty()).map(path_of)
    }

    /// Returns the folder in which the bundle keeps its data, and makes the folder if it does not exist. The folder is the
    /// bundle's alone, and all versions of the bundle have the same: the data survives a reload, an update and an unload.
    ///
    /// # Errors
    ///
    /// The host gives bundles no such folder (`RuntimeBuilder::data_directory`), which is
    /// [`NotFound`](io::ErrorKind::NotFound), or the folder cannot be made. The error names the remedy.
    ///
    /// ```
    /// # use polyplug::PluginContext;
    /// fn count_start(context: &PluginContext) -> std::io::Result<u64> {
    ///     let file = context.data_directory()?.join("starts");
    ///     let before = std::fs::read_to_string(&file).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    ///     std::fs::write(file, (before + 1).to_string())?;
    ///     Ok(before + 1)
    /// }
    /// ```
    pub fn data_directory(&self) -> io::Result<PathBuf> {
        if !self.has_field(offset_of!(HostApi, data_directory)) {
            let text = "this host is too old to give bundles a folder for their data: update it";
            return Err(io::Error::new(io::ErrorKind::Unsupported, text));
        }
        let mut error = AbiError::ok();
        // SAFETY: the table is valid (retained) and has the field; `error` is writable.
        let path = unsafe { (self.host.as_ref().data_directory)(self.host.as_ptr(), &raw mut error) };
        if !error.is_ok() {
            let kind = match AbiErrorCode::from_u32(error.code) {
                AbiErrorCode::NotFound => io::ErrorKind::NotFound,
                _ => io::ErrorKind::Other,
            };
            // SAFETY: the host wrote the text into this thread's buffer, where it is still unchanged.
            return Err(io::Error::new(kind, unsafe { message_text(&error) }));
        }
        // SAFETY: the text is valid while the table is (the ABI).
        Ok(path_of(unsafe { path.bytes() }.unwrap_or_default()))
    }

    /// Returns whether the host's table has the function at `offset`.
    fn has_field(&self, offset: usize) -> bool {
        // SAFETY: the table is valid (retained), and every table has the size.
        let size = unsafe { (&raw const (*self.host.as_ptr()).struct_size).read() };
        size >= offset + size_of::<usize>()
    }

    pub(super) fn host_api(&self) -> NonNull<HostApi> {
        self.host
    }

    /// Returns the host's table, for code that uses the C ABI. The table is valid while the context is.
    #[must_use]
    pub fn host_abi(&self) -> *const HostApi {
        self.host.as_ptr()
    }
}

/// Returns the path that the host's table gives as bytes.
fn path_of(bytes: &[u8]) -> PathBuf {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
    }
    #[cfg(not(unix))]
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

impl Clone for PluginContext {
    fn clone(&self) -> Self {
        // SAFETY: `self` keeps the table valid.
        unsafe { Self::retain(self.host.as_ptr()) }
    }
}

impl Drop for PluginContext {
    fn drop(&mut self) {
        // SAFETY: `retain` retained the table for this context, which does not use it afterwards.
        unsafe { (self.host.as_ref().release_host)(self.host.as_ptr()) };
    }
}

impl std::fmt::Debug for PluginContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PluginContext(bundle `{}`)", self.bundle_name())
    }
}
