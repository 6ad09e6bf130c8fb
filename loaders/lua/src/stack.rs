//! Values on Lua's stack: how they are made and read.
//!
//! A value is known by its index. All of this is for protected calls: making a value may raise an error of Lua's, when
//! memory runs out.

use std::ffi::c_int;
use std::rc::Rc;

use mlua::ffi::{self, lua_State};
use polyplug::engine::{CaseOf, Fault, RawText};

use crate::prepared::Prepared;
use crate::registry::push_ref;
use crate::state::State;
use crate::text::text_at;

/// The stack of a thread of a machine, for values of one contract.
pub(crate) struct Stack<'a> {
    pub(crate) lua: *mut lua_State,
    pub(crate) state: &'a State,
    pub(crate) of: &'a Rc<Prepared>,
}

/// Integers up to here are exact in a number of Lua's.
pub(crate) const EXACT: u64 = 1 << 53;

impl Stack<'_> {
    pub(crate) fn top(&self) -> c_int {
        // SAFETY: a valid machine, as for all of this.
        unsafe { ffi::lua_gettop(self.lua) }
    }

    pub(crate) fn push_ref(&self, reference: c_int) -> c_int {
        // SAFETY: as above.
        unsafe { ffi::lua_rawgeti_(self.lua, ffi::LUA_REGISTRYINDEX, reference) };
        self.top()
    }

    /// Puts the value at the top into the table at `table`, under a key that is kept.
    pub(crate) fn set_ref(&self, table: c_int, key: c_int) {
        // SAFETY: as above; the table is one of ours.
        unsafe {
            push_ref(self.lua, key);
            ffi::lua_insert(self.lua, -2);
            ffi::lua_rawset(self.lua, table);
        }
    }

    /// Puts the value at the top into the table at `table`.
    pub(crate) fn set(&self, table: c_int, key: &std::ffi::CStr) {
        // SAFETY: as above.
        unsafe { ffi::lua_setfield(self.lua, table, key.as_ptr()) };
    }

    pub(crate) fn new_table(&self, items: usize, fields: usize) -> c_int {
        // What somebody says of a length need not be so: it is room to begin with.
        let room = |count: usize| c_int::try_from(count.min(1 << 16)).unwrap_or(0);
        // SAFETY: as above.
        unsafe {
            ffi::luaL_checkstack_(self.lua, 8, c"a value is nested too deeply".as_ptr());
            ffi::lua_createtable(self.lua, room(items), room(fields));
        }
        self.top()
    }

    /// A table with a tag and a value, which is at the top.
    pub(crate) fn tagged(&self, tag: &std::ffi::CStr, value: c_int) -> c_int {
        let table = self.new_table(0, 2);
        // SAFETY: as above.
        unsafe {
            ffi::lua_insert(self.lua, value);
            ffi::lua_setfield(self.lua, value, c"val".as_ptr());
            ffi::lua_pushstring(self.lua, tag.as_ptr());
            ffi::lua_setfield(self.lua, value, c"tag".as_ptr());
        }
        debug_assert_eq!(table, value + 1);
        value
    }

    pub(crate) fn kind(&self, index: c_int) -> c_int {
        // SAFETY: as above.
        unsafe { ffi::lua_type(self.lua, index) }
    }

    pub(crate) fn is_table(&self, index: c_int) -> bool {
        self.kind(index) == ffi::LUA_TTABLE
    }

    /// The bytes of a string.
    pub(crate) fn string(&self, index: c_int) -> Option<RawText> {
        if self.kind(index) != ffi::LUA_TSTRING {
            return None;
        }
        let mut len = 0;
        // SAFETY: a string, whose bytes stay while it is on the stack.
        let ptr = unsafe { ffi::lua_tolstring(self.lua, index, &raw mut len) };
        Some(RawText { ptr: ptr.cast(), len })
    }

    pub(crate) fn text_of(&self, index: c_int) -> Option<&str> {
        let RawText { ptr, len } = self.string(index)?;
        // SAFETY: as in `string`.
        std::str::from_utf8(unsafe { std::slice::from_raw_parts(ptr, len) }).ok()
    }

    /// Pushes what a table has under a key that is at the top, which it takes the place of.
    pub(crate) fn get(&self, table: c_int) {
        // SAFETY: as above.
        unsafe {
            ffi::lua_pushvalue(self.lua, -1);
            ffi::lua_rawget_(self.lua, table);
            // An object may inherit its fields.
            if ffi::lua_type(self.lua, -1) == ffi::LUA_TNIL && ffi::lua_getmetatable(self.lua, table) != 0 {
                ffi::lua_settop(self.lua, -3);
                ffi::lua_gettable_(self.lua, table);
            } else {
                ffi::lua_remove(self.lua, -2);
            }
        }
    }

    /// Pushes the field of a table.
    pub(crate) fn get_named(&self, table: c_int, key: &std::ffi::CStr) -> c_int {
        // SAFETY: as above.
        unsafe { ffi::lua_pushstring(self.lua, key.as_ptr()) };
        self.get(table);
        self.top()
    }

    /// The number of items of a table, which must have nothing else.
    pub(crate) fn items(&self, index: c_int) -> Result<Option<(c_int, usize)>, Fault> {
        if !self.is_table(index) {
            return Ok(None);
        }
        // SAFETY: as above.
        let len = unsafe { ffi::lua_objlen(self.lua, index) };
        if self.has_more(index, len) {
            let reason = "expected a list, got a table with holes, or with keys that are no numbers from 1 on; \
                          `polyplug.null` stands for an item that is not there";
            return Err(polyplug::types::LiftError::new(reason).into());
        }
        Ok(Some((index, len)))
    }

    /// Whether a table has entries besides the items up to `len`.
    pub(crate) fn has_more(&self, table: c_int, len: usize) -> bool {
        // SAFETY: as above; the last item is a key of the table, and nil stands before the first.
        unsafe {
            if len == 0 {
                ffi::lua_pushnil(self.lua);
            } else {
                #[allow(clippy::cast_precision_loss)] // no table has so many items
                ffi::lua_pushnumber(self.lua, len as f64);
            }
            if ffi::lua_next(self.lua, table) == 0 {
                return false;
            }
            ffi::lua_settop(self.lua, -3);
        }
        // That may be an item all the same: some tables have an order of their own.
        self.count(table, len + 1) > len
    }

    /// How many entries a table has, or `limit` if there are more.
    pub(crate) fn count(&self, table: c_int, limit: usize) -> usize {
        let mut count = 0;
        // SAFETY: as above; the table is not changed meanwhile.
        unsafe {
            ffi::lua_pushnil(self.lua);
            while ffi::lua_next(self.lua, table) != 0 {
                ffi::lua_settop(self.lua, -2);
                count += 1;
                if count == limit {
                    ffi::lua_settop(self.lua, -2);
                    break;
                }
            }
        }
        count
    }

    pub(crate) fn case_number<V>(&self, definition: u32, name: c_int, payload: V) -> CaseOf<V> {
        // SAFETY: as above.
        unsafe {
            push_ref(self.lua, self.of.cases(definition).numbers);
            ffi::lua_pushvalue(self.lua, name);
            ffi::lua_rawget_(self.lua, -2);
            let number = ffi::lua_tonumber(self.lua, -1);
            let is_known = ffi::lua_type(self.lua, -1) == ffi::LUA_TNUMBER;
            ffi::lua_settop(self.lua, -3);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // put there as the number of a case
            if is_known { CaseOf::Known(number as u32, payload) } else { CaseOf::Unknown(text_at(self.lua, name)) }
        }
    }
}
