//! Popular libraries in pure Lua work in bundles as they are, with the default part of the standard library.
//!
//! The libraries are those of Debian's packages, which `.ci/run` installs. Without them, as on other systems, list
//! `lua-libraries` in `POLYPLUG_TESTS_WITHOUT`.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use polyplug::Runtime;
use polyplug_lua::LuaLoader;
use polyplug_tests::lua::{SCRIPT, lua_runtime, run};
use polyplug_tests::{Bundle, logged, manifest, without};

/// The folder into which Debian installs libraries for Lua 5.1.
const INSTALLED: &str = "/usr/share/lua/5.1";

/// Loads a bundle that has copies of installed files or folders beside its own. Returns `None` if the tests are to do
/// without the libraries.
fn with_library(names: &[&str], loader: LuaLoader) -> Option<(Arc<Runtime>, Bundle)> {
    if without("lua-libraries") {
        return None;
    }
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest("lua", "lua", "main.lua"));
    bundle.write("main.lua", SCRIPT);
    for name in names {
        copy(&Path::new(INSTALLED).join(name), &bundle.path().join(name));
    }
    let runtime = lua_runtime(loader);
    runtime.load_bundle(bundle.path()).unwrap();
    Some((runtime, bundle))
}

fn copy(from: &Path, to: &Path) {
    let failed = |error: std::io::Error| -> ! {
        panic!(
            "{}: {error}: these tests run libraries of Debian's packages: apt-get install lua-penlight lua-inspect \
             lua-dkjson lua-unit lua-argparse lua-moses lua-binaryheap lua-basexx lua-say lua-luassert lua-ansicolors",
            from.display()
        )
    };
    if from.is_dir() {
        std::fs::create_dir_all(to).unwrap();
        for entry in from.read_dir().unwrap_or_else(|error| failed(error)) {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        std::fs::copy(from, to).unwrap_or_else(|error| failed(error));
    }
}

/// Runs each code in a bundle with the library, and compares the results: also with a limit of time, for which the library is
/// compiled otherwise.
#[track_caller]
fn works(names: &[&str], cases: &[(&str, &str)]) {
    for loader in [LuaLoader::new(), LuaLoader::new().with_time_limit(Duration::from_secs(600))] {
        let Some((runtime, _bundle)) = with_library(names, loader) else { return };
        for (code, expected) in cases {
            match run(&runtime, code) {
                Ok(found) => assert_eq!(found, *expected, "{code}"),
                Err(error) => panic!("{code}: {error}"),
            }
        }
    }
}

#[test]
fn penlight() {
    works(
        &["pl"],
        &[
            ("return tostring(require('pl.List')({ 3, 1, 2 }):sort():map(function(x) return x * 2 end))", "{2,4,6}"),
            ("return require('pl.pretty').write({ 1, 2, name = 'x' }, '')", "{1,2,name=\"x\"}"),
            ("return require('pl.pretty').read('{ 1, 2, 3 }')[3]", "3"),
            ("return require('pl.stringx').strip('  x  ') .. '|'", "x|"),
            ("require('pl.stringx').import(); return ('a,b'):split(',')[2]", "b"),
            ("return require('pl.tablex').deepcompare({ 1, { 2 } }, { 1, { 2 } })", "true"),
            (
                "local class = require('pl.class'); class.Animal(); function Animal:_init(n) self.n = n end; class.Cat(Animal); return Cat('tom').n .. tostring(Cat:class_of(Cat('x')))",
                "tomtrue",
            ),
            (
                "return tostring(require('pl.Set')({ 1, 2 }) + require('pl.Set')({ 2, 3 }) == require('pl.Set')({ 1, 2, 3 }))",
                "true",
            ),
            ("local m = require('pl.OrderedMap')(); m:set('b', 1); m:set('a', 2); return m:keys():concat(',')", "b,a"),
            ("return require('pl.template').substitute('# for i = 1, 3 do\\n$(i)\\n# end', {})", "1\n2\n3\n"),
            ("return require('pl.text').dedent('    x\\n    y')", "x\ny\n"),
            ("return require('pl.seq').sum({ 1, 2, 3 })", "6"),
            ("local f = require('pl.func'); return tostring(f.I(f._1 + 1)(4))", "5"),
            ("return require('pl.lexer').lua('local x = 1')()", "keyword"),
            ("return require('pl.sip').match_at_start('$v{a}=$i{b}', 'x=5', {})", "true"),
            ("return require('pl.data').read(require('pl.stringio').open('a,b\\n1,2\\n')):column_by_name('b')[1]", "2"),
            ("return require('pl.comprehension').new()('x * 2 for x')({ 1, 2 })[2]", "4"),
            ("return require('pl.xml').parse('<a><b>x</b></a>'):child_with_name('b'):get_text()", "x"),
            ("return require('pl.url').quote('a b')", "a%20b"),
            ("return require('pl.permute').table({ 1, 2, 3 })[6] ~= nil", "true"),
            ("return require('pl.array2d').column({ { 1, 2 }, { 3, 4 } }, 2)[2]", "4"),
            ("return require('pl.types').is_callable(print)", "true"),
            ("return require('pl.utils').pack(1, nil, 3).n", "3"),
            ("return tostring(require('pl.compat').is_windows)", if cfg!(windows) { "true" } else { "false" }),
            ("return require('pl.config').read(require('pl.stringio').open('a = 1\\n')).a", "1"),
            ("return type(require('pl.import_into')())", "table"),
            ("require('pl.strict'); return tostring(pcall(function() return undefined_one end))", "false"),
        ],
    );
}

#[test]
fn inspect() {
    works(
        &["inspect.lua"],
        &[
            ("return require('inspect')({ 1, 2, { a = 'b' } })", "{ 1, 2, {\n    a = \"b\"\n  } }"),
            ("return require('inspect')(setmetatable({}, { __index = {} })):find('metatable', 1, true) ~= nil", "true"),
            ("return require('inspect')(polyplug or print):match('^%a+') or '<'", "<"),
        ],
    );
}

#[test]
fn dkjson() {
    works(
        &["dkjson.lua"],
        &[
            ("return require('dkjson').encode({ 1, 2, { a = 'ü' } })", "[1,2,{\"a\":\"ü\"}]"),
            ("return require('dkjson').decode('{\"a\": [1, 2, {\"b\": null}]}').a[2]", "2"),
            (
                "return tostring(require('dkjson').use_lpeg == nil) .. tostring(pcall(require('dkjson').use_lpeg))",
                "falsefalse",
            ),
        ],
    );
}

#[test]
fn luaunit() {
    let Some((runtime, _bundle)) = with_library(&["luaunit.lua"], LuaLoader::new()) else { return };
    let code = "
        local lu = require('luaunit')
        local suite = {}
        function suite:testGood() lu.assertEquals({ 1, { 2 } }, { 1, { 2 } }) end
        function suite:testBad() lu.assertEquals(1, 2) end
        local runner = lu.LuaUnit.new()
        runner:setOutputType('tap')
        return runner:runSuiteByInstances({ { 'suite', suite } }, '-v')";
    let (failures, lines) = logged(|| run(&runtime, code));
    assert_eq!(failures.unwrap(), "1");
    let text: Vec<_> = lines.into_iter().map(|line| line.message).collect();
    assert!(text.iter().any(|line| line.starts_with("not ok")), "{text:?}");
    assert!(text.iter().any(|line| line.starts_with("ok")), "{text:?}");
}

#[test]
fn argparse() {
    works(
        &["argparse.lua"],
        &[
            (
                "local p = require('argparse')('tool'); p:argument('input'); p:flag('-v'); local a = p:parse({ 'x', '-v' }); return a.input .. tostring(a.v)",
                "xtrue",
            ),
            ("return require('argparse')('tool'):get_usage()", "Usage: tool [-h]"),
        ],
    );
}

#[test]
fn moses() {
    works(
        &["moses.lua"],
        &[("return require('moses').sum(require('moses').map({ 1, 2 }, function(a, b) return b or a end))", "3")],
    );
}

#[test]
fn binaryheap_and_basexx() {
    works(
        &["binaryheap.lua", "basexx.lua"],
        &[
            ("local heap = require('binaryheap').minHeap(); heap:insert(3); heap:insert(1); return heap:peek()", "1"),
            ("return require('basexx').to_base64('polyplug')", "cG9seXBsdWc="),
        ],
    );
}

#[test]
fn say_and_luassert() {
    works(
        &["say", "luassert"],
        &[
            (
                "local assert = require('luassert'); assert.are.same({ 1 }, { 1 }); return pcall(assert.are.equal, 1, 2)",
                "false",
            ),
            ("local spy = require('luassert.spy').new(function() end); spy(1); return #spy.calls", "1"),
        ],
    );
}

#[test]
fn ansicolors() {
    works(&["ansicolors.lua"], &[("return (require('ansicolors')('%{red}x'):gsub('\\27', ''))", "[0m[31mx[0m")]);
}
