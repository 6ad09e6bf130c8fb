//! The part of the loader that is written in Python: code that works with the interpreter's own mechanisms, and is not
//! called on hot paths.

use polyplug::LogLevel;
use polyplug::engine::log_message;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyTuple};

use super::compile::compile;
use crate::thread;

/// The files of the prelude. They are run in this order, in one namespace.
const FILES: [(&str, &str); 22] = [
    ("pickling.py", include_str!("prelude/pickling.py")),
    ("classes.py", include_str!("prelude/classes.py")),
    ("protocol.py", include_str!("prelude/protocol.py")),
    ("lines.py", include_str!("prelude/lines.py")),
    ("errors.py", include_str!("prelude/errors.py")),
    ("hints.py", include_str!("prelude/hints.py")),
    ("environment.py", include_str!("prelude/environment.py")),
    ("files.py", include_str!("prelude/files.py")),
    ("resources.py", include_str!("prelude/resources.py")),
    ("modules.py", include_str!("prelude/modules.py")),
    ("processes.py", include_str!("prelude/processes.py")),
    ("imports.py", include_str!("prelude/imports.py")),
    ("printing.py", include_str!("prelude/printing.py")),
    ("constructor.py", include_str!("prelude/constructor.py")),
    ("shared_state.py", include_str!("prelude/shared_state.py")),
    ("watched_modules.py", include_str!("prelude/watched_modules.py")),
    ("watched_logging.py", include_str!("prelude/watched_logging.py")),
    ("assigned.py", include_str!("prelude/assigned.py")),
    ("holders.py", include_str!("prelude/holders.py")),
    ("teardown.py", include_str!("prelude/teardown.py")),
    ("bundle.py", include_str!("prelude/bundle.py")),
    ("hooks.py", include_str!("prelude/hooks.py")),
];

macro_rules! prelude {
    ($($name:ident: $python:literal,)+) => {
        /// The names of the prelude that the loader's Rust code uses. Each is documented where its file defines it.
        #[allow(missing_docs)]
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
    folder_files: "FolderFiles",
    pack_files: "PackFiles",
    open_environment: "open_environment",
    describe_exception: "describe_exception",
    message_of_call: "message_of_call",
    place_of_function: "place_of_function",
    check_method: "check_method",
    make_types: "make_types",
    make_remote_class: "make_remote_class",
    some: "Some",
    ok: "Ok",
    err: "Err",
    declared: "Declared",
    call_error: "CallError",
    time_limit: "TimeLimit",
    last_time_limit: "LastTimeLimit",
    closing: "Closing",
    end_process: "end_process",
    enum_class: "Enum",
    mapping_class: "Mapping",
}

impl Prelude {
    /// Runs the files. With `is_ours`, the loader has started the interpreter, and may change its hooks.
    pub(super) fn new(py: Python<'_>, is_ours: bool) -> PyResult<Self> {
        let names = PyDict::new(py);
        names.set_item("__name__", "_polyplug")?;
        let sources = PyDict::new(py);
        let exec = py.import("builtins")?.getattr("exec")?;
        for (file, text) in FILES {
            sources.set_item(file, text)?;
            exec.call1((compile(py, text, &shown_name(file))?, &names))?;
        }
        names.set_item("_sources", sources)?;
        names.as_any().get_item("publish")?.call0()?;
        names.set_item("Enum", py.import("enum")?.getattr("Enum")?)?;
        names.set_item("Mapping", py.import("collections.abc")?.getattr("Mapping")?)?;
        let this = Self::collect(&names)?;
        let shut_down = shutdown_function(py, this.closing.clone_ref(py))?;
        names.as_any().get_item("at_exit")?.call1((shut_down, is_ours))?;
        if is_ours {
            install_hooks(py, &names)?;
        }
        Ok(this)
    }
}

/// Returns the name of a file of the prelude in tracebacks. Python's `warnings` takes frames of files with both words for
/// the import's own, and shows a module's warning at the line that imports the module.
fn shown_name(file: &str) -> String {
    match file {
        "imports.py" | "bundle.py" => format!("<polyplug {file}, a part of importlib._bootstrap>"),
        _ => format!("<polyplug {file}>"),
    }
}

/// Returns the function that the interpreter calls when it shuts down: `shut_down(is_last)`.
fn shutdown_function(py: Python<'_>, exception: Py<PyAny>) -> PyResult<Bound<'_, PyCFunction>> {
    PyCFunction::new_closure(py, None, None, move |args: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| {
        let is_last = args.get_item(0)?.extract()?;
        thread::shut_down(args.py(), exception.bind(args.py()), is_last);
        Ok::<_, PyErr>(())
    })
}

/// Sends what Python would print to the host's log, and excludes the objects that exist by now from garbage
/// collections: they stay as long as the process.
fn install_hooks(py: Python<'_>, names: &Bound<'_, PyDict>) -> PyResult<()> {
    names.as_any().get_item("install_hooks")?.call1((pyo3::wrap_pyfunction!(log, py)?,))?;
    py.import("gc")?.call_method0("freeze")?;
    Ok(())
}

/// Writes a message that belongs to no bundle to the host's log: `log("warn", "deprecated")`.
#[pyfunction]
fn log(py: Python<'_>, level: &str, message: &str) {
    let level = match level {
        "error" => LogLevel::Error,
        "info" => LogLevel::Info,
        _ => LogLevel::Warn,
    };
    thread::detach(py, || log_message(level, message));
}
