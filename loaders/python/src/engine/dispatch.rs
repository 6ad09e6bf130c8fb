//! The implementation of the runtime's interface to engines.

use std::ptr::null_mut;

use polyplug::Version;
use polyplug::engine::{Engine, Fault, IncomingCall, KnownContract};
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::hints::check_method;
use crate::bundle::{PluginMethod, PluginMethods, PythonEngine, call_method};
use crate::classes::classes_of;
use crate::convert::describe_value;
use crate::exception;
use crate::names::python_name;
use crate::thread::{self, Attached};

impl Engine for PythonEngine {
    /// The interpreter has a lock of its own, which it lends to other threads while code runs.
    const EXCLUSIVE: bool = false;

    /// Python's own code makes deep frames: the import of a module, the text of a traceback.
    const STACK: usize = 128 << 10;

    type Object = Py<PyAny>;

    fn method_name(name: &str) -> String {
        python_name(name)
    }

    fn prepare(&self, plugin: usize, contract: &KnownContract) -> Result<(), Fault> {
        thread::attach(|py| {
            let interpreter = self.modules.interpreter;
            let plugin = &self.plugins[plugin];
            let classes = classes_of(py, interpreter, contract)?;
            let mut methods = Vec::new();
            for method in &contract.schema.methods {
                check_method(py, interpreter, &plugin.class, &classes, method).map_err(|raised| {
                    // A `TypeError` is raised by the check itself, whose message needs no traceback.
                    if raised.is_instance_of::<PyTypeError>(py) {
                        return Fault::new(format_args!("{}: {}", contract.schema, raised.value(py)));
                    }
                    exception::to_bundle_fault(py, interpreter, &self.modules.bundle, &raised)
                })?;
                methods.push(PluginMethod::new(py, &python_name(&method.name)));
            }
            plugin.set_methods(PluginMethods { classes, methods });
            Ok(())
        })
    }

    fn create(&self, plugin: usize) -> Result<Py<PyAny>, Fault> {
        self.modules.run(|py| self.plugins[plugin].instantiate(py, &self.modules))
    }

    fn end(&self, object: Py<PyAny>) {
        thread::drop_attached(object);
    }

    #[inline]
    fn call(&self, plugin: usize, instance: &Py<PyAny>, call: &IncomingCall<'_>) -> Result<(), Fault> {
        let PluginMethods { classes, methods } = self.plugins[plugin].methods();
        let method = &methods[call.number()];
        self.carry_out(classes, instance.as_ptr(), call, |arguments, count| {
            // SAFETY: `carry_out` attaches the thread, and passes `count` objects with a place before them.
            unsafe { method.call(arguments, count) }
        })
    }

    fn call_object(
        &self,
        definition: u32,
        object: &Py<PyAny>,
        of: &KnownContract,
        call: &IncomingCall<'_>,
    ) -> Result<(), Fault> {
        // Attached once for both: attaching again within is cheap.
        let _attached = Attached::enter()?;
        let classes = Python::attach(|py| classes_of(py, self.modules.interpreter, of))?;
        let methods = classes.object_methods(definition);
        let name = methods[call.number()].as_ptr();
        self.carry_out(&classes, object.as_ptr(), call, |arguments, count| {
            // SAFETY: `carry_out` attaches the thread, and passes `count` objects with a place before them: the object
            // and the arguments. A callable that stands for the object gets the arguments alone, and the object's place
            // is then the one that it may overwrite.
            unsafe {
                if methods.len() == 1 && ffi::PyObject_HasAttr(object.as_ptr(), name) == 0 {
                    let flags = (count - 1) | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET;
                    return ffi::PyObject_Vectorcall(object.as_ptr(), arguments.add(1), flags, null_mut());
                }
                call_method(name, arguments, count)
            }
        })
    }

    fn place(&self, _: usize, instance: &Py<PyAny>, call: &IncomingCall<'_>) -> Option<String> {
        self.object_place(instance, call)
    }

    fn object_place(&self, object: &Py<PyAny>, call: &IncomingCall<'_>) -> Option<String> {
        let place = thread::attach(|py| {
            let arguments = (object.bind(py), python_name(&call.method().name), self.modules.bundle.bind(py));
            // The object's own code may run, and fail.
            let place = self.modules.interpreter.prelude.place_of_function.bind(py).call1(arguments);
            Ok(place.and_then(|place| place.extract()).ok().flatten())
        });
        place.ok().flatten()
    }

    fn save(&self, _: usize, instance: &Py<PyAny>) -> Result<Vec<u8>, Fault> {
        self.modules.run(|py| {
            let saved = instance.bind(py).call_method0(intern!(py, "save"))?;
            match saved.cast::<PyBytes>() {
                Ok(bytes) => Ok(bytes.as_bytes().to_vec()),
                Err(_) => saved.extract::<Vec<u8>>().map_err(|_| {
                    PyTypeError::new_err(format!("save: bytes are expected, not {}", describe_value(&saved)))
                }),
            }
        })
    }

    fn restore(&self, plugin: usize, state: &[u8], from: Version) -> Result<Py<PyAny>, Fault> {
        let from = format!("{}.{}.{}", from.major, from.minor, from.patch);
        self.modules.run(|py| {
            let instance = self.plugins[plugin].instantiate(py, &self.modules)?;
            instance.call_method1(py, intern!(py, "restore"), (PyBytes::new(py, state), from))?;
            Ok(instance)
        })
    }
}
