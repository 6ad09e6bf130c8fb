//! The context of a plugin, which gives access to its host and to its bundle's data.

use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::time::Duration;

use polyplug_abi::{HostApi, LogLevel, StringView};

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

    pub(super) fn host_api(&self) -> NonNull<HostApi> {
        self.host
    }

    /// Returns the host's table, for code that uses the C ABI. The table is valid while the context is.
    #[must_use]
    pub fn host_abi(&self) -> *const HostApi {
        self.host.as_ptr()
    }
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
