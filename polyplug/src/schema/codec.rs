//! A schema as bytes, for crossing the ABI and for files.
//!
//! The form is flat and bounded: a header with a version, then every part in order, counts and lengths in front of
//! what they count. The reader trusts nothing: it checks sizes, counts, depth, text, and that every reference leads to
//! a definition.

use super::{Case, Definition, Field, Method, Schema, Shape, TypeRef};

/// The first bytes of every encoded schema; the last one is the version of the form.
const MAGIC: &[u8] = b"polyplug schema\x01";

/// The most bytes an encoded schema may have.
pub const SIZE_LIMIT: usize = 1 << 20;

/// How deep types may nest in one another, and how long a chain of records within records may be.
const DEPTH_LIMIT: usize = 128;

/// Why bytes are no schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a schema: {0}")]
pub struct DecodeError(String);

impl DecodeError {
    fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl Schema {
    /// The schema as bytes.
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
            }
        });
        out.list(&self.methods, |out, method| {
            out.text(&method.name);
            out.text(&method.docs);
            out.number(method.since);
            out.fields(&method.arguments);
            out.ty(&method.result);
        });
        out.0
    }

    /// The schema of bytes from anywhere.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] says what is wrong with them.
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
                other => return Err(DecodeError::new(format!("{other} is no shape of a type"))),
            };
            Ok(Definition { name, docs, shape })
        })?;
        let methods = input.list(|input| {
            Ok(Method {
                name: input.text()?,
                docs: input.text()?,
                since: input.number()?,
                arguments: input.fields()?,
                result: input.ty(0)?,
            })
        })?;
        if !input.0.is_empty() {
            return Err(DecodeError::new(format!("{} bytes are left over", input.0.len())));
        }
        let schema = Self { name, major, minor, docs, methods, types };
        schema.check()?;
        Ok(schema)
    }

    /// What the form alone does not rule out.
    fn check(&self) -> Result<(), DecodeError> {
        for definition in &self.types {
            let (kind, empty) = match &definition.shape {
                Shape::Record(fields) => ("record", fields.is_empty()),
                Shape::Enum(cases) | Shape::Variant(cases) => ("enum", cases.is_empty()),
            };
            if empty {
                return Err(DecodeError::new(format!("the {kind} `{}` is empty", definition.name)));
            }
        }
        for ty in self.all_types() {
            self.check_type(ty)?;
        }
        for number in 0..self.types.len() {
            self.check_finite(number, &mut vec![false; self.types.len()], 0)?;
        }
        Ok(())
    }

    /// Every use of a type, outermost only.
    fn all_types(&self) -> impl Iterator<Item = &TypeRef> {
        let of_definitions = self.types.iter().flat_map(|definition| match &definition.shape {
            Shape::Record(fields) => vec![fields],
            Shape::Enum(cases) | Shape::Variant(cases) => cases.iter().map(|case| &case.fields).collect(),
        });
        let of_methods = self.methods.iter().map(|method| &method.arguments);
        let results = self.methods.iter().map(|method| &method.result);
        of_definitions.chain(of_methods).flatten().map(|field| &field.ty).chain(results)
    }

    fn check_type(&self, ty: &TypeRef) -> Result<(), DecodeError> {
        match ty {
            TypeRef::Named(number) if *number as usize >= self.types.len() => {
                Err(DecodeError::new(format!("type {number} is not defined")))
            }
            TypeRef::List(of) if self.is_empty_type(of) => Err(DecodeError::new("a list of nothing")),
            TypeRef::Map(key, _) if !key.can_be_key() => Err(DecodeError::new("a map whose keys cannot be keys")),
            TypeRef::Tuple(parts) if parts.is_empty() => Err(DecodeError::new("a tuple of nothing")),
            TypeRef::List(of) | TypeRef::Option(of) | TypeRef::Box(of) => self.check_type(of),
            TypeRef::Map(first, second) | TypeRef::Result(first, second) => {
                self.check_type(first)?;
                self.check_type(second)
            }
            TypeRef::Tuple(parts) => parts.iter().try_for_each(|part| self.check_type(part)),
            _ => Ok(()),
        }
    }

    fn is_empty_type(&self, ty: &TypeRef) -> bool {
        matches!(ty, TypeRef::Unit)
    }

    /// Refuses a type that contains itself other than behind a pointer: it would be infinitely large.
    fn check_finite(&self, number: usize, open: &mut Vec<bool>, depth: usize) -> Result<(), DecodeError> {
        if open[number] || depth > DEPTH_LIMIT {
            return Err(DecodeError::new(format!("`{}` contains itself", self.types[number].name)));
        }
        open[number] = true;
        let fields: Vec<&Field> = match &self.types[number].shape {
            Shape::Record(fields) => fields.iter().collect(),
            Shape::Enum(cases) | Shape::Variant(cases) => cases.iter().flat_map(|case| &case.fields).collect(),
        };
        for field in fields {
            self.check_finite_type(&field.ty, open, depth)?;
        }
        open[number] = false;
        Ok(())
    }

    fn check_finite_type(&self, ty: &TypeRef, open: &mut Vec<bool>, depth: usize) -> Result<(), DecodeError> {
        match ty {
            TypeRef::Named(number) => self.check_finite(*number as usize, open, depth + 1),
            TypeRef::Option(of) => self.check_finite_type(of, open, depth),
            TypeRef::Result(ok, err) => {
                self.check_finite_type(ok, open, depth)?;
                self.check_finite_type(err, open, depth)
            }
            TypeRef::Tuple(parts) => parts.iter().try_for_each(|part| self.check_finite_type(part, open, depth)),
            // Lists, maps and boxes hold a pointer.
            _ => Ok(()),
        }
    }
}

impl TypeRef {
    /// Whether values of the type can be the keys of a map.
    #[must_use]
    pub const fn can_be_key(&self) -> bool {
        matches!(
            self,
            Self::Bool
                | Self::I8
                | Self::I16
                | Self::I32
                | Self::I64
                | Self::U8
                | Self::U16
                | Self::U32
                | Self::U64
                | Self::Char
                | Self::String
        )
    }
}

/// The types without parts, in the order of their codes.
const SIMPLE: [TypeRef; 14] = [
    TypeRef::Unit,
    TypeRef::Bool,
    TypeRef::I8,
    TypeRef::I16,
    TypeRef::I32,
    TypeRef::I64,
    TypeRef::U8,
    TypeRef::U16,
    TypeRef::U32,
    TypeRef::U64,
    TypeRef::F32,
    TypeRef::F64,
    TypeRef::Char,
    TypeRef::String,
];

mod code {
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
    /// Seven bits a byte, the lowest first; the top bit says that more follow.
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
            simple => {
                let code = SIMPLE.iter().position(|known| known == simple).expect("every other type is simple");
                self.0.push(code as u8);
            }
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

    /// A count of things that take at least a byte each, so that a hostile one cannot reserve memory.
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

    fn cases(&mut self) -> Result<Vec<Case>, DecodeError> {
        self.list(|input| Ok(Case { name: input.text()?, docs: input.text()?, fields: input.fields()? }))
    }

    fn ty(&mut self, depth: usize) -> Result<TypeRef, DecodeError> {
        if depth == DEPTH_LIMIT {
            return Err(DecodeError::new(format!("types are nested deeper than {DEPTH_LIMIT}")));
        }
        let code = self.byte()?;
        if let Some(simple) = SIMPLE.get(code as usize) {
            return Ok(simple.clone());
        }
        let mut part = || self.ty(depth + 1);
        Ok(match code {
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
