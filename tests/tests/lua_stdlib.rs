//! The part of Lua's standard library that bundles get.

use polyplug_lua::{LuaLoader, StdLib};
use polyplug_tests::logged;
use polyplug_tests::lua::{SCRIPT, load_lua, loaded, loaded_by, lua_runtime, run};
use tracing::Level;

#[test]
fn functions_that_reach_outside_the_vm_are_missing() {
    let runtime = loaded(SCRIPT);
    let names = [
        "io",
        "ffi",
        "debug",
        "package",
        "jit",
        "module",
        "dofile",
        "loadfile",
        "getfenv",
        "setfenv",
        "newproxy",
        "os.execute",
        "os.exit",
        "os.getenv",
        "os.remove",
        "os.rename",
        "os.setlocale",
        "os.tmpname",
        "string.dump",
        "getmetatable('').__index.dump",
        "_G.io",
        "_G.jit",
    ];
    for name in names {
        assert_eq!(run(&runtime, &format!("return {name}")).unwrap(), "nil", "{name}");
    }
}

#[test]
fn what_computes_is_there() {
    let runtime = loaded(SCRIPT);
    let expressions = [
        ("('a,b'):gsub(',', ';')", "a;b"),
        ("table.concat({ 1, 2, 3 }, '-')", "1-2-3"),
        ("math.floor(2.7)", "2"),
        ("bit.band(12, 10)", "8"),
        ("select('#', coroutine.resume(coroutine.create(function() return 1, 2 end)))", "3"),
        ("type(os.time()) .. type(os.clock()) .. type(os.date()) .. os.difftime(3, 1)", "numbernumberstring2"),
        ("pcall(error, 'x')", "false"),
        ("tostring(2^53 + 1) .. tostring(9007199254740993LL)", "9.007199254741e+159007199254740993LL"),
        ("collectgarbage('count') > 0", "true"),
    ];
    for (expression, result) in expressions {
        assert_eq!(run(&runtime, &format!("return {expression}")).unwrap(), result, "{expression}");
    }
}

#[test]
fn libraries_that_are_hidden_cannot_be_required_either() {
    let runtime = loaded(SCRIPT);
    for module in ["ffi", "jit", "jit.util", "io", "os", "debug", "package", "string.buffer", "table.new", "_G"] {
        // An integer in the text opens `ffi` behind the scenes.
        let error = run(&runtime, &format!("local big = 1LL; return require('{module}')")).unwrap_err().to_string();
        assert!(error.contains(&format!("there is no module `{module}`")), "{error}");
    }
}

#[test]
fn byte_code_is_refused() {
    let runtime = loaded(SCRIPT);
    let refused = "attempt to load a binary chunk";
    for code in [
        r"load('\27LJ\2\0')",
        r"loadstring('\27LJ\2\0')",
        r"load('\27LJ\2\0', 'x', 'b')",
        r"load('\27LJ\2\0', 'x', 'bt')",
        r"load((function() local done; return function() if not done then done = true; return '\27LJ\2\0' end end end)())",
    ] {
        let error = run(&runtime, &format!("local f, error = {code}; return tostring(f) .. error")).unwrap();
        assert!(error.starts_with("nil") && error.contains(refused), "{code}: {error}");
    }
    // With the full library it can be made, and then loaded.
    let runtime = loaded_by(LuaLoader::new().with_stdlib(StdLib::Full), SCRIPT);
    assert_eq!(run(&runtime, "return load(string.dump(function() return 7 end))()").unwrap(), "7");
}

#[test]
fn load_is_luas_own_otherwise() {
    let runtime = loaded(SCRIPT);
    let cases = [
        ("return load('return 1 + 1')()", "2"),
        ("return load('return ...', 'name', 't')(5)", "5"),
        ("return load('return x', 'name', 't', { x = 'mine' })()", "mine"),
        ("local f, e = load('return +', '=name'); return e", "name:1: unexpected symbol near '+'"),
        ("local f, e = load('return 1', '=name', 'b'); return e", "attempt to load a text chunk (mode is '')"),
        ("local n = 0; return load(function() n = n + 1; return ({ 'return ', '4', '2' })[n] end)()", "42"),
        ("return select(2, pcall(load))", "bad argument #1 to '?' (string expected, got no value)"),
        ("return select(2, pcall(load(\"error('x')\", '@file.lua')))", "file.lua:1: x"),
    ];
    for (code, result) in cases {
        assert_eq!(run(&runtime, code).unwrap(), result, "{code}");
    }
    let error = run(&runtime, "return load(function() error('no text', 0) end)").unwrap_err().to_string();
    assert!(error.contains("no text"), "{error}");
}

#[test]
fn bundles_share_no_globals() {
    let runtime = lua_runtime(LuaLoader::new());
    load_lua(&runtime, "one", &format!("shared = 1; string.shared = 1 {SCRIPT}"));
    load_lua(&runtime, "two", SCRIPT);
    let two = runtime.proxy_from::<dyn polyplug_tests::lua::Script>(polyplug::BundleId::new("two")).unwrap();
    assert_eq!(two.run("return tostring(shared) .. tostring(string.shared)").unwrap(), "nilnil");
}

#[test]
fn print_writes_to_the_hosts_log() {
    for stdlib in [StdLib::Safe, StdLib::Full] {
        let runtime = loaded_by(LuaLoader::new().with_stdlib(stdlib), SCRIPT);
        let code =
            "print('a', 1, nil, true); print(); print(setmetatable({}, { __tostring = function() return 'mine' end }))";
        let ((), lines) = logged(|| drop(run(&runtime, code)));
        let messages: Vec<_> = lines.iter().map(|line| line.message.as_str()).collect();
        assert_eq!(messages, ["a\t1\tnil\ttrue", "", "mine"]);
        assert!(lines.iter().all(|line| line.bundle == "lua" && line.level == Level::INFO), "{lines:?}");
    }
}

#[test]
fn polyplug_log_has_levels() {
    let runtime = loaded(SCRIPT);
    let code = "for _, level in ipairs({ 'error', 'warn', 'info', 'debug', 'trace' }) do require('polyplug').log(level, level .. '!') end";
    let ((), lines) = logged(|| drop(run(&runtime, code)));
    let found: Vec<_> = lines.iter().map(|line| (line.level, line.message.as_str())).collect();
    let expected = [
        (Level::ERROR, "error!"),
        (Level::WARN, "warn!"),
        (Level::INFO, "info!"),
        (Level::DEBUG, "debug!"),
        (Level::TRACE, "trace!"),
    ];
    assert_eq!(found, expected);
    let error = |code: &str| run(&runtime, code).unwrap_err().to_string();
    assert!(error("require('polyplug').log('loud', 'x')").contains("\"loud\" is no level: there are \"error\", "));
    assert!(error("require('polyplug').log('info')").contains("a message is expected, not nil"));
    assert!(error("require('polyplug').log(3)").contains("a level (\"error\", "));
}

#[test]
fn the_full_library_has_everything() {
    let runtime = loaded_by(LuaLoader::new().with_stdlib(StdLib::Full), SCRIPT);
    for name in ["io.open", "os.execute", "os.getenv", "debug.traceback", "package.path", "jit.version", "string.dump"]
    {
        assert_ne!(run(&runtime, &format!("return {name}")).unwrap(), "nil", "{name}");
    }
    assert_eq!(run(&runtime, "return require('ffi').sizeof('int32_t')").unwrap(), "4");
    assert_eq!(run(&runtime, "return require('string') == string").unwrap(), "true");
    assert_eq!(run(&runtime, "return type(require('polyplug').plugin)").unwrap(), "function");
    let error = run(&runtime, "return require('nowhere.at_all')").unwrap_err().to_string();
    assert!(error.contains("nowhere.at_all"), "{error}");
}

#[test]
fn the_end_of_a_bundle_writes_files_and_runs_finalizers() {
    use polyplug::BundleId;
    use polyplug_tests::Bundle;

    let folder = Bundle::empty();
    let path = |name: &str| folder.path().join(name);
    for loader in [LuaLoader::new(), LuaLoader::new().with_memory_limit(64 << 20)] {
        let runtime = loaded_by(loader.with_stdlib(StdLib::Full), SCRIPT);
        let code = format!(
            "file = io.open({:?}, 'w') file:write('a')\n\
             local ffi = require('ffi') held = ffi.gc(ffi.new('int[1]'), function()\n\
             local last = io.open({:?}, 'w') last:write(string.rep('b', 2)) end)\n\
             proxy = newproxy(true) getmetatable(proxy).__gc = function() io.open({:?}, 'w'):write(tostring(1)) end\n\
             waits = coroutine.create(function() coroutine.yield(file) end) coroutine.resume(waits)",
            path("file"),
            path("cdata"),
            path("proxy"),
        );
        run(&runtime, &code).unwrap();
        let report = runtime.unload_bundle(BundleId::new("lua")).unwrap();
        assert!(report.reclaimed, "{report}");
        for (name, expected) in [("file", "a"), ("cdata", "bb"), ("proxy", "1")] {
            assert_eq!(std::fs::read_to_string(path(name)).unwrap(), expected, "{name}");
            std::fs::remove_file(path(name)).unwrap();
        }
    }
}
