//! A bundle in the interpreter, as the runtime uses it.

use std::mem::MaybeUninit;
use std::ptr::null_mut;
use std::sync::{Arc, OnceLock};

use polyplug::Version;
use polyplug::engine::{Engine, Fault, Incoming, KnownContract};
use polyplug::schema::TypeRef;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi::{self, PyObject};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::bundle::{Method, Modules, call_method};
use crate::classes::{self, Definition, Prepared, prepared, spelled};
use crate::convert::{Values, describe};
use crate::exception;
use crate::thread::{self, Attached};
use crate::time_limit::Timed;

/// The modules and plugins of one version of a bundle.
pub(crate) struct PythonEngine {
    modules: Modules,
    plugins: Vec<Plugin>,
}

pub(crate) struct Plugin {
    class: Py<PyAny>,
    /// Whether instances are made with the context.
    takes_context: bool,
    /// Set before it is used.
    code: OnceLock<Code>,
}

struct Code {
    of: Arc<Prepared>,
    methods: Vec<Method>,
}

impl PythonEngine {
    /// The engine for a bundle whose code has run, and declared these.
    pub(crate) fn new(modules: Modules, plugins: Vec<Plugin>) -> Self {
        Self { modules, plugins }
    }

    fn code(&self, plugin: usize) -> &Code {
        self.plugins[plugin].code.get().expect("a plugin is prepared before it is used")
    }

    fn values<'py, 'a>(&'a self, py: Python<'py>, of: &'a Arc<Prepared>) -> Values<'py, 'a> {
        Values { py, interpreter: self.modules.interpreter, of, guest: &self.modules.guest }
    }

    /// The exception that there is: an error that the method declares, or a failure.
    #[cold]
    fn failed(&self, of: &Arc<Prepared>, call: &Incoming<'_>, timed: Option<&Timed>) -> Result<(), Fault> {
        // pyo3 has to know that this thread is attached, for what it drops.
        Python::attach(|py| {
            let raised = PyErr::fetch(py);
            match self.declared(py, of, call, &raised) {
                Some(error) => {
                    let told = call.declare(&mut self.values(py, of), &error);
                    told.map_err(|fault| self.modules.unreadable(timed, fault))
                }
                None => Err(self.modules.fault(py, timed, &raised)),
            }
        })
    }

    /// The error that an exception stands for, if the method declares it.
    fn declared<'py>(
        &self,
        py: Python<'py>,
        of: &Prepared,
        call: &Incoming<'_>,
        raised: &PyErr,
    ) -> Option<Bound<'py, PyAny>> {
        let definition = call.declares()?;
        let value = raised.value(py);
        if value.is_instance(self.modules.interpreter.prelude.declared.bind(py)).unwrap_or(false) {
            return value.getattr(intern!(py, "value")).ok();
        }
        let definition = definition?;
        let class = of.class(definition)?.bind(py);
        let mark = intern!(py, "_polyplug_type_");
        let is_same = || {
            let theirs = value.getattr(mark).ok()?;
            theirs.eq(class.getattr(mark).ok()?).ok()
        };
        if !value.is_instance(class).unwrap_or(false) && !is_same().unwrap_or(false) {
            return None;
        }
        if matches!(of.definitions[definition as usize], Definition::Enum { .. }) {
            // There is one object for all who raise it, which would keep what they had.
            for name in [intern!(py, "__traceback__"), intern!(py, "__context__"), intern!(py, "__cause__")] {
                let _ = value.setattr(name, py.None());
            }
        }
        Some(value.clone().into_any())
    }

    /// A call, from its arguments to its result. `invoke` calls the function with `first` and them: as many objects as it
    /// is told, with a place before them that is the function's to use.
    #[inline]
    fn carry_out(
        &self,
        of: &Arc<Prepared>,
        first: *mut PyObject,
        call: &Incoming<'_>,
        invoke: impl FnOnce(*mut *mut PyObject, usize) -> *mut PyObject,
    ) -> Result<(), Fault> {
        let attached = Attached::enter()?;
        if call.arguments() <= FEW {
            let mut places = [MaybeUninit::uninit(); FEW + 2];
            return self.carry_out_in(&mut places, &attached, of, first, call, invoke);
        }
        let mut places = vec![MaybeUninit::uninit(); call.arguments() + 2];
        self.carry_out_in(&mut places, &attached, of, first, call, invoke)
    }

    /// The same with room for the arguments.
    #[inline(always)]
    fn carry_out_in(
        &self,
        places: &mut [MaybeUninit<*mut PyObject>],
        attached: &Attached,
        of: &Arc<Prepared>,
        first: *mut PyObject,
        call: &Incoming<'_>,
        invoke: impl FnOnce(*mut *mut PyObject, usize) -> *mut PyObject,
    ) -> Result<(), Fault> {
        let timed = self.modules.timed()?;
        let py = attached.py();
        let mut values = self.values(py, of);
        let mut arguments = Arguments::new(places, first);
        call.each_argument(&mut values, |argument| arguments.push(argument))?;
        let result = invoke(arguments.start(), call.arguments() + 1);
        // SAFETY: what functions return is the caller's, or null with an exception.
        match unsafe { Bound::from_owned_ptr_or_opt(py, result) } {
            Some(result) => {
                call.give(&mut values, &result).map_err(|fault| self.modules.unreadable(timed.as_ref(), fault))
            }
            None => self.failed(of, call, timed.as_ref()),
        }
    }

    fn make(&self, py: Python<'_>, plugin: usize) -> PyResult<Py<PyAny>> {
        let Plugin { class, takes_context, .. } = &self.plugins[plugin];
        if *takes_context {
            class.call1(py, (self.modules.bundle.getattr(py, intern!(py, "module"))?,))
        } else {
            class.call0(py)
        }
    }
}

/// How many arguments need no list on the heap.
const FEW: usize = 6;

/// The arguments of a call: one place that is the callee's to use, one for what the method is called on, and theirs.
/// Those are owned.
struct Arguments<'a> {
    places: &'a mut [MaybeUninit<*mut PyObject>],
    /// How many there are so far.
    count: usize,
}

impl<'a> Arguments<'a> {
    /// None yet, of a call on `first`, which is borrowed.
    #[inline]
    fn new(places: &'a mut [MaybeUninit<*mut PyObject>], first: *mut PyObject) -> Self {
        places[1].write(first);
        Self { places, count: 0 }
    }

    #[inline]
    fn push(&mut self, argument: Bound<'_, PyAny>) {
        self.places[2 + self.count].write(argument.into_ptr());
        self.count += 1;
    }

    /// What the method is called on and the arguments.
    #[inline]
    fn start(&mut self) -> *mut *mut PyObject {
        self.places[1..].as_mut_ptr().cast()
    }
}

impl Drop for Arguments<'_> {
    #[inline]
    fn drop(&mut self) {
        for argument in &self.places[2..2 + self.count] {
            // SAFETY: pushed, so that it is there and owned; the thread is attached while there are any.
            unsafe { ffi::Py_DECREF(argument.assume_init()) };
        }
    }
}

impl Engine for PythonEngine {
    /// The interpreter has a lock of its own, which it lends to others while code runs.
    const EXCLUSIVE: bool = false;

    type Object = Py<PyAny>;

    fn method_name(name: &str) -> String {
        spelled(name)
    }

    fn prepare(&self, plugin: usize, contract: &KnownContract) -> Result<(), Fault> {
        thread::attach(|py| {
            let of = prepared(py, self.modules.interpreter, contract)?;
            let mut methods = Vec::new();
            for method in &contract.schema.methods {
                self.check(py, plugin, &of, method).map_err(|raised| {
                    // What is wrong is said in words of ours.
                    if raised.is_instance_of::<PyTypeError>(py) {
                        return Fault::new(format_args!("{}: {}", contract.schema, raised.value(py)));
                    }
                    exception::to_bundle_fault(py, self.modules.interpreter, &self.modules.bundle, &raised)
                })?;
                methods.push(Method::new(py, &spelled(&method.name)));
            }
            let _ = self.plugins[plugin].code.set(Code { of, methods });
            Ok(())
        })
    }

    fn create(&self, plugin: usize) -> Result<Py<PyAny>, Fault> {
        self.modules.run(|py| self.make(py, plugin))
    }

    fn end(&self, object: Py<PyAny>) {
        thread::drop_attached(object);
    }

    #[inline]
    fn call(&self, plugin: usize, instance: &Py<PyAny>, call: &Incoming<'_>) -> Result<(), Fault> {
        let code = self.code(plugin);
        let method = &code.methods[call.number()];
        self.carry_out(&code.of, instance.as_ptr(), call, |arguments, count| {
            // SAFETY: the thread is attached; the arguments are as many objects, after a place of their own.
            unsafe { method.call(arguments, count) }
        })
    }

    fn call_object(
        &self,
        definition: u32,
        object: &Py<PyAny>,
        of: &KnownContract,
        call: &Incoming<'_>,
    ) -> Result<(), Fault> {
        let _attached = Attached::enter()?;
        let of = Python::attach(|py| prepared(py, self.modules.interpreter, of))?;
        let Definition::Object { methods } = &of.definitions[definition as usize] else { unreachable!() };
        let name = methods[call.number()].as_ptr();
        self.carry_out(&of, object.as_ptr(), call, |arguments, count| {
            // SAFETY: as above. Without the method, a function is called with the arguments alone.
            unsafe {
                if methods.len() == 1 && ffi::PyObject_HasAttr(object.as_ptr(), name) == 0 {
                    let flags = (count - 1) | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET;
                    return ffi::PyObject_Vectorcall(object.as_ptr(), arguments.add(1), flags, null_mut());
                }
                call_method(name, arguments, count)
            }
        })
    }

    fn save(&self, _: usize, instance: &Py<PyAny>) -> Result<Vec<u8>, Fault> {
        self.modules.run(|py| {
            let saved = instance.bind(py).call_method0(intern!(py, "save"))?;
            match saved.cast::<PyBytes>() {
                Ok(bytes) => Ok(bytes.as_bytes().to_vec()),
                Err(_) => saved
                    .extract::<Vec<u8>>()
                    .map_err(|_| PyTypeError::new_err(format!("save: bytes are expected, not {}", describe(&saved)))),
            }
        })
    }

    fn restore(&self, plugin: usize, state: &[u8], from: Version) -> Result<Py<PyAny>, Fault> {
        let from = format!("{}.{}.{}", from.major, from.minor, from.patch);
        self.modules.run(|py| {
            let instance = self.make(py, plugin)?;
            instance.call_method1(py, intern!(py, "restore"), (PyBytes::new(py, state), from))?;
            Ok(instance)
        })
    }
}

impl PythonEngine {
    /// Whether a method, as it is written, can be the contract's.
    fn check(&self, py: Python<'_>, plugin: usize, of: &Prepared, method: &polyplug::schema::Method) -> PyResult<()> {
        let schema = &of.contract.schema;
        let shown = |ty: &TypeRef| Ok::<_, PyErr>((classes::describe(py, ty)?, schema.type_name(ty)));
        let arguments = method.arguments.iter().map(|argument| {
            let (ty, spelled) = shown(&argument.ty)?;
            Ok((&argument.name, ty, spelled))
        });
        let arguments = arguments.collect::<PyResult<Vec<_>>>()?;
        let result = match &method.result {
            TypeRef::Result(ok, _) => shown(ok)?,
            other => shown(other)?,
        };
        let count = u32::try_from(of.definitions.len()).unwrap_or(0);
        let classes: Vec<_> = (0..count).map(|number| of.class(number)).collect();
        let class = self.plugins[plugin].class.bind(py);
        let check = self.modules.interpreter.prelude.check_method.bind(py);
        check.call1((class, spelled(&method.name), arguments, result, classes)).map(drop)
    }
}

impl Drop for PythonEngine {
    fn drop(&mut self) {
        // Before the modules, whose end looks for what is left.
        thread::drop_attached(std::mem::take(&mut self.plugins));
    }
}

impl Plugin {
    pub(crate) fn new(class: Py<PyAny>, takes_context: bool) -> Self {
        Self { class, takes_context, code: OnceLock::new() }
    }
}
