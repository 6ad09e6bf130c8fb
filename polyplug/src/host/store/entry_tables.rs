//! The tables of entries through which proxies call a provider.

use std::ptr::NonNull;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use polyplug_abi::{
    AbiError, AbiErrorCode, CallArena, DispatchType, Entry, GuestContractInstance, StringView, VmLoaderData,
};

use crate::contract_info::ContractInfo;
use crate::host::abi::dispatch::{CallFrame, Dispatch};
use crate::host::abi::interface::native_functions;
use crate::host::abi::table::HostTable;
use crate::host::adapter::method_map::MethodMap;
use crate::host::error::runtime::RuntimeError;
use crate::host::plugin::contract_check;
use crate::host::plugin::plugin::Plugin;
use crate::proxy::Trampoline;

/// The tables of one provider: one for each contract type that the program calls the provider through, usually one.
#[derive(Default)]
pub(crate) struct EntryTables {
    first: OnceLock<Table>,
    // A program may link two builds of a contract. Boxed, as proxies keep pointers to the tables.
    #[allow(clippy::vec_box)]
    others: Mutex<Vec<Box<Table>>>,
}

struct Table {
    info: &'static ContractInfo,
    start: NonNull<Entry>,
    /// The entries, unless `start` points to the provider's own table or to those of `info`.
    _own: Option<Box<[Entry]>>,
    /// The provider's methods, if some of them are called through adapters.
    adapted: Option<Box<AdaptedMethods>>,
}

/// The entries of a provider for one contract type.
#[derive(Clone, Copy)]
pub(crate) struct Entries<'a> {
    /// The first entry.
    pub(crate) start: NonNull<Entry>,
    /// The provider's methods, if the entries expect a trampoline that leads to [`call_adapted`].
    pub(crate) adapted: Option<&'a AdaptedMethods>,
}

// SAFETY: a table never changes; its entries accept calls from any thread by the ABI's contract.
unsafe impl Send for Table {}
// SAFETY: no method changes a table; its entries accept calls from any thread by the ABI's contract.
unsafe impl Sync for Table {}

impl EntryTables {
    /// Returns the entries of the first table that was made, if that table is for `info`.
    #[inline]
    pub(crate) fn first(&self, info: &'static ContractInfo) -> Option<Entries<'_>> {
        self.first.get().filter(|first| std::ptr::eq(first.info, info)).map(Table::entries)
    }

    /// Returns the entries for `info`. Makes the table if it does not exist yet. `table` is the host's for the provider's code.
    #[cold]
    pub(crate) fn find_or_make(
        &self,
        info: &'static ContractInfo,
        plugin: &Plugin,
        bundle: &str,
        table: &HostTable,
    ) -> Result<Entries<'_>, RuntimeError> {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let of_info = |table: &&Table| std::ptr::eq(table.info, info);
        if let Some(table) = self.first.get().filter(of_info) {
            return Ok(table.entries());
        }
        let known = others.iter().map(|table| &**table).find(of_info).map(NonNull::from);
        let table = match known {
            Some(table) => table,
            None => match self.first.set(Table::new(info, plugin, bundle, table)?) {
                Ok(()) => NonNull::from(self.first.get().expect("it was just set")),
                Err(table) => {
                    others.push(Box::new(table));
                    NonNull::from(&**others.last().expect("it was just added"))
                }
            },
        };
        // SAFETY: a table is never removed, and does not move as it is boxed or in `first`.
        Ok(unsafe { table.as_ref() }.entries())
    }
}

impl Table {
    fn new(
        info: &'static ContractInfo,
        plugin: &Plugin,
        bundle: &str,
        table: &HostTable,
    ) -> Result<Self, RuntimeError> {
        let map = contract_check::method_map(info, plugin, bundle)?;
        let provided: &[Entry] = match plugin.interface.dispatch_type {
            // SAFETY: the dispatch is native, and registration checked the interface's table.
            DispatchType::Native => unsafe { native_functions(&plugin.interface) },
            _ => info.via,
        };
        let Some(map) = map else {
            if provided.len() >= info.methods.len() {
                return Ok(Self { info, start: NonNull::from(provided).cast(), _own: None, adapted: None });
            }
            let own: Box<[Entry]> =
                (0..info.methods.len()).map(|number| provided.get(number).copied().unwrap_or(missing)).collect();
            return Ok(Self { info, start: NonNull::from(&*own).cast(), _own: Some(own), adapted: None });
        };
        if map.adapted().next().is_some() {
            // SAFETY: registration checked the interface, and the provider keeps its functions mapped.
            let dispatch = unsafe { Dispatch::new(plugin.interface.dispatch_type, &plugin.interface.dispatch) };
            let adapted = Some(Box::new(AdaptedMethods { map, dispatch, table: table.clone() }));
            return Ok(Self { info, start: NonNull::from(info.via).cast(), _own: None, adapted });
        }
        let entry = |number: Option<usize>| number.and_then(|number| provided.get(number).copied()).unwrap_or(missing);
        let own: Box<[Entry]> = map.numbers().map(entry).collect();
        Ok(Self { info, start: NonNull::from(&*own).cast(), _own: Some(own), adapted: None })
    }

    fn entries(&self) -> Entries<'_> {
        Entries { start: self.start, adapted: self.adapted.as_deref() }
    }
}

/// The methods of a provider of which some are called through adapters.
pub(crate) struct AdaptedMethods {
    map: Arc<MethodMap>,
    dispatch: Dispatch,
    /// The host's table for the provider's code.
    table: HostTable,
}

impl AdaptedMethods {
    /// Makes the trampoline through which an instance is called.
    pub(crate) fn trampoline(&self, instance: GuestContractInstance) -> Trampoline {
        let loader_data = VmLoaderData { data: std::ptr::from_ref(self).cast_mut().cast() };
        Trampoline { call: call_adapted, loader_data, instance }
    }
}

/// Calls a method of a provider through its adapter, if it has one.
unsafe extern "C" fn call_adapted(
    loader_data: VmLoaderData,
    instance: GuestContractInstance,
    fn_id: u32,
    args: *const (),
    out: *mut (),
    arena: *mut CallArena,
    out_err: *mut AbiError,
) {
    // SAFETY: the trampoline was made by `AdaptedMethods::trampoline`; the proxy's owner keeps the provider, and so the
    // methods.
    let methods = unsafe { &*loader_data.data.cast::<AdaptedMethods>() };
    let frame = CallFrame { args, out, arena, out_err };
    // SAFETY: the proxy passes a frame of its own contract's method; the adapter hands on one of the provider's, and the
    // instance is the provider's.
    let is_called = unsafe {
        let call = |number, frame| methods.dispatch.call(instance, number, frame);
        methods.map.call(fn_id, frame, methods.table.tokens(), call)
    };
    if !is_called {
        // SAFETY: the proxy's error may be written.
        unsafe { missing(instance, args, out, arena, out_err) };
    }
}

/// Fails with `FunctionNotAvailable`. This function is the entry of a method that an older provider lacks.
unsafe extern "C" fn missing(
    _: GuestContractInstance,
    _: *const (),
    _: *mut (),
    _: *mut CallArena,
    out_err: *mut AbiError,
) {
    let error = AbiError::new(AbiErrorCode::FunctionNotAvailable, StringView::null());
    // SAFETY: a proxy passes a pointer to an error that may be written (the ABI's contract).
    unsafe { out_err.write(error) };
}
