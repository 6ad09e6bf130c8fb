//! Dynamic calls with JSON in and out, and schemas as JSON.
//!
//! | type | JSON |
//! |---|---|
//! | integers | number |
//! | floats | number; `"NaN"`, `"Infinity"`, `"-Infinity"` |
//! | char, string | string |
//! | bytes | array of numbers |
//! | list, tuple | array |
//! | map | object where keys are text, else array of pairs |
//! | option | null or the value |
//! | record | object |
//! | enum | the case's name |
//! | variant | the name of a case without fields; else `{"Case": {..}}`, `{"Case": value}` or `{"Case": [..]}` |
//! | result | `{"ok": ..}` or `{"err": ..}` |

use serde_json::{Map, Number, Value as Json, json};

use super::DynamicProxy;
use crate::call_error::{CallError, Failure};
use crate::host::runtime::Runtime;
use crate::schema::{Case, Field, Schema, Shape, TypeRef};
use crate::types::LiftError;
use crate::value::Value;

impl DynamicProxy {
    /// As [`call`](Self::call), with JSON in and out.
    ///
    /// # Errors
    ///
    /// As for [`call`](Self::call).
    pub fn call_json(&self, method: &str, arguments: &[Json]) -> Result<Json, CallError> {
        let schema = self.schema();
        let described = schema.method(method).map_or(&[][..], |(_, method)| &method.arguments);
        let path = || format!("{}.{method}", schema.name);
        // Wrong counts and unknown methods are for `call` to report.
        let unit = Field { name: String::new(), docs: String::new(), ty: TypeRef::Unit };
        let fields = described.iter().chain(std::iter::repeat(&unit));
        let values = arguments
            .iter()
            .zip(fields)
            .map(|(json, field)| from_json(schema, &field.ty, json).map_err(|error| error.within(field.name.clone())))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| CallError::InvalidArgument(Failure::new(path(), error.to_string())))?;
        self.call(method, &values).map(|value| to_json(&value))
    }
}

impl Runtime {
    /// As [`call`](Self::call), with JSON in and out.
    ///
    /// # Errors
    ///
    /// As for [`call`](Self::call).
    pub fn call_json(&self, contract: &str, method: &str, arguments: &[Json]) -> Result<Json, CallError> {
        let proxy = self
            .dynamic(contract)
            .map_err(|error| CallError::NotFound(Failure::new(format!("{contract}.{method}"), error.to_string())))?;
        proxy.call_json(method, arguments)
    }
}

/// The value of type `ty` that `json` stands for.
fn from_json(schema: &Schema, ty: &TypeRef, json: &Json) -> Result<Value, LiftError> {
    let expected = || LiftError::new(format_args!("expected {}, got {json}", schema.type_name(ty)));
    let integer = |make: fn(i128) -> Option<Value>| {
        let number = json.as_i64().map(i128::from).or_else(|| json.as_u64().map(i128::from));
        number.and_then(make).ok_or_else(expected)
    };
    macro_rules! integer {
        ($ty:ty) => {
            integer(|number| <$ty>::try_from(number).ok().map(Value::from))
        };
    }
    let inner = |ty: &TypeRef, json: &Json| from_json(schema, ty, json);
    Ok(match (ty, json) {
        (TypeRef::Unit, _) => Value::Unit,
        (TypeRef::Bool, Json::Bool(flag)) => Value::Bool(*flag),
        (TypeRef::I8, _) => integer!(i8)?,
        (TypeRef::I16, _) => integer!(i16)?,
        (TypeRef::I32, _) => integer!(i32)?,
        (TypeRef::I64, _) => integer!(i64)?,
        (TypeRef::U8, _) => integer!(u8)?,
        (TypeRef::U16, _) => integer!(u16)?,
        (TypeRef::U32, _) => integer!(u32)?,
        (TypeRef::U64, _) => integer!(u64)?,
        #[allow(clippy::cast_possible_truncation)] // JSON's numbers are wider; the nearest is what is meant
        (TypeRef::F32, _) => Value::F32(float(json).ok_or_else(expected)? as f32),
        (TypeRef::F64, _) => Value::F64(float(json).ok_or_else(expected)?),
        (TypeRef::Char, Json::String(text)) => {
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
                .map(|(name, json)| Ok((Value::from(name.as_str()), inner(of, json)?)))
                .collect::<Result<_, LiftError>>()?,
        ),
        (TypeRef::Map(key, of), Json::Array(pairs)) => Value::Map(
            pairs
                .iter()
                .enumerate()
                .map(|(i, pair)| match pair.as_array().map(Vec::as_slice) {
                    Some([name, value]) => Ok((inner(key, name)?, inner(of, value)?)),
                    _ => Err(LiftError::new(format_args!("expected a key and a value, got {pair}")).at(i)),
                })
                .collect::<Result<_, _>>()?,
        ),
        (TypeRef::Result(ok, err), Json::Object(object)) if object.len() == 1 => {
            match (object.get("ok"), object.get("err")) {
                (Some(json), _) => Value::Result(Ok(Box::new(inner(ok, json)?))),
                (_, Some(json)) => Value::Result(Err(Box::new(inner(err, json)?))),
                _ => return Err(expected()),
            }
        }
        (TypeRef::Named(number), json) => match (&schema.definition(*number).shape, json) {
            (Shape::Record(fields), Json::Object(object)) => Value::Record(record(schema, fields, object)?),
            (Shape::Enum(_), Json::String(case)) => Value::Enum(case.clone()),
            (Shape::Variant(_), Json::String(case)) => Value::variant::<String>(case.clone(), []),
            (Shape::Variant(cases), Json::Object(object)) if object.len() == 1 => {
                let (name, json) = object.iter().next().expect("one member");
                let case = cases.iter().find(|case| case.name == *name).ok_or_else(expected)?;
                let fields = payload(schema, case, json).map_err(|error| error.within(name.clone()))?;
                Value::Variant { case: name.clone(), fields }
            }
            _ => return Err(expected()),
        },
        _ => return Err(expected()),
    })
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

fn record(schema: &Schema, fields: &[Field], object: &Map<String, Json>) -> Result<Vec<(String, Value)>, LiftError> {
    let given = |(name, json): (&String, &Json)| {
        // Unknown names are for `call` to report.
        let value = match fields.iter().find(|field| field.name == *name) {
            Some(field) => from_json(schema, &field.ty, json).map_err(|error| error.within(name.clone()))?,
            None => Value::Unit,
        };
        Ok((name.clone(), value))
    };
    object.iter().map(given).collect()
}

fn payload(schema: &Schema, case: &Case, json: &Json) -> Result<Vec<(String, Value)>, LiftError> {
    if !tuple_like(case.fields.iter().map(|field| &field.name)) {
        let object = json.as_object();
        let object = object.ok_or_else(|| LiftError::new(format_args!("expected the case's fields, got {json}")))?;
        return record(schema, &case.fields, object);
    }
    let parts = match (&case.fields[..], json) {
        ([_], one) => std::slice::from_ref(one),
        (fields, Json::Array(parts)) if parts.len() == fields.len() => parts,
        (fields, _) => return Err(LiftError::new(format_args!("expected {} values, got {json}", fields.len()))),
    };
    let part = |(field, json): (&Field, &Json)| {
        let value = from_json(schema, &field.ty, json).map_err(|error| error.within(field.name.clone()))?;
        Ok((field.name.clone(), value))
    };
    case.fields.iter().zip(parts).map(part).collect()
}

/// Whether a case's fields are numbered rather than named.
fn tuple_like<'a>(mut names: impl Iterator<Item = &'a String>) -> bool {
    names.next().is_some_and(|name| name == "0")
}

fn to_json(value: &Value) -> Json {
    let fields = |fields: &[(String, Value)]| -> Json {
        fields.iter().map(|(name, value)| (name.clone(), to_json(value))).collect::<Map<_, _>>().into()
    };
    let number = |number: f64| match Number::from_f64(number) {
        Some(number) => Json::Number(number),
        None if number.is_nan() => json!("NaN"),
        None if number > 0.0 => json!("Infinity"),
        None => json!("-Infinity"),
    };
    match value {
        Value::Unit | Value::Option(None) => Json::Null,
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
        Value::List(items) | Value::Tuple(items) => items.iter().map(to_json).collect(),
        Value::Map(entries) if entries.iter().all(|(key, _)| key.as_str().is_some()) => entries
            .iter()
            .filter_map(|(key, value)| Some((key.as_str()?.to_owned(), to_json(value))))
            .collect::<Map<_, _>>()
            .into(),
        Value::Map(entries) => entries.iter().map(|(key, value)| json!([to_json(key), to_json(value)])).collect(),
        Value::Option(Some(value)) => to_json(value),
        Value::Record(record) => fields(record),
        Value::Variant { case, fields: parts } if parts.is_empty() => json!(case),
        Value::Variant { case, fields: parts } => {
            let payload = match &parts[..] {
                [(_, one)] if tuple_like(parts.iter().map(|(name, _)| name)) => to_json(one),
                many if tuple_like(many.iter().map(|(name, _)| name)) => {
                    many.iter().map(|(_, value)| to_json(value)).collect()
                }
                named => fields(named),
            };
            json!({ case: payload })
        }
        Value::Result(Ok(value)) => json!({ "ok": to_json(value) }),
        Value::Result(Err(value)) => json!({ "err": to_json(value) }),
    }
}

impl Schema {
    /// The contract as JSON: names, documentation, and types as people write them.
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
        let types: Json = self
            .types
            .iter()
            .map(|definition| {
                let (kind, parts, list) = match &definition.shape {
                    Shape::Record(list) => ("record", "fields", fields(list)),
                    Shape::Enum(list) => ("enum", "cases", cases(list)),
                    Shape::Variant(list) => ("variant", "cases", cases(list)),
                };
                json!({ "name": definition.name, "docs": definition.docs, "kind": kind, parts: list })
            })
            .collect();
        let methods: Json = self
            .methods
            .iter()
            .map(|method| {
                json!({
                    "name": method.name,
                    "docs": method.docs,
                    "since": format!("{}.{}", self.major, method.since),
                    "arguments": fields(&method.arguments),
                    "result": self.type_name(&method.result),
                })
            })
            .collect();
        json!({
            "name": self.name,
            "version": format!("{}.{}", self.major, self.minor),
            "docs": self.docs,
            "types": types,
            "methods": methods,
        })
    }
}
