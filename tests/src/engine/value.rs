//! The values of the toy language.

use std::fmt;
use std::sync::Arc;

use polyplug::engine::ImportedObject;

use super::{Raise, Thing};
use crate::engine::Call;

/// A value, without a width or a type of its own.
///
/// Records are maps by the names of their fields; a case of an enum is its name; one of a variant a map with `tag` and
/// `val`; tuples are lists; a nested option is a list of one; a nested result a map with `ok` or `err`.
#[derive(Debug, Clone, PartialEq)]
pub enum Toy {
    /// The value for nothing.
    Nil,
    /// A truth value.
    Bool(bool),
    /// An integer, of any size that contracts have and larger.
    Int(i128),
    /// A number.
    Float(f64),
    /// Text, or a character.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<Toy>),
    /// A map, in the order in which it was made.
    Map(Vec<(Toy, Toy)>),
    /// An object with methods.
    Object(Object),
}

/// An object with methods.
#[derive(Clone)]
pub enum Object {
    /// An object of this VM.
    Own(Arc<Thing>),
    /// A host contract, a peer, or an object from another bundle or the host.
    Other(Arc<ImportedObject>),
}

impl Toy {
    /// Makes a text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Makes a map whose keys are text.
    #[must_use]
    pub fn map<'a>(entries: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (Self::text(key), value)).collect())
    }

    /// Makes an object with one method.
    #[must_use]
    pub fn object(method: &str, body: impl Fn(&mut Call<'_>) -> Result<Self, Raise> + Send + Sync + 'static) -> Self {
        Self::Object(Object::Own(Arc::new(Thing::object(method, Arc::new(body)))))
    }

    /// Returns the value that a map has under a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find(|(key, _)| matches!(key, Self::Text(key) if key == name)).map(|(_, value)| value)
    }

    /// Returns the integer.
    ///
    /// # Panics
    ///
    /// If the value is not an integer.
    #[must_use]
    pub fn int(&self) -> i128 {
        if let Self::Int(number) = self { *number } else { panic!("an integer, not {self}") }
    }
}

impl From<&str> for Toy {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<i128> for Toy {
    fn from(number: i128) -> Self {
        Self::Int(number)
    }
}

/// The text in errors.
impl fmt::Display for Toy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("nil"),
            Self::Bool(flag) => write!(f, "bool {flag}"),
            Self::Int(number) => write!(f, "int {number}"),
            Self::Float(number) => write!(f, "float {number}"),
            Self::Text(text) => write!(f, "text {text:?}"),
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::List(items) => write!(f, "a list of {}", items.len()),
            Self::Map(entries) => write!(f, "a map of {}", entries.len()),
            Self::Object(_) => f.write_str("an object"),
        }
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(_) => f.write_str("Own"),
            Self::Other(remote) => write!(f, "Other({})", remote.contract()),
        }
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Own(one), Self::Own(other)) => Arc::ptr_eq(one, other),
            (Self::Other(one), Self::Other(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}
