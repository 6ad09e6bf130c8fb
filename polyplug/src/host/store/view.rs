//! One immutable state of the store: the slots, and an index from contracts to their providers.

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

/// The slot of one provider, or a vacant slot.
#[derive(Clone)]
pub(crate) struct Slot {
    pub(crate) generation: u32,
    /// The slot of the contract's next provider in load order, or [`NONE`] for the last.
    pub(crate) next: u32,
    /// The provider's table, copied here for `resolve`. `provider` keeps the table.
    pub(crate) interface: *const GuestContractInterface,
    pub(crate) provider: Option<Arc<Provider>>,
    /// The position in load order. Later registrations have larger numbers, unless they are preferred.
    pub(crate) order: i64,
}

/// The index that stands for no slot.
const NONE: u32 = u32::MAX;

// SAFETY: `interface` points to the table in `provider`, whose `Arc` may be sent and shared.
unsafe impl Send for Slot {}

// SAFETY: `interface` points to the table in `provider`, whose `Arc` may be sent and shared. No method changes a slot
// in a view that is shared.
unsafe impl Sync for Slot {}

/// A hash table from contracts to their first providers, with open addressing, at most half full.
#[derive(Clone)]
pub(crate) struct Index {
    entries: Vec<IndexEntry>,
    used: usize,
    shift: u32,
}

#[derive(Clone, Copy)]
struct IndexEntry {
    contract: u64,
    /// The first provider, or [`GuestContractHandle::null`] in a free entry.
    first: GuestContractHandle,
    /// The minor version of the first provider.
    minor: u32,
    /// The slot of the last provider.
    last: u32,
}

const FREE: IndexEntry = IndexEntry { contract: 0, first: GuestContractHandle::null(), minor: 0, last: NONE };

impl Index {
    /// Makes an index that holds `contracts` entries before it is full.
    fn with_room(contracts: usize) -> Self {
        let bits = (contracts * 2).next_power_of_two().trailing_zeros().max(3);
        Self { entries: vec![FREE; 1 << bits], used: 0, shift: 64 - bits }
    }

    pub(crate) fn is_full(&self) -> bool {
        (self.used + 1) * 2 > self.entries.len()
    }

    /// Returns the position of the contract's entry, or of the free entry where it would be added.
    #[inline]
    fn place(&self, contract: u64) -> usize {
        // Ids are usually hashes, but need not be: the multiplication spreads any pattern.
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
    /// Makes a view of `slots`. Computes the index and the order of the providers anew.
    pub(crate) fn new(mut slots: Vec<Slot>) -> Self {
        let mut occupied: Vec<(i64, u32)> = Vec::with_capacity(slots.len());
        for (index, slot) in (0u32..).zip(&mut slots) {
            slot.next = NONE;
            if slot.provider.is_some() {
                occupied.push((slot.order, index));
            }
        }
        occupied.sort_unstable();
        let mut this = Self { slots, index: Index::with_room(occupied.len() + 1) };
        for (_, index) in occupied {
            this.list(index);
        }
        this
    }

    /// Returns a copy to which `more` slots can be added without another allocation.
    pub(crate) fn with_room(&self, more: usize) -> Self {
        let mut slots = Vec::with_capacity(self.slots.len() + more);
        slots.extend_from_slice(&self.slots);
        Self { slots, index: self.index.clone() }
    }

    /// Adds the provider in slot `index` to the index, as the last provider of its contract.
    pub(crate) fn list(&mut self, index: u32) {
        let slot = &self.slots[index as usize];
        let plugin = &slot.provider.as_ref().expect("a listed slot has a provider").plugin;
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

    /// Returns the first provider whose minor version is at least `min_version`.
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

    /// Returns all providers of a contract in load order.
    pub(crate) fn providers(
        &self,
        contract: GuestContractId,
    ) -> impl Iterator<Item = (GuestContractHandle, &Arc<Provider>)> {
        self.index.get(contract).into_iter().flat_map(|entry| self.listed(entry))
    }

    /// Returns the handles of all providers whose minor version is at least `min_version`, in load order.
    pub(crate) fn find_all(&self, contract: GuestContractId, min_version: u32) -> Vec<GuestContractHandle> {
        let new_enough = self.providers(contract).filter(|(_, provider)| minor(provider) >= min_version);
        new_enough.map(|(handle, _)| handle).collect()
    }

    /// Returns the provider of a contract in `bundle`.
    pub(crate) fn find_in(
        &self,
        bundle: BundleId,
        contract: GuestContractId,
    ) -> Option<(GuestContractHandle, &Arc<Provider>)> {
        self.providers(contract).find(|(_, provider)| provider.plugin.bundle == bundle)
    }

    /// Returns the name of a bundle that has a provider.
    pub(crate) fn bundle_name(&self, bundle: BundleId) -> Option<&str> {
        let mut providers = self.slots.iter().filter_map(|slot| slot.provider.as_deref());
        let of_bundle = providers.find(|provider| provider.plugin.bundle == bundle)?;
        Some(of_bundle.bundle_name()).filter(|name| !name.is_empty())
    }

    /// Returns the versions in which the contracts called `name` are provided.
    pub(crate) fn versions(&self, name: &str) -> impl Iterator<Item = Version> {
        self.named(name).map(|provider| provider.plugin.interface.contract_version)
    }

    /// Returns the providers of the contracts called `name`.
    pub(crate) fn named(&self, name: &str) -> impl Iterator<Item = &Arc<Provider>> {
        let majors = (0..16).map(|major| GuestContractId::new(name, major));
        majors.flat_map(|contract| self.providers(contract)).map(|(_, provider)| provider)
    }

    /// Returns the contracts that bundles provide, or the bundle called `bundle` if that is given: each once, with its
    /// version.
    pub(crate) fn contracts(&self, bundle: Option<&str>) -> Vec<String> {
        let providers = self.slots.iter().filter_map(|slot| slot.provider.as_deref());
        let of_bundle = providers.filter(|provider| bundle.is_none_or(|bundle| provider.bundle_name() == bundle));
        let mut contracts: Vec<_> = of_bundle
            .map(|provider| {
                let version = provider.plugin.interface.contract_version;
                format!("{}@{}.{}", provider.plugin.contract, version.major, version.minor)
            })
            .collect();
        contracts.sort_unstable();
        contracts.dedup();
        contracts
    }

    /// Returns the first provider of a contract.
    #[inline]
    pub(crate) fn first(&self, contract: GuestContractId) -> Option<&Arc<Provider>> {
        let entry = self.index.get(contract)?;
        self.slots[entry.first.index as usize].provider.as_ref()
    }

    /// Returns the table that a handle names.
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
        f.debug_list().entries(self.slots.iter().filter_map(|slot| slot.provider.as_deref())).finish()
    }
}

pub(crate) fn minor(provider: &Provider) -> u32 {
    provider.plugin.interface.contract_version.minor
}

impl Slot {
    /// A slot that never had a provider.
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

    /// Returns the slot without its provider. Handles of that provider are stale.
    pub(crate) fn vacated(&self) -> Self {
        Self { generation: self.generation.wrapping_add(1), ..Self::VACANT }
    }
}
