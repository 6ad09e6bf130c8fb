//! An engine behind its lock.

use std::ops::Deref;
use std::sync::Arc;

use super::engine::Engine;
use super::entries::Entry;
use super::lock::EngineLock;
use super::places::Places;
use crate::guest::{catch, describe_panic};
use crate::host::abi::log::report;
use crate::host::waits::WouldDeadlock;
use crate::sync::{Condvar, Mutex, PoisonError};

/// The engine of one version of a bundle, with its lock.
pub(crate) struct Vm<E: Engine> {
    engine: E,
    lock: EngineLock,
    /// The names of the bundle's files.
    places: Arc<Places>,
    /// The objects to end that were released while the engine was busy.
    ended: Mutex<Vec<E::Object>>,
    /// True if the VM is one of a pool.
    is_pooled: bool,
}

impl<E: Engine> Vm<E> {
    pub(crate) fn new(engine: E, places: &Arc<Places>) -> Self {
        Self::with_lock(engine, places, EngineLock::new(places.bundle()), false)
    }

    /// Makes a VM of a pool, whose VMs share the signal `freed`.
    pub(crate) fn pooled(engine: E, places: &Arc<Places>, freed: &Arc<Condvar>) -> Self {
        Self::with_lock(engine, places, EngineLock::with_signal(places.bundle(), freed), true)
    }

    fn with_lock(engine: E, places: &Arc<Places>, lock: EngineLock, is_pooled: bool) -> Self {
        Self { engine, lock, places: Arc::clone(places), ended: Mutex::new(Vec::new()), is_pooled }
    }

    /// Returns the names of the bundle's files, for errors.
    pub(crate) fn places(&self) -> &Places {
        &self.places
    }

    /// Enters the engine. Waits until this thread may enter.
    #[inline]
    pub(crate) fn enter(&self) -> Result<VmGuard<'_, E>, WouldDeadlock> {
        let inside = self.enter_single()?;
        Ok(VmGuard { _entry: self.is_pooled.then(Entry::begin), inside })
    }

    /// Enters the engine, which is not one of a pool, as [`enter`](Self::enter) does.
    #[inline(always)]
    pub(crate) fn enter_single(&self) -> Result<SingleVmGuard<'_, E>, WouldDeadlock> {
        if E::EXCLUSIVE {
            self.lock.enter()?;
        }
        Ok(SingleVmGuard(self))
    }

    pub(crate) fn lock(&self) -> &EngineLock {
        &self.lock
    }

    /// Returns the guard of an engine of a pool, whose lock this thread has just taken.
    #[inline]
    pub(crate) fn entered(&self) -> VmGuard<'_, E> {
        VmGuard { _entry: Some(Entry::begin()), inside: SingleVmGuard(self) }
    }

    /// Returns whether a thread that enters has to wait for the thread with the mark `thread`.
    pub(crate) fn waits_for(&self, thread: usize) -> bool {
        E::EXCLUSIVE && self.lock.waits_for(thread)
    }

    /// Returns how many bytes the engine occupies, or `None` if the engine is busy or does not know.
    pub(crate) fn memory(&self) -> Option<u64> {
        let may_look = !E::EXCLUSIVE || self.lock.try_enter();
        let inside = may_look.then(|| SingleVmGuard(self))?;
        catch(|| inside.memory()).unwrap_or_else(|payload| {
            report!(
                ERROR,
                bundle = self.places.bundle(),
                "an engine panicked when asked for its memory: {}",
                describe_panic(payload)
            );
            None
        })
    }

    /// Ends an object: at once, or when the thread in the engine leaves. Does not wait.
    pub(crate) fn end(&self, object: E::Object) {
        if !E::EXCLUSIVE {
            return self.end_one(object);
        }
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).push(object);
        self.sweep();
    }

    /// Ends the objects in `ended`. If another thread is in the engine, asks that thread to end them when it leaves.
    #[cold]
    fn sweep(&self) {
        while self.lock.enter_or_ask() {
            let _entry = self.is_pooled.then(Entry::begin);
            self.end_all();
            if !self.lock.leave() {
                return;
            }
        }
    }

    fn end_all(&self) {
        let ended = std::mem::take(&mut *self.ended.lock().unwrap_or_else(PoisonError::into_inner));
        for object in ended {
            self.end_one(object);
        }
    }

    /// Ends one object. Catches a panic of the engine: the call that is just returning is not related to the object.
    fn end_one(&self, object: E::Object) {
        if let Err(payload) = catch(|| self.engine.end(object)) {
            report!(
                ERROR,
                bundle = self.places.bundle(),
                "an engine panicked at the end of an object: {}",
                describe_panic(payload)
            );
        }
    }
}

impl<E: Engine> Drop for Vm<E> {
    fn drop(&mut self) {
        self.end_all();
    }
}

/// An entry of this thread into an engine, which ends when the guard is dropped.
pub(crate) struct VmGuard<'a, E: Engine> {
    /// The entry into a pool, if the engine is one of a pool. It ends before another thread can enter the engine.
    _entry: Option<Entry>,
    inside: SingleVmGuard<'a, E>,
}

impl<E: Engine> Deref for VmGuard<'_, E> {
    type Target = E;

    #[inline]
    fn deref(&self) -> &E {
        &self.inside
    }
}

/// An entry of this thread into an engine that is not one of a pool, which ends when the guard is dropped.
pub(crate) struct SingleVmGuard<'a, E: Engine>(&'a Vm<E>);

impl<E: Engine> Deref for SingleVmGuard<'_, E> {
    type Target = E;

    #[inline]
    fn deref(&self) -> &E {
        &self.0.engine
    }
}

impl<E: Engine> Drop for SingleVmGuard<'_, E> {
    #[inline]
    fn drop(&mut self) {
        if E::EXCLUSIVE && self.0.lock.leave() {
            self.0.sweep();
        }
    }
}
