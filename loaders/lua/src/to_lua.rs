//! Values of contracts as values of Lua's.

use std::ffi::c_int;

use mlua::ffi;
use polyplug::engine::{Build, Fault, Float, Integer};
use polyplug::schema::plan::{Body, MethodPlan};
use polyplug_abi::GuestContractInstance;

use crate::int64;
use crate::prepared::Layout;
use crate::remote;
use crate::stack::{EXACT, Stack};

impl Build for Stack<'_> {
    type Value = c_int;
    type Error = Fault;

    fn unit(&mut self) -> Result<c_int, Fault> {
        // SAFETY: as above.
        unsafe { ffi::lua_pushnil(self.lua) };
        Ok(self.top())
    }

    fn unit_item(&mut self) -> Result<c_int, Fault> {
        self.none(true)
    }

    #[inline]
    fn bool(&mut self, value: bool) -> Result<c_int, Fault> {
        // SAFETY: as above.
        unsafe { ffi::lua_pushboolean(self.lua, value.into()) };
        Ok(0) // nobody asks where a scalar is
    }

    #[inline]
    fn integer(&mut self, value: Integer) -> Result<c_int, Fault> {
        match value.to_i64() {
            #[allow(clippy::cast_precision_loss)] // exact up to here
            Some(number) if number.unsigned_abs() <= EXACT => {
                // SAFETY: as above.
                unsafe { ffi::lua_pushnumber(self.lua, number as f64) };
            }
            // SAFETY: as above, in a protected call.
            _ => unsafe { int64::push(self.state, self.lua, value) },
        }
        Ok(0)
    }

    #[inline]
    fn float(&mut self, value: Float) -> Result<c_int, Fault> {
        // SAFETY: as above.
        unsafe { ffi::lua_pushnumber(self.lua, value.to_f64()) };
        Ok(0)
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
        // SAFETY: as above.
        unsafe { ffi::lua_pushlstring_(self.lua, value.as_ptr().cast(), value.len()) };
        Ok(0)
    }

    fn none(&mut self, is_item: bool) -> Result<c_int, Fault> {
        // SAFETY: as above.
        unsafe {
            if is_item {
                ffi::lua_pushlightuserdata(self.lua, std::ptr::null_mut());
            } else {
                ffi::lua_pushnil(self.lua);
            }
        }
        Ok(0)
    }

    fn some(&mut self, value: c_int, is_nested: bool) -> Result<c_int, Fault> {
        Ok(if is_nested { self.tagged(c"some", self.top()) } else { value })
    }

    fn list(&mut self, len: usize) -> Result<c_int, Fault> {
        Ok(self.new_table(len, 0))
    }

    fn put_item(&mut self, list: &mut c_int, index: usize, _: c_int) -> Result<(), Fault> {
        let number = c_int::try_from(index + 1).map_err(|_| Fault::new("a list of Lua's cannot have so many items"))?;
        // SAFETY: as above.
        unsafe { ffi::lua_rawseti_(self.lua, *list, number) };
        Ok(())
    }

    fn map(&mut self, len: usize) -> Result<c_int, Fault> {
        Ok(self.new_table(0, len))
    }

    fn put_entry(&mut self, map: &mut c_int, _: c_int, _: c_int) -> Result<(), Fault> {
        // SAFETY: as above; key and value are at the top.
        unsafe { ffi::lua_rawset(self.lua, *map) };
        Ok(())
    }

    fn tuple(&mut self, len: usize) -> Result<c_int, Fault> {
        Ok(self.new_table(len, 0))
    }

    fn begin(&mut self, body: &Body) -> Result<c_int, Fault> {
        let fields = &self.of.bodies[body.number];
        let count = body.places.len();
        let table = |named| if named { self.new_table(0, count) } else { self.new_table(count, 0) };
        let Some(case) = fields.case else { return Ok(table(fields.layout == Layout::Named)) };
        let whole = self.new_table(0, 2);
        self.push_ref(case);
        self.set(whole, c"tag");
        if matches!(fields.layout, Layout::Named | Layout::Numbered) {
            table(fields.layout == Layout::Named);
        }
        Ok(whole)
    }

    fn put_field(&mut self, whole: &mut c_int, body: &Body, index: usize, _: c_int) -> Result<(), Fault> {
        let fields = &self.of.bodies[body.number];
        // A case's fields are in a table of their own, right above.
        let table = *whole + c_int::from(fields.case.is_some());
        match fields.layout {
            Layout::Named => self.set_ref(table, fields.keys[index]),
            Layout::Numbered => return self.put_item(&mut { table }, index, 0),
            Layout::Single => self.set(*whole, c"val"),
            Layout::Empty => {}
        }
        Ok(())
    }

    fn finish(&mut self, whole: c_int, body: &Body) -> Result<c_int, Fault> {
        let fields = &self.of.bodies[body.number];
        if fields.case.is_some() && matches!(fields.layout, Layout::Named | Layout::Numbered) {
            self.set(whole, c"val");
        }
        Ok(whole)
    }

    fn case(&mut self, definition: u32, case: u32) -> Result<c_int, Fault> {
        Ok(self.push_ref(self.of.cases(definition).names[case as usize]))
    }

    fn result(&mut self, _: c_int, is_ok: bool) -> Result<c_int, Fault> {
        Ok(self.tagged(if is_ok { c"ok" } else { c"err" }, self.top()))
    }

    fn object(&mut self, definition: u32, _: &[MethodPlan], form: GuestContractInstance) -> Result<c_int, Fault> {
        let remote = self.state.guest.object(&self.of.contract, definition, form)?;
        // SAFETY: as above, in a protected call.
        unsafe { remote::push(self.lua, self.of, remote, self.state.call_remote) };
        Ok(self.top())
    }
}
