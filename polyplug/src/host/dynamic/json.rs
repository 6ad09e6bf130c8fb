//! Dynamic calls with arguments and results in JSON, and schemas as JSON.
//!
//! | type | JSON |
//! |---|---|
//! | integers | number |
//! | floats | number; `"NaN"`, `"Infinity"`, `"-Infinity"` |
//! | char, string | string |
//! | bytes | array of numbers |
//! | list, tuple | array |
//! | map | object if the keys are text, else array of pairs |
//! | option | null or the value; `{"some": ..}` if null is itself a value (option of option) |
//! | record | object; a field that is an option may be left out |
//! | enum | the case's name |
//! | variant | the name of a case without fields; else `{"Case": {..}}`, `{"Case": value}` or `{"Case": [..]}` |
//! | result | `{"ok": ..}` or `{"err": ..}` |

use serde_json::{Map, Number, Value as Json, json};

use super::proxy::{DynamicProxy, no_proxy};
use crate::call_error::CallError;
use crate::host::runtime::runtime::Runtime;
use crate::schema::Scalar;
use crate::schema::{Case, Field, Method, Schema, Shape, TypeRef};
use crate::truncate::Truncated;
use crate::types::{Depth, LiftError};
use crate::value::Value;

impl DynamicProxy {
    /// Calls `method` like [`call`](Self::call), with arguments and result in JSON.
    ///
    /// # Errors
    ///
    /// The same as for [`call`](Self::call).
    pub fn call_json(&self, method: &str, arguments: &[Json]) -> Result<Json, CallError> {
        let current = self.current_for(method)?;
        let schema = current.schema();
        let described = schema.method(method).map(|(_, method)| method);
        let Some(described) = described.filter(|method| method.arguments.len() == arguments.len()) else {
            // `call_here` words the error: the method is unknown, or has another number of arguments.
            let units = vec![Value::Unit; arguments.len()];
            return current.call_here(method, &units).map(|_| Json::Null);
        };
        let values = arguments
            .iter()
            .zip(&described.arguments)
            .map(|(json, field)| {
                from_json(schema, &field.ty, json, Depth::ROOT).map_err(|error| error.within(field.name.clone()))
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| current.refused(method, error))?;
        current.call_here(method, &values).map(|value| to_json(schema, &described.result, &value))
    }
}

impl Runtime {
    /// Calls `method` like [`call`](Self::call), with arguments and result in JSON.
    ///
    /// # Errors
    ///
    /// The same as for [`call`](Self::call).
    pub fn call_json(&self, contract: &str, method: &str, arguments: &[Json]) -> Result<Json, CallError> {
        self.dynamic(contract).map_err(|error| no_proxy(contract, method, &error))?.call_json(method, arguments)
    }
}

/// Returns the value of type `ty` that `json` stands for.
fn from_json(schema: &Schema, ty: &TypeRef, json: &Json, depth: Depth) -> Result<Value, LiftError> {
    let expected = || LiftError::new(format_args!("expected {}, got {}", schema.type_name(ty), Truncated(json)));
    let integer = |make: fn(i128) -> Option<Value>| {
        let number = json.as_i64().map(i128::from).or_else(|| json.as_u64().map(i128::from));
        number.and_then(make).ok_or_else(expected)
    };
    macro_rules! integer {
        ($ty:ty) => {
            integer(|number| <$ty>::try_from(number).ok().map(Value::from))
        };
    }
    // Bounds the use of the stack: a type can contain itself only through lists, maps and boxes.
    let depth = match ty {
        TypeRef::List(of) if **of != TypeRef::U8 => depth.enter()?,
        TypeRef::Map(..) | TypeRef::Box(_) => depth.enter()?,
        _ => depth,
    };
    let inner = |ty: &TypeRef, json: &Json| from_json(schema, ty, json, depth);
    Ok(match (ty, json) {
        (TypeRef::Unit, Json::Null) => Value::Unit,
        (TypeRef::Scalar(Scalar::Bool), Json::Bool(flag)) => Value::Bool(*flag),
        (TypeRef::Scalar(Scalar::I8), _) => integer!(i8)?,
        (TypeRef::Scalar(Scalar::I16), _) => integer!(i16)?,
        (TypeRef::Scalar(Scalar::I32), _) => integer!(i32)?,
        (TypeRef::Scalar(Scalar::I64), _) => integer!(i64)?,
        (TypeRef::Scalar(Scalar::U8), _) => integer!(u8)?,
        (TypeRef::Scalar(Scalar::U16), _) => integer!(u16)?,
        (TypeRef::Scalar(Scalar::U32), _) => integer!(u32)?,
        (TypeRef::Scalar(Scalar::U64), _) => integer!(u64)?,
        (TypeRef::Scalar(Scalar::F32), _) => Value::F32(float(json).and_then(nearest).ok_or_else(expected)?),
        (TypeRef::Scalar(Scalar::F64), _) => Value::F64(float(json).ok_or_else(expected)?),
        (TypeRef::Scalar(Scalar::Char), Json::String(text)) => {
            let mut letters = text.chars();
            match (letters.next(), letters.next()) {
                (Some(letter), None) => Value::Char(letter),
                _ => return Err(expected()),
            }
        }
        (TypeRef::String, Json::String(text)) => Value::String(text.clone()),
        (TypeRef::List(of), Json::Array(items)) => Value::List(
            items
                .iter()
                .enumerate()
                .map(|(i, item)| inner(of, item).map_err(|error| error.at(i)))
                .collect::<Result<_, _>>()?,
        ),
        (TypeRef::Option(_), Json::Null) => Value::Option(None),
        (TypeRef::Option(of), json) if may_be_null(of) => match json.as_object().map(|object| (object.len(), object)) {
            Some((1, object)) => {
                let json = object.get("some").ok_or_else(expected)?;
                Value::Option(Some(Box::new(inner(of, json).map_err(|error| error.within("some"))?)))
            }
            _ => return Err(expected()),
        },
        (TypeRef::Option(of), json) => Value::Option(Some(Box::new(inner(of, json)?))),
        (TypeRef::Box(of), json) => inner(of, json)?,
        (TypeRef::Tuple(types), Json::Array(parts)) if types.len() == parts.len() => Value::Tuple(
            types
                .iter()
                .zip(parts)
                .enumerate()
                .map(|(i, (ty, part))| inner(ty, part).map_err(|error| error.within(i.to_string())))
                .collect::<Result<_, _>>()?,
        ),
        (TypeRef::Map(key, of), Json::Object(entries)) if **key == TypeRef::String => Value::Map(
            entries
                .iter()
                .map(|(name, json)| {
                    let value = inner(of, json).map_err(|error| error.within(name.clone()))?;
                    Ok((Value::from(name.as_str()), value))
                })
                .collect::<Result<_, LiftError>>()?,
        ),
        (TypeRef::Map(key, of), Json::Array(pairs)) => Value::Map(
            pairs
                .iter()
                .enumerate()
                .map(|(i, pair)| match pair.as_array().map(Vec::as_slice) {
                    Some([name, value]) => Ok((
                        inner(key, name).map_err(|error| error.within("key").at(i))?,
                        inner(of, value).map_err(|error| error.within("value").at(i))?,
                    )),
                    _ => Err(LiftError::new(format_args!("expected a key and a value, got {}", Truncated(pair))).at(i)),
                })
                .collect::<Result<_, _>>()?,
        ),
        (TypeRef::Result(ok, err), Json::Object(object)) if object.len() == 1 => {
            match (object.get("ok"), object.get("err")) {
                (Some(json), _) => Value::Result(Ok(Box::new(inner(ok, json).map_err(|error| error.within("ok"))?))),
                (_, Some(json)) => Value::Result(Err(Box::new(inner(err, json).map_err(|error| error.within("err"))?))),
                _ => return Err(expected()),
            }
        }
        (TypeRef::Named(number), json) => match (&schema.definition(*number).shape, json) {
            (Shape::Record(fields), Json::Object(object)) => Value::Record(record(schema, fields, object, depth)?),
            (Shape::Enum(_), Json::String(case)) => Value::Enum(case.clone()),
            (Shape::Variant(_), Json::String(case)) => Value::variant::<String>(case.clone(), []),
            (Shape::Variant(cases), Json::Object(object)) if object.len() == 1 => {
                let (name, json) = object.iter().next().expect("one member");
                let Some(case) = cases.iter().find(|case| case.name == *name) else {
                    // `call_here` words the error: the case is unknown.
                    return Ok(Value::variant::<String>(name.clone(), []));
                };
                let fields = payload(schema, case, json, depth).map_err(|error| error.within(name.clone()))?;
                Value::Variant { case: name.clone(), fields }
            }
            _ => return Err(expected()),
        },
        _ => return Err(expected()),
    })
}

/// Returns whether null is a value of the type. An option of such a type marks its value with `{"some": ..}`.
fn may_be_null(ty: &TypeRef) -> bool {
    match ty {
        TypeRef::Box(of) => may_be_null(of),
        ty => matches!(ty, TypeRef::Option(_) | TypeRef::Unit),
    }
}

fn float(json: &Json) -> Option<f64> {
    match json {
        Json::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        number => number.as_f64(),
    }
}

/// Returns the nearest `f32`, for numbers in JSON are wider. Returns `None` for a number out of range.
fn nearest(number: f64) -> Option<f32> {
    #[allow(clippy::cast_possible_truncation)] // checked in the next line
    let nearest = number as f32;
    (nearest.is_finite() || !number.is_finite()).then_some(nearest)
}

fn record(
    schema: &Schema,
    fields: &[Field],
    object: &Map<String, Json>,
    depth: Depth,
) -> Result<Vec<(String, Value)>, LiftError> {
    let given = |(name, json): (&String, &Json)| {
        // `call_here` reports unknown names.
        let value = match fields.iter().find(|field| field.name == *name) {
            Some(field) => from_json(schema, &field.ty, json, depth).map_err(|error| error.within(name.clone()))?,
            None => Value::Unit,
        };
        Ok((name.clone(), value))
    };
    // Scripts leave out what is absent as well. A field with a default has that in place of nothing.
    let is_absent = |field: &&Field| {
        matches!(field.ty, TypeRef::Option(_)) && field.default.is_none() && !object.contains_key(&field.name)
    };
    let absent = fields.iter().filter(is_absent).map(|field| Ok((field.name.clone(), Value::Option(None))));
    object.iter().map(given).chain(absent).collect()
}

fn payload(schema: &Schema, case: &Case, json: &Json, depth: Depth) -> Result<Vec<(String, Value)>, LiftError> {
    if !tuple_like(&case.fields) {
        let object = json.as_object();
        let wrong = || LiftError::new(format_args!("expected the case's fields, got {}", Truncated(json)));
        return record(schema, &case.fields, object.ok_or_else(wrong)?, depth);
    }
    let parts = match (&case.fields[..], json) {
        ([_], one) => std::slice::from_ref(one),
        (fields, Json::Array(parts)) if parts.len() == fields.len() => parts,
        (fields, _) => {
            return Err(LiftError::new(format_args!("expected {} values, got {}", fields.len(), Truncated(json))));
        }
    };
    let part = |(field, json): (&Field, &Json)| {
        let value = from_json(schema, &field.ty, json, depth).map_err(|error| error.within(field.name.clone()))?;
        Ok((field.name.clone(), value))
    };
    case.fields.iter().zip(parts).map(part).collect()
}

/// Returns whether a case's fields are numbered rather than named.
fn tuple_like(fields: &[Field]) -> bool {
    fields.first().is_some_and(|field| field.name == "0")
}

/// Returns the JSON of `value`, whose type is `ty`.
fn to_json(schema: &Schema, ty: &TypeRef, value: &Value) -> Json {
    let inner = |ty: &TypeRef, value: &Value| to_json(schema, ty, value);
    match (ty, value) {
        (TypeRef::Box(of), value) => inner(of, value),
        (TypeRef::List(of), Value::List(items)) => items.iter().map(|item| inner(of, item)).collect(),
        (TypeRef::Tuple(types), Value::Tuple(parts)) => {
            types.iter().zip(parts).map(|(ty, part)| inner(ty, part)).collect()
        }
        (TypeRef::Option(_), Value::Option(None)) => Json::Null,
        (TypeRef::Option(of), Value::Option(Some(value))) if may_be_null(of) => json!({ "some": inner(of, value) }),
        (TypeRef::Option(of), Value::Option(Some(value))) => inner(of, value),
        (TypeRef::Map(key, of), Value::Map(entries)) if **key == TypeRef::String => entries
            .iter()
            .filter_map(|(key, value)| Some((key.as_str()?.to_owned(), inner(of, value))))
            .collect::<Map<_, _>>()
            .into(),
        (TypeRef::Map(key, of), Value::Map(entries)) => {
            entries.iter().map(|(name, value)| json!([inner(key, name), inner(of, value)])).collect()
        }
        (TypeRef::Result(of, _), Value::Result(Ok(value))) => json!({ "ok": inner(of, value) }),
        (TypeRef::Result(_, of), Value::Result(Err(value))) => json!({ "err": inner(of, value) }),
        (TypeRef::Named(number), value) => match (&schema.definition(*number).shape, value) {
            (Shape::Record(described), Value::Record(fields)) => named(schema, described, fields),
            (Shape::Variant(cases), Value::Variant { case, fields }) => {
                let described = cases.iter().find(|known| known.name == *case).map_or(&[][..], |case| &case.fields);
                match fields.as_slice() {
                    [] => json!(case),
                    [(_, one)] if tuple_like(described) => json!({ case: inner(&described[0].ty, one) }),
                    many if tuple_like(described) => {
                        let parts = described.iter().zip(many).map(|(field, (_, part))| inner(&field.ty, part));
                        json!({ case: parts.collect::<Json>() })
                    }
                    fields => json!({ case: named(schema, described, fields) }),
                }
            }
            (_, value) => plain(value),
        },
        (_, value) => plain(value),
    }
}

fn named(schema: &Schema, described: &[Field], fields: &[(String, Value)]) -> Json {
    let member = |(field, (name, value)): (&Field, &(String, Value))| (name.clone(), to_json(schema, &field.ty, value));
    described.iter().zip(fields).map(member).collect::<Map<_, _>>().into()
}

/// Returns the JSON of a value without parts.
fn plain(value: &Value) -> Json {
    match value {
        Value::Bool(flag) => json!(flag),
        Value::I8(n) => json!(n),
        Value::I16(n) => json!(n),
        Value::I32(n) => json!(n),
        Value::I64(n) => json!(n),
        Value::U8(n) => json!(n),
        Value::U16(n) => json!(n),
        Value::U32(n) => json!(n),
        Value::U64(n) => json!(n),
        Value::F32(n) => number(f64::from(*n)),
        Value::F64(n) => number(*n),
        Value::Char(letter) => json!(letter.to_string()),
        Value::String(text) | Value::Enum(text) => json!(text),
        Value::Bytes(bytes) => json!(bytes),
        // Unit: `to_json` handles the other kinds.
        _ => Json::Null,
    }
}

fn number(number: f64) -> Json {
    match Number::from_f64(number) {
        Some(number) => Json::Number(number),
        None if number.is_nan() => json!("NaN"),
        None if number > 0.0 => json!("Infinity"),
        None => json!("-Infinity"),
    }
}

impl Schema {
    /// Returns the contract as JSON: names, documentation, and types by name, such as `list<string>`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let fields = |fields: &[Field]| -> Json {
            let one =
                |field: &Field| json!({ "name": field.name, "docs": field.docs, "type": self.type_name(&field.ty) });
            fields.iter().map(one).collect()
        };
        let cases = |cases: &[Case]| -> Json {
            let one = |case: &Case| json!({ "name": case.name, "docs": case.docs, "fields": fields(&case.fields) });
            cases.iter().map(one).collect()
        };
        let methods = |methods: &[Method]| -> Json {
            let one = |method: &Method| {
                json!({
                    "name": method.name,
                    "docs": method.docs,
                    "since": format!("{}.{}", self.major, method.since),
                    "arguments": fields(&method.arguments),
                    "result": self.type_name(&method.result),
                })
            };
            methods.iter().map(one).collect()
        };
        let types: Json = self
            .types
            .iter()
            .map(|definition| {
                let (kind, parts, list) = match &definition.shape {
                    Shape::Record(list) => ("record", "fields", fields(list)),
                    Shape::Enum(list) => ("enum", "cases", cases(list)),
                    Shape::Variant(list) => ("variant", "cases", cases(list)),
                    Shape::Object(interface) => ("object", "methods", methods(&interface.methods)),
                };
                json!({ "name": definition.name, "docs": definition.docs, "kind": kind, parts: list })
            })
            .collect();
        json!({
            "name": self.name,
            "version": format!("{}.{}", self.major, self.minor),
            "docs": self.docs,
            "types": types,
            "methods": methods(&self.methods),
        })
    }
}
