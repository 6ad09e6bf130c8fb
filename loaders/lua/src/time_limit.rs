//! The time limit of a VM.
//!
//! Two ways end code whose time is up. Both find the [`TimeLimit`] of their VM in the registry.
//!
//! - The programs [count their steps](crate::counted), and look at the clock now and then. They may be compiled to machine code.
//! - A hook looks at the clock. LuaJIT calls hooks only where code is interpreted, so such a VM compiles nothing. That is the way
//!   of a VM with the full standard library, which can load programs that count nothing, and of a VM from the moment on at which
//!   it loads a program that cannot be made to count.
//!
//! Once the time is up, a hook is called at each instruction in both ways, so that code which catches the error does not go on.

use std::cell::Cell;
use std::ffi::{CStr, c_int};
use std::time::Duration;

use mlua::ffi::{self, lua_Debug, lua_State};
use polyplug::engine::Deadline;

use crate::counted::counted;
use crate::program;
use crate::registry::Key;

/// The mode `LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF` of `luaJIT_setmode`: everything is interpreted.
const ENGINE_OFF: c_int = 0;
/// The mode `LUAJIT_MODE_ENGINE | LUAJIT_MODE_FLUSH` of `luaJIT_setmode`: what is compiled is thrown away.
const ENGINE_FLUSH: c_int = 0x200;

unsafe extern "C-unwind" {
    fn luaJIT_setmode(lua: *mut lua_State, index: c_int, mode: c_int) -> c_int;
}

/// The key in the registry of the address of the VM's [`TimeLimit`].
static TIME_LIMIT: Key = Key::new();

/// The key in the registry of the function [`look`].
static LOOK: Key = Key::new();

/// Replacements of functions that would not end with the time. The program is one that counts its steps.
///
/// - Lua runs the handler of an error that a hook has raised within the hook, where no other hook is called, so a handler could
///   run forever. `xpcall` leaves out the handler once the time is up.
/// - LuaJIT's `tostring` goes on with itself, without a step, where it is its own metamethod.
/// - LuaJIT's `table.move` is a loop that counts nothing, and moves what does not exist.
const PROGRAM: &[u8] = b"
local xpcall, is_over, tostring, move, tonumber = ...
local replaced = {}

function replaced.xpcall(f, handler, ...)
  return xpcall(f, function(value)
    if is_over() then return value end
    return handler(value)
  end, ...)
end

function replaced.tostring(...)
  return (tostring(...))
end

function replaced.move(from, first, last, to, into)
  local low, high = tonumber(first), tonumber(last)
  if not low or not high or high - low < 1000 then return move(from, first, last, to, into) end
  low, high = low - low % 1, high - high % 1
  -- Checks the arguments.
  into = move(from, first, low - 1, to, into)
  local distance = to - low
  if distance > 0 and into == from then
    for index = high, low, -1 do into[index + distance] = from[index] end
  else
    for index = low, high do into[index + distance] = from[index] end
  end
  return into
end

return replaced
";

/// The time limit of the calls of one VM. Without one, nothing here is used.
#[derive(Default)]
pub(crate) struct TimeLimit {
    deadline: Deadline,
    /// Whether all code is interpreted, as code may run that does not [count its steps](crate::counted).
    is_interpreted: Cell<bool>,
    /// Whether a hook is set.
    has_hook: Cell<bool>,
}

impl TimeLimit {
    /// Prepares a VM, and replaces functions of the standard library.
    ///
    /// # Safety
    ///
    /// In a protected call, after the standard library was opened. This value must outlive the VM, at its address.
    pub(crate) unsafe fn open(&self, lua: *mut lua_State) {
        // SAFETY: the caller's promise.
        unsafe {
            ffi::lua_pushlightuserdata(lua, std::ptr::from_ref(self).cast_mut().cast());
            ffi::lua_rawsetp(lua, ffi::LUA_REGISTRYINDEX, TIME_LIMIT.as_ptr());
            ffi::lua_pushcclosure(lua, look, 0);
            ffi::lua_rawsetp(lua, ffi::LUA_REGISTRYINDEX, LOOK.as_ptr());
            // The text is dropped before an error may be raised.
            let is_loaded = load_counted(lua, &counted(PROGRAM).unwrap_or_default(), c"=polyplug");
            if !is_loaded {
                ffi::luaL_error(lua, c"not enough memory".as_ptr());
            }
            ffi::lua_getfield(lua, ffi::LUA_GLOBALSINDEX, c"xpcall".as_ptr());
            ffi::lua_pushcclosure(lua, is_over, 0);
            ffi::lua_getfield(lua, ffi::LUA_GLOBALSINDEX, c"tostring".as_ptr());
            ffi::lua_getfield(lua, ffi::LUA_GLOBALSINDEX, c"table".as_ptr());
            ffi::lua_getfield(lua, -1, c"move".as_ptr());
            ffi::lua_remove(lua, -2);
            ffi::lua_getfield(lua, ffi::LUA_GLOBALSINDEX, c"tonumber".as_ptr());
            ffi::lua_call(lua, 5, 1);
            for name in [c"xpcall", c"tostring"] {
                ffi::lua_getfield(lua, -1, name.as_ptr());
                ffi::lua_setfield(lua, ffi::LUA_GLOBALSINDEX, name.as_ptr());
            }
            ffi::lua_getfield(lua, ffi::LUA_GLOBALSINDEX, c"table".as_ptr());
            ffi::lua_getfield(lua, -2, c"move".as_ptr());
            ffi::lua_setfield(lua, -2, c"move".as_ptr());
            ffi::lua_pop(lua, 2);
        }
    }

    /// Starts the time of a call. Returns `None` within a call whose time runs already.
    ///
    /// # Safety
    ///
    /// [`open`](Self::open) must have prepared the VM. The Lua state must be valid until the returned value is dropped.
    #[inline]
    pub(crate) unsafe fn begin(&self, lua: *mut lua_State, limit: Duration) -> Option<Timed<'_>> {
        self.deadline.begin(limit).then(|| {
            if self.is_interpreted.get() {
                // SAFETY: the caller's promise.
                unsafe { self.set_hook(lua, INSTRUCTIONS) };
            }
            Timed { lua, time: self }
        })
    }

    /// Returns whether the time of the call that runs is up.
    pub(crate) fn is_over(&self) -> bool {
        self.deadline.is_over()
    }

    /// Returns whether all code is interpreted.
    pub(crate) fn is_interpreted(&self) -> bool {
        self.is_interpreted.get()
    }

    /// Interprets all code from now on, so that code is ended which does not count its steps.
    ///
    /// # Safety
    ///
    /// The Lua state must be valid, and [`open`](Self::open) must have prepared the VM. The standard library was opened before,
    /// which switches the compiler on.
    pub(crate) unsafe fn interpret(&self, lua: *mut lua_State) {
        self.is_interpreted.set(true);
        // SAFETY: the caller's promise.
        unsafe {
            luaJIT_setmode(lua, 0, ENGINE_OFF);
            luaJIT_setmode(lua, 0, ENGINE_FLUSH);
            self.set_hook(lua, INSTRUCTIONS);
        }
    }

    /// Has the hook called after each `count` VM instructions.
    ///
    /// # Safety
    ///
    /// The Lua state must be valid, and [`open`](Self::open) must have prepared the VM.
    unsafe fn set_hook(&self, lua: *mut lua_State, count: c_int) {
        self.has_hook.set(true);
        // SAFETY: the caller's promise. The hook finds the value that `open` has registered.
        unsafe { ffi::lua_sethook(lua, Some(hook), ffi::LUA_MASKCOUNT, count) };
    }

    /// Returns the value of a VM.
    ///
    /// # Safety
    ///
    /// The Lua state must be valid, with room for a value on its stack, and [`open`](Self::open) must have prepared the VM.
    unsafe fn of<'a>(lua: *mut lua_State) -> &'a Self {
        // SAFETY: `open` has stored the address, and its caller has promised that the value outlives the VM.
        unsafe {
            ffi::lua_rawgetp(lua, ffi::LUA_REGISTRYINDEX, TIME_LIMIT.as_ptr());
            let this = ffi::lua_touserdata(lua, -1).cast::<Self>();
            ffi::lua_pop(lua, 1);
            &*this
        }
    }

    /// Raises an error if the time is up. Loops in the loader's own C functions call this function, as they neither count steps
    /// nor call the hook.
    ///
    /// # Safety
    ///
    /// In a protected call of the VM, holding nothing to be dropped. If the VM has a time limit, [`open`](Self::open) must have
    /// prepared the VM.
    pub(crate) unsafe fn check(&self, lua: *mut lua_State) {
        if self.is_over() {
            // SAFETY: the caller's promise. Only the time of a VM with a limit is ever up.
            unsafe {
                self.set_hook(lua, 1);
                ffi::luaL_error(lua, c"the call takes too long".as_ptr());
            }
        }
    }
}

/// Compiles a program that [counts its steps](crate::counted), and pushes the function. Returns false and pushes nothing if the
/// text does not compile.
///
/// # Safety
///
/// The Lua state must be valid, with room for two values on its stack, and [`TimeLimit::open`] must have prepared the VM.
pub(crate) unsafe fn load_counted(lua: *mut lua_State, text: &[u8], name: &CStr) -> bool {
    // SAFETY: the caller's promise. The program around the one that is wanted is called with a function and returns the other. It
    // may lack memory, which `lua_pcall` returns.
    unsafe {
        let mut code = program::load(lua, text, name);
        if code == ffi::LUA_OK {
            ffi::lua_rawgetp(lua, ffi::LUA_REGISTRYINDEX, LOOK.as_ptr());
            code = ffi::lua_pcall(lua, 1, 1, 0);
        }
        if code != ffi::LUA_OK {
            ffi::lua_pop(lua, 1);
        }
        code == ffi::LUA_OK
    }
}

/// A call whose time is limited. Dropping the value ends the limit.
pub(crate) struct Timed<'a> {
    lua: *mut lua_State,
    time: &'a TimeLimit,
}

impl Drop for Timed<'_> {
    fn drop(&mut self) {
        self.time.deadline.end();
        if self.time.has_hook.replace(false) {
            // SAFETY: the Lua state is still valid (the promise of `begin`'s caller).
            unsafe { ffi::lua_sethook(self.lua, None, 0, 0) };
        }
    }
}

/// Returns to Lua whether the time is up.
///
/// # Safety
///
/// Lua calls the function, which [`TimeLimit::open`] has made.
unsafe extern "C-unwind" fn is_over(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls C functions with room for `LUA_MINSTACK` values.
    unsafe { ffi::lua_pushboolean(lua, TimeLimit::of(lua).is_over().into()) };
    1
}

/// The number of steps between two looks at the clock. A look takes some 50 ns, as much as counting two hundred steps.
const STEPS: ffi::lua_Integer = 250;

/// The number of VM instructions between two looks at the clock, where all code is interpreted.
const INSTRUCTIONS: c_int = 1000;

/// Raises an error in a call whose time is up. Otherwise returns how many steps may be made before the next look at the clock.
///
/// # Safety
///
/// A program that counts its steps calls the function.
unsafe extern "C-unwind" fn look(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls C functions with room for `LUA_MINSTACK` values, in a protected call.
    unsafe {
        TimeLimit::of(lua).check(lua);
        ffi::lua_pushinteger(lua, STEPS);
    }
    1
}

/// Raises an error in a call whose time is up.
///
/// # Safety
///
/// Lua calls the function as a hook that [`TimeLimit::set_hook`] has set.
unsafe extern "C-unwind" fn hook(lua: *mut lua_State, _: *mut lua_Debug) {
    // SAFETY: Lua calls hooks with a valid state, in which an error may be raised.
    unsafe { TimeLimit::of(lua).check(lua) };
}
