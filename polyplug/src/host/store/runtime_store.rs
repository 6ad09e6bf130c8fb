//! The slots that providers of contracts live in.
//!
//! Readers never lock: the store publishes an immutable view, readers load it under an epoch pin, and a view that
//! was replaced is freed when no reader can hold it any more. Writers take turns, and each change appears whole.

use crossbeam_epoch::{Atomic, Guard, Shared};
use polyplug_abi::{BundleId, GuestContractHandle, GuestContractId, GuestContractInterface, PluginDescriptor};

use super::provider::Provider;
use super::snapshot::Snapshot;
use super::view::{Slot, View, minor};
use crate::host::abi::interface;
use crate::host::error::registry::RegistryError;
use crate::host::plugin::plugin::Plugin;
use crate::sync::atomic::Ordering;
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The slots of all providers.
///
/// A runtime has one of its own. It can also be used by itself, to register tables by hand:
///
/// ```
/// use polyplug::runtime_store::RuntimeStore;
/// use polyplug::{GuestContractId, pin};
///
/// let store = RuntimeStore::new();
/// let guard = pin();
/// assert!(store.find_guest_contract(GuestContractId::new("demo.calculator", 1), 0).is_err());
/// drop(guard);
/// ```
///
/// # Safety of what is found
///
/// A pointer from [`resolve_guest_contract`](Self::resolve_guest_contract) stays valid while the caller holds a
/// [`pin`](crate::pin) that was taken before the look-up, whatever happens to the provider meanwhile.
pub struct RuntimeStore {
    /// An `Arc`, as a raw pointer.
    view: Atomic<View>,
    /// Held while a new view is made.
    writer: Mutex<Writer>,
}

/// What writers need beside the view.
#[derive(Default)]
struct Writer {
    /// Slots without a tenant, to be used again.
    vacant: Vec<u32>,
    /// The number of the latest registration.
    order: i64,
}

impl Writer {
    /// Puts a provider into a vacant slot, or a new one.
    fn place(&mut self, slots: &mut Vec<Slot>, provider: Arc<Provider>) -> GuestContractHandle {
        let index = self.vacant.pop().unwrap_or_else(|| {
            slots.push(Slot::VACANT);
            u32::try_from(slots.len() - 1).expect("a store has fewer than four billion slots")
        });
        let slot = &mut slots[index as usize];
        *slot = Slot::occupied(provider, slot.generation, self.order);
        GuestContractHandle { index, generation: slot.generation }
    }

    /// Takes the tenant out of a slot.
    fn vacate(&mut self, index: u32, slot: &mut Slot) {
        *slot = slot.vacated();
        // A slot whose generations are used up is never used again: an old handle must not come back to life.
        if slot.generation != u32::MAX {
            self.vacant.push(index);
        }
    }
}

impl RuntimeStore {
    /// A store without providers.
    #[must_use]
    pub fn new() -> Self {
        let view = Arc::into_raw(Arc::new(View::new(Vec::new())));
        Self { view: Atomic::from(view), writer: Mutex::default() }
    }

    /// Registers one provider.
    ///
    /// `contract_name` is for people. Several bundles may provide a contract; one bundle provides it once.
    ///
    /// # Errors
    ///
    /// [`RegistryError::InvalidInterface`], or [`RegistryError::DuplicateProvider`].
    ///
    /// # Safety
    ///
    /// `interface` must be null or readable, and what it leads to must stay valid until the provider is invalidated
    /// or swapped and no reader can hold it any more.
    pub unsafe fn register_guest_contract(
        &self,
        descriptor: PluginDescriptor,
        interface: *const GuestContractInterface,
        contract_name: String,
        bundle: BundleId,
    ) -> Result<GuestContractHandle, RegistryError> {
        // SAFETY: a descriptor's views are readable (the caller's promise covers the registration as a whole).
        let name = unsafe { interface::checked_name(descriptor.name, "plugin's name") };
        let invalid = |plugin: &str, reason| RegistryError::InvalidInterface { plugin: plugin.to_owned(), reason };
        let name = name.map_err(|reason| invalid("?", reason))?;
        // SAFETY: the caller's promise.
        let interface = unsafe { interface::checked(interface) }.map_err(|reason| invalid(&name, reason))?;
        let plugin = Plugin::plain(&descriptor, name, contract_name, bundle, interface);
        let handles = self.publish(vec![Arc::new(Provider::bare(plugin))])?;
        Ok(handles[0])
    }

    /// The first provider of a contract, in the order of registration, whose minor version is at least `min_version`.
    ///
    /// # Errors
    ///
    /// [`RegistryError::NotFound`].
    #[inline]
    pub fn find_guest_contract(
        &self,
        contract: GuestContractId,
        min_version: u32,
    ) -> Result<GuestContractHandle, RegistryError> {
        let guard = crossbeam_epoch::pin();
        self.view(&guard).find(contract, min_version)
    }

    /// All providers of a contract whose minor version is at least `min_version`, in the order of registration.
    #[must_use]
    pub fn find_all_guest_contracts(&self, contract: GuestContractId, min_version: u32) -> Vec<GuestContractHandle> {
        let guard = crossbeam_epoch::pin();
        self.view(&guard).find_all(contract, min_version)
    }

    /// A provider's table. See [the type](Self) for how long it is valid.
    ///
    /// # Errors
    ///
    /// [`RegistryError::InvalidHandle`] for a handle that never was one, [`RegistryError::StaleHandle`] for one whose
    /// provider is gone.
    #[inline]
    pub fn resolve_guest_contract(
        &self,
        handle: GuestContractHandle,
    ) -> Result<*const GuestContractInterface, RegistryError> {
        let guard = crossbeam_epoch::pin();
        self.view(&guard).resolve(handle)
    }

    /// The store as it is now, for several look-ups that have to agree: what is published, swapped or removed later
    /// does not appear in it.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let guard = crossbeam_epoch::pin();
        let view: *const View = self.view(&guard);
        // SAFETY: from `Arc::into_raw`; the store's count of it ends only when no guard from before its replacement is
        // left, and the count that is added here is the one taken over.
        Snapshot::new(unsafe {
            Arc::increment_strong_count(view);
            Arc::from_raw(view)
        })
    }

    /// Puts what `bundle` provides for a contract before all other providers, until the bundle is removed.
    pub(crate) fn prefer(&self, contract: GuestContractId, bundle: BundleId) -> Result<(), RegistryError> {
        let _writer = self.lock();
        let guard = crossbeam_epoch::pin();
        let view = self.view(&guard);
        let missing = RegistryError::NotFound { contract_id: contract.id(), min_version: 0 };
        let Some((preferred, _)) = view.find_in(bundle, contract) else { return Err(missing) };
        let mut slots = view.slots.clone();
        let first = view.providers(contract).map(|(handle, _)| slots[handle.index as usize].order).min();
        slots[preferred.index as usize].order = first.unwrap_or_default() - 1;
        self.install(View::new(slots), &guard);
        Ok(())
    }

    /// Puts another table into a slot. Handles stay valid and resolve to the new one.
    ///
    /// # Errors
    ///
    /// [`RegistryError::InvalidHandle`] or [`RegistryError::StaleHandle`] when the slot has no tenant.
    pub fn swap_guest_contract_interface(
        &self,
        slot_index: u32,
        interface: Arc<GuestContractInterface>,
    ) -> Result<(), RegistryError> {
        let _writer = self.lock();
        let guard = crossbeam_epoch::pin();
        let mut slots = self.view(&guard).slots.clone();
        let slot = slots.get_mut(slot_index as usize).ok_or(RegistryError::InvalidHandle { index: slot_index })?;
        let Some(provider) = &slot.provider else {
            return Err(RegistryError::StaleHandle { index: slot_index });
        };
        let plugin = Plugin { interface, ..provider.plugin.clone() };
        *slot = Slot::occupied(Arc::new(Provider::bare(plugin)), slot.generation, slot.order);
        self.install(View::new(slots), &guard);
        Ok(())
    }

    /// Removes everything a bundle provides. Its handles are stale from now on.
    pub fn invalidate_bundle(&self, bundle: BundleId) {
        let mut writer = self.lock();
        let guard = crossbeam_epoch::pin();
        let mut slots = self.view(&guard).slots.clone();
        let mut changed = false;
        for (index, slot) in (0u32..).zip(&mut slots) {
            if slot.provider.as_ref().is_some_and(|provider| provider.plugin.bundle == bundle) {
                writer.vacate(index, slot);
                changed = true;
            }
        }
        if changed {
            self.install(View::new(slots), &guard);
        }
    }

    /// Makes all `providers` appear at once.
    pub(crate) fn publish(&self, providers: Vec<Arc<Provider>>) -> Result<Vec<GuestContractHandle>, RegistryError> {
        let mut writer = self.lock();
        let guard = crossbeam_epoch::pin();
        let old = self.view(&guard);
        for (i, provider) in providers.iter().enumerate() {
            let known = old.providers(provider.plugin.contract_id).map(|(_, known)| known);
            check_duplicate(known.chain(&providers[..i]), provider)?;
        }
        let mut view = old.with_room(providers.len());
        let place = |provider| {
            writer.order += 1;
            if view.index.is_full() {
                view = View::new(std::mem::take(&mut view.slots));
            }
            let handle = writer.place(&mut view.slots, provider);
            view.list(handle.index);
            handle
        };
        let handles = providers.into_iter().map(place).collect();
        self.install(view, &guard);
        Ok(handles)
    }

    /// Puts `providers` in place of everything a bundle provides, all at once. Slots of contracts that are still
    /// provided keep their handles and their place in load order.
    pub(crate) fn replace_bundle(&self, bundle: BundleId, providers: Vec<Arc<Provider>>) {
        let mut writer = self.lock();
        let guard = crossbeam_epoch::pin();
        let mut slots = self.view(&guard).slots.clone();
        let mut providers: Vec<Option<Arc<Provider>>> = providers.into_iter().map(Some).collect();
        for (index, slot) in (0u32..).zip(&mut slots) {
            let Some(old) = slot.provider.as_ref().filter(|old| old.plugin.bundle == bundle) else { continue };
            let contract = old.plugin.contract_id;
            let same =
                |new: &&mut Option<Arc<Provider>>| new.as_ref().is_some_and(|new| new.plugin.contract_id == contract);
            match providers.iter_mut().find(same).and_then(Option::take) {
                Some(new) => *slot = Slot::occupied(new, slot.generation, slot.order),
                None => writer.vacate(index, slot),
            }
        }
        for provider in providers.into_iter().flatten() {
            writer.order += 1;
            writer.place(&mut slots, provider);
        }
        self.install(View::new(slots), &guard);
    }

    /// The provider a handle names, as a lease.
    pub(crate) fn lease(&self, handle: GuestContractHandle) -> Result<Arc<Provider>, RegistryError> {
        let guard = crossbeam_epoch::pin();
        let slot = self.view(&guard).slot(handle)?;
        slot.provider.clone().ok_or(RegistryError::StaleHandle { index: handle.index })
    }

    /// The first provider of a contract.
    #[inline]
    pub(crate) fn first<'g>(&self, contract: GuestContractId, guard: &'g Guard) -> Option<&'g Arc<Provider>> {
        self.view(guard).first(contract)
    }

    /// All providers of a contract in load order, as leases.
    pub(crate) fn providers(&self, contract: GuestContractId) -> Vec<(GuestContractHandle, Arc<Provider>)> {
        let guard = crossbeam_epoch::pin();
        let view = self.view(&guard);
        view.providers(contract).map(|(handle, provider)| (handle, Arc::clone(provider))).collect()
    }

    /// The bundles that provide a contract, in load order, each with its minor version. Takes no lease.
    pub(crate) fn offers(&self, contract: GuestContractId) -> Vec<(BundleId, u32)> {
        let guard = crossbeam_epoch::pin();
        let providers = self.view(&guard).providers(contract);
        providers.map(|(_, provider)| (provider.plugin.bundle, minor(provider))).collect()
    }

    /// All providers of the contracts called `name`, as leases.
    pub(crate) fn named(&self, name: &str) -> Vec<Arc<Provider>> {
        let guard = crossbeam_epoch::pin();
        self.view(&guard).named(name).cloned().collect()
    }

    /// What `bundle` provides for a contract, as a lease.
    pub(crate) fn find_in(
        &self,
        bundle: BundleId,
        contract: GuestContractId,
    ) -> Option<(GuestContractHandle, Arc<Provider>)> {
        let guard = crossbeam_epoch::pin();
        self.view(&guard).find_in(bundle, contract).map(|(handle, provider)| (handle, Arc::clone(provider)))
    }

    #[inline]
    fn view<'g>(&self, guard: &'g Guard) -> &'g View {
        // SAFETY: the view is never null, and one that is replaced is destroyed only when no guard from before the
        // replacement is left. The acquire pairs with the release of `install`.
        unsafe { self.view.load(Ordering::Acquire, guard).deref() }
    }

    fn install(&self, view: View, guard: &Guard) {
        let new = Shared::from(Arc::into_raw(Arc::new(view)));
        let old = self.view.swap(new, Ordering::AcqRel, guard).as_raw();
        // SAFETY: `old` is no longer reachable, and only writers, who take turns, replace views. It came from
        // `Arc::into_raw`, with the one count that ends here. Views are `Send`, for providers are.
        unsafe { guard.defer_unchecked(move || drop(Arc::from_raw(old))) };
        // Views hold leases: let the collector see this one soon rather than when the thread's bag is full.
        guard.flush();
    }

    fn lock(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_duplicate<'a>(
    mut known: impl Iterator<Item = &'a Arc<Provider>>,
    new: &Provider,
) -> Result<(), RegistryError> {
    let same = |provider: &&Arc<Provider>| {
        provider.plugin.bundle == new.plugin.bundle && provider.plugin.contract_id == new.plugin.contract_id
    };
    match known.find(same) {
        None => Ok(()),
        Some(existing) => Err(RegistryError::DuplicateProvider {
            contract: new.plugin.contract.clone(),
            existing: existing.plugin.name.clone(),
        }),
    }
}

impl Default for RuntimeStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for RuntimeStore {
    fn drop(&mut self) {
        // SAFETY: the store is going, so nobody else can load or replace the view.
        let view = unsafe { self.view.load(Ordering::Acquire, crossbeam_epoch::unprotected()) }.as_raw();
        // SAFETY: from `Arc::into_raw`, with the one count that ends here. Snapshots have their own.
        drop(unsafe { Arc::from_raw(view) });
    }
}

impl std::fmt::Debug for RuntimeStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let guard = crossbeam_epoch::pin();
        self.view(&guard).fmt(f)
    }
}
