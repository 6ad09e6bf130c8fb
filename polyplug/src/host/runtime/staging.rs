//! A bundle between its loader's start and its publication.

use std::cell::RefCell;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use polyplug_abi::{
    BundleId, BundleInitContext, GuestContractInterface, HostApi, PluginDescriptor, PluginRegistration, StringView,
};

use super::context::HostContext;
use super::loader::Module;
use crate::host::abi::interface::{checked, checked_name};
use crate::host::error::RegistryError;
use crate::host::plugin::contract_check as described;
use crate::host::store::provider::Plugin;
use crate::host::version::version::BundleVersion;

/// What a bundle has registered so far.
#[derive(Default)]
pub(crate) struct Registrations {
    list: Mutex<Option<Vec<Plugin>>>,
    /// Why the first one that was refused was, should the bundle not care.
    refusal: OnceLock<String>,
}

impl Registrations {
    /// Accepts registrations from now on.
    pub(crate) fn open(&self) {
        *self.list.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
    }

    /// Accepts no more; what was registered.
    pub(crate) fn close(&self) -> Vec<Plugin> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
    }

    /// Why the first plugin that was refused was, if one was.
    pub(crate) fn refusal(&self) -> Option<&str> {
        self.refusal.get().map(String::as_str)
    }

    /// Adds the plugin that was read, or remembers why it could not be.
    pub(crate) fn add(&self, plugin: Result<Plugin, RegistryError>) -> Result<(), RegistryError> {
        plugin.and_then(|plugin| self.push(plugin)).inspect_err(|error| {
            self.refusal.get_or_init(|| error.to_string());
        })
    }

    fn push(&self, plugin: Plugin) -> Result<(), RegistryError> {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(list) = list.as_mut() else {
            return Err(RegistryError::InvalidInterface {
                plugin: plugin.name,
                reason: "plugins are registered while their bundle is being loaded, not later".to_owned(),
            });
        };
        let contract = plugin.contract_id;
        if let Some(existing) = list.iter().find(|known| known.contract_id == contract) {
            return Err(RegistryError::DuplicateProvider {
                contract: plugin.contract,
                existing: existing.name.clone(),
            });
        }
        list.push(plugin);
        Ok(())
    }
}

/// Reads what a plugin without a schema registers.
///
/// # Safety
///
/// Both pointers must be null or lead to readable memory of their types.
pub(crate) unsafe fn read_plugin(
    bundle: BundleId,
    descriptor: *const PluginDescriptor,
    interface: *const GuestContractInterface,
) -> Result<Plugin, RegistryError> {
    let invalid = |plugin: &str, reason| RegistryError::InvalidInterface { plugin: plugin.to_owned(), reason };
    if descriptor.is_null() || !descriptor.is_aligned() {
        return Err(invalid("?", "the descriptor is null or not aligned".to_owned()));
    }
    // SAFETY: not null and aligned (checked above), readable (the caller's promise); every bit pattern is valid.
    let descriptor = unsafe { descriptor.read() };
    // SAFETY: the caller's promise.
    let name = unsafe { checked_name(descriptor.name, "plugin's name") }.map_err(|reason| invalid("?", reason))?;
    // SAFETY: the caller's promise.
    let contract = unsafe { checked_name(descriptor.contract_name, "contract's name") }
        .map_err(|reason| invalid(&name, reason))?;
    // SAFETY: the caller's promise.
    let interface = unsafe { checked(interface) }.map_err(|reason| invalid(&name, reason))?;
    Ok(Plugin::plain(&descriptor, name, contract, bundle, interface))
}

/// Reads what `#[plugin]` registers.
///
/// # Safety
///
/// The pointer must be null or lead to a readable registration of the size it states.
pub(crate) unsafe fn read_registration(
    bundle: BundleId,
    registration: *const PluginRegistration,
) -> Result<Plugin, RegistryError> {
    let invalid = |reason: String| RegistryError::InvalidInterface { plugin: "?".to_owned(), reason };
    if registration.is_null() || !registration.is_aligned() {
        return Err(invalid("the registration is null or not aligned".to_owned()));
    }
    // SAFETY: not null and aligned (checked above); a registration of any version begins with its size.
    let size = unsafe { (&raw const (*registration).struct_size).read() };
    if size < size_of::<PluginRegistration>() {
        let least = size_of::<PluginRegistration>();
        return Err(invalid(format!("the registration has {size} bytes, and version 1 of the ABI has {least}")));
    }
    // SAFETY: large enough (checked above). Optional functions are nullable, so every bit pattern is valid.
    let registration = unsafe { registration.read() };
    // SAFETY: the caller's promise.
    let plugin = unsafe { read_plugin(bundle, &raw const registration.descriptor, registration.interface) }?;
    // SAFETY: the caller's promise.
    let schema = unsafe { registration.schema.bytes() }.ok_or_else(|| invalid("the schema is null".to_owned()))?;
    let schema = if schema.is_empty() { None } else { Some(described::read(schema, &plugin)?) };
    let PluginRegistration { flags, create, save, restore, health, .. } = registration;
    Ok(Plugin { flags, create, save, restore, health, schema, ..plugin })
}

thread_local! {
    /// The bundles this thread is loading, the innermost last.
    static LOADING: RefCell<Vec<Arc<BundleVersion>>> = const { RefCell::new(Vec::new()) };
}

/// Marks `version` as being loaded by this thread until dropped.
pub(crate) struct Loading(());

impl Loading {
    pub(crate) fn enter(version: &Arc<BundleVersion>) -> Self {
        LOADING.with_borrow_mut(|loading| loading.push(Arc::clone(version)));
        Self(())
    }
}

impl Drop for Loading {
    fn drop(&mut self) {
        let version = LOADING.with_borrow_mut(Vec::pop);
        drop(version); // outside of the borrow: it may be the last lease
    }
}

/// The innermost bundle that this thread is loading for the runtime of `host`.
pub(crate) fn innermost(belongs: impl Fn(&HostContext) -> bool) -> Option<Arc<BundleVersion>> {
    LOADING.with_borrow(|loading| loading.iter().rev().find(|version| belongs(version.context())).cloned())
}

/// A bundle that is being loaded, as its loader sees it. From [`Runtime::staging`](crate::Runtime::staging).
pub struct Staging {
    version: Arc<BundleVersion>,
}

impl Staging {
    pub(crate) fn new(version: Arc<BundleVersion>) -> Self {
        Self { version }
    }

    /// The table to hand to the bundle's code. It lives as long as that code may run.
    #[must_use]
    pub fn host_abi(&self) -> *const HostApi {
        self.version.context().host_api()
    }

    pub(crate) fn context(&self) -> Arc<HostContext> {
        Arc::clone(self.version.context())
    }

    /// Registers a plugin that an engine runs.
    pub(crate) fn register(&self, plugin: Plugin) -> Result<(), RegistryError> {
        let scope = self.version.context().bundle.as_ref().expect("a version has a scope");
        scope.registrations.add(Ok(plugin))
    }

    /// What to hand to `polyplug_init` for a bundle at `path`; valid while `path` is.
    #[must_use]
    pub fn init_context(&self, path: &Path) -> BundleInitContext {
        let path = StringView::lend(path.as_os_str().as_encoded_bytes());
        BundleInitContext { bundle_id: self.version.id().id(), bundle_path: path }
    }

    /// Keeps `value` until nothing can run the bundle's code any more; then drops it.
    ///
    /// The drop happens after the last instance has ended, on a thread that has none of the code's frames. What was
    /// kept last goes first.
    pub fn keep(&self, value: impl Send + Sync + 'static) {
        struct Value<T>(T);
        impl<T: Send + Sync> Module for Value<T> {
            fn close(self: Box<Self>) -> Option<String> {
                drop(self.0);
                None
            }
        }
        self.keep_module(Value(value));
    }

    /// As [`keep`](Self::keep), for what can tell whether it has really gone.
    pub fn keep_module(&self, module: impl Module + 'static) {
        self.version.keep_module(Box::new(module));
    }
}

impl std::fmt::Debug for Staging {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Staging({})", self.version.name())
    }
}
