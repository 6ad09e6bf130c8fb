//! What a plugin knows of the bundle it is part of and of its host.

use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::time::Duration;

use polyplug_abi::{HostApi, LogLevel, StringView};

/// A plugin's way to its host. Handed to factories; may be cloned and kept.
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

// SAFETY: the host's table accepts calls from any thread, and stays valid while it is retained.
unsafe impl Send for PluginContext {}
// SAFETY: as for `Send`.
unsafe impl Sync for PluginContext {}

impl PluginContext {
    /// A context that keeps the host's table valid. It does not keep the bundle loaded.
    ///
    /// # Safety
    ///
    /// `host` must be valid and not null.
    pub(crate) unsafe fn retain(host: *const HostApi) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            ((*host).retain_host)(host);
            Self { host: NonNull::new_unchecked(host.cast_mut()) }
        }
    }

    /// A context for one call of a factory: the host keeps its table valid meanwhile, so nothing is retained. A clone
    /// that the factory makes retains it as usual.
    ///
    /// # Safety
    ///
    /// `host` must be valid and not null for as long as the context is used.
    pub(crate) unsafe fn borrow(host: *const HostApi) -> ManuallyDrop<Self> {
        // SAFETY: the caller's promise.
        ManuallyDrop::new(Self { host: unsafe { NonNull::new_unchecked(host.cast_mut()) } })
    }

    /// Writes to the host's log, under the bundle's name.
    pub fn log(&self, level: LogLevel, message: &str) {
        let scope = StringView::null();
        // SAFETY: the table is valid (retained), and the views are alive during the call.
        unsafe { (self.host.as_ref().log)(self.host.as_ptr(), level.0, scope, StringView::lend(message.as_bytes())) };
    }

    /// Whether the version of the bundle that this context belongs to has been reloaded or unloaded.
    #[must_use]
    pub fn is_retired(&self) -> bool {
        self.wait_retired(Duration::ZERO)
    }

    /// Waits until the version of the bundle that this context belongs to is reloaded or unloaded, at most for
    /// `timeout`; whether it is. Only for threads of the bundle's own: whoever calls a plugin is not kept waiting.
    #[must_use]
    pub fn wait_retired(&self, timeout: Duration) -> bool {
        let millis = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        // SAFETY: the table is valid (retained).
        unsafe { (self.host.as_ref().wait_retired)(self.host.as_ptr(), millis) != 0 }
    }

    /// The name of the bundle that this plugin is part of.
    #[must_use]
    pub fn bundle_name(&self) -> String {
        // SAFETY: the table is valid (retained), and its text as long as that.
        let name = unsafe { (self.host.as_ref().bundle_name)(self.host.as_ptr()).bytes() };
        name.map(String::from_utf8_lossy).unwrap_or_default().into_owned()
    }

    /// The bundle's settings as JSON: what its manifest says under `[config]`, with what the host says instead. `{}` when
    /// there are none.
    ///
    /// They stay as they are for as long as this version of the bundle. What TOML has and JSON has not is text: dates and
    /// times, `nan` and `inf`. With the feature `config`, `PluginContext::config` reads them into a type.
    #[must_use]
    pub fn config_text(&self) -> String {
        // SAFETY: as above.
        let text = unsafe { (self.host.as_ref().config)(self.host.as_ptr()).bytes() };
        text.map(String::from_utf8_lossy).unwrap_or_default().into_owned()
    }

    pub(super) fn host_api(&self) -> NonNull<HostApi> {
        self.host
    }

    /// The host's table, for code that speaks the C ABI. Valid while the context is.
    #[must_use]
    pub fn host_abi(&self) -> *const HostApi {
        self.host.as_ptr()
    }
}

impl Clone for PluginContext {
    fn clone(&self) -> Self {
        // SAFETY: valid while `self` is.
        unsafe { Self::retain(self.host.as_ptr()) }
    }
}

impl Drop for PluginContext {
    fn drop(&mut self) {
        // SAFETY: retained by `retain`, and not used afterwards.
        unsafe { (self.host.as_ref().release_host)(self.host.as_ptr()) };
    }
}

impl std::fmt::Debug for PluginContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PluginContext").finish_non_exhaustive()
    }
}
