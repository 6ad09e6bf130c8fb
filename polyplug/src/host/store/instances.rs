//! Leases on instances, and the way from an instance to its later versions.
//!
//! A proxy is bound to one *versioned instance*: an object of one version, on whose code the proxy's calls run. A
//! reload makes the next versioned instance of each instance and puts it into the instance's *forwarding cell*, where
//! proxies of earlier versions find it. A proxy reaches later versions through the cell only. So a proxy that is never
//! refreshed keeps the version it was made with, and none of the versions in between.

use std::panic::Location;

use crossbeam_epoch::Guard;
use polyplug_abi::GuestContractInstance;

use super::call_target::CallTarget;
use super::provider::Provider;
use crate::call_error::{CallError, Callee};
use crate::contract_info::ContractInfo;
use crate::host::abi::dispatch::{CallFrame, Dispatch};
use crate::host::error::runtime::RuntimeError;
use crate::host::plugin::instance::destroy;
use crate::host::version::followers::{Follower, Followers};
use crate::host::version::version::BundleVersion;
use crate::proxy::{Owner, ProxyParts, RawProxy};
use crate::sync::atomic::{AtomicPtr, Ordering};
use crate::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak};

/// An object of one version: an object that dropping this value destroys, or the object that the provider shares.
pub(crate) struct VersionedInstance {
    provider: Arc<Provider>,
    own: Option<CallTarget>,
}

impl VersionedInstance {
    /// Makes an object with the plugin's factory, unless the plugin shares one.
    pub(crate) fn new(provider: Arc<Provider>) -> Result<Self, RuntimeError> {
        if provider.shared().is_some() {
            return Ok(Self { provider, own: None });
        }
        let instance = provider.create()?;
        Ok(Self::of(provider, instance))
    }

    /// Takes an object that was made already.
    pub(crate) fn of(provider: Arc<Provider>, instance: GuestContractInstance) -> Self {
        let own = Some(CallTarget::new(&provider.plugin.interface, instance));
        Self { provider, own }
    }

    pub(crate) fn provider(&self) -> &Arc<Provider> {
        &self.provider
    }

    fn target(&self) -> &CallTarget {
        self.own
            .as_ref()
            .or_else(|| self.provider.shared())
            .expect("an instance has an object or its provider shares one")
    }

    pub(crate) fn raw(&self) -> GuestContractInstance {
        self.target().raw()
    }

    /// Calls the function that has number `fn_id` at the provider. Returns whether that function exists.
    ///
    /// # Safety
    ///
    /// `frame` must be what the function's entry expects.
    pub(crate) unsafe fn call(&self, fn_id: u32, frame: CallFrame) -> bool {
        let interface = &self.provider.plugin.interface;
        // SAFETY: registration checked the interface, and the provider's version keeps the interface's functions
        // mapped.
        let dispatch = unsafe { Dispatch::new(interface.dispatch_type, &interface.dispatch) };
        // SAFETY: this interface made the instance, which lives as long as `self`; the caller promises the frame.
        unsafe { dispatch.call(self.raw(), fn_id, frame) }
    }

    /// Returns the parts of a proxy for contract `info`.
    #[inline(always)]
    fn parts(&self, info: &'static ContractInfo) -> Result<ProxyParts, RuntimeError> {
        self.provider.parts(info, self.target())
    }
}

impl Drop for VersionedInstance {
    fn drop(&mut self) {
        if let Some(own) = &self.own {
            // SAFETY: this interface made the object, and each user of the object holds `self`. The provider's version
            // keeps the interface's code mapped.
            unsafe { destroy(&self.provider.plugin.interface, self.provider.table(), own.raw()) };
        }
    }
}

/// The target of an instance's calls once the version that a lease is bound to no longer serves.
#[derive(Clone, Default)]
pub(crate) enum Forward {
    /// No target: no reload has set one, or the bundle is unloaded.
    #[default]
    None,
    /// A later versioned instance.
    To(Arc<VersionedInstance>),
    /// The target at the time when a reload let the instance drain: a later versioned instance, or `None` for the one
    /// that the lease was made with.
    Pinned(Option<Arc<VersionedInstance>>),
}

impl Forward {
    /// Returns whether this is the same target as `other`, so that no thread has changed the cell in between.
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::None, Self::None) => true,
            (Self::To(this), Self::To(other)) => Arc::ptr_eq(this, other),
            _ => false,
        }
    }
}

/// The transition of a held instance at a reload.
pub(crate) enum Transition {
    /// The instance continues as this object.
    MovesTo(Arc<VersionedInstance>),
    /// The instance stays on its code. This provider serves in place of the instance's own, and clears the instance's
    /// cell at an unload.
    Drains(Arc<Provider>),
}

impl Transition {
    /// Applies the transition. Returns the former target, which the caller drops while it holds no lock.
    pub(crate) fn apply(self, cell: &Arc<ForwardingCell>) -> Forward {
        match self {
            Self::MovesTo(versioned) => {
                versioned.provider.leases().add_cell(cell);
                cell.set(Forward::To(versioned))
            }
            Self::Drains(provider) => {
                provider.leases().add_cell(cell);
                cell.change(|forward| match forward {
                    Forward::To(versioned) => Some(Forward::Pinned(Some(Arc::clone(versioned)))),
                    Forward::None => Some(Forward::Pinned(None)),
                    Forward::Pinned(_) => None,
                })
            }
        }
    }
}

/// The cell that leads from an instance to its later versions. All leases on the instance share the cell.
#[derive(Default)]
pub(crate) struct ForwardingCell(RwLock<Forward>);

impl ForwardingCell {
    pub(crate) fn get(&self) -> Forward {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets the target to what `next` returns, if it returns one. Returns the former target, which the caller drops
    /// while it holds no lock.
    fn change(&self, next: impl FnOnce(&Forward) -> Option<Forward>) -> Forward {
        let mut forward = self.0.write().unwrap_or_else(PoisonError::into_inner);
        next(&forward).map(|next| std::mem::replace(&mut *forward, next)).unwrap_or_default()
    }

    fn set(&self, next: Forward) -> Forward {
        self.change(|_| Some(next))
    }

    /// Sets the target to `next` if it is still `seen`. Returns whether it was.
    fn replace(&self, seen: &Forward, next: &Forward) -> bool {
        let mut done = false;
        drop(self.change(|forward| {
            done = forward.is(seen);
            done.then(|| next.clone())
        }));
        done
    }

    /// Removes the target, as the bundle no longer serves.
    pub(crate) fn clear(&self) -> Forward {
        self.set(Forward::None)
    }

    /// Removes the target if it is of `version`, which no longer serves.
    pub(crate) fn leave(&self, version: &BundleVersion) -> Forward {
        let is_of_version = |versioned: &VersionedInstance| {
            versioned.provider.version.as_ref().is_some_and(|own| std::ptr::eq(Arc::as_ptr(own), version))
        };
        self.change(|forward| match forward {
            Forward::To(versioned) if is_of_version(versioned) => Some(Forward::None),
            _ => None,
        })
    }
}

/// A lease on an instance, held by proxies and tokens. Clones of a proxy share one lease.
pub(crate) struct InstanceLease {
    bound: Bound,
    cell: OnceLock<Arc<ForwardingCell>>,
    /// The place in the host's source that asked for the instance.
    site: &'static Location<'static>,
}

/// The versioned instance that a lease is bound to. The first one is stored inline, as most proxies never see a reload.
enum Bound {
    First(VersionedInstance),
    Later(Arc<VersionedInstance>),
}

impl InstanceLease {
    /// Makes a new instance of `provider`, with a lease on it.
    pub(crate) fn new(provider: Arc<Provider>, site: &'static Location<'static>) -> Result<Arc<Self>, RuntimeError> {
        let bound = Bound::First(VersionedInstance::new(provider)?);
        let this = Arc::new(Self { bound, cell: OnceLock::new(), site });
        this.versioned().provider.leases().add(&this);
        Ok(this)
    }

    pub(crate) fn versioned(&self) -> &VersionedInstance {
        match &self.bound {
            Bound::First(versioned) => versioned,
            Bound::Later(versioned) => versioned,
        }
    }

    /// Returns the cell with the later versions of the instance.
    pub(crate) fn cell(&self) -> &Arc<ForwardingCell> {
        self.cell.get_or_init(Arc::default)
    }

    /// Returns a lease on the same instance that is bound to the target of its calls, once the version of this lease no
    /// longer serves. Returns `None` if the calls stay on this version.
    ///
    /// # Errors
    ///
    /// [`CallError::Unloaded`] if the bundle is unloaded or no longer has the plugin; another error if the next version's
    /// factory fails.
    pub(crate) fn current_lease(&self) -> Result<Option<Self>, CallError> {
        let cell = self.cell();
        let mut forward = cell.get();
        let versioned = loop {
            let seen = match forward {
                Forward::Pinned(None) => return Ok(None),
                Forward::Pinned(Some(versioned)) => break versioned,
                Forward::To(versioned) if versioned.provider.is_current() => break versioned,
                outdated => outdated,
            };
            // A reload may have set the cell after the read above. The reload sets the cell before it stores the
            // revision (release), which the caller or `is_current` has loaded (acquire), so this read sees the new
            // target.
            forward = cell.get();
            if forward.is(&seen) {
                self.forward_late(cell, &seen)?;
                forward = cell.get();
            }
        };
        Ok(Some(Self { bound: Bound::Later(versioned), cell: OnceLock::from(Arc::clone(cell)), site: self.site }))
    }

    /// Makes the next versioned instance of an instance that a reload has missed, as the instance was made while the
    /// reload listed the instances.
    #[cold]
    fn forward_late(&self, cell: &Arc<ForwardingCell>, seen: &Forward) -> Result<(), CallError> {
        let provider = &self.versioned().provider;
        let next = Arc::clone(provider.successor(&crossbeam_epoch::pin())?);
        let failed = |error: RuntimeError| provider.not_forwarded(&error);
        let forward = Forward::To(Arc::new(VersionedInstance::new(Arc::clone(&next)).map_err(failed)?));
        // All leases on the instance share one object: the first thread sets the target, and the others use that.
        if cell.replace(seen, &forward) {
            next.leases().add_cell(cell);
            // A version that retired before the cell was added has not cleared the cell.
            if !next.is_current() {
                cell.replace(&forward, &Forward::None);
            }
        }
        Ok(())
    }
}

impl Owner for InstanceLease {
    fn resolve_current(&self, info: &'static ContractInfo) -> Result<Option<RawProxy>, CallError> {
        let Some(next) = self.current_lease()? else { return Ok(None) };
        let next = Arc::new(next);
        let parts = next.versioned().parts(info).map_err(|_| self.versioned().provider.unloaded())?;
        // SAFETY: PROXY PARTS (see `proxy`), for the lease `next`.
        Ok(Some(unsafe { RawProxy::new(parts, next) }))
    }

    fn callee(&self) -> Callee {
        self.versioned().provider.callee()
    }
}

/// A lease on a provider for one place in the host's source. Its users are proxies for the instance that the provider
/// shares, and [`Lease`](super::lease::Lease)s.
pub(crate) struct SharedLease {
    provider: Arc<Provider>,
    site: &'static Location<'static>,
}

impl SharedLease {
    fn new(provider: Arc<Provider>, site: &'static Location<'static>) -> Self {
        Self { provider, site }
    }

    pub(crate) fn provider(&self) -> &Arc<Provider> {
        &self.provider
    }
}

impl Owner for SharedLease {
    fn resolve_current(&self, info: &'static ContractInfo) -> Result<Option<RawProxy>, CallError> {
        let guard = crossbeam_epoch::pin();
        let next = self.provider.successor(&guard)?;
        let proxy = if next.shared().is_some() {
            shared_proxy(next, info, self.site, &guard)
        } else {
            let next = Arc::clone(next);
            drop(guard); // a factory may take long
            proxy(next, info, self.site)
        };
        proxy.map(Some).map_err(|_| self.provider.unloaded())
    }

    fn callee(&self) -> Callee {
        self.provider.callee()
    }
}

/// Makes a proxy for an instance of `provider`.
pub(crate) fn proxy(
    provider: Arc<Provider>,
    info: &'static ContractInfo,
    site: &'static Location<'static>,
) -> Result<RawProxy, RuntimeError> {
    if provider.shared().is_some() {
        return shared_proxy(&provider, info, site, &crossbeam_epoch::pin());
    }
    let held = InstanceLease::new(provider, site)?;
    let parts = held.versioned().parts(info)?;
    // SAFETY: PROXY PARTS: the owner holds the provider and thereby the version, which keep the revision, the tables
    // and the code. The entries are those of the provider for the methods of `info`, and the instance is the
    // provider's.
    Ok(unsafe { RawProxy::new(parts, held) })
}

/// Makes a proxy for the instance that `provider` shares.
///
/// # Panics
///
/// If the provider shares no instance.
#[inline]
pub(crate) fn shared_proxy(
    provider: &Arc<Provider>,
    info: &'static ContractInfo,
    site: &'static Location<'static>,
    guard: &Guard,
) -> Result<RawProxy, RuntimeError> {
    let target = provider.shared().expect("the caller has checked that an instance is shared");
    let parts = provider.parts(info, target)?;
    let owner = provider.leases().shared(provider, site, guard);
    // SAFETY: PROXY PARTS (see `proxy`), for the lease `owner`.
    Ok(unsafe { RawProxy::new(parts, owner) })
}

/// The leases on one provider and its instances, for reloads, which migrate instances, and for reports. Leases that
/// were dropped are removed now and then.
#[derive(Default)]
pub(crate) struct LeaseRegistry {
    /// The shared lease that was asked for last, one of `lists.shared`, or null. Proxies are usually made repeatedly at
    /// one place in the source, and need no lock for the lease in this field.
    recent: AtomicPtr<SharedLease>,
    lists: Mutex<Lists>,
}

#[derive(Default)]
struct Lists {
    /// The leases on instances, with the places that asked for the instances.
    own: Vec<(Weak<InstanceLease>, Site)>,
    /// The cells of instances that were made by earlier versions.
    cells: Vec<Weak<ForwardingCell>>,
    /// The shared leases while the version serves. They hold the provider, so they are released when the version
    /// retires.
    shared: Vec<Arc<SharedLease>>,
    /// The shared leases that were released.
    retired: Vec<(Weak<SharedLease>, Site)>,
    /// The observers of the version's retirement.
    followers: Followers,
    is_retired: bool,
    /// The length of `own` at which dropped leases are removed.
    sweep_at: usize,
}

/// A place in the host's source.
type Site = &'static Location<'static>;

impl LeaseRegistry {
    fn lock(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, held: &Arc<InstanceLease>) {
        let mut lists = self.lock();
        if lists.own.len() >= lists.sweep_at {
            lists.own.retain(|(held, _)| held.strong_count() > 0);
            lists.sweep_at = (lists.own.len() * 2).max(16);
        }
        lists.own.push((Arc::downgrade(held), held.site));
    }

    pub(crate) fn add_cell(&self, cell: &Arc<ForwardingCell>) {
        self.lock().cells.push(Arc::downgrade(cell));
    }

    /// Returns the owner of the proxies made at `site`. All these proxies share one owner, whose reference count gives
    /// the number of proxies. Sites are compared by address, so a site with several addresses is listed several times.
    #[inline]
    pub(crate) fn shared(
        &self,
        provider: &Arc<Provider>,
        site: &'static Location<'static>,
        _: &Guard,
    ) -> Arc<SharedLease> {
        let recent = self.recent.load(Ordering::Acquire);
        // SAFETY: RECENT: `recent` is null or points to one of `lists.shared`. Those are dropped only when no guard
        // from before their removal exists, and the caller holds a guard. The release store in `find_shared` pairs with
        // this acquire load, so the lease's contents are complete.
        if unsafe { recent.as_ref() }.is_some_and(|recent| std::ptr::eq(recent.site, site)) {
            // SAFETY: RECENT; the pointer is from an `Arc`, and the count added here is the count of the returned
            // `Arc`.
            return unsafe {
                Arc::increment_strong_count(recent);
                Arc::from_raw(recent)
            };
        }
        self.find_shared(provider, site)
    }

    #[cold]
    fn find_shared(&self, provider: &Arc<Provider>, site: &'static Location<'static>) -> Arc<SharedLease> {
        let mut lists = self.lock();
        let known = lists.shared.iter().find(|known| std::ptr::eq(known.site, site)).cloned();
        let found = known.unwrap_or_else(|| {
            let new = Arc::new(SharedLease::new(Arc::clone(provider), site));
            if lists.is_retired {
                lists.retired.push((Arc::downgrade(&new), site));
            } else {
                lists.shared.push(Arc::clone(&new));
            }
            new
        });
        if !lists.is_retired {
            self.recent.store(Arc::as_ptr(&found).cast_mut(), Ordering::Release);
        }
        found
    }

    /// Releases the shared leases, which hold the provider, and notifies the followers. Called when the version
    /// retires.
    pub(crate) fn retire(&self) {
        let guard = crossbeam_epoch::pin();
        let mut lists = self.lock();
        lists.is_retired = true;
        self.recent.store(std::ptr::null_mut(), Ordering::Release);
        let shared = std::mem::take(&mut lists.shared);
        let followers = std::mem::take(&mut lists.followers);
        lists.retired.extend(shared.iter().map(|shared| (Arc::downgrade(shared), shared.site)));
        drop(lists);
        if !shared.is_empty() {
            // A reader with a guard may be about to add a count to one of them.
            guard.defer(move || drop(shared));
            guard.flush();
        }
        drop(guard); // followers run foreign code
        followers.notify();
    }

    /// Notifies `follower` when the version retires, or at once if the version has retired.
    pub(crate) fn follow(&self, follower: &std::sync::Arc<impl Follower + 'static>) {
        let mut lists = self.lock();
        if !lists.is_retired {
            lists.followers.add(follower);
            return;
        }
        drop(lists);
        follower.retired();
    }

    /// Returns the cells of held instances that were made by earlier versions.
    pub(crate) fn carried(&self) -> Vec<Arc<ForwardingCell>> {
        self.lock().cells.iter().filter_map(Weak::upgrade).collect()
    }

    /// Returns the cells of all held instances.
    pub(crate) fn cells(&self) -> Vec<(Arc<ForwardingCell>, Option<Arc<InstanceLease>>)> {
        let lists = self.lock();
        let carried = lists.cells.iter().filter_map(Weak::upgrade).map(|cell| (cell, None));
        let own = lists.own.iter().filter_map(|(held, _)| held.upgrade());
        let own = own.map(|held| (Arc::clone(held.cell()), Some(held)));
        carried.chain(own).collect()
    }

    /// Returns the places in the source whose leases still exist, and the number of leases of each.
    pub(crate) fn sites(&self) -> Vec<(&'static Location<'static>, usize)> {
        // No count is added to a lease here: if it became the last one, dropping it would destroy the instance under
        // the lock.
        let lists = self.lock();
        let own = lists.own.iter().map(|(held, site)| (*site, held.strong_count()));
        let serving = lists.shared.iter().map(|shared| (shared.site, Arc::strong_count(shared) - 1));
        let retired = lists.retired.iter().map(|(shared, site)| (*site, shared.strong_count()));
        let mut sites: Vec<(&'static Location<'static>, usize)> = Vec::new();
        for (site, count) in own.chain(serving).chain(retired).filter(|(_, count)| *count > 0) {
            match sites.iter_mut().find(|(known, _)| *known == site) {
                Some((_, sum)) => *sum += count,
                None => sites.push((site, count)),
            }
        }
        sites
    }
}
