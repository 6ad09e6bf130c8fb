//! What stands between callers and the methods of one plugin.

use std::sync::Arc;
use std::time::Instant;

use polyplug_abi::{
    AbiError, AbiErrorCode, CallArena, CreateInstance, DestroyInstance, DispatchMechanisms, DispatchType,
    GuestContractInstance, GuestContractInterface, HostApi, StringView, VmDispatch, VmLoaderData,
};
use tracing::level_filters::LevelFilter;
use tracing::span::EnteredSpan;

use super::counters::Counters;
use crate::host::abi::dispatch::{CallFrame, Dispatch};

/// The names of a plugin and its methods.
pub(crate) struct Names {
    pub(crate) bundle: String,
    /// The contract, such as `demo.calculator@1`.
    pub(crate) contract: String,
    /// The methods, in the order of the plugin's table.
    pub(crate) methods: Vec<String>,
}

/// What stands between callers and the methods of one plugin. The plugin's table is replaced by one of the observer's
/// functions, whose loader data is the observer.
pub(crate) struct Observer {
    dispatch: Dispatch,
    create: CreateInstance,
    destroy: DestroyInstance,
    /// The loader data of the plugin's own table.
    loader_data: VmLoaderData,
    names: Names,
    /// One for each method, or none if calls are not counted.
    counters: Vec<Arc<Counters>>,
    has_spans: bool,
}

// SAFETY: loader data accepts calls from any thread by the ABI's contract, and nothing else is a pointer of the plugin's but
// the dispatch, which is `Send`.
unsafe impl Send for Observer {}
// SAFETY: no method changes anything but counters, which are atomic; loader data accepts calls from any thread.
unsafe impl Sync for Observer {}

impl Observer {
    /// Makes the observer of a plugin with the table `interface`.
    ///
    /// # Safety
    ///
    /// Registration must have checked the interface. Its functions must stay valid as long as the observer is used.
    pub(super) unsafe fn new(
        interface: &GuestContractInterface,
        loader_data: VmLoaderData,
        names: Names,
        counters: Vec<Arc<Counters>>,
        has_spans: bool,
    ) -> Self {
        // SAFETY: the caller promises a checked interface, whose functions stay valid.
        let dispatch = unsafe { Dispatch::new(interface.dispatch_type, &interface.dispatch) };
        let (create, destroy) = (interface.create_instance, interface.destroy_instance);
        Self { dispatch, create, destroy, loader_data, names, counters, has_spans }
    }

    /// Returns the table that takes the place of the plugin's own, `interface`. The observer must live, and not move, as long
    /// as that table is used.
    pub(super) fn table(self: &Arc<Self>, interface: &GuestContractInterface) -> GuestContractInterface {
        let loader_data = VmLoaderData { data: Arc::as_ptr(self).cast_mut().cast() };
        GuestContractInterface {
            dispatch_type: DispatchType::VirtualMachine,
            create_instance: create,
            destroy_instance: destroy,
            dispatch: DispatchMechanisms { vm: VmDispatch { call, loader_data } },
            ..*interface
        }
    }

    /// Enters the span of a call, if a subscriber wants one.
    fn span(&self, fn_id: u32) -> Option<EnteredSpan> {
        // The usual case without a subscriber of this level, at the price of a look at an atomic.
        if !self.has_spans || LevelFilter::current() < LevelFilter::DEBUG {
            return None;
        }
        let Names { bundle, contract, methods } = &self.names;
        let method = methods.get(fn_id as usize).map_or("?", String::as_str);
        let span = tracing::debug_span!(
            target: "polyplug::call",
            "call",
            bundle = bundle.as_str(),
            contract = contract.as_str(),
            method
        );
        Some(span.entered())
    }
}

/// Returns the observer that loader data leads to.
///
/// # Safety
///
/// The loader data must be that of a table from [`Observer::table`], whose observer lives.
unsafe fn observer<'a>(loader_data: VmLoaderData) -> &'a Observer {
    // SAFETY: the caller promises that the data is a living observer.
    unsafe { &*loader_data.data.cast::<Observer>() }
}

/// Calls a method of the plugin, and observes the call.
unsafe extern "C" fn call(
    loader_data: VmLoaderData,
    instance: GuestContractInstance,
    fn_id: u32,
    args: *const (),
    out: *mut (),
    arena: *mut CallArena,
    out_err: *mut AbiError,
) {
    // SAFETY: the loader data is that of this function's table, which is used while its observer lives.
    let observer = unsafe { observer(loader_data) };
    let span = observer.span(fn_id);
    // The clock costs more than the rest: it is for calls that are counted.
    let counters = observer.counters.get(fn_id as usize);
    let start = counters.map(|_| Instant::now());
    let frame = CallFrame { args, out, arena, out_err };
    // SAFETY: the caller passes an instance of the plugin's and what the method expects (the ABI's contract).
    let is_called = unsafe { observer.dispatch.call(instance, fn_id, frame) };
    let time = start.map(|start| start.elapsed());
    drop(span);
    if !is_called && !out_err.is_null() {
        let error = AbiError::new(AbiErrorCode::FunctionNotAvailable, StringView::null());
        // SAFETY: an error that is not null may be written (the ABI's contract).
        unsafe { out_err.write(error) };
    }
    if let (Some(counters), Some(time)) = (counters, time) {
        // SAFETY: the caller has set the code to 0, or the callee to that of an error (the ABI's contract).
        let is_error = !is_called || (!out_err.is_null() && unsafe { (&raw const (*out_err).code).read() } != 0);
        counters.add(time, is_error);
    }
}

/// Makes an instance of the plugin.
unsafe extern "C" fn create(
    loader_data: VmLoaderData,
    host: *const HostApi,
    args: *const (),
    out: *mut GuestContractInstance,
) {
    // SAFETY: the loader data is that of this function's table, which is used while its observer lives.
    let observer = unsafe { observer(loader_data) };
    // SAFETY: the caller passes what the plugin's own function expects, apart from the loader data.
    unsafe { (observer.create)(observer.loader_data, host, args, out) };
}

/// Destroys an instance of the plugin.
unsafe extern "C" fn destroy(loader_data: VmLoaderData, host: *const HostApi, instance: GuestContractInstance) {
    // SAFETY: the loader data is that of this function's table, which is used while its observer lives.
    let observer = unsafe { observer(loader_data) };
    // SAFETY: the caller passes what the plugin's own function expects, apart from the loader data.
    unsafe { (observer.destroy)(observer.loader_data, host, instance) };
}
