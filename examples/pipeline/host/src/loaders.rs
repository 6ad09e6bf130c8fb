//! The languages that a stage may be written in. A new one is one line here.

use polyplug::Runtime;
use polyplug::error::RuntimeError;
use polyplug_dotnet::DotnetLoader;
use polyplug_js::JsLoader;
use polyplug_lua::LuaLoader;
use polyplug_native::NativeLoader;
use polyplug_python::PythonLoader;
use std::sync::Arc;

/// A runtime that loads bundles of every language the pipeline knows.
///
/// # Errors
///
/// A loader cannot start.
pub fn runtime() -> Result<Arc<Runtime>, RuntimeError> {
    Runtime::builder()
        .loader(NativeLoader::new())
        .loader(LuaLoader::new())
        .loader(PythonLoader::new())
        .loader(JsLoader::new())
        .loader(DotnetLoader::new())
        .build()
}
