//! Definitions and types as tuples, for the prelude's `make_types` and `check_method`.

use polyplug::Value;
use polyplug::schema::{Case, Field, Scalar, Schema, Shape, TypeRef};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple};

use crate::names::python_name;

/// Returns the definitions of a contract as `make_types` takes them: `(name, docs, kind, parts)`.
pub(super) fn definition_descriptors<'py>(py: Python<'py>, schema: &Schema) -> PyResult<Bound<'py, PyList>> {
    let definitions = schema.types.iter().map(|definition| {
        let (kind, parts) = kind_and_parts(py, schema, &definition.shape)?;
        (&definition.name, &definition.docs, kind, parts).into_pyobject(py)
    });
    PyList::new(py, definitions.collect::<PyResult<Vec<_>>>()?)
}

/// Returns the numbers of the definitions that methods declare as their errors.
pub(super) fn error_definitions(schema: &Schema) -> Vec<u32> {
    let of_objects = schema.types.iter().flat_map(|definition| match &definition.shape {
        Shape::Object(interface) => interface.methods.as_slice(),
        _ => &[],
    });
    let declared = schema.methods.iter().chain(of_objects).filter_map(|method| match &method.result {
        TypeRef::Result(_, error) => match &**error {
            TypeRef::Named(number) => Some(*number),
            _ => None,
        },
        _ => None,
    });
    declared.collect()
}

fn kind_and_parts<'py>(py: Python<'py>, schema: &Schema, shape: &Shape) -> PyResult<(&'static str, Bound<'py, PyAny>)> {
    Ok(match shape {
        Shape::Record(fields) => ("record", field_descriptors(py, schema, fields)?.into_any()),
        Shape::Enum(cases) => ("enum", PyList::new(py, cases.iter().map(|case| python_name(&case.name)))?.into_any()),
        Shape::Variant(cases) => {
            let cases = cases.iter().map(|case| {
                (&case.name, python_name(&case.name), &case.docs, field_descriptors(py, schema, &case.fields)?)
                    .into_pyobject(py)
            });
            ("variant", PyList::new(py, cases.collect::<PyResult<Vec<_>>>()?)?.into_any())
        }
        Shape::Object(interface) => {
            ("object", PyList::new(py, interface.methods.iter().map(|method| python_name(&method.name)))?.into_any())
        }
    })
}

/// Returns fields as `(name, type, default)`. The default is `None` where there is none.
fn field_descriptors<'py>(py: Python<'py>, schema: &Schema, fields: &[Field]) -> PyResult<Bound<'py, PyList>> {
    let fields = fields.iter().map(|field| {
        let default = field.default.as_ref().map(|default| value_descriptor(py, schema, &field.ty, default));
        (python_name(&field.name), type_descriptor(py, &field.ty)?, default.transpose()?).into_pyobject(py)
    });
    PyList::new(py, fields.collect::<PyResult<Vec<_>>>()?)
}

/// Returns a value as a tuple of its kind and its parts, which the prelude's `make_value` makes the value of. Other
/// processes make the classes of the same tuples, so that these have nothing of this process.
fn value_descriptor<'py>(
    py: Python<'py>,
    schema: &Schema,
    ty: &TypeRef,
    value: &Value,
) -> PyResult<Bound<'py, PyTuple>> {
    let of = |ty: &TypeRef, value: &Value| value_descriptor(py, schema, ty, value);
    let fields = |described: &[Field], values: &[(String, Value)]| {
        let value = |name: &str| values.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        let values = described.iter().filter_map(|field| Some(of(&field.ty, value(&field.name)?)));
        PyList::new(py, values.collect::<PyResult<Vec<_>>>()?)
    };
    let plain = |value: PyResult<Bound<'py, PyAny>>| ("plain", value?).into_pyobject(py);
    match (ty, value) {
        (TypeRef::Box(inner), value) => of(inner, value),
        (TypeRef::Option(inner), Value::Option(Some(value))) if may_be_none(inner) => {
            ("some", of(inner, value)?).into_pyobject(py)
        }
        (TypeRef::Option(inner), Value::Option(Some(value))) => of(inner, value),
        // An empty list of any type, of which no item tells that it is one of bytes.
        (TypeRef::List(inner), Value::List(_)) if **inner == TypeRef::U8 => plain(Ok(PyBytes::new(py, &[]).into_any())),
        (TypeRef::List(inner), Value::List(items)) => {
            let items = items.iter().map(|item| of(inner, item)).collect::<PyResult<Vec<_>>>()?;
            ("list", PyList::new(py, items)?).into_pyobject(py)
        }
        (TypeRef::Map(key, inner), Value::Map(entries)) => {
            let entries = entries.iter().map(|(name, value)| Ok((of(key, name)?, of(inner, value)?)));
            ("map", PyList::new(py, entries.collect::<PyResult<Vec<_>>>()?)?).into_pyobject(py)
        }
        (TypeRef::Tuple(types), Value::Tuple(parts)) => {
            let parts = types.iter().zip(parts).map(|(ty, part)| of(ty, part)).collect::<PyResult<Vec<_>>>()?;
            ("tuple", PyList::new(py, parts)?).into_pyobject(py)
        }
        (TypeRef::Result(ok, _), Value::Result(Ok(value))) => ("ok", of(ok, value)?).into_pyobject(py),
        (TypeRef::Result(_, err), Value::Result(Err(value))) => ("err", of(err, value)?).into_pyobject(py),
        (TypeRef::Named(number), value) => match (&schema.definition(*number).shape, value) {
            (Shape::Record(described), Value::Record(values)) => {
                ("record", *number, fields(described, values)?).into_pyobject(py)
            }
            (Shape::Enum(cases), Value::Enum(name)) => ("enum", *number, case(cases, name).0).into_pyobject(py),
            (Shape::Variant(cases), Value::Variant { case: name, fields: values }) => {
                let (tag, case) = case(cases, name);
                ("variant", *number, tag, fields(&case.fields, values)?).into_pyobject(py)
            }
            (_, other) => unreachable!("the schema's check has refused the default {other}"),
        },
        (_, Value::Unit | Value::Option(None)) => plain(Ok(py.None().into_bound(py))),
        (_, Value::Bool(value)) => plain(value.into_bound_py_any(py)),
        (_, Value::F32(number)) => plain(number.into_bound_py_any(py)),
        (_, Value::F64(number)) => plain(number.into_bound_py_any(py)),
        (_, Value::Char(letter)) => plain(letter.into_bound_py_any(py)),
        (_, Value::String(text)) => plain(text.into_bound_py_any(py)),
        (_, Value::Bytes(bytes)) => plain(Ok(PyBytes::new(py, bytes).into_any())),
        (_, other) => match other.as_integer() {
            Some(number) => plain(number.into_bound_py_any(py)),
            None => unreachable!("the schema's check has refused the default {other}"),
        },
    }
}

/// Returns a case and its number.
fn case<'a>(cases: &'a [Case], name: &str) -> (usize, &'a Case) {
    let found = cases.iter().enumerate().find(|(_, case)| case.name == name);
    found.expect("the schema's check finds the case of each default")
}

/// Returns whether `None` is a value of a type.
fn may_be_none(ty: &TypeRef) -> bool {
    match ty {
        TypeRef::Unit | TypeRef::Option(_) => true,
        TypeRef::Box(of) => may_be_none(of),
        _ => false,
    }
}

/// Returns a type as a tuple of its kind and its parts.
pub(crate) fn type_descriptor<'py>(py: Python<'py>, ty: &TypeRef) -> PyResult<Bound<'py, PyTuple>> {
    let with = |kind: &str, parts: &[&TypeRef]| {
        let kind = PyString::new(py, kind).into_any();
        let parts = parts.iter().map(|part| Ok(type_descriptor(py, part)?.into_any()));
        PyTuple::new(py, std::iter::once(Ok(kind)).chain(parts).collect::<PyResult<Vec<_>>>()?)
    };
    match ty {
        TypeRef::Unit => with("unit", &[]),
        TypeRef::Scalar(Scalar::Bool) => with("bool", &[]),
        TypeRef::Scalar(Scalar::F32) | TypeRef::Scalar(Scalar::F64) => with("float", &[]),
        TypeRef::Scalar(Scalar::Char) => with("char", &[]),
        TypeRef::String => with("string", &[]),
        TypeRef::List(of) if **of == TypeRef::U8 => with("bytes", &[]),
        TypeRef::List(of) => with("list", &[of]),
        TypeRef::Option(of) => with("option", &[of]),
        TypeRef::Box(of) => type_descriptor(py, of),
        TypeRef::Map(key, value) => with("map", &[key, value]),
        TypeRef::Tuple(parts) => with("tuple", &parts.iter().collect::<Vec<_>>()),
        TypeRef::Result(ok, err) => with("result", &[ok, err]),
        TypeRef::Named(number) => ("named", *number).into_pyobject(py),
        _ => with("int", &[]),
    }
}
