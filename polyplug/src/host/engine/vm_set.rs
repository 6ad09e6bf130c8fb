//! The VMs that run a plugin: one, or a pool.

use std::sync::Arc;

use super::engine::Engine;
use super::fault::Fault;
use super::places::Places;
use super::vm::Vm;
use super::vm_pool::VmPool;

/// The VMs that run a plugin.
pub(crate) trait VmSet<E: Engine>: Send + Sync + 'static {
    /// An instance of the plugin: an object in each VM.
    type Instance: Send + Sync;

    /// Returns the number of VMs.
    fn count(&self) -> usize;

    /// Returns the names of the bundle's files, for errors.
    fn places(&self) -> &Places;

    /// Makes an instance. `make` makes the object of each VM.
    fn make(&self, make: impl Fn(&E) -> Result<E::Object, Fault>) -> Result<Self::Instance, Fault>;

    /// Ends an instance: at once, or when the threads leave that are in the VMs. Does not wait.
    fn end(&self, instance: Self::Instance);

    /// Enters one of the VMs and runs `body` there, with the instance's object in that VM. Waits until this thread may
    /// enter.
    fn run<R>(
        &self,
        instance: &Self::Instance,
        body: impl FnOnce(&E, &E::Object) -> Result<R, Fault>,
    ) -> Result<R, Fault>;

    /// Returns whether a thread that enters has to wait for the thread with the mark `thread`.
    fn waits_for(&self, thread: usize) -> bool;
}

/// The only VM of a bundle.
pub(crate) struct SingleVm<E: Engine>(pub(crate) Arc<Vm<E>>);

impl<E: Engine> VmSet<E> for SingleVm<E> {
    type Instance = E::Object;

    fn count(&self) -> usize {
        1
    }

    #[inline]
    fn places(&self) -> &Places {
        self.0.places()
    }

    fn make(&self, make: impl Fn(&E) -> Result<E::Object, Fault>) -> Result<E::Object, Fault> {
        make(&*self.0.enter_single()?)
    }

    fn end(&self, instance: E::Object) {
        self.0.end(instance);
    }

    #[inline(always)]
    fn run<R>(
        &self,
        instance: &Self::Instance,
        body: impl FnOnce(&E, &E::Object) -> Result<R, Fault>,
    ) -> Result<R, Fault> {
        let engine = self.0.enter_single()?;
        body(&engine, instance)
    }

    fn waits_for(&self, thread: usize) -> bool {
        self.0.waits_for(thread)
    }
}

/// The first VM of a pool, for a plugin that is not stateless.
pub(crate) struct FirstVm<E: Engine>(pub(crate) Arc<Vm<E>>);

impl<E: Engine> VmSet<E> for FirstVm<E> {
    type Instance = E::Object;

    fn count(&self) -> usize {
        1
    }

    fn places(&self) -> &Places {
        self.0.places()
    }

    fn make(&self, make: impl Fn(&E) -> Result<E::Object, Fault>) -> Result<E::Object, Fault> {
        make(&*self.0.enter()?)
    }

    fn end(&self, instance: E::Object) {
        self.0.end(instance);
    }

    #[inline(always)]
    fn run<R>(
        &self,
        instance: &Self::Instance,
        body: impl FnOnce(&E, &E::Object) -> Result<R, Fault>,
    ) -> Result<R, Fault> {
        let engine = self.0.enter()?;
        body(&engine, instance)
    }

    fn waits_for(&self, thread: usize) -> bool {
        self.0.waits_for(thread)
    }
}

impl<E: Engine> VmSet<E> for VmPool<E> {
    /// The objects, by the numbers of the VMs.
    type Instance = Box<[E::Object]>;

    fn count(&self) -> usize {
        self.vms().len()
    }

    fn places(&self) -> &Places {
        self.vms()[0].places()
    }

    fn make(&self, make: impl Fn(&E) -> Result<E::Object, Fault>) -> Result<Self::Instance, Fault> {
        let mut made = Made { vms: self.vms(), objects: Vec::with_capacity(self.count()) };
        for vm in made.vms {
            made.objects.push(make(&*vm.enter()?)?);
        }
        Ok(std::mem::take(&mut made.objects).into())
    }

    fn end(&self, instance: Self::Instance) {
        drop(Made { vms: self.vms(), objects: instance.into_vec() });
    }

    #[inline(always)]
    fn run<R>(
        &self,
        instance: &Self::Instance,
        body: impl FnOnce(&E, &E::Object) -> Result<R, Fault>,
    ) -> Result<R, Fault> {
        let (number, engine) = self.enter()?;
        body(&engine, &instance[number])
    }

    fn waits_for(&self, thread: usize) -> bool {
        self.vms().iter().all(|vm| vm.waits_for(thread))
    }
}

/// Objects of the first VMs of a pool, which are ended when the value is dropped.
struct Made<'a, E: Engine> {
    vms: &'a [Arc<Vm<E>>],
    objects: Vec<E::Object>,
}

impl<E: Engine> Drop for Made<'_, E> {
    fn drop(&mut self) {
        for (vm, object) in self.vms.iter().zip(self.objects.drain(..)) {
            vm.end(object);
        }
    }
}
