//! The tables of entries through which proxies call a provider.

use std::ptr::NonNull;
use std::sync::{Mutex, OnceLock, PoisonError};

use polyplug_abi::{AbiError, AbiErrorCode, CallArena, DispatchType, Entry, GuestContractInstance, StringView};

use crate::contract_info::ContractInfo;
use crate::host::abi::interface::native_functions;
use crate::host::error::runtime::RuntimeError;
use crate::host::plugin::contract_check;
use crate::host::plugin::plugin::Plugin;

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
    /// The entries, unless `start` points to the provider's own table.
    _own: Option<Box<[Entry]>>,
}

// SAFETY: a table never changes; its entries accept calls from any thread by the ABI's contract.
unsafe impl Send for Table {}
// SAFETY: no method changes a table; its entries accept calls from any thread by the ABI's contract.
unsafe impl Sync for Table {}

impl EntryTables {
    /// Returns the first table that was made, if that table is for `info`.
    #[inline]
    pub(crate) fn first(&self, info: &'static ContractInfo) -> Option<NonNull<Entry>> {
        self.first.get().filter(|first| std::ptr::eq(first.info, info)).map(|first| first.start)
    }

    /// Returns the table for `info`. Makes the table if it does not exist yet.
    #[cold]
    pub(crate) fn find_or_make(
        &self,
        info: &'static ContractInfo,
        plugin: &Plugin,
        bundle: &str,
    ) -> Result<NonNull<Entry>, RuntimeError> {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.first.get().into_iter().chain(others.iter().map(|table| &**table));
        if let Some(table) = known.into_iter().find(|table| std::ptr::eq(table.info, info)) {
            return Ok(table.start);
        }
        let table = Table::new(info, plugin, bundle)?;
        let start = table.start;
        if let Err(table) = self.first.set(table) {
            others.push(Box::new(table));
        }
        Ok(start)
    }
}

impl Table {
    fn new(info: &'static ContractInfo, plugin: &Plugin, bundle: &str) -> Result<Self, RuntimeError> {
        let numbers = contract_check::method_indices(info, plugin, bundle)?;
        let provided: &[Entry] = match plugin.interface.dispatch_type {
            // SAFETY: the dispatch is native, and registration checked the interface's table.
            DispatchType::Native => unsafe { native_functions(&plugin.interface) },
            _ => info.via,
        };
        let same = numbers.iter().enumerate().all(|(i, number)| *number == Some(i)) && provided.len() >= numbers.len();
        if same {
            return Ok(Self { info, start: NonNull::from(provided).cast(), _own: None });
        }
        let entry = |number: &Option<usize>| number.and_then(|number| provided.get(number).copied()).unwrap_or(missing);
        let own: Box<[Entry]> = numbers.iter().map(entry).collect();
        Ok(Self { info, start: NonNull::from(&*own).cast(), _own: Some(own) })
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
