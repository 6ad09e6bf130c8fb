//! What bundles in Lua may use up: a call that takes too much fails, and everything else goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use polyplug::{BundleId, CallError, Runtime};
use polyplug_lua::{LuaLoader, StdLib};
use polyplug_tests::lua::{SCRIPT, Script, ScriptProxy, load_lua, loaded_by, lua_runtime, run, try_load_lua};
use test_contracts::Calculator;
use test_contracts::calling::Logger;

/// A time in which each call that ends does end, even on a slow computer.
const LONG: Duration = Duration::from_secs(600);

fn impatient() -> LuaLoader {
    LuaLoader::new().with_time_limit(Duration::from_millis(20))
}

fn frugal() -> LuaLoader {
    LuaLoader::new().with_memory_limit(8 << 20)
}

#[track_caller]
fn reaches(runtime: &Runtime, code: &str, limit: &str) {
    println!("{code}");
    let error = run(runtime, code).unwrap_err();
    let CallError::LimitReached(failure) = &error else { panic!("{code}: {error:?}") };
    assert!(failure.message.contains(limit), "{code}: {error}");
    assert_eq!(failure.method, "test.script.run");
    // Usable at once, by the same proxy or another.
    assert_eq!(run(runtime, "return 1 + 1").unwrap(), "2", "after {code}");
}

const TIME: &str = "the call of bundle `lua` takes longer than its 20ms";
const MEMORY: &str = "bundle `lua` needs more memory than its 8388608 bytes";

#[test]
fn a_call_that_never_ends_is_ended() {
    let runtime = loaded_by(impatient(), SCRIPT);
    for code in [
        "while true do end",
        "local n = 0; repeat n = n + 1 until false",
        "for i = 1, math.huge do end",
        "::top:: goto top",
        "local function f() return f() end f()",
        "while true do pcall(function() while true do end end) end",
        "pcall(function() while true do end end); while true do end",
        // What catches the error, and makes no more steps.
        "return pcall(function() while true do end end)",
        "local ok = pcall(function() for i = 1, math.huge do end end); return 'went on'",
        "return coroutine.resume(coroutine.create(function() while true do end end))",
        "xpcall(function() while true do end end, function() while true do end end)",
        "while true do xpcall(error, function() while true do end end) end",
        "local c = coroutine.create(function() while true do end end); coroutine.resume(c); while true do end",
        "coroutine.wrap(function() while true do end end)()",
        "while true do coroutine.wrap(function() while true do pcall(function() while true do end end) end end)() end",
        "for _ in coroutine.wrap(function() while true do coroutine.yield(1) end end) do end",
        "setmetatable({}, { __index = function(t, k) return t[k + 1] end })[1] = nil; while true do end",
        "return tostring(setmetatable({}, { __tostring = function() while true do end end }))",
        "return setmetatable({}, { __index = function() while true do end end }).x",
        "return ('x'):rep(100):gsub('x', function() while true do end end)",
        "table.sort({ 3, 2, 1 }, function() while true do end end)",
        "return load(function() while true do end end)",
        "return load(os.date)",
        "return table.move({}, 1, 2147483647, 1)",
        "return table.move({}, '1', '2147483647', 1)",
        "return load('while true do end')()",
        "return loadstring('local f = ... return f(f)')(function(f) return f(f) end)",
        "return setfenv(load('while true do n = n + 1 end'), { n = 0 })()",
        "return coroutine.wrap(load('return function() while true do end end')())()",
        // A number, which the loops count with.
        "debug.setmetatable(0, { __sub = function(a) return a end, __lt = function() return false end }); while true do end",
    ] {
        reaches(&runtime, code, TIME);
    }
}

/// Without a limit of time LuaJIT goes on for ever.
#[test]
fn a_value_whose_text_is_made_by_tostring_ends_the_call() {
    let runtime = loaded_by(impatient(), SCRIPT);
    for code in [
        "return tostring(setmetatable({}, { __tostring = tostring }))",
        "print(setmetatable({}, { __tostring = tostring }))",
        "error(setmetatable({}, { __tostring = tostring }))",
    ] {
        let error = run(&runtime, code).unwrap_err();
        println!("{code}: {error}");
        assert_eq!(run(&runtime, "return 1 + 1").unwrap(), "2", "after {code}");
    }
}

/// Programs that cannot be made to count their steps.
#[test]
fn a_program_that_counts_nothing_is_ended_as_well() {
    let locals = |count: usize, text: &dyn Fn(usize) -> String| (0..count).map(text).collect::<Vec<_>>().join(" ");
    // A function may use sixty variables of others.
    let many = locals(60, &|number| format!("local a{number} = {number}"));
    let uses = locals(60, &|number| format!("a{number} = a{number} + 1"));
    let uncounted = format!("{many} local function f() {uses} while true do end end f()");
    let names = locals(16, &|number| format!("_polyplug{number:x} = {number}"));
    for code in [
        uncounted.clone(),
        format!("{names} while true do end"),
        "local goto = 0; local a = goto b = 1; while true do end".to_owned(),
        // After a loop that is compiled and counts.
        format!("for i = 1, 1e6 do end; load([[{uncounted}]])()"),
    ] {
        let runtime = loaded_by(impatient(), SCRIPT);
        reaches(&runtime, &code, TIME);
        // All code is interpreted now.
        reaches(&runtime, "while true do end", TIME);
        reaches(&runtime, &code, TIME);
        assert_eq!(run(&runtime, "local n = 0; for i = 1, 1e4 do n = n + i end; return n").unwrap(), "50005000");
    }
    let runtime = lua_runtime(impatient());
    let error = try_load_lua(&runtime, "lua", &format!("{SCRIPT} {uncounted}")).unwrap_err();
    assert!(error.contains("takes longer than its 20ms"), "{error}");
}

#[test]
fn a_program_with_a_limit_is_the_same() {
    let with = loaded_by(LuaLoader::new().with_time_limit(LONG), SCRIPT);
    let without = loaded_by(LuaLoader::new(), SCRIPT);
    for code in [
        "local n = 0 for i = 1, 100 do if i % 2 == 0 then goto continue end n = n + i ::continue:: end return n",
        "return load('while true do ; end') == nil and select(2, load('while true do ; end'))",
        "return select(2, load('\\n\\nlocal x = = 1'))",
        "return select(2, load('end return function() '))",
        "return load('return select(\"#\", ...), ...')(nil, 2, nil)",
        "return load('return x', 'name', 't', { x = 4 })()",
        "return select(2, pcall(load('\\nerror(\"here\")', '=there')))",
        "return select(2, pcall(load('local t = nil\\nfor i = 1, 2 do t.x = i end', '=there')))",
        "return select(2, load('\\27LJ'))",
        "return tostring(select(2, load('return 1', 'x', 'b')))",
        "return debug.traceback('here')",
        "return tostring(nil) .. tostring(1.5) .. tostring(setmetatable({}, { __tostring = function() return 'x', 'y' end }))",
        "local t = {} for i = 1, 3000 do t[i] = i end return table.concat(table.move(t, 1, 3000, 11), ',')",
        "local t = {} for i = 1, 3000 do t[i] = i end return table.concat(table.move(t, 11, 3000, 1), ',')",
        "local t, u = {}, {} for i = 1, 3000 do t[i] = i end return #table.move(t, 2, 2900, 1, u) .. ' ' .. u[2899]",
        "local t = { 1, 2, 3 } return table.concat(table.move(t, 2, 3, 1), ',') .. #table.move(t, 1, 0, 1)",
        "return select(2, pcall(function() table.move({}, 1, 5000) end)):gsub('^.-: ', '')",
        "return select(2, pcall(function() tostring() end)):gsub('^.-: ', '')",
    ] {
        let outcome = |runtime| match run(runtime, code) {
            Ok(text) => text,
            Err(error) => error.to_string(),
        };
        assert_eq!(outcome(&with), outcome(&without), "{code}");
    }
}

/// The time is up in a function that cannot be interrupted, and is looked at some steps later: also while the loader reads the
/// result, a C value, by a function in Lua.
#[test]
fn time_that_is_up_while_a_result_is_read_ends_the_call() {
    let code = "local polyplug = require('polyplug')\nlocal Calc = polyplug.plugin('demo.calculator@1')\n\
                local text, pattern = ('a'):rep(3000), ('.-b')\n\
                function Calc:add(steps, other) text:find(pattern) for _ = 1, steps do end return 5LL end\n\
                function Calc:divide(a, b) return a end\nfunction Calc:greet(name) return name end\n\
                function Calc:sum(data) return #data end\n";
    let runtime = lua_runtime(LuaLoader::new().with_time_limit(Duration::from_millis(5)));
    // The start is limited as well, and a busy computer may need several.
    let begun = Instant::now();
    while let Err(error) = try_load_lua(&runtime, "lua", code) {
        assert!(begun.elapsed() < Duration::from_secs(60), "{error}");
    }
    let calc = runtime.proxy::<dyn Calculator>().unwrap();
    let mut ended = 0;
    // The clock is looked at after each 250 steps.
    for steps in (0..1000).step_by(4) {
        match calc.add(steps, 0) {
            Ok(sum) => assert_eq!(sum, 5),
            Err(CallError::LimitReached(_)) => ended += 1,
            Err(error) => panic!("{steps}: {error}"),
        }
    }
    assert!(ended > 0);
}

#[test]
fn time_is_that_of_a_call_and_not_of_all_calls() {
    let runtime = loaded_by(impatient(), SCRIPT);
    let script = runtime.proxy::<dyn Script>().unwrap();
    let begin = std::time::Instant::now();
    while begin.elapsed() < Duration::from_millis(100) {
        assert_eq!(script.run("return 'quick'").unwrap(), "quick");
    }
}

#[test]
fn an_instance_remembers_what_it_did_before_its_time_was_up() {
    let runtime = loaded_by(impatient(), SCRIPT);
    let script = runtime.proxy::<dyn Script>().unwrap();
    assert!(script.run("local self = ...; self.count = 1; while true do self.count = self.count + 1 end").is_err());
    assert_eq!(script.run("local self = ...; return self.count > 1").unwrap(), "true");
}

#[test]
fn starting_is_limited_as_well() {
    let runtime = lua_runtime(impatient());
    let error = try_load_lua(&runtime, "lua", &format!("{SCRIPT} while true do end")).unwrap_err();
    assert!(error.contains("takes longer than its 20ms"), "{error}");
    // A factory that never ends, and state that is never restored.
    load_lua(&runtime, "lua", &format!("{SCRIPT} function Script:init() while true do end end"));
    let error = runtime.proxy::<dyn Script>().unwrap_err().to_string();
    assert!(error.contains("takes longer than its 20ms"), "{error}");
}

/// Holds a bundle's call until the test says so.
struct Gate {
    is_in: AtomicBool,
    may_go: AtomicBool,
}

struct Waits(Arc<Gate>);

impl Logger for Waits {
    fn log(&self, _: &str) -> u32 {
        self.0.is_in.store(true, SeqCst);
        while !self.0.may_go.load(SeqCst) {
            std::thread::yield_now();
        }
        0
    }

    fn panics(&self, _: &str) {}

    fn lines(&self) -> Vec<String> {
        Vec::new()
    }
}

#[test]
fn other_bundles_never_wait() {
    let gate = Arc::new(Gate { is_in: AtomicBool::new(false), may_go: AtomicBool::new(false) });
    let runtime = lua_runtime(LuaLoader::new().with_time_limit(LONG));
    runtime.provide::<dyn Logger>(Waits(Arc::clone(&gate))).unwrap();
    load_lua(&runtime, "busy", SCRIPT);
    load_lua(&runtime, "other", SCRIPT);
    let script = |name: &str| -> ScriptProxy { runtime.proxy_from::<dyn Script>(BundleId::new(name)).unwrap() };
    let (busy, other) = (script("busy"), script("other"));
    std::thread::scope(|scope| {
        let held = scope.spawn(|| busy.run("require('polyplug').host('test.logger@1'):log('x'); return 'went on'"));
        while !gate.is_in.load(SeqCst) {
            std::thread::yield_now();
        }
        // Another thread is inside of the first.
        assert_eq!(
            other.run("local sum = 0; for i = 1, 100000 do sum = sum + i end; return sum").unwrap(),
            "5000050000"
        );
        assert!(!held.is_finished());
        gate.may_go.store(true, SeqCst);
        assert_eq!(held.join().unwrap().unwrap(), "went on");
    });
}

#[test]
fn the_time_of_a_call_within_a_call_is_that_of_the_outer() {
    let runtime = lua_runtime(impatient());
    load_lua(&runtime, "lua", SCRIPT);
    let weak = Arc::downgrade(&runtime);
    struct CallsBack(std::sync::Weak<Runtime>);
    impl Logger for CallsBack {
        fn log(&self, line: &str) -> u32 {
            let runtime = self.0.upgrade().expect("the test keeps it");
            u32::from(run(&runtime, line).is_err())
        }

        fn panics(&self, _: &str) {}

        fn lines(&self) -> Vec<String> {
            Vec::new()
        }
    }
    runtime.provide::<dyn Logger>(CallsBack(weak)).unwrap();
    let log = "local log = require('polyplug').host('test.logger@1')";
    // The inner call ends, and the outer one's time runs on.
    reaches(&runtime, &format!("{log}; log:log('return 1'); while true do end"), TIME);
    reaches(&runtime, &format!("{log}; pcall(log.log, log, 'while true do end'); while true do end"), TIME);
    assert_eq!(run(&runtime, &format!("{log}; return log:log('return 1')")).unwrap(), "0");
}

#[test]
fn a_call_that_takes_too_much_memory_is_ended() {
    let runtime = loaded_by(frugal(), SCRIPT);
    for code in [
        "return ('x'):rep(100 * 1024 * 1024)",
        "local t = {}; while true do t[#t + 1] = {} end",
        "local s = 'x'; while true do s = s .. s end",
        "local t = {}; for i = 1, math.huge do t[i] = ('x'):rep(1000) .. i end",
        "local t = {}; while true do t[#t + 1] = function() return t end end",
        "local t = {}; while true do t[#t + 1] = coroutine.create(function() end) end",
        "local c = coroutine.wrap(function() local t = {}; while true do t[#t + 1] = { #t } end end); c()",
        "local t = {}; for i = 1, 1e9 do t['key ' .. i] = i end",
        "return table.concat(setmetatable({}, {}), '') .. ('y'):rep(2^27)",
    ] {
        reaches(&runtime, code, MEMORY);
    }
}

#[test]
fn a_script_may_catch_that_memory_ran_out() {
    let runtime = loaded_by(frugal(), SCRIPT);
    let code = "return select(2, pcall(string.rep, 'x', 100 * 1024 * 1024))";
    assert_eq!(run(&runtime, code).unwrap(), "not enough memory");
    let code = "local ok = pcall(string.rep, 'x', 100 * 1024 * 1024); return ('y'):rep(3)";
    assert_eq!(run(&runtime, code).unwrap(), "yyy");
}

#[test]
fn values_of_a_call_count_as_well() {
    let runtime = loaded_by(frugal(), SCRIPT);
    let script = runtime.proxy::<dyn Script>().unwrap();
    let error = script.run(&format!("return 1 --{}", " ".repeat(20 << 20))).unwrap_err();
    assert!(matches!(&error, CallError::LimitReached(failure) if failure.message.contains(MEMORY)), "{error:?}");
    assert_eq!(script.run("return 1").unwrap(), "1");
}

#[test]
fn garbage_does_not_use_up_the_limit() {
    let runtime = loaded_by(frugal(), SCRIPT);
    let script = runtime.proxy::<dyn Script>().unwrap();
    // Two thirds of it are in use while a hundred times as much comes and goes.
    let keep = "local self = ...; self.kept = {}; for i = 1, 5200 do self.kept[i] = ('x'):rep(1000) .. i end";
    script.run(keep).unwrap();
    script.run("for i = 1, 800000 do local s = ('y'):rep(1000) .. i end").unwrap();
    assert_eq!(script.run("local self = ...; return #self.kept").unwrap(), "5200");
    script.run("local self = ...; self.kept = nil").unwrap();
    script.run(keep).unwrap();
}

#[test]
fn memory_is_limited_from_the_start() {
    let runtime = lua_runtime(frugal());
    let error = try_load_lua(&runtime, "lua", &format!("kept = ('x'):rep(100 * 1024 * 1024) {SCRIPT}")).unwrap_err();
    assert!(error.contains(MEMORY), "{error}");
    for bytes in [0, 1, 100, 5_000, 20_000, 30_000] {
        let runtime = lua_runtime(LuaLoader::new().with_memory_limit(bytes));
        let error = try_load_lua(&runtime, "lua", SCRIPT).unwrap_err();
        assert!(error.contains(&format!("more memory than its {bytes} bytes")), "{bytes}: {error}");
    }
}

#[test]
fn any_limit_is_either_enough_or_named() {
    // Memory may run out at whatever is being done.
    let mut enough = 0;
    for bytes in (30_000..260_000).step_by(700) {
        let runtime = lua_runtime(LuaLoader::new().with_memory_limit(bytes));
        let outcome = try_load_lua(&runtime, "lua", SCRIPT).and_then(|()| {
            let script = runtime.proxy::<dyn Script>().map_err(|error| error.to_string())?;
            script
                .run("local c = coroutine.wrap(function() return 7 end); return c()")
                .map_err(|error| error.to_string())
        });
        match outcome {
            Ok(answer) => {
                assert_eq!(answer, "7");
                enough += 1;
            }
            Err(error) => assert!(error.contains(&format!("more memory than its {bytes} bytes")), "{bytes}: {error}"),
        }
    }
    assert!(enough > 10, "{enough}");
}

#[test]
fn both_limits_hold_with_the_full_library() {
    let loader = impatient().with_memory_limit(8 << 20).with_stdlib(StdLib::Full);
    let runtime = loaded_by(loader, SCRIPT);
    reaches(&runtime, "while true do end", TIME);
    reaches(&runtime, "return ('x'):rep(100 * 1024 * 1024)", MEMORY);
}

#[test]
fn without_limits_nothing_is_cut_off() {
    let runtime = loaded_by(LuaLoader::new(), SCRIPT);
    let code = "local sum = 0; for i = 1, 2e7 do sum = sum + i end; return #('x'):rep(5e7) .. ' ' .. sum";
    assert_eq!(run(&runtime, code).unwrap(), "50000000 2.0000001e+14");
}
