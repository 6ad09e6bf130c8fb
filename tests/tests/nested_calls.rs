//! Calls by way of the host nest until the stack is used up to a reserve, and then end in an error, never in an overflow.

use std::sync::{Arc, Mutex, Weak};

use polyplug::{BundleId, CallError, Runtime};
use polyplug_js::JsLoader;
use polyplug_lua::LuaLoader;
use polyplug_native::NativeLoader;
use polyplug_python::PythonLoader;
use polyplug_tests::{Bundle, child};
use test_contracts::calling::{Caller, Echo};

/// A plugin that calls its host without end.
#[polyplug::contract(name = "test.sinking", version = "1.0")]
trait Sinking {
    /// Has the host call this method once more, with `depth` + 1, as an answer that fails.
    fn sink(&self, depth: u32) -> u32;
}

/// The host, which calls the plugin in turn.
#[polyplug::contract(name = "test.weight", version = "1.0")]
trait Weight {
    fn pull(&self, depth: u32) -> Result<u32, String>;
}

/// The size of an array in the host's own frames, of which the compiler makes several copies without optimisation.
const FRAME: usize = 5 << 10;

struct Host {
    runtime: Mutex<Weak<Runtime>>,
    bundle: &'static str,
    /// The depth that was reached.
    deepest: Arc<Mutex<u32>>,
}

impl Host {
    /// Records the depth. `_room` makes the frames of the host so large that every stack is too small for 128 of them.
    fn reached(&self, depth: u32, _room: &[u8]) -> Arc<Runtime> {
        let mut deepest = self.deepest.lock().unwrap();
        *deepest = depth.max(*deepest);
        self.runtime.lock().unwrap().upgrade().unwrap()
    }
}

/// Returns the line of an error that says what is wrong, without the lines that each level adds.
fn innermost(error: &CallError) -> String {
    let text = error.to_string();
    text.lines().find(|line| line.contains("nested on this thread")).unwrap_or(&text).to_owned()
}

impl Weight for Host {
    fn pull(&self, depth: u32) -> Result<u32, String> {
        let room = std::hint::black_box([0; FRAME]);
        let sinking = self.reached(depth, &room).proxy_from::<dyn Sinking>(BundleId::new(self.bundle)).unwrap();
        let answer = sinking.sink(depth + 1).map_err(|error| innermost(&error));
        std::hint::black_box(room);
        answer
    }
}

impl Echo for Host {
    fn call_back(&self, depth: u32) -> Result<u32, String> {
        let room = std::hint::black_box([0; FRAME]);
        let caller = self.reached(1000 - depth, &room).proxy::<dyn Caller>().unwrap();
        let answer = caller.nested(depth - 1).map_err(|error| innermost(&error));
        std::hint::black_box(room);
        answer?
    }
}

const LUA: &str = r#"
local polyplug = require("polyplug")
local Sinking = polyplug.plugin("test.sinking@1")
function Sinking:sink(depth) return polyplug.host("test.weight@1"):pull(depth) end
"#;

const PYTHON: &str = r#"
import polyplug
@polyplug.plugin("test.sinking@1")
class Sinking:
    def sink(self, depth): return polyplug.host("test.weight@1").pull(depth)
"#;

const JS: &str = r#"
import { host, plugin } from "polyplug";
plugin("test.sinking@1", { sink: (depth) => host("test.weight@1").pull(depth) });
"#;

/// Sinks on a thread with each stack. Returns how deep it went on each.
fn sink(bundle: &Bundle, name: &'static str, sink: fn(&Runtime) -> Result<String, CallError>) -> Vec<u32> {
    let builder = Runtime::builder().loader(LuaLoader::new()).loader(PythonLoader::new());
    let runtime = builder.loader(JsLoader::new()).loader(NativeLoader::new()).build().unwrap();
    let deepest = Arc::new(Mutex::new(0));
    let host = || {
        let runtime = Mutex::new(Arc::downgrade(&runtime));
        Host { runtime, bundle: name, deepest: Arc::clone(&deepest) }
    };
    runtime.provide::<dyn Weight>(host()).unwrap();
    runtime.provide::<dyn Echo>(host()).unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    // The smallest first: the system gives the stack of a thread that has ended to one that asks for less.
    let sizes = [256 << 10, 512 << 10, 2 << 20];
    sizes
        .map(|size| {
            *deepest.lock().unwrap() = 0;
            std::thread::scope(|scope| {
                let thread = std::thread::Builder::new().stack_size(size).spawn_scoped(scope, || sink(&runtime));
                let answer = thread.unwrap().join().unwrap();
                let text = answer.unwrap_or_else(|error| error.to_string());
                let expected =
                    ["calls by way of the host are nested on this thread", "on a thread with a larger stack"];
                assert!(expected.iter().all(|part| text.contains(part)), "{size}: {text}");
            });
            *deepest.lock().unwrap()
        })
        .to_vec()
}

fn sink_script(runtime: &Runtime) -> Result<String, CallError> {
    runtime.proxy::<dyn Sinking>().unwrap().sink(1).map(|depth| format!("it went {depth} deep"))
}

/// The larger the stack, the deeper; and some calls nest on any.
#[track_caller]
fn assert_rising(depths: &[u32]) {
    println!("{depths:?}");
    assert!(depths.is_sorted_by(|a, b| a < b) && depths.first().is_some_and(|least| *least >= 2), "{depths:?}");
}

#[test]
fn lua() {
    if child::alone("lua") {
        assert_rising(&sink(&Bundle::script("lua", LUA), "lua", sink_script));
    }
}

#[test]
fn python() {
    if child::alone("python") {
        assert_rising(&sink(&Bundle::script("python", PYTHON), "python", sink_script));
    }
}

#[test]
fn js() {
    if child::alone("js") {
        assert_rising(&sink(&Bundle::script("js", JS), "js", sink_script));
    }
}

#[test]
fn native() {
    if child::alone("native") {
        let bundle = Bundle::native("caller", "plugin-caller");
        let depths = sink(&bundle, "caller", |runtime| {
            let answer = runtime.proxy::<dyn Caller>().unwrap().nested(999)?;
            Ok(answer.map_or_else(|error| error, |depth| format!("it went {depth} deep")))
        });
        assert_rising(&depths);
    }
}
