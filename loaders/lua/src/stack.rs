//! Values on Lua's stack: how they are made and read.
//!
//! A value is known by its index. All of this is for protected calls: making a value may raise an error of Lua's, when
//! memory runs out.

use std::ffi::c_int;
use std::rc::Rc;

use mlua::ffi::{self, lua_State};
use polyplug::engine::{Build, Caller, CaseOf, Fault, Float, Integer, RawText, Read};
use polyplug::schema::plan::{Body, MethodPlan};
use polyplug_abi::GuestContractInstance;

use crate::engine::LuaEngine;
use crate::prepared::{Layout, Prepared};
use crate::remote;
use crate::state::State;
use crate::wide;

/// The stack of a thread of a machine, for values of one contract.
pub(crate) struct Stack<'a> {
    pub(crate) lua: *mut lua_State,
    pub(crate) state: &'a State,
    pub(crate) of: &'a Rc<Prepared>,
}

/// Integers up to here are exact in a number of Lua's.
pub(crate) const EXACT: u64 = 1 << 53;

impl Stack<'_> {
    fn top(&self) -> c_int {
        // SAFETY: a valid machine, as for all of this.
        unsafe { ffi::lua_gettop(self.lua) }
    }

    fn push_kept(&self, reference: c_int) -> c_int {
        // SAFETY: as above.
        unsafe { ffi::lua_rawgeti_(self.lua, ffi::LUA_REGISTRYINDEX, reference) };
        self.top()
    }

    /// Puts the value at the top into the table at `table`, under a key that is kept.
    fn set_kept(&self, table: c_int, key: c_int) {
        // SAFETY: as above; the table is one of ours.
        unsafe {
            ffi::lua_rawgeti_(self.lua, ffi::LUA_REGISTRYINDEX, key);
            ffi::lua_insert(self.lua, -2);
            ffi::lua_rawset(self.lua, table);
        }
    }

    /// Puts the value at the top into the table at `table`.
    fn set(&self, table: c_int, key: &std::ffi::CStr) {
        // SAFETY: as above.
        unsafe { ffi::lua_setfield(self.lua, table, key.as_ptr()) };
    }

    fn new_table(&self, items: usize, fields: usize) -> c_int {
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
    fn tagged(&self, tag: &std::ffi::CStr, value: c_int) -> c_int {
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

    fn kind(&self, index: c_int) -> c_int {
        // SAFETY: as above.
        unsafe { ffi::lua_type(self.lua, index) }
    }

    fn is_table(&self, index: c_int) -> bool {
        self.kind(index) == ffi::LUA_TTABLE
    }

    /// The bytes of a string.
    fn string(&self, index: c_int) -> Option<RawText> {
        if self.kind(index) != ffi::LUA_TSTRING {
            return None;
        }
        let mut len = 0;
        // SAFETY: a string, whose bytes stay while it is on the stack.
        let ptr = unsafe { ffi::lua_tolstring(self.lua, index, &raw mut len) };
        Some(RawText { ptr: ptr.cast(), len })
    }

    fn text_of(&self, index: c_int) -> Option<&str> {
        let RawText { ptr, len } = self.string(index)?;
        // SAFETY: as in `string`.
        std::str::from_utf8(unsafe { std::slice::from_raw_parts(ptr, len) }).ok()
    }

    /// Pushes what a table has under a key that is at the top, which it takes the place of.
    fn get(&self, table: c_int) {
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
    fn get_named(&self, table: c_int, key: &std::ffi::CStr) -> c_int {
        // SAFETY: as above.
        unsafe { ffi::lua_pushstring(self.lua, key.as_ptr()) };
        self.get(table);
        self.top()
    }

    /// The number of items of a table, which must have nothing else.
    fn items(&self, index: c_int) -> Result<Option<(c_int, usize)>, Fault> {
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
    fn has_more(&self, table: c_int, len: usize) -> bool {
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
    fn count(&self, table: c_int, limit: usize) -> usize {
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

    fn case_number<V>(&self, definition: u32, name: c_int, payload: V) -> CaseOf<V> {
        // SAFETY: as above.
        unsafe {
            ffi::lua_rawgeti_(self.lua, ffi::LUA_REGISTRYINDEX, self.of.cases(definition).numbers);
            ffi::lua_pushvalue(self.lua, name);
            ffi::lua_rawget_(self.lua, -2);
            let number = ffi::lua_tonumber(self.lua, -1);
            let is_known = ffi::lua_type(self.lua, -1) == ffi::LUA_TNUMBER;
            ffi::lua_settop(self.lua, -3);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // put there as the number of a case
            if is_known {
                CaseOf::Known(number as u32, payload)
            } else {
                CaseOf::Unknown(crate::error::text_at(self.lua, name))
            }
        }
    }
}

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
            _ => unsafe { wide::push(self.state, self.lua, value) },
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
        self.push_kept(case);
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
            Layout::Named => self.set_kept(table, fields.keys[index]),
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
        Ok(self.push_kept(self.of.cases(definition).names[case as usize]))
    }

    fn result(&mut self, _: c_int, is_ok: bool) -> Result<c_int, Fault> {
        Ok(self.tagged(if is_ok { c"ok" } else { c"err" }, self.top()))
    }

    fn object(&mut self, definition: u32, _: &[MethodPlan], form: GuestContractInstance) -> Result<c_int, Fault> {
        let remote = self.state.guest.object(&self.of.contract, definition, form)?;
        // SAFETY: as above, in a protected call.
        unsafe { remote::push(self.lua, self.of, remote) };
        Ok(self.top())
    }
}

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
            ffi::LUA_TCDATA => unsafe { wide::read(self.state, self.lua, *value) },
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
            ffi::LUA_TCDATA => unsafe { wide::read(self.state, self.lua, *value) }.map(|number| number as f64),
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
                self.push_kept(fields.keys[index]);
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
                    ffi::LUA_TSTRING => crate::error::text_at(self.lua, key),
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
            ffi::luaL_ref(self.lua, ffi::LUA_REGISTRYINDEX)
        };
        self.state.guest.offer::<LuaEngine>(reference, &self.of.contract, definition)
    }
}

impl Caller for Stack<'_> {}

/// How many bytes of a string an error shows.
const SHOWN: usize = 100;

/// A value for an error.
///
/// # Safety
///
/// The machine must be valid, and the index too.
pub(crate) unsafe fn describe(lua: *mut lua_State, index: c_int) -> String {
    // SAFETY: the caller's promise.
    unsafe {
        match ffi::lua_type(lua, index) {
            ffi::LUA_TNIL | ffi::LUA_TNONE => "nil".to_owned(),
            ffi::LUA_TBOOLEAN => format!("boolean {}", ffi::lua_toboolean(lua, index) != 0),
            ffi::LUA_TNUMBER => format!("number {}", ffi::lua_tonumber(lua, index)),
            ffi::LUA_TSTRING => {
                let text = crate::error::text_at(lua, index);
                match text.char_indices().nth(SHOWN) {
                    None => format!("string {text:?}"),
                    Some((end, _)) => format!("string {:?}...", &text[..end]),
                }
            }
            ffi::LUA_TLIGHTUSERDATA if ffi::lua_touserdata(lua, index).is_null() => "polyplug.null".to_owned(),
            other => {
                let name = std::ffi::CStr::from_ptr(ffi::lua_typename(lua, other));
                format!("a {}", name.to_string_lossy())
            }
        }
    }
}
