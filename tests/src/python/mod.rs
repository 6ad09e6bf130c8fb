//! Bundles in Python, for the tests of the Python loader alone. They implement [`Script`](crate::lua::Script).

pub mod cases;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use polyplug::Runtime;
use polyplug::loader::BundleSource;
use polyplug_python::PythonLoader;
use polyplug_python::pyo3::prelude::*;

use crate::{Bundle, manifest};

/// Rows of a table, with a type of each kind.
#[polyplug::contract(name = "test.rows", version = "1.0")]
pub trait Rows {
    /// Returns one row, in a form of this name.
    fn rows(&self, form: &str) -> Vec<Row>;
    /// Fails with a declared error.
    fn fails(&self, color: Color, shape: &Shape, pair: &Pair) -> Result<(), Problem>;
}

/// A record.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
#[allow(missing_docs)]
pub struct Row {
    pub name: String,
    pub size: u32,
    pub note: Option<String>,
}

/// A record whose fields have numbers.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub struct Pair(pub i32, pub String);

/// An enum.
#[derive(Debug, Clone, Copy, PartialEq, polyplug::Type)]
#[allow(missing_docs)]
pub enum Color {
    Red,
    Green,
}

/// A variant.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
#[allow(missing_docs)]
pub enum Shape {
    Empty,
    Circle { radius: f64 },
}

/// A declared error.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
#[allow(missing_docs)]
pub struct Problem {
    pub text: String,
    pub code: i32,
}

/// A plugin that runs code as the body of a function of its module. In the code `self` is the instance.
pub const SCRIPT: &str = r#"
import ast
import textwrap

from polyplug import plugin

@plugin("test.script@1")
class Script:
    def run(self, code):
        tree = ast.increment_lineno(ast.parse("def code(self):\n" + textwrap.indent(code, " ")), -1)
        names = {}
        exec(compile(tree, "code", "exec"), globals(), names)
        return str(names["code"](self))
"#;

/// Makes each of the interpreter's objects an allocation of its own, if the variable `POLYPLUG_PLAIN_MALLOC` is set, so
/// that a sanitizer sees them. Must be called before the interpreter starts.
///
/// # Panics
///
/// If the interpreter refuses.
pub fn show_objects() {
    use std::mem::MaybeUninit;
    use std::sync::Once;

    use polyplug_python::pyo3::ffi;

    /// `PYMEM_ALLOCATOR_MALLOC`.
    const MALLOC: i32 = 5;
    static ONCE: Once = Once::new();
    if std::env::var_os("POLYPLUG_PLAIN_MALLOC").is_none() {
        return;
    }
    ONCE.call_once(|| {
        let mut config = MaybeUninit::<ffi::PyPreConfig>::uninit();
        // SAFETY: there is no interpreter yet; the configuration is initialised before it is read.
        let status = unsafe {
            ffi::PyPreConfig_InitIsolatedConfig(config.as_mut_ptr());
            (*config.as_mut_ptr()).allocator = MALLOC;
            (*config.as_mut_ptr()).utf8_mode = 1; // as the loader sets it, which comes second
            ffi::Py_PreInitialize(config.as_ptr())
        };
        // SAFETY: the status is only read.
        assert_eq!(unsafe { ffi::PyStatus_Exception(status) }, 0, "the interpreter takes another allocator");
    });
}

/// Makes a runtime with this loader and the loader for libraries.
///
/// # Panics
///
/// Never: the two loaders have different names.
#[must_use]
pub fn python_runtime(loader: PythonLoader) -> Arc<Runtime> {
    crate::log::listen();
    show_objects();
    let builder = Runtime::builder().loader(loader).loader(polyplug_native::NativeLoader::new());
    builder.build().expect("the loaders have different names")
}

/// Makes a runtime with this loader and a bundle `python` of this code.
///
/// # Panics
///
/// If the bundle cannot be loaded.
#[must_use]
#[track_caller]
pub fn loaded_by(loader: PythonLoader, code: &str) -> Arc<Runtime> {
    let runtime = python_runtime(loader);
    load_python(&runtime, "python", code);
    runtime
}

/// Does the same as [`loaded_by`], with a default loader.
///
/// # Panics
///
/// If the bundle cannot be loaded.
#[must_use]
#[track_caller]
pub fn loaded(code: &str) -> Arc<Runtime> {
    loaded_by(PythonLoader::new(), code)
}

/// Loads a bundle of this code.
///
/// # Panics
///
/// If it cannot be loaded.
#[track_caller]
pub fn load_python(runtime: &Runtime, name: &str, code: &str) {
    try_load_python(runtime, name, code).unwrap_or_else(|error| panic!("{error}"));
}

/// Loads a bundle of this code, and returns the text of an error.
///
/// # Errors
///
/// The bundle cannot be loaded.
pub fn try_load_python(runtime: &Runtime, name: &str, code: &str) -> Result<(), String> {
    let source = BundleSource::Code(code.to_owned());
    runtime.load_bundle_from(&manifest(name, "python", "main.py"), source).map(drop).map_err(|error| error.to_string())
}

/// Returns the error of loading a bundle of this code.
///
/// # Panics
///
/// If the bundle is loaded.
#[must_use]
#[track_caller]
pub fn load_error(code: &str) -> String {
    try_load_python(&python_runtime(PythonLoader::new()), "python", code).expect_err("it is loaded")
}

/// Makes a bundle of these files and a main file with [`SCRIPT`]. `options` is added to its manifest.
///
/// # Panics
///
/// If they cannot be written.
#[must_use]
pub fn python_bundle(name: &str, options: &str, files: &[(&str, &str)]) -> Bundle {
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest(name, "python", "main.py") + options);
    bundle.write("main.py", SCRIPT);
    for (name, text) in files {
        let path = bundle.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file in a temporary folder");
    }
    bundle
}

/// Evaluates an expression in the interpreter, outside of all bundles, and returns its text. The interpreter must have
/// been started.
///
/// # Panics
///
/// If the expression raises an exception.
#[must_use]
#[track_caller]
pub fn ask(expression: &str) -> String {
    Python::attach(|py| {
        let value = py.import("builtins")?.getattr("eval")?.call1((expression, pyo3_dict(py)))?;
        value.str().map(|text| text.to_string())
    })
    .unwrap_or_else(|raised: PyErr| panic!("{expression}: {raised}"))
}

/// Returns whether the interpreter is Python 3 of this minor version or a later one. It must have been started.
#[must_use]
pub fn is_since(minor: u32) -> bool {
    ask(&format!("sys.version_info >= (3, {minor})")) == "True"
}

/// Returns the program of the Python that the interpreter is.
///
/// # Panics
///
/// If the interpreter cannot be started.
#[must_use]
pub fn program() -> PathBuf {
    drop(loaded(SCRIPT)); // starts the interpreter
    let name = format!("python{}", ask("'%d.%d' % sys.version_info[:2]"));
    let beside = Path::new(&ask("sys.base_prefix")).join("bin").join(&name);
    if beside.is_file() { beside } else { PathBuf::from(name) }
}

fn pyo3_dict(py: Python<'_>) -> Bound<'_, polyplug_python::pyo3::types::PyDict> {
    let names = polyplug_python::pyo3::types::PyDict::new(py);
    for module in ["sys", "threading", "linecache", "gc"] {
        names.set_item(module, py.import(module).expect("a standard module")).expect("a dict takes any name");
    }
    names
}
