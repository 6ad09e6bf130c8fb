//! The encoding of schemas as bytes, for crossing the ABI and for files.
//!
//! The encoding is flat and bounded: a header with a version, then every part in order, each sequence after its count
//! and each text after its length. The reader does not trust the bytes: it checks sizes, counts, depth, text, and that
//! every reference leads to a definition.

use crate::schema::scalar::Scalar;
use crate::schema::schema::{Case, Definition, Field, Interface, Method, Schema, Shape, TypeRef};

/// The first bytes of every encoded schema. The version of the encoding follows.
const MAGIC: &[u8] = b"polyplug schema";

/// The version of the encoding of a schema without fields and cases that were added later.
const PLAIN: u8 = 1;

/// The version of the encoding in which fields and cases say when they were added.
const GROWN: u8 = 2;

/// The most bytes an encoded schema may have.
pub const SIZE_LIMIT: usize = 1 << 20;

/// The greatest depth to which the parts of a type may nest.
const DEPTH_LIMIT: usize = 128;

/// The reason for which bytes are not an encoded schema.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a schema: {0}")]
pub struct DecodeError(String);

crate::debug_text::debug_as_display!(DecodeError);

impl DecodeError {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }

    /// Returns the reason alone.
    pub(super) fn reason(&self) -> &str {
        &self.0
    }
}

impl Schema {
    /// Encodes the schema.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let grown = self.has_grown();
        let mut out = Writer { bytes: [MAGIC, &[if grown { GROWN } else { PLAIN }]].concat(), grown };
        out.text(&self.name);
        out.number(self.major);
        out.number(self.minor);
        out.text(&self.docs);
        out.list(&self.types, |out, definition| {
            out.text(&definition.name);
            out.text(&definition.docs);
            match &definition.shape {
                Shape::Record(fields) => {
                    out.bytes.push(0);
                    out.fields(fields);
                }
                Shape::Enum(cases) => {
                    out.bytes.push(1);
                    out.cases(cases);
                }
                Shape::Variant(cases) => {
                    out.bytes.push(2);
                    out.cases(cases);
                }
                Shape::Object(interface) => {
                    out.bytes.push(3);
                    out.text(&interface.contract);
                    out.number(interface.major);
                    out.bytes.push(u8::from(interface.kept));
                    out.methods(&interface.methods);
                }
            }
        });
        out.methods(&self.methods);
        out.bytes
    }

    /// Decodes a schema from bytes that need not be trusted.
    ///
    /// # Errors
    ///
    /// Fails with [`DecodeError`] if the bytes are not a schema that a contract can have.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > SIZE_LIMIT {
            return Err(DecodeError::new(format!("{} bytes are too many (at most {SIZE_LIMIT})", bytes.len())));
        }
        let Some((version @ (&PLAIN | &GROWN), rest)) = bytes.strip_prefix(MAGIC).and_then(<[u8]>::split_first) else {
            return Err(DecodeError::new("it does not begin like one of version 1 or 2"));
        };
        let mut input = Reader { bytes: rest, grown: *version == GROWN, value_depth: DEPTH_LIMIT };
        let name = input.text()?;
        let (major, minor) = (input.number()?, input.number()?);
        let docs = input.text()?;
        let types = input.list(|input| {
            let (name, docs) = (input.text()?, input.text()?);
            let shape = match input.byte()? {
                0 => Shape::Record(input.fields()?),
                1 => Shape::Enum(input.cases()?),
                2 => Shape::Variant(input.cases()?),
                3 => Shape::Object(Interface {
                    contract: input.text()?,
                    major: input.number()?,
                    kept: input.flag()?,
                    methods: input.methods()?,
                }),
                other => return Err(DecodeError::new(format!("{other} is no shape of a type"))),
            };
            Ok(Definition { name, docs, shape })
        })?;
        let methods = input.methods()?;
        if !input.bytes.is_empty() {
            return Err(DecodeError::new(format!("{} bytes are left over", input.bytes.len())));
        }
        let schema = Self { name, major, minor, docs, methods, types };
        schema.check().map_err(DecodeError)?;
        Ok(schema)
    }
}

/// The codes of types. The codes of scalars begin at `SCALAR`, in the order of [`Scalar::ALL`].
mod code {
    pub(super) const UNIT: u8 = 0;
    pub(super) const SCALAR: u8 = 1;
    pub(super) const STRING: u8 = 13;
    pub(super) const LIST: u8 = 32;
    pub(super) const OPTION: u8 = 33;
    pub(super) const BOX: u8 = 34;
    pub(super) const MAP: u8 = 35;
    pub(super) const TUPLE: u8 = 36;
    pub(super) const RESULT: u8 = 37;
    pub(super) const NAMED: u8 = 38;
}

pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
    /// True if fields and cases say when they were added.
    pub(super) grown: bool,
}

impl Writer {
    /// Writes seven bits in each byte, the lowest first; the top bit says that more bytes follow.
    fn number(&mut self, mut number: u32) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    fn count(&mut self, count: usize) {
        self.number(u32::try_from(count).expect("a schema has fewer than four billion parts"));
    }

    pub(super) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    pub(super) fn list<T>(&mut self, items: &[T], each: impl Fn(&mut Self, &T)) {
        self.count(items.len());
        for item in items {
            each(self, item);
        }
    }

    fn fields(&mut self, fields: &[Field]) {
        self.list(fields, |out, field| {
            out.text(&field.name);
            out.text(&field.docs);
            out.ty(&field.ty);
            if out.grown {
                out.number(field.since);
                out.list(field.default.as_slice(), Self::value);
            }
        });
    }

    fn methods(&mut self, methods: &[Method]) {
        self.list(methods, |out, method| {
            out.text(&method.name);
            out.text(&method.docs);
            out.number(method.since);
            out.fields(&method.arguments);
            out.ty(&method.result);
        });
    }

    fn cases(&mut self, cases: &[Case]) {
        self.list(cases, |out, case| {
            out.text(&case.name);
            out.text(&case.docs);
            out.fields(&case.fields);
            if out.grown {
                out.number(case.since);
                out.bytes.push(u8::from(case.other));
            }
        });
    }

    fn ty(&mut self, ty: &TypeRef) {
        let mut with = |code: u8, parts: &[&TypeRef]| {
            self.bytes.push(code);
            for part in parts {
                self.ty(part);
            }
        };
        match ty {
            TypeRef::List(of) => with(code::LIST, &[of]),
            TypeRef::Option(of) => with(code::OPTION, &[of]),
            TypeRef::Box(of) => with(code::BOX, &[of]),
            TypeRef::Map(key, value) => with(code::MAP, &[key, value]),
            TypeRef::Result(ok, err) => with(code::RESULT, &[ok, err]),
            TypeRef::Tuple(parts) => {
                self.bytes.push(code::TUPLE);
                self.list(parts, Self::ty);
            }
            TypeRef::Named(number) => {
                self.bytes.push(code::NAMED);
                self.number(*number);
            }
            TypeRef::Unit => self.bytes.push(code::UNIT),
            TypeRef::Scalar(scalar) => self.bytes.push(code::SCALAR + *scalar as u8),
            TypeRef::String => self.bytes.push(code::STRING),
        }
    }
}

pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    /// True if fields and cases say when they were added.
    pub(super) grown: bool,
    /// The greatest depth to which the parts of a value may nest.
    pub(super) value_depth: usize,
}

impl Reader<'_> {
    pub(super) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (bytes, rest) = self.bytes.split_first_chunk().ok_or_else(|| DecodeError::new("it ends too early"))?;
        self.bytes = rest;
        Ok(*bytes)
    }

    pub(super) fn byte(&mut self) -> Result<u8, DecodeError> {
        let (first, rest) = self.bytes.split_first().ok_or_else(|| DecodeError::new("it ends too early"))?;
        self.bytes = rest;
        Ok(*first)
    }

    pub(super) fn flag(&mut self) -> Result<bool, DecodeError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(DecodeError::new(format!("{other} is neither yes nor no"))),
        }
    }

    fn number(&mut self) -> Result<u32, DecodeError> {
        let mut number: u32 = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            let bits = u32::from(byte & 0x7f);
            if shift == 28 && bits > 0xf {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(DecodeError::new("a number is too large"))
    }

    /// Reads a count of items that take at least one byte each. A count that exceeds the input fails, so that a hostile
    /// count cannot reserve memory.
    fn count(&mut self) -> Result<usize, DecodeError> {
        let count = self.number()? as usize;
        if count > self.bytes.len() { Err(DecodeError::new("it ends too early")) } else { Ok(count) }
    }

    pub(super) fn text(&mut self) -> Result<String, DecodeError> {
        let len = self.count()?;
        let (text, rest) = self.bytes.split_at(len);
        self.bytes = rest;
        String::from_utf8(text.to_vec()).map_err(|_| DecodeError::new("a text is not UTF-8"))
    }

    pub(super) fn list<T>(
        &mut self,
        each: impl Fn(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let count = self.count()?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(each(self)?);
        }
        Ok(items)
    }

    fn fields(&mut self) -> Result<Vec<Field>, DecodeError> {
        self.list(|input| {
            let (name, docs, ty) = (input.text()?, input.text()?, input.ty(0)?);
            if !input.grown {
                return Ok(Field { name, docs, ty, since: 0, default: None });
            }
            let since = input.number()?;
            let mut default = input.list(|input| input.value(0))?;
            if default.len() > 1 {
                return Err(DecodeError::new(format!("the field `{name}` has {} defaults", default.len())));
            }
            Ok(Field { name, docs, ty, since, default: default.pop() })
        })
    }

    fn methods(&mut self) -> Result<Vec<Method>, DecodeError> {
        self.list(|input| {
            Ok(Method {
                name: input.text()?,
                docs: input.text()?,
                since: input.number()?,
                arguments: input.fields()?,
                result: input.ty(0)?,
            })
        })
    }

    fn cases(&mut self) -> Result<Vec<Case>, DecodeError> {
        self.list(|input| {
            let (name, docs, fields) = (input.text()?, input.text()?, input.fields()?);
            let (since, other) = if input.grown { (input.number()?, input.flag()?) } else { (0, false) };
            Ok(Case { name, docs, fields, since, other })
        })
    }

    fn ty(&mut self, depth: usize) -> Result<TypeRef, DecodeError> {
        if depth == DEPTH_LIMIT {
            return Err(DecodeError::new(format!("types are nested deeper than {DEPTH_LIMIT}")));
        }
        let code = self.byte()?;
        let mut part = || self.ty(depth + 1);
        Ok(match code {
            code::UNIT => TypeRef::Unit,
            code::STRING => TypeRef::String,
            code::SCALAR..code::STRING => TypeRef::Scalar(Scalar::ALL[usize::from(code - code::SCALAR)]),
            code::LIST => TypeRef::list(part()?),
            code::OPTION => TypeRef::option(part()?),
            code::BOX => TypeRef::boxed(part()?),
            code::MAP => TypeRef::map(part()?, part()?),
            code::RESULT => TypeRef::result(part()?, part()?),
            code::TUPLE => TypeRef::Tuple(self.list(|input| input.ty(depth + 1))?),
            code::NAMED => TypeRef::Named(self.number()?),
            other => return Err(DecodeError::new(format!("{other} is no type"))),
        })
    }
}
