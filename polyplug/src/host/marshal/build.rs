//! What an engine does to take a value in.

use polyplug_abi::GuestContractInstance;

use super::located::Located;
use super::number::{Float, Integer};
use crate::schema::plan::{Body, MethodPlan};
use crate::types::utf8;

/// Makes values of an engine.
///
/// Values are made from the outside in: first what holds others, then each part, which is put in place before the next
/// is made. So an engine that works on a stack may keep a value at the stack's top, and `Value` be that place's number.
///
/// Text and bytes are lent for the call.
///
/// Each method fails where the language has no such value, or no memory for one; the error gets its path on the way out.
pub trait Build {
    /// A value of the engine's.
    type Value;
    /// Why one could not be made.
    type Error: Located;

    /// No value, as methods return that return nothing.
    fn unit(&mut self) -> Result<Self::Value, Self::Error>;
    /// The same as part of a list, a tuple or a map, where some engines cannot leave a gap.
    fn unit_item(&mut self) -> Result<Self::Value, Self::Error> {
        self.unit()
    }
    /// A truth value.
    fn bool(&mut self, value: bool) -> Result<Self::Value, Self::Error>;
    /// An integer.
    fn integer(&mut self, value: Integer) -> Result<Self::Value, Self::Error>;
    /// A floating-point number.
    fn float(&mut self, value: Float) -> Result<Self::Value, Self::Error>;
    /// A character.
    fn char(&mut self, value: char) -> Result<Self::Value, Self::Error>;
    /// Text.
    fn text(&mut self, value: &str) -> Result<Self::Value, Self::Error>;
    /// What should be text, which nobody has looked at yet: for engines that look themselves when they take it in.
    fn unchecked_text(&mut self, value: &[u8]) -> Result<Self::Value, Self::Error> {
        self.text(utf8(value)?)
    }
    /// Bytes.
    fn bytes(&mut self, value: &[u8]) -> Result<Self::Value, Self::Error>;

    /// An option without a value. `is_item`: it is about to become part of a list, a tuple or a map, where some engines
    /// cannot leave a gap.
    fn none(&mut self, is_item: bool) -> Result<Self::Value, Self::Error>;
    /// An option with a value. `is_nested`: the value could be without one itself, so that it needs a mark.
    fn some(&mut self, value: Self::Value, is_nested: bool) -> Result<Self::Value, Self::Error>;

    /// An empty list for `len` items. Nobody has seen yet that there are as many: make room as they come.
    fn list(&mut self, len: usize) -> Result<Self::Value, Self::Error>;
    /// Puts item `index` into a list or tuple.
    fn put_item(&mut self, list: &mut Self::Value, index: usize, item: Self::Value) -> Result<(), Self::Error>;
    /// An empty map for `len` entries, of which nobody has seen yet that they are there.
    fn map(&mut self, len: usize) -> Result<Self::Value, Self::Error>;
    /// Puts an entry into a map.
    fn put_entry(&mut self, map: &mut Self::Value, key: Self::Value, value: Self::Value) -> Result<(), Self::Error>;
    /// An empty tuple for `len` items.
    fn tuple(&mut self, len: usize) -> Result<Self::Value, Self::Error>;

    /// A record or a case of a variant, its fields still missing. `body` says of what.
    fn begin(&mut self, body: &Body) -> Result<Self::Value, Self::Error>;
    /// Puts field `index` into what was begun.
    fn put_field(
        &mut self,
        whole: &mut Self::Value,
        body: &Body,
        index: usize,
        field: Self::Value,
    ) -> Result<(), Self::Error>;
    /// What was begun has all its fields.
    fn finish(&mut self, whole: Self::Value, body: &Body) -> Result<Self::Value, Self::Error> {
        let _ = body;
        Ok(whole)
    }
    /// A case of the enum with this number.
    fn case(&mut self, definition: u32, case: u32) -> Result<Self::Value, Self::Error>;

    /// An answer, or an error in place of one, within another value.
    fn result(&mut self, value: Self::Value, is_ok: bool) -> Result<Self::Value, Self::Error>;

    /// The object that `form` stands for, whose contract is the definition with this number.
    fn object(
        &mut self,
        definition: u32,
        methods: &[MethodPlan],
        form: GuestContractInstance,
    ) -> Result<Self::Value, Self::Error>;
}
