//! Values of Lua's as values of contracts.

use std::ffi::c_int;

use mlua::ffi;
use polyplug::engine::{CaseOf, Fault, RawText, Read};
use polyplug::schema::plan::{Body, MethodPlan};
use polyplug_abi::GuestContractInstance;

use crate::int64;
use crate::prepared::Layout;
use crate::registry::take_ref;
use crate::remote;
use crate::stack::Stack;
use crate::text::{describe, text_at};
use crate::vm::LuaEngine;

// SAFETY: Lua's strings stay where they are while they are on the stack, or in a value that is.
unsafe impl Read for Stack<'_> {
    type Value = c_int;
    type Items = c_int;
    type Entries = c_int;
    type Error = Fault;

    fn describe(&mut self, value: &c_int) -> String {
        // SAFETY: as above.
        unsafe { describe(self.lua, *value) }
    }

    fn release(&mut self, value: c_int) {
        // SAFETY: values are released in reverse order, so it is at the top.
        unsafe { ffi::lua_settop(self.lua, value - 1) };
    }

    fn is_none(&mut self, value: &c_int) -> bool {
        match self.kind(*value) {
            ffi::LUA_TNIL | ffi::LUA_TNONE => true,
            // SAFETY: as above.
            ffi::LUA_TLIGHTUSERDATA => unsafe { ffi::lua_touserdata(self.lua, *value) }.is_null(),
            _ => false,
        }
    }

    #[inline]
    fn is_unit(&mut self, value: &c_int) -> bool {
        self.is_none(value)
    }

    #[inline]
    fn bool(&mut self, value: &c_int) -> Option<bool> {
        // SAFETY: as above.
        (self.kind(*value) == ffi::LUA_TBOOLEAN).then(|| unsafe { ffi::lua_toboolean(self.lua, *value) != 0 })
    }

    #[inline]
    fn integer(&mut self, value: &c_int) -> Option<i128> {
        match self.kind(*value) {
            ffi::LUA_TNUMBER => {
                // SAFETY: as above.
                let number = unsafe { ffi::lua_tonumber(self.lua, *value) };
                #[allow(clippy::cast_possible_truncation)] // what is no integer, or too large, differs afterwards
                let integer = number as i64;
                #[allow(clippy::cast_precision_loss)] // as above
                let is_exact = integer as f64 == number && integer != i64::MAX;
                if is_exact {
                    return Some(integer.into());
                }
                // An integer beyond those of 64 bits, to be refused as such.
                #[allow(clippy::cast_possible_truncation)] // as above
                (number.fract() == 0.0 && number.is_finite()).then_some(number as i128)
            }
            // SAFETY: as above, in a protected call.
            ffi::LUA_TCDATA => unsafe { int64::read(self.state, self.lua, *value) },
            _ => None,
        }
    }

    #[inline]
    fn float(&mut self, value: &c_int, _: bool) -> Option<f64> {
        match self.kind(*value) {
            // SAFETY: as above.
            ffi::LUA_TNUMBER => Some(unsafe { ffi::lua_tonumber(self.lua, *value) }),
            #[allow(clippy::cast_precision_loss)] // as Lua converts them
            // SAFETY: as above, in a protected call.
            ffi::LUA_TCDATA => unsafe { int64::read(self.state, self.lua, *value) }.map(|number| number as f64),
            _ => None,
        }
    }

    fn char(&mut self, value: &c_int) -> Option<char> {
        let mut letters = self.text_of(*value)?.chars();
        letters.next().filter(|_| letters.next().is_none())
    }

    #[inline]
    fn text(&mut self, value: &c_int) -> Option<RawText> {
        self.string(*value)
    }

    fn bytes(&mut self, value: &c_int) -> Option<RawText> {
        self.string(*value)
    }

    fn some(&mut self, value: &c_int, is_nested: bool) -> Option<c_int> {
        if is_nested {
            if !self.is_table(*value) {
                return None;
            }
            self.get_named(*value, c"tag");
            let is_some = self.text_of(self.top()) == Some("some");
            self.release(self.top());
            return is_some.then(|| self.get_named(*value, c"val"));
        }
        // SAFETY: as above.
        unsafe { ffi::lua_pushvalue(self.lua, *value) };
        Some(self.top())
    }

    fn list(&mut self, value: &c_int) -> Result<Option<(c_int, usize)>, Fault> {
        self.items(*value)
    }

    fn tuple(&mut self, value: &c_int) -> Result<Option<(c_int, usize)>, Fault> {
        self.items(*value)
    }

    fn item(&mut self, items: &mut c_int, index: usize) -> Result<c_int, Fault> {
        let number = c_int::try_from(index + 1).map_err(|_| Fault::new("a list of Lua's cannot have so many items"))?;
        // SAFETY: as above.
        unsafe {
            ffi::luaL_checkstack_(self.lua, 8, c"a value is nested too deeply".as_ptr());
            ffi::lua_rawgeti_(self.lua, *items, number);
        }
        Ok(self.top())
    }

    fn map(&mut self, value: &c_int) -> Result<Option<(c_int, usize)>, Fault> {
        if !self.is_table(*value) {
            return Ok(None);
        }
        let len = self.count(*value, usize::MAX);
        // SAFETY: as above. The key before the first.
        unsafe {
            ffi::luaL_checkstack_(self.lua, 8, c"a value is nested too deeply".as_ptr());
            ffi::lua_pushnil(self.lua);
        }
        Ok(Some((*value, len)))
    }

    fn entry(&mut self, map: &mut c_int) -> Result<Option<(c_int, c_int)>, Fault> {
        // SAFETY: as above. The key before is at the top, and makes room for this one, which is found twice: once for
        // us, and once for the next.
        unsafe {
            if ffi::lua_next(self.lua, *map) == 0 {
                return Ok(None);
            }
            ffi::lua_pushvalue(self.lua, -2);
            ffi::lua_insert(self.lua, -2);
        }
        Ok(Some((self.top() - 1, self.top())))
    }

    fn has_fields(&mut self, value: &c_int, _: &Body) -> bool {
        self.is_table(*value)
    }

    fn field(&mut self, value: &c_int, body: &Body, index: usize) -> Result<Option<c_int>, Fault> {
        let fields = &self.of.bodies[body.number];
        match fields.layout {
            Layout::Empty => return Ok(None),
            // SAFETY: as above.
            Layout::Single => unsafe { ffi::lua_pushvalue(self.lua, *value) },
            _ if !self.is_table(*value) => return Ok(None),
            Layout::Named => {
                self.push_ref(fields.keys[index]);
                self.get(*value);
            }
            Layout::Numbered => return self.item(&mut { *value }, index).map(Some),
        }
        let found = self.top();
        if self.kind(found) == ffi::LUA_TNIL {
            self.release(found);
            return Ok(None);
        }
        Ok(Some(found))
    }

    fn unknown_field(&mut self, value: &c_int, body: &Body) -> Option<String> {
        let layout = self.of.bodies[body.number].layout;
        if layout != Layout::Named || !self.is_table(*value) {
            return None;
        }
        let bodies: Vec<_> = self.of.contract.schema.bodies().collect();
        let known = bodies[body.number].fields;
        // SAFETY: as above; the table is not changed meanwhile.
        unsafe {
            ffi::lua_pushnil(self.lua);
            while ffi::lua_next(self.lua, *value) != 0 {
                ffi::lua_settop(self.lua, -2);
                let key = self.top();
                let name = match self.kind(key) {
                    ffi::LUA_TSTRING => text_at(self.lua, key),
                    _ => describe(self.lua, key),
                };
                if known.iter().all(|field| field.name != name) {
                    ffi::lua_settop(self.lua, -2);
                    return Some(name);
                }
            }
        }
        None
    }

    fn enum_case(&mut self, value: &c_int, definition: u32) -> Result<CaseOf<()>, Fault> {
        if self.kind(*value) != ffi::LUA_TSTRING {
            return Ok(CaseOf::None);
        }
        Ok(self.case_number(definition, *value, ()))
    }

    fn case(&mut self, value: &c_int, definition: u32) -> Result<CaseOf<c_int>, Fault> {
        // SAFETY: as above.
        unsafe { ffi::luaL_checkstack_(self.lua, 8, c"a value is nested too deeply".as_ptr()) };
        match self.kind(*value) {
            // A case without fields may be said by its name.
            ffi::LUA_TSTRING => {
                // SAFETY: as above.
                unsafe { ffi::lua_pushnil(self.lua) };
                Ok(self.case_number(definition, *value, self.top()))
            }
            ffi::LUA_TTABLE => {
                let tag = self.get_named(*value, c"tag");
                if self.kind(tag) != ffi::LUA_TSTRING {
                    self.release(tag);
                    return Ok(CaseOf::None);
                }
                let found = self.case_number(definition, tag, 0);
                self.release(tag);
                Ok(match found {
                    CaseOf::Known(number, _) => CaseOf::Known(number, self.get_named(*value, c"val")),
                    other => other,
                })
            }
            _ => Ok(CaseOf::None),
        }
    }

    fn result(&mut self, value: &c_int) -> Option<(c_int, bool)> {
        if !self.is_table(*value) {
            return None;
        }
        let tag = self.get_named(*value, c"tag");
        let is_ok = match self.text_of(tag) {
            Some("ok") => Some(true),
            Some("err") => Some(false),
            _ => None,
        };
        self.release(tag);
        Some((self.get_named(*value, c"val"), is_ok?))
    }

    fn object(
        &mut self,
        value: &c_int,
        definition: u32,
        methods: &[MethodPlan],
    ) -> Result<GuestContractInstance, Fault> {
        // SAFETY: as above.
        if let Some(remote) = unsafe { remote::at(self.lua, *value) } {
            return remote.share();
        }
        let fits = match self.kind(*value) {
            ffi::LUA_TTABLE => true,
            // A function is an object with one method.
            ffi::LUA_TFUNCTION => methods.len() == 1,
            _ => false,
        };
        if !fits {
            let expected = &self.of.contract.schema.definition(definition).name;
            let found = self.describe(value);
            let reason = format_args!("expected {expected}, got {found}: a table with its methods").to_string();
            return Err(polyplug::types::LiftError::new(reason).into());
        }
        // SAFETY: as above, in a protected call.
        let reference = unsafe {
            ffi::lua_pushvalue(self.lua, *value);
            take_ref(self.lua)
        };
        self.state.guest.offer::<LuaEngine>(reference, &self.of.contract, definition)
    }
}
