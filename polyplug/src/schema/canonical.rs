//! Dynamic values in canonical memory: the defaults of fields.
//!
//! Engines lower and lift by traits of their own. Here both sides are known, and speed does not matter, except where copies of a default
//! are placed.

use crate::schema::plan::{Body, Kind, NodeId, Plan};
use crate::schema::scalar::Scalar;
use crate::schema::schema::{Field, Schema, Shape};
use crate::schema::stored::{ALIGN, Stored};
use crate::value::Value;

/// A pointer and a length: the canonical layout of text, bytes, lists and maps.
type Sequence = (*const u8, usize);

/// The size of a pointer in canonical memory.
const POINTER: usize = 8;

/// Makes the stored form of a value as a node of a plan, or returns the reason for which the value is not one of the node.
pub(crate) fn store(schema: &Schema, plan: &Plan, node: NodeId, value: &Value) -> Result<Stored, String> {
    let mut writing = Writing { schema, plan, image: Vec::new(), pointers: Vec::new() };
    let size = plan.node(node).size;
    let at = writing.allocate(size);
    writing.value(node, value, at)?;
    Ok(Stored { image: writing.image.into(), size, pointers: writing.pointers.into() })
}

/// An image that is being made. Places are offsets.
struct Writing<'a> {
    schema: &'a Schema,
    plan: &'a Plan,
    image: Vec<u8>,
    pointers: Vec<(usize, usize)>,
}

impl Writing<'_> {
    /// Adds zeroed memory to the image. Returns its offset.
    fn allocate(&mut self, size: usize) -> usize {
        let at = self.image.len().next_multiple_of(ALIGN);
        self.image.resize(at + size, 0);
        at
    }

    fn write<const N: usize>(&mut self, at: usize, bytes: [u8; N]) {
        self.image[at..at + N].copy_from_slice(&bytes);
    }

    fn value(&mut self, id: NodeId, value: &Value, at: usize) -> Result<(), String> {
        let (plan, schema) = (self.plan, self.schema);
        match (&plan.node(id).kind, value) {
            (Kind::Unit, Value::Unit) => {}
            (Kind::Scalar(scalar), value) => return self.scalar(*scalar, value, at),
            (Kind::String, Value::String(text)) => self.bytes(text.as_bytes(), at),
            (Kind::Bytes, Value::Bytes(bytes)) => self.bytes(bytes, at),
            (Kind::Bytes, Value::List(items)) if items.is_empty() => {}
            (Kind::List(of), Value::List(items)) => {
                let stride = plan.node(*of).size;
                let start = self.sequence(items.len(), stride, at);
                for (i, item) in items.iter().enumerate() {
                    self.value(*of, item, start + i * stride).map_err(|reason| format!("[{i}]: {reason}"))?;
                }
            }
            (Kind::Map { key, value, value_at, stride, .. }, Value::Map(entries)) => {
                let start = self.sequence(entries.len(), *stride, at);
                for (i, (each_key, each_value)) in entries.iter().enumerate() {
                    let entry = start + i * stride;
                    self.value(*key, each_key, entry)?;
                    self.value(*value, each_value, entry + value_at)?;
                }
            }
            (Kind::Option { .. } | Kind::Nullable(_), Value::Option(None)) => {}
            (Kind::Option { of, at: value_at }, Value::Option(Some(value))) => {
                self.image[at] = 1;
                return self.value(*of, value, at + value_at);
            }
            (Kind::Nullable(of), Value::Option(Some(value))) => return self.behind_pointer(*of, value, at),
            (Kind::Box(of), value) => return self.behind_pointer(*of, value, at),
            (Kind::Tuple(places), Value::Tuple(items)) if places.len() == items.len() => {
                for (place, item) in places.iter().zip(items) {
                    self.value(place.node, item, at + place.at)?;
                }
            }
            (Kind::Record(number, body), Value::Record(fields)) => {
                let Shape::Record(described) = &schema.definition(*number).shape else { unreachable!() };
                return self.fields(described, body, fields, at);
            }
            (Kind::Enum(number, _), Value::Enum(case)) => {
                let (tag, _) = find_case(schema, *number, case)?;
                self.write(at, tag.to_ne_bytes());
            }
            (Kind::Variant { definition, at: union_at, cases }, Value::Variant { case, fields }) => {
                let (tag, described) = find_case(schema, *definition, case)?;
                self.write(at, tag.to_ne_bytes());
                return self.fields(described, &cases[tag as usize], fields, at + union_at);
            }
            (Kind::Result { ok, err, at: union_at }, Value::Result(result)) => {
                let (tag, node, value) = match result {
                    Ok(value) => (0u32, *ok, value),
                    Err(value) => (1, *err, value),
                };
                self.write(at, tag.to_ne_bytes());
                return self.value(node, value, at + union_at);
            }
            (_, value) => return Err(format!("it is a {}", value.kind())),
        }
        Ok(())
    }

    /// Writes a sequence without its elements. Returns the offset of the elements.
    fn sequence(&mut self, len: usize, stride: usize, at: usize) -> usize {
        if len == 0 {
            return 0;
        }
        let start = self.allocate(len * stride);
        self.pointers.push((at, start));
        self.write(at + POINTER, len.to_ne_bytes());
        start
    }

    fn bytes(&mut self, bytes: &[u8], at: usize) {
        let start = self.sequence(bytes.len(), 1, at);
        if !bytes.is_empty() {
            self.image[start..start + bytes.len()].copy_from_slice(bytes);
        }
    }

    fn behind_pointer(&mut self, of: NodeId, value: &Value, at: usize) -> Result<(), String> {
        let inner = self.allocate(self.plan.node(of).size.max(1));
        self.pointers.push((at, inner));
        self.value(of, value, inner)
    }

    fn fields(
        &mut self,
        described: &[Field],
        body: &Body,
        fields: &[(String, Value)],
        at: usize,
    ) -> Result<(), String> {
        if let Some((name, _)) = fields.iter().find(|(name, _)| described.iter().all(|field| field.name != *name)) {
            return Err(format!("it has a field `{name}`"));
        }
        for (field, place) in described.iter().zip(&body.places) {
            let given = fields.iter().find(|(name, _)| *name == field.name).map(|(_, value)| value);
            let value = given.ok_or_else(|| format!("it lacks the field `{}`", field.name))?;
            self.value(place.node, value, at + place.at).map_err(|reason| format!("{}: {reason}", field.name))?;
        }
        Ok(())
    }

    fn scalar(&mut self, scalar: Scalar, value: &Value, at: usize) -> Result<(), String> {
        match (scalar, value) {
            (Scalar::Bool, Value::Bool(flag)) => self.write(at, [u8::from(*flag)]),
            (Scalar::I8, Value::I8(number)) => self.write(at, number.to_ne_bytes()),
            (Scalar::I16, Value::I16(number)) => self.write(at, number.to_ne_bytes()),
            (Scalar::I32, Value::I32(number)) => self.write(at, number.to_ne_bytes()),
            (Scalar::I64, Value::I64(number)) => self.write(at, number.to_ne_bytes()),
            (Scalar::U8, Value::U8(number)) => self.write(at, number.to_ne_bytes()),
            (Scalar::U16, Value::U16(number)) => self.write(at, number.to_ne_bytes()),
            (Scalar::U32, Value::U32(number)) => self.write(at, number.to_ne_bytes()),
            (Scalar::U64, Value::U64(number)) => self.write(at, number.to_ne_bytes()),
            (Scalar::F32, Value::F32(number)) => self.write(at, number.to_ne_bytes()),
            (Scalar::F64, Value::F64(number)) => self.write(at, number.to_ne_bytes()),
            (Scalar::Char, Value::Char(letter)) => self.write(at, u32::from(*letter).to_ne_bytes()),
            (scalar, value) => return Err(format!("it is a {}, and not {}", value.kind(), scalar.name())),
        }
        Ok(())
    }
}

fn find_case<'a>(schema: &'a Schema, definition: u32, name: &str) -> Result<(u32, &'a [Field]), String> {
    let (Shape::Enum(cases) | Shape::Variant(cases)) = &schema.definition(definition).shape else { unreachable!() };
    let mut numbered = (0u32..).zip(cases);
    let found = numbered.find(|(_, case)| case.name == name);
    found.map(|(tag, case)| (tag, case.fields.as_slice())).ok_or_else(|| format!("there is no case `{name}`"))
}

/// Reads a value that this program has lowered itself.
///
/// # Safety
///
/// `from` must point to a value of the node, lowered by the implementation of [`Type`](crate::Type).
pub(crate) unsafe fn read(schema: &Schema, plan: &Plan, id: NodeId, from: *const u8) -> Value {
    // Of all blocks: offsets and sizes are those of the node, and pointers lead to values of their nodes.
    // SAFETY: the caller promises a value of the node.
    let read_at = |id: NodeId, at: usize| unsafe { read(schema, plan, id, from.add(at)) };
    // SAFETY: called for a sequence, which the caller promises.
    let sequence = || unsafe { from.cast::<Sequence>().read() };
    let items = |stride: usize| {
        let (start, len) = sequence();
        // SAFETY: the sequence has `len` elements (the caller's promise).
        (0..len).map(move |i| unsafe { start.add(i * stride) })
    };
    let bytes = || match sequence() {
        (_, 0) => Vec::new(),
        // SAFETY: the sequence has `len` bytes (the caller's promise).
        (start, len) => unsafe { std::slice::from_raw_parts(start, len) }.to_vec(),
    };
    let fields = |described: &[Field], body: &Body, at: usize| {
        let places = described.iter().zip(&body.places);
        places.map(|(field, place)| (field.name.clone(), read_at(place.node, at + place.at))).collect::<Vec<_>>()
    };
    // SAFETY: called for an enum, a variant or a result, which the caller promises.
    let tag = || unsafe { from.cast::<u32>().read() };
    // SAFETY: the caller promises a value of the node.
    unsafe {
        match &plan.node(id).kind {
            Kind::Unit | Kind::Object { .. } => Value::Unit,
            Kind::Scalar(scalar) => read_scalar(*scalar, from),
            Kind::String => Value::String(String::from_utf8_lossy(&bytes()).into_owned()),
            Kind::Bytes => Value::Bytes(bytes()),
            Kind::List(of) => {
                Value::List(items(plan.node(*of).size).map(|item| read(schema, plan, *of, item)).collect())
            }
            Kind::Map { key, value, value_at, stride, .. } => {
                let entry = |entry: *const u8| {
                    (read(schema, plan, *key, entry), read(schema, plan, *value, entry.add(*value_at)))
                };
                Value::Map(items(*stride).map(entry).collect())
            }
            Kind::Option { of, at } => Value::Option((from.read() != 0).then(|| Box::new(read_at(*of, *at)))),
            Kind::Nullable(of) => {
                let inner = from.cast::<*const u8>().read();
                Value::Option((!inner.is_null()).then(|| Box::new(read(schema, plan, *of, inner))))
            }
            Kind::Box(of) => read(schema, plan, *of, from.cast::<*const u8>().read()),
            Kind::Tuple(places) => Value::Tuple(places.iter().map(|place| read_at(place.node, place.at)).collect()),
            Kind::Record(number, body) => {
                let Shape::Record(described) = &schema.definition(*number).shape else { unreachable!() };
                Value::Record(fields(described, body, 0))
            }
            Kind::Enum(number, _) => Value::Enum(case(schema, *number, tag()).0),
            Kind::Variant { definition, at, cases } => {
                let (case, described) = case(schema, *definition, tag());
                Value::Variant { case, fields: fields(described, &cases[tag() as usize], *at) }
            }
            Kind::Result { ok, err, at } => Value::Result(match tag() {
                0 => Ok(Box::new(read_at(*ok, *at))),
                _ => Err(Box::new(read_at(*err, *at))),
            }),
        }
    }
}

fn case(schema: &Schema, definition: u32, tag: u32) -> (String, &[Field]) {
    let (Shape::Enum(cases) | Shape::Variant(cases)) = &schema.definition(definition).shape else { unreachable!() };
    let case = &cases[tag as usize];
    (case.name.clone(), &case.fields)
}

/// # Safety
///
/// `from` must point to a value of the scalar, lowered by the implementation of [`Type`](crate::Type).
unsafe fn read_scalar(scalar: Scalar, from: *const u8) -> Value {
    // SAFETY: of the whole block: the caller promises a value of the scalar.
    unsafe {
        match scalar {
            Scalar::Bool => Value::Bool(from.read() != 0),
            Scalar::I8 => Value::I8(from.cast::<i8>().read()),
            Scalar::I16 => Value::I16(from.cast::<i16>().read()),
            Scalar::I32 => Value::I32(from.cast::<i32>().read()),
            Scalar::I64 => Value::I64(from.cast::<i64>().read()),
            Scalar::U8 => Value::U8(from.read()),
            Scalar::U16 => Value::U16(from.cast::<u16>().read()),
            Scalar::U32 => Value::U32(from.cast::<u32>().read()),
            Scalar::U64 => Value::U64(from.cast::<u64>().read()),
            Scalar::F32 => Value::F32(from.cast::<f32>().read()),
            Scalar::F64 => Value::F64(from.cast::<f64>().read()),
            Scalar::Char => {
                Value::Char(char::from_u32(from.cast::<u32>().read()).unwrap_or(char::REPLACEMENT_CHARACTER))
            }
        }
    }
}
