//! A VM, and the data that the loader's C functions find from it.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::ffi::c_int;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use polyplug::engine::{Deadline, Fault, Guest, KnownContract, Limits, stack_left};
use polyplug::schema::Schema;
use polyplug_abi::LogLevel;
use rquickjs::qjs;

use crate::class::Class;
use crate::held::Held;
use crate::helpers::{Helpers, Names};
use crate::js::{Js, Pending, Value, finalize};
use crate::memory::{Counted, FUNCTIONS, Memory};
use crate::prepared::Prepared;
use crate::remote_value::RemoteValue;
use crate::sources::Sources;
use crate::web::Web;

/// A VM with its data. The value stays at one address, because the VM has the address.
pub(crate) struct State {
    js: Js,
    runtime: *mut qjs::JSRuntime,
    pub(crate) guest: Arc<Guest>,
    pub(crate) limits: Limits,
    /// The most bytes of stack that code of the guest may use.
    stack: usize,
    /// The bytes of stack that the VM was told it may use.
    told_stack: Cell<usize>,
    pub(crate) deadline: Deadline,
    /// The number of entries of the host into the VM that have not returned.
    depth: Cell<u32>,
    /// Whether the bundle's code runs for the first time, and may declare plugins.
    pub(crate) may_declare: Cell<bool>,
    /// The plugins that were declared.
    pub(crate) classes: RefCell<Vec<Class>>,
    /// The contracts that the VM has prepared, by the addresses of their schemas. A [`Prepared`] keeps its schema alive.
    contracts: RefCell<HashMap<*const Schema, Rc<Prepared>>>,
    /// The promises that were rejected and have no handler, with the reasons.
    pub(crate) rejected: RefCell<Vec<(Value, Value)>>,
    /// The functions for the unload.
    pub(crate) unload: RefCell<Vec<Option<Value>>>,
    /// The maps of the bundle's files to their sources.
    pub(crate) sources: Sources,
    web: OnceCell<Web>,
    names: OnceCell<Names>,
    helpers: OnceCell<Helpers>,
    /// The class of [`RemoteValue`]s.
    pub(crate) remote_class: qjs::JSClassID,
    /// The class of [`Held`] values.
    pub(crate) held_class: qjs::JSClassID,
    /// The account of the VM's memory. The allocator has its address.
    pub(crate) memory: Box<Memory>,
}

/// The stack that a call of a guest leaves to the functions of the loader and of the host that the guest calls.
const RESERVED_STACK: usize = 96 << 10;

/// The stack that a VM is told to have where the system does not tell how much there is. Threads have more than that.
const UNKNOWN_STACK: usize = 512 << 10;

/// The stack that a VM is told to have where less is left. Calls of functions then fail at once.
const LEAST_STACK: usize = 4 << 10;

impl State {
    /// Makes a VM without the loader's functions.
    ///
    /// # Errors
    ///
    /// There is no memory.
    pub(crate) fn new(guest: Arc<Guest>, limits: Limits, stack: usize) -> Result<Box<Self>, Fault> {
        let memory = Box::new(Memory::new(limits.memory));
        let opaque = std::ptr::from_ref::<Memory>(&memory).cast_mut().cast();
        // SAFETY: the account outlives the runtime, which `drop` frees first. The context is the runtime's only one, and
        // the class ids are the runtime's. Both classes get finalizers for the type that their objects own.
        let (js, remote_class, held_class) = unsafe {
            let runtime = qjs::JS_NewRuntime2(&raw const FUNCTIONS, opaque);
            if runtime.is_null() {
                return Err(limits.out_of_memory(guest.bundle()));
            }
            let context = qjs::JS_NewContext(runtime);
            if context.is_null() {
                // The system has no memory. QuickJS leaves the runtime in a state in which it cannot be freed.
                std::mem::forget(memory);
                return Err(limits.out_of_memory(guest.bundle()));
            }
            let class = |name: &'static std::ffi::CStr, finalizer| {
                let mut id = 0;
                qjs::JS_NewClassID(runtime, &raw mut id);
                let definition = qjs::JSClassDef {
                    class_name: name.as_ptr(),
                    finalizer: Some(finalizer),
                    gc_mark: None,
                    call: None,
                    exotic: std::ptr::null_mut(),
                };
                (qjs::JS_NewClass(runtime, id, &raw const definition) == 0).then_some(id)
            };
            let remote = class(c"Remote", finalize::<RemoteValue>);
            let Some((remote, held)) = remote.zip(class(c"Held", finalize::<Held>)) else {
                qjs::JS_FreeContext(context);
                qjs::JS_FreeRuntime(runtime);
                return Err(limits.out_of_memory(guest.bundle()));
            };
            (Js::new(context), remote, held)
        };
        let state = Box::new(Self {
            js,
            runtime: js.runtime(),
            sources: Sources::new(&guest),
            guest,
            limits,
            stack,
            told_stack: Cell::new(0),
            deadline: Deadline::default(),
            depth: Cell::new(0),
            may_declare: Cell::new(false),
            classes: RefCell::default(),
            contracts: RefCell::default(),
            rejected: RefCell::default(),
            unload: RefCell::default(),
            web: OnceCell::new(),
            names: OnceCell::new(),
            helpers: OnceCell::new(),
            remote_class,
            held_class,
            memory,
        });
        // SAFETY: the runtime is valid as long as the state, whose box does not move.
        unsafe {
            qjs::JS_SetRuntimeOpaque(js.runtime(), std::ptr::from_ref::<Self>(&state).cast_mut().cast());
            if limits.time.is_some() {
                qjs::JS_SetInterruptHandler(js.runtime(), Some(interrupt), std::ptr::null_mut());
            }
        }
        // The description of an exception needs them.
        let names = Names::new(js).map_err(|_| state.out_of_memory())?;
        let _ = state.names.set(names);
        Ok(state)
    }

    /// Sets the functions that conversions use, and opens the surroundings of the guest.
    ///
    /// # Errors
    ///
    /// There is no memory.
    pub(crate) fn set_up(&self, helpers: Helpers) -> Result<(), Pending> {
        let _ = self.helpers.set(helpers);
        // SAFETY: the context is valid, and this state's. `write_log` is called with this context.
        let web = unsafe { Web::open(self.js.context(), write_log) }.map_err(|()| Pending)?;
        let web = self.web.get_or_init(|| web);
        if self.limits.memory.is_some() {
            // SAFETY: the context is valid, and `web` was opened for it.
            unsafe { web.make_all(self.js.context()) }.map_err(|()| Pending)?;
        }
        Ok(())
    }

    /// Returns what the guest finds in its surroundings.
    #[inline]
    pub(crate) fn web(&self) -> &Web {
        self.web.get().expect("a VM is set up before code of the guest runs")
    }

    /// Returns the state of the VM that a C function of the loader runs in.
    ///
    /// # Safety
    ///
    /// The runtime must be one of a state's, which has not been dropped.
    pub(crate) unsafe fn of<'a>(runtime: *mut qjs::JSRuntime) -> &'a Self {
        // SAFETY: the caller's promise. `new` has set the address.
        unsafe { &*qjs::JS_GetRuntimeOpaque(runtime).cast::<Self>() }
    }

    /// Returns the context. The runtime lets one thread at a time use the engine, and so the state.
    #[inline]
    pub(crate) fn js(&self) -> Js {
        self.js
    }

    /// Returns the names of properties that the loader uses.
    #[inline]
    pub(crate) fn names(&self) -> &Names {
        self.names.get().expect("a VM is set up before code of the guest runs")
    }

    /// Returns the functions that the loader calls.
    #[inline]
    pub(crate) fn helpers(&self) -> &Helpers {
        self.helpers.get().expect("a VM is set up before code of the guest runs")
    }

    /// Returns whether a job of a promise waits to be run.
    #[inline]
    pub(crate) fn has_job(&self) -> bool {
        // SAFETY: the runtime is valid as long as this state.
        unsafe { qjs::JS_IsJobPending(self.runtime) }
    }

    /// Enters the VM: starts the time of a call, and tells the VM which stack this thread has. Dropping the entry leaves
    /// the VM.
    #[inline]
    pub(crate) fn enter(&self) -> Entry<'_> {
        let depth = self.depth.get();
        self.depth.set(depth + 1);
        if depth == 0 {
            self.memory.forget_refusal();
            self.fit_stack();
        }
        let is_timed = self.limits.time.is_some_and(|limit| self.deadline.begin(limit));
        Entry { state: self, is_outermost: depth == 0, is_timed }
    }

    /// Tells the VM which part of this thread's stack it may use. A call within another one is on the same thread, and uses
    /// the part that the outermost call has set.
    #[inline]
    fn fit_stack(&self) {
        let available = stack_left().map_or(UNKNOWN_STACK, |left| left.saturating_sub(RESERVED_STACK));
        let size = available.min(self.stack).max(LEAST_STACK);
        // SAFETY: the invariant of `Js`.
        unsafe {
            qjs::JS_UpdateStackTop(self.runtime);
            if self.told_stack.replace(size) != size {
                qjs::JS_SetMaxStackSize(self.runtime, size as _);
            }
        }
    }

    /// Returns a contract as this VM uses it, and prepares the contract on first use.
    ///
    /// # Errors
    ///
    /// There is no memory.
    pub(crate) fn prepared(&self, contract: &KnownContract) -> Result<Rc<Prepared>, Pending> {
        let address = Arc::as_ptr(&contract.schema);
        if let Some(known) = self.contracts.borrow().get(&address) {
            return Ok(Rc::clone(known));
        }
        let prepared = Rc::new(Prepared::new(self.js, contract)?);
        self.contracts.borrow_mut().insert(address, Rc::clone(&prepared));
        Ok(prepared)
    }

    /// Reads a file of the bundle's program.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is larger than the memory that is left.
    pub(crate) fn read_program(&self, file: &str) -> Result<ProgramText<'_>, Fault> {
        let text = self.guest.read_program(file, &self.limits, self.memory.used())?;
        self.program_text(Cow::Owned(text))
    }

    /// Counts the text of a program as memory of the VM, and ends the text with the null that QuickJS wants.
    ///
    /// # Errors
    ///
    /// The text is larger than the memory that is left.
    pub(crate) fn program_text(&self, text: Cow<'_, [u8]>) -> Result<ProgramText<'_>, Fault> {
        let counted = self.memory.count(text.len() + 1);
        let counted = counted.ok_or_else(|| self.limits.out_of_memory(self.guest.bundle()))?;
        let mut text = text.into_owned();
        text.push(0);
        Ok(ProgramText { text, _counted: counted })
    }

    /// Collects garbage and returns the fault of a call that ran out of memory.
    pub(crate) fn out_of_memory(&self) -> Fault {
        // SAFETY: the invariant of `Js`.
        unsafe { qjs::JS_RunGC(self.js.runtime()) };
        self.limits.out_of_memory(self.guest.bundle())
    }

    /// Releases the values that the state owns, and the objects of the VM. Returns what remains.
    fn close(&self) -> Option<String> {
        self.classes.take();
        self.rejected.take();
        self.unload.take();
        for prepared in self.contracts.take().into_values() {
            prepared.release();
        }
        // SAFETY: the invariant of `Js`: no call runs, because each borrows the state. The runtime is not freed while
        // objects exist, for that would end the process.
        unsafe {
            let runtime = self.js.runtime();
            qjs::JS_FreeContext(self.js.context());
            qjs::JS_RunGC(runtime);
            let mut usage = std::mem::zeroed::<qjs::JSMemoryUsage>();
            qjs::JS_ComputeMemoryUsage(runtime, &raw mut usage);
            if usage.obj_count > 0 || usage.js_func_count > 0 {
                return Some(format!("{} objects of its JavaScript engine", usage.obj_count));
            }
            qjs::JS_FreeRuntime(runtime);
        }
        let left = self.memory.used();
        (left != 0).then(|| format!("{left} bytes of its JavaScript engine"))
    }
}

impl Drop for State {
    fn drop(&mut self) {
        let entry = self.enter();
        drop(entry);
        if let Some(web) = self.web.take() {
            // SAFETY: the context is valid, and `web` was opened for it.
            unsafe { web.close(self.js.context()) };
        }
        self.helpers.take();
        self.names.take();
        let left = self.close();
        let is_left = left.is_some();
        self.guest.record_end(left.map(|left| format!("{left} were not freed").into()));
        if is_left {
            // The VM still has the address of the account.
            std::mem::forget(std::mem::replace(&mut self.memory, Box::new(Memory::new(None))));
        }
    }
}

/// An entry of the host into a VM: see [`State::enter`].
pub(crate) struct Entry<'a> {
    state: &'a State,
    is_outermost: bool,
    is_timed: bool,
}

impl Entry<'_> {
    /// Ends a call, whose outcome this function returns: runs the jobs that are left, if the call is not within another
    /// one.
    ///
    /// # Errors
    ///
    /// The outcome's error, or a limit that the jobs have reached.
    #[inline]
    pub(crate) fn finish<R>(self, outcome: Result<R, Fault>) -> Result<R, Fault> {
        if self.is_outermost && self.state.has_work() {
            return self.state.run_jobs().and(outcome);
        }
        outcome
    }
}

impl Drop for Entry<'_> {
    #[inline]
    fn drop(&mut self) {
        self.state.depth.set(self.state.depth.get() - 1);
        if self.is_timed {
            self.state.deadline.end();
        }
    }
}

/// The text of a program with a null at its end, which counts as memory of its VM until it is dropped.
pub(crate) struct ProgramText<'a> {
    text: Vec<u8>,
    _counted: Counted<'a>,
}

impl Deref for ProgramText<'_> {
    type Target = [u8];

    /// Returns the text without the null.
    fn deref(&self) -> &[u8] {
        &self.text[..self.text.len() - 1]
    }
}

/// Writes a message of the console to the host's log.
///
/// # Safety
///
/// The context must be that of a state.
unsafe fn write_log(context: *mut qjs::JSContext, level: LogLevel, text: &str) {
    // SAFETY: the caller's promise.
    let state = unsafe { State::of(qjs::JS_GetRuntime(context)) };
    // An error that is shown has the calls that it passed through.
    if text.contains("\n    at ") {
        let text = state.sources.map_stack(text);
        state.guest.log(level, &state.guest.name_files(&text));
    } else {
        state.guest.log(level, text);
    }
}

/// Returns whether the code that runs has to end, as its time is up.
///
/// # Safety
///
/// QuickJS calls the function, as the interrupt handler of a state's runtime.
unsafe extern "C" fn interrupt(runtime: *mut qjs::JSRuntime, _: *mut std::ffi::c_void) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { State::of(runtime) }.deadline.is_over().into()
}
