//! An error's text of any length arrives: cut, if it is too long, with its beginning, type and place.

use std::sync::Arc;

use polyplug::{CallError, Failure, Runtime};
use polyplug_js::JsLoader;
use polyplug_lua::LuaLoader;
use polyplug_python::PythonLoader;
use polyplug_tests::js::load_js;
use polyplug_tests::lua::load_lua;
use polyplug_tests::python::load_python;
use polyplug_tests::runtime;

/// Methods that fail with a text of this many letters.
#[polyplug::contract(name = "test.long_errors", version = "1.0")]
trait LongErrors {
    /// Needs no arena.
    fn number(&self, letters: u32) -> u32;
    /// Has an arena.
    fn text(&self, letters: u32) -> String;
}

#[derive(Default)]
struct Native;

#[polyplug::plugin]
impl LongErrors for Native {
    fn number(&self, letters: u32) -> u32 {
        panic!("It: {}", "ä".repeat(letters as usize))
    }

    fn text(&self, letters: u32) -> String {
        panic!("It: {}", "ä".repeat(letters as usize))
    }
}

const LUA: &str = r#"
local LongErrors = require("polyplug").plugin("test.long_errors@1")
function LongErrors:number(letters) error("It: " .. ("ä"):rep(letters)) end
LongErrors.text = LongErrors.number
"#;

const PYTHON: &str = r#"
from polyplug import plugin
@plugin("test.long_errors@1")
class LongErrors:
    def number(self, letters):
        raise ValueError("It: " + "ä" * letters)
    def text(self, letters):
        raise ValueError("It: " + "ä" * letters)
"#;

const JS: &str = r#"
import { plugin } from "polyplug";
function fails(letters) { throw new RangeError("It: " + "ä".repeat(letters)); }
plugin("test.long_errors@1", { number: fails, text: fails });
"#;

/// The most bytes of an error's text.
const LIMIT: usize = 1 << 20;

fn failure(error: CallError) -> Failure {
    match error {
        CallError::Exception(failure) | CallError::Panic(failure) => *failure,
        other => panic!("{other:?}"),
    }
}

/// Calls both methods for texts of several lengths, and checks that each text begins with `beginning` and has a place
/// with `place`.
#[track_caller]
fn arrives(runtime: &Arc<Runtime>, beginning: &str, place: &str) {
    let proxy = runtime.proxy::<dyn LongErrors>().unwrap();
    for letters in [1, 1000, 1 << 18, (1 << 19) - 40, 1 << 19, (1 << 19) + 1, 3 << 20] {
        let whole = format!("{beginning}{}", "ä".repeat(letters as usize));
        for failure in [failure(proxy.number(letters).unwrap_err()), failure(proxy.text(letters).unwrap_err())] {
            let Failure { message, location, traceback, .. } = &failure;
            assert!(location.as_ref().is_some_and(|location| location.contains(place)), "{letters}: {location:?}");
            let length = message.len() + traceback.as_ref().map_or(0, String::len);
            assert!(length <= LIMIT, "{letters}: {length}");
            if *message == whole {
                continue;
            }
            assert!(whole.len() > LIMIT / 4, "{letters}: a short text is whole: {message}");
            let (kept, note) = message.rsplit_once(" [").expect("a note of what is cut off");
            assert!(kept.len() >= LIMIT / 4, "{letters}: {}", kept.len());
            assert!(whole.starts_with(kept), "{letters}: {}", &kept[..20]);
            assert_eq!(note, format!("{} more bytes are cut off]", whole.len() - kept.len()));
        }
    }
    assert_eq!(failure(proxy.number(1).unwrap_err()).message, format!("{beginning}ä"), "the plugin serves on");
}

#[test]
fn of_a_native_plugin() {
    let runtime = runtime();
    runtime.load_linked_plugins().unwrap();
    arrives(&runtime, "It: ", "long_errors.rs:");
}

#[test]
fn of_a_plugin_in_lua() {
    let runtime = Runtime::builder().loader(LuaLoader::new()).build().unwrap();
    load_lua(&runtime, "lua", LUA);
    arrives(&runtime, "It: ", "main.lua:3");
}

#[test]
fn of_a_plugin_in_python() {
    let runtime = Runtime::builder().loader(PythonLoader::new()).build().unwrap();
    load_python(&runtime, "python", PYTHON);
    arrives(&runtime, "ValueError: It: ", "main.py:");
}

#[test]
fn of_a_plugin_in_javascript() {
    let runtime = Runtime::builder().loader(JsLoader::new()).build().unwrap();
    load_js(&runtime, "js", JS);
    arrives(&runtime, "RangeError: It: ", "main.js:3");
}

#[test]
fn of_a_start_that_fails() {
    let runtime = Runtime::builder().loader(LuaLoader::new()).build().unwrap();
    let code = "error('It: ' .. ('x'):rep(3 * 2^20))";
    let error = polyplug_tests::lua::try_load_lua(&runtime, "lua", code).unwrap_err();
    assert!(error.contains("It: xxx") && error.contains("main.lua:1"), "{}", &error[..error.len().min(1000)]);
}
