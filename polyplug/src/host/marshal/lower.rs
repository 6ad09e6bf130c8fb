//! Lowers values of an engine to canonical memory.
//!
//! BUFFER is the condition of every unsafe function here: the caller guarantees that `out` points to a writable buffer
//! of the node's size, aligned. The caller of [`Lowering::value`] guarantees the arena as well.

use std::cell::RefCell;
use std::ffi::c_void;

use polyplug_abi::CallArena;

use super::keys::Keys;
use super::located::Located;
use super::read::{CaseOf, RawText, Read};
use crate::host::error::suggest::did_you_mean;
use crate::schema::plan::{Body, Kind, NodeId, Place, Plan};
use crate::schema::{Case, Field, Scalar, Schema, Shape};
use crate::truncate::Truncated;
use crate::types::{Depth, LiftError, RawList};

/// Lowers values of one contract.
#[derive(Clone, Copy)]
pub(crate) struct Lowering<'a> {
    /// The contract.
    pub(crate) schema: &'a Schema,
    /// The plan compiled from the schema.
    pub(crate) plan: &'a Plan,
    /// The arena for the memory that lowered values point to.
    pub(crate) arena: *mut CallArena,
    /// The list to which the tokens of objects that are handed over are added.
    pub(crate) offered: Option<&'a RefCell<Vec<*mut c_void>>>,
}

impl Lowering<'_> {
    /// Lowers `value` as the node `node` to the buffer `out`.
    ///
    /// # Errors
    ///
    /// The value is not of the node's type, or the engine cannot read the value.
    ///
    /// # Safety
    ///
    /// `out` must point to a writable buffer of the node's size, aligned. The arena must be valid and not used by
    /// anything else during the call; it may be null if the node has no pointers.
    #[inline]
    pub(crate) unsafe fn value<E: Read>(
        &self,
        engine: &mut E,
        node: NodeId,
        value: &E::Value,
        out: *mut u8,
    ) -> Result<(), E::Error> {
        // Scalars take the shortest path.
        if let Kind::Scalar(scalar) = self.plan.node(node).kind {
            // SAFETY: BUFFER; the node is that scalar.
            return unsafe { self.scalar(engine, node, scalar, value, out) };
        }
        // SAFETY: BUFFER; the caller guarantees an arena if the node has pointers.
        unsafe { self.part(engine, node, value, out, Depth::ROOT) }
    }

    /// Lowers `value` as the node `node`, which is `scalar`.
    ///
    /// # Errors
    ///
    /// The value is not of the scalar's type, or out of its range.
    ///
    /// # Safety
    ///
    /// `out` must point to a writable buffer for the scalar, aligned.
    #[inline(always)]
    pub(crate) unsafe fn scalar<E: Read>(
        &self,
        engine: &mut E,
        node: NodeId,
        scalar: Scalar,
        value: &E::Value,
        out: *mut u8,
    ) -> Result<(), E::Error> {
        // SAFETY: BUFFER.
        let written = unsafe { lower_scalar(engine, scalar, value, out) };
        written.map_err(|refused| self.refused(engine, node, value, refused))
    }

    /// Lowers a value of any kind. The kinds that have parts are functions of their own, so that a level of nesting needs
    /// little stack in builds without optimisation, too.
    unsafe fn part<E: Read>(
        &self,
        engine: &mut E,
        id: NodeId,
        value: &E::Value,
        out: *mut u8,
        depth: Depth,
    ) -> Result<(), E::Error> {
        let node = self.plan.node(id);
        // SAFETY: BUFFER, for each function; the offsets and nodes are those of the node.
        unsafe {
            match &node.kind {
                Kind::Scalar(scalar) => lower_scalar(engine, *scalar, value, out)
                    .map_err(|refused| self.refused(engine, id, value, refused)),
                Kind::Unit if engine.is_unit(value) => Ok(()),
                Kind::Unit => Err(self.expected(engine, id, value)),
                Kind::String => self.text(engine, id, value, out),
                Kind::Bytes => self.bytes(engine, id, value, out),
                Kind::List(of) => self.list(engine, id, *of, value, out, depth),
                Kind::Option { of, at } => self.option(engine, id, (*of, *at), value, out, depth),
                Kind::Nullable(of) => self.nullable(engine, id, *of, value, out, depth),
                Kind::Box(of) => self.boxed(engine, *of, value, out, depth),
                Kind::Map { .. } => self.map(engine, id, value, out, depth),
                Kind::Tuple(places) => self.tuple(engine, id, places, value, out, depth),
                Kind::Object { definition, methods } => {
                    let object = engine.object(value, *definition, methods)?;
                    if let Some(offered) = self.offered {
                        offered.borrow_mut().push(object.data);
                    }
                    write(out, object);
                    Ok(())
                }
                Kind::Record(number, body) => {
                    let Shape::Record(described) = &self.schema.definition(*number).shape else { unreachable!() };
                    if !engine.has_fields(value, body) {
                        return Err(self.expected_record(engine, id, body, value));
                    }
                    self.fields(engine, described, body, value, out, depth)
                }
                Kind::Enum(definition, _) => self.case(engine, id, *definition, value, out),
                Kind::Variant { definition, at, cases } => {
                    self.variant(engine, id, (*definition, *at, cases), value, out, depth)
                }
                Kind::Result { ok, err, at } => self.result(engine, id, (*ok, *err, *at), value, out, depth),
            }
        }
    }

    unsafe fn text<E: Read>(&self, engine: &mut E, id: NodeId, value: &E::Value, out: *mut u8) -> Result<(), E::Error> {
        // The receiver checks that the text is UTF-8.
        let Some(RawText { ptr, len }) = engine.text(value) else { return Err(self.expected(engine, id, value)) };
        // SAFETY: BUFFER; the text is readable until the value is released (guaranteed by the implementation of `Read`).
        unsafe { write(out, self.keep::<E>(RawList { ptr, len }.items()?)?) };
        Ok(())
    }

    unsafe fn bytes<E: Read>(
        &self,
        engine: &mut E,
        id: NodeId,
        value: &E::Value,
        out: *mut u8,
    ) -> Result<(), E::Error> {
        if let Some(RawText { ptr, len }) = engine.bytes(value) {
            // SAFETY: BUFFER; the bytes are readable until the value is released (guaranteed by the implementation of
            // `Read`).
            unsafe { write(out, self.keep::<E>(RawList { ptr, len }.items()?)?) };
            return Ok(());
        }
        // An engine may have bytes as a list of numbers as well.
        let Some((mut items, len)) = engine.list(value)? else { return Err(self.expected(engine, id, value)) };
        let start = self.allocate(len, 1, 1)?;
        for i in 0..len {
            let item = engine.item(&mut items, i).map_err(|error| error.at(i))?;
            let byte = engine.integer(&item).and_then(|number| u8::try_from(number).ok());
            let wrong = if byte.is_none() { engine.describe(&item) } else { String::new() };
            engine.release(item);
            let Some(byte) = byte else {
                return Err(LiftError::new(format_args!("expected u8, got {wrong}")).at(i).into());
            };
            // SAFETY: `start` is a buffer for all items, and `i` is less than their number.
            unsafe { start.add(i).write(byte) };
        }
        // SAFETY: BUFFER; the node is a list.
        unsafe { write(out, RawList { ptr: start.cast_const(), len }) };
        Ok(())
    }

    unsafe fn list<E: Read>(
        &self,
        engine: &mut E,
        id: NodeId,
        of: NodeId,
        value: &E::Value,
        out: *mut u8,
        depth: Depth,
    ) -> Result<(), E::Error> {
        engine.proceed()?;
        let Some((mut items, len)) = engine.list(value)? else { return Err(self.expected(engine, id, value)) };
        let depth = depth.enter()?;
        let element = self.plan.node(of);
        let start = self.allocate(len, element.size, element.align)?;
        for i in 0..len {
            let item = engine.item(&mut items, i).map_err(|error| error.at(i))?;
            // SAFETY: `start` is a buffer for all elements, and `i` is less than their number.
            let written = unsafe { self.part(engine, of, &item, start.add(i * element.size), depth) };
            engine.release(item);
            written.map_err(|error| error.at(i))?;
        }
        // SAFETY: BUFFER; the node is a list.
        unsafe { write(out, RawList { ptr: start.cast_const(), len }) };
        Ok(())
    }

    unsafe fn option<E: Read>(
        &self,
        engine: &mut E,
        id: NodeId,
        (of, at): (NodeId, usize),
        value: &E::Value,
        out: *mut u8,
        depth: Depth,
    ) -> Result<(), E::Error> {
        if engine.is_none(value) {
            // SAFETY: BUFFER; an option without a value has the tag 0.
            unsafe { out.write_bytes(0, self.plan.node(id).size) };
            return Ok(());
        }
        let inner = engine.some(value, self.plan.may_be_none(of));
        let Some(inner) = inner else { return Err(self.expected(engine, id, value)) };
        // SAFETY: BUFFER; the node begins with its tag, and the value lies within the node.
        let written = unsafe {
            out.write(1);
            self.part(engine, of, &inner, out.add(at), depth)
        };
        engine.release(inner);
        written
    }

    unsafe fn nullable<E: Read>(
        &self,
        engine: &mut E,
        id: NodeId,
        of: NodeId,
        value: &E::Value,
        out: *mut u8,
        depth: Depth,
    ) -> Result<(), E::Error> {
        if engine.is_none(value) {
            // SAFETY: BUFFER; the node is a pointer.
            unsafe { write(out, std::ptr::null::<u8>()) };
            return Ok(());
        }
        let inner = engine.some(value, self.plan.may_be_none(of));
        let Some(inner) = inner else { return Err(self.expected(engine, id, value)) };
        // SAFETY: BUFFER; the node is a pointer.
        let written = unsafe { self.boxed(engine, of, &inner, out, depth) };
        engine.release(inner);
        written
    }

    unsafe fn map<E: Read>(
        &self,
        engine: &mut E,
        id: NodeId,
        value: &E::Value,
        out: *mut u8,
        depth: Depth,
    ) -> Result<(), E::Error> {
        let Kind::Map { key, value: of, value_at, stride, align } = &self.plan.node(id).kind else { unreachable!() };
        engine.proceed()?;
        let Some((mut entries, len)) = engine.map(value)? else { return Err(self.expected(engine, id, value)) };
        let depth = depth.enter()?;
        let start = self.allocate(len, *stride, *align)?;
        let mut seen = Keys::new(self.plan, *key)?;
        let mut i = 0;
        while let Some((name, value)) = engine.entry(&mut entries)? {
            if i == len {
                engine.release(value);
                engine.release(name);
                return Err(LiftError::new("the map grew while it was read").into());
            }
            // SAFETY: `start` is a buffer for all entries, `i` is less than their number, key and value lie within the
            // entry, and `part` wrote the key before it is read.
            let written = unsafe {
                let entry = start.add(i * stride);
                self.part(engine, *key, &name, entry, depth)
                    .map_err(|error| error.within("key".into()))
                    .and_then(|()| seen.insert(entry).map_err(E::Error::from))
                    .and_then(|()| {
                        self.part(engine, *of, &value, entry.add(*value_at), depth)
                            .map_err(|error| error.within("value".into()))
                    })
            };
            engine.release(value);
            engine.release(name);
            written.map_err(|error| error.at(i))?;
            i += 1;
        }
        // SAFETY: BUFFER; the node is a list of entries.
        unsafe { write(out, RawList { ptr: start.cast_const(), len: i }) };
        Ok(())
    }

    unsafe fn tuple<E: Read>(
        &self,
        engine: &mut E,
        id: NodeId,
        places: &[Place],
        value: &E::Value,
        out: *mut u8,
        depth: Depth,
    ) -> Result<(), E::Error> {
        let found = engine.tuple(value)?.filter(|(_, len)| *len == places.len());
        let Some((mut items, _)) = found else { return Err(self.expected(engine, id, value)) };
        for (i, place) in places.iter().enumerate() {
            let item = engine.item(&mut items, i).map_err(|error| error.within(i.to_string().into()))?;
            // SAFETY: BUFFER; the part lies within the node.
            let written = unsafe { self.part(engine, place.node, &item, out.add(place.at), depth) };
            engine.release(item);
            written.map_err(|error| error.within(i.to_string().into()))?;
        }
        Ok(())
    }

    unsafe fn case<E: Read>(
        &self,
        engine: &mut E,
        id: NodeId,
        definition: u32,
        value: &E::Value,
        out: *mut u8,
    ) -> Result<(), E::Error> {
        match engine.enum_case(value, definition)? {
            // SAFETY: BUFFER; an enum is its tag.
            CaseOf::Known(case, ()) => unsafe { write(out, case) },
            // SAFETY: as above.
            CaseOf::Unknown(name) => unsafe { write(out, self.other(definition, &name)?) },
            CaseOf::None => return Err(self.expected(engine, id, value)),
        }
        Ok(())
    }

    unsafe fn variant<E: Read>(
        &self,
        engine: &mut E,
        id: NodeId,
        (definition, at, cases): (u32, usize, &[Body]),
        value: &E::Value,
        out: *mut u8,
        depth: Depth,
    ) -> Result<(), E::Error> {
        let (tag, payload) = match engine.case(value, definition)? {
            CaseOf::Known(case, payload) => (case, payload),
            CaseOf::Unknown(name) => {
                // SAFETY: BUFFER; a variant begins with its tag. The case has no fields.
                unsafe { write(out, self.other(definition, &name)?) };
                return Ok(());
            }
            CaseOf::None => return Err(self.expected(engine, id, value)),
        };
        let (body, case) = (&cases[tag as usize], &self.cases(definition)[tag as usize]);
        // SAFETY: BUFFER; a variant begins with its tag, the union lies within the node, and each case within the union.
        let written = unsafe {
            write(out, tag);
            self.fields(engine, &case.fields, body, &payload, out.add(at), depth)
        };
        engine.release(payload);
        written.map_err(|error| error.within(case.name.clone().into()))
    }

    unsafe fn result<E: Read>(
        &self,
        engine: &mut E,
        id: NodeId,
        (ok, err, at): (NodeId, NodeId, usize),
        value: &E::Value,
        out: *mut u8,
        depth: Depth,
    ) -> Result<(), E::Error> {
        let Some((payload, is_ok)) = engine.result(value) else { return Err(self.expected(engine, id, value)) };
        // SAFETY: BUFFER; a result begins with its tag, and the union lies within the node.
        let written = unsafe {
            write(out, u32::from(!is_ok));
            self.part(engine, if is_ok { ok } else { err }, &payload, out.add(at), depth)
        };
        engine.release(payload);
        written.map_err(|error| error.within(if is_ok { "ok" } else { "err" }.into()))
    }

    unsafe fn fields<E: Read>(
        &self,
        engine: &mut E,
        described: &[Field],
        body: &Body,
        value: &E::Value,
        out: *mut u8,
        depth: Depth,
    ) -> Result<(), E::Error> {
        let mut is_missing = E::STRICT;
        for (i, (field, place)) in described.iter().zip(&body.places).enumerate() {
            // SAFETY: BUFFER; the field lies within the record or case.
            let out = unsafe { out.add(place.at) };
            let found = engine.field(value, body, i).map_err(|error| error.within(field.name.clone().into()))?;
            let written = match found {
                Some(found) => {
                    // SAFETY: `out` is the buffer of the field.
                    let written = unsafe { self.part(engine, place.node, &found, out, depth) };
                    engine.release(found);
                    written
                }
                None => {
                    is_missing = true;
                    // SAFETY: `out` is the buffer of the field; the caller of `value` guarantees the arena.
                    match unsafe { self.missing::<E>(body, i, out) } {
                        Some(written) => written.map_err(Into::into),
                        None => match engine.unknown_field(value, body) {
                            Some(unknown) => return Err(no_field::<E>(described, &unknown).into()),
                            None => Err(LiftError::new("the field is missing").into()),
                        },
                    }
                }
            };
            written.map_err(|error: E::Error| error.within(field.name.clone().into()))?;
        }
        if is_missing && let Some(unknown) = engine.unknown_field(value, body) {
            return Err(no_field::<E>(described, &unknown).into());
        }
        Ok(())
    }

    /// Writes the value of a field that is missing: its default, or nothing where that is a value. Returns `None` if the
    /// field must not be missing.
    ///
    /// # Safety
    ///
    /// BUFFER, for the field.
    unsafe fn missing<E: Read>(&self, body: &Body, field: usize, out: *mut u8) -> Option<Result<(), LiftError>> {
        if let Some(default) = self.plan.default(body, field) {
            // SAFETY: BUFFER; the caller of `value` guarantees the arena.
            return Some(if unsafe { default.place(out, self.arena) } { Ok(()) } else { Err(no_room()) });
        }
        let node = self.plan.node(body.places[field].node);
        if E::STRICT || !matches!(node.kind, Kind::Option { .. } | Kind::Nullable(_) | Kind::Unit) {
            return None;
        }
        // SAFETY: BUFFER. An option without a value has the tag 0 or is a null pointer, and unit has no size.
        unsafe { out.write_bytes(0, node.size) };
        Some(Ok(()))
    }

    /// Returns the case that cases are read as which the definition lacks.
    fn other(&self, definition: u32, name: &str) -> Result<u32, LiftError> {
        let mut numbered = (0..).zip(self.cases(definition));
        numbered.find(|(_, case)| case.other).map(|(tag, _)| tag).ok_or_else(|| self.no_case(definition, name))
    }

    fn cases(&self, definition: u32) -> &[Case] {
        let (Shape::Enum(cases) | Shape::Variant(cases)) = &self.schema.definition(definition).shape else {
            unreachable!()
        };
        cases
    }

    #[cold]
    fn no_case(&self, definition: u32, name: &str) -> LiftError {
        let known: Vec<_> = self.cases(definition).iter().map(|case| case.name.as_str()).collect();
        let definition = &self.schema.definition(definition).name;
        let near = did_you_mean(name, &known);
        LiftError::new(format_args!(
            "`{}` is no case of {definition}, only {}{near}",
            Truncated(name),
            known.join(", ")
        ))
    }

    /// Lowers a value to memory of its own, and writes the pointer to it.
    unsafe fn boxed<E: Read>(
        &self,
        engine: &mut E,
        of: NodeId,
        value: &E::Value,
        out: *mut u8,
        depth: Depth,
    ) -> Result<(), E::Error> {
        engine.proceed()?;
        let node = self.plan.node(of);
        let depth = depth.enter()?;
        let start = self.allocate(1, node.size.max(1), node.align)?;
        // SAFETY: `start` is a buffer for the node, aligned. BUFFER; the node of `out` is a pointer.
        unsafe {
            self.part(engine, of, value, start, depth)?;
            write(out, start.cast_const());
        }
        Ok(())
    }

    /// Returns bytes as they are handed over: lent where the engine lends them, otherwise copied into the arena.
    fn keep<E: Read>(&self, bytes: &[u8]) -> Result<RawList<u8>, LiftError> {
        if E::LENDS || bytes.is_empty() {
            return Ok(RawList { ptr: bytes.as_ptr(), len: bytes.len() });
        }
        let start = self.allocate(bytes.len(), 1, 1)?;
        // SAFETY: `start` is a new buffer of as many bytes.
        unsafe { start.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        Ok(RawList { ptr: start, len: bytes.len() })
    }

    fn allocate(&self, count: usize, size: usize, align: usize) -> Result<*mut u8, LiftError> {
        // SAFETY: the arena is null, or valid and not used by anything else (guaranteed by the caller of `value`).
        let arena = unsafe { self.arena.as_mut() };
        let start = arena.zip(count.checked_mul(size)).map(|(arena, bytes)| arena.alloc(bytes, align));
        start.filter(|start| !start.is_null()).ok_or_else(no_room)
    }

    #[cold]
    fn refused<E: Read>(&self, engine: &mut E, id: NodeId, value: &E::Value, refused: Refused) -> E::Error {
        match refused {
            Refused::Kind => self.expected(engine, id, value),
            Refused::Range(number) => {
                LiftError::new(format_args!("{number} is out of range for {}", self.spell(id))).into()
            }
            Refused::Narrow(number) => LiftError::new(format_args!("{number} is out of range for f32")).into(),
        }
    }

    #[cold]
    fn expected<E: Read>(&self, engine: &mut E, id: NodeId, value: &E::Value) -> E::Error {
        let found = engine.describe(value);
        LiftError::new(format_args!("expected {}, got {found}", self.spell(id))).into()
    }

    #[cold]
    fn expected_record<E: Read>(&self, engine: &mut E, id: NodeId, body: &Body, value: &E::Value) -> E::Error {
        let Some(forms) = engine.forms_of_record(body) else { return self.expected(engine, id, value) };
        let found = engine.describe(value);
        LiftError::new(format_args!("expected {}, got {found}: it is given as {forms}", self.spell(id))).into()
    }

    /// Returns the name of a node's type, for an error.
    fn spell(&self, id: NodeId) -> String {
        let inner = |id: &NodeId| self.spell(*id);
        match &self.plan.node(id).kind {
            Kind::Unit => "()".to_owned(),
            Kind::Record(number, _)
            | Kind::Enum(number, _)
            | Kind::Variant { definition: number, .. }
            | Kind::Object { definition: number, .. } => self.schema.definition(*number).name.clone(),
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
            Kind::Scalar(scalar) => scalar.name().to_owned(),
            Kind::String => "string".to_owned(),
            Kind::Bytes => "bytes".to_owned(),
        }
    }
}

/// Makes the error of an arena that is too small.
#[cold]
fn no_room() -> LiftError {
    LiftError::limit("the value does not fit into memory")
}

#[cold]
fn no_field<E: Read>(described: &[Field], name: &str) -> LiftError {
    let known: Vec<_> = described.iter().map(|field| E::spell_field(&field.name)).collect();
    let known: Vec<_> = known.iter().map(String::as_str).collect();
    let near = did_you_mean(name, &known);
    LiftError::new(format_args!("there is no field `{}`, only {}{near}", Truncated(name), known.join(", ")))
}

/// The reason why a scalar was not written.
enum Refused {
    /// The value is of another kind.
    Kind,
    /// The value is an integer that does not fit.
    Range(i128),
    /// The value is a number beyond the range of `f32`.
    Narrow(f64),
}

/// Lowers a value whose node is a scalar.
///
/// # Safety
///
/// `out` must point to a writable buffer for the scalar, aligned.
#[inline(always)]
unsafe fn lower_scalar<E: Read>(engine: &mut E, scalar: Scalar, value: &E::Value, out: *mut u8) -> Result<(), Refused> {
    macro_rules! put {
        ($value:expr) => {{
            let scalar = $value;
            // SAFETY: BUFFER; the node is a scalar of this type.
            unsafe { write(out, scalar) }
        }};
    }
    macro_rules! integer {
        ($ty:ty) => {{
            let number = engine.integer(value).ok_or(Refused::Kind)?;
            put!(<$ty>::try_from(number).map_err(|_| Refused::Range(number))?)
        }};
    }
    match scalar {
        Scalar::Bool => put!(u8::from(engine.bool(value).ok_or(Refused::Kind)?)),
        Scalar::I8 => integer!(i8),
        Scalar::I16 => integer!(i16),
        Scalar::I32 => integer!(i32),
        Scalar::I64 => integer!(i64),
        Scalar::U8 => integer!(u8),
        Scalar::U16 => integer!(u16),
        Scalar::U32 => integer!(u32),
        Scalar::U64 => integer!(u64),
        Scalar::F32 => {
            let number = engine.float(value, true).ok_or(Refused::Kind)?;
            #[allow(clippy::cast_possible_truncation)] // rounds to the nearest `f32`, so that 0.1 is accepted
            let narrow = number as f32;
            if narrow.is_infinite() && number.is_finite() {
                return Err(Refused::Narrow(number));
            }
            put!(narrow);
        }
        Scalar::F64 => put!(engine.float(value, false).ok_or(Refused::Kind)?),
        Scalar::Char => put!(u32::from(engine.char(value).ok_or(Refused::Kind)?)),
    }
    Ok(())
}

/// Writes `value` to `out`.
///
/// # Safety
///
/// `out` must point to a writable buffer for a `T`, aligned.
#[inline(always)]
unsafe fn write<T>(out: *mut u8, value: T) {
    // SAFETY: `out` is writable and aligned for a `T` (guaranteed by the caller).
    unsafe { out.cast::<T>().write(value) };
}
