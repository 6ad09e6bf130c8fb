//! A value of another version of a type, made one of the type.

use crate::schema::schema::{Field, Schema, Shape, TypeRef};
use crate::value::Value;

/// Returns a value as one of type `ty`: with the defaults of fields that are missing, without fields that the type lacks,
/// and with the case that stands for unknown ones. What does not fit otherwise is left as it is.
///
/// # Errors
///
/// The reason, with the path to the part: a field without a default is missing, or a case is unknown and none stands for
/// others.
pub(crate) fn fit(schema: &Schema, ty: &TypeRef, value: Value) -> Result<Value, String> {
    let boxed = |ty: &TypeRef, value: Box<Value>| fit(schema, ty, *value).map(Box::new);
    Ok(match (ty, value) {
        (TypeRef::List(of), Value::List(items)) => {
            Value::List(all(items.into_iter().map(|item| fit(schema, of, item)))?)
        }
        (TypeRef::Map(_, of), Value::Map(entries)) => {
            let entry = |(key, value)| fit(schema, of, value).map(|value| (key, value));
            Value::Map(all(entries.into_iter().map(entry))?)
        }
        (TypeRef::Tuple(of), Value::Tuple(items)) if of.len() == items.len() => {
            Value::Tuple(all(items.into_iter().zip(of).map(|(item, of)| fit(schema, of, item)))?)
        }
        (TypeRef::Option(of), Value::Option(Some(value))) => Value::Option(Some(boxed(of, value)?)),
        (TypeRef::Box(of), value) => fit(schema, of, value)?,
        (TypeRef::Result(ok, _), Value::Result(Ok(value))) => Value::Result(Ok(boxed(ok, value)?)),
        (TypeRef::Result(_, err), Value::Result(Err(value))) => Value::Result(Err(boxed(err, value)?)),
        (TypeRef::Named(number), value) => match (&schema.definition(*number).shape, value) {
            (Shape::Record(described), Value::Record(fields)) => Value::Record(fit_fields(schema, described, fields)?),
            (Shape::Enum(cases) | Shape::Variant(cases), Value::Enum(case)) => named(cases, &case, Vec::new(), schema)?,
            (Shape::Enum(cases) | Shape::Variant(cases), Value::Variant { case, fields }) => {
                named(cases, &case, fields, schema)?
            }
            (_, value) => value,
        },
        (_, value) => value,
    })
}

/// Collects values, with the place in the list before the reason of a failure.
fn all<T>(values: impl Iterator<Item = Result<T, String>>) -> Result<Vec<T>, String> {
    let numbered = values.enumerate();
    numbered.map(|(number, value)| value.map_err(|reason| format!("[{number}]: {reason}"))).collect()
}

fn fit_fields(
    schema: &Schema,
    described: &[Field],
    mut given: Vec<(String, Value)>,
) -> Result<Vec<(String, Value)>, String> {
    let field = |field: &Field| {
        let value = match (given.iter().position(|(name, _)| *name == field.name), &field.default) {
            (Some(number), _) => {
                let (_, value) = given.swap_remove(number);
                fit(schema, &field.ty, value).map_err(|reason| format!("{}: {reason}", field.name))?
            }
            (None, Some(default)) => default.clone(),
            (None, None) => return Err(format!("the field `{}` is missing, and has no default", field.name)),
        };
        Ok((field.name.clone(), value))
    };
    described.iter().map(field).collect()
}

/// Returns the case of a name with these fields, or the case that stands for unknown ones.
fn named(
    cases: &[crate::schema::schema::Case],
    name: &str,
    fields: Vec<(String, Value)>,
    schema: &Schema,
) -> Result<Value, String> {
    let is_variant = cases.iter().any(|case| !case.fields.is_empty());
    let Some(case) = cases.iter().find(|case| case.name == name) else {
        let Some(other) = cases.iter().find(|case| case.other) else {
            let known: Vec<_> = cases.iter().map(|case| case.name.as_str()).collect();
            return Err(format!("`{name}` is no case, only {}, and none of these stands for others", known.join(", ")));
        };
        let case = other.name.clone();
        return Ok(if is_variant { Value::Variant { case, fields: Vec::new() } } else { Value::Enum(case) });
    };
    let within = |reason: String| format!("{name}: {reason}");
    let fields = fit_fields(schema, &case.fields, fields).map_err(within)?;
    let case = case.name.clone();
    Ok(if is_variant { Value::Variant { case, fields } } else { Value::Enum(case) })
}
