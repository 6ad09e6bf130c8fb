//! The functions of [`HostApi`].
//!
//! Each finds its context, does its work on the runtime's ordinary methods, and turns what comes out into the C form.
//! None lets a panic out. A failure is reported where the signature has room for it, and recorded as the runtime's
//! last error in any case.

use std::alloc::Layout;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use polyplug_abi::{
    AbiError, AbiErrorCode, Array, BundleId, CallArena, DependencyInfo, GuestContractHandle, GuestContractId,
    GuestContractInstance, GuestContractInterface, HostApi, HostContractId, HostContractInstance,
    HostContractInterface, LogLevel, PluginDescriptor, PluginRegistration, StringView,
};

use super::arena;
use super::context::HostContext;
use super::error::{LoaderError, RegistryError, RuntimeError};
use super::loader::BundleLoader;
use super::runtime::Runtime;
use super::staging::{self, read_plugin, read_registration};
use crate::call_error::message_text;

/// A table whose functions find their context at `context`.
pub(super) fn table(context: *mut c_void) -> HostApi {
    HostApi {
        runtime: context,
        register_guest_contract,
        alloc,
        free,
        find_guest_contract,
        find_all_guest_contracts,
        resolve_guest_contract,
        get_host_contract,
        resolve_host_contract_interface,
        list_bundles,
        get_dependencies,
        load_bundle,
        reload_bundle,
        register_host_contract,
        register_loader,
        get_last_error,
        get_error_len,
        struct_size: size_of::<HostApi>(),
        call_guest_method,
        create_guest_instance,
        destroy_guest_instance,
        unload_bundle,
        log,
        register_plugin,
        error_text,
        enter_arena,
        leave_arena,
        retain,
        release,
    }
}

/// A failure on its way out.
struct Refusal {
    code: AbiErrorCode,
    text: String,
}

impl Refusal {
    fn new(code: AbiErrorCode, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    fn null(what: &str) -> Self {
        Self::new(AbiErrorCode::InvalidPointer, format!("{what} is null"))
    }
}

impl From<RegistryError> for Refusal {
    fn from(error: RegistryError) -> Self {
        let code = match error {
            RegistryError::StaleHandle { .. } | RegistryError::InvalidHandle { .. } => AbiErrorCode::StaleHandle,
            RegistryError::NotFound { .. } => AbiErrorCode::NotFound,
            RegistryError::DuplicateProvider { .. } => AbiErrorCode::DuplicateProvider,
            RegistryError::InvalidInterface { .. } => AbiErrorCode::InvalidInterface,
        };
        Self::new(code, error.to_string())
    }
}

impl From<RuntimeError> for Refusal {
    fn from(error: RuntimeError) -> Self {
        let code = match &error {
            RuntimeError::Registry(inner) => return inner.clone().into(),
            RuntimeError::NoProvider { .. }
            | RuntimeError::BundleNotLoaded { .. }
            | RuntimeError::Manifest(super::error::ManifestError::Missing { .. })
            | RuntimeError::Loader(LoaderError::ArtifactMissing { .. }) => AbiErrorCode::NotFound,
            RuntimeError::Busy { .. } => AbiErrorCode::ReentrantCall,
            RuntimeError::Factory { .. } => AbiErrorCode::FactoryFailed,
            RuntimeError::Incompatible { .. } | RuntimeError::NoSchema { .. } => AbiErrorCode::IncompatibleContract,
            RuntimeError::HotReloadDisabled { .. } | RuntimeError::DependencyInUse { .. } => AbiErrorCode::NotAllowed,
            _ => AbiErrorCode::Generic,
        };
        Self::new(code, error.to_string())
    }
}

/// Runs `body` with the runtime behind `host`. A failure is recorded and written to `out_err`, if there is one.
///
/// # Safety
///
/// `host` must be null or a valid table of ours, `out_err` null or writable.
unsafe fn answer<R>(
    host: *const HostApi,
    out_err: *mut AbiError,
    otherwise: R,
    body: impl FnOnce(&HostContext, &Arc<Runtime>) -> Result<R, Refusal>,
) -> R {
    // SAFETY: the caller's promise.
    let context = unsafe { HostContext::of(host) };
    let runtime = context.and_then(HostContext::runtime);
    let outcome = match (context, &runtime) {
        (None, _) => Err(Refusal::null("the host")),
        (_, None) => Err(Refusal::new(AbiErrorCode::Unloaded, "the runtime has ended")),
        (Some(context), Some(runtime)) => catch_unwind(AssertUnwindSafe(|| body(context, runtime)))
            .unwrap_or_else(|payload| Err(Refusal::new(AbiErrorCode::Panic, crate::guest::describe_panic(payload)))),
    };
    let value = match outcome {
        Ok(value) => value,
        Err(refusal) => {
            // SAFETY: the caller's promise.
            unsafe { refuse(&refusal, out_err) };
            if let Some(runtime) = &runtime {
                runtime.record_error(refusal.text);
            }
            otherwise
        }
    };
    if let Some(runtime) = runtime {
        runtime.give_back();
    }
    value
}

/// Changes a bundle: at once for the host, later for a plugin, which must not wait for what may end it.
fn change(
    context: &HostContext,
    runtime: &Arc<Runtime>,
    change: impl FnOnce(&Runtime) -> Result<(), RuntimeError> + Send + 'static,
) -> Result<(), Refusal> {
    if context.bundle.is_some() {
        runtime.change_later(change);
        return Ok(());
    }
    Ok(change(runtime)?)
}

/// Writes a failure, its text in the buffer kept for this thread.
unsafe fn refuse(refusal: &Refusal, out_err: *mut AbiError) {
    if out_err.is_null() {
        return;
    }
    let text = refusal.text.as_bytes();
    let place = arena::error_text(text.len());
    let mut message = StringView::null();
    if !place.is_null() {
        // SAFETY: `place` has room for the text.
        unsafe { place.copy_from_nonoverlapping(text.as_ptr(), text.len()) };
        message = StringView { ptr: place, len: text.len() };
    }
    // SAFETY: not null, and writable by the caller's promise.
    unsafe { out_err.write(AbiError::new(refusal.code, message)) };
}

/// Text that came as pointer and length.
unsafe fn text_from(ptr: *const u8, len: usize, what: &str) -> Result<String, Refusal> {
    if ptr.is_null() {
        return Err(Refusal::null(what));
    }
    // SAFETY: the caller of the table's function promises `len` readable bytes.
    let bytes = unsafe { StringView { ptr, len }.bytes() }
        .ok_or_else(|| Refusal::new(AbiErrorCode::InvalidArgument, format!("{what} has an impossible length")))?;
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(Refusal::new(AbiErrorCode::InvalidArgument, format!("{what} is not UTF-8: {error}"))),
    }
}

/// An array in memory that the receiver gives back through `free`.
fn array<T: Copy>(items: &[T]) -> Array<T> {
    if items.is_empty() {
        return Array::empty();
    }
    let Ok(layout) = Layout::array::<T>(items.len()) else { return Array::empty() };
    // SAFETY: the size is not 0: there are items, and no item type here is without size.
    let start = unsafe { std::alloc::alloc(layout) }.cast::<T>();
    if start.is_null() {
        return Array::empty();
    }
    // SAFETY: fresh room for the items.
    unsafe { start.copy_from_nonoverlapping(items.as_ptr(), items.len()) };
    Array::new(start, items.len())
}

// SAFETY (for every function below): called through the table as `HostApi` documents, so `host` is null or a valid
// table of ours, and the other pointers are null or lead to memory of their types.

unsafe extern "C" fn register_guest_contract(
    host: *const HostApi,
    descriptor: *const PluginDescriptor,
    interface: *const GuestContractInterface,
    out_err: *mut AbiError,
) {
    // SAFETY: as above.
    unsafe {
        answer(host, out_err, (), |context, runtime| {
            if descriptor.is_null() || interface.is_null() {
                return Err(Refusal::null("the descriptor or the interface"));
            }
            register(context, runtime, |bundle| read_plugin(bundle, descriptor, interface))
        });
    }
}

unsafe extern "C" fn register_plugin(
    host: *const HostApi,
    registration: *const PluginRegistration,
    out_err: *mut AbiError,
) {
    // SAFETY: as above.
    unsafe {
        answer(host, out_err, (), |context, runtime| {
            if registration.is_null() {
                return Err(Refusal::null("the registration"));
            }
            register(context, runtime, |bundle| read_registration(bundle, registration))
        });
    }
}

/// Adds a plugin to the bundle whose table was used, or, through the host's own, to the one this thread is loading.
fn register(
    context: &HostContext,
    runtime: &Runtime,
    read: impl FnOnce(BundleId) -> Result<super::provider::Plugin, RegistryError>,
) -> Result<(), Refusal> {
    if let Some(scope) = &context.bundle {
        return Ok(scope.registrations.add(read(scope.id))?);
    }
    let loading = staging::innermost(|context| context.belongs_to(runtime));
    let Some(version) = loading else {
        return Err(Refusal::new(
            AbiErrorCode::NotAllowed,
            "no bundle is being loaded on this thread: plugins are registered from their bundle's polyplug_init",
        ));
    };
    let scope = version.context().bundle.as_ref().expect("a bundle's table has the bundle's scope");
    Ok(scope.registrations.add(read(scope.id))?)
}

unsafe extern "C" fn alloc(_: *const HostApi, size: usize, align: usize) -> *mut u8 {
    match Layout::from_size_align(size, align) {
        // SAFETY: the size is not 0.
        Ok(layout) if size > 0 => unsafe { std::alloc::alloc(layout) },
        _ => std::ptr::null_mut(),
    }
}

unsafe extern "C" fn free(_: *const HostApi, ptr: *mut u8, size: usize, align: usize) {
    if ptr.is_null() || size == 0 {
        return;
    }
    if let Ok(layout) = Layout::from_size_align(size, align) {
        // SAFETY: allocated by `alloc` or `array` with this layout (the caller's promise).
        unsafe { std::alloc::dealloc(ptr, layout) };
    }
}

unsafe extern "C" fn find_guest_contract(
    host: *const HostApi,
    contract_id: u64,
    min_version: u32,
) -> GuestContractHandle {
    // SAFETY: as above.
    unsafe {
        answer(host, std::ptr::null_mut(), GuestContractHandle::null(), |_, runtime| {
            Ok(runtime.find_guest_contract(contract_id, min_version)?)
        })
    }
}

unsafe extern "C" fn find_all_guest_contracts(
    host: *const HostApi,
    contract_id: u64,
    min_version: u32,
) -> Array<GuestContractHandle> {
    // SAFETY: as above.
    unsafe {
        answer(host, std::ptr::null_mut(), Array::empty(), |_, runtime| {
            let contract = GuestContractId::from_u64(contract_id);
            Ok(array(&runtime.store().find_all_guest_contracts(contract, min_version)))
        })
    }
}

unsafe extern "C" fn resolve_guest_contract(
    host: *const HostApi,
    handle: GuestContractHandle,
) -> *const GuestContractInterface {
    if handle.is_null() {
        return std::ptr::null();
    }
    // SAFETY: as above.
    unsafe {
        answer(host, std::ptr::null_mut(), std::ptr::null(), |_, runtime| Ok(runtime.resolve_guest_contract(handle)?))
    }
}

/// What a failed look-up of a host contract means.
fn no_host_contract(id: HostContractId, min_version: u32, other_version: bool) -> Refusal {
    if other_version {
        let text = format!("host contract {id}: the host provides an older minor version than {min_version}");
        return Refusal::new(AbiErrorCode::HostContractVersionMismatch, text);
    }
    Refusal::new(AbiErrorCode::HostContractNotFound, format!("host contract {id}: the host does not provide it"))
}

unsafe extern "C" fn get_host_contract(
    host: *const HostApi,
    contract_id: u64,
    min_version: u32,
) -> HostContractInstance {
    let id = HostContractId::from_u64(contract_id);
    // SAFETY: as above.
    unsafe {
        answer(host, std::ptr::null_mut(), HostContractInstance::null(), |_, runtime| {
            runtime.host_contracts().instance(id, min_version).map_err(|other| no_host_contract(id, min_version, other))
        })
    }
}

unsafe extern "C" fn resolve_host_contract_interface(
    host: *const HostApi,
    contract_id: u64,
    min_version: u32,
) -> *const HostContractInterface {
    let id = HostContractId::from_u64(contract_id);
    // SAFETY: as above.
    unsafe {
        answer(host, std::ptr::null_mut(), std::ptr::null(), |_, runtime| {
            runtime.host_contracts().resolve(id, min_version).map_err(|other| no_host_contract(id, min_version, other))
        })
    }
}

unsafe extern "C" fn list_bundles(host: *const HostApi) -> Array<BundleId> {
    // SAFETY: as above.
    unsafe { answer(host, std::ptr::null_mut(), Array::empty(), |_, runtime| Ok(array(&runtime.bundle_ids()))) }
}

unsafe extern "C" fn get_dependencies(host: *const HostApi) -> Array<DependencyInfo> {
    // SAFETY: as above.
    unsafe {
        answer(host, std::ptr::null_mut(), Array::empty(), |context, _| {
            Ok(context.bundle.as_ref().map_or(Array::empty(), |scope| array(&scope.dependencies)))
        })
    }
}

unsafe extern "C" fn load_bundle(host: *const HostApi, path: *const u8, len: usize, out_err: *mut AbiError) {
    // SAFETY: as above.
    unsafe {
        answer(host, out_err, (), |context, runtime| {
            let path = PathBuf::from(text_from(path, len, "the path")?);
            change(context, runtime, move |runtime| runtime.load_bundle(&path).map(drop))
        });
    }
}

unsafe extern "C" fn reload_bundle(host: *const HostApi, path: *const u8, len: usize, out_err: *mut AbiError) {
    // SAFETY: as above.
    unsafe {
        answer(host, out_err, (), |context, runtime| {
            let path = PathBuf::from(text_from(path, len, "the path")?);
            change(context, runtime, move |runtime| runtime.reload_bundle(&path).map(drop))
        });
    }
}

unsafe extern "C" fn unload_bundle(host: *const HostApi, bundle_id: u64, out_err: *mut AbiError) {
    // SAFETY: as above.
    unsafe {
        answer(host, out_err, (), |context, runtime| {
            let id = BundleId::from_u64(bundle_id);
            change(context, runtime, move |runtime| runtime.unload_bundle(id).map(drop))
        });
    }
}

unsafe extern "C" fn register_host_contract(
    host: *const HostApi,
    interface: *const HostContractInterface,
    out_err: *mut AbiError,
) {
    // SAFETY: as above; the table's documentation asks the caller to keep the interface valid.
    unsafe {
        answer(host, out_err, (), |_, runtime| {
            if interface.is_null() {
                return Err(Refusal::null("the interface"));
            }
            runtime
                .host_contracts()
                .register(interface)
                .map_err(|reason| Refusal::new(AbiErrorCode::DuplicateProvider, reason))
        });
    }
}

unsafe extern "C" fn register_loader(host: *const HostApi, loader: *mut c_void, out_err: *mut AbiError) {
    // SAFETY: as above; the table's documentation asks for a boxed `Box<dyn BundleLoader>`.
    unsafe {
        answer(host, out_err, (), |_, runtime| {
            if loader.is_null() {
                return Err(Refusal::null("the loader"));
            }
            let loader = *Box::from_raw(loader.cast::<Box<dyn BundleLoader>>());
            runtime.register_loader(loader)?;
            Ok(())
        });
    }
}

unsafe extern "C" fn get_last_error(host: *const HostApi, buf: *mut u8, len: usize) -> usize {
    // SAFETY: as above.
    let runtime = unsafe { HostContext::of(host) }.and_then(HostContext::runtime);
    let Some(runtime) = runtime.filter(|_| !buf.is_null() && len > 0) else { return 0 };
    let text = runtime.take_error();
    // Cut where a letter ends, so that what arrives is text.
    let fits = (0..=len.min(text.len())).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    // SAFETY: the caller offers `len` bytes.
    unsafe { buf.copy_from_nonoverlapping(text.as_ptr(), fits) };
    fits
}

unsafe extern "C" fn get_error_len(host: *const HostApi) -> usize {
    // SAFETY: as above.
    let runtime = unsafe { HostContext::of(host) }.and_then(HostContext::runtime);
    runtime.map_or(0, |runtime| runtime.error_len())
}

unsafe extern "C" fn call_guest_method(
    host: *const HostApi,
    instance: GuestContractInstance,
    fn_id: u32,
    args: *const (),
    out: *mut (),
    arena: *mut CallArena,
    out_err: *mut AbiError,
) {
    // SAFETY: as above. Where the caller has no room for an error, the callee gets some.
    unsafe {
        let mut spare = AbiError::ok();
        let callee_err = if out_err.is_null() { &raw mut spare } else { out_err };
        answer(host, out_err, (), |_, runtime| {
            let instance = runtime.instance(instance)?;
            let call = instance.incarnation().entry(fn_id).ok_or_else(|| {
                Refusal::new(AbiErrorCode::FunctionNotAvailable, format!("the provider has no function {fn_id}"))
            })?;
            call(args, out, arena, callee_err);
            if (*callee_err).code != 0 {
                runtime.record_error(message_text(&*callee_err));
            }
            Ok(())
        });
    }
}

unsafe extern "C" fn create_guest_instance(
    host: *const HostApi,
    handle: GuestContractHandle,
    _args: *const (),
    out_instance: *mut GuestContractInstance,
    out_err: *mut AbiError,
) {
    // SAFETY: as above.
    unsafe {
        answer(host, out_err, (), |_, runtime| {
            if out_instance.is_null() {
                return Err(Refusal::null("the room for the instance"));
            }
            out_instance.write(runtime.create_token(handle)?);
            Ok(())
        });
    }
}

unsafe extern "C" fn destroy_guest_instance(host: *const HostApi, instance: GuestContractInstance) {
    // SAFETY: as above.
    unsafe {
        answer(host, std::ptr::null_mut(), (), |_, runtime| {
            runtime.destroy_token(instance);
            Ok(())
        });
    }
}

unsafe extern "C" fn log(host: *const HostApi, level: u32, scope: StringView, message: StringView) {
    // SAFETY: as above; both views are readable during the call.
    let (context, scope, message) = unsafe { (HostContext::of(host), scope.bytes(), message.bytes()) };
    let bundle = context.and_then(|context| context.bundle.as_ref()).map_or("", |scope| scope.name.as_str());
    let scope = String::from_utf8_lossy(scope.unwrap_or_default());
    let message = String::from_utf8_lossy(message.unwrap_or_default());
    // A subscriber is the program's own code and may panic.
    let _ = catch_unwind(AssertUnwindSafe(|| emit(LogLevel(level), bundle, &scope, &message)));
}

/// One event of the `tracing` world; its target is `polyplug::plugin`.
fn emit(level: LogLevel, bundle: &str, scope: &str, message: &str) {
    macro_rules! event {
        ($level:ident) => {
            tracing::event!(target: "polyplug::plugin", tracing::Level::$level, bundle, scope, "{message}")
        };
    }
    match level {
        LogLevel::Error => event!(ERROR),
        LogLevel::Warn => event!(WARN),
        LogLevel::Info => event!(INFO),
        LogLevel::Debug => event!(DEBUG),
        _ => event!(TRACE),
    }
}

unsafe extern "C" fn error_text(_: *const HostApi, len: usize) -> *mut u8 {
    catch_unwind(|| arena::error_text(len)).unwrap_or(std::ptr::null_mut())
}

unsafe extern "C" fn enter_arena(_: *const HostApi) -> *mut CallArena {
    arena::enter()
}

unsafe extern "C" fn leave_arena(_: *const HostApi, arena: *mut CallArena) {
    // SAFETY: from `enter_arena` on this thread, the innermost (the caller's promise).
    unsafe { arena::leave(arena) };
}

unsafe extern "C" fn retain(host: *const HostApi) {
    if !host.is_null() {
        // SAFETY: every table lies at the start of a context in an `Arc`, and the pointer came from that `Arc`.
        unsafe { Arc::increment_strong_count(host.cast::<HostContext>()) };
    }
}

unsafe extern "C" fn release(host: *const HostApi) {
    if !host.is_null() {
        // SAFETY: as in `retain`, which the caller called before.
        unsafe { Arc::decrement_strong_count(host.cast::<HostContext>()) };
    }
}
