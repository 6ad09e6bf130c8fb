//! A bundle's machine, as the runtime uses it.

use std::ffi::{CStr, c_int};
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use mlua::ffi::{self, lua_State};
use polyplug::Version;
use polyplug::engine::{Declared, Engine, Fault, Guest, Incoming, KnownContract, Limits};
use polyplug::schema::Shape;
use polyplug::schema::plan::{Kind, MethodPlan, Plan};

use crate::limits;
use crate::prepared::Prepared;
use crate::sandbox::{self, StdLib};
use crate::stack::Stack;
use crate::state::State;
use crate::{error, module, require};

/// Interprets everything: `luaJIT_setmode` with `LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF`.
const ENGINE_OFF: c_int = 0;

unsafe extern "C-unwind" {
    fn luaJIT_setmode(lua: *mut lua_State, index: c_int, mode: c_int) -> c_int;
}

/// A machine with the code of one bundle.
pub(crate) struct LuaEngine {
    state: Box<State>,
    plugins: Vec<OnceLock<Code>>,
}

// SAFETY: the runtime lets one thread at a time use an engine that is exclusive, and LuaJIT's machines belong to no
// thread.
unsafe impl Send for LuaEngine {}
// SAFETY: as for `Send`.
unsafe impl Sync for LuaEngine {}

/// The code of a plugin. The numbers are references to values of the machine.
struct Code {
    of: Rc<Prepared>,
    methods: Vec<Method>,
    /// What makes a table an instance.
    metatable: c_int,
    init: Option<c_int>,
    save: Option<c_int>,
    restore: Option<c_int>,
}

struct Method {
    function: c_int,
    way: Way,
}

/// How much of a call needs protection from errors of Lua's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Nothing but the function: all values are numbers and truth values.
    Plain,
    /// Nothing but the function either, if what there is of text, bytes and wide integers is small.
    Short,
    /// Everything.
    Any,
}

/// How much text a call on the short way may have.
const SMALL: usize = 64 << 10;

impl LuaEngine {
    /// A machine in which `text` has run.
    pub(crate) fn start(
        guest: &Arc<Guest>,
        text: &[u8],
        file: &str,
        stdlib: StdLib,
        limits: Limits,
    ) -> Result<(Self, Vec<Declared>), Fault> {
        let state = State::new(Arc::clone(guest), stdlib, limits)?;
        state.set_up(|lua| {
            // SAFETY: in a protected call.
            unsafe {
                sandbox::open(lua, stdlib);
                // After the library, which switches the compiler on.
                if limits.time.is_some() {
                    luaJIT_setmode(lua, 0, ENGINE_OFF);
                    limits::guard(lua);
                }
                if limits.memory.is_some() {
                    limits::collect_soon(lua);
                }
                error::open(&state, lua);
                module::push(&state, lua);
                require::open(lua);
            }
        })?;
        let timed = state.timed();
        state.declaring.set(true);
        let ran = state.protect(|lua| {
            // SAFETY: in a protected call. An error is one of the compiler's, and raised as it is.
            unsafe {
                if require::load(lua, text, file) != ffi::LUA_OK {
                    ffi::lua_error(lua);
                }
                ffi::lua_call(lua, 0, 0);
            }
            Ok(())
        });
        state.declaring.set(false);
        drop(timed);
        ran?;
        let declared = state.protect(|lua| {
            let classes = state.classes.borrow();
            // SAFETY: in a protected call.
            Ok(classes.iter().map(|class| unsafe { class.declared(lua) }).collect::<Vec<_>>())
        })?;
        state.settle();
        let plugins = declared.iter().map(|_| OnceLock::new()).collect();
        Ok((Self { state, plugins }, declared))
    }

    fn code(&self, plugin: usize) -> &Code {
        self.plugins[plugin].get().expect("a plugin is prepared before it is used")
    }

    /// Makes an instance, and leaves it on the stack.
    unsafe fn new_instance(&self, lua: *mut lua_State, code: &Code) {
        // SAFETY: in a protected call (the caller's promise).
        unsafe {
            ffi::lua_createtable(lua, 0, 4);
            push_kept(lua, code.metatable);
            ffi::lua_setmetatable(lua, -2);
            if let Some(init) = code.init {
                push_kept(lua, init);
                ffi::lua_pushvalue(lua, -2);
                push_kept(lua, self.state.known.get().module);
                ffi::lua_call(lua, 2, 0);
            }
        }
    }

    /// A call of whose values nothing needs protection, but the function itself.
    #[inline]
    fn call_short(&self, code: &Code, method: &Method, instance: c_int, call: &Incoming<'_>) -> Result<(), Fault> {
        let lua = self.state.thread();
        let mut stack = Stack { lua, state: &self.state, of: &code.of };
        let count = c_int::try_from(call.arguments()).unwrap_or(c_int::MAX);
        // The first call finds the message handler at the bottom of the stack; one within another brings its own.
        let is_first = !self.state.is_busy.replace(true);
        let Method { function, way } = *method;
        // SAFETY: this thread is in the machine. Nothing here raises errors but the function.
        let outcome = unsafe {
            // An empty stack has room for forty values, always.
            let has_room = is_first && count <= ffi::LUA_MINSTACK;
            if !has_room && ffi::lua_checkstack(lua, count.saturating_add(ffi::LUA_MINSTACK)) == 0 {
                self.state.is_busy.set(!is_first);
                return Err(self.state.out_of_memory());
            }
            let handler = if is_first {
                1
            } else {
                push_kept(lua, self.state.known.get().handler);
                ffi::lua_gettop(lua)
            };
            push_kept(lua, function);
            push_kept(lua, instance);
            let arguments = call.each_argument(&mut stack, drop);
            let outcome = arguments.and_then(|()| match ffi::lua_pcall(lua, count + 1, 1, handler) {
                ffi::LUA_OK if way == Way::Plain => call.give(&mut stack, &(handler + 1)),
                ffi::LUA_OK => self.give_short(&mut stack, handler + 1, call),
                code => self.failed(&stack, code, call),
            });
            ffi::lua_settop(lua, if is_first { handler } else { handler - 1 });
            outcome
        };
        self.state.is_busy.set(!is_first);
        outcome
    }

    #[inline]
    fn give_short(&self, stack: &mut Stack<'_>, result: c_int, call: &Incoming<'_>) -> Result<(), Fault> {
        // SAFETY: the result is there.
        if unsafe { ffi::lua_type(stack.lua, result) } != ffi::LUA_TCDATA {
            return call.give(stack, &result);
        }
        // To look at an integer of 64 bits takes a function of Lua's.
        self.state.protect_with(1, |lua| call.give(&mut Stack { lua, state: &self.state, of: stack.of }, &1))
    }

    /// Any other call: everything is done in a protected one.
    fn call_any(
        &self,
        of: &Rc<Prepared>,
        call: &Incoming<'_>,
        mut push_function: impl FnMut(*mut lua_State) -> Result<c_int, Fault>,
    ) -> Result<(), Fault> {
        let mut carry_out = |lua| {
            let mut stack = Stack { lua, state: &self.state, of };
            let extra = push_function(lua)?;
            let count = c_int::try_from(call.arguments()).unwrap_or(c_int::MAX);
            // SAFETY: in a protected call.
            unsafe { ffi::luaL_checkstack_(lua, count.saturating_add(8), c"too many arguments".as_ptr()) };
            call.each_argument(&mut stack, drop)?;
            // SAFETY: as above; the function, what comes before its arguments, and those are on the stack.
            unsafe { ffi::lua_call(lua, count + extra, 1) };
            // SAFETY: as above.
            let result = unsafe { ffi::lua_gettop(lua) };
            call.give(&mut stack, &result)
        };
        let mut outcome = Ok(());
        let code = self.state.run(0, &mut |lua| outcome = carry_out(lua));
        if code == ffi::LUA_OK {
            return outcome;
        }
        let stack = Stack { lua: self.state.thread(), state: &self.state, of };
        let outcome = self.failed(&stack, code, call);
        // SAFETY: this thread is in the machine, and the error is at the top.
        unsafe { ffi::lua_settop(stack.lua, -2) };
        outcome
    }

    /// A call that ended in an error, which is at the top of the stack, and stays: one that the method declares, or a
    /// failure.
    #[cold]
    fn failed(&self, stack: &Stack<'_>, code: c_int, call: &Incoming<'_>) -> Result<(), Fault> {
        // SAFETY: the error is there. Who looks at it takes a copy.
        unsafe {
            ffi::lua_pushvalue(stack.lua, -1);
            if code == ffi::LUA_ERRRUN && self.is_declared(stack, call) {
                self.state.caught.replace(None);
                self.declare(stack, call)
            } else {
                Err(error::take(&self.state, stack.lua, code))
            }
        }
    }

    /// Whether the error at the top of the stack is one that the method declares.
    unsafe fn is_declared(&self, stack: &Stack<'_>, call: &Incoming<'_>) -> bool {
        let Some(definition) = call.declares() else { return false };
        let lua = stack.lua;
        // SAFETY: the caller's promise.
        unsafe {
            if self.state.deadline.is_over() {
                return false;
            }
            if error::is_raised(&self.state, lua, -1) {
                return true;
            }
            let Some(definition) = definition else { return false };
            match &stack.of.contract.schema.definition(definition).shape {
                Shape::Enum(cases) => {
                    ffi::lua_type(lua, -1) == ffi::LUA_TSTRING && {
                        let name = error::without_location(&error::text_at(lua, -1));
                        cases.iter().any(|case| case.name == name)
                    }
                }
                // Libraries raise tables of their own.
                Shape::Variant(_) => ffi::lua_type(lua, -1) == ffi::LUA_TTABLE && self.has_tag(lua),
                _ => ffi::lua_type(lua, -1) == ffi::LUA_TTABLE,
            }
        }
    }

    /// Whether the table at the top of the stack has a tag.
    unsafe fn has_tag(&self, lua: *mut lua_State) -> bool {
        // SAFETY: this thread is in the machine; the copy is taken by the protected call.
        unsafe { ffi::lua_pushvalue(lua, -1) };
        let has_tag = self.state.protect_with(1, |lua| {
            // SAFETY: in a protected call, with the table as its first value.
            unsafe {
                ffi::lua_getfield(lua, 1, c"tag".as_ptr());
                Ok(ffi::lua_type(lua, -1) == ffi::LUA_TSTRING)
            }
        });
        has_tag.unwrap_or(false)
    }

    unsafe fn declare(&self, stack: &Stack<'_>, call: &Incoming<'_>) -> Result<(), Fault> {
        self.state.protect_with(1, |lua| {
            let mut stack = Stack { lua, state: &self.state, of: stack.of };
            // SAFETY: in a protected call, with the error as its first value.
            unsafe {
                if error::is_raised(&self.state, lua, 1) {
                    ffi::lua_rawgeti(lua, 1, 1);
                } else if ffi::lua_type(lua, 1) == ffi::LUA_TSTRING {
                    let name = error::without_location(&error::text_at(lua, 1));
                    ffi::lua_pushlstring(lua, name.as_ptr().cast(), name.len());
                } else {
                    ffi::lua_pushvalue(lua, 1);
                }
                let value = ffi::lua_gettop(lua);
                call.declare(&mut stack, &value)
            }
        })
    }
}

unsafe fn push_kept(lua: *mut lua_State, reference: c_int) {
    // SAFETY: the caller's promise.
    unsafe { ffi::lua_rawgeti_(lua, ffi::LUA_REGISTRYINDEX, reference) };
}

/// Takes the field of the table at the top, if it is a function.
unsafe fn function(lua: *mut lua_State, name: &CStr) -> Option<c_int> {
    // SAFETY: in a protected call (the caller's promise).
    unsafe {
        ffi::lua_getfield(lua, -1, name.as_ptr());
        if ffi::lua_type(lua, -1) == ffi::LUA_TFUNCTION {
            return Some(ffi::luaL_ref(lua, ffi::LUA_REGISTRYINDEX));
        }
        ffi::lua_settop(lua, -2);
        None
    }
}

impl Engine for LuaEngine {
    type Object = c_int;

    fn prepare(&self, plugin: usize, contract: &KnownContract) -> Result<(), Fault> {
        let class = self.state.classes.borrow()[plugin].class;
        let code = self.state.protect(|lua| {
            // SAFETY: in a protected call.
            unsafe {
                let of = self.state.prepared(lua, contract);
                push_kept(lua, class);
                let mut methods = Vec::new();
                for (method, plan) in contract.schema.methods.iter().zip(contract.plan.methods()) {
                    ffi::lua_pushlstring(lua, method.name.as_ptr().cast(), method.name.len());
                    ffi::lua_gettable(lua, -2);
                    let function = ffi::luaL_ref(lua, ffi::LUA_REGISTRYINDEX);
                    methods.push(Method { function, way: way(&contract.plan, plan) });
                }
                let (init, save, restore) = (function(lua, c"init"), function(lua, c"save"), function(lua, c"restore"));
                ffi::lua_createtable(lua, 0, 1);
                ffi::lua_insert(lua, -2);
                ffi::lua_setfield(lua, -2, c"__index".as_ptr());
                let metatable = ffi::luaL_ref(lua, ffi::LUA_REGISTRYINDEX);
                Ok(Code { of, methods, metatable, init, save, restore })
            }
        })?;
        let _ = self.plugins[plugin].set(code);
        Ok(())
    }

    fn create(&self, plugin: usize) -> Result<c_int, Fault> {
        let _timed = self.state.timed();
        self.state.protect(|lua| {
            // SAFETY: in a protected call.
            unsafe {
                self.new_instance(lua, self.code(plugin));
                Ok(ffi::luaL_ref(lua, ffi::LUA_REGISTRYINDEX))
            }
        })
    }

    fn end(&self, object: c_int) {
        self.state.forget(object);
    }

    #[inline]
    fn call(&self, plugin: usize, instance: &c_int, call: &Incoming<'_>) -> Result<(), Fault> {
        let code = self.code(plugin);
        let method = &code.methods[call.number()];
        let _timed = self.state.timed();
        let is_short = match method.way {
            Way::Plain => true,
            Way::Short => self.state.is_lenient && call.is_small(SMALL, crate::stack::EXACT),
            Way::Any => false,
        };
        if is_short {
            return self.call_short(code, method, *instance, call);
        }
        self.call_any(&code.of, call, |lua| {
            // SAFETY: in a protected call.
            unsafe {
                push_kept(lua, method.function);
                push_kept(lua, *instance);
            }
            Ok(1)
        })
    }

    fn call_object(&self, _: u32, object: &c_int, of: &KnownContract, call: &Incoming<'_>) -> Result<(), Fault> {
        let _timed = self.state.timed();
        // SAFETY: in a protected call.
        let prepared = self.state.protect(|lua| Ok(unsafe { self.state.prepared(lua, of) }))?;
        self.call_any(&prepared, call, |lua| {
            // SAFETY: in a protected call.
            unsafe {
                push_kept(lua, *object);
                if ffi::lua_type(lua, -1) == ffi::LUA_TFUNCTION {
                    return Ok(0);
                }
                let name = &call.method().name;
                ffi::lua_pushlstring(lua, name.as_ptr().cast(), name.len());
                ffi::lua_gettable(lua, -2);
                if ffi::lua_type(lua, -1) != ffi::LUA_TFUNCTION {
                    return Err(Fault::new(format_args!("the object has no method `{name}`")));
                }
                ffi::lua_insert(lua, -2);
            }
            Ok(1)
        })
    }

    fn save(&self, plugin: usize, instance: &c_int) -> Result<Vec<u8>, Fault> {
        let _timed = self.state.timed();
        let save = self.code(plugin).save.ok_or_else(|| Fault::new("the plugin has no method `save`"))?;
        self.state.protect(|lua| {
            // SAFETY: in a protected call.
            unsafe {
                push_kept(lua, save);
                push_kept(lua, *instance);
                ffi::lua_call(lua, 1, 1);
                if ffi::lua_type(lua, -1) != ffi::LUA_TSTRING {
                    let found = crate::stack::describe(lua, -1);
                    return Err(Fault::new(format_args!("save: a string is expected, not {found}")));
                }
                let mut len = 0;
                let start = ffi::lua_tolstring(lua, -1, &raw mut len);
                Ok(std::slice::from_raw_parts(start.cast::<u8>(), len).to_vec())
            }
        })
    }

    fn restore(&self, plugin: usize, snapshot: &[u8], from: Version) -> Result<c_int, Fault> {
        let _timed = self.state.timed();
        let code = self.code(plugin);
        let restore = code.restore.ok_or_else(|| Fault::new("the plugin has no method `restore`"))?;
        let from = format!("{}.{}.{}", from.major, from.minor, from.patch);
        self.state.protect(|lua| {
            // SAFETY: in a protected call.
            unsafe {
                self.new_instance(lua, code);
                push_kept(lua, restore);
                ffi::lua_pushvalue(lua, -2);
                ffi::lua_pushlstring(lua, snapshot.as_ptr().cast(), snapshot.len());
                ffi::lua_pushlstring(lua, from.as_ptr().cast(), from.len());
                ffi::lua_call(lua, 3, 0);
                Ok(ffi::luaL_ref(lua, ffi::LUA_REGISTRYINDEX))
            }
        })
    }

    fn memory(&self) -> Option<u64> {
        Some(self.state.memory())
    }
}

/// The way for a method, by what its values are.
fn way(plan: &Plan, method: &MethodPlan) -> Way {
    let of = |node| match plan.node(node).kind {
        Kind::Unit
        | Kind::Bool
        | Kind::I8
        | Kind::I16
        | Kind::I32
        | Kind::U8
        | Kind::U16
        | Kind::U32
        | Kind::F32
        | Kind::F64 => Way::Plain,
        Kind::I64 | Kind::U64 | Kind::String | Kind::Bytes => Way::Short,
        _ => Way::Any,
    };
    let mut ways = method.arguments.iter().map(|place| place.node).chain([method.result]).map(of);
    ways.try_fold(Way::Plain, |way, next| match (way, next) {
        (_, Way::Any) => None,
        (Way::Plain, Way::Plain) => Some(Way::Plain),
        _ => Some(Way::Short),
    })
    .unwrap_or(Way::Any)
}

/// Whether text is a program.
pub(crate) fn compile(text: &[u8], file: &str) -> Result<(), Fault> {
    struct Machine(*mut lua_State);
    impl Drop for Machine {
        fn drop(&mut self) {
            // SAFETY: ours, and nobody is in it.
            unsafe { ffi::lua_close(self.0) };
        }
    }
    // SAFETY: a machine of our own; compiling raises no errors, it returns them.
    unsafe {
        let lua = ffi::luaL_newstate();
        if lua.is_null() {
            return Err(Fault::limit("there is not enough memory for a Lua machine"));
        }
        let machine = Machine(lua);
        match require::load(machine.0, text, file) {
            ffi::LUA_OK => Ok(()),
            _ => Err(Fault::new(error::text_at(machine.0, -1))),
        }
    }
}
