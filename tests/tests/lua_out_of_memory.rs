//! Memory that runs out anywhere in a bundle's VM ends that one call, loses nothing, and never ends the process: a VM is
//! closed whole, which LuaJIT checks where it is built for debugging.

use std::sync::Arc;

use polyplug::{BundleId, CallError, Runtime};
use polyplug_lua::LuaLoader;
use polyplug_tests::lua::{Script, load_lua, lua_runtime, try_load_lua};
use polyplug_tests::{Bundle, manifest};

/// A plugin that fills its memory, and then does what is tried.
const FILLING: &str = r#"
local polyplug = require("polyplug")
local Script = polyplug.plugin("test.script@1")
local ballast = {}
function Script:run(code)
  collectgarbage("stop")
  pcall(function() for i = 1, 1e7 do ballast[i] = ("x"):rep(200) .. i end end)
  -- Each step leaves a little more memory.
  local text
  for i = #ballast, 1, -1 do
    ballast[i] = nil
    collectgarbage()
    local done, result = pcall(function() return assert(load(code, "=code"))() end)
    if done then text = tostring(result) break end
  end
  ballast = {}
  collectgarbage("restart")
  collectgarbage()
  return text
end
"#;

/// What a program may do for the first time while there is no memory.
const TRIED: [&str; 14] = [
    "return 9007199254740993ULL",
    "return 9007199254740993LL + 1",
    "return 1i",
    "return load('return 9007199254740993ULL')()",
    "return coroutine.wrap(function() return 1 end)()",
    "return string.format('%q %s %5.2f', 'x', {}, 1.5)",
    "return table.concat({ 1, 2, 3 }, ('x'):rep(100))",
    "local t = {} for i = 1, 1000 do t[i] = i end table.sort(t, function(a, b) return a > b end) return t[1]",
    "local n = 0 for i = 1, 2000 do n = n + i end return n",
    "return select(2, pcall(error, ('x'):rep(1000)))",
    "return ('abc'):gsub('.', function(c) return c:rep(100) end)",
    "return debug.traceback('x')",
    "return os.date('!%Y')",
    "local t = setmetatable({}, { __index = function(t, k) return k end }) return t.x",
];

fn limited(bytes: usize) -> Arc<Runtime> {
    lua_runtime(LuaLoader::new().with_memory_limit(bytes))
}

#[test]
fn what_is_done_for_the_first_time_without_memory_loses_none() {
    for tried in TRIED {
        let runtime = limited(300_000);
        load_lua(&runtime, "lua", FILLING);
        let script = runtime.proxy::<dyn Script>().unwrap();
        for _ in 0..3 {
            match script.run(tried) {
                Ok(_) | Err(CallError::LimitReached(_)) => {}
                Err(error) => panic!("{tried}: {error}"),
            }
        }
        drop(script);
        runtime.unload_bundle(BundleId::new("lua")).unwrap();
    }
}

/// A return of an integer that only a C value can hold, by a program that has none in its text.
#[test]
fn an_integer_of_64_bits_in_full_memory() {
    let code = r#"
        local polyplug = require("polyplug")
        local Counter = polyplug.plugin("test.counter@1")
        local ballast = {}
        function Counter:init() self.count = 0 end
        function Counter:add(by)
          pcall(function() for i = 1, 1e7 do ballast[i] = ("x"):rep(100) .. i end end)
          for _ = 1, 10 do pcall(loadstring, "return 9007199254740993ULL") end
          return 9007199254740993ULL
        end
    "#;
    let runtime = limited(150_000);
    load_lua(&runtime, "lua", code);
    let counter = runtime.proxy::<dyn test_contracts::Counter>().unwrap();
    for _ in 0..20 {
        match counter.add((1 << 60) + 1) {
            Ok(sum) => assert_eq!(sum, (1 << 53) + 1),
            Err(CallError::LimitReached(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    drop(counter);
    runtime.unload_bundle(BundleId::new("lua")).unwrap();
}

/// With each limit, from none to enough, a bundle is loaded whole or not at all.
#[test]
fn a_start_with_little_memory_is_whole_or_none() {
    let code = r#"
        local polyplug = require("polyplug")
        local Script = polyplug.plugin("test.script@1")
        local big = 9007199254740993ULL
        local text = {}
        for i = 1, 100 do text[i] = ("x"):rep(i) end
        local c = coroutine.wrap(function() coroutine.yield(1) end)
        c()
        function Script:run(code) return code .. tostring(big) end
    "#;
    let (mut refused, mut loaded) = (0, 0);
    for step in 0..300 {
        let runtime = limited(step * 701);
        match try_load_lua(&runtime, "lua", code) {
            Ok(()) => {
                loaded += 1;
                let outcome = runtime.proxy::<dyn Script>().map(|script| script.run("x"));
                if let Ok(Ok(text)) = outcome {
                    assert_eq!(text, "x9007199254740993ULL");
                }
                runtime.unload_bundle(BundleId::new("lua")).unwrap();
            }
            Err(error) => {
                assert_eq!(loaded, 0, "with less memory it was loaded: {error}");
                assert!(error.contains("more memory than its"), "{error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 0 && loaded > 0, "{refused} refused, {loaded} loaded");
}

#[test]
fn a_module_that_does_not_fit_can_be_tried_again() {
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest("lua", "lua", "main.lua"));
    bundle.write("main.lua", FILLING);
    bundle.write("helper.lua", "local big = 9007199254740993ULL; return { big = tostring(big) }");
    let runtime = limited(300_000);
    runtime.load_bundle(bundle.path()).unwrap();
    let script = runtime.proxy::<dyn Script>().unwrap();
    assert_eq!(script.run("return require('helper').big").unwrap(), "9007199254740993ULL");
    drop(script);
    runtime.unload_bundle(BundleId::new("lua")).unwrap();
}
