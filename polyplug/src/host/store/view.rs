//! One state of the store: the slots, and an index from contracts to their providers.

use polyplug_abi::{BundleId, GuestContractHandle, GuestContractId, GuestContractInterface, Version};

use super::provider::Provider;
use crate::host::error::registry::RegistryError;
use crate::sync::Arc;

/// One state of the store.
#[derive(Clone)]
pub(crate) struct View {
    pub(crate) slots: Vec<Slot>,
    pub(crate) index: Index,
}

#[derive(Clone)]
pub(crate) struct Slot {
    pub(crate) generation: u32,
    /// The slot of the contract's next provider in load order; [`NONE`] for the last.
    pub(crate) next: u32,
    /// The table, at hand for `resolve`; `provider` keeps it.
    pub(crate) interface: *const GuestContractInterface,
    pub(crate) provider: Option<Arc<Provider>>,
    /// Later registrations have larger numbers, unless they are preferred.
    pub(crate) order: i64,
}

/// No slot.
const NONE: u32 = u32::MAX;

// SAFETY: the pointer leads into the provider's `Arc`.
unsafe impl Send for Slot {}

// SAFETY: as for `Send`.
unsafe impl Sync for Slot {}

/// From contract to its first provider: open addressing, at most half full.
#[derive(Clone)]
pub(crate) struct Index {
    entries: Vec<IndexEntry>,
    used: usize,
    shift: u32,
}

#[derive(Clone, Copy)]
struct IndexEntry {
    contract: u64,
    /// The first provider; [`GuestContractHandle::null`] marks a free entry.
    first: GuestContractHandle,
    /// The minor version of the first provider.
    minor: u32,
    /// The slot of the last provider.
    last: u32,
}

const FREE: IndexEntry = IndexEntry { contract: 0, first: GuestContractHandle::null(), minor: 0, last: NONE };

impl Index {
    /// An index with room for `contracts`.
    fn with_room(contracts: usize) -> Self {
        let bits = (contracts * 2).next_power_of_two().trailing_zeros().max(3);
        Self { entries: vec![FREE; 1 << bits], used: 0, shift: 64 - bits }
    }

    pub(crate) fn is_full(&self) -> bool {
        (self.used + 1) * 2 > self.entries.len()
    }

    /// Where the contract's entry is, or would be.
    #[inline]
    fn place(&self, contract: u64) -> usize {
        // Ids are usually hashes already, but nothing demands it: multiplying spreads any pattern.
        let mut place = (contract.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize;
        loop {
            let entry = &self.entries[place];
            if entry.contract == contract || entry.first.is_null() {
                return place;
            }
            place = (place + 1) & (self.entries.len() - 1);
        }
    }

    #[inline]
    fn get(&self, contract: GuestContractId) -> Option<&IndexEntry> {
        let entry = &self.entries[self.place(contract.id())];
        (!entry.first.is_null()).then_some(entry)
    }
}

impl View {
    /// The view of slots of which any may have changed.
    pub(crate) fn new(mut slots: Vec<Slot>) -> Self {
        let mut tenants: Vec<(i64, u32)> = Vec::with_capacity(slots.len());
        for (index, slot) in (0u32..).zip(&mut slots) {
            slot.next = NONE;
            if slot.provider.is_some() {
                tenants.push((slot.order, index));
            }
        }
        tenants.sort_unstable();
        let mut this = Self { slots, index: Index::with_room(tenants.len() + 1) };
        for (_, index) in tenants {
            this.list(index);
        }
        this
    }

    /// A copy with room for `more` slots.
    pub(crate) fn with_room(&self, more: usize) -> Self {
        let mut slots = Vec::with_capacity(self.slots.len() + more);
        slots.extend_from_slice(&self.slots);
        Self { slots, index: self.index.clone() }
    }

    /// Adds the new tenant of a slot to the index, as the last provider of its contract.
    pub(crate) fn list(&mut self, index: u32) {
        let slot = &self.slots[index as usize];
        let plugin = &slot.provider.as_ref().expect("a tenant is listed").plugin;
        let contract = plugin.contract_id.id();
        let first = GuestContractHandle { index, generation: slot.generation };
        let place = self.index.place(contract);
        let entry = &mut self.index.entries[place];
        if entry.first.is_null() {
            let minor = plugin.interface.contract_version.minor;
            *entry = IndexEntry { contract, first, minor, last: index };
            self.index.used += 1;
        } else {
            let before = std::mem::replace(&mut entry.last, index);
            self.slots[before as usize].next = index;
        }
    }

    /// The first provider whose minor version is at least `min_version`.
    ///
    /// # Errors
    ///
    /// [`RegistryError::NotFound`].
    #[inline]
    pub(crate) fn find(
        &self,
        contract: GuestContractId,
        min_version: u32,
    ) -> Result<GuestContractHandle, RegistryError> {
        let missing = || RegistryError::NotFound { contract_id: contract.id(), min_version };
        let Some(entry) = self.index.get(contract) else { return Err(missing()) };
        if entry.minor >= min_version {
            return Ok(entry.first);
        }
        self.find_later(entry, min_version).ok_or_else(missing)
    }

    #[cold]
    fn find_later(&self, entry: &IndexEntry, min_version: u32) -> Option<GuestContractHandle> {
        self.listed(entry).find(|(_, provider)| minor(provider) >= min_version).map(|(handle, _)| handle)
    }

    /// All providers of a contract in load order.
    pub(crate) fn providers(
        &self,
        contract: GuestContractId,
    ) -> impl Iterator<Item = (GuestContractHandle, &Arc<Provider>)> {
        self.index.get(contract).into_iter().flat_map(|entry| self.listed(entry))
    }

    /// The handles of all providers whose minor version is at least `min_version`, in load order.
    pub(crate) fn find_all(&self, contract: GuestContractId, min_version: u32) -> Vec<GuestContractHandle> {
        let new_enough = self.providers(contract).filter(|(_, provider)| minor(provider) >= min_version);
        new_enough.map(|(handle, _)| handle).collect()
    }

    /// What `bundle` provides for a contract.
    pub(crate) fn find_in(
        &self,
        bundle: BundleId,
        contract: GuestContractId,
    ) -> Option<(GuestContractHandle, &Arc<Provider>)> {
        self.providers(contract).find(|(_, provider)| provider.plugin.bundle == bundle)
    }

    /// The versions in which the contracts called `name` are provided.
    pub(crate) fn versions(&self, name: &str) -> impl Iterator<Item = Version> {
        self.named(name).map(|provider| provider.plugin.interface.contract_version)
    }

    /// The providers of the contracts called `name`.
    pub(crate) fn named(&self, name: &str) -> impl Iterator<Item = &Arc<Provider>> {
        let majors = (0..16).map(|major| GuestContractId::new(name, major));
        majors.flat_map(|contract| self.providers(contract)).map(|(_, provider)| provider)
    }

    /// The first provider of a contract.
    #[inline]
    pub(crate) fn first(&self, contract: GuestContractId) -> Option<&Arc<Provider>> {
        let entry = self.index.get(contract)?;
        self.slots[entry.first.index as usize].provider.as_ref()
    }

    /// The table that a handle names.
    #[inline]
    pub(crate) fn resolve(&self, handle: GuestContractHandle) -> Result<*const GuestContractInterface, RegistryError> {
        self.slot(handle).map(|slot| slot.interface)
    }

    fn listed(&self, entry: &IndexEntry) -> impl Iterator<Item = (GuestContractHandle, &Arc<Provider>)> {
        let next = |index: &u32| Some(self.slots[*index as usize].next).filter(|next| *next != NONE);
        std::iter::successors(Some(entry.first.index), next).filter_map(|index| {
            let slot = &self.slots[index as usize];
            let handle = GuestContractHandle { index, generation: slot.generation };
            slot.provider.as_ref().map(|provider| (handle, provider))
        })
    }

    #[inline]
    pub(crate) fn slot(&self, handle: GuestContractHandle) -> Result<&Slot, RegistryError> {
        let Some(slot) = self.slots.get(handle.index as usize) else {
            return Err(RegistryError::InvalidHandle { index: handle.index });
        };
        if slot.generation != handle.generation || slot.interface.is_null() {
            return Err(RegistryError::StaleHandle { index: handle.index });
        }
        Ok(slot)
    }
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.slots.iter().filter_map(|slot| slot.provider.as_ref());
        f.debug_list().entries(names.map(|provider| &provider.plugin.name)).finish()
    }
}

pub(crate) fn minor(provider: &Provider) -> u32 {
    provider.plugin.interface.contract_version.minor
}

impl Slot {
    /// A slot that never had a tenant.
    pub(crate) const VACANT: Self =
        Self { generation: 1, next: NONE, interface: std::ptr::null(), provider: None, order: 0 };

    pub(crate) fn occupied(provider: Arc<Provider>, generation: u32, order: i64) -> Self {
        Self {
            generation,
            next: NONE,
            interface: Arc::as_ptr(&provider.plugin.interface),
            provider: Some(provider),
            order,
        }
    }

    /// Without a tenant: handles of the last one are stale.
    pub(crate) fn vacated(&self) -> Self {
        Self { generation: self.generation.wrapping_add(1), ..Self::VACANT }
    }
}
