//! The store: the slots of the providers of all contracts.
//!
//! Readers take no lock. The store publishes an immutable view, and readers load the view under an epoch pin. A
//! replaced view is dropped when no pin from before its replacement exists. One writer at a time makes the next view,
//! so each change appears as a whole.

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
/// Each runtime has a store of its own. A store can also be used without a runtime, to register tables by hand:
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
/// [`pin`](crate::pin) that was taken before the look-up, even if the provider is replaced or removed meanwhile.
pub struct RuntimeStore {
    /// The current view, from `Arc::into_raw`.
    view: Atomic<View>,
    /// The lock that a writer holds while it makes a new view.
    writer: Mutex<Writer>,
}

/// The state of writers beside the view.
#[derive(Default)]
struct Writer {
    /// The slots without a provider that may be reused.
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

    /// Removes the provider from a slot.
    fn vacate(&mut self, index: u32, slot: &mut Slot) {
        *slot = slot.vacated();
        // A slot whose generations are used up is never reused: an old handle must not become valid again.
        if slot.generation != u32::MAX {
            self.vacant.push(index);
        }
    }
}

impl RuntimeStore {
    /// Makes a store without providers.
    #[must_use]
    pub fn new() -> Self {
        let view = Arc::into_raw(Arc::new(View::new(Vec::new())));
        Self { view: Atomic::from(view), writer: Mutex::default() }
    }

    /// Registers one provider.
    ///
    /// `contract_name` is for people. Several bundles may provide a contract, but one bundle provides a contract only
    /// once.
    ///
    /// # Errors
    ///
    /// [`RegistryError::InvalidInterface`], or [`RegistryError::DuplicateProvider`].
    ///
    /// # Safety
    ///
    /// `interface` must be null or readable. The table, and all that the table points to, must stay valid until the
    /// provider is invalidated or swapped and no reader holds a pin from before that.
    pub unsafe fn register_guest_contract(
        &self,
        descriptor: PluginDescriptor,
        interface: *const GuestContractInterface,
        contract_name: String,
        bundle: BundleId,
    ) -> Result<GuestContractHandle, RegistryError> {
        // SAFETY: a descriptor's views are readable (the ABI's contract, which the caller's promise covers).
        let name = unsafe { interface::checked_name(descriptor.name, "plugin's name") };
        let invalid = |plugin: &str, reason| RegistryError::InvalidInterface { plugin: plugin.to_owned(), reason };
        let name = name.map_err(|reason| invalid("?", reason))?;
        // SAFETY: the caller promises that the interface is null or readable.
        let interface = unsafe { interface::checked(interface) }.map_err(|reason| invalid(&name, reason))?;
        let plugin = Plugin::plain(&descriptor, name, contract_name, bundle, interface);
        let handles = self.publish(vec![Arc::new(Provider::bare(plugin))])?;
        Ok(handles[0])
    }

    /// Returns the first provider of a contract, in the order of registration, whose minor version is at least
    /// `min_version`.
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
        self.look_up(|view| view.find(contract, min_version))
    }

    /// Returns all providers of a contract whose minor version is at least `min_version`, in the order of registration.
    #[must_use]
    pub fn find_all_guest_contracts(&self, contract: GuestContractId, min_version: u32) -> Vec<GuestContractHandle> {
        let guard = crossbeam_epoch::pin();
        self.view(&guard).find_all(contract, min_version)
    }

    /// Returns a provider's table. The documentation of [the type](Self) says how long the table is valid.
    ///
    /// # Errors
    ///
    /// [`RegistryError::InvalidHandle`] for a handle that the store never returned, [`RegistryError::StaleHandle`] for
    /// a handle whose provider was removed.
    #[inline]
    pub fn resolve_guest_contract(
        &self,
        handle: GuestContractHandle,
    ) -> Result<*const GuestContractInterface, RegistryError> {
        self.look_up(|view| view.resolve(handle))
    }

    /// Takes a snapshot of the store, for several look-ups that have to agree. Later changes of the store do not appear
    /// in the snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let guard = crossbeam_epoch::pin();
        let view: *const View = self.view(&guard);
        // SAFETY: `view` is from `Arc::into_raw`. The store's count of it ends only when no guard from before its
        // replacement exists, and `guard` is from before any replacement that `view` did not see. The count added here
        // is the count of the `Arc` made here.
        Snapshot::new(unsafe {
            Arc::increment_strong_count(view);
            Arc::from_raw(view)
        })
    }

    /// Moves the provider of a contract in `bundle` before all other providers, until the bundle is removed.
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

    /// Replaces the table in a slot. Handles stay valid and resolve to the new table.
    ///
    /// # Errors
    ///
    /// [`RegistryError::InvalidHandle`] if the slot does not exist, [`RegistryError::StaleHandle`] if it has no
    /// provider.
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

    /// Removes all providers of a bundle. Their handles are stale from now on.
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

    /// Publishes all `providers` at once.
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

    /// Replaces all providers of a bundle by `providers`, at once. Slots of contracts that are still provided keep
    /// their handles and their position in load order.
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

    /// Returns the provider that a handle names, as a lease.
    pub(crate) fn lease(&self, handle: GuestContractHandle) -> Result<Arc<Provider>, RegistryError> {
        let guard = crossbeam_epoch::pin();
        let slot = self.view(&guard).slot(handle)?;
        slot.provider.clone().ok_or(RegistryError::StaleHandle { index: handle.index })
    }

    /// Returns the first provider of a contract.
    #[inline]
    pub(crate) fn first<'g>(&self, contract: GuestContractId, guard: &'g Guard) -> Option<&'g Arc<Provider>> {
        self.view(guard).first(contract)
    }

    /// Returns all providers of a contract in load order, as leases.
    pub(crate) fn providers(&self, contract: GuestContractId) -> Vec<(GuestContractHandle, Arc<Provider>)> {
        let guard = crossbeam_epoch::pin();
        let view = self.view(&guard);
        view.providers(contract).map(|(handle, provider)| (handle, Arc::clone(provider))).collect()
    }

    /// Calls `look` with the bundles that provide a contract, in load order, each with its minor version. Takes no lease.
    pub(crate) fn offers<R>(
        &self,
        contract: GuestContractId,
        look: impl FnOnce(&mut dyn Iterator<Item = (BundleId, u32)>) -> R,
    ) -> R {
        let guard = crossbeam_epoch::pin();
        let providers = self.view(&guard).providers(contract);
        look(&mut providers.map(|(_, provider)| (provider.plugin.bundle, minor(provider))))
    }

    /// Returns all providers of the contracts called `name`, as leases.
    pub(crate) fn named(&self, name: &str) -> Vec<Arc<Provider>> {
        let guard = crossbeam_epoch::pin();
        self.view(&guard).named(name).cloned().collect()
    }

    /// Returns the provider of a contract in `bundle`, as a lease.
    pub(crate) fn find_in(
        &self,
        bundle: BundleId,
        contract: GuestContractId,
    ) -> Option<(GuestContractHandle, Arc<Provider>)> {
        let guard = crossbeam_epoch::pin();
        self.view(&guard).find_in(bundle, contract).map(|(handle, provider)| (handle, Arc::clone(provider)))
    }

    /// Calls `look` with the view. `look` must not call code that may end a pin.
    #[inline]
    fn look_up<R>(&self, look: impl FnOnce(&View) -> R) -> R {
        // As a rule the caller has a pin, without which what is found may be gone. Another one would cost more than to look.
        if crossbeam_epoch::is_pinned() {
            // SAFETY: a pin of this thread ends by code of this thread, and `look` runs none that ends one. So that pin
            // protects the view as a guard of this function's own would.
            return look(self.view(unsafe { crossbeam_epoch::unprotected() }));
        }
        let guard = crossbeam_epoch::pin();
        look(self.view(&guard))
    }

    #[inline]
    fn view<'g>(&self, guard: &'g Guard) -> &'g View {
        // SAFETY: the view is never null. A replaced view is dropped only when no guard from before its replacement
        // exists, and `guard` is from before any replacement that this load does not see. The release of the swap in
        // `install` pairs with this acquire load, so the view's contents are complete.
        unsafe { self.view.load(Ordering::Acquire, guard).deref() }
    }

    fn install(&self, view: View, guard: &Guard) {
        let new = Shared::from(Arc::into_raw(Arc::new(view)));
        let old = self.view.swap(new, Ordering::AcqRel, guard).as_raw();
        // SAFETY: the swap made `old` unreachable, and the caller holds the writers' lock, so no other thread has
        // `old` to drop. `old` came from `Arc::into_raw`, with the one count that ends here. Views are `Send`, as
        // providers are.
        unsafe { guard.defer_unchecked(move || drop(Arc::from_raw(old))) };
        // Views hold leases, so the collector gets this one now, not when the thread's bag is full.
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
        // SAFETY: the store is being dropped, so no other thread loads or replaces the view.
        let view = unsafe { self.view.load(Ordering::Acquire, crossbeam_epoch::unprotected()) }.as_raw();
        // SAFETY: the view is from `Arc::into_raw`, with the one count that ends here. Snapshots have counts of their
        // own.
        drop(unsafe { Arc::from_raw(view) });
    }
}

impl std::fmt::Debug for RuntimeStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let guard = crossbeam_epoch::pin();
        self.view(&guard).fmt(f)
    }
}
