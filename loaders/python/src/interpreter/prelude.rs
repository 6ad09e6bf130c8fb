//! The part of the loader that is written in Python: what takes the interpreter's own means, and no speed.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyTuple};

/// Its files. They share one namespace, and are run in this order.
const FILES: [(&str, &str); 7] = [
    ("classes.py", include_str!("prelude/classes.py")),
    ("protocol.py", include_str!("prelude/protocol.py")),
    ("errors.py", include_str!("prelude/errors.py")),
    ("hints.py", include_str!("prelude/hints.py")),
    ("environment.py", include_str!("prelude/environment.py")),
    ("bundle.py", include_str!("prelude/bundle.py")),
    ("hooks.py", include_str!("prelude/hooks.py")),
];

macro_rules! prelude {
    ($($name:ident: $python:literal,)+) => {
        /// What other modules use of it.
        #[allow(missing_docs)] // each is what its file says
        pub(crate) struct Prelude {
            $(pub(crate) $name: Py<PyAny>,)+
        }

        impl Prelude {
            fn collect(names: &Bound<'_, PyDict>) -> PyResult<Self> {
                Ok(Self { $($name: names.as_any().get_item(intern!(names.py(), $python))?.unbind(),)+ })
            }
        }
    };
}

prelude! {
    bundle: "Bundle",
    environment: "environment",
    collect_garbage: "collect",
    describe: "describe",
    check_hints: "check",
    make_types: "make_types",
    remote_class: "remote_class",
    some: "Some",
    ok: "Ok",
    err: "Err",
    declared: "Declared",
    call_error: "CallError",
    time_limit: "TimeLimit",
    closing: "Closing",
    enum_class: "Enum",
}

impl Prelude {
    /// Runs the files. `is_ours`: the interpreter was started by this loader, and may be set up to its liking.
    pub(crate) fn new(py: Python<'_>, is_ours: bool) -> PyResult<Self> {
        let names = PyDict::new(py);
        names.set_item("__name__", "_polyplug")?;
        let builtins = py.import("builtins")?;
        for (file, text) in FILES {
            let code = builtins.getattr("compile")?.call1((text, format!("<polyplug {file}>"), "exec"))?;
            builtins.getattr("exec")?.call1((code, &names))?;
        }
        names.set_item("Enum", py.import("enum")?.getattr("Enum")?)?;
        let this = Self::collect(&names)?;
        let close = on_exit(py, this.closing.clone_ref(py))?;
        names.as_any().get_item("at_exit")?.call1((close, is_ours))?;
        if is_ours {
            settle(py, &names)?;
        }
        Ok(this)
    }
}

/// The function that the interpreter calls when it shuts down: close(is_last).
fn on_exit(py: Python<'_>, exception: Py<PyAny>) -> PyResult<Bound<'_, PyCFunction>> {
    PyCFunction::new_closure(py, None, None, move |args: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| {
        let is_last = args.get_item(0)?.extract()?;
        crate::thread::shut_down(args.py(), exception.bind(args.py()), is_last);
        Ok::<_, PyErr>(())
    })
}

/// What suits an interpreter that is part of a program.
fn settle(py: Python<'_>, names: &Bound<'_, PyDict>) -> PyResult<()> {
    names.as_any().get_item("settle")?.call1((pyo3::wrap_pyfunction!(log, py)?,))?;
    // What there is by now stays for ever: later collections need not look at it.
    py.import("gc")?.call_method0("freeze")?;
    Ok(())
}

/// Writes to the log what is no bundle's: log("warn", "deprecated").
#[pyfunction]
fn log(py: Python<'_>, level: &str, message: &str) {
    crate::thread::detach(py, || match level {
        "error" => tracing::error!(target: "polyplug::plugin", "{message}"),
        _ => tracing::warn!(target: "polyplug::plugin", "{message}"),
    });
}
