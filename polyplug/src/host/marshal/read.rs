//! The operations by which an engine's values are read.

use polyplug_abi::GuestContractInstance;

use super::located::Located;
use crate::schema::plan::{Body, MethodPlan};

/// The location of text or bytes in an engine's memory.
#[derive(Debug, Clone, Copy)]
pub struct RawText {
    /// The address of the first byte; any pointer if `len` is 0.
    pub ptr: *const u8,
    /// The length in bytes.
    pub len: usize,
}

impl From<&[u8]> for RawText {
    fn from(bytes: &[u8]) -> Self {
        Self { ptr: bytes.as_ptr(), len: bytes.len() }
    }
}

/// The case of an enum or variant that a value is.
#[derive(Debug)]
pub enum CaseOf<V> {
    /// The case with this number, and the value that holds its fields.
    Known(u32, V),
    /// A case of this name, which the enum or variant does not have.
    Unknown(String),
    /// A value that is not a case of an enum or variant.
    None,
}

/// An engine whose values can be read.
///
/// A method that returns an `Option` returns `None` for a value of another kind; the error is then made from
/// [`describe`](Self::describe). The caller releases each value that it got from another value by
/// [`release`](Self::release), in reverse order, after an error too.
///
/// A method that returns a `Result` fails if it runs code of the guest and that code raises an error.
///
/// # Safety
///
/// Text and bytes must be readable at the location that the engine returns until the value that they came from is
/// released. If [`LENDS`](Self::LENDS) is `true`, they must be readable until the call that they are read for is over.
pub unsafe trait Read {
    /// A value of the engine.
    type Value;
    /// The items of a list, while they are read.
    type Items;
    /// The entries of a map, while they are read.
    type Entries;
    /// The error of a value that could not be read for another reason than its kind.
    type Error: Located;

    /// `true` if text and bytes stay readable until the call is over. If `false`, they are copied.
    const LENDS: bool = false;
    /// `true` if unknown fields are errors even where no field is missing.
    const STRICT: bool = false;

    /// Returns the name that a field has in the language, for errors. `name` is in `snake_case`.
    #[must_use]
    fn spell_field(name: &str) -> String {
        name.to_owned()
    }
    /// Describes the value for an error, for example as `str "x"`.
    fn describe(&mut self, value: &Self::Value) -> String;
    /// Releases a value that was got from another value.
    fn release(&mut self, value: Self::Value);

    /// Returns whether the value stands for an option without a value.
    fn is_none(&mut self, value: &Self::Value) -> bool;
    /// Returns whether the value is that of a method that returns nothing.
    fn is_unit(&mut self, value: &Self::Value) -> bool;
    /// Reads a truth value.
    fn bool(&mut self, value: &Self::Value) -> Option<bool>;
    /// Reads an integer of any size.
    fn integer(&mut self, value: &Self::Value) -> Option<i128>;
    /// Reads a number, for an `f32` if `is_narrow`, otherwise for an `f64`.
    fn float(&mut self, value: &Self::Value, is_narrow: bool) -> Option<f64>;
    /// Reads a character: a text of one character.
    fn char(&mut self, value: &Self::Value) -> Option<char>;
    /// Reads a text, which need not be valid UTF-8.
    fn text(&mut self, value: &Self::Value) -> Option<RawText>;
    /// Reads a sequence of bytes.
    fn bytes(&mut self, value: &Self::Value) -> Option<RawText>;

    /// Reads the value of an option. If `is_nested`, the type of the value is optional as well, so the option has a
    /// mark.
    fn some(&mut self, value: &Self::Value, is_nested: bool) -> Option<Self::Value>;

    /// Called for each list, map and box, before its parts are read. Fails if a limit of the call is reached: a small value that
    /// contains one part many times is a large one in canonical memory.
    fn proceed(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Reads the items of a list, and their number.
    fn list(&mut self, value: &Self::Value) -> Result<Option<(Self::Items, usize)>, Self::Error>;
    /// Reads the items of a tuple, and their number.
    fn tuple(&mut self, value: &Self::Value) -> Result<Option<(Self::Items, usize)>, Self::Error>;
    /// Reads an item. Fails if the list has shrunk while it was read.
    fn item(&mut self, items: &mut Self::Items, index: usize) -> Result<Self::Value, Self::Error>;
    /// Reads the entries of a map, and their number.
    fn map(&mut self, value: &Self::Value) -> Result<Option<(Self::Entries, usize)>, Self::Error>;
    /// Reads the next entry, or returns `None` after the last one. The caller releases the entry's value before its
    /// key.
    #[allow(clippy::type_complexity)] // a key and a value
    fn entry(&mut self, entries: &mut Self::Entries) -> Result<Option<(Self::Value, Self::Value)>, Self::Error>;

    /// Returns whether the value can have fields at all.
    fn has_fields(&mut self, value: &Self::Value, body: &Body) -> bool;
    /// Returns what stands for the record, for the error of a value that does not.
    fn forms_of_record(&mut self, body: &Body) -> Option<String> {
        let _ = body;
        None
    }
    /// Reads a field, or returns `None` if the field is missing.
    fn field(&mut self, value: &Self::Value, body: &Body, index: usize) -> Result<Option<Self::Value>, Self::Error>;
    /// Returns the name of a field that the record or case does not have. Called when a field is missing, whose name
    /// may have been misspelt.
    fn unknown_field(&mut self, value: &Self::Value, body: &Body) -> Option<String>;
    /// Reads which case of the enum with the number `definition` the value is.
    fn enum_case(&mut self, value: &Self::Value, definition: u32) -> Result<CaseOf<()>, Self::Error>;
    /// Reads which case of the variant with the number `definition` the value is.
    fn case(&mut self, value: &Self::Value, definition: u32) -> Result<CaseOf<Self::Value>, Self::Error>;

    /// Reads a result within another value: the value of a success or an error, and `true` for a success.
    fn result(&mut self, value: &Self::Value) -> Option<(Self::Value, bool)>;

    /// Hands over an object that implements the contract with the number `definition`.
    fn object(
        &mut self,
        value: &Self::Value,
        definition: u32,
        methods: &[MethodPlan],
    ) -> Result<GuestContractInstance, Self::Error>;
}
