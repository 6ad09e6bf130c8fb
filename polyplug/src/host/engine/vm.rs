//! An engine behind its lock.

use std::ops::Deref;
use std::sync::Arc;

use super::engine::Engine;
use super::lock::EngineLock;
use super::places::Places;
use crate::guest::{catch, describe_panic};
use crate::host::abi::log::report;
use crate::host::waits::WouldDeadlock;
use crate::sync::{Mutex, PoisonError};

/// The engine of one version of a bundle, with its lock.
pub(crate) struct Vm<E: Engine> {
    engine: E,
    lock: EngineLock,
    /// The names of the bundle's files.
    places: Arc<Places>,
    /// The objects to end that were released while the engine was busy.
    ended: Mutex<Vec<E::Object>>,
}

impl<E: Engine> Vm<E> {
    pub(crate) fn new(engine: E, places: &Arc<Places>) -> Self {
        let lock = EngineLock::new(places.bundle());
        Self { engine, lock, places: Arc::clone(places), ended: Mutex::new(Vec::new()) }
    }

    /// Returns the names of the bundle's files, for errors.
    pub(crate) fn places(&self) -> &Places {
        &self.places
    }

    /// Enters the engine. Waits until this thread may enter.
    #[inline]
    pub(crate) fn enter(&self) -> Result<VmGuard<'_, E>, WouldDeadlock> {
        if E::EXCLUSIVE {
            self.lock.enter()?;
        }
        Ok(VmGuard(self))
    }

    /// Returns whether a thread that enters has to wait for the thread with the mark `thread`.
    pub(crate) fn waits_for(&self, thread: usize) -> bool {
        E::EXCLUSIVE && self.lock.waits_for(thread)
    }

    /// Returns how many bytes the engine occupies, or `None` if the engine is busy or does not know.
    pub(crate) fn memory(&self) -> Option<u64> {
        let may_look = !E::EXCLUSIVE || self.lock.try_enter();
        let inside = may_look.then(|| VmGuard(self))?;
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

/// An entry of this thread into the engine, which ends when the guard is dropped.
pub(crate) struct VmGuard<'a, E: Engine>(&'a Vm<E>);

impl<E: Engine> Deref for VmGuard<'_, E> {
    type Target = E;

    #[inline]
    fn deref(&self) -> &E {
        &self.0.engine
    }
}

impl<E: Engine> Drop for VmGuard<'_, E> {
    #[inline]
    fn drop(&mut self) {
        if E::EXCLUSIVE && self.0.lock.leave() {
            self.0.sweep();
        }
    }
}
