//! Definitions and types as tuples, for the prelude's `make_types` and `check_method`.

use polyplug::schema::{Field, Scalar, Schema, Shape, TypeRef};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use crate::names::python_name;

/// Returns the definitions of a contract as `make_types` takes them: `(name, docs, kind, parts)`.
pub(super) fn definition_descriptors<'py>(py: Python<'py>, schema: &Schema) -> PyResult<Bound<'py, PyList>> {
    let definitions = schema.types.iter().map(|definition| {
        let (kind, parts) = kind_and_parts(py, &definition.shape)?;
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

fn kind_and_parts<'py>(py: Python<'py>, shape: &Shape) -> PyResult<(&'static str, Bound<'py, PyAny>)> {
    Ok(match shape {
        Shape::Record(fields) => ("record", field_descriptors(py, fields)?.into_any()),
        Shape::Enum(cases) => ("enum", PyList::new(py, cases.iter().map(|case| python_name(&case.name)))?.into_any()),
        Shape::Variant(cases) => {
            let cases = cases.iter().map(|case| {
                (&case.name, python_name(&case.name), &case.docs, field_descriptors(py, &case.fields)?)
                    .into_pyobject(py)
            });
            ("variant", PyList::new(py, cases.collect::<PyResult<Vec<_>>>()?)?.into_any())
        }
        Shape::Object(interface) => {
            ("object", PyList::new(py, interface.methods.iter().map(|method| python_name(&method.name)))?.into_any())
        }
    })
}

fn field_descriptors<'py>(py: Python<'py>, fields: &[Field]) -> PyResult<Bound<'py, PyList>> {
    let fields =
        fields.iter().map(|field| (python_name(&field.name), type_descriptor(py, &field.ty)?).into_pyobject(py));
    PyList::new(py, fields.collect::<PyResult<Vec<_>>>()?)
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
