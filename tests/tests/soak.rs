//! What is done over and over leaves nothing behind: memory, mappings, files and threads stay flat after warm-up.
//!
//! A short form by default; `POLYPLUG_SOAK=50 cargo test -p polyplug-tests --test soak -- --nocapture` does fifty times as
//! much, and prints the series.
#![cfg(target_os = "linux")]

use std::time::Duration;

use polyplug::Runtime;
use polyplug_abi::{AbiError, GuestContractInstance};
use polyplug_js::JsLoader;
use polyplug_lua::LuaLoader;
use polyplug_native::NativeLoader;
use polyplug_python::PythonLoader;
use polyplug_tests::footprint::{self, Slack};
use polyplug_tests::{Bundle, runtime};
use test_contracts::moody::Moody;
use test_contracts::{Calculator, Counter, MathError, Stamp};

/// Only one test at a time looks at the process.
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn flat(what: &str, cycles: u32, cycle: impl FnMut(u32)) {
    footprint::flat(what, cycles, Slack::PAGES, cycle);
}

#[test]
fn loading_calling_and_unloading() {
    let _alone = ALONE.lock().unwrap_or_else(|error| error.into_inner());
    let bundle = Bundle::native("calc", "plugin-calc");
    let runtime = runtime();
    flat("load, call, unload", 2_000, |n| {
        let id = runtime.load_bundle(bundle.path()).unwrap();
        let (calc, counter) = (runtime.proxy::<dyn Calculator>().unwrap(), runtime.proxy::<dyn Counter>().unwrap());
        assert_eq!(calc.greet("x").unwrap(), "Hello, x!");
        assert_eq!(counter.add(u64::from(n)).unwrap(), u64::from(n));
        drop((calc, counter));
        runtime.unload_bundle(id).unwrap();
    });
}

#[test]
fn reloading_under_a_proxy_that_is_never_refreshed() {
    let _alone = ALONE.lock().unwrap_or_else(|error| error.into_inner());
    let versions = [("plugin-reload-one", 1), ("plugin-reload-two", 2)]
        .map(|(package, version)| (Bundle::native("reloaded", package), version));
    let runtime = Runtime::builder().loader(NativeLoader::new()).hot_reload(true).build().unwrap();
    runtime.load_bundle(versions[0].0.path()).unwrap();
    let (stamp, counter) = (runtime.proxy::<dyn Stamp>().unwrap(), runtime.proxy::<dyn Counter>().unwrap());
    flat("reload", 400, |n| {
        let (bundle, version) = &versions[(n as usize + 1) % 2];
        runtime.reload_bundle(bundle.path()).unwrap();
        assert_eq!(stamp.version(), Ok(*version));
        assert_eq!(counter.add(1), Ok(u64::from(*version)));
    });
    assert_eq!(runtime.quiesce(Duration::from_secs(1)).len(), 1, "the version the proxies were made with");
}

#[test]
fn threads_of_bundles() {
    let _alone = ALONE.lock().unwrap_or_else(|error| error.into_inner());
    let bundle = Bundle::native("moody", "plugin-moody");
    let runtime = Runtime::builder().loader(NativeLoader::new()).hot_reload(true).build().unwrap();
    let nothing = bundle.path().join("nothing");
    let start_a_thread = || {
        let moody = runtime.proxy::<dyn Moody>().unwrap();
        moody.linger(0, nothing.to_str().unwrap()).unwrap();
    };
    flat("load, start threads, reload, unload", 100, |_| {
        let id = runtime.load_bundle(bundle.path()).unwrap();
        start_a_thread();
        start_a_thread();
        runtime.reload_bundle(bundle.path()).unwrap();
        start_a_thread();
        runtime.unload_bundle(id).unwrap();
        // On a busy machine a thread may take longer to end than an unload waits.
        assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
    });
}

#[test]
fn calls_that_fail() {
    let _alone = ALONE.lock().unwrap_or_else(|error| error.into_inner());
    let bundle = Bundle::native("panics", "plugin-panics");
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    let panics = runtime.proxy::<dyn test_contracts::panics::Panics>().unwrap();
    flat("failing calls", 10_000, |_| {
        panics.literal().unwrap_err();
    });
}

const LUA: &str = r#"
local polyplug = require("polyplug")
local MathError = polyplug.types("demo.calculator@1").MathError
local Calculator = polyplug.plugin("demo.calculator@1")

function Calculator:add(a, b) if a < 0 then error("too small") end return a + b end
function Calculator:divide(a, b) error(MathError.DivisionByZero()) end
function Calculator:greet(name) if name == "" then return 5 end return "Hello, " .. name .. "!" end
function Calculator:sum(data) local t = {} return #data + #t end
"#;

fn lua_bundle() -> Bundle {
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", polyplug_tests::manifest("lua", "lua", "main.lua"));
    bundle.write("main.lua", LUA);
    bundle
}

#[test]
fn lua_loading_calling_and_unloading() {
    let _alone = ALONE.lock().unwrap_or_else(|error| error.into_inner());
    let bundle = lua_bundle();
    let runtime = Runtime::builder().loader(LuaLoader::new()).build().unwrap();
    flat("Lua: load, call, unload", 2_000, |n| {
        let id = runtime.load_bundle(bundle.path()).unwrap();
        let calc = runtime.proxy::<dyn Calculator>().unwrap();
        assert_eq!(calc.greet("x").unwrap(), "Hello, x!");
        assert_eq!(calc.add(n as i32, 1).unwrap(), n as i32 + 1);
        drop(calc);
        runtime.unload_bundle(id).unwrap();
    });
}

#[test]
fn lua_reloading_under_a_proxy_that_is_never_refreshed() {
    let _alone = ALONE.lock().unwrap_or_else(|error| error.into_inner());
    let bundle = lua_bundle();
    let runtime = Runtime::builder().loader(LuaLoader::new()).hot_reload(true).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    let calc = runtime.proxy::<dyn Calculator>().unwrap();
    flat("Lua: reload", 200, |_| {
        runtime.reload_bundle(bundle.path()).unwrap();
        assert_eq!(calc.add(2, 3), Ok(5));
    });
}

#[test]
fn lua_calls_that_fail() {
    let _alone = ALONE.lock().unwrap_or_else(|error| error.into_inner());
    let bundle = lua_bundle();
    let runtime = Runtime::builder().loader(LuaLoader::new()).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    let calc = runtime.proxy::<dyn Calculator>().unwrap();
    flat("Lua: failing calls", 20_000, |_| {
        calc.add(-1, 1).unwrap_err(); // an exception with its traceback
        assert_eq!(calc.divide(1, 0), Ok(Err(MathError::DivisionByZero)));
        calc.greet("").unwrap_err(); // a result of another type
    });
}

const PYTHON: &str = r#"
import helper
from polyplug import plugin, types
MathError = types("demo.calculator@1").MathError

@plugin("demo.calculator@1")
class Calculator:
    def add(self, a: int, b: int) -> int:
        if a < 0:
            raise ValueError("too small")
        return a + b
    def divide(self, a, b): raise MathError.DivisionByZero()
    def greet(self, name): return 5 if name == "" else helper.greet(name)
    def sum(self, data): return len(data)
"#;

fn python_bundle() -> Bundle {
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", polyplug_tests::manifest("python", "python", "main.py"));
    bundle.write("main.py", PYTHON);
    bundle.write("helper.py", "def greet(name): return f'Hello, {name}!'\n");
    bundle
}

#[test]
fn python_loading_calling_and_unloading() {
    let _alone = ALONE.lock().unwrap_or_else(|error| error.into_inner());
    let bundle = python_bundle();
    let runtime = Runtime::builder().loader(PythonLoader::new()).build().unwrap();
    // Its own memory is all there from the start.
    let mut times = Vec::new();
    flat("Python: load, call, unload", 2_000, |n| {
        let begin = std::time::Instant::now();
        let id = runtime.load_bundle(bundle.path()).unwrap();
        times.push(begin.elapsed());
        let calc = runtime.proxy::<dyn Calculator>().unwrap();
        assert_eq!(calc.greet("x").unwrap(), "Hello, x!");
        assert_eq!(calc.add(n as i32, 1).unwrap(), n as i32 + 1);
        calc.add(-1, 1).unwrap_err();
        drop(calc);
        assert!(runtime.unload_bundle(id).unwrap().reclaimed);
    });
    let tenth = times.len() / 10;
    let median = |part: &[Duration]| {
        let mut part = part.to_vec();
        part.sort();
        part[part.len() / 2]
    };
    let (first, last) = (median(&times[tenth..2 * tenth]), median(&times[9 * tenth..]));
    println!("Python: loading took {first:?} in the second tenth, {last:?} in the last");
}

#[test]
fn python_reloading_under_a_proxy_that_is_never_refreshed() {
    let _alone = ALONE.lock().unwrap_or_else(|error| error.into_inner());
    let bundle = python_bundle();
    let runtime = Runtime::builder().loader(PythonLoader::new()).hot_reload(true).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    let calc = runtime.proxy::<dyn Calculator>().unwrap();
    flat("Python: reload", 400, |_| {
        runtime.reload_bundle(bundle.path()).unwrap();
        assert_eq!(calc.add(2, 3), Ok(5));
    });
}

#[test]
fn python_calls_that_fail() {
    let _alone = ALONE.lock().unwrap_or_else(|error| error.into_inner());
    let bundle = python_bundle();
    let runtime = Runtime::builder().loader(PythonLoader::new()).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    let calc = runtime.proxy::<dyn Calculator>().unwrap();
    flat("Python: failing calls", 20_000, |_| {
        calc.add(-1, 1).unwrap_err(); // an exception with its traceback
        assert_eq!(calc.divide(1, 0), Ok(Err(MathError::DivisionByZero)));
        calc.greet("").unwrap_err(); // a result of another type
    });
}

const JS: &str = r#"
import { plugin, types } from "polyplug";
import { greet } from "./helper.js";
const { MathError } = types("demo.calculator@1");

class Calculator {
  add(a, b) {
    if (a < 0) throw new Error("too small");
    return a + b;
  }
  divide(a, b) { throw new MathError(MathError.DivisionByZero); }
  greet(name) { return name === "" ? 5 : greet(name); }
  sum(data) { return data.length; }
}

plugin("demo.calculator@1", Calculator);
"#;

fn js_bundle() -> Bundle {
    let bundle = Bundle::script("js", JS);
    bundle.write("helper.js", "export const greet = (name) => `Hello, ${name}!`;\n");
    bundle
}

#[test]
fn js_loading_calling_and_unloading() {
    let _alone = ALONE.lock().unwrap_or_else(|error| error.into_inner());
    let bundle = js_bundle();
    let runtime = Runtime::builder().loader(JsLoader::new()).build().unwrap();
    flat("JavaScript: load, call, unload", 2_000, |n| {
        let id = runtime.load_bundle(bundle.path()).unwrap();
        let calc = runtime.proxy::<dyn Calculator>().unwrap();
        assert_eq!(calc.greet("x").unwrap(), "Hello, x!");
        assert_eq!(calc.add(n as i32, 1).unwrap(), n as i32 + 1);
        calc.add(-1, 1).unwrap_err();
        drop(calc);
        assert!(runtime.unload_bundle(id).unwrap().reclaimed);
    });
}

#[test]
fn js_reloading_under_a_proxy_that_is_never_refreshed() {
    let _alone = ALONE.lock().unwrap_or_else(|error| error.into_inner());
    let bundle = js_bundle();
    let runtime = Runtime::builder().loader(JsLoader::new()).hot_reload(true).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    let calc = runtime.proxy::<dyn Calculator>().unwrap();
    flat("JavaScript: reload", 200, |_| {
        runtime.reload_bundle(bundle.path()).unwrap();
        assert_eq!(calc.add(2, 3), Ok(5));
    });
}

#[test]
fn js_calls_that_fail() {
    let _alone = ALONE.lock().unwrap_or_else(|error| error.into_inner());
    let bundle = js_bundle();
    let runtime = Runtime::builder().loader(JsLoader::new()).build().unwrap();
    runtime.load_bundle(bundle.path()).unwrap();
    let calc = runtime.proxy::<dyn Calculator>().unwrap();
    flat("JavaScript: failing calls", 20_000, |_| {
        calc.add(-1, 1).unwrap_err(); // an exception with its traceback
        assert_eq!(calc.divide(1, 0), Ok(Err(MathError::DivisionByZero)));
        calc.greet("").unwrap_err(); // a result of another type
    });
}

#[test]
fn instances_through_the_c_abi() {
    let _alone = ALONE.lock().unwrap_or_else(|error| error.into_inner());
    let bundle = Bundle::native("calc", "plugin-calc");
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    let handle = runtime.find_guest_contract(<dyn Counter as polyplug::Contract>::ID.id(), 0).unwrap();
    let host = runtime.host_abi();
    flat("tokens", 50_000, |_| {
        let (mut token, mut error) = (GuestContractInstance::null(), AbiError::ok());
        // SAFETY: the table is valid while the runtime is, and all pointers are.
        unsafe {
            ((*host).create_guest_instance)(host, handle, std::ptr::null(), &raw mut token, &raw mut error);
            ((*host).destroy_guest_instance)(host, token);
        }
        assert!(error.is_ok());
    });
}

#[test]
fn failing_calls_of_a_bridge_in_lua() {
    use polyplug::host_bridge::RuntimeLanguageBridge;
    let _alone = ALONE.lock().unwrap_or_else(|error| error.into_inner());
    let mut bridge = polyplug_lua::bridge::LuaHostBridge::new();
    let script = "local n = 0; return function() n = n + 1; error('failure number ' .. n) end";
    let function: polyplug_lua::mlua::Function = bridge.lua().load(script).eval().unwrap();
    bridge.register_host_contract(1, Box::new(function)).unwrap();
    flat("failing call of a bridge in Lua", 20_000, |n| {
        // SAFETY: the function looks at neither address.
        let error = unsafe { bridge.call_host_contract(1, 0, std::ptr::null(), std::ptr::null_mut()) };
        assert_eq!(error.code, polyplug_abi::AbiErrorCode::HostContractCallFailed as u32);
        // SAFETY: the text stays until this thread's next call.
        let text = String::from_utf8_lossy(unsafe { error.message.bytes() }.unwrap()).into_owned();
        assert!(text.contains(&format!("failure number {}\n", n + 1)), "{text}");
    });
}
