//! From values to canonical memory.

use std::collections::HashSet;

use polyplug_abi::CallArena;

use crate::brief::Brief;
use crate::schema::plan::{Kind, NodeId, Place, Plan};
use crate::schema::{Field, Schema, Shape};
use crate::types::{Depth, LiftError, RawList};
use crate::value::Value;

/// Lowers arguments. Text and bytes are lent where they lie.
pub(super) struct Lowering<'a> {
    pub(super) schema: &'a Schema,
    pub(super) plan: &'a Plan,
    pub(super) arena: *mut CallArena,
}

impl Lowering<'_> {
    /// Writes `value` as `node` to `out`.
    ///
    /// # Safety
    ///
    /// `out` must be room for the node, aligned; the arena must be valid and ours.
    pub(super) unsafe fn value(&self, node: NodeId, value: &Value, out: *mut u8) -> Result<(), LiftError> {
        // SAFETY: the caller's promise.
        unsafe { self.at_depth(node, value, out, Depth::ROOT) }
    }

    #[allow(clippy::too_many_lines)] // one line a kind of value
    unsafe fn at_depth(&self, id: NodeId, value: &Value, out: *mut u8, depth: Depth) -> Result<(), LiftError> {
        macro_rules! put {
            ($value:expr) => {
                // SAFETY: `out` is room for this scalar, aligned (the caller's promise).
                unsafe { write(out, $value) }
            };
        }
        macro_rules! integer {
            ($ty:ty) => {{
                let number = value.as_integer().ok_or_else(|| expected(stringify!($ty), value))?;
                let number = <$ty>::try_from(number)
                    .map_err(|_| LiftError::new(format_args!("{number} is out of range for {}", stringify!($ty))))?;
                put!(number)
            }};
        }
        let node = self.plan.node(id);
        match (&node.kind, value) {
            (Kind::Unit, Value::Unit) => {}
            (Kind::Bool, Value::Bool(flag)) => put!(u8::from(*flag)),
            (Kind::I8, _) => integer!(i8),
            (Kind::I16, _) => integer!(i16),
            (Kind::I32, _) => integer!(i32),
            (Kind::I64, _) => integer!(i64),
            (Kind::U8, _) => integer!(u8),
            (Kind::U16, _) => integer!(u16),
            (Kind::U32, _) => integer!(u32),
            (Kind::U64, _) => integer!(u64),
            (Kind::F32, Value::F32(number)) => put!(*number),
            (Kind::F64, Value::F64(number)) => put!(*number),
            (Kind::F64, Value::F32(number)) => put!(f64::from(*number)),
            (Kind::Char, Value::Char(letter)) => put!(u32::from(*letter)),
            (Kind::String, Value::String(text)) => put!(RawList { ptr: text.as_ptr(), len: text.len() }),
            (Kind::Bytes, Value::Bytes(bytes)) => put!(RawList { ptr: bytes.as_ptr(), len: bytes.len() }),
            // Bytes may come as a list of numbers as well.
            (Kind::Bytes, Value::List(items)) => {
                let start = self.room(items.len(), 1, 1)?;
                for (i, item) in items.iter().enumerate() {
                    let byte = item.as_integer().and_then(|number| u8::try_from(number).ok());
                    let byte = byte.ok_or_else(|| expected("u8", item).at(i))?;
                    // SAFETY: `start` is room for all items.
                    unsafe { start.add(i).write(byte) };
                }
                put!(RawList { ptr: start.cast_const(), len: items.len() });
            }
            (Kind::List(of), Value::List(items)) => {
                let depth = depth.enter()?;
                let element = self.plan.node(*of);
                let start = self.room(items.len(), element.size, element.align)?;
                for (i, item) in items.iter().enumerate() {
                    // SAFETY: `start` is room for all elements.
                    unsafe { self.at_depth(*of, item, start.add(i * element.size), depth) }
                        .map_err(|error| error.at(i))?;
                }
                put!(RawList { ptr: start.cast_const(), len: items.len() });
            }
            (Kind::Option { .. } | Kind::Nullable(_), Value::Option(None) | Value::Unit) => {
                // SAFETY: `out` is room for the node; none is a zero tag or a null pointer.
                unsafe { out.write_bytes(0, node.size) };
            }
            (Kind::Option { of, at }, value) => {
                let inner = if let Value::Option(Some(inner)) = value { inner } else { value };
                // SAFETY: the node begins with the tag, and the value lies within.
                unsafe {
                    out.write(1);
                    self.at_depth(*of, inner, out.add(*at), depth)?;
                }
            }
            (Kind::Nullable(of), value) => {
                let inner = if let Value::Option(Some(inner)) = value { inner } else { value };
                put!(self.boxed(*of, inner, depth)?);
            }
            (Kind::Box(of), value) => put!(self.boxed(*of, value, depth)?),
            (Kind::Map { key, value: of, value_at, stride, align }, Value::Map(entries)) => {
                let depth = depth.enter()?;
                let start = self.room(entries.len(), *stride, *align)?;
                let mut seen = HashSet::new();
                for (i, (name, value)) in entries.iter().enumerate() {
                    // SAFETY: `start` is room for all entries, and both parts lie within one.
                    unsafe {
                        let entry = start.add(i * stride);
                        self.at_depth(*key, name, entry, depth).map_err(|error| error.within("key").at(i))?;
                        self.at_depth(*of, value, entry.add(*value_at), depth)
                            .map_err(|error| error.within("value").at(i))?;
                    }
                    // By their texts, which are equal where the lowered forms are: numbers may come in any width.
                    if !seen.insert(name.to_string()) {
                        return Err(LiftError::new(format_args!("the key {} comes twice", Brief(name))).at(i));
                    }
                }
                put!(RawList { ptr: start.cast_const(), len: entries.len() });
            }
            (Kind::Tuple(places), Value::Tuple(parts)) if places.len() == parts.len() => {
                for (i, (place, part)) in places.iter().zip(parts).enumerate() {
                    // SAFETY: the part lies within the node.
                    unsafe { self.at_depth(place.node, part, out.add(place.at), depth) }
                        .map_err(|error| error.within(i.to_string()))?;
                }
            }
            (Kind::Object(_), _) => {
                return Err(LiftError::new("an object of a contract is no value: call through a typed proxy"));
            }
            (Kind::Record(number, places), Value::Record(fields)) => {
                let Shape::Record(described) = &self.schema.definition(*number).shape else { unreachable!() };
                // SAFETY: the fields lie within the node.
                unsafe { self.fields(described, places, fields, out, depth) }?;
            }
            (Kind::Enum(number, _), Value::Enum(case) | Value::String(case)) => put!(self.case(*number, case)?.0),
            (Kind::Variant { definition, at, cases }, value) => {
                let (case, fields) = match value {
                    Value::Variant { case, fields } => (case, fields.as_slice()),
                    Value::Enum(case) => (case, &[][..]),
                    other => return Err(expected(&self.spell(id), other)),
                };
                let (tag, described) = self.case(*definition, case)?;
                put!(tag);
                // SAFETY: the union lies within the node, and each case within the union.
                unsafe { self.fields(described, &cases[tag as usize], fields, out.add(*at), depth) }
                    .map_err(|error| error.within(case.clone()))?;
            }
            (Kind::Result { ok, err, at }, Value::Result(result)) => {
                let (tag, of, value) = match result {
                    Ok(value) => (0u32, ok, value),
                    Err(value) => (1, err, value),
                };
                put!(tag);
                // SAFETY: the union lies within the node.
                unsafe { self.at_depth(*of, value, out.add(*at), depth) }
                    .map_err(|error| error.within(if tag == 0 { "ok" } else { "err" }))?;
            }
            (_, value) => return Err(expected(&self.spell(id), value)),
        }
        Ok(())
    }

    unsafe fn fields(
        &self,
        described: &[Field],
        places: &[Place],
        given: &[(String, Value)],
        out: *mut u8,
        depth: Depth,
    ) -> Result<(), LiftError> {
        if let Some((name, _)) = given.iter().find(|(name, _)| described.iter().all(|field| field.name != *name)) {
            let known: Vec<_> = described.iter().map(|field| field.name.as_str()).collect();
            let name = Brief(name.as_str());
            return Err(LiftError::new(format_args!("there is no field `{name}`, only {}", known.join(", "))));
        }
        for (i, (field, place)) in described.iter().zip(places).enumerate() {
            // Usually given in order.
            let in_order = given.get(i).filter(|(name, _)| *name == field.name);
            let found = in_order.or_else(|| given.iter().find(|(name, _)| *name == field.name));
            let (_, value) = found.ok_or_else(|| LiftError::new("the field is missing").within(field.name.clone()))?;
            // SAFETY: the field lies within the record or case (the caller's promise).
            unsafe { self.at_depth(place.node, value, out.add(place.at), depth) }
                .map_err(|error| error.within(field.name.clone()))?;
        }
        Ok(())
    }

    fn case(&self, definition: u32, name: &str) -> Result<(u32, &[Field]), LiftError> {
        let definition = self.schema.definition(definition);
        let (Shape::Enum(cases) | Shape::Variant(cases)) = &definition.shape else { unreachable!() };
        let found = (0u32..).zip(cases).find(|(_, case)| case.name == name);
        found.map(|(tag, case)| (tag, case.fields.as_slice())).ok_or_else(|| {
            let (name, known) = (Brief(name), cases.iter().map(|case| case.name.as_str()).collect::<Vec<_>>());
            LiftError::new(format_args!("`{name}` is no case of {}, only {}", definition.name, known.join(", ")))
        })
    }

    fn boxed(&self, of: NodeId, value: &Value, depth: Depth) -> Result<*const u8, LiftError> {
        let node = self.plan.node(of);
        let depth = depth.enter()?;
        let start = self.room(1, node.size.max(1), node.align)?;
        // SAFETY: `start` is room for the node.
        unsafe { self.at_depth(of, value, start, depth) }?;
        Ok(start)
    }

    fn room(&self, count: usize, size: usize, align: usize) -> Result<*mut u8, LiftError> {
        let bytes = count.checked_mul(size);
        // SAFETY: the arena is valid and ours (promised to `value`).
        let start = bytes.map_or(std::ptr::null_mut(), |bytes| unsafe { (*self.arena).alloc(bytes, align) });
        if start.is_null() { Err(LiftError::limit("the value does not fit into memory")) } else { Ok(start) }
    }

    /// The type of a node as people write it.
    fn spell(&self, id: NodeId) -> String {
        let inner = |id: &NodeId| self.spell(*id);
        match &self.plan.node(id).kind {
            Kind::Unit => "()".to_owned(),
            Kind::Record(number, _) | Kind::Enum(number, _) | Kind::Variant { definition: number, .. } => {
                self.schema.definition(*number).name.clone()
            }
            Kind::List(of) => format!("list<{}>", inner(of)),
            Kind::Option { of, .. } => format!("option<{}>", inner(of)),
            Kind::Nullable(of) => format!("option<box<{}>>", inner(of)),
            Kind::Box(of) => format!("box<{}>", inner(of)),
            Kind::Map { key, value, .. } => format!("map<{}, {}>", inner(key), inner(value)),
            Kind::Tuple(places) => {
                let parts: Vec<_> = places.iter().map(|place| inner(&place.node)).collect();
                format!("tuple<{}>", parts.join(", "))
            }
            Kind::Result { ok, err, .. } => format!("result<{}, {}>", inner(ok), inner(err)),
            simple => format!("{simple:?}").to_lowercase(),
        }
    }
}

/// # Safety
///
/// `out` must be room for a `T`, aligned.
unsafe fn write<T>(out: *mut u8, value: T) {
    // SAFETY: the caller's promise.
    unsafe { out.cast::<T>().write(value) };
}

fn expected(what: &str, value: &Value) -> LiftError {
    match value {
        Value::Unit | Value::Bytes(_) => LiftError::new(format_args!("expected {what}, got {value}")),
        value => LiftError::new(format_args!("expected {what}, got {} {}", value.kind(), Brief(value))),
    }
}
