//! Conversion of Lua values to a contract's values.

use std::ffi::c_int;

use mlua::ffi;
use polyplug::engine::{BodyLayout, CaseOf, Fault, RawText, Read};
use polyplug::schema::plan::{Body, MethodPlan};
use polyplug::types::LiftError;
use polyplug_abi::GuestContractInstance;

use crate::registry::take_ref;
use crate::stack::Stack;
use crate::text::{describe, text_at};
use crate::vm::LuaEngine;
use crate::{int64, remote};

// SAFETY: `RawText` points to the bytes of a Lua string. Lua does not move the bytes, and keeps the string while it, or
// the value that has it, is on the stack.
unsafe impl Read for Stack<'_> {
    type Value = c_int;
    type Items = c_int;
    type Entries = c_int;
    type Error = Fault;

    fn describe(&mut self, value: &c_int) -> String {
        // SAFETY: `Stack::new`'s caller has promised a valid Lua thread and valid indices.
        unsafe { describe(self.lua, *value) }
    }

    fn release(&mut self, value: c_int) {
        // Values are released in reverse order, so the value is at the top.
        self.truncate(value - 1);
    }

    #[inline]
    fn proceed(&mut self) -> Result<(), Fault> {
        match self.state.time.is_over() {
            true => Err(self.state.limits.out_of_time(self.state.guest.bundle())),
            false => Ok(()),
        }
    }

    fn is_none(&mut self, value: &c_int) -> bool {
        match self.kind(*value) {
            ffi::LUA_TNIL | ffi::LUA_TNONE => true,
            // SAFETY: `Stack::new`'s caller has promised a valid Lua thread and valid indices.
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
        // SAFETY: `Stack::new`'s caller has promised a valid Lua thread and valid indices.
        (self.kind(*value) == ffi::LUA_TBOOLEAN).then(|| unsafe { ffi::lua_toboolean(self.lua, *value) != 0 })
    }

    #[inline]
    fn integer(&mut self, value: &c_int) -> Option<i128> {
        match self.kind(*value) {
            ffi::LUA_TNUMBER => {
                // SAFETY: `Stack::new`'s caller has promised a valid Lua thread and valid indices.
                let number = unsafe { ffi::lua_tonumber(self.lua, *value) };
                #[allow(clippy::cast_possible_truncation)] // a number that is cut off differs from the integer
                let integer = number as i64;
                #[allow(clippy::cast_precision_loss)] // an integer that is rounded does not come from a number
                let is_exact = integer as f64 == number && integer != i64::MAX;
                if is_exact {
                    return Some(integer.into());
                }
                // The caller refuses an integer of more than 64 bits as out of range.
                #[allow(clippy::cast_possible_truncation)] // the caller refuses any number of this size
                (number.fract() == 0.0 && number.is_finite()).then_some(number as i128)
            }
            // SAFETY: `Stack::new`'s caller has promised a protected call, and the value is a C value.
            ffi::LUA_TCDATA => unsafe { int64::read(self.state, self.lua, *value) },
            _ => None,
        }
    }

    #[inline]
    fn float(&mut self, value: &c_int, _: bool) -> Option<f64> {
        match self.kind(*value) {
            // SAFETY: `Stack::new`'s caller has promised a valid Lua thread and valid indices.
            ffi::LUA_TNUMBER => Some(unsafe { ffi::lua_tonumber(self.lua, *value) }),
            #[allow(clippy::cast_precision_loss)] // Lua converts integers of 64 bits to numbers in the same way
            // SAFETY: `Stack::new`'s caller has promised a protected call, and the value is a C value.
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
        if !is_nested {
            self.push_copy(*value);
            return Some(self.top());
        }
        if !self.is_table(*value) {
            return None;
        }
        let tag = self.push_field(*value, c"tag");
        let is_some = self.text_of(tag) == Some("some");
        self.release(tag);
        (is_some && self.other_than_tag(*value).is_none()).then(|| self.push_field(*value, c"val"))
    }

    fn list(&mut self, value: &c_int) -> Result<Option<(c_int, usize)>, Fault> {
        self.items(*value)
    }

    fn tuple(&mut self, value: &c_int) -> Result<Option<(c_int, usize)>, Fault> {
        self.items(*value)
    }

    #[inline]
    fn item(&mut self, items: &mut c_int, index: usize) -> Result<c_int, Fault> {
        Stack::item(self, *items, index)
    }

    /// Pushes the key that [`entry`](Self::entry) starts after.
    fn map(&mut self, value: &c_int) -> Result<Option<(c_int, usize)>, Fault> {
        if !self.is_table(*value) {
            return Ok(None);
        }
        let len = self.count(*value);
        self.reserve();
        self.push_nil();
        Ok(Some((*value, len)))
    }

    /// Replaces the key before at the top by three values: the next key for the next call, the key again, and the
    /// value.
    fn entry(&mut self, map: &mut c_int) -> Result<Option<(c_int, c_int)>, Fault> {
        if !self.next(*map) {
            return Ok(None);
        }
        // SAFETY: `Stack::new`'s caller has promised a valid Lua thread, and `map` has made room.
        unsafe {
            ffi::lua_pushvalue(self.lua, -2);
            ffi::lua_insert(self.lua, -2);
        }
        Ok(Some((self.top() - 1, self.top())))
    }

    fn has_fields(&mut self, value: &c_int, _: &Body) -> bool {
        self.is_table(*value)
    }

    fn field(&mut self, value: &c_int, body: &Body, index: usize) -> Result<Option<c_int>, Fault> {
        let fields = &self.prepared.bodies[body.number];
        match fields.layout {
            BodyLayout::Empty => return Ok(None),
            BodyLayout::Single => self.push_copy(*value),
            _ if !self.is_table(*value) => return Ok(None),
            BodyLayout::Named => {
                self.push_ref(fields.keys[index]);
                self.get(*value);
            }
            BodyLayout::Numbered => _ = self.push_item(*value, index)?,
        }
        let found = self.top();
        if self.kind(found) == ffi::LUA_TNIL {
            self.release(found);
            if fields.layout == BodyLayout::Numbered {
                self.check_numbers(*value, fields.keys.len())?;
            }
            return Ok(None);
        }
        Ok(Some(found))
    }

    fn unknown_field(&mut self, value: &c_int, body: &Body) -> Option<String> {
        let layout = self.prepared.bodies[body.number].layout;
        if layout != BodyLayout::Named || !self.is_table(*value) {
            return None;
        }
        let bodies: Vec<_> = self.prepared.contract.schema.bodies().collect();
        let known = bodies[body.number].fields;
        self.push_nil();
        while self.next(*value) {
            self.pop(1);
            let key = self.top();
            // SAFETY: `Stack::new`'s caller has promised a valid Lua thread, and the key is at its index.
            let name = unsafe {
                match self.kind(key) {
                    ffi::LUA_TSTRING => text_at(self.lua, key),
                    _ => describe(self.lua, key),
                }
            };
            if known.iter().all(|field| field.name != name) {
                self.pop(1);
                return Some(name);
            }
        }
        None
    }

    fn enum_case(&mut self, value: &c_int, definition: u32) -> Result<CaseOf<()>, Fault> {
        if self.kind(*value) != ffi::LUA_TSTRING {
            return Ok(CaseOf::None);
        }
        Ok(self.case_of(definition, *value, ()))
    }

    fn case(&mut self, value: &c_int, definition: u32) -> Result<CaseOf<c_int>, Fault> {
        self.reserve();
        match self.kind(*value) {
            // The name alone stands for a case without fields.
            ffi::LUA_TSTRING => {
                self.push_nil();
                Ok(self.case_of(definition, *value, self.top()))
            }
            ffi::LUA_TTABLE => {
                let tag = self.push_field(*value, c"tag");
                if self.kind(tag) != ffi::LUA_TSTRING {
                    self.release(tag);
                    return Ok(CaseOf::None);
                }
                let found = self.case_of(definition, tag, 0);
                self.release(tag);
                let CaseOf::Known(number, _) = found else { return Ok(found) };
                if let Some(key) = self.other_than_tag(*value) {
                    let reason = format_args!(
                        "a case is a table {{ tag = .., val = .. }}, and this one has the key {key} besides"
                    );
                    return Err(LiftError::new(reason).into());
                }
                let payload = self.push_field(*value, c"val");
                if !self.is_none(&payload)
                    && self.prepared.cases(definition).layouts[number as usize] == BodyLayout::Empty
                {
                    let found = self.describe(&payload);
                    return Err(LiftError::new(format_args!("the case has no fields, got `val` = {found}")).into());
                }
                Ok(CaseOf::Known(number, payload))
            }
            _ => Ok(CaseOf::None),
        }
    }

    fn result(&mut self, value: &c_int) -> Option<(c_int, bool)> {
        if !self.is_table(*value) {
            return None;
        }
        let tag = self.push_field(*value, c"tag");
        let is_ok = match self.text_of(tag) {
            Some("ok") => Some(true),
            Some("err") => Some(false),
            _ => None,
        };
        self.release(tag);
        if self.other_than_tag(*value).is_some() {
            return None;
        }
        Some((self.push_field(*value, c"val"), is_ok?))
    }

    fn object(
        &mut self,
        value: &c_int,
        definition: u32,
        methods: &[MethodPlan],
    ) -> Result<GuestContractInstance, Fault> {
        // SAFETY: `Stack::new`'s caller has promised a valid Lua thread. The value stays on the stack during the call.
        if let Some(value) = unsafe { remote::at(self.lua, *value) } {
            return value.remote.share();
        }
        let fits = match self.kind(*value) {
            ffi::LUA_TTABLE => true,
            // A function is an object with one method.
            ffi::LUA_TFUNCTION => methods.len() == 1,
            _ => false,
        };
        if !fits {
            let expected = &self.prepared.contract.schema.definition(definition).name;
            let found = self.describe(value);
            let reason = format_args!("expected {expected}, got {found}: a table with its methods").to_string();
            return Err(LiftError::new(reason).into());
        }
        self.push_copy(*value);
        // SAFETY: `Stack::new`'s caller has promised a protected call, and the copy is at the top.
        let reference = unsafe { take_ref(self.lua) };
        self.state.guest.offer::<LuaEngine>(reference, &self.prepared.contract, definition)
    }
}

impl Stack<'_> {
    /// Checks that a table has no entries but fields with the numbers from 1 to `count`.
    #[cold]
    fn check_numbers(&self, table: c_int, count: usize) -> Result<(), Fault> {
        match self.other_key(table, |key| self.is_item(key, count)) {
            None => Ok(()),
            Some(key) => {
                let reason =
                    format_args!("the fields have the numbers from 1 to {count}, and the table has the key {key}");
                Err(LiftError::new(reason).into())
            }
        }
    }
}
