//! The code of a bundle, and the instances that it makes.
//!
//! Code is what must not be run after it was taken apart, an instance what must not be called after it was destroyed.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::sync::Arc;

use crossbeam_epoch::memory::{self, Block};
use loom::sync::atomic::{AtomicUsize, Ordering};
use polyplug_abi::{GuestContractId, GuestContractInstance};

use crate::host::version::module::Module;

/// The code of one version. What tests hold of it is no lease.
pub(crate) struct Code {
    number: u32,
    block: Block,
    /// Lets loom know that it matters whether somebody looks before or after the end.
    looks: AtomicUsize,
    /// How many instances its factory has made.
    pub(crate) made: Cell<usize>,
    /// What its instances do when they end.
    pub(crate) at_end: RefCell<Option<Box<dyn Fn()>>>,
}

// SAFETY: all threads of a model run on one thread of the system.
unsafe impl Send for Code {}
// SAFETY: as above.
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

    /// Runs some of it.
    pub(crate) fn run(&self) -> u32 {
        self.block.touch();
        self.number
    }

    /// Whether it was taken apart.
    pub(crate) fn is_gone(&self) -> bool {
        self.looks.fetch_add(1, Ordering::Relaxed);
        self.block.has_ended()
    }
}

/// What keeps the code mapped.
pub(crate) struct Library(pub(crate) Arc<Code>);

impl Module for Library {
    fn close(self: Box<Self>) -> Option<String> {
        self.0.looks.fetch_add(1, Ordering::Relaxed);
        self.0.block.end();
        None
    }
}

/// An instance. Kept as long as the execution, so that a mutant may use it after its end.
struct Instance {
    code: Arc<Code>,
    block: Block,
    calls: AtomicUsize,
}

fn instance<'a>(raw: GuestContractInstance) -> &'a Instance {
    // SAFETY: made by `create` in this execution.
    unsafe { &*raw.data.cast::<Instance>() }
}

/// A new instance that begins with what `calls` counted.
pub(crate) fn create(code: &Arc<Code>, calls: usize) -> GuestContractInstance {
    code.run();
    let instance = Instance { code: Arc::clone(code), block: Block::new::<Instance>(), calls: AtomicUsize::new(calls) };
    let data: *mut c_void = memory::keep(instance).cast_mut().cast();
    GuestContractInstance { data, contract_id: CONTRACT }
}

/// What the factory does.
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

/// The only method: counts its calls. The number of the version that it ran on.
pub(crate) fn count(raw: GuestContractInstance) -> u32 {
    let instance = instance(raw);
    instance.block.touch();
    instance.calls.fetch_add(1, Ordering::Relaxed);
    instance.code.run()
}

/// How many calls an instance, and those before it, had.
pub(crate) fn calls(raw: GuestContractInstance) -> usize {
    let instance = instance(raw);
    instance.block.touch();
    instance.calls.load(Ordering::Relaxed)
}

/// The contract of all plugins.
pub(crate) const CONTRACT: GuestContractId = GuestContractId::from_u64(7);
