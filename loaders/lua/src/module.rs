//! What `require("polyplug")` gives.

use std::ffi::{CStr, c_int};

use mlua::ffi::{self, lua_State};
use polyplug::engine::{Fault, Integer, Remote};
use polyplug::schema::Shape;

use crate::class::Class;
use crate::error::raise;
use crate::int64;
use crate::prepared::Layout;
use crate::registry::{push_ref, take_ref};
use crate::remote;
use crate::stack::EXACT;
use crate::state::State;
use crate::text::{describe, text_at};

/// Pushes the module. May raise an error.
///
/// # Safety
///
/// In a protected call.
pub(crate) unsafe fn push(state: &State, lua: *mut lua_State) {
    let functions: [(&CStr, ffi::lua_CFunction); 6] =
        [(c"plugin", plugin), (c"host", host), (c"peer", peer), (c"types", types), (c"log", log), (c"raise", throw)];
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_createtable(lua, 0, 10);
        for (name, function) in functions {
            ffi::lua_pushcclosure(lua, function, 0);
            ffi::lua_setfield(lua, -2, name.as_ptr());
        }
        ffi::lua_pushlightuserdata(lua, std::ptr::null_mut());
        ffi::lua_setfield(lua, -2, c"null".as_ptr());
        push_text(lua, state.guest.bundle());
        ffi::lua_setfield(lua, -2, c"bundle".as_ptr());
        push_table(lua, state.guest.config());
        ffi::lua_setfield(lua, -2, c"config".as_ptr());
    }
}

unsafe fn push_text(lua: *mut lua_State, text: &str) {
    // SAFETY: the caller's promise.
    unsafe { ffi::lua_pushlstring_(lua, text.as_ptr().cast(), text.len()) };
}

unsafe fn push_table(lua: *mut lua_State, table: &toml::Table) {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::luaL_checkstack_(lua, 4, c"the settings are nested too deeply".as_ptr());
        ffi::lua_createtable(lua, 0, c_int::try_from(table.len()).unwrap_or(0));
        for (key, value) in table {
            push_text(lua, key);
            push_setting(lua, value);
            ffi::lua_rawset(lua, -3);
        }
    }
}

unsafe fn push_setting(lua: *mut lua_State, value: &toml::Value) {
    // SAFETY: the caller's promise.
    unsafe {
        match value {
            toml::Value::String(text) => push_text(lua, text),
            #[allow(clippy::cast_precision_loss)] // exact up to here
            toml::Value::Integer(number) if number.unsigned_abs() <= EXACT => ffi::lua_pushnumber(lua, *number as f64),
            toml::Value::Integer(number) => int64::push(State::of(lua), lua, Integer::I64(*number)),
            toml::Value::Float(number) => ffi::lua_pushnumber(lua, *number),
            toml::Value::Boolean(flag) => ffi::lua_pushboolean(lua, (*flag).into()),
            toml::Value::Datetime(time) => push_text(lua, &time.to_string()),
            toml::Value::Table(table) => push_table(lua, table),
            toml::Value::Array(items) => {
                ffi::luaL_checkstack_(lua, 4, c"the settings are nested too deeply".as_ptr());
                ffi::lua_createtable(lua, c_int::try_from(items.len()).unwrap_or(0), 0);
                for (number, item) in (1..).zip(items) {
                    push_setting(lua, item);
                    ffi::lua_rawseti(lua, -2, number);
                }
            }
        }
    }
}

/// The text that is argument `index` of a function.
unsafe fn text(lua: *mut lua_State, index: c_int, what: &str) -> Result<String, Fault> {
    // SAFETY: the caller's promise.
    unsafe {
        if ffi::lua_type(lua, index) == ffi::LUA_TSTRING {
            return Ok(text_at(lua, index));
        }
        Err(Fault::new(format_args!("{what} is expected, not {}", describe(lua, index))))
    }
}

/// Ends a function of the module.
unsafe fn finish(lua: *mut lua_State, outcome: Result<c_int, Fault>) -> c_int {
    match outcome {
        Ok(count) => count,
        // SAFETY: the caller's promise, who has nothing left to drop.
        Err(fault) => unsafe { raise(lua, fault) },
    }
}

/// `plugin(contract, options)`: a table for the methods of a plugin.
unsafe extern "C-unwind" fn plugin(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls it with its arguments.
    unsafe { finish(lua, declare(lua)) }
}

unsafe fn declare(lua: *mut lua_State) -> Result<c_int, Fault> {
    // SAFETY: the caller's promise.
    unsafe {
        let state = State::of(lua);
        let contract = text(lua, 1, "the name of a contract, such as \"demo.calculator@1\",")?;
        if !state.declaring.get() {
            return Err(Fault::new("plugins are declared while their bundle is being loaded, not later"));
        }
        let (name, is_singleton) = options(lua)?;
        ffi::luaL_where(lua, 1);
        let place = text_at(lua, -1).trim_end_matches([':', ' ']).to_owned();
        ffi::lua_createtable(lua, 0, 8);
        ffi::lua_pushvalue(lua, -1);
        let class = take_ref(lua);
        state.classes.borrow_mut().push(Class { contract, name, is_singleton, place, class });
    }
    Ok(1)
}

/// The options of a plugin, which are argument 2, if there are any: what it is called, and whether it is a singleton.
unsafe fn options(lua: *mut lua_State) -> Result<(Option<String>, bool), Fault> {
    let (mut name, mut is_singleton) = (None, false);
    // SAFETY: the caller's promise; the table is not changed meanwhile.
    unsafe {
        ffi::lua_settop(lua, 2);
        match ffi::lua_type(lua, 2) {
            ffi::LUA_TNIL => return Ok((name, is_singleton)),
            ffi::LUA_TTABLE => {}
            _ => {
                let found = describe(lua, 2);
                return Err(Fault::new(format_args!("options are expected as a table, not as {found}")));
            }
        }
        ffi::lua_pushnil(lua);
        while ffi::lua_next(lua, 2) != 0 {
            let key = match ffi::lua_type(lua, 3) {
                ffi::LUA_TSTRING => text_at(lua, 3),
                _ => describe(lua, 3),
            };
            match (key.as_str(), ffi::lua_type(lua, 4)) {
                ("name", ffi::LUA_TSTRING) => name = Some(text_at(lua, 4)),
                ("singleton", ffi::LUA_TBOOLEAN) => is_singleton = ffi::lua_toboolean(lua, 4) != 0,
                (option @ ("name" | "singleton"), _) => {
                    let expected = if option == "name" { "a string" } else { "true or false" };
                    let found = describe(lua, 4);
                    return Err(Fault::new(format_args!("the option `{option}` is {expected}, not {found}")));
                }
                _ => {
                    let known = "there are `name` and `singleton`";
                    return Err(Fault::new(format_args!("there is no option `{key}`: {known}")));
                }
            }
            ffi::lua_settop(lua, 3);
        }
    }
    Ok((name, is_singleton))
}

/// `host(contract)`: somebody who has the methods of a host contract.
unsafe extern "C-unwind" fn host(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls it with its arguments.
    unsafe { finish(lua, open(lua, |state, contract| state.guest.host(contract))) }
}

/// `peer(contract)`: somebody who has the methods of another bundle's plugin.
unsafe extern "C-unwind" fn peer(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls it with its arguments.
    unsafe { finish(lua, open(lua, |state, contract| state.guest.peer(contract))) }
}

unsafe fn open(lua: *mut lua_State, open: impl FnOnce(&State, &str) -> Result<Remote, Fault>) -> Result<c_int, Fault> {
    // SAFETY: the caller's promise.
    unsafe {
        let state = State::of(lua);
        let contract = text(lua, 1, "the name of a contract, such as \"demo.logger@1\",")?;
        let remote = {
            let _here = state.switch(lua);
            open(state, &contract)?
        };
        let of = state.prepared(lua, &remote.schema_and_plan());
        remote::push(lua, &of, remote, state.call_remote);
    }
    Ok(1)
}

/// `types(contract)`: makers of the values of a contract's types, by their names.
unsafe extern "C-unwind" fn types(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls it with its arguments.
    unsafe { finish(lua, push_types(lua)) }
}

unsafe fn push_types(lua: *mut lua_State) -> Result<c_int, Fault> {
    // SAFETY: the caller's promise.
    unsafe {
        let state = State::of(lua);
        let name = text(lua, 1, "the name of a contract, such as \"demo.calculator@1\",")?;
        let contract = state.guest.contract(&name)?;
        ffi::lua_createtable(lua, 0, 8);
        for definition in &contract.schema.types {
            push_text(lua, &definition.name);
            match &definition.shape {
                Shape::Record(_) => ffi::lua_pushcclosure(lua, same, 0),
                Shape::Enum(cases) => {
                    ffi::lua_createtable(lua, 0, c_int::try_from(cases.len()).unwrap_or(0));
                    for case in cases {
                        push_text(lua, &case.name);
                        ffi::lua_pushvalue(lua, -1);
                        ffi::lua_rawset(lua, -3);
                    }
                }
                Shape::Variant(cases) => {
                    ffi::lua_createtable(lua, 0, c_int::try_from(cases.len()).unwrap_or(0));
                    for case in cases {
                        push_text(lua, &case.name);
                        push_text(lua, &case.name);
                        ffi::lua_pushcclosure(lua, maker(Layout::of_case(case)), 1);
                        ffi::lua_rawset(lua, -3);
                    }
                }
                _ => ffi::lua_pushnil(lua),
            }
            ffi::lua_rawset(lua, -3);
        }
    }
    Ok(1)
}

/// A record is its table.
unsafe extern "C-unwind" fn same(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls it with its arguments.
    unsafe { ffi::lua_settop(lua, 1) };
    1
}

fn maker(layout: Layout) -> ffi::lua_CFunction {
    match layout {
        Layout::Empty => make_empty,
        Layout::Single | Layout::Named => make_of_one,
        Layout::Numbered => make_of_many,
    }
}

/// A table with the tag that the function was made for, at the top of the stack.
unsafe fn push_tagged(lua: *mut lua_State) {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_createtable(lua, 0, 2);
        ffi::lua_pushvalue(lua, ffi::lua_upvalueindex(1));
        ffi::lua_setfield(lua, -2, c"tag".as_ptr());
    }
}

unsafe extern "C-unwind" fn make_empty(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls it with its arguments.
    unsafe { push_tagged(lua) };
    1
}

unsafe extern "C-unwind" fn make_of_one(lua: *mut lua_State) -> c_int {
    // SAFETY: as above.
    unsafe {
        ffi::lua_settop(lua, 1);
        push_tagged(lua);
        ffi::lua_pushvalue(lua, 1);
        ffi::lua_setfield(lua, -2, c"val".as_ptr());
    }
    1
}

unsafe extern "C-unwind" fn make_of_many(lua: *mut lua_State) -> c_int {
    // SAFETY: as above.
    unsafe {
        let count = ffi::lua_gettop(lua);
        ffi::lua_createtable(lua, count, 0);
        for i in 1..=count {
            ffi::lua_pushvalue(lua, i);
            ffi::lua_rawseti(lua, -2, i.into());
        }
        push_tagged(lua);
        ffi::lua_insert(lua, -2);
        ffi::lua_setfield(lua, -2, c"val".as_ptr());
    }
    1
}

/// `log(level, message)`: writes to the host's log.
unsafe extern "C-unwind" fn log(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls it with its arguments.
    unsafe { finish(lua, write_log(lua)) }
}

unsafe fn write_log(lua: *mut lua_State) -> Result<c_int, Fault> {
    // SAFETY: the caller's promise.
    let (state, level, message) = unsafe {
        let level = text(lua, 1, "a level (\"error\", \"warn\", \"info\", \"debug\" or \"trace\")")?;
        (State::of(lua), level, text(lua, 2, "a message")?)
    };
    state.guest.log_at(&level, &message)?;
    Ok(0)
}

/// `raise(value)`: ends the method with the error that its contract declares, whatever type that has.
unsafe extern "C-unwind" fn throw(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls it with its arguments.
    unsafe {
        ffi::lua_settop(lua, 1);
        ffi::lua_createtable(lua, 1, 0);
        ffi::lua_insert(lua, 1);
        ffi::lua_rawseti(lua, 1, 1);
        push_ref(lua, State::of(lua).refs.get().raised);
        ffi::lua_setmetatable(lua, 1);
        ffi::lua_error(lua)
    }
}
