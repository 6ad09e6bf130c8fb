//! The same plugin, of the contract `demo.calculator`, in each language.

use std::sync::Arc;

use polyplug::Runtime;
use polyplug::runtime::RuntimeBuilder;
use test_contracts::CalculatorProxy;

use crate::{Bundle, main_file, manifest};

/// The loaders whose bundles [`calculator`] makes. That of .NET has a [module](crate::dotnet) of its own.
pub const LOADERS: &[&str] =
    if cfg!(feature = "python") { &["native", "lua", "js", "python"] } else { &["native", "lua", "js"] };

/// Returns the builder of a runtime with all [`LOADERS`].
pub fn builder() -> RuntimeBuilder {
    let builder = Runtime::builder().loader(polyplug_native::NativeLoader::new());
    let builder = builder.loader(polyplug_lua::LuaLoader::new()).loader(polyplug_js::JsLoader::new());
    #[cfg(feature = "python")]
    let builder = builder.loader(polyplug_python::PythonLoader::new());
    builder
}

/// Makes a runtime with all [`LOADERS`], in which bundles may be reloaded if `hot_reload` is set.
///
/// # Panics
///
/// If the runtime cannot be made.
#[must_use]
pub fn runtime(hot_reload: bool) -> Arc<Runtime> {
    builder().hot_reload(hot_reload).build().expect("no loader has a rival")
}

/// Makes a bundle called `name` for one of the [`LOADERS`]. A script's greeting comes from another file of the bundle, which
/// is read when the greeting is first asked for, or in JavaScript when the bundle is loaded.
///
/// # Panics
///
/// If there is no such loader, or the file system fails.
#[must_use]
#[track_caller]
pub fn calculator(name: &str, loader: &str) -> Bundle {
    let (code, helper, text) = match loader {
        "native" => return Bundle::native(name, "plugin-calc"),
        "lua" => (LUA, "helper.lua", LUA_HELPER),
        "js" => (JS, "helper.js", JS_HELPER),
        "python" => (PYTHON, "helper.py", PYTHON_HELPER),
        _ => panic!("no calculator is written for the loader `{loader}`"),
    };
    let bundle = Bundle::script(loader, code);
    bundle.write("manifest.toml", manifest(name, loader, main_file(loader)));
    bundle.write(helper, text);
    bundle
}

/// Calls each method, and checks the answers.
///
/// # Panics
///
/// If an answer is wrong.
#[track_caller]
pub fn check(calculator: &CalculatorProxy, what: &str) {
    assert_eq!(calculator.add(2, 3), Ok(5), "{what}");
    assert_eq!(calculator.divide(7, 0), Ok(Err(test_contracts::MathError::DivisionByZero)), "{what}");
    assert_eq!(calculator.greet("you").as_deref(), Ok("Hello, you!"), "{what}");
}

const LUA: &str = r#"
local polyplug = require("polyplug")
local MathError = polyplug.types("demo.calculator@1").MathError
local Calculator = polyplug.plugin("demo.calculator@1")
function Calculator:add(a, b) return a + b end
function Calculator:divide(a, b) if b == 0 then error(MathError.DivisionByZero()) end return a / b end
function Calculator:greet(name) return require("helper")(name) end
function Calculator:sum(data) return #data end
"#;
const LUA_HELPER: &str = "return function(name) return 'Hello, ' .. name .. '!' end";

const PYTHON: &str = r#"
from polyplug import plugin, types
MathError = types("demo.calculator@1").MathError

@plugin("demo.calculator@1")
class Calculator:
    def add(self, a, b): return a + b
    def divide(self, a, b):
        if b == 0:
            raise MathError.DivisionByZero()
        return a // b
    def greet(self, name):
        import helper
        return helper.greet(name)
    def sum(self, data): return len(data)
"#;
const PYTHON_HELPER: &str = "def greet(name): return f'Hello, {name}!'\n";

const JS: &str = r#"
import { plugin, types } from "polyplug";
import { greet } from "./helper.js";
const { MathError } = types("demo.calculator@1");

class Calculator {
  add(a, b) { return a + b; }
  divide(a, b) {
    if (b === 0n) throw new MathError(MathError.DivisionByZero);
    return a / b;
  }
  greet(name) { return greet(name); }
  sum(data) { return data.length; }
}

plugin("demo.calculator@1", Calculator);
"#;
const JS_HELPER: &str = "export const greet = (name) => `Hello, ${name}!`;\n";
