//! The stack of a Lua thread, for the values of one contract.
//!
//! `to_lua` makes values on such a stack, and `from_lua` reads them. A value is known by its index.

use std::ffi::{CStr, c_int};
use std::rc::Rc;

use mlua::ffi::{self, lua_State};
use polyplug::engine::{CaseOf, Fault, RawText};
use polyplug::types::LiftError;

use crate::builtin::Builtin;
use crate::prepared::Prepared;
use crate::registry::{RegistryRefs, push_ref, take_ref};
use crate::state::State;
use crate::text::{describe_key, text_at};

/// The stack of a Lua thread.
///
/// The methods rely on what the caller of [`Stack::new`] promises.
pub(crate) struct Stack<'a> {
    pub(crate) lua: *mut lua_State,
    pub(crate) state: &'a State,
    /// The contract that defines the types of the values.
    pub(crate) prepared: &'a Rc<Prepared>,
}

impl<'a> Stack<'a> {
    /// Wraps the stack of a Lua thread.
    ///
    /// # Safety
    ///
    /// `lua` must be a valid Lua thread of the state's VM as long as the returned value is used. Indices that are given
    /// to methods must be valid.
    ///
    /// Every use is in a protected call, with two exceptions: scalars that need no memory may be made and read
    /// elsewhere, and so may strings where [`State::may_push_unprotected`] says so. There the caller also provides room
    /// on the stack.
    pub(crate) unsafe fn new(lua: *mut lua_State, state: &'a State, prepared: &'a Rc<Prepared>) -> Self {
        Self { lua, state, prepared }
    }

    /// Returns the index of the top value.
    #[inline]
    pub(crate) fn top(&self) -> c_int {
        // SAFETY: `new`'s caller has promised a valid Lua thread.
        unsafe { ffi::lua_gettop(self.lua) }
    }

    /// Drops the values above an index.
    #[inline]
    pub(crate) fn truncate(&self, top: c_int) {
        // SAFETY: `new`'s caller has promised a valid Lua thread and valid indices.
        unsafe { ffi::lua_settop(self.lua, top) };
    }

    /// Drops the topmost values.
    #[inline]
    pub(crate) fn pop(&self, values: c_int) {
        self.truncate(-1 - values);
    }

    /// Makes room for the few values that a level of nesting takes. Raises an error if the stack would be too large.
    pub(crate) fn reserve(&self) {
        // SAFETY: `new`'s caller has promised a valid Lua thread in a protected call.
        unsafe { ffi::luaL_checkstack_(self.lua, 8, c"a value is nested too deeply".as_ptr()) };
    }

    /// Returns the Lua type of a value.
    #[inline]
    pub(crate) fn kind(&self, index: c_int) -> c_int {
        // SAFETY: `new`'s caller has promised a valid Lua thread and valid indices.
        unsafe { ffi::lua_type(self.lua, index) }
    }

    /// Returns whether a value is a table.
    pub(crate) fn is_table(&self, index: c_int) -> bool {
        self.kind(index) == ffi::LUA_TTABLE
    }

    /// Returns the bytes of a string, or `None` if the value is not a string.
    #[inline]
    pub(crate) fn string(&self, index: c_int) -> Option<RawText> {
        if self.kind(index) != ffi::LUA_TSTRING {
            return None;
        }
        let mut len = 0;
        // SAFETY: `new`'s caller has promised a valid Lua thread. A string is not converted, which could raise an
        // error.
        let ptr = unsafe { ffi::lua_tolstring(self.lua, index, &raw mut len) };
        Some(RawText { ptr: ptr.cast(), len })
    }

    /// Returns a string as text, or `None` if the value is not a string in UTF-8.
    ///
    /// The value must stay on the stack while the text is used.
    pub(crate) fn text_of(&self, index: c_int) -> Option<&str> {
        let RawText { ptr, len } = self.string(index)?;
        // SAFETY: the bytes are those of a string, which Lua does not move.
        std::str::from_utf8(unsafe { std::slice::from_raw_parts(ptr, len) }).ok()
    }

    /// Pushes `nil`.
    #[inline]
    pub(crate) fn push_nil(&self) {
        // SAFETY: `new`'s caller has promised a valid Lua thread. Lua and `reserve` have provided room.
        unsafe { ffi::lua_pushnil(self.lua) };
    }

    /// Pushes a copy of a value.
    #[inline]
    pub(crate) fn push_copy(&self, index: c_int) {
        // SAFETY: `new`'s caller has promised a valid Lua thread and valid indices. Lua and `reserve` have provided
        // room.
        unsafe { ffi::lua_pushvalue(self.lua, index) };
    }

    /// Pushes the value of a reference.
    #[inline]
    pub(crate) fn push_ref(&self, reference: c_int) {
        // SAFETY: `new`'s caller has promised a valid Lua thread. Lua and `reserve` have provided room.
        unsafe { push_ref(self.lua, reference) };
    }

    /// Pushes a new table with room for items and fields, and returns the table's index.
    pub(crate) fn push_table(&self, items: usize, fields: usize) -> c_int {
        // A length that a sender has claimed need not be true, so the room that it gets at first is limited.
        let room = |count: usize| c_int::try_from(count.min(1 << 16)).unwrap_or(0);
        self.reserve();
        // SAFETY: `new`'s caller has promised a valid Lua thread in a protected call.
        unsafe { ffi::lua_createtable(self.lua, room(items), room(fields)) };
        self.top()
    }

    /// Replaces the top value by a table with a tag and the value, and returns the table's index.
    pub(crate) fn wrap_in_tag(&self, tag: &CStr) -> c_int {
        let place = self.top();
        self.push_table(0, 2);
        // SAFETY: `new`'s caller has promised a valid Lua thread in a protected call. `push_table` has made room.
        unsafe {
            ffi::lua_insert(self.lua, place);
            ffi::lua_setfield(self.lua, place, c"val".as_ptr());
            ffi::lua_pushstring(self.lua, tag.as_ptr());
            ffi::lua_setfield(self.lua, place, c"tag".as_ptr());
        }
        place
    }

    /// Pops the top value into a table, under a field's name. The table must have no metatable.
    pub(crate) fn set_field(&self, table: c_int, key: &CStr) {
        // SAFETY: `new`'s caller has promised a valid Lua thread in a protected call.
        unsafe { ffi::lua_setfield(self.lua, table, key.as_ptr()) };
    }

    /// Pops the top value into a table, under the key that is the value of a reference.
    pub(crate) fn set_by_ref(&self, table: c_int, key: c_int) {
        // SAFETY: `new`'s caller has promised a valid Lua thread in a protected call. `push_table` has made room.
        unsafe {
            push_ref(self.lua, key);
            ffi::lua_insert(self.lua, -2);
            ffi::lua_rawset(self.lua, table);
        }
    }

    /// Pops the top value into a table, as item `index`, from 0.
    pub(crate) fn set_item(&self, table: c_int, index: usize) -> Result<(), Fault> {
        let number = item_number(index)?;
        // SAFETY: `new`'s caller has promised a valid Lua thread in a protected call.
        unsafe { ffi::lua_rawseti_(self.lua, table, number) };
        Ok(())
    }

    /// Pushes item `index` of a table, from 0, and returns the item's index.
    pub(crate) fn push_item(&self, table: c_int, index: usize) -> Result<c_int, Fault> {
        let number = item_number(index)?;
        self.reserve();
        // SAFETY: `new`'s caller has promised a valid Lua thread and valid indices.
        unsafe { ffi::lua_rawgeti_(self.lua, table, number) };
        Ok(self.top())
    }

    /// Replaces the key at the top by the table's value under the key. An object may inherit the value.
    pub(crate) fn get(&self, table: c_int) {
        // SAFETY: `new`'s caller has promised a valid Lua thread in a protected call. `reserve` has made room.
        unsafe {
            ffi::lua_pushvalue(self.lua, -1);
            ffi::lua_rawget_(self.lua, table);
            if ffi::lua_type(self.lua, -1) == ffi::LUA_TNIL && ffi::lua_getmetatable(self.lua, table) != 0 {
                ffi::lua_pop(self.lua, 2);
                ffi::lua_gettable_(self.lua, table);
            } else {
                ffi::lua_remove(self.lua, -2);
            }
        }
    }

    /// Pushes the field of a table and returns the value's index.
    pub(crate) fn push_field(&self, table: c_int, key: &CStr) -> c_int {
        // SAFETY: `new`'s caller has promised a valid Lua thread in a protected call. `reserve` has made room.
        unsafe { ffi::lua_pushstring(self.lua, key.as_ptr()) };
        self.get(table);
        self.top()
    }

    /// Replaces the key at the top by the next key of the table and pushes the key's value. After the last key, pops
    /// the key and returns false. The key before the first is `nil`.
    pub(crate) fn next(&self, table: c_int) -> bool {
        // SAFETY: `new`'s caller has promised a valid Lua thread in a protected call. The key is one of the table's,
        // because the callers start with `nil` or an item, and do not change the table.
        unsafe { ffi::lua_next(self.lua, table) != 0 }
    }

    /// Returns a table's index and the number of its items, or `None` if the value is not a table.
    ///
    /// # Errors
    ///
    /// The table has other entries, too, or lacks an item.
    pub(crate) fn items(&self, index: c_int) -> Result<Option<(c_int, usize)>, Fault> {
        if !self.is_table(index) {
            return Ok(None);
        }
        self.reserve();
        // SAFETY: `new`'s caller has promised a valid Lua thread and valid indices.
        let len = unsafe { ffi::lua_objlen(self.lua, index) };
        let in_order = if len < SHORT { self.in_order(index) } else { self.long_in_order(index) };
        if in_order != Some(len) {
            self.check_items(index, len)?;
        }
        Ok(Some((index, len)))
    }

    /// Returns the number of a table's entries, or `None` if they are not the items from 1 on in their order.
    fn in_order(&self, table: c_int) -> Option<usize> {
        let mut count = 0;
        self.push_nil();
        let key = self.top();
        while self.next(table) {
            count += 1;
            #[allow(clippy::cast_precision_loss)] // no table has so many items
            let is_next = self.number_at(key) == Some(count as f64);
            self.truncate(if is_next { key } else { key - 1 });
            if !is_next {
                return None;
            }
        }
        Some(count)
    }

    /// Does the same as [`in_order`](Self::in_order), for long lists: by a function in Lua, which is compiled.
    fn long_in_order(&self, table: c_int) -> Option<usize> {
        // SAFETY: `new`'s caller has promised a valid Lua thread in a protected call. `items` has made room.
        let count = unsafe {
            push_ref(self.lua, self.state.refs.get().in_order);
            ffi::lua_pushvalue(self.lua, table);
            ffi::lua_call(self.lua, 1, 1);
            ffi::lua_tonumber(self.lua, -1)
        };
        self.pop(1);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // the function returns a count or -1
        (count >= 0.0).then_some(count as usize)
    }

    /// Pushes item `index` of a list from [`items`](Self::items), from 0, and returns the item's index.
    #[inline]
    pub(crate) fn item(&self, table: c_int, index: usize) -> Result<c_int, Fault> {
        let number = item_number(index)?;
        // SAFETY: `new`'s caller has promised a valid Lua thread and valid indices. `items` has made room.
        unsafe { ffi::lua_rawgeti_(self.lua, table, number) };
        Ok(self.top())
    }

    /// Returns the value at an index if it is a number.
    #[inline]
    fn number_at(&self, index: c_int) -> Option<f64> {
        // SAFETY: `new`'s caller has promised a valid Lua thread and valid indices. A number is not converted.
        (self.kind(index) == ffi::LUA_TNUMBER).then(|| unsafe { ffi::lua_tonumber(self.lua, index) })
    }

    /// Checks that the entries of a table are the items from 1 to `len`.
    #[cold]
    fn check_items(&self, table: c_int, len: usize) -> Result<(), Fault> {
        if let Some(key) = self.other_key(table, |key| self.is_item(key, usize::MAX)) {
            return Err(not_a_list(format_args!("the key {key}")));
        }
        let beyond = self.other_key(table, |key| self.is_item(key, len));
        let missing = match beyond {
            Some(_) => len + 1,
            None if self.count(table) == len => return Ok(()),
            None => self.first_missing(table, len)?,
        };
        let present = beyond.unwrap_or_else(|| len.to_string());
        Err(not_a_list(format_args!("item {present}, but no item {missing}")))
    }

    /// Returns whether the key at an index is a whole number from 1 to `len`.
    pub(crate) fn is_item(&self, key: c_int, len: usize) -> bool {
        #[allow(clippy::cast_precision_loss)] // no table has so many items
        let is_in_range = |number: f64| number >= 1.0 && number <= len as f64 && number.fract() == 0.0;
        self.number_at(key).is_some_and(is_in_range)
    }

    /// Returns the number of the first item that a table does not have.
    fn first_missing(&self, table: c_int, len: usize) -> Result<usize, Fault> {
        for index in 0..len {
            let item = self.push_item(table, index)?;
            let is_missing = self.kind(item) == ffi::LUA_TNIL;
            self.truncate(item - 1);
            if is_missing {
                return Ok(index + 1);
            }
        }
        Ok(len)
    }

    /// Returns the first key of a table that is not known, as it is written in Lua.
    pub(crate) fn other_key(&self, table: c_int, is_known: impl Fn(c_int) -> bool) -> Option<String> {
        self.reserve();
        self.push_nil();
        while self.next(table) {
            self.pop(1);
            let key = self.top();
            if !is_known(key) {
                // SAFETY: `new`'s caller has promised a valid Lua thread, and the key is at its index.
                let name = unsafe { describe_key(self.lua, key) };
                self.pop(1);
                return Some(name);
            }
        }
        None
    }

    /// Returns a key of a table that is neither `tag` nor `val`.
    pub(crate) fn other_than_tag(&self, table: c_int) -> Option<String> {
        self.other_key(table, |key| matches!(self.text_of(key), Some("tag" | "val")))
    }

    /// Returns the number of a table's entries.
    pub(crate) fn count(&self, table: c_int) -> usize {
        let mut count = 0;
        self.push_nil();
        while self.next(table) {
            self.pop(1);
            count += 1;
        }
        count
    }

    /// Looks up the number of the case with the name at index `name`, and returns the number with `payload`.
    pub(crate) fn case_of<V>(&self, definition: u32, name: c_int, payload: V) -> CaseOf<V> {
        self.push_ref(self.prepared.cases(definition).numbers);
        self.push_copy(name);
        // SAFETY: `new`'s caller has promised a valid Lua thread. The value below the name is a table, that of the
        // numbers.
        let number = unsafe {
            ffi::lua_rawget_(self.lua, -2);
            (ffi::lua_type(self.lua, -1) == ffi::LUA_TNUMBER).then(|| ffi::lua_tonumber(self.lua, -1))
        };
        self.pop(2);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        // `Prepared` has put the number of a case there
        match number {
            Some(number) => CaseOf::Known(number as u32, payload),
            // SAFETY: `new`'s caller has promised a valid Lua thread. The name of a case is looked up by a string.
            None => CaseOf::Unknown(unsafe { text_at(self.lua, name) }),
        }
    }
}

/// The number of items up to which a call of a function in Lua takes longer than a loop here.
const SHORT: usize = 8;

/// A program that returns the function of [`Stack::long_in_order`].
static IN_ORDER: Builtin = Builtin::new(
    b"
local next = next
return function(list)
  local count = 0
  for key in next, list do
    count = count + 1
    if key ~= count then return -1 end
  end
  return count
end
",
);

/// Makes the function that checks long lists.
///
/// # Safety
///
/// In a protected call of the state's VM, after the standard library was opened.
pub(crate) unsafe fn open(state: &State, lua: *mut lua_State) {
    // SAFETY: the caller's promise.
    unsafe {
        IN_ORDER.push(lua);
        ffi::lua_call(lua, 0, 1);
        let in_order = take_ref(lua);
        state.refs.set(RegistryRefs { in_order, ..state.refs.get() });
    }
}

/// Makes the fault of a table that is expected to be a list.
#[cold]
fn not_a_list(found: std::fmt::Arguments<'_>) -> Fault {
    let reason = format_args!(
        "expected a list, got a table with holes, or with keys that are no numbers from 1 on: it has {found}; \
         `polyplug.null` stands for an item that is not there"
    );
    LiftError::new(reason).into()
}

/// Returns the number, from 1, that Lua has for item `index`, from 0.
fn item_number(index: usize) -> Result<c_int, Fault> {
    c_int::try_from(index + 1).map_err(|_| Fault::new("a list of Lua's cannot have so many items"))
}
