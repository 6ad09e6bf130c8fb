//! What plugins in Lua are and do that is Lua's own: how they are declared, how values and calls look to them.

use std::sync::{Arc, Weak};

use polyplug::{BundleId, CallError, Runtime};
use polyplug_lua::LuaLoader;
use polyplug_tests::lua::{SCRIPT, Script, load_error, load_lua, loaded, lua_runtime, run, try_load_lua};
use test_contracts::calling::Logger;
use test_contracts::instances::{Singleton, Stateful};
use test_contracts::{Calculator, CalculatorProxy, Counter, Stamp};

const STAMP: &str = r#"
local Stamp = polyplug.plugin("test.stamp@1")
function Stamp:version() return 3 end
function Stamp:echo(text) return text end
function Stamp:card(text) return { version = 1, text = text, repeated = {}, last = 0 } end
function Stamp:give_up(text) error(text) end
"#;

#[test]
fn a_file_may_have_several_plugins() {
    let counter = r#"
        local Counter = polyplug.plugin("test.counter@1", { name = "the counter" })
        function Counter:init() self.count = 0LL end
        function Counter:add(by) self.count = self.count + by; return self.count end
    "#;
    let runtime = loaded(&format!("{SCRIPT} {counter} {STAMP}"));
    assert_eq!(run(&runtime, "return 1").unwrap(), "1");
    let (one, two) = (runtime.proxy::<dyn Counter>().unwrap(), runtime.proxy::<dyn Counter>().unwrap());
    assert_eq!((one.add(2), one.add(3), two.add(1)), (Ok(2), Ok(5), Ok(1)));
    assert_eq!(runtime.proxy::<dyn Stamp>().unwrap().version(), Ok(3));
}

#[test]
fn instances_are_their_own_and_a_singleton_is_one() {
    let runtime = loaded(
        r#"
        local polyplug = require("polyplug")
        local made, alive = 0, 0
        local Stateful = polyplug.plugin("test.stateful@1")
        function Stateful:init(ctx) assert(ctx == polyplug and ctx.bundle == "lua"); self.asked = 0; alive = alive + 1 end
        function Stateful:count() self.asked = self.asked + 1; return self.asked end
        function Stateful:alive() return alive end

        local Singleton = polyplug.plugin("test.singleton@1", { singleton = true })
        function Singleton:init() self.asked = 0; made = made + 1 end
        function Singleton:count() self.asked = self.asked + 1; return self.asked end
        function Singleton:made() return made end
        "#,
    );
    let (one, two) = (runtime.proxy::<dyn Stateful>().unwrap(), runtime.proxy::<dyn Stateful>().unwrap());
    assert_eq!((one.count(), one.count(), two.count(), one.alive()), (Ok(1), Ok(2), Ok(1), Ok(2)));
    let (one, two) = (runtime.proxy::<dyn Singleton>().unwrap(), runtime.proxy::<dyn Singleton>().unwrap());
    assert_eq!((one.count(), two.count(), one.made()), (Ok(1), Ok(2), Ok(1)));
}

#[test]
fn a_class_may_inherit_from_another() {
    let runtime = loaded(
        r#"
        local polyplug = require("polyplug")
        local Base = {}
        Base.__index = Base
        function Base:version() return 10 + self:own() end
        function Base:echo(text) return text end
        local Middle = setmetatable({}, Base)
        Middle.__index = Middle
        function Middle:card(text) return { version = 1, text = text, repeated = {}, last = 0 } end
        local Stamp = setmetatable(polyplug.plugin("test.stamp@1"), Middle)
        function Stamp:own() return 4 end
        function Stamp:give_up() end
        "#,
    );
    let stamp = runtime.proxy::<dyn Stamp>().unwrap();
    assert_eq!((stamp.version(), stamp.echo("x")), (Ok(14), Ok("x".to_owned())));
    assert_eq!(stamp.card("x").unwrap().version, 1);
}

#[test]
fn plugins_that_are_none_are_refused_with_their_place() {
    let refused = |code: &str, parts: &[&str]| {
        let error = load_error(&format!("local polyplug = require('polyplug')\n{code}"));
        for part in parts {
            assert!(error.contains(part), "no {part:?} in: {error}");
        }
    };
    refused(
        "polyplug.plugin()",
        &["main.lua:2", "the name of a contract, such as \"demo.calculator@1\", is expected, not nil"],
    );
    refused("polyplug.plugin(7)", &["is expected, not number 7"]);
    refused("polyplug.plugin('test.script')", &["test.script"]);
    refused("polyplug.plugin('test.script@2')", &["main.lua:2", "the contract test.script@2 is not known"]);
    refused("polyplug.plugin('test.script@1.9')", &["main.lua:2", "test.script@1.9 is asked for"]);
    refused("polyplug.plugin('test.script@1')", &["main.lua:2", "lacks the method `run`"]);
    refused(
        "local S = polyplug.plugin('test.script@1'); function S:rum() end",
        &["lacks the method `run` (it has `rum`: is that a misspelling?)"],
    );
    refused("polyplug.plugin('test.script@1').run = 7", &["lacks the method `run`"]);
    refused("for _ = 1, 2 do local S = polyplug.plugin('test.script@1'); function S:run() end end", &["test.script"]);
    refused(
        "polyplug.plugin('test.script@1', 'singleton')",
        &["options are expected as a table", "string \"singleton\""],
    );
    refused(
        "polyplug.plugin('test.script@1', { singelton = true })",
        &["there is no option `singelton`: there are `name`, `singleton` and `stateless`"],
    );
    refused("polyplug.plugin('test.script@1', { name = 7 })", &["the option `name` is a string, not number 7"]);
    refused(
        "polyplug.plugin('test.script@1', { singleton = 'yes' })",
        &["the option `singleton` is true or false, not string \"yes\""],
    );
    refused("polyplug.plugin('test.script@1', { true })", &["there is no option `number 1`"]);
    refused("", &["plugin"]);
    let runtime = loaded(SCRIPT);
    let error = run(&runtime, "require('polyplug').plugin('test.stamp@1')").unwrap_err().to_string();
    assert!(error.contains("plugins are declared while their bundle is being loaded, not later"), "{error}");
}

/// Values as Lua sees them.
#[polyplug::contract(name = "test.lua_values", version = "1.0")]
pub trait Values {
    /// What `code` makes of it.
    fn signed(&self, code: &str, value: i64) -> i64;
    /// What `code` makes of it.
    fn unsigned(&self, code: &str, value: u64) -> u64;
    /// What `code` makes of it.
    fn options(&self, code: &str, value: Vec<Option<i32>>) -> Vec<Option<i32>>;
    /// What `code` makes of it.
    fn nested(&self, code: &str, value: Option<Option<i32>>) -> Option<Option<i32>>;
    /// What `code` makes of it.
    fn list(&self, code: &str, value: Vec<i32>) -> Vec<i32>;
    /// What `code` makes of it.
    fn text(&self, code: &str, value: &str) -> String;
    /// What `code` makes of it.
    fn nothing(&self, code: &str);
}

const VALUES: &str = r#"
local polyplug = require("polyplug")
local Values = polyplug.plugin("test.lua_values@1")
local function apply(_, code, value) return assert(load("local value, polyplug = ... return " .. code))(value, polyplug) end
for _, name in ipairs({ "signed", "unsigned", "options", "nested", "list", "text", "nothing" }) do Values[name] = apply end
"#;

fn values() -> (Arc<Runtime>, ValuesProxy) {
    let runtime = loaded(VALUES);
    let proxy = runtime.proxy::<dyn Values>().unwrap();
    (runtime, proxy)
}

#[track_caller]
fn invalid<T: std::fmt::Debug>(outcome: Result<T, CallError>, part: &str) {
    match outcome {
        Err(CallError::InvalidResult(failure)) if failure.message.contains(part) => {}
        other => panic!("no {part:?} in {other:?}"),
    }
}

#[test]
fn integers_of_64_bits_are_exact_both_ways() {
    let (_runtime, values) = values();
    let exact = 1_i64 << 53;
    for value in [0, 1, -1, exact - 1, exact, exact + 1, -exact, -exact - 1, i64::MAX, i64::MIN] {
        assert_eq!(values.signed("value", value), Ok(value));
        let kind = if value.unsigned_abs() <= 1 << 53 { "number" } else { "cdata" };
        assert_eq!(values.signed(&format!("type(value) == '{kind}' and 1 or 0"), value), Ok(1), "{value}");
    }
    for value in [0, 1, (1 << 53) + 1, u64::MAX, u64::MAX - 1, 1 << 63] {
        assert_eq!(values.unsigned("value", value), Ok(value));
        assert_eq!(values.unsigned("value - 1 + 1", value), Ok(value), "{value}");
    }
    assert_eq!(values.signed("value + 1", i64::MAX - 1), Ok(i64::MAX));
    assert_eq!(values.signed("5ULL", 0), Ok(5));
    assert_eq!(values.unsigned("5LL", 0), Ok(5));
    assert_eq!(values.unsigned("2^63", 0), Ok(1 << 63));
    invalid(values.signed("2^63", 0), "i64");
    invalid(values.signed("18446744073709551615ULL", 0), "i64");
    invalid(values.unsigned("-1LL", 0), "u64");
    invalid(values.unsigned("-1", 0), "u64");
    invalid(values.signed("1.5", 0), "1.5");
    invalid(values.signed("0/0", 0), "NaN");
    invalid(values.signed("1/0", 0), "inf");
    invalid(values.signed("'5'", 0), "string \"5\"");
    invalid(values.signed("1i", 0), "cdata");
    invalid(values.signed("nil", 0), "nil");
}

#[test]
fn null_stands_for_nothing_where_nil_would_leave_a_hole() {
    let (_runtime, values) = values();
    let holes = vec![None, Some(1), None, None, Some(2), None];
    assert_eq!(values.options("value", holes.clone()), Ok(holes.clone()));
    assert_eq!(values.options("#value == 6 and value[1] == polyplug.null and value or {}", holes.clone()), Ok(holes));
    assert_eq!(values.options("{ 1, polyplug.null, 3 }", vec![]), Ok(vec![Some(1), None, Some(3)]));
    assert_eq!(values.options("{ polyplug.null }", vec![]), Ok(vec![None]));
    assert_eq!(values.options("{}", vec![]), Ok(vec![]));
    for value in [None, Some(None), Some(Some(3))] {
        assert_eq!(values.nested("value", value), Ok(value));
    }
    assert_eq!(values.nested("value == nil and { tag = 'some', val = 4 } or nil", None), Ok(Some(Some(4))));
    assert_eq!(values.nothing("polyplug.null"), Ok(()));
    assert_eq!(values.nothing("nil"), Ok(()));
    invalid(values.nothing("7"), "number 7");
}

#[test]
fn values_of_other_types_are_refused() {
    let (_runtime, values) = values();
    invalid(values.list("{ 1, 2, 'x' }", vec![]), "[2]");
    for holey in ["{ 1, nil, 3 }", "{ 1, 2, x = 3 }", "{ x = 1 }", "{ [0] = 1 }", "{ [3] = 1 }", "{ 1, [2.5] = 1 }"] {
        invalid(values.list(holey, vec![]), "with holes, or with keys that are no numbers from 1 on");
    }
    assert_eq!(values.list("{ [3] = 30, [2] = 20, [1] = 10 }", vec![]), Ok(vec![10, 20, 30]));
    assert_eq!(
        values.list("(function() local t = {}; for i = 9, 1, -1 do t[i] = i end; return t end)()", vec![]),
        Ok((1..=9).collect())
    );
    invalid(values.list("7", vec![]), "number 7");
    invalid(values.list("polyplug.null", vec![]), "polyplug.null");
    invalid(values.list("{ 2^31 }", vec![]), "2147483648");
    invalid(values.list("print", vec![]), "function");
    invalid(values.text("7", ""), "number 7");
    invalid(values.text("'\\255'", ""), "UTF-8");
    assert_eq!(values.text("value .. '\\0' .. value", "ü\0"), Ok("ü\0\0ü\0".to_owned()));
}

/// Calls the bundle `lua` again with each line, and says what came of it.
struct Again(Weak<Runtime>);

impl Logger for Again {
    fn log(&self, line: &str) -> u32 {
        let runtime = self.0.upgrade().expect("the test keeps it");
        match run(&runtime, line) {
            Ok(answer) => answer.parse().expect("a number"),
            Err(error) if error.to_string().contains("are nested on this thread") => 128,
            Err(error) => panic!("{error}"),
        }
    }

    fn panics(&self, words: &str) {
        panic!("{words}");
    }

    fn lines(&self) -> Vec<String> {
        vec!["one".to_owned(), "two".to_owned()]
    }
}

/// With the host contract `test.logger`, as the global `logger`.
fn with_logger() -> Arc<Runtime> {
    let runtime = lua_runtime(LuaLoader::new());
    runtime.provide::<dyn Logger>(Again(Arc::downgrade(&runtime))).unwrap();
    load_lua(&runtime, "lua", &format!("{SCRIPT} logger = polyplug.host('test.logger@1')"));
    runtime
}

#[test]
fn errors_of_calls_are_objects() {
    let runtime = with_logger();
    let returns =
        |code: &str| run(&runtime, &format!("local ok, e = pcall(logger.panics, logger, 'too much'); {code}")).unwrap();
    assert_eq!(returns("return ok"), "false");
    assert_eq!(returns("return e.kind"), "panic");
    assert!(
        returns("return e.message")
            .starts_with("the host, test.logger.panics: panicked: too much (at tests/tests/lua_calls.rs:")
    );
    assert_eq!(returns("return tostring(e) == e.message"), "true");
    assert_eq!(returns("return e.method"), "test.logger.panics");
    assert_eq!(returns("return e.nothing"), "nil");
    assert_eq!(returns("return e[1]"), "nil");
    assert_eq!(returns("return getmetatable(e)"), "false");
    assert!(returns("return select(2, pcall(function() e.kind = 1 end))").contains("attempt to index"));
    // Uncaught, it says whose it was.
    let error = run(&runtime, "logger:panics('uncaught')").unwrap_err();
    let CallError::Exception(failure) = &error else { panic!("{error:?}") };
    assert!(
        failure.message.starts_with("the host, test.logger.panics: panicked: uncaught (at tests/tests/lua_calls.rs:"),
        "{error}"
    );
    assert!(failure.traceback.as_ref().unwrap().contains("code:1"), "{error}");
}

#[test]
fn mistakes_in_calls_are_named() {
    let runtime = with_logger();
    let error = |code: &str| run(&runtime, code).unwrap_err().to_string();
    let colon = "methods are called with a colon: `object:method(..)`";
    assert!(error("logger.log('x')").contains(colon));
    assert!(error("logger.log()").contains(colon));
    assert!(error("logger.log({}, 'x')").contains(colon));
    assert!(error("logger.log(setmetatable({}, { __index = logger }), 'x')").contains(colon));
    assert!(error("logger:log(7)").contains(
        "the host, test.logger.log: an argument is no value of its type: line: expected string, got number 7"
    ));
    assert!(error("logger:log()").contains("line: expected string, got nil"));
    assert!(error("logger:log('a', 'b')").contains("1 argument is expected, and 2 given"));
    assert!(error("logger:logg('a')").contains("attempt to call method 'logg'"));
    assert!(error("logger.line = 1").contains("attempt to index"));
    assert!(error("require('polyplug').host('test.nowhere@1')").contains("test.nowhere"));
    assert!(error("require('polyplug').host()").contains("the name of a contract"));
    assert!(error("require('polyplug').peer('demo.calculator@1')").contains("demo.calculator"));
    assert!(error("require('polyplug').types('test.nowhere@1')").contains("the contract test.nowhere@1 is not known"));
    assert_eq!(run(&runtime, "return tostring(logger)").unwrap(), "object of test.logger@1");
    assert_eq!(run(&runtime, "return #logger:lines() .. logger:lines()[2]").unwrap(), "2two");
}

#[test]
fn a_method_of_one_object_does_not_work_on_another() {
    let runtime = lua_runtime(LuaLoader::new());
    runtime.provide::<dyn Logger>(Again(Arc::downgrade(&runtime))).unwrap();
    runtime.provide::<dyn Only>(One).unwrap();
    load_lua(&runtime, "lua", SCRIPT);
    let code = "local p = require('polyplug'); local logger, only = p.host('test.logger@1'), p.host('test.only@1'); ";
    // The third method of a contract that has one.
    let error = run(&runtime, &format!("{code} logger.lines(only)")).unwrap_err().to_string();
    assert!(error.contains("methods are called with a colon"), "{error}");
    let again = "logger.log(p.host('test.logger@1'), 'return 5')";
    assert_eq!(run(&runtime, &format!("{code} return {again}")).unwrap(), "5");
}

/// A contract with one method.
#[polyplug::contract(name = "test.only", version = "1.0")]
pub trait Only {
    /// One.
    fn one(&self) -> u32;
}

struct One;

impl Only for One {
    fn one(&self) -> u32 {
        1
    }
}

#[test]
fn calls_are_nested_in_coroutines() {
    let runtime = with_logger();
    let cases = [
        ("return logger:log('return 6')", "6"),
        ("return coroutine.wrap(function() return logger:log('return 6') end)()", "6"),
        (
            "local c = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(logger:log('return ' .. i)) end end)
             return c() + c() + c()",
            "6",
        ),
        (
            "return coroutine.wrap(function() return logger:log([[return coroutine.wrap(function() return logger:log('return 7') end)()]]) end)()",
            "7",
        ),
        // Another coroutine is begun within, and goes on when this one is done.
        (
            "local c = coroutine.wrap(function() for i = 1, 10 do coroutine.yield(i) end end)
             kept = c
             local first = coroutine.wrap(function() return logger:log('return kept()') end)()
             return first .. kept() .. logger:log('return kept()')",
            "123",
        ),
        ("return select(2, pcall(coroutine.wrap(function() logger:log('error(1)') end))).kind", "panic"),
    ];
    for (code, answer) in cases {
        assert_eq!(run(&runtime, code).unwrap(), answer, "{code}");
    }
    // What a failed call left on a coroutine's stack is nobody else's.
    for _ in 0..200 {
        assert!(run(&runtime, "coroutine.wrap(function() logger:log('error(1)') end)()").is_err());
    }
    assert_eq!(run(&runtime, "return logger:log('return 8')").unwrap(), "8");
    let error =
        run(&runtime, "local c; c = coroutine.wrap(function() logger:log('coroutine.yield(1)') end); c()").unwrap_err();
    assert!(error.to_string().contains("attempt to yield across C-call boundary"), "{error}");
}

#[test]
fn nesting_that_never_ends_is_an_error() {
    let runtime = with_logger();
    let again = "function again() depth = (depth or 0) + 1; return logger:log('return again()') end";
    assert_eq!(run(&runtime, &format!("{again} return again()")).unwrap(), "128");
    assert_eq!(run(&runtime, "return depth > 10").unwrap(), "true");
    let again = "function again() return logger:log('return coroutine.wrap(again)()') end";
    assert_eq!(run(&runtime, &format!("{again} return again()")).unwrap(), "128");
}

#[test]
fn bundles_in_lua_call_each_other() {
    let runtime = lua_runtime(LuaLoader::new());
    load_lua(
        &runtime,
        "calc",
        r#"
        local polyplug = require("polyplug")
        local Calculator = polyplug.plugin("demo.calculator@1")
        function Calculator:add(a, b) return a + b end
        function Calculator:divide(a, b) error(polyplug.types("demo.calculator@1").MathError.Overflow({ at = a })) end
        function Calculator:greet(name) error("no greeting for " .. name) end
        function Calculator:sum(data) return #data end
        "#,
    );
    let dependency = "name = 'lua'\nversion = '1.0.0'\nloader = 'lua'\nfile = 'main.lua'\n[[dependency]]\ncontract = 'demo.calculator@1'\n";
    let code = format!("{SCRIPT} peer = polyplug.peer('demo.calculator@1')");
    runtime.load_bundle_from(dependency, polyplug::loader::BundleSource::Code(code)).unwrap();
    let script = runtime.proxy_from::<dyn Script>(BundleId::new("lua")).unwrap();
    assert_eq!(script.run("return peer:add(2, 3)").unwrap(), "5");
    assert_eq!(script.run("return peer:sum('\\0\\255')").unwrap(), "2");
    // A declared error of a peer is thrown as a value of its type.
    let declared = "local ok, e = pcall(peer.divide, peer, 9007199254740993LL, 1); return tostring(ok) .. e.tag .. tostring(e.val.at)";
    assert_eq!(script.run(declared).unwrap(), "falseOverflow9007199254740993LL");
    let thrown = "local ok, e = pcall(peer.greet, peer, 'x'); return e.kind .. ': ' .. e.message";
    let text = script.run(thrown).unwrap();
    assert!(
        text.starts_with("exception: bundle `calc`, demo.calculator.greet: no greeting for x (at calc/main.lua:6)"),
        "{text}"
    );
    // A proxy of Rust's and one of Lua's side by side.
    let calculator: CalculatorProxy = runtime.proxy::<dyn Calculator>().unwrap();
    assert_eq!(calculator.add(1, 1), Ok(2));
}

#[test]
fn settings_are_a_table() {
    let runtime = lua_runtime(LuaLoader::new());
    let manifest = r#"
        name = "lua"
        version = "1.0.0"
        loader = "lua"
        file = "main.lua"
        [config]
        word = "grüß"
        number = 7
        half = 0.5
        flag = true
        since = 2024-02-29
        list = [1, "two", [3]]
        [config.inner.deep]
        "with space" = 1
    "#;
    runtime.load_bundle_from(manifest, polyplug::loader::BundleSource::Code(SCRIPT.to_owned())).unwrap();
    let cases = [
        ("config.word", "grüß"),
        ("config.number + config.half", "7.5"),
        ("config.flag", "true"),
        ("config.since", "2024-02-29"),
        ("config.list[2] .. config.list[3][1]", "two3"),
        ("config.inner.deep['with space']", "1"),
        ("config.absent", "nil"),
    ];
    for (expression, value) in cases {
        assert_eq!(
            run(&runtime, &format!("local config = require('polyplug').config; return {expression}")).unwrap(),
            value
        );
    }
    let none = lua_runtime(LuaLoader::new());
    assert_eq!(try_load_lua(&none, "lua", SCRIPT), Ok(()));
    assert_eq!(run(&none, "return next(require('polyplug').config)").unwrap(), "nil");
}
