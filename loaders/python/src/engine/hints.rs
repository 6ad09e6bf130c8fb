//! The check of a method's signature and type hints.

use polyplug::schema::{Method, TypeRef};
use pyo3::prelude::*;

use crate::classes::{ContractClasses, type_descriptor};
use crate::interpreter::Interpreter;
use crate::names::python_name;

/// Raises a `TypeError` if a method, as the class defines it, cannot be the contract's.
pub(super) fn check_method(
    py: Python<'_>,
    interpreter: &Interpreter,
    class: &Py<PyAny>,
    classes: &ContractClasses,
    method: &Method,
) -> PyResult<()> {
    let schema = &classes.contract.schema;
    let described = |ty: &TypeRef| Ok::<_, PyErr>((type_descriptor(py, ty)?, schema.type_name(ty)));
    let arguments = method.arguments.iter().map(|argument| {
        let (ty, shown) = described(&argument.ty)?;
        Ok((&argument.name, ty, shown))
    });
    let arguments = arguments.collect::<PyResult<Vec<_>>>()?;
    let result = match &method.result {
        TypeRef::Result(ok, _) => described(ok)?,
        other => described(other)?,
    };
    let definitions = u32::try_from(classes.definitions.len()).unwrap_or(0);
    let definition_classes: Vec<_> = (0..definitions).map(|number| classes.class(number)).collect();
    let arguments = (class, python_name(&method.name), arguments, result, definition_classes);
    interpreter.prelude.check_method.bind(py).call1(arguments).map(drop)
}
