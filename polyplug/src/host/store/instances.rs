//! Instances held from outside, and how they outlive the version they were made with.
//!
//! A proxy is bound to one *incarnation*: an object of one version, on whose code its calls run. A reload makes the
//! next incarnation of each instance and leaves it in the instance's *cell*, where proxies of earlier versions find
//! it. The cell alone leads onwards, so a proxy that is never refreshed keeps the version it was made with and none of
//! those in between.

use std::panic::Location;

use crossbeam_epoch::Guard;
use polyplug_abi::GuestContractInstance;

use super::call_target::CallTarget;
use super::provider::Provider;
use crate::call_error::CallError;
use crate::contract_info::ContractInfo;
use crate::host::abi::dispatch::{CallFrame, Dispatch};
use crate::host::error::runtime::RuntimeError;
use crate::host::plugin::instance::destroy;
use crate::host::version::version::BundleVersion;
use crate::proxy::{Owner, ProxyParts, RawProxy};
use crate::sync::atomic::{AtomicPtr, Ordering};
use crate::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak};

/// One object of one version: the holder's own, or the one that everybody shares. Ends its own when dropped.
pub(crate) struct VersionedInstance {
    provider: Arc<Provider>,
    own: Option<CallTarget>,
}

impl VersionedInstance {
    /// An object made by the plugin's factory, unless the plugin shares one.
    pub(crate) fn new(provider: Arc<Provider>) -> Result<Self, RuntimeError> {
        if provider.shared().is_some() {
            return Ok(Self { provider, own: None });
        }
        let instance = provider.create()?;
        Ok(Self::of(provider, instance))
    }

    /// An object that was made already.
    pub(crate) fn of(provider: Arc<Provider>, instance: GuestContractInstance) -> Self {
        let own = Some(CallTarget::new(&provider.plugin.interface, instance));
        Self { provider, own }
    }

    pub(crate) fn provider(&self) -> &Arc<Provider> {
        &self.provider
    }

    fn target(&self) -> &CallTarget {
        self.own.as_ref().or_else(|| self.provider.shared()).expect("an object of one kind or the other")
    }

    pub(crate) fn raw(&self) -> GuestContractInstance {
        self.target().raw()
    }

    /// Calls function `fn_id`, as the provider numbers them. Returns whether there is one.
    ///
    /// # Safety
    ///
    /// `frame` must be what the function's entry expects.
    pub(crate) unsafe fn call(&self, fn_id: u32, frame: CallFrame) -> bool {
        let interface = &self.provider.plugin.interface;
        // SAFETY: the interface was checked when it was registered; the provider's version keeps its functions mapped.
        let dispatch = unsafe { Dispatch::new(interface.dispatch_type, &interface.dispatch) };
        // SAFETY: the instance was made by this interface and ends with this; the caller promises the frame.
        unsafe { dispatch.call(self.raw(), fn_id, frame) }
    }

    /// What a proxy for contract `info` is made of.
    fn parts(&self, info: &'static ContractInfo) -> Result<ProxyParts, RuntimeError> {
        self.provider.parts(info, self.target())
    }
}

impl Drop for VersionedInstance {
    fn drop(&mut self) {
        if let Some(own) = &self.own {
            // SAFETY: made by this interface and given to nobody who outlives us; the provider's version keeps its
            // code mapped.
            unsafe { destroy(&self.provider.plugin.interface, self.provider.table(), own.raw()) };
        }
    }
}

/// Where calls of an instance go when the version that a holder is bound to no longer serves.
#[derive(Clone, Default)]
pub(crate) enum Forward {
    /// No reload has said so, or the bundle is unloaded.
    #[default]
    None,
    /// To a later incarnation.
    To(Arc<VersionedInstance>),
    /// Where they went when a reload let the instance drain: to a later incarnation, or the one it was made with.
    Pinned(Option<Arc<VersionedInstance>>),
}

impl Forward {
    /// Whether nobody has changed it in between.
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::None, Self::None) => true,
            (Self::To(this), Self::To(other)) => Arc::ptr_eq(this, other),
            _ => false,
        }
    }
}

/// What a reload does with an instance that is held.
pub(crate) enum Transition {
    /// It goes on as this object.
    MovesTo(Arc<VersionedInstance>),
    /// It stays on its code. The provider serves in place of its own, and tells it of an unload.
    Drains(Arc<Provider>),
}

impl Transition {
    /// Does it; what was in the cell, to be dropped where no lock is held.
    pub(crate) fn apply(self, cell: &Arc<ForwardingCell>) -> Forward {
        match self {
            Self::MovesTo(versioned) => {
                versioned.provider.leases().add_cell(cell);
                cell.set(Forward::To(versioned))
            }
            Self::Drains(provider) => {
                provider.leases().add_cell(cell);
                cell.change(|place| match place {
                    Forward::To(versioned) => Some(Forward::Pinned(Some(Arc::clone(versioned)))),
                    Forward::None => Some(Forward::Pinned(None)),
                    Forward::Pinned(_) => None,
                })
            }
        }
    }
}

/// The place of an instance, which all its holders share.
#[derive(Default)]
pub(crate) struct ForwardingCell(RwLock<Forward>);

impl ForwardingCell {
    pub(crate) fn get(&self) -> Forward {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the place, if `next` says by what. The old one is returned, to be dropped where no lock is held.
    fn change(&self, next: impl FnOnce(&Forward) -> Option<Forward>) -> Forward {
        let mut place = self.0.write().unwrap_or_else(PoisonError::into_inner);
        next(&place).map(|next| std::mem::replace(&mut *place, next)).unwrap_or_default()
    }

    fn set(&self, next: Forward) -> Forward {
        self.change(|_| Some(next))
    }

    /// Replaces the place unless it is no longer `seen`; whether it did.
    fn replace(&self, seen: &Forward, next: &Forward) -> bool {
        let mut done = false;
        drop(self.change(|place| {
            done = place.is(seen);
            done.then(|| next.clone())
        }));
        done
    }

    /// Forgets where calls go: nobody serves any more.
    pub(crate) fn clear(&self) -> Forward {
        self.set(Forward::None)
    }

    /// Forgets an incarnation of `version`, which no longer serves.
    pub(crate) fn leave(&self, version: &BundleVersion) -> Forward {
        let of = |versioned: &VersionedInstance| {
            versioned.provider.version.as_ref().is_some_and(|of| std::ptr::eq(Arc::as_ptr(of), version))
        };
        self.change(|place| match place {
            Forward::To(versioned) if of(versioned) => Some(Forward::None),
            _ => None,
        })
    }
}

/// An instance as proxies and tokens hold it. Clones of a proxy share one.
pub(crate) struct InstanceLease {
    bound: Bound,
    cell: OnceLock<Arc<ForwardingCell>>,
    /// Where in the host's source it was asked for.
    site: &'static Location<'static>,
}

/// The incarnation a holder is bound to. Its own is kept in place: most proxies never see a reload.
enum Bound {
    First(VersionedInstance),
    Later(Arc<VersionedInstance>),
}

impl InstanceLease {
    /// A new instance of `provider`.
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

    /// The place where later incarnations are found.
    pub(crate) fn cell(&self) -> &Arc<ForwardingCell> {
        self.cell.get_or_init(Arc::default)
    }

    /// The same instance, bound to the incarnation that its calls go to when the version of this one no longer serves;
    /// `None` if they stay here.
    ///
    /// # Errors
    ///
    /// The bundle is unloaded, or no longer has the plugin.
    pub(crate) fn current_lease(&self) -> Result<Option<Self>, CallError> {
        let cell = self.cell();
        let mut place = cell.get();
        let versioned = loop {
            let left = match place {
                Forward::Pinned(None) => return Ok(None),
                Forward::Pinned(Some(versioned)) => break versioned,
                Forward::To(versioned) if versioned.provider.is_current() => break versioned,
                left => left,
            };
            // A reload may have come after the look into the cell. It has filled the cell before its word is seen.
            place = cell.get();
            if place.is(&left) {
                self.forward_late(cell, &left)?;
                place = cell.get();
            }
        };
        Ok(Some(Self { bound: Bound::Later(versioned), cell: OnceLock::from(Arc::clone(cell)), site: self.site }))
    }

    /// The instance was made while a reload was counting instances, and has been missed: it gets its next incarnation
    /// now.
    #[cold]
    fn forward_late(&self, cell: &Arc<ForwardingCell>, left: &Forward) -> Result<(), CallError> {
        let provider = &self.versioned().provider;
        let next = Arc::clone(provider.successor(&crossbeam_epoch::pin())?);
        let failed =
            |error: RuntimeError| CallError::Unloaded { bundle: format!("{}: {error}", provider.bundle_name()) };
        let place = Forward::To(Arc::new(VersionedInstance::new(Arc::clone(&next)).map_err(failed)?));
        // Holders share one instance: who comes second takes that of the first.
        if cell.replace(left, &place) {
            next.leases().add_cell(cell);
            // A version that retired before it knew of the cell has not emptied it.
            if !next.is_current() {
                cell.replace(&place, &Forward::None);
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
        // SAFETY: as for the first proxy of an instance.
        Ok(Some(unsafe { RawProxy::new(parts, next) }))
    }

    fn bundle(&self) -> String {
        self.versioned().provider.bundle_name().to_owned()
    }
}

/// A provider, as leases taken at one place of the host's source hold it: those of proxies for the instance that it
/// shares, and those taken by themselves.
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
            drop(guard); // a factory may take its time
            proxy(next, info, self.site)
        };
        proxy.map(Some).map_err(|_| self.provider.unloaded())
    }

    fn bundle(&self) -> String {
        self.provider.bundle_name().to_owned()
    }
}

/// A proxy for an instance of `provider`.
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
    // SAFETY: the owner holds the provider, which holds the version: word, table, code and host table stay. The
    // entries are those the provider has for this contract's methods, and the instance is the provider's.
    Ok(unsafe { RawProxy::new(parts, held) })
}

/// A proxy for the instance that `provider` shares.
///
/// # Panics
///
/// If it shares none.
#[inline]
pub(crate) fn shared_proxy(
    provider: &Arc<Provider>,
    info: &'static ContractInfo,
    site: &'static Location<'static>,
    guard: &Guard,
) -> Result<RawProxy, RuntimeError> {
    let target = provider.shared().expect("the caller has looked");
    let parts = provider.parts(info, target)?;
    let owner = provider.leases().shared(provider, site, guard);
    // SAFETY: as for an instance of the holder's own.
    Ok(unsafe { RawProxy::new(parts, owner) })
}

/// Who holds instances of a provider: for reloads, which carry them over, and for reports. Holders that are gone are
/// swept out now and then.
#[derive(Default)]
pub(crate) struct LeaseRegistry {
    /// The owner that was asked for last, one of `lists.shared`: proxies are usually made at one place over and over,
    /// and need no lock there.
    recent: AtomicPtr<SharedLease>,
    lists: Mutex<Lists>,
}

#[derive(Default)]
struct Lists {
    /// With the places where they were asked for.
    own: Vec<(Weak<InstanceLease>, Site)>,
    cells: Vec<Weak<ForwardingCell>>,
    /// While the version serves. These hold the provider, so they are given up when it retires.
    shared: Vec<Arc<SharedLease>>,
    /// Those that were given up.
    retired: Vec<(Weak<SharedLease>, Site)>,
    /// Told when the version retires; what says no has nobody to tell any more.
    followers: Vec<Follower>,
    is_retired: bool,
    /// How long `own` may grow before it is swept.
    sweep_at: usize,
}

/// A place in the host's source.
type Site = &'static Location<'static>;

type Follower = Box<dyn Fn() -> bool + Send + Sync>;

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

    /// The owner of proxies made at `site`: one for all of them, whose count tells how many there are. Sites are
    /// compared by address: one with several addresses is merely listed several times.
    #[inline]
    pub(crate) fn shared(
        &self,
        provider: &Arc<Provider>,
        site: &'static Location<'static>,
        _: &Guard,
    ) -> Arc<SharedLease> {
        let recent = self.recent.load(Ordering::Acquire);
        // SAFETY: null, or one of `lists.shared`, which are dropped only when no guard from before is left.
        if unsafe { recent.as_ref() }.is_some_and(|recent| std::ptr::eq(recent.site, site)) {
            // SAFETY: as above; the pointer came from an `Arc`, and the count that is added here is the one returned.
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

    /// Gives up what holds the provider, when its version retires.
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
            // Readers with a guard may be about to count one up.
            guard.defer(move || drop(shared));
            guard.flush();
        }
        drop(guard); // followers run foreign code
        for told in followers {
            told();
        }
    }

    /// Calls `follower` when the version retires: at once, if it has.
    pub(crate) fn when_retired(&self, follower: impl Fn() -> bool + Send + Sync + 'static) {
        let mut lists = self.lock();
        if !lists.is_retired {
            lists.followers.push(Box::new(follower));
            return;
        }
        drop(lists);
        follower();
    }

    /// The cells of instances that are held and were made by earlier versions.
    pub(crate) fn carried(&self) -> Vec<Arc<ForwardingCell>> {
        self.lock().cells.iter().filter_map(Weak::upgrade).collect()
    }

    /// The cells of all instances that are held.
    pub(crate) fn cells(&self) -> Vec<(Arc<ForwardingCell>, Option<Arc<InstanceLease>>)> {
        let lists = self.lock();
        let carried = lists.cells.iter().filter_map(Weak::upgrade).map(|cell| (cell, None));
        let own = lists.own.iter().filter_map(|(held, _)| held.upgrade());
        let own = own.map(|held| (Arc::clone(held.cell()), Some(held)));
        carried.chain(own).collect()
    }

    /// Where instances were asked for that are still held, and how many of each.
    pub(crate) fn sites(&self) -> Vec<(&'static Location<'static>, usize)> {
        // Nobody is counted up for it: who is, and is the last, ends the instance, which must not be under the lock.
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
