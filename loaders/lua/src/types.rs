//! The makers of values of a contract's types, `polyplug.types(contract)`.

use std::ffi::c_int;

use mlua::ffi::{self, lua_State};
use polyplug::engine::BodyLayout;
use polyplug::schema::{Case, Schema, Shape};

use crate::text::push_text;

/// Pushes a table with a maker for each type of a contract, by the type's name.
///
/// The maker of a record is a function, that of an enum a table of the cases' names, and that of a variant a table with
/// a function for each case.
///
/// # Safety
///
/// In a protected call.
pub(crate) unsafe fn push(lua: *mut lua_State, schema: &Schema) {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_createtable(lua, 0, 8);
        for definition in &schema.types {
            push_text(lua, &definition.name);
            match &definition.shape {
                Shape::Record(_) => ffi::lua_pushcclosure(lua, make_record, 0),
                Shape::Enum(cases) => push_cases(lua, cases, |_| ffi::lua_pushvalue(lua, -1)),
                Shape::Variant(cases) => push_cases(lua, cases, |case| {
                    ffi::lua_pushvalue(lua, -1);
                    ffi::lua_pushcclosure(lua, case_maker(BodyLayout::of_case(case)), 1);
                }),
                _ => ffi::lua_pushnil(lua),
            }
            ffi::lua_rawset(lua, -3);
        }
    }
}

/// Pushes a table with an entry for each case. `push_value` pushes the entry's value, with the case's name at the top.
///
/// # Safety
///
/// In a protected call.
unsafe fn push_cases(lua: *mut lua_State, cases: &[Case], push_value: impl Fn(&Case)) {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_createtable(lua, 0, c_int::try_from(cases.len()).unwrap_or(0));
        for case in cases {
            push_text(lua, &case.name);
            push_value(case);
            ffi::lua_rawset(lua, -3);
        }
    }
}

/// Returns the C function that makes a case. Upvalue 1 of the function is the case's name.
fn case_maker(layout: BodyLayout) -> ffi::lua_CFunction {
    match layout {
        BodyLayout::Empty => make_empty,
        BodyLayout::Single | BodyLayout::Named => make_of_one,
        BodyLayout::Numbered => make_of_many,
    }
}

/// Makes a record: returns the argument, because a record is a table of its fields.
///
/// # Safety
///
/// Lua calls the function.
unsafe extern "C-unwind" fn make_record(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls C functions with a valid state.
    unsafe { ffi::lua_settop(lua, 1) };
    1
}

/// Makes a case without fields.
///
/// # Safety
///
/// Lua calls the function, which has the case's name as upvalue 1.
unsafe extern "C-unwind" fn make_empty(lua: *mut lua_State) -> c_int {
    // SAFETY: the caller's promise. Lua calls C functions in a protected call.
    unsafe { push_tagged(lua) };
    1
}

/// Makes a case of one argument: its only field, or the table of its fields.
///
/// # Safety
///
/// Lua calls the function, which has the case's name as upvalue 1.
unsafe extern "C-unwind" fn make_of_one(lua: *mut lua_State) -> c_int {
    // SAFETY: the caller's promise. Lua calls C functions in a protected call.
    unsafe {
        ffi::lua_settop(lua, 1);
        push_tagged(lua);
        ffi::lua_pushvalue(lua, 1);
        ffi::lua_setfield(lua, -2, c"val".as_ptr());
    }
    1
}

/// Makes a case whose fields are the arguments.
///
/// # Safety
///
/// Lua calls the function, which has the case's name as upvalue 1.
unsafe extern "C-unwind" fn make_of_many(lua: *mut lua_State) -> c_int {
    // SAFETY: the caller's promise. Lua calls C functions in a protected call, with their arguments on the stack.
    unsafe {
        let count = ffi::lua_gettop(lua);
        ffi::lua_createtable(lua, count, 0);
        for i in 1..=count {
            ffi::lua_pushvalue(lua, i);
            ffi::lua_rawseti_(lua, -2, i);
        }
        push_tagged(lua);
        ffi::lua_insert(lua, -2);
        ffi::lua_setfield(lua, -2, c"val".as_ptr());
    }
    1
}

/// Pushes a table whose tag is upvalue 1.
///
/// # Safety
///
/// In a C function that Lua has called, with the case's name as upvalue 1.
unsafe fn push_tagged(lua: *mut lua_State) {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_createtable(lua, 0, 2);
        ffi::lua_pushvalue(lua, ffi::lua_upvalueindex(1));
        ffi::lua_setfield(lua, -2, c"tag".as_ptr());
    }
}
