//! An engine behind its lock.

use std::ops::Deref;

use super::engine::Engine;
use super::lock::{EngineLock, WouldDeadlock};
use crate::guest::{catch, describe_panic};
use crate::sync::{Mutex, PoisonError};

/// The engine of one version of a bundle, and who may be in it.
pub(crate) struct Vm<E: Engine> {
    engine: E,
    lock: EngineLock,
    /// Objects that ended while the engine was busy.
    ended: Mutex<Vec<E::Object>>,
}

impl<E: Engine> Vm<E> {
    pub(crate) fn new(engine: E, bundle: &str) -> Self {
        Self { engine, lock: EngineLock::new(bundle), ended: Mutex::new(Vec::new()) }
    }

    /// Waits until this thread may be in the engine.
    #[inline]
    pub(crate) fn enter(&self) -> Result<VmGuard<'_, E>, WouldDeadlock> {
        if E::EXCLUSIVE {
            self.lock.enter()?;
        }
        Ok(VmGuard(self))
    }

    /// How many bytes the engine occupies, unless it is busy.
    pub(crate) fn memory(&self) -> Option<u64> {
        let may_look = !E::EXCLUSIVE || self.lock.try_enter();
        let inside = may_look.then(|| VmGuard(self))?;
        catch(|| inside.memory()).unwrap_or_else(|payload| {
            tracing::error!(panic = describe_panic(payload), "an engine panicked when asked for its memory");
            None
        })
    }

    /// Ends an object: now, or when whoever is in leaves. Never waits.
    pub(crate) fn end(&self, object: E::Object) {
        if !E::EXCLUSIVE {
            return self.end_one(object);
        }
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).push(object);
        self.sweep();
    }

    /// Ends what is waiting for it, unless another thread is in, which does it then.
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

    /// A panic ends here: this runs on the way out of calls, and nobody's call has to do with it.
    fn end_one(&self, object: E::Object) {
        if let Err(payload) = catch(|| self.engine.end(object)) {
            tracing::error!(panic = describe_panic(payload), "an engine panicked at the end of an object");
        }
    }
}

impl<E: Engine> Drop for Vm<E> {
    fn drop(&mut self) {
        self.end_all();
    }
}

/// This thread is in the engine.
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
