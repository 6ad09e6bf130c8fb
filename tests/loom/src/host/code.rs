//! The code of a bundle, and the instances that it makes.
//!
//! Code must not be run after it was reclaimed, and an instance must not be called after it was destroyed.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::sync::Arc;

use crossbeam_epoch::memory::{self, Block};
use loom::sync::atomic::{AtomicUsize, Ordering};
use polyplug_abi::{GuestContractId, GuestContractInstance};

use crate::host::version::module::{Module, Remains};

/// The code of one version. A test that holds it has no lease.
pub(crate) struct Code {
    number: u32,
    block: Block,
    /// Shows loom that it matters whether a thread looks before or after the end.
    looks: AtomicUsize,
    /// The number of instances that its factory has made.
    pub(crate) made: Cell<usize>,
    /// The function that runs when an instance ends.
    pub(crate) at_end: RefCell<Option<Box<dyn Fn()>>>,
}

// SAFETY: all threads of a model run on one thread of the system.
unsafe impl Send for Code {}
// SAFETY: all threads of a model run on one thread of the system, so accesses are never at the same time.
unsafe impl Sync for Code {}

impl Code {
    pub(crate) fn new(number: u32) -> Arc<Self> {
        Arc::new(Self {
            number,
            block: Block::new::<Self>(),
            looks: AtomicUsize::new(0),
            made: Cell::new(0),
            at_end: RefCell::default(),
        })
    }

    /// Runs the code; returns the number of its version.
    pub(crate) fn run(&self) -> u32 {
        self.block.touch();
        self.number
    }

    /// Returns whether the code was reclaimed.
    pub(crate) fn is_reclaimed(&self) -> bool {
        self.looks.fetch_add(1, Ordering::Relaxed);
        self.block.has_ended()
    }
}

/// The module that keeps the code mapped.
pub(crate) struct Library(pub(crate) Arc<Code>);

impl Module for Library {
    fn close(self: Box<Self>) -> Option<Remains> {
        self.0.looks.fetch_add(1, Ordering::Relaxed);
        self.0.block.end();
        None
    }
}

/// An instance. Its memory stays until the end of the execution, so that a mutant may use it after its end.
struct Instance {
    code: Arc<Code>,
    block: Block,
    calls: AtomicUsize,
}

fn instance<'a>(raw: GuestContractInstance) -> &'a Instance {
    // SAFETY: the pointer is from `create` in this execution, until whose end the memory stays.
    unsafe { &*raw.data.cast::<Instance>() }
}

/// Makes an instance that begins with this count of calls.
pub(crate) fn create(code: &Arc<Code>, calls: usize) -> GuestContractInstance {
    code.run();
    let instance = Instance { code: Arc::clone(code), block: Block::new::<Instance>(), calls: AtomicUsize::new(calls) };
    let data: *mut c_void = memory::keep(instance).cast_mut().cast();
    GuestContractInstance { data, contract_id: CONTRACT }
}

/// Makes an instance, as a plugin's factory does.
pub(crate) fn make(code: &Arc<Code>) -> GuestContractInstance {
    code.made.set(code.made.get() + 1);
    create(code, 0)
}

pub(crate) fn destroy(raw: GuestContractInstance) {
    let instance = instance(raw);
    instance.code.run();
    if let Some(at_end) = &*instance.code.at_end.borrow() {
        at_end();
    }
    instance.block.end();
}

/// Counts a call, as the plugin's only method; returns the number of the version that it ran on.
pub(crate) fn count(raw: GuestContractInstance) -> u32 {
    let instance = instance(raw);
    instance.block.touch();
    instance.calls.fetch_add(1, Ordering::Relaxed);
    instance.code.run()
}

/// Returns the number of calls of an instance, and of those whose state it got.
pub(crate) fn calls(raw: GuestContractInstance) -> usize {
    let instance = instance(raw);
    instance.block.touch();
    instance.calls.load(Ordering::Relaxed)
}

/// The contract of all plugins.
pub(crate) const CONTRACT: GuestContractId = GuestContractId::from_u64(7);
