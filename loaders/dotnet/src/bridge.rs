//! The bridge: the assembly in the CLR that loads bundles, and its functions.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use polyplug::engine::{Fault, KnownContract, log_message};
use polyplug_abi::{CallArena, LogLevel, Version};

use crate::bundle::Bundle;
use crate::clr::{Clr, ClrConfig, keep_signals, prepare_thread};
use crate::fault;

/// The bridge's assembly, which `cargo xtask bridge` makes of the C# source in the folder `bridge`.
pub(crate) static ASSEMBLY: &[u8] = include_bytes!("../bridge/Polyplug.dll");

/// The documentation of the assembly's public items.
pub(crate) static DOCUMENTATION: &[u8] = include_bytes!("../bridge/Polyplug.xml");

/// An address of something in the CLR: a handle that keeps an object, or zero.
pub(crate) type Handle = usize;

/// The functions that the bridge calls, in the order of its `HostTable`.
#[repr(C)]
pub(crate) struct HostTable(pub(crate) [*const c_void; 21]);

// SAFETY: the pointers are addresses of functions.
unsafe impl Sync for HostTable {}

/// A buffer that the bridge appends a result or a fault to.
pub(crate) type Sink = Vec<u8>;

/// An object in the CLR, which a handle keeps.
#[derive(Debug)]
pub(crate) struct DotnetObject(Handle);

impl DotnetObject {
    /// Takes the ownership of a handle, which is one of the bridge's.
    pub(crate) fn new(handle: Handle) -> Self {
        Self(handle)
    }

    #[inline]
    pub(crate) fn handle(&self) -> Handle {
        self.0
    }

    /// Returns the handle, which the bridge frees.
    pub(crate) fn into_handle(self) -> Handle {
        std::mem::ManuallyDrop::new(self).0
    }
}

impl Drop for DotnetObject {
    fn drop(&mut self) {
        bridge().free(self.0);
    }
}

/// A method of a plugin that is bound to the contract's.
pub(crate) type MethodFunction = unsafe extern "C" fn(Handle, *const u8, *mut u8, *mut CallArena, *mut Sink) -> i32;

/// The methods of a plugin, by their numbers in the contract. The bridge sets each, and again when it has compiled the
/// method, which is at the method's first call.
pub(crate) struct Methods(Box<[AtomicPtr<()>]>);

impl Methods {
    /// Returns a method.
    #[inline]
    pub(crate) fn get(&self, number: usize) -> MethodFunction {
        let address = self.0[number].load(Ordering::Acquire);
        // SAFETY: the bridge has set each method to the address of a function of this type before it has returned the
        // methods, and keeps the functions as long as the plugin's code.
        unsafe { std::mem::transmute::<*mut (), MethodFunction>(address) }
    }
}

/// The bridge's functions, in the order of its `BridgeTable`.
#[repr(C)]
pub(crate) struct Bridge {
    load: unsafe extern "C" fn(*const Bundle, *const u8, usize, *mut Sink) -> Handle,
    prepare: unsafe extern "C" fn(Handle, u32, *const KnownContract, *const AtomicPtr<()>, *mut Sink) -> Handle,
    create: unsafe extern "C" fn(Handle, *mut Sink) -> Handle,
    end: unsafe extern "C" fn(Handle, Handle),
    call_object: unsafe extern "C" fn(Handle, u32, *const u8, *mut u8, *mut CallArena, *mut Sink) -> i32,
    save: unsafe extern "C" fn(Handle, Handle, *mut Sink) -> i32,
    restore: unsafe extern "C" fn(Handle, *const u8, usize, i32, i32, i32, *mut Sink) -> Handle,
    run: unsafe extern "C" fn(Handle, *mut Sink) -> i32,
    free: unsafe extern "C" fn(Handle),
    unload: unsafe extern "C" fn(Handle) -> Handle,
    is_gone: unsafe extern "C" fn(Handle) -> i32,
    remains: unsafe extern "C" fn(Handle, *mut Sink),
    place: unsafe extern "C" fn(Handle, u32, *mut Sink),
    object_place: unsafe extern "C" fn(Handle, u32, *mut Sink),
}

/// What the bridge's `Init` gets.
#[repr(C)]
struct InitArguments {
    host: *const HostTable,
    bridge: *mut Bridge,
}

static BRIDGE: OnceLock<Bridge> = OnceLock::new();

/// Held while the bridge is initialised, which it cannot be twice at once.
static STARTING: Mutex<()> = Mutex::new(());

/// Returns the bridge, which must run: nothing of the CLR exists before.
pub(crate) fn bridge() -> &'static Bridge {
    BRIDGE.get().expect("the bridge runs as long as there is something in the CLR")
}

/// Starts the CLR and the bridge, which gets the functions of `host`, or returns the bridge that runs.
///
/// # Errors
///
/// There is no installation of .NET that fits, or the CLR runs with other options.
pub(crate) fn start(config: &ClrConfig, host: &'static HostTable) -> Result<&'static Bridge, Fault> {
    let clr = Clr::start(config, ASSEMBLY)?;
    if let Some(running) = BRIDGE.get() {
        return Ok(running);
    }
    let _starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(running) = BRIDGE.get() {
        return Ok(running);
    }
    let init = clr.function("Polyplug.Bridge.Entry, Polyplug", "Init")?;
    let mut table = MaybeUninit::<Bridge>::uninit();
    let arguments = InitArguments { host, bridge: table.as_mut_ptr() };
    prepare_thread();
    let size = i32::try_from(size_of::<InitArguments>()).unwrap_or(0);
    // SAFETY: `Init` of this assembly reads the arguments, and fills the table.
    let status = keep_signals(|| unsafe { init((&raw const arguments).cast::<c_void>(), size) });
    if status != 0 {
        return Err(Fault::new("the assembly Polyplug does not fit this loader"));
    }
    let text = format!("the CLR of .NET {} in {} runs", clr.version(), clr.root().display());
    log_message(LogLevel::Debug, &text);
    // SAFETY: `Init` returned 0 after it had set each field to the address of a function of this type. The bridge keeps
    // the functions.
    Ok(BRIDGE.get_or_init(|| unsafe { table.assume_init() }))
}

impl Bridge {
    /// Loads a bundle. Returns its handle, and the bridge's description of its plugins.
    pub(crate) fn load(&self, bundle: *const Bundle, request: &[u8]) -> Result<(DotnetObject, Sink), Fault> {
        let mut sink = Sink::new();
        prepare_thread();
        // SAFETY: the caller's bundle is one whose ownership the bridge takes; the request is readable.
        let handle = unsafe { (self.load)(bundle, request.as_ptr(), request.len(), &raw mut sink) };
        made(handle, sink)
    }

    /// Binds a plugin's methods to a contract. Returns the handle of its code, and the methods by number.
    pub(crate) fn prepare(
        &self,
        bundle: &DotnetObject,
        plugin: usize,
        contract: *const KnownContract,
        methods: usize,
    ) -> Result<(DotnetObject, Methods), Fault> {
        let methods = Methods((0..methods).map(|_| AtomicPtr::default()).collect());
        let mut sink = Sink::new();
        let plugin = u32::try_from(plugin).unwrap_or(u32::MAX);
        prepare_thread();
        // SAFETY: the bridge keeps the bundle; the contract is one of the bundle's, which has this number of methods.
        let handle = unsafe { (self.prepare)(bundle.handle(), plugin, contract, methods.0.as_ptr(), &raw mut sink) };
        let (code, _) = made(handle, sink)?;
        Ok((code, methods))
    }

    /// Makes an instance.
    pub(crate) fn create(&self, code: &DotnetObject) -> Result<DotnetObject, Fault> {
        let mut sink = Sink::new();
        prepare_thread();
        // SAFETY: the handle keeps the code.
        let handle = unsafe { (self.create)(code.handle(), &raw mut sink) };
        made(handle, sink).map(|(object, _)| object)
    }

    /// Ends an instance of the code.
    pub(crate) fn end(&self, code: &DotnetObject, instance: DotnetObject) {
        prepare_thread();
        // SAFETY: the handles keep both; the bridge frees that of the instance.
        unsafe { (self.end)(code.handle(), instance.into_handle()) };
    }

    /// Calls a method of an object that was handed over.
    ///
    /// # Safety
    ///
    /// The memory must be laid out by the plan of the object's contract, which has a method of this number.
    pub(crate) unsafe fn call_object(
        &self,
        object: &DotnetObject,
        method: usize,
        memory: polyplug::engine::CallMemory,
        sink: &mut Sink,
    ) -> bool {
        let method = u32::try_from(method).unwrap_or(u32::MAX);
        prepare_thread();
        // SAFETY: the handle keeps the object; the caller promises the rest.
        unsafe { (self.call_object)(object.handle(), method, memory.args, memory.out, memory.arena, sink) == 0 }
    }

    /// Takes a snapshot of an instance.
    pub(crate) fn save(&self, code: &DotnetObject, instance: &DotnetObject) -> Result<Vec<u8>, Fault> {
        let mut sink = Sink::new();
        prepare_thread();
        // SAFETY: the handles keep both.
        let status = unsafe { (self.save)(code.handle(), instance.handle(), &raw mut sink) };
        if status == 0 { Ok(sink) } else { Err(fault::read(&sink, None)) }
    }

    /// Makes an instance from a snapshot.
    pub(crate) fn restore(&self, code: &DotnetObject, state: &[u8], from: Version) -> Result<DotnetObject, Fault> {
        let mut sink = Sink::new();
        let [major, minor, patch] =
            [from.major, from.minor, from.patch].map(|of| i32::try_from(of).unwrap_or(i32::MAX));
        prepare_thread();
        // SAFETY: the handle keeps the code; the state is readable.
        let handle =
            unsafe { (self.restore)(code.handle(), state.as_ptr(), state.len(), major, minor, patch, &raw mut sink) };
        made(handle, sink).map(|(object, _)| object)
    }

    /// Runs a function that was registered for the unload.
    pub(crate) fn run(&self, action: &DotnetObject) -> Result<(), Fault> {
        let mut sink = Sink::new();
        prepare_thread();
        // SAFETY: the handle keeps the function.
        let status = unsafe { (self.run)(action.handle(), &raw mut sink) };
        if status == 0 { Ok(()) } else { Err(fault::read(&sink, None)) }
    }

    /// Gives a handle back.
    fn free(&self, handle: Handle) {
        prepare_thread();
        // SAFETY: the handle is one of the bridge's that was not given back.
        unsafe { (self.free)(handle) };
    }

    /// Ends a bundle's code. Returns what tells whether it is gone.
    pub(crate) fn unload(&self, bundle: DotnetObject) -> DotnetObject {
        prepare_thread();
        // SAFETY: the handle keeps the bundle; the bridge frees it.
        DotnetObject::new(unsafe { (self.unload)(bundle.into_handle()) })
    }

    /// Collects garbage, and returns whether the code that was ended is gone.
    pub(crate) fn is_gone(&self, ended: &DotnetObject) -> bool {
        prepare_thread();
        // SAFETY: the handle is that of `unload`.
        unsafe { (self.is_gone)(ended.handle()) != 0 }
    }

    /// Returns what keeps code that was ended, as far as it can be told.
    pub(crate) fn remains(&self, ended: &DotnetObject) -> String {
        let mut sink = Sink::new();
        prepare_thread();
        // SAFETY: the handle is that of `unload`.
        unsafe { (self.remains)(ended.handle(), &raw mut sink) };
        crate::wire::Reader::new(&sink).text().unwrap_or_default()
    }

    /// Returns the file and line of a method of a plugin.
    pub(crate) fn place(&self, code: &DotnetObject, method: usize) -> Option<String> {
        self.place_by(self.place, code, method)
    }

    /// Returns the file and line of a method of an object that was handed over.
    pub(crate) fn object_place(&self, object: &DotnetObject, method: usize) -> Option<String> {
        self.place_by(self.object_place, object, method)
    }

    fn place_by(
        &self,
        function: unsafe extern "C" fn(Handle, u32, *mut Sink),
        of: &DotnetObject,
        method: usize,
    ) -> Option<String> {
        let (mut sink, method) = (Sink::new(), u32::try_from(method).ok()?);
        prepare_thread();
        // SAFETY: the handle keeps the object, which has a method of this number.
        unsafe { function(of.handle(), method, &raw mut sink) };
        crate::wire::Reader::new(&sink).text().ok()
    }
}

/// Returns the object of a handle, or the fault that was sent instead.
fn made(handle: Handle, sink: Sink) -> Result<(DotnetObject, Sink), Fault> {
    if handle == 0 { Err(fault::read(&sink, None)) } else { Ok((DotnetObject::new(handle), sink)) }
}
