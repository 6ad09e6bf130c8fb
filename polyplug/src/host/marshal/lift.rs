//! Lifts values from canonical memory to values of an engine.
//!
//! MEMORY is the condition of every unsafe function here: the caller guarantees that `from` points to initialised
//! memory of the node's canonical layout, aligned, whose pointers are null or lead to readable memory of the lengths
//! beside them. All else is checked: tags, lengths, alignments, text.

use super::build::Build;
use super::keys::Keys;
use super::located::Located;
use super::number::{Float, Integer};
use crate::schema::plan::{Body, Kind, NodeId, Plan};
use crate::schema::{Field, Scalar, Schema, Shape};
use crate::types::{Depth, LiftError, RawList, Type};

/// Lifts values of one contract.
#[derive(Clone, Copy)]
pub(crate) struct Lifting<'a> {
    /// The contract.
    pub(crate) schema: &'a Schema,
    /// The plan compiled from the schema.
    pub(crate) plan: &'a Plan,
}

impl Lifting<'_> {
    /// Lifts the value of the node `id` from the memory at `from`.
    ///
    /// # Errors
    ///
    /// The memory does not hold a valid value, or the engine cannot make the value.
    ///
    /// # Safety
    ///
    /// `from` must point to initialised memory of the node's canonical layout, aligned, whose pointers are null or lead
    /// to readable memory of the lengths beside them.
    #[inline(always)]
    pub(crate) unsafe fn value<E: Build>(
        &self,
        engine: &mut E,
        id: NodeId,
        from: *const u8,
    ) -> Result<E::Value, E::Error> {
        // Scalars take the shortest path.
        match self.plan.node(id).kind {
            // SAFETY: MEMORY.
            Kind::Scalar(scalar) => unsafe { lift_scalar(engine, scalar, from) },
            // SAFETY: MEMORY.
            _ => unsafe { self.part(engine, id, from, Depth::ROOT, false) },
        }
    }

    #[allow(clippy::too_many_lines)] // one line a kind of value
    unsafe fn part<E: Build>(
        &self,
        engine: &mut E,
        id: NodeId,
        from: *const u8,
        depth: Depth,
        is_item: bool,
    ) -> Result<E::Value, E::Error> {
        let kind = &self.plan.node(id).kind;
        match kind {
            // SAFETY: MEMORY.
            Kind::Scalar(scalar) => unsafe { lift_scalar(engine, *scalar, from) },
            Kind::Unit if is_item => engine.unit_item(),
            Kind::Unit => engine.unit(),
            // SAFETY: MEMORY; a text or bytes are a list of bytes.
            Kind::String => engine.unchecked_text(unsafe { from.cast::<RawList<u8>>().read().items() }?),
            // SAFETY: MEMORY; a text or bytes are a list of bytes.
            Kind::Bytes => engine.bytes(unsafe { from.cast::<RawList<u8>>().read().items() }?),
            Kind::List(of) => {
                let node = self.plan.node(*of);
                let depth = depth.enter()?;
                // SAFETY: MEMORY; the node is a list of elements of this size and alignment.
                let items = unsafe { elements(from, node.size, node.align) }?;
                let mut list = engine.list(items.len())?;
                for (i, at) in items.enumerate() {
                    // SAFETY: MEMORY; `at` is the address of an element.
                    let item = unsafe { self.part(engine, *of, at, depth, true) }.map_err(|error| error.at(i))?;
                    engine.put_item(&mut list, i, item)?;
                }
                Ok(list)
            }
            Kind::Option { of, at } => {
                // SAFETY: MEMORY; an option begins with its tag.
                match unsafe { from.read() } {
                    0 => engine.none(is_item),
                    1 => {
                        // SAFETY: MEMORY; the value lies within the node, and is initialised as the tag is 1.
                        let value = unsafe { self.part(engine, *of, from.add(*at), depth, is_item) }?;
                        engine.some(value, self.plan.may_be_none(*of))
                    }
                    tag => Err(LiftError::tag("option", tag.into(), 2).into()),
                }
            }
            Kind::Nullable(of) => {
                // SAFETY: MEMORY; the node is a pointer.
                if unsafe { from.cast::<*const u8>().read() }.is_null() {
                    return engine.none(is_item);
                }
                // SAFETY: MEMORY; the node is a pointer.
                let value = unsafe { self.boxed(engine, *of, from, depth, is_item) }?;
                engine.some(value, self.plan.may_be_none(*of))
            }
            // SAFETY: MEMORY; the node is a pointer.
            Kind::Box(of) => unsafe { self.boxed(engine, *of, from, depth, is_item) },
            Kind::Map { key, value: of, value_at, stride, align } => {
                let depth = depth.enter()?;
                // SAFETY: MEMORY; a map is a list of entries of this size and alignment.
                let entries = unsafe { elements(from, *stride, *align) }?;
                let mut map = engine.map(entries.len())?;
                let mut seen = Keys::new(self.plan, *key)?;
                for (i, at) in entries.enumerate() {
                    // SAFETY: MEMORY; key and value lie within the entry at `at`, and `part` found the key valid.
                    unsafe {
                        let name = self
                            .part(engine, *key, at, depth, true)
                            .map_err(|error| error.within("key".into()).at(i))?;
                        seen.insert(at).map_err(|error| error.at(i))?;
                        let value = self
                            .part(engine, *of, at.add(*value_at), depth, true)
                            .map_err(|error| error.within("value".into()).at(i))?;
                        engine.put_entry(&mut map, name, value)?;
                    }
                }
                Ok(map)
            }
            Kind::Tuple(places) => {
                let mut tuple = engine.tuple(places.len())?;
                for (i, place) in places.iter().enumerate() {
                    // SAFETY: MEMORY; the part lies within the node.
                    let part = unsafe { self.part(engine, place.node, from.add(place.at), depth, true) }
                        .map_err(|error| error.within(i.to_string().into()))?;
                    engine.put_item(&mut tuple, i, part)?;
                }
                Ok(tuple)
            }
            Kind::Object { definition, methods } => {
                // SAFETY: MEMORY; the node is a lowered object, any bit pattern of which is valid.
                engine
                    .object(*definition, methods, unsafe { from.cast::<polyplug_abi::GuestContractInstance>().read() })
            }
            Kind::Record(number, body) => {
                let Shape::Record(fields) = &self.schema.definition(*number).shape else { unreachable!() };
                // SAFETY: MEMORY; the fields lie within the node.
                unsafe { self.fields(engine, fields, body, from, depth) }
            }
            Kind::Enum(definition, cases) => {
                // SAFETY: MEMORY; an enum is its tag.
                let tag = unsafe { from.cast::<u32>().read() };
                if tag >= *cases {
                    return Err(LiftError::tag(&self.schema.definition(*definition).name, tag, *cases).into());
                }
                engine.case(*definition, tag)
            }
            Kind::Variant { definition, at, cases } => {
                let definition = self.schema.definition(*definition);
                let Shape::Variant(described) = &definition.shape else { unreachable!() };
                // SAFETY: MEMORY; a variant begins with its tag.
                let tag = unsafe { from.cast::<u32>().read() };
                let Some((body, case)) = cases.get(tag as usize).zip(described.get(tag as usize)) else {
                    let cases = u32::try_from(cases.len()).unwrap_or(u32::MAX);
                    return Err(LiftError::tag(&definition.name, tag, cases).into());
                };
                // SAFETY: MEMORY; the fields lie within the node, and those of the tag's case are initialised.
                unsafe { self.fields(engine, &case.fields, body, from.add(*at), depth) }
                    .map_err(|error| error.within(case.name.clone().into()))
            }
            Kind::Result { ok, err, at } => {
                // SAFETY: MEMORY; a result begins with its tag.
                let (of, name, is_ok) = match unsafe { from.cast::<u32>().read() } {
                    0 => (ok, "ok", true),
                    1 => (err, "err", false),
                    tag => return Err(LiftError::tag("result", tag, 2).into()),
                };
                // SAFETY: MEMORY; the value lies within the node, and is initialised as the tag says.
                let value = unsafe { self.part(engine, *of, from.add(*at), depth, false) }
                    .map_err(|error| error.within(name.into()))?;
                engine.result(value, is_ok)
            }
        }
    }

    unsafe fn fields<E: Build>(
        &self,
        engine: &mut E,
        described: &[Field],
        body: &Body,
        from: *const u8,
        depth: Depth,
    ) -> Result<E::Value, E::Error> {
        let mut whole = engine.begin(body)?;
        for (i, (field, place)) in described.iter().zip(&body.places).enumerate() {
            // SAFETY: MEMORY; the field lies within the record or case.
            let value = unsafe { self.part(engine, place.node, from.add(place.at), depth, false) }
                .map_err(|error| error.within(field.name.clone().into()))?;
            engine.put_field(&mut whole, body, i, value)?;
        }
        engine.finish(whole, body)
    }

    /// Lifts the value that the pointer at `from` leads to.
    unsafe fn boxed<E: Build>(
        &self,
        engine: &mut E,
        of: NodeId,
        from: *const u8,
        depth: Depth,
        is_item: bool,
    ) -> Result<E::Value, E::Error> {
        // SAFETY: MEMORY; the node is a pointer.
        let start = unsafe { from.cast::<*const u8>().read() };
        if start.is_null() || !(start as usize).is_multiple_of(self.plan.node(of).align) {
            return Err(LiftError::pointer("box").into());
        }
        // SAFETY: MEMORY, for the node that the pointer leads to; not null and aligned (checked above).
        unsafe { self.part(engine, of, start, depth.enter()?, is_item) }
    }
}

/// Lifts a scalar.
///
/// # Safety
///
/// `from` must point to initialised memory of the scalar, aligned.
#[inline(always)]
unsafe fn lift_scalar<E: Build>(engine: &mut E, scalar: Scalar, from: *const u8) -> Result<E::Value, E::Error> {
    // Lifted by the Rust types, so that there is one set of checks.
    macro_rules! lift {
        ($ty:ty) => {
            // SAFETY: MEMORY; the node is a scalar of this type.
            unsafe { <$ty as Type>::lift(&*from.cast(), Depth::ROOT) }?
        };
    }
    match scalar {
        Scalar::Bool => engine.bool(lift!(bool)),
        Scalar::I8 => engine.integer(Integer::I8(lift!(i8))),
        Scalar::I16 => engine.integer(Integer::I16(lift!(i16))),
        Scalar::I32 => engine.integer(Integer::I32(lift!(i32))),
        Scalar::I64 => engine.integer(Integer::I64(lift!(i64))),
        Scalar::U8 => engine.integer(Integer::U8(lift!(u8))),
        Scalar::U16 => engine.integer(Integer::U16(lift!(u16))),
        Scalar::U32 => engine.integer(Integer::U32(lift!(u32))),
        Scalar::U64 => engine.integer(Integer::U64(lift!(u64))),
        Scalar::F32 => engine.float(Float::F32(lift!(f32))),
        Scalar::F64 => engine.float(Float::F64(lift!(f64))),
        Scalar::Char => engine.char(lift!(char)),
    }
}

/// Returns the addresses of a list's elements, after every check that can be made without reading the elements.
unsafe fn elements(
    from: *const u8,
    size: usize,
    align: usize,
) -> Result<impl ExactSizeIterator<Item = *const u8>, LiftError> {
    // SAFETY: MEMORY; the node is a list.
    let list = unsafe { from.cast::<RawList<u8>>().read() };
    if list.len > 0 {
        if list.ptr.is_null() || !(list.ptr as usize).is_multiple_of(align) {
            return Err(LiftError::pointer("list"));
        }
        if list.len > isize::MAX as usize / size.max(1) {
            return Err(LiftError::new(format_args!("a list of {} elements cannot exist", list.len)));
        }
    }
    // SAFETY: MEMORY; `i` is less than the list's length, so the element lies within the list.
    Ok((0..list.len).map(move |i| unsafe { list.ptr.add(i * size) }))
}
