//! The encoding of values: of the defaults of fields in schemas, and of saved state.

use crate::schema::codec::{DecodeError, Reader, Writer};
use crate::value::Value;

/// Defines the encoding of the scalars with their codes.
macro_rules! scalars {
    ($($case:ident($ty:ty) = $code:literal),*) => {
        impl Writer {
            /// Writes a scalar. Returns whether the value is one.
            fn scalar(&mut self, value: &Value) -> bool {
                match value {
                    $(Value::$case(value) => {
                        self.bytes.push($code);
                        self.bytes.extend_from_slice(&value.to_le_bytes());
                    })*
                    _ => return false,
                }
                true
            }
        }

        impl Reader<'_> {
            /// Reads a scalar, or returns `None` if the code is of none.
            fn scalar(&mut self, code: u8) -> Result<Option<Value>, DecodeError> {
                Ok(Some(match code {
                    $($code => Value::$case(<$ty>::from_le_bytes(self.bytes()?)),)*
                    _ => return Ok(None),
                }))
            }
        }
    };
}

scalars!(
    I8(i8) = 1,
    I16(i16) = 2,
    I32(i32) = 3,
    I64(i64) = 4,
    U8(u8) = 5,
    U16(u16) = 6,
    U32(u32) = 7,
    U64(u64) = 8,
    F32(f32) = 9,
    F64(f64) = 10
);

/// The codes of the other kinds of values.
mod code {
    pub(super) const UNIT: u8 = 0;
    pub(super) const BOOL: u8 = 11;
    pub(super) const CHAR: u8 = 12;
    pub(super) const STRING: u8 = 13;
    pub(super) const BYTES: u8 = 14;
    pub(super) const LIST: u8 = 15;
    pub(super) const MAP: u8 = 16;
    pub(super) const TUPLE: u8 = 17;
    pub(super) const OPTION: u8 = 18;
    pub(super) const RECORD: u8 = 19;
    pub(super) const ENUM: u8 = 20;
    pub(super) const VARIANT: u8 = 21;
    pub(super) const OK: u8 = 22;
    pub(super) const ERR: u8 = 23;
}

/// The greatest depth to which the parts of a value may nest that is not a default. Boxes do not count.
const VALUE_DEPTH_LIMIT: usize = 512;

/// Encodes a value after the bytes `magic`.
pub(crate) fn encode_value(magic: &[u8], value: &Value) -> Vec<u8> {
    let mut out = Writer { bytes: magic.to_vec(), grown: true };
    out.value(value);
    out.bytes
}

/// Decodes a value that [`encode_value`] encoded, from bytes that need not be trusted.
///
/// # Errors
///
/// The reason for which the bytes are no such value.
pub(crate) fn decode_value(magic: &[u8], bytes: &[u8]) -> Result<Value, String> {
    let rest = bytes.strip_prefix(magic).ok_or("the bytes do not begin like those of a saved value")?;
    let mut input = Reader { bytes: rest, grown: true, value_depth: VALUE_DEPTH_LIMIT };
    let value = input.value(0).map_err(|error| error.reason().to_owned())?;
    match input.bytes.len() {
        0 => Ok(value),
        left => Err(format!("{left} bytes are left over")),
    }
}

impl Writer {
    /// Writes a value: its code, and its content.
    pub(super) fn value(&mut self, value: &Value) {
        if self.scalar(value) {
            return;
        }
        match value {
            Value::Bool(flag) => self.bytes.extend([code::BOOL, u8::from(*flag)]),
            Value::Char(letter) => {
                self.bytes.push(code::CHAR);
                self.bytes.extend(u32::from(*letter).to_le_bytes());
            }
            Value::String(text) => {
                self.bytes.push(code::STRING);
                self.text(text);
            }
            Value::Bytes(bytes) => {
                self.bytes.push(code::BYTES);
                self.list(bytes, |out, byte| out.bytes.push(*byte));
            }
            Value::List(items) => self.values(code::LIST, items),
            Value::Tuple(items) => self.values(code::TUPLE, items),
            Value::Map(entries) => {
                self.bytes.push(code::MAP);
                self.list(entries, |out, (key, value)| {
                    out.value(key);
                    out.value(value);
                });
            }
            Value::Option(option) => self.values(code::OPTION, option.as_deref().map_or(&[], std::slice::from_ref)),
            Value::Record(fields) => {
                self.bytes.push(code::RECORD);
                self.named(fields);
            }
            Value::Enum(case) => {
                self.bytes.push(code::ENUM);
                self.text(case);
            }
            Value::Variant { case, fields } => {
                self.bytes.push(code::VARIANT);
                self.text(case);
                self.named(fields);
            }
            Value::Result(Ok(value)) => self.values(code::OK, std::slice::from_ref(value)),
            Value::Result(Err(value)) => self.values(code::ERR, std::slice::from_ref(value)),
            _ => self.bytes.push(code::UNIT),
        }
    }

    fn values(&mut self, code: u8, items: &[Value]) {
        self.bytes.push(code);
        self.list(items, Self::value);
    }

    fn named(&mut self, fields: &[(String, Value)]) {
        self.list(fields, |out, (name, value)| {
            out.text(name);
            out.value(value);
        });
    }
}

impl Reader<'_> {
    /// Reads a value that lies `depth` levels deep.
    pub(super) fn value(&mut self, depth: usize) -> Result<Value, DecodeError> {
        if depth == self.value_depth {
            return Err(DecodeError::new(format!("a value is nested deeper than {depth}")));
        }
        let code = self.byte()?;
        if let Some(scalar) = self.scalar(code)? {
            return Ok(scalar);
        }
        Ok(match code {
            code::UNIT => Value::Unit,
            code::BOOL => Value::Bool(self.flag()?),
            code::CHAR => {
                let number = u32::from_le_bytes(self.bytes()?);
                let letter = char::from_u32(number);
                Value::Char(letter.ok_or_else(|| DecodeError::new(format!("{number} is no character")))?)
            }
            code::STRING => Value::String(self.text()?),
            code::BYTES => Value::Bytes(self.list(Self::byte)?),
            code::LIST => Value::List(self.values(depth)?),
            code::TUPLE => Value::Tuple(self.values(depth)?),
            code::MAP => Value::Map(self.list(|input| Ok((input.value(depth + 1)?, input.value(depth + 1)?)))?),
            code::OPTION => {
                let mut values = self.values(depth)?;
                match values.len() {
                    0 | 1 => Value::Option(values.pop().map(Box::new)),
                    more => return Err(DecodeError::new(format!("an option of {more} values"))),
                }
            }
            code::RECORD => Value::Record(self.named(depth)?),
            code::ENUM => Value::Enum(self.text()?),
            code::VARIANT => Value::Variant { case: self.text()?, fields: self.named(depth)? },
            code::OK | code::ERR => {
                let [value] = <[Value; 1]>::try_from(self.values(depth)?)
                    .map_err(|_| DecodeError::new("a result that is not of one value"))?;
                let value = Box::new(value);
                Value::Result(if code == code::OK { Ok(value) } else { Err(value) })
            }
            other => return Err(DecodeError::new(format!("{other} is no kind of value"))),
        })
    }

    fn values(&mut self, depth: usize) -> Result<Vec<Value>, DecodeError> {
        self.list(|input| input.value(depth + 1))
    }

    fn named(&mut self, depth: usize) -> Result<Vec<(String, Value)>, DecodeError> {
        self.list(|input| Ok((input.text()?, input.value(depth + 1)?)))
    }
}
