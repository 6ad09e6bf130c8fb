//! The engine of dynamic values.

use std::cell::OnceCell;

use polyplug_abi::GuestContractInstance;

use crate::host::marshal::build::Build;
use crate::host::marshal::number::{Float, Integer};
use crate::host::marshal::read::{CaseOf, RawText, Read};
use crate::schema::plan::{Body, MethodPlan};
use crate::schema::{BodyOf, Schema, Shape};
use crate::truncate::Truncated;
use crate::types::LiftError;
use crate::value::Value;

/// The names of a contract's types, with which [`Value`]s of these types are made.
pub(crate) struct Values<'a> {
    schema: &'a Schema,
    /// The bodies of the contract's types, listed when a value first has one.
    bodies: OnceCell<Vec<BodyOf<'a>>>,
}

impl<'a> Values<'a> {
    pub(crate) fn new(schema: &'a Schema) -> Self {
        Self { schema, bodies: OnceCell::new() }
    }

    fn body(&self, body: &Body) -> BodyOf<'a> {
        self.bodies.get_or_init(|| self.schema.bodies().collect())[body.number]
    }

    fn case_name(&self, definition: u32, case: u32) -> String {
        let (Shape::Enum(cases) | Shape::Variant(cases)) = &self.schema.definition(definition).shape else {
            unreachable!()
        };
        cases[case as usize].name.clone()
    }

    fn find_case<V>(&self, definition: u32, name: &str, payload: V) -> CaseOf<V> {
        let (Shape::Enum(cases) | Shape::Variant(cases)) = &self.schema.definition(definition).shape else {
            unreachable!()
        };
        match (0u32..).zip(cases).find(|(_, case)| case.name == name) {
            Some((number, _)) => CaseOf::Known(number, payload),
            None => CaseOf::Unknown(name.to_owned()),
        }
    }
}

fn no_value<T>() -> Result<T, LiftError> {
    Err(LiftError::new("an object of a contract is no value: call through a typed proxy"))
}

impl Build for Values<'_> {
    type Value = Value;
    type Error = LiftError;

    fn unit(&mut self) -> Result<Value, LiftError> {
        Ok(Value::Unit)
    }

    fn bool(&mut self, value: bool) -> Result<Value, LiftError> {
        Ok(Value::Bool(value))
    }

    fn integer(&mut self, value: Integer) -> Result<Value, LiftError> {
        Ok(match value {
            Integer::I8(n) => Value::I8(n),
            Integer::I16(n) => Value::I16(n),
            Integer::I32(n) => Value::I32(n),
            Integer::I64(n) => Value::I64(n),
            Integer::U8(n) => Value::U8(n),
            Integer::U16(n) => Value::U16(n),
            Integer::U32(n) => Value::U32(n),
            Integer::U64(n) => Value::U64(n),
        })
    }

    fn float(&mut self, value: Float) -> Result<Value, LiftError> {
        Ok(match value {
            Float::F32(n) => Value::F32(n),
            Float::F64(n) => Value::F64(n),
        })
    }

    fn char(&mut self, value: char) -> Result<Value, LiftError> {
        Ok(Value::Char(value))
    }

    fn text(&mut self, value: &str) -> Result<Value, LiftError> {
        Ok(Value::String(value.to_owned()))
    }

    fn bytes(&mut self, value: &[u8]) -> Result<Value, LiftError> {
        Ok(Value::Bytes(value.to_vec()))
    }

    fn none(&mut self, _: bool) -> Result<Value, LiftError> {
        Ok(Value::Option(None))
    }

    fn some(&mut self, value: Value, _: bool) -> Result<Value, LiftError> {
        Ok(Value::Option(Some(Box::new(value))))
    }

    fn list(&mut self, _: usize) -> Result<Value, LiftError> {
        // No capacity for all items: the length is not checked against the memory that holds them.
        Ok(Value::List(Vec::new()))
    }

    fn put_item(&mut self, list: &mut Value, _: usize, item: Value) -> Result<(), LiftError> {
        let (Value::List(items) | Value::Tuple(items)) = list else { unreachable!() };
        items.push(item);
        Ok(())
    }

    fn map(&mut self, _: usize) -> Result<Value, LiftError> {
        Ok(Value::Map(Vec::new()))
    }

    fn put_entry(&mut self, map: &mut Value, key: Value, value: Value) -> Result<(), LiftError> {
        let Value::Map(entries) = map else { unreachable!() };
        entries.push((key, value));
        Ok(())
    }

    fn tuple(&mut self, len: usize) -> Result<Value, LiftError> {
        Ok(Value::Tuple(Vec::with_capacity(len)))
    }

    fn begin(&mut self, body: &Body) -> Result<Value, LiftError> {
        let fields = Vec::with_capacity(body.places.len());
        Ok(match self.body(body).case {
            Some(case) => Value::Variant { case: case.name.clone(), fields },
            None => Value::Record(fields),
        })
    }

    fn put_field(&mut self, whole: &mut Value, body: &Body, index: usize, field: Value) -> Result<(), LiftError> {
        let (Value::Record(fields) | Value::Variant { fields, .. }) = whole else { unreachable!() };
        fields.push((self.body(body).fields[index].name.clone(), field));
        Ok(())
    }

    fn case(&mut self, definition: u32, case: u32) -> Result<Value, LiftError> {
        Ok(Value::Enum(self.case_name(definition, case)))
    }

    fn result(&mut self, value: Value, is_ok: bool) -> Result<Value, LiftError> {
        let value = Box::new(value);
        Ok(Value::Result(if is_ok { Ok(value) } else { Err(value) }))
    }

    fn object(&mut self, _: u32, _: &[MethodPlan], _: GuestContractInstance) -> Result<Value, LiftError> {
        no_value()
    }
}

/// A value that is read, or the fields of a case.
#[derive(Clone, Copy)]
pub(crate) enum ValueRef<'a> {
    Whole(&'a Value),
    Fields(&'a [(String, Value)]),
}

impl<'a> ValueRef<'a> {
    fn value(self) -> Option<&'a Value> {
        match self {
            Self::Whole(value) => Some(value),
            Self::Fields(_) => None,
        }
    }

    fn fields(self) -> &'a [(String, Value)] {
        match self {
            Self::Fields(fields) => fields,
            Self::Whole(Value::Record(fields)) => fields,
            Self::Whole(_) => &[],
        }
    }
}

/// A reader of values that are borrowed while they are read, so that their texts can be lent.
pub(crate) struct ValueReader<'a>(Values<'a>);

impl<'a> ValueReader<'a> {
    pub(crate) fn new(schema: &'a Schema) -> Self {
        Self(Values::new(schema))
    }
}

// SAFETY: text and bytes lie in the values themselves, which `ValueRef` borrows for longer than they are read.
unsafe impl<'a> Read for ValueReader<'a> {
    type Value = ValueRef<'a>;
    type Items = &'a [Value];
    type Entries = std::slice::Iter<'a, (Value, Value)>;
    type Error = LiftError;

    const LENDS: bool = true;
    const STRICT: bool = true;

    fn describe(&mut self, value: &ValueRef<'a>) -> String {
        match value {
            ValueRef::Whole(value @ (Value::Unit | Value::Bytes(_))) => value.to_string(),
            ValueRef::Whole(value) => format!("{} {}", value.kind(), Truncated(*value)),
            ValueRef::Fields(_) => "fields".to_owned(),
        }
    }

    fn release(&mut self, _: ValueRef<'a>) {}

    fn is_none(&mut self, value: &ValueRef<'a>) -> bool {
        matches!(value, ValueRef::Whole(Value::Option(None) | Value::Unit))
    }

    fn is_unit(&mut self, value: &ValueRef<'a>) -> bool {
        matches!(value, ValueRef::Whole(Value::Unit))
    }

    fn bool(&mut self, value: &ValueRef<'a>) -> Option<bool> {
        if let ValueRef::Whole(Value::Bool(flag)) = value { Some(*flag) } else { None }
    }

    fn integer(&mut self, value: &ValueRef<'a>) -> Option<i128> {
        value.value()?.as_integer()
    }

    fn float(&mut self, value: &ValueRef<'a>, is_narrow: bool) -> Option<f64> {
        match value.value()? {
            Value::F32(number) => Some(f64::from(*number)),
            Value::F64(number) if !is_narrow => Some(*number),
            _ => None,
        }
    }

    fn char(&mut self, value: &ValueRef<'a>) -> Option<char> {
        if let Value::Char(letter) = value.value()? { Some(*letter) } else { None }
    }

    fn text(&mut self, value: &ValueRef<'a>) -> Option<RawText> {
        if let Value::String(text) = value.value()? { Some(text.as_bytes().into()) } else { None }
    }

    fn bytes(&mut self, value: &ValueRef<'a>) -> Option<RawText> {
        if let Value::Bytes(bytes) = value.value()? { Some(bytes.as_slice().into()) } else { None }
    }

    fn some(&mut self, value: &ValueRef<'a>, _: bool) -> Option<ValueRef<'a>> {
        match value {
            ValueRef::Whole(Value::Option(Some(inner))) => Some(ValueRef::Whole(inner)),
            plain => Some(*plain),
        }
    }

    fn list(&mut self, value: &ValueRef<'a>) -> Result<Option<(&'a [Value], usize)>, LiftError> {
        match value {
            ValueRef::Whole(Value::List(items)) => Ok(Some((items, items.len()))),
            _ => Ok(None),
        }
    }

    fn tuple(&mut self, value: &ValueRef<'a>) -> Result<Option<(&'a [Value], usize)>, LiftError> {
        match value {
            ValueRef::Whole(Value::Tuple(items)) => Ok(Some((items, items.len()))),
            _ => Ok(None),
        }
    }

    fn item(&mut self, items: &mut &'a [Value], index: usize) -> Result<ValueRef<'a>, LiftError> {
        Ok(ValueRef::Whole(&items[index]))
    }

    fn map(&mut self, value: &ValueRef<'a>) -> Result<Option<(Self::Entries, usize)>, LiftError> {
        match value {
            ValueRef::Whole(Value::Map(entries)) => Ok(Some((entries.iter(), entries.len()))),
            _ => Ok(None),
        }
    }

    fn entry(&mut self, entries: &mut Self::Entries) -> Result<Option<(ValueRef<'a>, ValueRef<'a>)>, LiftError> {
        Ok(entries.next().map(|(key, value)| (ValueRef::Whole(key), ValueRef::Whole(value))))
    }

    fn has_fields(&mut self, value: &ValueRef<'a>, _: &Body) -> bool {
        matches!(value, ValueRef::Whole(Value::Record(_)))
    }

    fn field(&mut self, value: &ValueRef<'a>, body: &Body, index: usize) -> Result<Option<ValueRef<'a>>, LiftError> {
        let (given, name) = (value.fields(), &self.0.body(body).fields[index].name);
        // Fields are usually given in the order of the schema.
        let in_order = given.get(index).filter(|(found, _)| found == name);
        let found = in_order.or_else(|| given.iter().find(|(found, _)| found == name));
        Ok(found.map(|(_, value)| ValueRef::Whole(value)))
    }

    fn unknown_field(&mut self, value: &ValueRef<'a>, body: &Body) -> Option<String> {
        let known = self.0.body(body).fields;
        let mut given = value.fields().iter();
        given.find(|(name, _)| known.iter().all(|field| field.name != *name)).map(|(name, _)| name.clone())
    }

    fn enum_case(&mut self, value: &ValueRef<'a>, definition: u32) -> Result<CaseOf<()>, LiftError> {
        Ok(match value {
            ValueRef::Whole(Value::Enum(case) | Value::String(case)) => self.0.find_case(definition, case, ()),
            _ => CaseOf::None,
        })
    }

    fn case(&mut self, value: &ValueRef<'a>, definition: u32) -> Result<CaseOf<ValueRef<'a>>, LiftError> {
        Ok(match value {
            ValueRef::Whole(Value::Variant { case, fields }) => {
                self.0.find_case(definition, case, ValueRef::Fields(fields))
            }
            ValueRef::Whole(Value::Enum(case)) => self.0.find_case(definition, case, ValueRef::Fields(&[])),
            _ => CaseOf::None,
        })
    }

    fn result(&mut self, value: &ValueRef<'a>) -> Option<(ValueRef<'a>, bool)> {
        match value.value()? {
            Value::Result(Ok(value)) => Some((ValueRef::Whole(value), true)),
            Value::Result(Err(value)) => Some((ValueRef::Whole(value), false)),
            _ => None,
        }
    }

    fn object(&mut self, _: &ValueRef<'a>, _: u32, _: &[MethodPlan]) -> Result<GuestContractInstance, LiftError> {
        no_value()
    }
}
