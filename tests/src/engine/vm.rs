//! The VM that runs a program of the toy language.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, ThreadId};

use polyplug::Version;
use polyplug::engine::{Engine, Fault, Guest, IncomingCall, KnownContract, PluginDecl};

use super::code::{Method, Raise};
use super::moving::Toys;
use super::{Call, Class, Toy};

/// Counts of events in all VMs of a loader.
#[derive(Debug, Default)]
pub struct Counts {
    vms: AtomicUsize,
    made: AtomicUsize,
    ended: AtomicUsize,
    overlaps: AtomicUsize,
}

impl Counts {
    /// Returns the number of VMs that exist.
    pub fn vms(&self) -> usize {
        self.vms.load(Ordering::SeqCst)
    }

    /// Returns the number of instances that were made and objects that were handed over.
    pub fn made(&self) -> usize {
        self.made.load(Ordering::SeqCst)
    }

    /// Returns the number of objects that ended.
    pub fn ended(&self) -> usize {
        self.ended.load(Ordering::SeqCst)
    }

    /// Returns how often two threads were in a VM at a time.
    pub fn overlaps(&self) -> usize {
        self.overlaps.load(Ordering::SeqCst)
    }
}

/// An object of a VM: an instance, or one that is handed over.
pub struct Thing {
    methods: Arc<BTreeMap<String, Method>>,
    state: Mutex<Toy>,
}

impl Thing {
    pub(super) fn object(name: &str, method: Method) -> Self {
        Self { methods: Arc::new([(name.to_owned(), method)].into()), state: Mutex::new(Toy::Nil) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, Toy> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A VM with the program of one bundle.
pub(super) struct ToyVm {
    pub(super) guest: Arc<Guest>,
    classes: Vec<Class>,
    contracts: Vec<OnceLock<KnownContract>>,
    /// The thread that is in the VM, and the depth of its calls.
    visitor: Mutex<Option<(ThreadId, usize)>>,
    counts: Arc<Counts>,
}

impl ToyVm {
    pub(super) fn new(guest: &Arc<Guest>, classes: Vec<Class>, counts: &Arc<Counts>) -> Self {
        counts.vms.fetch_add(1, Ordering::SeqCst);
        Self {
            guest: Arc::clone(guest),
            contracts: classes.iter().map(|_| OnceLock::new()).collect(),
            classes,
            visitor: Mutex::new(None),
            counts: Arc::clone(counts),
        }
    }

    pub(super) fn declared(&self) -> Vec<PluginDecl> {
        let declared = self.classes.iter().map(|class| PluginDecl {
            contract: class.contract.clone(),
            name: class.name.clone(),
            methods: class.methods.keys().cloned().collect(),
            is_singleton: class.is_singleton,
            is_stateless: class.is_stateless,
            keeps_state: class.state.is_some(),
            place: class.place.clone(),
            ..PluginDecl::default()
        });
        declared.collect()
    }

    /// Notes that this thread is in the VM, until the result is dropped.
    fn visit(&self) -> Visit<'_> {
        let here = thread::current().id();
        let mut visitor = self.visitor.lock().unwrap_or_else(PoisonError::into_inner);
        let times = match *visitor {
            None => 1,
            Some((thread, times)) => {
                if thread != here {
                    self.counts.overlaps.fetch_add(1, Ordering::SeqCst);
                }
                times + 1
            }
        };
        *visitor = Some((here, times));
        Visit(self)
    }

    /// Counts an object that is about to be handed over.
    pub(super) fn count_made(&self) {
        self.counts.made.fetch_add(1, Ordering::SeqCst);
    }

    fn instance(&self, plugin: usize, state: Toy) -> Arc<Thing> {
        self.count_made();
        Arc::new(Thing { methods: Arc::clone(&self.classes[plugin].methods), state: Mutex::new(state) })
    }

    fn run(&self, this: &Thing, of: &KnownContract, call: &IncomingCall<'_>) -> Result<(), Fault> {
        let _visit = self.visit();
        let name = &call.method().name;
        let method = this.methods.get(name).ok_or_else(|| Fault::new(format_args!("there is no method `{name}`")))?;
        let mut toys = Toys::new(self, of);
        let arguments = (0..call.arguments()).map(|index| call.argument(&mut toys, index)).collect::<Result<_, _>>()?;
        match method(&mut Call { vm: self, this, arguments }) {
            Ok(result) => call.set_result(&mut toys, &result),
            Err(Raise::Declared(error)) => call.set_error(&mut toys, &error),
            Err(Raise::Fault(fault)) => Err(fault),
        }
    }
}

impl Drop for ToyVm {
    fn drop(&mut self) {
        self.counts.vms.fetch_sub(1, Ordering::SeqCst);
        self.guest.record_end(None);
    }
}

/// The note that a thread is in the VM: see [`ToyVm::visit`].
struct Visit<'a>(&'a ToyVm);

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let mut visitor = self.0.visitor.lock().unwrap_or_else(PoisonError::into_inner);
        *visitor = visitor.filter(|(_, times)| *times > 1).map(|(thread, times)| (thread, times - 1));
    }
}

impl Engine for ToyVm {
    type Object = Arc<Thing>;

    fn prepare(&self, plugin: usize, contract: &KnownContract) -> Result<(), Fault> {
        let _visit = self.visit();
        let _ = self.contracts[plugin].set(contract.clone());
        Ok(())
    }

    fn create(&self, plugin: usize) -> Result<Arc<Thing>, Fault> {
        let _visit = self.visit();
        let state = match &self.classes[plugin].init {
            None => Toy::Nil,
            Some(init) => {
                let this = Thing { methods: Arc::default(), state: Mutex::new(Toy::Nil) };
                init(&mut Call { vm: self, this: &this, arguments: Vec::new() }).map_err(Raise::into_fault)?
            }
        };
        Ok(self.instance(plugin, state))
    }

    fn end(&self, object: Arc<Thing>) {
        let _visit = self.visit();
        self.counts.ended.fetch_add(1, Ordering::SeqCst);
        let end = object.methods.get("end").cloned();
        if let Some(end) = end {
            let _ = end(&mut Call { vm: self, this: &object, arguments: Vec::new() });
        }
    }

    fn call(&self, plugin: usize, instance: &Arc<Thing>, call: &IncomingCall<'_>) -> Result<(), Fault> {
        self.run(instance, self.contracts[plugin].get().expect("a plugin is prepared before it is called"), call)
    }

    fn call_object(
        &self,
        _: u32,
        object: &Arc<Thing>,
        of: &KnownContract,
        call: &IncomingCall<'_>,
    ) -> Result<(), Fault> {
        self.run(object, of, call)
    }

    fn save(&self, plugin: usize, instance: &Arc<Thing>) -> Result<Vec<u8>, Fault> {
        let _visit = self.visit();
        let (save, _) = self.classes[plugin].state.as_ref().expect("asked only of those that keep their state");
        save(&instance.state()).map_err(Raise::into_fault)
    }

    fn restore(&self, plugin: usize, state: &[u8], from: Version) -> Result<Arc<Thing>, Fault> {
        let _visit = self.visit();
        let (_, restore) = self.classes[plugin].state.as_ref().expect("asked only of those that keep their state");
        Ok(self.instance(plugin, restore(state, from).map_err(Raise::into_fault)?))
    }

    /// Returns a thousand bytes for each object that exists.
    fn memory(&self) -> Option<u64> {
        let _visit = self.visit();
        Some(1000 * (self.counts.made() - self.counts.ended()) as u64)
    }
}
