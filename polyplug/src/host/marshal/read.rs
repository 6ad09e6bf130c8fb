//! What an engine does to give a value out.

use polyplug_abi::GuestContractInstance;

use super::located::Located;
use crate::schema::plan::{Body, MethodPlan};

/// Where text or bytes of an engine lie.
#[derive(Debug, Clone, Copy)]
pub struct RawText {
    /// The beginning; may be anything when `len` is 0.
    pub ptr: *const u8,
    /// The length in bytes.
    pub len: usize,
}

impl From<&[u8]> for RawText {
    fn from(bytes: &[u8]) -> Self {
        Self { ptr: bytes.as_ptr(), len: bytes.len() }
    }
}

/// Which case of an enum or variant a value is.
#[derive(Debug)]
pub enum CaseOf<V> {
    /// The case with this number, and what holds its fields.
    Known(u32, V),
    /// It calls itself so, and there is no such case.
    Unknown(String),
    /// It is no case of anything.
    None,
}

/// Looks at values of an engine.
///
/// Where a method returns an `Option`, `None` says that the value is of another kind; the error is made from
/// [`describe`](Self::describe). A value that was got from another is given back by [`release`](Self::release), in
/// reverse order, also where there is an error.
///
/// Methods that return a `Result` fail where finding out fails: where code of the guest's runs that raises something.
///
/// # Safety
///
/// Text and bytes must lie where the engine says, readable, until the value they came from is released, or, where
/// [`LENDS`](Self::LENDS) says so, until the call that they are read for is over.
pub unsafe trait Read {
    /// A value of the engine's.
    type Value;
    /// The items of a list, while they are read.
    type Items;
    /// The entries of a map, while they are read.
    type Entries;
    /// Why a value could not be read, beyond being of another kind.
    type Error: Located;

    /// Whether text and bytes stay where they are until the call is over. Else they are copied.
    const LENDS: bool = false;
    /// Whether fields that nobody asked for are errors even where no field is missing.
    const STRICT: bool = false;

    /// What the value is, for an error: `str "x"`.
    fn describe(&mut self, value: &Self::Value) -> String;
    /// Gives a value back.
    fn release(&mut self, value: Self::Value);

    /// Whether the value stands for none.
    fn is_none(&mut self, value: &Self::Value) -> bool;
    /// Whether the value is what methods return that return nothing.
    fn is_unit(&mut self, value: &Self::Value) -> bool;
    /// A truth value.
    fn bool(&mut self, value: &Self::Value) -> Option<bool>;
    /// An integer of any size.
    fn integer(&mut self, value: &Self::Value) -> Option<i128>;
    /// A number, for a place that takes an `f32` if `is_narrow`, else an `f64`.
    fn float(&mut self, value: &Self::Value, is_narrow: bool) -> Option<f64>;
    /// A character: text of one.
    fn char(&mut self, value: &Self::Value) -> Option<char>;
    /// Text, which need not be valid.
    fn text(&mut self, value: &Self::Value) -> Option<RawText>;
    /// Bytes.
    fn bytes(&mut self, value: &Self::Value) -> Option<RawText>;

    /// What an option holds. `is_nested`: it has a mark, for it could be an option without a value.
    fn some(&mut self, value: &Self::Value, is_nested: bool) -> Option<Self::Value>;

    /// The items of a list, and how many there are.
    fn list(&mut self, value: &Self::Value) -> Result<Option<(Self::Items, usize)>, Self::Error>;
    /// The items of a tuple, and how many there are.
    fn tuple(&mut self, value: &Self::Value) -> Result<Option<(Self::Items, usize)>, Self::Error>;
    /// An item. An engine whose lists can shrink while they are read says so.
    fn item(&mut self, items: &mut Self::Items, index: usize) -> Result<Self::Value, Self::Error>;
    /// The entries of a map, and how many there are.
    fn map(&mut self, value: &Self::Value) -> Result<Option<(Self::Entries, usize)>, Self::Error>;
    /// The next entry; `None` after the last. Its value is released before its key.
    #[allow(clippy::type_complexity)] // a key and a value
    fn entry(&mut self, entries: &mut Self::Entries) -> Result<Option<(Self::Value, Self::Value)>, Self::Error>;

    /// Whether the value can have fields at all.
    fn has_fields(&mut self, value: &Self::Value, body: &Body) -> bool;
    /// A field; `None` if it is missing.
    fn field(&mut self, value: &Self::Value, body: &Body, index: usize) -> Result<Option<Self::Value>, Self::Error>;
    /// A field that the record or case does not have. Asked for when one is missing, which may have been misspelt.
    fn unknown_field(&mut self, value: &Self::Value, body: &Body) -> Option<String>;
    /// Which case of the enum with this number the value is.
    fn enum_case(&mut self, value: &Self::Value, definition: u32) -> Result<CaseOf<()>, Self::Error>;
    /// Which case of the variant with this number the value is.
    fn case(&mut self, value: &Self::Value, definition: u32) -> Result<CaseOf<Self::Value>, Self::Error>;

    /// Whether a value within another is an answer or an error in place of one, and which.
    fn result(&mut self, value: &Self::Value) -> Option<(Self::Value, bool)>;

    /// Hands over an object that implements the contract of the definition with this number.
    fn object(
        &mut self,
        value: &Self::Value,
        definition: u32,
        methods: &[MethodPlan],
    ) -> Result<GuestContractInstance, Self::Error>;
}
