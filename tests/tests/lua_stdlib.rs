//! The part of Lua's standard library that bundles get.

use polyplug_lua::{LuaLoader, StdLib};
use polyplug_tests::logged;
use polyplug_tests::lua::{SCRIPT, load_lua, loaded, loaded_by, lua_runtime, run};
use tracing::Level;

#[test]
fn functions_that_reach_outside_the_vm_are_missing() {
    let runtime = loaded(SCRIPT);
    let names = [
        "ffi",
        "jit",
        "dofile",
        "loadfile",
        "newproxy",
        "debug.debug",
        "debug.getfenv",
        "debug.getlocal",
        "debug.getregistry",
        "debug.getupvalue",
        "debug.setfenv",
        "debug.setlocal",
        "debug.setupvalue",
        "debug.upvalueid",
        "debug.upvaluejoin",
        "debug.getinfo(1, 'f').func",
        "debug.getinfo(1, 'L').activelines",
        "debug.getinfo(print, 'f').func",
        "package.loaded.ffi",
        "package.loaded.jit",
        "package.loaded['jit.util']",
        "package.loaded._G.ffi",
        "getfenv(0).ffi",
        "getfenv(print).jit",
        "getmetatable(io.stdout).__gc",
        "os.execute",
        "os.remove",
        "os.rename",
        "os.setlocale",
        "os.tmpname",
        "string.dump",
        "getmetatable('').__index.dump",
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
    for module in ["ffi", "jit", "jit.util", "jit.opt", "string.buffer", "table.new", "table.clear", "lfs"] {
        // LuaJIT needs `ffi` for an integer in the text.
        let error = run(&runtime, &format!("local big = 1LL; return require('{module}')")).unwrap_err().to_string();
        assert!(error.contains(&format!("there is no module `{module}`")), "{error}");
    }
}

/// What a script asks of the library, and what it gets, as a line of text.
#[track_caller]
fn answers(runtime: &polyplug::Runtime, cases: &[(&str, &str)]) {
    for (code, expected) in cases {
        let code = if code.contains("return") { (*code).to_owned() } else { format!("return {code}") };
        match run(runtime, &code) {
            Ok(found) => assert_eq!(found, *expected, "{code}"),
            Err(error) => panic!("{code}: {error}"),
        }
    }
}

#[test]
fn the_libraries_that_exist_can_be_required() {
    let runtime = loaded(SCRIPT);
    for name in ["string", "table", "math", "os", "coroutine", "bit", "io", "debug", "package", "_G"] {
        let code = format!("return rawequal(require('{name}'), {name}) and package.loaded['{name}'] == {name}");
        assert_eq!(run(&runtime, &code).unwrap(), "true", "{name}");
    }
    assert_eq!(run(&runtime, "return package.loaded.polyplug == require('polyplug')").unwrap(), "true");
}

#[test]
fn package_leads_nowhere() {
    let runtime = loaded(SCRIPT);
    answers(
        &runtime,
        &[
            ("package.config:sub(1, 1)", if cfg!(windows) { "\\" } else { "/" }),
            ("#package.config", "10"),
            ("package.path .. package.cpath", ""),
            ("package.path = package.path .. ';/tmp/?.lua' return pcall(require, 'x')", "false"),
            ("tostring(package.searchpath('x', '/?'))", "nil"),
            ("select(3, package.loadlib('libc.so.6', '*'))", "absent"),
            ("package.preload.mine = function(name) return { name = name } end return require('mine').name", "mine"),
            ("require('mine') == require('mine') and package.loaded.mine == require('mine')", "true"),
            ("package.loaded.given = 7 return require('given')", "7"),
            ("package.preload.silent = function() end return require('silent')", "true"),
            ("package.preload.own = function(name) package.loaded[name] = 'own' end return require('own')", "own"),
            (
                "table.insert(package.loaders, function(name) return name:find('^made') and function(n) return n .. '!' end end) \
                 return require('made.up')",
                "made.up!",
            ),
            ("select(2, pcall(require, 'nowhere')):match('there is no module `nowhere`') ~= nil", "true"),
            ("package.preload = nil package.loaders = nil return pcall(require, 'nowhere')", "false"),
            ("package.loaded.mine = nil return pcall(require, 'mine')", "false"),
        ],
    );
}

#[test]
fn modules_in_the_style_of_lua_5_1() {
    let runtime = loaded(SCRIPT);
    answers(
        &runtime,
        &[
            (
                "package.preload['old.style'] = load('module(..., package.seeall) function f() return type(print) .. _NAME .. _PACKAGE end') \
                 return require('old.style').f()",
                "functionold.styleold.",
            ),
            ("old.style == package.loaded['old.style']", "true"),
            ("return setfenv(load('x = 5 return x'), {})()", "5"),
            ("x", "nil"),
            ("getfenv(1) == _G and getfenv(print) == _G", "true"),
            ("pcall(setfenv, print, {})", "false"),
        ],
    );
}

#[test]
fn debug_tells_places_only() {
    let runtime = loaded(SCRIPT);
    answers(
        &runtime,
        &[
            ("debug.traceback('here'):match('^here\\nstack traceback:') ~= nil", "true"),
            ("debug.traceback(coroutine.create(print), 'there'):match('^there') ~= nil", "true"),
            ("debug.traceback(7):match('^7\\nstack traceback:') ~= nil", "true"),
            ("debug.traceback({}) ~= nil", "true"),
            ("select(2, xpcall(function() error('x') end, debug.traceback)):match('traceback') ~= nil", "true"),
            ("return debug.getinfo(1, 'S').short_src .. debug.getinfo(1, 'l').currentline", "code1"),
            ("local function f() local i = debug.getinfo(2, 'nSl') return i.what end local r = f() return r", "main"),
            ("local function f() return 1 end return debug.getinfo(f).what .. debug.getinfo(f, 'u').nparams", "Lua0"),
            ("debug.getinfo(1000) == nil", "true"),
            ("debug.getinfo(print).what", "C"),
            ("pcall(debug.getinfo, 1, 'f>')", "true"),
            ("pcall(debug.getinfo)", "false"),
            ("select('#', debug.gethook()) + select('#', debug.sethook(print, 'l'))", "0"),
            ("debug.getmetatable('') == getmetatable('')", "true"),
            ("local t = setmetatable({}, { __metatable = 'hidden' }) return tostring(debug.getmetatable(t))", "nil"),
            ("local t = setmetatable({}, { __metatable = 'hidden' }) return pcall(debug.setmetatable, t, {})", "false"),
            ("local m = {} return getmetatable(debug.setmetatable({}, m)) == m", "true"),
            (
                "local m = getmetatable('') debug.setmetatable('', nil) local bare = pcall(function() return ('x'):rep(2) end) \
                 debug.setmetatable('', m) return tostring(bare) .. ('x'):rep(2)",
                "falsexx",
            ),
            // No value gets a finalizer, and no object of the loader's another metatable.
            ("pcall(debug.setmetatable, require('polyplug').null, {})", "false"),
            ("pcall(debug.setmetatable, 1LL, {})", "false"),
        ],
    );
}

#[test]
fn there_are_no_files_and_no_variables_of_the_environment() {
    let runtime = loaded(SCRIPT);
    answers(
        &runtime,
        &[
            ("tostring(os.getenv('PATH'))", "nil"),
            ("select(2, pcall(os.exit)):match('a bundle cannot end the program') ~= nil", "true"),
            ("select('#', os.getenv('PATH'))", "1"),
            ("tostring(io.open('/etc/passwd'))", "nil"),
            ("select(2, io.open('/etc/passwd')):match('^/etc/passwd: a bundle has no files') ~= nil", "true"),
            ("select(3, io.open('x', 'w'))", "2"),
            ("tostring(io.popen('ls'))", "nil"),
            ("pcall(io.lines, '/etc/passwd')", "false"),
            ("pcall(io.input, '/etc/passwd')", "false"),
            ("io.read() == nil and io.stdin:read('*a') == nil", "true"),
            ("io.type(io.stdout) .. tostring(io.type({})) .. tostring(io.type('x'))", "filenilnil"),
            ("tostring(io.stderr)", "file (stderr)"),
            ("io.output() == io.stdout and io.input() == io.stdin", "true"),
            ("io.stdout:setvbuf('no') and io.stdout:flush()", "true"),
            ("io.stdout:write('') == io.stdout and io.write('') == io.stdout", "true"),
            ("io.stdout:close() == nil and io.stdout:write('') == io.stdout", "true"),
            ("pcall(io.stdout.write, 'x')", "false"),
            ("pcall(io.write, {})", "false"),
        ],
    );
}

#[test]
fn the_standard_streams_write_lines_to_the_hosts_log() {
    let runtime = loaded(SCRIPT);
    let code = r"
        io.write('a', 1, '\n', 'b\nc') io.stdout:write('d') print('e') io.stderr:write('oh ', 'no\n')
        io.write('\n') io.write('half') io.stdout:flush() io.stdout:flush() io.write('last ')";
    let ((), lines) = logged(|| {
        run(&runtime, code).unwrap();
        drop(runtime); // what has not ended with a line's end
    });
    let found: Vec<_> = lines.iter().map(|line| (line.level, line.message.as_str())).collect();
    let (info, warn) = (Level::INFO, Level::WARN);
    let expected =
        [(info, "a1"), (info, "b"), (info, "cde"), (warn, "oh no"), (info, ""), (info, "half"), (info, "last ")];
    assert_eq!(found, expected);
    assert!(lines.iter().all(|line| line.bundle == "lua"), "{lines:?}");
}

#[test]
fn a_line_without_an_end_is_not_kept_forever() {
    let runtime = loaded(SCRIPT);
    let (outcome, lines) = logged(|| run(&runtime, "for i = 1, 100 do io.write(('x'):rep(10000)) end return 1"));
    assert_eq!(outcome.unwrap(), "1");
    assert!(lines.len() > 5, "{}", lines.len());
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
