//! An engine behind its lock.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::Engine;
use super::lock::{EngineLock, WouldDeadlock};

/// The engine of one version of a bundle, and who may be in it.
pub(super) struct Vm<E: Engine> {
    engine: E,
    lock: EngineLock,
    /// Objects that ended while the engine was busy.
    ended: Mutex<Vec<E::Object>>,
    any_ended: AtomicBool,
}

impl<E: Engine> Vm<E> {
    pub(super) fn new(engine: E, bundle: &str) -> Self {
        let lock = EngineLock::new(bundle);
        Self { engine, lock, ended: Mutex::default(), any_ended: AtomicBool::new(false) }
    }

    /// Waits until this thread may be in the engine.
    #[inline]
    pub(super) fn enter(&self) -> Result<Inside<'_, E>, WouldDeadlock> {
        if E::EXCLUSIVE {
            self.lock.enter()?;
        }
        Ok(Inside(self))
    }

    /// How many bytes the engine occupies, unless it is busy.
    pub(super) fn memory(&self) -> Option<u64> {
        let may_look = !E::EXCLUSIVE || self.lock.try_enter();
        let inside = may_look.then(|| Inside(self))?;
        inside.memory()
    }

    /// Ends an object: now, or when whoever is in leaves. Never waits.
    pub(super) fn end(&self, object: E::Object) {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).push(object);
        self.any_ended.store(true, Ordering::SeqCst);
        self.sweep();
    }

    /// Ends what is waiting for it, unless somebody is in, who does it then.
    #[cold]
    fn sweep(&self) {
        while self.any_ended.load(Ordering::SeqCst) && (!E::EXCLUSIVE || self.lock.try_enter()) {
            self.end_all();
            if E::EXCLUSIVE {
                self.lock.leave();
            }
        }
    }

    fn end_all(&self) {
        self.any_ended.store(false, Ordering::SeqCst);
        let ended = std::mem::take(&mut *self.ended.lock().unwrap_or_else(PoisonError::into_inner));
        for object in ended {
            self.engine.end(object);
        }
    }
}

impl<E: Engine> Drop for Vm<E> {
    fn drop(&mut self) {
        self.end_all();
    }
}

/// This thread is in the engine.
pub(super) struct Inside<'a, E: Engine>(&'a Vm<E>);

impl<E: Engine> Deref for Inside<'_, E> {
    type Target = E;

    #[inline]
    fn deref(&self) -> &E {
        &self.0.engine
    }
}

impl<E: Engine> Drop for Inside<'_, E> {
    #[inline]
    fn drop(&mut self) {
        if E::EXCLUSIVE {
            self.0.lock.leave();
        }
        if self.0.any_ended.load(Ordering::Relaxed) {
            self.0.sweep();
        }
    }
}
