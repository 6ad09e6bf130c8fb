//! Random contracts that have grown, and values moved from one version to the other by hand.

use polyplug::Value;
use polyplug::schema::{Case, Field, Schema, Shape, TypeRef};

use crate::generate::{self, Source};

/// Makes two versions of a contract, the older one first. The newer one has more fields and cases.
#[must_use]
pub fn versions(source: &mut Source<'_>) -> Option<(Schema, Schema)> {
    let mut newer = generate::schema(source);
    newer.minor = newer.minor.max(1);
    for method in &mut newer.methods {
        method.since = 0;
    }
    let since = newer.minor;
    let whole = newer.clone();
    for definition in &mut newer.types {
        match &mut definition.shape {
            Shape::Record(fields) => grow_fields(source, &whole, fields, since),
            Shape::Enum(cases) | Shape::Variant(cases) => {
                let kept = 1 + source.below(cases.len());
                cases[kept..].iter_mut().for_each(|case| case.since = since);
                for case in cases.iter_mut().filter(|case| !case.fields.is_empty()) {
                    grow_fields(source, &whole, &mut case.fields, since);
                }
                if source.below(2) == 1
                    && let Some(other) = cases[..kept].iter_mut().find(|case| case.fields.is_empty())
                {
                    other.other = true;
                }
            }
            Shape::Object(_) => unreachable!("none is generated"),
        }
    }
    let mut older = newer.clone();
    older.minor = since - 1;
    for definition in &mut older.types {
        match &mut definition.shape {
            Shape::Record(fields) => fields.retain(|field| field.since == 0),
            Shape::Enum(cases) | Shape::Variant(cases) => {
                cases.retain(|case| case.since == 0);
                cases.iter_mut().for_each(|case| case.fields.retain(|field| field.since == 0));
            }
            Shape::Object(_) => {}
        }
    }
    // An older version may be none that a contract can have: a record of fields without a size.
    let is_possible = |schema: &Schema| Schema::decode(&schema.encode()).is_ok_and(|decoded| decoded == *schema);
    (is_possible(&older) && is_possible(&newer) && older.differences(&newer).is_empty()).then_some((older, newer))
}

/// Makes the last fields ones that were added later.
fn grow_fields(source: &mut Source<'_>, schema: &Schema, fields: &mut [Field], since: u32) {
    let kept = 1 + source.below(fields.len());
    for field in &mut fields[kept..] {
        field.since = since;
        field.default = Some(generate::value(source, schema, &field.ty, 1));
    }
}

/// Returns a value of type `ty` of the contract `from` as a value of the contract `to`, or `None` if a case is unknown
/// there.
#[must_use]
pub fn moved(value: &Value, ty: &TypeRef, from: &Schema, to: &Schema) -> Option<Value> {
    let inner = |value: &Value, ty: &TypeRef| moved(value, ty, from, to);
    let boxed = |value: &Value, ty: &TypeRef| inner(value, ty).map(Box::new);
    Some(match (value, ty) {
        (Value::List(items), TypeRef::List(of)) => {
            Value::List(items.iter().map(|item| inner(item, of)).collect::<Option<_>>()?)
        }
        (Value::Map(entries), TypeRef::Map(_, of)) => {
            let entries = entries.iter().map(|(key, value)| Some((key.clone(), inner(value, of)?)));
            Value::Map(entries.collect::<Option<_>>()?)
        }
        (Value::Tuple(items), TypeRef::Tuple(parts)) => {
            Value::Tuple(items.iter().zip(parts).map(|(item, of)| inner(item, of)).collect::<Option<_>>()?)
        }
        (Value::Option(Some(value)), TypeRef::Option(of)) => Value::Option(Some(boxed(value, of)?)),
        (value, TypeRef::Box(of)) => inner(value, of)?,
        (Value::Result(Ok(value)), TypeRef::Result(of, _)) => Value::Result(Ok(boxed(value, of)?)),
        (Value::Result(Err(value)), TypeRef::Result(_, of)) => Value::Result(Err(boxed(value, of)?)),
        (value, TypeRef::Named(number)) => moved_definition(value, *number, from, to)?,
        (value, _) => value.clone(),
    })
}

fn moved_definition(value: &Value, number: u32, from: &Schema, to: &Schema) -> Option<Value> {
    let case_of = |name: &str| -> Option<(&Case, &Case)> {
        let (Shape::Enum(ours) | Shape::Variant(ours)) = &from.definition(number).shape else { unreachable!() };
        let (Shape::Enum(theirs) | Shape::Variant(theirs)) = &to.definition(number).shape else { unreachable!() };
        let sent = ours.iter().find(|case| case.name == name)?;
        let received = theirs.iter().find(|case| case.name == name).or_else(|| theirs.iter().find(|case| case.other));
        Some((sent, received?))
    };
    Some(match value {
        Value::Record(fields) => {
            let (Shape::Record(ours), Shape::Record(theirs)) =
                (&from.definition(number).shape, &to.definition(number).shape)
            else {
                unreachable!()
            };
            Value::Record(moved_fields(fields, ours, theirs, from, to)?)
        }
        Value::Enum(case) => Value::Enum(case_of(case)?.1.name.clone()),
        Value::Variant { case, fields } => {
            let (sent, received) = case_of(case)?;
            // The case that unknown ones are read as has no fields.
            let is_known = sent.name == received.name;
            let fields =
                if is_known { moved_fields(fields, &sent.fields, &received.fields, from, to)? } else { vec![] };
            Value::Variant { case: received.name.clone(), fields }
        }
        other => other.clone(),
    })
}

fn moved_fields(
    fields: &[(String, Value)],
    ours: &[Field],
    theirs: &[Field],
    from: &Schema,
    to: &Schema,
) -> Option<Vec<(String, Value)>> {
    // A field that the receiver lacks is not looked at: it may have cases that are unknown.
    let moved_field = |received: &Field| {
        let sent = fields.iter().zip(ours).find(|((name, _), _)| *name == received.name);
        let value = match sent {
            Some(((_, value), field)) => moved(value, &field.ty, from, to)?,
            None => received.default.clone().expect("a field that was added has a default"),
        };
        Some((received.name.clone(), value))
    };
    theirs.iter().map(moved_field).collect()
}
