//! A VM and the data that the loader's C functions find from it.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::{CStr, CString, c_int, c_void};
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use mlua::ffi::{self, lua_State};
use polyplug::engine::{DeclaredCall, Exception, Fault, Guest, KnownContract, Limits};
use polyplug::schema::Schema;

use crate::chunk::Chunks;
use crate::class::Class;
use crate::counted::counted;
use crate::memory_limit::{Counted, Memory, allocate};
use crate::output::{Output, Stream};
use crate::prepared::Prepared;
use crate::program;
use crate::registry::{self, Key, RegistryRefs, push_ref, take_ref};
use crate::stdlib::StdLib;
use crate::time_limit::{self, TimeLimit, Timed};

/// A VM with its data. The value stays at one address, because the VM's registry has the address.
pub(crate) struct State {
    /// The main thread of the VM.
    main: *mut lua_State,
    /// The Lua thread that runs: the main one, or a coroutine that has called a C function of the loader.
    current: Cell<*mut lua_State>,
    pub(crate) guest: Arc<Guest>,
    pub(crate) limits: Limits,
    pub(crate) time: TimeLimit,
    /// The exception that the message handler has made of the last error.
    pub(crate) caught: RefCell<Option<Exception>>,
    /// The call that returned a declared error last, and the contract that defines the error's type. The error itself is
    /// in a table of the VM's registry.
    pub(crate) declared: RefCell<Option<(DeclaredCall, Rc<Prepared>)>>,
    /// Whether small values may be made outside of protected calls: see [`State::new`].
    pub(crate) may_push_unprotected: bool,
    /// Whether a call runs. If none does, the message handler is the only value on the main thread's stack.
    pub(crate) is_busy: Cell<bool>,
    /// Whether the bundle's code runs for the first time, and may declare plugins.
    pub(crate) may_declare: Cell<bool>,
    /// The plugins that were declared.
    pub(crate) classes: RefCell<Vec<Class>>,
    /// The contracts that the VM has prepared, by the addresses of their schemas. A [`Prepared`] keeps its schema
    /// alive.
    contracts: RefCell<HashMap<*const Schema, Rc<Prepared>>>,
    /// The names of the chunks that the bundle's code consists of.
    pub(crate) chunks: Chunks,
    /// What the bundle has written to its standard streams, and not ended with a line's end.
    pub(crate) output: Output,
    /// The account of a VM with a memory limit. The allocator has its address.
    memory: Option<Box<Memory>>,
    /// The body that [`run`](Self::run) was given, until `runner` takes it.
    job: Cell<Option<Job>>,
    pub(crate) refs: Cell<RegistryRefs>,
    /// The C function behind each method of a [`RemoteValue`](crate::remote::RemoteValue).
    pub(crate) remote_method: ffi::lua_CFunction,
}

/// The body of a protected call.
type Job = *mut dyn FnMut(*mut lua_State);

/// Takes the job from the state that is upvalue 1 and runs the job.
///
/// # Safety
///
/// Lua calls the function, which [`State::attach`] has made, within [`State::run`].
unsafe extern "C-unwind" fn runner(lua: *mut lua_State) -> c_int {
    // SAFETY: `attach` has made the upvalue, a state that outlives the VM. `run` has set a job that outlives this call.
    unsafe {
        let state = &*ffi::lua_touserdata(lua, ffi::lua_upvalueindex(1)).cast::<State>();
        let switched = (!std::ptr::eq(state.thread(), lua)).then(|| state.switch(lua));
        if let Some(job) = state.job.take() {
            (*job)(lua);
        }
        drop(switched);
    }
    0
}

/// The key in the registry of the address of the VM's [`State`].
static STATE: Key = Key::new();

impl State {
    /// Makes a VM without libraries.
    ///
    /// Without a memory limit, a lack of memory in a small allocation ends the process, as in Rust. Then the only
    /// errors that may interrupt the making of a small value are those of finalizers, which Lua runs where values are
    /// made. Only the full standard library lets a bundle have finalizers.
    pub(crate) fn new(
        guest: Arc<Guest>,
        stdlib: StdLib,
        limits: Limits,
        remote_method: ffi::lua_CFunction,
    ) -> Result<Box<Self>, Fault> {
        let memory = limits.memory.map(|limit| Box::new(Memory::new(limit)));
        // SAFETY: the box of the allocator's data is dropped after the VM, which `drop` closes.
        let main = unsafe {
            match &memory {
                Some(memory) => {
                    let ud = std::ptr::from_ref::<Memory>(memory).cast_mut().cast::<c_void>();
                    ffi::lua_newstate(allocate, ud)
                }
                None => ffi::luaL_newstate(),
            }
        };
        if main.is_null() {
            return Err(limits.out_of_memory(guest.bundle()));
        }
        Ok(Box::new(Self {
            main,
            current: Cell::new(main),
            guest,
            limits,
            time: TimeLimit::default(),
            caught: RefCell::default(),
            declared: RefCell::default(),
            may_push_unprotected: stdlib == StdLib::Safe && limits.memory.is_none(),
            is_busy: Cell::new(true),
            may_declare: Cell::new(false),
            classes: RefCell::default(),
            contracts: RefCell::default(),
            chunks: Chunks::default(),
            output: Output::default(),
            memory,
            job: Cell::new(None),
            refs: Cell::default(),
            remote_method,
        }))
    }

    /// Writes the state's address into the VM's registry, and makes the functions that [`run`](Self::run) needs.
    ///
    /// # Safety
    ///
    /// In a protected call of this VM.
    pub(crate) unsafe fn attach(&self, lua: *mut lua_State, handler: ffi::lua_CFunction) {
        // SAFETY: the caller's promise.
        unsafe {
            let this = std::ptr::from_ref(self).cast_mut().cast::<c_void>();
            ffi::lua_pushlightuserdata(lua, this);
            ffi::lua_rawsetp(lua, ffi::LUA_REGISTRYINDEX, STATE.as_ptr());
            registry::reserve(lua);
            ffi::lua_pushlightuserdata(lua, this);
            ffi::lua_pushcclosure(lua, runner, 1);
            let runner = take_ref(lua);
            ffi::lua_pushcclosure(lua, handler, 0);
            let handler = take_ref(lua);
            self.refs.set(RegistryRefs { handler, runner, ..self.refs.get() });
        }
    }

    /// Returns the state of the VM that a Lua thread belongs to.
    ///
    /// # Safety
    ///
    /// The Lua state must be valid, with room for a value on its stack, and belong to a VM that
    /// [`attach`](Self::attach) was called for. The VM must not be closed while the reference is used.
    pub(crate) unsafe fn of<'a>(lua: *mut lua_State) -> &'a Self {
        // SAFETY: `attach` has written the address. The state outlives the VM, which its `drop` closes.
        unsafe {
            ffi::lua_rawgetp(lua, ffi::LUA_REGISTRYINDEX, STATE.as_ptr());
            let this = ffi::lua_touserdata(lua, -1).cast::<Self>();
            ffi::lua_pop(lua, 1);
            &*this
        }
    }

    /// Returns the main thread of the VM.
    pub(crate) fn main(&self) -> *mut lua_State {
        self.main
    }

    /// Returns the Lua thread that calls use.
    pub(crate) fn thread(&self) -> *mut lua_State {
        self.current.get()
    }

    /// Makes calls use another Lua thread of the VM until the returned value is dropped.
    pub(crate) fn switch(&self, lua: *mut lua_State) -> Switched<'_> {
        Switched { state: self, before: self.current.replace(lua) }
    }

    /// Runs `body` in a protected call on the current Lua thread and returns Lua's code.
    ///
    /// The topmost `values` of the stack become the only values on the stack of `body`. Values that `body` leaves are
    /// dropped. After a failure, the error is at the top of the stack.
    #[inline]
    pub(crate) fn run(&self, values: c_int, body: &mut dyn FnMut(*mut lua_State)) -> c_int {
        let lua = self.thread();
        let refs = self.refs.get();
        // SAFETY: only the lifetime changes. `runner` uses the body before `lua_pcall` returns.
        let body: *mut (dyn FnMut(*mut lua_State) + 'static) = unsafe { std::mem::transmute(std::ptr::from_mut(body)) };
        // SAFETY: the VM is valid as long as this state, and the runtime lets only this thread use the VM. None of the
        // functions raises an error: room on the stack is checked first, and `lua_pcall` returns errors.
        unsafe {
            if ffi::lua_checkstack(lua, ffi::LUA_MINSTACK) == 0 {
                ffi::lua_pop(lua, values);
                ffi::lua_pushnil(lua);
                return ffi::LUA_ERRMEM;
            }
            let first = ffi::lua_gettop(lua) - values + 1;
            let was_busy = self.is_busy.replace(true);
            push_ref(lua, refs.handler);
            push_ref(lua, refs.runner);
            if values > 0 {
                // The runner goes below the values, and the handler below the runner.
                ffi::lua_insert(lua, first);
                ffi::lua_insert(lua, first);
            }
            self.job.set(Some(body));
            let code = ffi::lua_pcall(lua, values, 0, first);
            ffi::lua_remove(lua, first);
            self.is_busy.set(was_busy);
            code
        }
    }

    /// Puts the message handler at the bottom of the main thread's stack, where calls expect it.
    ///
    /// The stack must be empty.
    pub(crate) fn push_handler(&self) {
        // SAFETY: the VM is valid as long as this state, and an empty stack has room.
        unsafe { push_ref(self.main, self.refs.get().handler) };
        self.is_busy.set(false);
    }

    /// Limits the time of a call until the returned value is dropped. Returns `None` where no limit begins.
    #[inline]
    pub(crate) fn timed(&self) -> Option<Timed<'_>> {
        let limit = self.limits.time?;
        // SAFETY: a VM with a time limit was prepared for it when its bundle was started, with this value. The VM is
        // valid as long as this state, which the returned value borrows.
        unsafe { self.time.begin(self.main, limit) }
    }

    /// Returns a contract as this VM uses it, and prepares the contract on first use.
    ///
    /// # Safety
    ///
    /// In a protected call of this VM.
    pub(crate) unsafe fn prepared(&self, lua: *mut lua_State, contract: &KnownContract) -> Rc<Prepared> {
        let address = Arc::as_ptr(&contract.schema);
        let known = self.contracts.borrow().get(&address).cloned();
        known.unwrap_or_else(|| {
            // SAFETY: the caller's promise.
            let prepared = Rc::new(unsafe { Prepared::new(lua, contract) });
            self.contracts.borrow_mut().insert(address, Rc::clone(&prepared));
            prepared
        })
    }

    /// Ends a reference to a Lua value.
    pub(crate) fn release(&self, reference: c_int) {
        // SAFETY: the VM is valid as long as this state. The stack of the current Lua thread has room: `run` and
        // `Stack` check for more than they push, and Lua gives each C function `LUA_MINSTACK` free places.
        unsafe { registry::release(self.thread(), reference) };
    }

    /// Returns the name for the chunk of a file of the bundle.
    pub(crate) fn chunk_name(&self, file: &str) -> CString {
        self.chunks.name(self.guest.directory(), file)
    }

    /// Reads a file of the bundle's program.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is larger than the memory that is left.
    pub(crate) fn read_program(&self, file: &str) -> Result<ProgramText<'_>, Fault> {
        let used = self.memory.as_ref().map_or(0, |memory| memory.used());
        let text = self.guest.read_program(file, &self.limits, used)?;
        self.program_text(Cow::Owned(text))
    }

    /// Compiles the text of a program and pushes the result: a function, or an error. Returns Lua's code, [`ffi::LUA_OK`] for a
    /// function.
    ///
    /// With a time limit, the program counts its steps. If the program cannot be made to, the VM is
    /// [interpreted](TimeLimit::interpret) from now on.
    ///
    /// # Safety
    ///
    /// The Lua state must be a valid one of this VM, with room for two values on its stack.
    pub(crate) unsafe fn load(&self, lua: *mut lua_State, text: &[u8], name: &CStr) -> c_int {
        let counts = self.limits.time.is_some() && !self.time.is_interpreted();
        if counts
            && let Some(counted) = counted(text)
            && let Ok(counted) = self.program_text(Cow::Owned(counted))
            // SAFETY: the caller's promise. A VM with a time limit was prepared for it.
            && unsafe { time_limit::load_counted(lua, &counted, name) }
        {
            return ffi::LUA_OK;
        }
        // SAFETY: the caller's promise.
        let code = unsafe { program::load(lua, text, name) };
        if counts && code == ffi::LUA_OK {
            // SAFETY: the caller's promise. A VM with a time limit was prepared for it.
            unsafe { self.time.interpret(lua) };
        }
        code
    }

    /// Counts the text of a program as memory of the VM.
    ///
    /// # Errors
    ///
    /// The text is larger than the memory that is left.
    pub(crate) fn program_text<'a>(&'a self, text: Cow<'a, [u8]>) -> Result<ProgramText<'a>, Fault> {
        let counted = match &self.memory {
            Some(memory) => {
                let counted = memory.count(text.len());
                Some(counted.ok_or_else(|| self.limits.out_of_memory(self.guest.bundle()))?)
            }
            None => None,
        };
        Ok(ProgramText { text, _counted: counted })
    }

    /// Returns the number of bytes that the VM uses.
    pub(crate) fn memory(&self) -> u64 {
        // SAFETY: the VM is valid as long as this state, and both calls only read a number.
        let (kilo, rest) =
            unsafe { (ffi::lua_gc(self.main, ffi::LUA_GCCOUNT, 0), ffi::lua_gc(self.main, ffi::LUA_GCCOUNTB, 0)) };
        u64::try_from(kilo).unwrap_or(0) * 1024 + u64::try_from(rest).unwrap_or(0)
    }

    /// Collects garbage and returns the fault of a call that ran out of memory.
    pub(crate) fn out_of_memory(&self) -> Fault {
        // SAFETY: the VM is valid as long as this state. A collection runs finalizers, whose errors Lua ignores.
        unsafe { ffi::lua_gc(self.main, ffi::LUA_GCCOLLECT, 0) };
        self.limits.out_of_memory(self.guest.bundle())
    }

    /// Enforces the memory limit from now on.
    ///
    /// # Errors
    ///
    /// The VM uses more memory already.
    pub(crate) fn enforce_memory_limit(&self) -> Result<(), Fault> {
        let Some(memory) = &self.memory else { return Ok(()) };
        // SAFETY: the VM is valid as long as this state. A bundle's code, which could have finalizers, has not run.
        unsafe { ffi::lua_gc(self.main, ffi::LUA_GCCOLLECT, 0) };
        if memory.enforce() { Ok(()) } else { Err(self.limits.out_of_memory(self.guest.bundle())) }
    }

    /// Returns whether an allocation was refused since the last call of this function.
    pub(crate) fn ran_out_of_memory(&self) -> bool {
        self.memory.as_ref().is_some_and(|memory| memory.was_refused())
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // SAFETY: this value owns the VM, and no call runs, because each borrows the value. The fields that finalizers
        // and the allocator use are dropped after this function.
        unsafe { ffi::lua_close(self.main) };
        for stream in [Stream::Out, Stream::Error] {
            self.output.flush(&self.guest, stream);
        }
        // LuaJIT's own allocator, which a VM without a limit has, frees all of its memory as a whole in `lua_close`.
        let left = self.memory.as_ref().map_or(0, |memory| memory.used());
        let remains = || format!("{left} bytes of its Lua state were not freed").into();
        self.guest.record_end((left != 0).then(remains));
    }
}

/// The text of a program, which counts as memory of its VM until it is dropped.
pub(crate) struct ProgramText<'a> {
    text: Cow<'a, [u8]>,
    _counted: Option<Counted<'a>>,
}

impl Deref for ProgramText<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.text
    }
}

/// A switch of the Lua thread that calls use. Dropping the value switches back: see [`State::switch`].
pub(crate) struct Switched<'a> {
    state: &'a State,
    before: *mut lua_State,
}

impl Drop for Switched<'_> {
    fn drop(&mut self) {
        self.state.current.set(self.before);
    }
}
