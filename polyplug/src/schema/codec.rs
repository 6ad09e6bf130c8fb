//! The encoding of schemas as bytes, for crossing the ABI and for files.
//!
//! The encoding is flat and bounded: a header with a version, then every part in order, each sequence after its count
//! and each text after its length. The reader does not trust the bytes: it checks sizes, counts, depth, text, and that
//! every reference leads to a definition.

use crate::schema::scalar::Scalar;
use crate::schema::schema::{Case, Definition, Field, Interface, Method, Schema, Shape, TypeRef};

/// The first bytes of every encoded schema; the last of them is the version of the encoding.
const MAGIC: &[u8] = b"polyplug schema\x01";

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
    fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl Schema {
    /// Encodes the schema.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer(MAGIC.to_vec());
        out.text(&self.name);
        out.number(self.major);
        out.number(self.minor);
        out.text(&self.docs);
        out.list(&self.types, |out, definition| {
            out.text(&definition.name);
            out.text(&definition.docs);
            match &definition.shape {
                Shape::Record(fields) => {
                    out.0.push(0);
                    out.fields(fields);
                }
                Shape::Enum(cases) => {
                    out.0.push(1);
                    out.cases(cases);
                }
                Shape::Variant(cases) => {
                    out.0.push(2);
                    out.cases(cases);
                }
                Shape::Object(interface) => {
                    out.0.push(3);
                    out.text(&interface.contract);
                    out.number(interface.major);
                    out.0.push(u8::from(interface.kept));
                    out.methods(&interface.methods);
                }
            }
        });
        out.methods(&self.methods);
        out.0
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
        let Some(rest) = bytes.strip_prefix(MAGIC) else {
            return Err(DecodeError::new("it does not begin like one of version 1"));
        };
        let mut input = Reader(rest);
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
                    kept: match input.byte()? {
                        0 => false,
                        1 => true,
                        other => return Err(DecodeError::new(format!("{other} is neither yes nor no"))),
                    },
                    methods: input.methods()?,
                }),
                other => return Err(DecodeError::new(format!("{other} is no shape of a type"))),
            };
            Ok(Definition { name, docs, shape })
        })?;
        let methods = input.methods()?;
        if !input.0.is_empty() {
            return Err(DecodeError::new(format!("{} bytes are left over", input.0.len())));
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

struct Writer(Vec<u8>);

impl Writer {
    /// Writes seven bits in each byte, the lowest first; the top bit says that more bytes follow.
    fn number(&mut self, mut number: u32) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn count(&mut self, count: usize) {
        self.number(u32::try_from(count).expect("a schema has fewer than four billion parts"));
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn list<T>(&mut self, items: &[T], each: impl Fn(&mut Self, &T)) {
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
        });
    }

    fn ty(&mut self, ty: &TypeRef) {
        let mut with = |code: u8, parts: &[&TypeRef]| {
            self.0.push(code);
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
                self.0.push(code::TUPLE);
                self.list(parts, Self::ty);
            }
            TypeRef::Named(number) => {
                self.0.push(code::NAMED);
                self.number(*number);
            }
            TypeRef::Unit => self.0.push(code::UNIT),
            TypeRef::Scalar(scalar) => self.0.push(code::SCALAR + *scalar as u8),
            TypeRef::String => self.0.push(code::STRING),
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, DecodeError> {
        let (first, rest) = self.0.split_first().ok_or_else(|| DecodeError::new("it ends too early"))?;
        self.0 = rest;
        Ok(*first)
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
        if count > self.0.len() { Err(DecodeError::new("it ends too early")) } else { Ok(count) }
    }

    fn text(&mut self) -> Result<String, DecodeError> {
        let len = self.count()?;
        let (text, rest) = self.0.split_at(len);
        self.0 = rest;
        String::from_utf8(text.to_vec()).map_err(|_| DecodeError::new("a text is not UTF-8"))
    }

    fn list<T>(&mut self, each: impl Fn(&mut Self) -> Result<T, DecodeError>) -> Result<Vec<T>, DecodeError> {
        let count = self.count()?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(each(self)?);
        }
        Ok(items)
    }

    fn fields(&mut self) -> Result<Vec<Field>, DecodeError> {
        self.list(|input| Ok(Field { name: input.text()?, docs: input.text()?, ty: input.ty(0)? }))
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
        self.list(|input| Ok(Case { name: input.text()?, docs: input.text()?, fields: input.fields()? }))
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
