//! From canonical memory to values. Trusts nothing but that pointers lead to memory of the lengths beside them.

use std::collections::HashSet;

use crate::brief::Brief;
use crate::schema::plan::{Kind, NodeId, Place, Plan};
use crate::schema::{Case, Field, Schema, Shape};
use crate::types::{Depth, LiftError, RawList, Type};
use crate::value::Value;

/// Lifts results.
pub(super) struct Lifting<'a> {
    pub(super) schema: &'a Schema,
    pub(super) plan: &'a Plan,
}

impl Lifting<'_> {
    /// The value of the node at `from`.
    ///
    /// # Safety
    ///
    /// `from` must lead to initialised memory of the node's form, aligned, whose pointers are null or lead to readable
    /// memory of the lengths beside them.
    pub(super) unsafe fn value(&self, id: NodeId, from: *const u8, depth: Depth) -> Result<Value, LiftError> {
        // Scalars are lifted by the types themselves, so that there is one set of checks.
        macro_rules! scalar {
            ($ty:ty, $case:ident) => {
                // SAFETY: the memory has this form (the caller's promise).
                Value::$case(unsafe { <$ty as Type>::lift(&*from.cast(), depth) }?)
            };
        }
        Ok(match &self.plan.node(id).kind {
            Kind::Unit => Value::Unit,
            Kind::Bool => scalar!(bool, Bool),
            Kind::I8 => scalar!(i8, I8),
            Kind::I16 => scalar!(i16, I16),
            Kind::I32 => scalar!(i32, I32),
            Kind::I64 => scalar!(i64, I64),
            Kind::U8 => scalar!(u8, U8),
            Kind::U16 => scalar!(u16, U16),
            Kind::U32 => scalar!(u32, U32),
            Kind::U64 => scalar!(u64, U64),
            Kind::F32 => scalar!(f32, F32),
            Kind::F64 => scalar!(f64, F64),
            Kind::Char => scalar!(char, Char),
            Kind::String => scalar!(String, String),
            Kind::Bytes => scalar!(Vec<u8>, Bytes),
            Kind::List(of) => {
                let node = self.plan.node(*of);
                let depth = depth.enter()?;
                let mut items = Vec::new();
                // SAFETY: the memory is a list of this node (the caller's promise).
                for (i, at) in unsafe { elements(from, node.size, node.align) }?.enumerate() {
                    // SAFETY: as above.
                    items.push(unsafe { self.value(*of, at, depth) }.map_err(|error| error.at(i))?);
                }
                Value::List(items)
            }
            Kind::Option { of, at } => {
                // SAFETY: the node begins with the tag, and the value lies within.
                match unsafe { from.read() } {
                    0 => Value::Option(None),
                    // SAFETY: tag 1 says that there is a value.
                    1 => Value::Option(Some(Box::new(unsafe { self.value(*of, from.add(*at), depth) }?))),
                    tag => return Err(LiftError::tag("option", tag.into(), 2)),
                }
            }
            Kind::Nullable(of) => {
                // SAFETY: the memory is a pointer (the caller's promise).
                if unsafe { from.cast::<*const u8>().read() }.is_null() {
                    Value::Option(None)
                } else {
                    // SAFETY: as above, and not null.
                    Value::Option(Some(Box::new(unsafe { self.boxed(*of, from, depth) }?)))
                }
            }
            // SAFETY: the memory is a pointer (the caller's promise).
            Kind::Box(of) => unsafe { self.boxed(*of, from, depth) }?,
            Kind::Map { key, value, value_at, stride, align } => {
                let depth = depth.enter()?;
                let mut entries: Vec<(Value, Value)> = Vec::new();
                let mut seen = HashSet::new();
                // SAFETY: the memory is a list of entries (the caller's promise).
                for (i, at) in unsafe { elements(from, *stride, *align) }?.enumerate() {
                    // SAFETY: both parts lie within the entry.
                    let (name, value) = unsafe {
                        let name = self.value(*key, at, depth).map_err(|error| error.within("key").at(i))?;
                        let value = self.value(*value, at.add(*value_at), depth);
                        (name, value.map_err(|error| error.within("value").at(i))?)
                    };
                    if !seen.insert(name.to_string()) {
                        return Err(LiftError::new(format_args!("the key {} comes twice", Brief(&name))).at(i));
                    }
                    entries.push((name, value));
                }
                Value::Map(entries)
            }
            Kind::Tuple(places) => {
                let part = |(i, place): (usize, &Place)| {
                    // SAFETY: the part lies within the node.
                    unsafe { self.value(place.node, from.add(place.at), depth) }
                        .map_err(|error| error.within(i.to_string()))
                };
                Value::Tuple(places.iter().enumerate().map(part).collect::<Result<_, _>>()?)
            }
            Kind::Object(_) => return Err(LiftError::new("an object of a contract is no value")),
            Kind::Record(number, places) => {
                let Shape::Record(fields) = &self.schema.definition(*number).shape else { unreachable!() };
                // SAFETY: the fields lie within the node.
                Value::Record(unsafe { self.fields(fields, places, from, depth) }?)
            }
            Kind::Enum(number, _) => {
                // SAFETY: the memory is a tag (the caller's promise).
                let (case, _) = self.case(*number, unsafe { from.cast::<u32>().read() })?;
                Value::Enum(case.name.clone())
            }
            Kind::Variant { definition, at, cases } => {
                // SAFETY: the node begins with the tag.
                let (case, number) = self.case(*definition, unsafe { from.cast::<u32>().read() })?;
                // SAFETY: the tag says which case was filled in.
                let fields = unsafe { self.fields(&case.fields, &cases[number], from.add(*at), depth) }
                    .map_err(|error| error.within(case.name.clone()))?;
                Value::Variant { case: case.name.clone(), fields }
            }
            Kind::Result { ok, err, at } => {
                // SAFETY: the node begins with the tag, which says which of the two was filled in.
                unsafe {
                    match from.cast::<u32>().read() {
                        0 => Value::Result(Ok(Box::new(
                            self.value(*ok, from.add(*at), depth).map_err(|error| error.within("ok"))?,
                        ))),
                        1 => Value::Result(Err(Box::new(
                            self.value(*err, from.add(*at), depth).map_err(|error| error.within("err"))?,
                        ))),
                        tag => return Err(LiftError::tag("result", tag, 2)),
                    }
                }
            }
        })
    }

    unsafe fn fields(
        &self,
        described: &[Field],
        places: &[Place],
        from: *const u8,
        depth: Depth,
    ) -> Result<Vec<(String, Value)>, LiftError> {
        described
            .iter()
            .zip(places)
            .map(|(field, place)| {
                // SAFETY: the field lies within the record or case (the caller's promise).
                let value = unsafe { self.value(place.node, from.add(place.at), depth) };
                Ok((field.name.clone(), value.map_err(|error| error.within(field.name.clone()))?))
            })
            .collect()
    }

    fn case(&self, definition: u32, tag: u32) -> Result<(&Case, usize), LiftError> {
        let definition = self.schema.definition(definition);
        let (Shape::Enum(cases) | Shape::Variant(cases)) = &definition.shape else { unreachable!() };
        let case = cases.get(tag as usize);
        case.map(|case| (case, tag as usize))
            .ok_or_else(|| LiftError::tag(&definition.name, tag, u32::try_from(cases.len()).unwrap_or(u32::MAX)))
    }

    /// What the pointer at `from` leads to.
    unsafe fn boxed(&self, of: NodeId, from: *const u8, depth: Depth) -> Result<Value, LiftError> {
        // SAFETY: the memory is a pointer (the caller's promise).
        let start = unsafe { from.cast::<*const u8>().read() };
        if start.is_null() || !(start as usize).is_multiple_of(self.plan.node(of).align) {
            return Err(LiftError::pointer("box"));
        }
        // SAFETY: not null and aligned (checked above), readable by the caller's promise.
        unsafe { self.value(of, start, depth.enter()?) }
    }
}

/// The addresses of a list's elements, after every check that can be made without reading them.
unsafe fn elements(from: *const u8, size: usize, align: usize) -> Result<impl Iterator<Item = *const u8>, LiftError> {
    // SAFETY: the memory is a list (the caller's promise).
    let list = unsafe { from.cast::<RawList<u8>>().read() };
    if list.len > 0 {
        if list.ptr.is_null() || !(list.ptr as usize).is_multiple_of(align) {
            return Err(LiftError::pointer("list"));
        }
        if list.len > isize::MAX as usize / size.max(1) {
            return Err(LiftError::new(format_args!("a list of {} elements cannot exist", list.len)));
        }
    }
    // SAFETY: within the list, whose extent is the caller's promise.
    Ok((0..list.len).map(move |i| unsafe { list.ptr.add(i * size) }))
}
