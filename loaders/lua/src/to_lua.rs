//! Conversion of a contract's values to Lua values.

use std::ffi::c_int;

use mlua::ffi;
use polyplug::engine::{BodyLayout, Build, Fault, Float, Integer};
use polyplug::schema::plan::{Body, MethodPlan};
use polyplug_abi::GuestContractInstance;

use crate::stack::Stack;
use crate::text::push_bytes;
use crate::{int64, remote};

/// The index of a scalar or a string. Nothing uses the index, because such values are consumed from the top of the
/// stack.
const AT_TOP: c_int = 0;

/// Each method pushes the value that it makes, and returns the value's index.
impl Build for Stack<'_> {
    type Value = c_int;
    type Error = Fault;

    fn unit(&mut self) -> Result<c_int, Fault> {
        self.push_nil();
        Ok(self.top())
    }

    fn unit_item(&mut self) -> Result<c_int, Fault> {
        self.none(true)
    }

    #[inline]
    fn bool(&mut self, value: bool) -> Result<c_int, Fault> {
        // SAFETY: `Stack::new`'s caller has promised a valid Lua thread with room on its stack.
        unsafe { ffi::lua_pushboolean(self.lua, value.into()) };
        Ok(AT_TOP)
    }

    #[inline]
    fn integer(&mut self, value: Integer) -> Result<c_int, Fault> {
        // SAFETY: `Stack::new`'s caller has promised a protected call for integers that are not exact as numbers.
        unsafe { int64::push(self.state, self.lua, value) };
        Ok(AT_TOP)
    }

    #[inline]
    fn float(&mut self, value: Float) -> Result<c_int, Fault> {
        // SAFETY: `Stack::new`'s caller has promised a valid Lua thread with room on its stack.
        unsafe { ffi::lua_pushnumber(self.lua, value.to_f64()) };
        Ok(AT_TOP)
    }

    fn char(&mut self, value: char) -> Result<c_int, Fault> {
        Build::text(self, value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn text(&mut self, value: &str) -> Result<c_int, Fault> {
        Build::bytes(self, value.as_bytes())
    }

    #[inline]
    fn bytes(&mut self, value: &[u8]) -> Result<c_int, Fault> {
        // SAFETY: `Stack::new`'s caller has promised a protected call, or a state in which strings may be made
        // elsewhere.
        unsafe { push_bytes(self.lua, value) };
        Ok(AT_TOP)
    }

    fn none(&mut self, is_item: bool) -> Result<c_int, Fault> {
        // SAFETY: `Stack::new`'s caller has promised a valid Lua thread with room on its stack.
        unsafe {
            if is_item {
                ffi::lua_pushlightuserdata(self.lua, std::ptr::null_mut());
            } else {
                ffi::lua_pushnil(self.lua);
            }
        }
        Ok(AT_TOP)
    }

    fn some(&mut self, value: c_int, is_nested: bool) -> Result<c_int, Fault> {
        Ok(if is_nested { self.wrap_in_tag(c"some") } else { value })
    }

    fn list(&mut self, len: usize) -> Result<c_int, Fault> {
        Ok(self.push_table(len, 0))
    }

    fn put_item(&mut self, list: &mut c_int, index: usize, _: c_int) -> Result<(), Fault> {
        self.set_item(*list, index)
    }

    fn map(&mut self, len: usize) -> Result<c_int, Fault> {
        Ok(self.push_table(0, len))
    }

    fn put_entry(&mut self, map: &mut c_int, _: c_int, _: c_int) -> Result<(), Fault> {
        // SAFETY: `Stack::new`'s caller has promised a valid Lua thread in a protected call. Key and value are at the
        // top.
        unsafe { ffi::lua_rawset(self.lua, *map) };
        Ok(())
    }

    fn tuple(&mut self, len: usize) -> Result<c_int, Fault> {
        Ok(self.push_table(len, 0))
    }

    fn begin(&mut self, body: &Body) -> Result<c_int, Fault> {
        let fields = &self.prepared.bodies[body.number];
        let count = body.places.len();
        let table = || match fields.layout {
            BodyLayout::Named => self.push_table(0, count),
            _ => self.push_table(count, 0),
        };
        let Some(case) = fields.case else { return Ok(table()) };
        let whole = self.push_table(0, 2);
        self.push_ref(case);
        self.set_field(whole, c"tag");
        if fields.layout.is_compound() {
            table();
        }
        Ok(whole)
    }

    fn put_field(&mut self, whole: &mut c_int, body: &Body, index: usize, _: c_int) -> Result<(), Fault> {
        let fields = &self.prepared.bodies[body.number];
        // The fields of a case are in a table of their own, which `begin` has pushed above the whole.
        let table = *whole + c_int::from(fields.case.is_some());
        match fields.layout {
            BodyLayout::Named => self.set_by_ref(table, fields.keys[index]),
            BodyLayout::Numbered => return self.set_item(table, index),
            BodyLayout::Single => self.set_field(*whole, c"val"),
            BodyLayout::Empty => {}
        }
        Ok(())
    }

    fn finish(&mut self, whole: c_int, body: &Body) -> Result<c_int, Fault> {
        let fields = &self.prepared.bodies[body.number];
        if fields.case.is_some() && fields.layout.is_compound() {
            self.set_field(whole, c"val");
        }
        Ok(whole)
    }

    fn case(&mut self, definition: u32, case: u32) -> Result<c_int, Fault> {
        self.push_ref(self.prepared.cases(definition).names[case as usize]);
        Ok(self.top())
    }

    fn result(&mut self, _: c_int, is_ok: bool) -> Result<c_int, Fault> {
        Ok(self.wrap_in_tag(if is_ok { c"ok" } else { c"err" }))
    }

    fn object(&mut self, definition: u32, _: &[MethodPlan], form: GuestContractInstance) -> Result<c_int, Fault> {
        let remote = self.state.guest.object(&self.prepared.contract, definition, form)?;
        // SAFETY: `Stack::new`'s caller has promised a protected call.
        unsafe { remote::push(self.lua, self.prepared, remote, self.state.remote_method) };
        Ok(self.top())
    }
}
