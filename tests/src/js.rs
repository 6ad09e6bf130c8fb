//! Bundles in JavaScript, for the tests of the JavaScript loader alone. They implement [`Script`].

use std::sync::Arc;

use polyplug::Runtime;
use polyplug::loader::BundleSource;
use polyplug_js::JsLoader;

use crate::manifest;

pub use crate::lua::{Script, run};

/// A bundle whose plugin implements [`Script`]. The code that the plugin runs is the body of a function. The function
/// gets the instance as `self`, the module `polyplug` under its name, and a function `load` that imports a module of the
/// bundle. A promise that it returns is awaited.
pub const SCRIPT: &str = r#"
import * as polyplug from "polyplug";

class Script {
  run(code) {
    const body = new Function("self", "polyplug", "load", code);
    const result = body(this, polyplug, (specifier) => import(specifier));
    return result instanceof Promise ? result.then(String) : String(result);
  }
}

polyplug.plugin("test.script@1", Script);
"#;

/// Makes a runtime with a loader and a bundle `js` of this code.
///
/// # Panics
///
/// Panics if the bundle cannot be loaded.
#[must_use]
#[track_caller]
pub fn loaded_by(loader: JsLoader, code: &str) -> Arc<Runtime> {
    let runtime = js_runtime(loader);
    load_js(&runtime, "js", code);
    runtime
}

/// Makes a runtime with a default loader and a bundle `js` of this code.
///
/// # Panics
///
/// Panics if the bundle cannot be loaded.
#[must_use]
#[track_caller]
pub fn loaded(code: &str) -> Arc<Runtime> {
    loaded_by(JsLoader::new(), code)
}

/// Makes a runtime with this loader and the loader for libraries.
///
/// # Panics
///
/// Never panics, because the two loaders have different names.
#[must_use]
pub fn js_runtime(loader: JsLoader) -> Arc<Runtime> {
    crate::log::listen();
    let builder = Runtime::builder().loader(loader).loader(polyplug_native::NativeLoader::new());
    builder.build().expect("the loaders have different names")
}

/// Loads a bundle of this code.
///
/// # Panics
///
/// Panics if the bundle cannot be loaded.
#[track_caller]
pub fn load_js(runtime: &Runtime, name: &str, code: &str) {
    try_load_js(runtime, name, code).unwrap_or_else(|error| panic!("{error}"));
}

/// Loads a bundle of this code.
///
/// # Errors
///
/// Returns the error's text if the bundle cannot be loaded.
pub fn try_load_js(runtime: &Runtime, name: &str, code: &str) -> Result<(), String> {
    let source = BundleSource::Code(code.to_owned());
    runtime.load_bundle_from(&manifest(name, "js", "main.js"), source).map(drop).map_err(|error| error.to_string())
}

/// Returns the error of loading a bundle of this code.
///
/// # Panics
///
/// Panics if the bundle is loaded.
#[must_use]
#[track_caller]
pub fn load_error(code: &str) -> String {
    try_load_js(&js_runtime(JsLoader::new()), "js", code).expect_err("it is loaded")
}
