//! A pool of VMs that run the same code, for calls that any of them can carry out.
//!
//! A thread that calls the pool enters the VM that it is in already, or the one that it has used last, or a free one. It
//! waits only if all are busy, until any one of them is left.

use std::sync::Arc;

use super::engine::Engine;
use super::entries;
use super::vm::{Vm, VmGuard};
use crate::host::waits::{Lock, WouldDeadlock, mark};

/// The VMs of a version of a bundle. Clones are the same pool.
pub(crate) struct VmPool<E: Engine> {
    /// The VMs, at least one, made by [`Vm::pooled`] with the same signal.
    vms: Arc<[Arc<Vm<E>>]>,
}

impl<E: Engine> Clone for VmPool<E> {
    fn clone(&self) -> Self {
        Self { vms: Arc::clone(&self.vms) }
    }
}

impl<E: Engine> VmPool<E> {
    /// Makes a pool of VMs, at least one, which were made by [`Vm::pooled`] with the same signal.
    pub(crate) fn new(vms: Vec<Arc<Vm<E>>>) -> Self {
        Self { vms: vms.into() }
    }

    pub(crate) fn vms(&self) -> &[Arc<Vm<E>>] {
        &self.vms
    }

    /// Enters one of the VMs, and returns its number with the guard. Waits until this thread may enter any.
    #[inline]
    pub(crate) fn enter(&self) -> Result<(usize, VmGuard<'_, E>), WouldDeadlock> {
        let me = mark();
        let recent = entries::recent();
        if !entries::any()
            && let Some(vm) = self.vms.get(recent)
            && vm.lock().try_first(me)
        {
            return Ok((recent, vm.entered()));
        }
        self.find(me)
    }

    /// Enters the VM that this thread, which has the mark `me`, is in, or a free one, or the first one that is left.
    #[inline(never)]
    fn find(&self, me: usize) -> Result<(usize, VmGuard<'_, E>), WouldDeadlock> {
        let first_of = |enter: fn(&Vm<E>, usize) -> bool| self.vms.iter().position(|vm| enter(vm, me));
        let own = if entries::any() { first_of(|vm, me| vm.lock().try_again(me)) } else { None };
        let number = match own.or_else(|| first_of(|vm, me| vm.lock().try_first(me))) {
            Some(number) => number,
            None => self.vms[0].lock().wait_until(self, me, || first_of(|vm, me| vm.lock().claim(me)))?,
        };
        entries::set_recent(number);
        Ok((number, self.vms[number].entered()))
    }
}

impl<E: Engine> Lock for VmPool<E> {
    fn owner(&self, number: usize) -> Option<usize> {
        self.vms.get(number).map(|vm| vm.lock().current_owner())
    }

    fn bundle(&self) -> &str {
        self.vms[0].places().bundle()
    }
}
