//! Dynamic values, for code that learns types at run time.

use std::fmt;

/// A value of any type that can cross.
///
/// ```
/// use polyplug::Value;
///
/// let point = Value::record([("x", Value::from(1.5)), ("y", Value::from(-2.0))]);
/// assert_eq!(point.field("x"), Some(&Value::F64(1.5)));
/// assert_eq!(point.to_string(), "{x: 1.5, y: -2}");
/// ```
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // the names of the scalars describe them
#[non_exhaustive]
pub enum Value {
    Unit,
    Bool(bool),
    I8(i8),
    I16(i16),
    I32(i32),
    I64(i64),
    U8(u8),
    U16(u16),
    U32(u32),
    U64(u64),
    F32(f32),
    F64(f64),
    Char(char),
    String(String),
    /// A list of `u8`.
    Bytes(Vec<u8>),
    /// A list of any other type.
    List(Vec<Value>),
    /// The entries in order; no two have the same key.
    Map(Vec<(Value, Value)>),
    Tuple(Vec<Value>),
    Option(Option<Box<Value>>),
    /// The fields in order.
    Record(Vec<(String, Value)>),
    /// A case of an enum.
    Enum(String),
    /// A case of a variant.
    Variant {
        /// The case's name.
        case: String,
        /// The case's fields in order; those of a tuple-like case are called `0`, `1`, and so on.
        fields: Vec<(String, Value)>,
    },
    /// An answer or a declared error.
    Result(Result<Box<Value>, Box<Value>>),
}

impl Value {
    /// Makes a record with these fields.
    pub fn record<N: Into<String>>(fields: impl IntoIterator<Item = (N, Self)>) -> Self {
        Self::Record(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }

    /// Makes a case of a variant with these fields.
    pub fn variant<N: Into<String>>(case: impl Into<String>, fields: impl IntoIterator<Item = (N, Self)>) -> Self {
        let fields = fields.into_iter().map(|(name, value)| (name.into(), value)).collect();
        Self::Variant { case: case.into(), fields }
    }

    /// Returns the field `name` of a record or of a variant's case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Record(fields) | Self::Variant { fields, .. } => {
                fields.iter().find(|(known, _)| known == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// Returns the value as an integer, or `None` if the value is not an integer.
    #[must_use]
    pub const fn as_integer(&self) -> Option<i128> {
        Some(match *self {
            Self::I8(n) => n as i128,
            Self::I16(n) => n as i128,
            Self::I32(n) => n as i128,
            Self::I64(n) => n as i128,
            Self::U8(n) => n as i128,
            Self::U16(n) => n as i128,
            Self::U32(n) => n as i128,
            Self::U64(n) => n as i128,
            _ => return None,
        })
    }

    /// Returns the value as text, or `None` if the value is not text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the name of the value's kind, for errors.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Unit => "()",
            Self::Bool(_) => "bool",
            Self::I8(_) => "i8",
            Self::I16(_) => "i16",
            Self::I32(_) => "i32",
            Self::I64(_) => "i64",
            Self::U8(_) => "u8",
            Self::U16(_) => "u16",
            Self::U32(_) => "u32",
            Self::U64(_) => "u64",
            Self::F32(_) => "f32",
            Self::F64(_) => "f64",
            Self::Char(_) => "char",
            Self::String(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Tuple(_) => "tuple",
            Self::Option(_) => "option",
            Self::Record(_) => "record",
            Self::Enum(_) => "enum",
            Self::Variant { .. } => "variant",
            Self::Result(_) => "result",
        }
    }
}

macro_rules! from {
    ($($ty:ty => $case:ident),*) => {$(
        impl From<$ty> for Value {
            fn from(value: $ty) -> Self {
                Self::$case(value)
            }
        }
    )*};
}

from!(
    bool => Bool, i8 => I8, i16 => I16, i32 => I32, i64 => I64, u8 => U8, u16 => U16, u32 => U32, u64 => U64,
    f32 => F32, f64 => F64, char => Char, String => String, Vec<u8> => Bytes, Vec<Value> => List
);

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<()> for Value {
    fn from((): ()) -> Self {
        Self::Unit
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        Self::Option(value.map(|value| Box::new(value.into())))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn fields(f: &mut fmt::Formatter<'_>, fields: &[(String, Value)]) -> fmt::Result {
            for (i, (name, value)) in fields.iter().enumerate() {
                write!(f, "{}{name}: {value}", if i == 0 { "" } else { ", " })?;
            }
            Ok(())
        }
        fn items(f: &mut fmt::Formatter<'_>, items: &[Value]) -> fmt::Result {
            for (i, value) in items.iter().enumerate() {
                write!(f, "{}{value}", if i == 0 { "" } else { ", " })?;
            }
            Ok(())
        }
        match self {
            Self::Unit => f.write_str("()"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::F32(value) => write!(f, "{value}"),
            Self::F64(value) => write!(f, "{value}"),
            Self::Char(value) => write!(f, "{value:?}"),
            Self::String(value) => write!(f, "{value:?}"),
            Self::Bytes(value) => write!(f, "{} bytes", value.len()),
            Self::List(values) => {
                f.write_str("[")?;
                items(f, values)?;
                f.write_str("]")
            }
            Self::Tuple(values) => {
                f.write_str("(")?;
                items(f, values)?;
                f.write_str(")")
            }
            Self::Map(entries) => {
                f.write_str("{")?;
                for (i, (key, value)) in entries.iter().enumerate() {
                    write!(f, "{}{key}: {value}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str("}")
            }
            Self::Option(None) => f.write_str("none"),
            Self::Option(Some(value)) => write!(f, "some({value})"),
            Self::Record(values) => {
                f.write_str("{")?;
                fields(f, values)?;
                f.write_str("}")
            }
            Self::Enum(case) => f.write_str(case),
            Self::Variant { case, fields: values } if values.is_empty() => f.write_str(case),
            Self::Variant { case, fields: values } => {
                write!(f, "{case}{{")?;
                fields(f, values)?;
                f.write_str("}")
            }
            Self::Result(Ok(value)) => write!(f, "ok({value})"),
            Self::Result(Err(value)) => write!(f, "err({value})"),
            integer => write!(f, "{}", integer.as_integer().unwrap_or_default()),
        }
    }
}
