//! The classes of remote objects.

use std::sync::Arc;

use polyplug::engine::{Fault, Guest, ImportedObject};
use polyplug::schema::Shape;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

use super::remote_method::RemoteMethod;
use super::remote_object::{RemoteInit, RemoteObject, RemoteState};
use crate::classes::ContractClasses;
use crate::exception;
use crate::interpreter::Interpreter;
use crate::names::python_name;

/// Returns a Python object with the methods of `remote`.
pub(crate) fn wrap_remote<'py>(
    py: Python<'py>,
    interpreter: &Interpreter,
    guest: &Arc<Guest>,
    classes: &Arc<ContractClasses>,
    remote: ImportedObject,
) -> Result<Bound<'py, PyAny>, Fault> {
    let wrap = || {
        let definition = remote.definition();
        let class = classes.remote_class(py, definition, || make_class(py, interpreter, classes, definition))?;
        let init = RemoteInit::new(RemoteState::new(guest, classes, remote));
        class.call1((Bound::new(py, init)?,))
    };
    wrap().map_err(|raised| exception::to_fault(py, raised))
}

/// Makes the class with the methods of an object definition, or of the contract itself.
fn make_class<'py>(
    py: Python<'py>,
    interpreter: &Interpreter,
    classes: &ContractClasses,
    definition: Option<u32>,
) -> PyResult<Bound<'py, PyType>> {
    let schema = &classes.contract.schema;
    let (name, methods) = match definition.map(|number| &schema.definition(number).shape) {
        Some(Shape::Object(interface)) => (&interface.contract, &interface.methods),
        _ => (&schema.name, &schema.methods),
    };
    let namespace = PyDict::new(py);
    for (number, method) in methods.iter().enumerate() {
        namespace.set_item(python_name(&method.name), Py::new(py, RemoteMethod::new(number, method))?)?;
    }
    let base = py.get_type::<RemoteObject>();
    Ok(interpreter.prelude.make_remote_class.bind(py).call1((base, name, namespace))?.cast_into::<PyType>()?)
}
