//! The operations by which an engine makes values.

use polyplug_abi::GuestContractInstance;

use super::located::Located;
use super::number::{Float, Integer};
use crate::schema::plan::{Body, MethodPlan};
use crate::types::utf8;

/// An engine that makes values.
///
/// Values are made from the outside in: first the container, then each part, which is put into the container before the
/// next part is made. So an engine that works on a stack may keep a value at the stack's top, and use the index of its
/// slot as `Value`.
///
/// Text and bytes are lent for the call of the method only.
///
/// Each method fails if the language has no such value, or no memory for the value. The caller adds the path to the
/// error.
pub trait Build {
    /// A value of the engine.
    type Value;
    /// The error of a value that could not be made.
    type Error: Located;

    /// Makes the value of a method that returns nothing.
    fn unit(&mut self) -> Result<Self::Value, Self::Error>;
    /// Makes the value of [`unit`](Self::unit) as a part of a list, a tuple or a map, where some engines cannot leave a
    /// gap.
    fn unit_item(&mut self) -> Result<Self::Value, Self::Error> {
        self.unit()
    }
    /// Makes a truth value.
    fn bool(&mut self, value: bool) -> Result<Self::Value, Self::Error>;
    /// Makes an integer.
    fn integer(&mut self, value: Integer) -> Result<Self::Value, Self::Error>;
    /// Makes a floating-point number.
    fn float(&mut self, value: Float) -> Result<Self::Value, Self::Error>;
    /// Makes a character.
    fn char(&mut self, value: char) -> Result<Self::Value, Self::Error>;
    /// Makes a text.
    fn text(&mut self, value: &str) -> Result<Self::Value, Self::Error>;
    /// Makes a text from bytes that are not yet known to be UTF-8. An engine that checks them itself overrides this
    /// method.
    fn unchecked_text(&mut self, value: &[u8]) -> Result<Self::Value, Self::Error> {
        self.text(utf8(value)?)
    }
    /// Makes a sequence of bytes.
    fn bytes(&mut self, value: &[u8]) -> Result<Self::Value, Self::Error>;

    /// Makes an option without a value. If `is_item`, the option becomes a part of a list, a tuple or a map, where some
    /// engines cannot leave a gap.
    fn none(&mut self, is_item: bool) -> Result<Self::Value, Self::Error>;
    /// Makes an option with a value. If `is_nested`, the type of the value is optional as well, so the option needs a
    /// mark.
    fn some(&mut self, value: Self::Value, is_nested: bool) -> Result<Self::Value, Self::Error>;

    /// Makes an empty list for `len` items. `len` is not checked yet, so reserve memory as the items come.
    fn list(&mut self, len: usize) -> Result<Self::Value, Self::Error>;
    /// Puts the item `index` into a list or tuple.
    fn put_item(&mut self, list: &mut Self::Value, index: usize, item: Self::Value) -> Result<(), Self::Error>;
    /// Makes an empty map for `len` entries. `len` is not checked yet, so reserve memory as the entries come.
    fn map(&mut self, len: usize) -> Result<Self::Value, Self::Error>;
    /// Puts an entry into a map.
    fn put_entry(&mut self, map: &mut Self::Value, key: Self::Value, value: Self::Value) -> Result<(), Self::Error>;
    /// Makes an empty tuple for `len` items.
    fn tuple(&mut self, len: usize) -> Result<Self::Value, Self::Error>;

    /// Begins a record or a case of a variant, without its fields. `body` describes the record or case.
    fn begin(&mut self, body: &Body) -> Result<Self::Value, Self::Error>;
    /// Puts the field `index` into a record or case that was begun.
    fn put_field(
        &mut self,
        whole: &mut Self::Value,
        body: &Body,
        index: usize,
        field: Self::Value,
    ) -> Result<(), Self::Error>;
    /// Finishes a record or case that has all its fields.
    fn finish(&mut self, whole: Self::Value, body: &Body) -> Result<Self::Value, Self::Error> {
        let _ = body;
        Ok(whole)
    }
    /// Makes a case of the enum with the number `definition`.
    fn case(&mut self, definition: u32, case: u32) -> Result<Self::Value, Self::Error>;

    /// Makes a result within another value: a success if `is_ok`, otherwise an error.
    fn result(&mut self, value: Self::Value, is_ok: bool) -> Result<Self::Value, Self::Error>;

    /// Makes the value that stands for the object `form`, whose contract is the definition with the number
    /// `definition`.
    fn object(
        &mut self,
        definition: u32,
        methods: &[MethodPlan],
        form: GuestContractInstance,
    ) -> Result<Self::Value, Self::Error>;
}
