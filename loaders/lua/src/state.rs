//! A machine, and what its C functions need to find.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::{c_int, c_void};
use std::rc::Rc;
use std::sync::Arc;

use mlua::ffi::{self, lua_State};
use polyplug::engine::{Deadline, Exception, Fault, Guest, KnownContract, Limits};
use polyplug::schema::Schema;

use crate::class::Class;
use crate::memory_limit::{Memory, allocate};
use crate::prepared::Prepared;
use crate::registry::{self, Key, RegistryRefs, push_ref, take_ref};
use crate::stdlib::StdLib;
use crate::time_limit;

/// A machine with its surroundings. Its address does not change: the machine knows it.
pub(crate) struct State {
    pub(crate) main: *mut lua_State,
    /// The thread of the machine that runs: the main one, or a coroutine that called a function of ours.
    current: Cell<*mut lua_State>,
    pub(crate) guest: Arc<Guest>,
    pub(crate) limits: Limits,
    pub(crate) deadline: Deadline,
    /// Where the message handler puts what it finds.
    pub(crate) caught: RefCell<Option<Exception>>,
    /// Whether values that need memory may be made outside of protected calls: see [`State::new`].
    pub(crate) is_lenient: bool,
    /// Whether a call is in the machine, so that the stack's first value is not the message handler.
    pub(crate) is_busy: Cell<bool>,
    /// Whether the bundle's code is being run, and may declare plugins.
    pub(crate) declaring: Cell<bool>,
    pub(crate) classes: RefCell<Vec<Class>>,
    /// The contracts that the machine knows, by the addresses of their schemas, which they keep.
    contracts: RefCell<HashMap<*const Schema, Rc<Prepared>>>,
    /// Outlives the machine.
    memory: Option<Box<Memory>>,
    /// What [`run`](Self::run) runs, until it has begun.
    job: Cell<Option<Job>>,
    pub(crate) refs: Cell<RegistryRefs>,
    /// What a method of somebody else's does: see [`remote::push`](crate::remote::push).
    pub(crate) call_remote: ffi::lua_CFunction,
}

type Job = *mut dyn FnMut(*mut lua_State);

/// Runs the job.
unsafe extern "C-unwind" fn runner(lua: *mut lua_State) -> c_int {
    // SAFETY: `ready` made it with its surroundings, and `run` has set a job that outlives this.
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

/// The key in the registry under which a machine finds its surroundings.
static KEY: Key = Key::new();

impl State {
    /// An empty machine.
    ///
    /// Without a limit, memory that runs out where a machine needs a little ends the process, as it does in Rust. So then
    /// nothing can keep small values from being made, unless a bundle has finalizers, which may fail, and are run where
    /// values are made: that takes the full standard library.
    pub(crate) fn new(
        guest: Arc<Guest>,
        stdlib: StdLib,
        limits: Limits,
        call_remote: ffi::lua_CFunction,
    ) -> Result<Box<Self>, Fault> {
        let memory = limits.memory.map(|limit| Box::new(Memory::new(limit)));
        // SAFETY: the allocator's data outlives the machine.
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
        let this = Box::new(Self {
            main,
            current: Cell::new(main),
            guest,
            limits,
            deadline: Deadline::default(),
            caught: RefCell::default(),
            is_lenient: stdlib == StdLib::Safe && limits.memory.is_none(),
            is_busy: Cell::new(true),
            declaring: Cell::new(false),
            classes: RefCell::default(),
            contracts: RefCell::default(),
            memory,
            job: Cell::new(None),
            refs: Cell::default(),
            call_remote,
        });
        Ok(this)
    }

    /// The surroundings of the machine that calls a function of ours.
    ///
    /// # Safety
    ///
    /// It must be one of ours.
    pub(crate) unsafe fn of<'a>(state: *mut lua_State) -> &'a Self {
        // SAFETY: `surround` put it there, and it outlives the machine.
        unsafe {
            ffi::lua_rawgetp(state, ffi::LUA_REGISTRYINDEX, KEY.as_ptr());
            let this = ffi::lua_touserdata(state, -1).cast::<Self>();
            ffi::lua_settop(state, -2);
            &*this
        }
    }

    /// The thread of the machine to work on.
    pub(crate) fn thread(&self) -> *mut lua_State {
        self.current.get()
    }

    /// Works on another thread of the machine until dropped.
    pub(crate) fn switch(&self, state: *mut lua_State) -> Switched<'_> {
        Switched { state: self, before: self.current.replace(state) }
    }

    /// Runs `body` on the current thread with the topmost `values` as its own, and returns what Lua says: 0, or the
    /// error's code, and the error is on the stack.
    #[inline]
    pub(crate) fn run(&self, values: c_int, body: &mut dyn FnMut(*mut lua_State)) -> c_int {
        let lua = self.thread();
        let refs = self.refs.get();
        // SAFETY: as on the other side: the body outlives the call.
        let body: *mut (dyn FnMut(*mut lua_State) + 'static) = unsafe { std::mem::transmute(std::ptr::from_mut(body)) };
        // SAFETY: the machine is ours to use (this thread is in). None of these functions raises an error.
        unsafe {
            if ffi::lua_checkstack(lua, ffi::LUA_MINSTACK) == 0 {
                ffi::lua_settop(lua, -1 - values);
                ffi::lua_pushnil(lua);
                return ffi::LUA_ERRMEM;
            }
            let first = ffi::lua_gettop(lua) - values + 1;
            let was_busy = self.is_busy.replace(true);
            push_ref(lua, refs.handler);
            push_ref(lua, refs.runner);
            if values > 0 {
                // The runner goes below the values, and the handler below that.
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

    /// Makes itself known to the machine. May raise an error.
    pub(crate) unsafe fn ready(&self, lua: *mut lua_State, handler: ffi::lua_CFunction) {
        // SAFETY: in a protected call (the caller's promise).
        unsafe {
            let this = std::ptr::from_ref(self).cast_mut().cast::<c_void>();
            ffi::lua_pushlightuserdata(lua, this);
            ffi::lua_rawsetp(lua, ffi::LUA_REGISTRYINDEX, KEY.as_ptr());
            registry::reserve(lua);
            let mut refs = self.refs.get();
            ffi::lua_pushlightuserdata(lua, this);
            ffi::lua_pushcclosure(lua, runner, 1);
            refs.runner = take_ref(lua);
            ffi::lua_pushcclosure(lua, handler, 0);
            refs.handler = take_ref(lua);
            self.refs.set(refs);
        }
    }

    /// Puts the message handler where calls find it, at the bottom of the empty stack.
    pub(crate) fn settle(&self) {
        // SAFETY: this thread is in the machine, and nothing is on its stack.
        unsafe { ffi::lua_rawgeti_(self.main, ffi::LUA_REGISTRYINDEX, self.refs.get().handler) };
        self.is_busy.set(false);
    }

    /// Limits the time of a call, until what is returned is dropped.
    #[inline]
    pub(crate) fn timed(&self) -> Option<time_limit::Timed<'_>> {
        let limit = self.limits.time?;
        // SAFETY: this thread is in the machine.
        unsafe { time_limit::begin(self.main, &self.deadline, limit) }
    }

    /// A contract as this machine knows it. May raise an error.
    ///
    /// # Safety
    ///
    /// In a protected call.
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

    /// Drops a reference.
    pub(crate) fn forget(&self, reference: c_int) {
        // SAFETY: sets fields of a table that are there, which raises nothing.
        unsafe { registry::release(self.thread(), reference) };
    }

    /// How much memory the machine uses, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        // SAFETY: asks for numbers only.
        let (kilo, rest) =
            unsafe { (ffi::lua_gc(self.main, ffi::LUA_GCCOUNT, 0), ffi::lua_gc(self.main, ffi::LUA_GCCOUNTB, 0)) };
        u64::try_from(kilo).unwrap_or(0) * 1024 + u64::try_from(rest).unwrap_or(0)
    }

    /// What a call says that ran out of memory.
    pub(crate) fn out_of_memory(&self) -> Fault {
        // SAFETY: collecting runs finalizers, whose errors Lua ignores.
        unsafe { ffi::lua_gc(self.main, ffi::LUA_GCCOLLECT, 0) };
        self.limits.out_of_memory(self.guest.bundle())
    }

    /// Whether memory ran out since this was asked last.
    pub(crate) fn ran_out_of_memory(&self) -> bool {
        self.memory.as_ref().is_some_and(|memory| memory.was_refused())
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // SAFETY: the machine is ours, and nobody is in it. What its finalizers need outlives it.
        unsafe { ffi::lua_close(self.main) };
    }
}

/// See [`State::switch`].
pub(crate) struct Switched<'a> {
    state: &'a State,
    before: *mut lua_State,
}

impl Drop for Switched<'_> {
    fn drop(&mut self) {
        self.state.current.set(self.before);
    }
}
