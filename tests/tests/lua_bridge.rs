//! Host contracts implemented in Lua, with the addresses of canonical memory, by way of a bridge.

use std::any::Any;
use std::sync::Arc;

use polyplug::host_bridge::{BridgeError, RuntimeLanguageBridge};
use polyplug::{HostContractId, Runtime};
use polyplug_abi::{AbiError, AbiErrorCode, SupportedLanguage};
use polyplug_lua::bridge::LuaHostBridge;
use polyplug_lua::mlua::{Function, Lua, Table};
use polyplug_tests::{Bundle, runtime};
use test_contracts::calling::{Caller, CallerProxy};

const LOGGER: u64 = HostContractId::new("test.logger", 1).id();
const ECHO: u64 = HostContractId::new("test.echo", 1).id();
const OTHER: u64 = HostContractId::new("test.other", 1).id();

/// A bridge whose contract `OTHER` is this function.
fn with(function: &str) -> LuaHostBridge {
    let mut bridge = LuaHostBridge::new();
    register(&mut bridge, OTHER, function);
    bridge
}

#[track_caller]
fn register(bridge: &mut LuaHostBridge, contract: u64, function: &str) {
    let function: Function = bridge.lua().load(function).set_name("@script.lua").eval().unwrap();
    bridge.register_host_contract(contract, Box::new(function)).unwrap();
}

/// Calls a function that takes and returns numbers.
fn call(bridge: &LuaHostBridge, fn_id: u32, arguments: [i32; 2]) -> Result<i64, AbiError> {
    let mut out = 0_i64;
    let (args, room) = ((&raw const arguments).cast(), (&raw mut out).cast());
    // SAFETY: the functions of these tests take two numbers and return one, or look at neither.
    let error = unsafe { bridge.call_host_contract(OTHER, fn_id, args, room) };
    if error.is_ok() { Ok(out) } else { Err(error) }
}

/// The text of the last error of this thread.
fn text(error: &AbiError) -> String {
    // SAFETY: the bridge keeps it until the thread's next error.
    String::from_utf8(unsafe { error.message.bytes() }.unwrap_or_default().to_vec()).unwrap()
}

const ADD: &str = r#"
local ffi = require("ffi")
return function(fn_id, args, out)
  local numbers = ffi.cast("int32_t*", args)
  ffi.cast("int64_t*", out)[0] = fn_id * 1000 + numbers[0] + numbers[1]
end
"#;

#[test]
fn a_script_reads_arguments_and_writes_the_result() {
    assert_eq!(LuaHostBridge::default().runtime_type(), SupportedLanguage::Lua);
    let bridge = with(ADD);
    assert_eq!(call(&bridge, 0, [2, 3]).unwrap(), 5);
    assert_eq!(call(&bridge, 7, [-2, 1]).unwrap(), 6999);
    assert!(bridge.provides(OTHER) && !bridge.provides(LOGGER));
    assert_eq!(call(&with("return function(id, args, out) return id, args, out end"), 0, [0, 0]).unwrap(), 0);
}

/// Keeps what a function was called with.
const KEEP: &str = r#"
local ffi = require("ffi")
return function(fn_id, args, out)
  kept = { fn_id = fn_id, args = args, out = out }
  function kept.same(of, text) return tostring(ffi.cast("uint64_t", kept[of])) == text .. "ULL" end
  function kept.points(of, text) return tostring(ffi.cast("uint64_t", ffi.cast("int32_t*", kept[of]))) == text .. "ULL" end
end
"#;

#[test]
fn addresses_are_exact_to_64_bits() {
    let bridge = with(KEEP);
    let exact = 1_u64 << 53;
    let addresses =
        [0, 1, 0x7FFF_FFFF, 0xFFFF_FFFF, 0x7FFF_FFFF_FFFF, exact - 1, exact, exact + 1, 0x7FFF_8123_4567_89AB]
            .into_iter()
            .chain([0x8000_0000_0000_0001, 0xFFFF_FFFF_0000_0001, u64::MAX - 1, u64::MAX]);
    for address in addresses {
        let (args, out) = (address as usize, !address as usize);
        // SAFETY: the function looks at neither.
        let error = unsafe {
            let args = std::ptr::without_provenance(args);
            bridge.call_host_contract(OTHER, 3, args, std::ptr::without_provenance_mut(out))
        };
        assert!(error.is_ok(), "{}", text(&error));
        let kept: Table = bridge.lua().globals().get("kept").unwrap();
        assert_eq!(kept.get::<u32>("fn_id").unwrap(), 3);
        for how in ["same", "points"] {
            // An address that a program can have is below 2^47: LuaJIT makes pointers of no others.
            if how == "points" && (address >> 47 != 0 || !address >> 47 != 0) {
                continue;
            }
            let is_same: Function = kept.get(how).unwrap();
            assert!(is_same.call::<bool>(("args", address.to_string())).unwrap(), "{how} {address:#x}");
            assert!(is_same.call::<bool>(("out", (!address).to_string())).unwrap(), "{how} {:#x}", !address);
        }
        let is_number = kept.get::<f64>("args").is_ok();
        assert_eq!(is_number, address <= exact && !address <= exact, "{address:#x}");
    }
}

#[test]
fn what_the_bridge_does_not_take_is_named() {
    let mut bridge = with(ADD);
    let again: Function = bridge.lua().load("return function() end").eval().unwrap();
    let error = bridge.register_host_contract(OTHER, Box::new(again)).unwrap_err();
    assert_eq!(error, BridgeError::DuplicateContract { contract_id: OTHER });
    assert_eq!(call(&bridge, 0, [1, 1]).unwrap(), 2, "the first one serves on");

    let table = bridge.lua().create_table().unwrap();
    let values: [(Box<dyn Any>, &str); 4] = [
        (Box::new(table), "an mlua::Table"),
        (Box::new("log".to_owned()), "text"),
        (Box::new(7), "something else"),
        (Box::new(polyplug_lua::mlua::Value::Nil), "an mlua::Value"),
    ];
    for (value, what) in values {
        let error = bridge.register_host_contract(LOGGER, value).unwrap_err();
        let (expected, got) = ("an mlua::Function".to_owned(), what.to_owned());
        assert_eq!(error, BridgeError::TypeMismatch { contract_id: LOGGER, expected, got });
        assert!(error.to_string().ends_with(&format!("is {what}, and has to be an mlua::Function")), "{error}");
    }
    assert!(!bridge.provides(LOGGER));
}

#[test]
fn a_contract_that_is_not_registered_is_not_found() {
    let bridge = LuaHostBridge::with_capacity(16);
    let error = call(&bridge, 0, [0, 0]).unwrap_err();
    assert_eq!(error.code, AbiErrorCode::HostContractNotFound as u32);
    assert_eq!(text(&error), format!("no function is registered for the host contract {OTHER:#018x}"));
}

#[test]
fn an_error_of_lua_arrives_with_its_message() {
    let said = |function: &str| {
        let bridge = with(function);
        let error = call(&bridge, 0, [0, 0]).unwrap_err();
        assert_eq!(error.code, AbiErrorCode::HostContractCallFailed as u32);
        assert_eq!(call(&bridge, 0, [0, 0]).unwrap_err().code, error.code, "again");
        text(&call(&bridge, 0, [0, 0]).unwrap_err())
    };
    let thrown = said("return function()\n error('the disk is füll')\nend");
    assert!(thrown.starts_with("script.lua:2: the disk is füll\nstack traceback:\n"), "{thrown}");
    assert!(said("return function() local t = nil; return t.x end").contains("attempt to index local 't'"));
    assert!(said("return function() error() end").contains("nil"));
    assert!(said("return function() error({ code = 7 }) end").contains("an error that is a table"));
    assert!(said("return function() error('x\\255y') end").contains("x\u{fffd}y"));
    assert!(said("local function f() return f() + 1 end return f").contains("stack overflow"));
    let long = said("return function() error(string.rep('a', 100000), 0) end");
    assert!(long.starts_with(&"a".repeat(100_000)), "{}", long.len());
}

#[test]
fn an_error_of_rust_arrives_as_well() {
    let mut bridge = LuaHostBridge::new();
    let fails = |_: &Lua, ()| -> polyplug_lua::mlua::Result<()> { Err(polyplug_lua::mlua::Error::runtime("no more")) };
    let function = bridge.lua().create_function(fails).unwrap();
    bridge.register_host_contract(OTHER, Box::new(function)).unwrap();
    let error = call(&bridge, 0, [0, 0]).unwrap_err();
    assert_eq!(error.code, AbiErrorCode::HostContractCallFailed as u32);
    assert!(text(&error).contains("no more"), "{}", text(&error));
}

/// The methods of `test.logger`: `log` counts letters, `panics` fails with the words.
const LOG: &str = r#"
local ffi = require("ffi")
ffi.cdef("typedef struct { const char *ptr; size_t len; } polyplug_text;")
lines = 0
return function(fn_id, args, out)
  if fn_id > 1 then error("there is no function " .. fn_id, 0) end
  local text = ffi.cast("const polyplug_text*", args)
  text = ffi.string(text.ptr, text.len)
  if fn_id == 1 then error("the script says " .. text) end
  lines = lines + 1
  ffi.cast("uint32_t*", out)[0] = #text
end
"#;

fn caller(runtime: &Runtime) -> (Bundle, CallerProxy) {
    let bundle = Bundle::native("caller", "plugin-caller");
    runtime.load_bundle(bundle.path()).unwrap();
    (bundle, runtime.proxy::<dyn Caller>().unwrap())
}

#[test]
fn a_plugin_calls_lua_through_its_proxy() {
    let runtime = runtime();
    let mut bridge = LuaHostBridge::new();
    register(&mut bridge, LOGGER, LOG);
    runtime.provide_bridge(bridge);
    let (_bundle, caller) = caller(&runtime);
    assert_eq!(caller.log("four"), Ok(Ok(4)));
    assert_eq!(caller.log(""), Ok(Ok(0)));
    assert_eq!(caller.log("grüß"), Ok(Ok(6)));
    let error = caller.host_panics("no").unwrap().unwrap_err();
    assert!(
        error.starts_with(
            "the host, test.logger.panics: failed with code 102: script.lua:9: the script says no\nstack traceback:"
        ),
        "{error}"
    );
    let error = caller.lines().unwrap().unwrap_err();
    assert!(error.contains("there is no function 2"), "{error}");
}

#[test]
fn a_panic_below_a_script_is_the_plugins_error() {
    let runtime = runtime();
    let mut bridge = LuaHostBridge::new();
    let panics = |_: &Lua, ()| -> polyplug_lua::mlua::Result<()> { panic!("below the script") };
    let function = bridge.lua().create_function(panics).unwrap();
    bridge.register_host_contract(LOGGER, Box::new(function)).unwrap();
    runtime.provide_bridge(bridge);
    let (_bundle, caller) = caller(&runtime);
    let error = caller.log("x").unwrap().unwrap_err();
    assert!(error.starts_with("the host, test.logger.log: panicked: below the script"), "{error}");
}

#[test]
fn several_threads_call_at_once() {
    let runtime = runtime();
    let mut bridge = LuaHostBridge::new();
    register(&mut bridge, LOGGER, LOG);
    let lua = bridge.lua().clone();
    runtime.provide_bridge(bridge);
    let (_bundle, caller) = caller(&runtime);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..250 {
                    assert_eq!(caller.log("four"), Ok(Ok(4)));
                }
            });
        }
    });
    assert_eq!(caller.log_on_threads(4, 50), Ok(Ok(7)));
    assert_eq!(lua.globals().get::<u32>("lines").unwrap(), 4 * 250 + 4 * 50);
}

#[test]
fn each_thread_has_the_text_of_its_own_error() {
    let bridge = with("return function(fn_id) error('function ' .. fn_id, 0) end");
    let bridge = &bridge;
    std::thread::scope(|scope| {
        for fn_id in 0..4 {
            scope.spawn(move || {
                for _ in 0..200 {
                    let error = call(bridge, fn_id, [0, 0]).unwrap_err();
                    assert!(text(&error).starts_with(&format!("function {fn_id}\n")), "{}", text(&error));
                }
            });
        }
    });
}

#[test]
fn calls_are_nested() {
    let runtime = runtime();
    let mut bridge = LuaHostBridge::new();
    let (_bundle, caller) = caller(&runtime);
    let weak = Arc::downgrade(&runtime);
    // `call_back(depth) -> Result<u32, String>`: asks the plugin, which calls this again.
    let nested = bridge.lua().create_function(move |_, depth: u32| {
        let runtime = weak.upgrade().expect("the test keeps it");
        let caller = runtime.proxy::<dyn Caller>().expect("it is loaded");
        Ok(caller.nested(depth).expect("it answers").expect("it succeeds"))
    });
    bridge.lua().globals().set("nested", nested.unwrap()).unwrap();
    register(
        &mut bridge,
        ECHO,
        r#"
        local ffi = require("ffi")
        ffi.cdef("typedef struct { uint32_t tag; union { uint32_t ok; struct { const char *ptr; size_t len; } err; }; } answer;")
        return function(fn_id, args, out)
          local depth = ffi.cast("uint32_t*", args)[0]
          local deeper = nested(depth - 1)
          out = ffi.cast("answer*", out)
          out.tag, out.ok = 0, deeper
        end
        "#,
    );
    runtime.provide_bridge(bridge);
    assert_eq!(caller.nested(0), Ok(Ok(0)));
    assert_eq!(caller.nested(10), Ok(Ok(10)));
}
