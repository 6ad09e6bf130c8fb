//! The start of a bundle: its main file is run, and declares plugins or follows the low-level protocol.

use std::sync::Arc;

use polyplug::engine::{Fault, Guest, Limits, LoadedCode, PluginDecl};
use pyo3::intern;
use pyo3::prelude::*;

use super::source::{Source, Stored};
use crate::bundle::{BundleModules, Plugin, PythonEngine};
use crate::interpreter::Interpreter;
use crate::polyplug_module::{HostFunctions, PackedFiles, config_dict};
use crate::protocol::{self, LowLevelPlugin};
use crate::{exception, thread};

/// Runs the main file of a bundle and returns the plugins that the file declares.
pub(super) fn start_bundle(
    interpreter: &'static Interpreter,
    guest: &Arc<Guest>,
    source: Source,
    limits: Limits,
) -> Result<LoadedCode<PythonEngine, LowLevelPlugin>, Fault> {
    thread::attach(|py| {
        let functions = Py::new(py, HostFunctions::new(guest)).map_err(|raised| exception::to_fault(py, raised))?;
        let bundle = bundle_object(py, interpreter, guest, &source, &functions);
        let bundle = bundle.map_err(|raised| exception::to_fault(py, raised))?;
        let modules = BundleModules::new(interpreter, guest, limits, bundle.clone());
        functions.get().set_modules(&modules);
        let file = (source.text, source.file);
        let main = modules.run_attached(py, |py| bundle.call_method1(intern!(py, "run"), file))?;
        let plugins = declared_plugins(&bundle).map_err(|raised| exception::to_fault(py, raised))?;
        drop(bundle);
        started(py, modules, &main, plugins)
    })
}

/// Makes the prelude's `Bundle` object, before any code of the bundle runs.
fn bundle_object<'py>(
    py: Python<'py>,
    interpreter: &Interpreter,
    guest: &Arc<Guest>,
    source: &Source,
    functions: &Py<HostFunctions>,
) -> PyResult<Bound<'py, PyAny>> {
    let prelude = &interpreter.prelude;
    let environment = match &source.venv {
        Some(folder) => Some(prelude.open_environment.bind(py).call1((folder,))?),
        None => None,
    };
    let (folder_files, pack_files) = (prelude.folder_files.bind(py), prelude.pack_files.bind(py));
    let directory = source.place.as_ref().map(|place| &place.path);
    let files = match source.place.as_ref().map(|place| &place.files) {
        None => folder_files.call1((py.None(), py.None()))?,
        Some(Stored::Folder(stored)) => folder_files.call1((directory, stored, functions))?,
        Some(Stored::Pack(files)) => pack_files.call1((directory, PackedFiles::new(files)))?,
    };
    let config = config_dict(py, guest.config())?;
    let arguments = (functions, guest.bundle(), directory, files, &source.folders, config, environment);
    prelude.bundle.bind(py).call1(arguments)
}

/// Returns the plugins that the bundle's code has declared with `@plugin`.
fn declared_plugins(bundle: &Bound<'_, PyAny>) -> PyResult<Vec<(Plugin, PluginDecl)>> {
    let declared: Vec<Bound<'_, PyAny>> = bundle.getattr(intern!(bundle.py(), "declared"))?.extract()?;
    declared.iter().map(declared_plugin).collect()
}

fn declared_plugin(declared: &Bound<'_, PyAny>) -> PyResult<(Plugin, PluginDecl)> {
    type Parts = (String, Option<String>, bool, Vec<String>, bool, String, Py<PyAny>, bool);
    let (contract, name, is_singleton, methods, keeps_state, place, class, takes_context): Parts =
        declared.extract()?;
    let plugin = Plugin::new(class, takes_context);
    Ok((
        plugin,
        PluginDecl { contract, name, methods, is_singleton, keeps_state, place: Some(place), ..PluginDecl::default() },
    ))
}

/// Returns a bundle whose main file has run as the runtime takes it. The file either declares plugins or has the
/// function of the low-level protocol.
fn started(
    py: Python<'_>,
    modules: Arc<BundleModules>,
    main: &Bound<'_, PyAny>,
    plugins: Vec<(Plugin, PluginDecl)>,
) -> Result<LoadedCode<PythonEngine, LowLevelPlugin>, Fault> {
    let (plugins, declared): (Vec<_>, Vec<_>) = plugins.into_iter().unzip();
    let Some(init) = protocol::find_init(py, &modules, main)? else {
        return Ok(LoadedCode::Engine(PythonEngine::new(modules, plugins), declared));
    };
    match declared.first() {
        None => Ok(LoadedCode::LowLevel(protocol::call_init(py, modules, &init)?)),
        Some(declared) => Err(Fault::new(format_args!(
            "{}: the bundle declares a plugin with @plugin, and its main file defines polyplug_init as well: a bundle does \
             one or the other",
            declared.place.as_deref().unwrap_or_default()
        ))),
    }
}
