//! The functions of [`HostApi`].
//!
//! Each finds its context, does its work on the runtime's ordinary methods, and turns what comes out into the C form.
//! None lets a panic out. A failure is reported where the signature has room for it, and recorded as the runtime's
//! last error in any case.

mod bundle_info;
mod bundles;
mod calls;
mod error;
mod lookup;
mod memory;
pub(crate) mod messages;
mod proxies;
mod registration;
mod threads;

use std::alloc::Layout;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use error::Refusal;
use polyplug_abi::{AbiError, AbiErrorCode, Array, HostApi, StringView};

use crate::guest::write_error_into;
use crate::host::abi::arena;
use crate::host::runtime::context::HostContext;
use crate::host::runtime::runtime::Runtime;

/// A table whose functions find their context at `context`.
pub(crate) fn table(context: *mut c_void) -> HostApi {
    HostApi {
        runtime: context,
        register_guest_contract: registration::register_guest_contract,
        alloc: memory::alloc,
        free: memory::free,
        find_guest_contract: lookup::find_guest_contract,
        find_all_guest_contracts: lookup::find_all_guest_contracts,
        resolve_guest_contract: lookup::resolve_guest_contract,
        get_host_contract: lookup::get_host_contract,
        resolve_host_contract_interface: lookup::resolve_host_contract_interface,
        list_bundles: lookup::list_bundles,
        get_dependencies: lookup::get_dependencies,
        load_bundle: bundles::load_bundle,
        reload_bundle: bundles::reload_bundle,
        register_host_contract: registration::register_host_contract,
        register_loader: registration::register_loader,
        get_last_error: messages::get_last_error,
        get_error_len: messages::get_error_len,
        struct_size: size_of::<HostApi>(),
        call_guest_method: calls::call_guest_method,
        create_guest_instance: calls::create_guest_instance,
        destroy_guest_instance: calls::destroy_guest_instance,
        unload_bundle: bundles::unload_bundle,
        log: messages::log,
        register_plugin: registration::register_plugin,
        error_text: memory::error_text,
        enter_arena: memory::enter_arena,
        leave_arena: memory::leave_arena,
        retain_host: memory::retain_host,
        release_host: memory::release_host,
        lease: lookup::lease,
        release: lookup::release,
        spawn: threads::spawn,
        wait_retired: threads::wait_retired,
        prefer: lookup::prefer,
        find_guest_contract_in: lookup::find_guest_contract_in,
        unload_bundle_cascade: bundles::unload_bundle_cascade,
        quiesce: bundles::quiesce,
        open_proxy: proxies::open_proxy,
        call_proxy: proxies::call_proxy,
        close_proxy: proxies::close_proxy,
        offer_object: proxies::offer_object,
        share_object: proxies::share_object,
        config: bundle_info::config,
        bundle_name: bundle_info::bundle_name,
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
            // SAFETY: the caller's promise; the thread's buffer has the length that was asked for.
            unsafe { write_error_into(out_err, refusal.code, &refusal.text, arena::error_text) };
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
