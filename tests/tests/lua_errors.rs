//! How what goes wrong in a bundle in Lua is told: to its host, and to the bundle when it is what the bundle calls.

use polyplug::CallError;
use polyplug::error::RuntimeError;
use polyplug::loader::BundleSource;
use polyplug_lua::LuaLoader;
use polyplug_tests::lua::{SCRIPT, load_error, loaded, lua_runtime, run};
use polyplug_tests::{Bundle, manifest};
use test_contracts::{Calculator, MathError};

/// The message, the place and the traceback of the exception that the code ends in.
#[track_caller]
fn thrown(code: &str) -> (String, Option<String>, String) {
    let error = run(&loaded(SCRIPT), code).unwrap_err();
    let CallError::Exception(failure) = error else { panic!("{error:?}") };
    (failure.message.clone(), failure.location.clone(), failure.traceback.clone().unwrap_or_default())
}

#[track_caller]
fn message(code: &str) -> String {
    thrown(code).0
}

#[test]
fn an_error_has_message_place_and_traceback() {
    let (message, location, traceback) =
        thrown("local function inner()\n error('füll: voll')\nend\nlocal x = inner()\nreturn x");
    assert_eq!((message.as_str(), location.as_deref()), ("füll: voll", Some("lua/code:2")));
    let parts = ["code:2: in local 'inner'", "code:4: in", "main.lua:"];
    let places: Vec<_> =
        parts.iter().map(|part| traceback.find(part).unwrap_or_else(|| panic!("{part}: {traceback}"))).collect();
    assert!(places.is_sorted(), "{traceback}");
}

#[test]
fn anything_may_be_thrown() {
    assert_eq!(message("error()"), "nil");
    assert_eq!(message("error(nil)"), "nil");
    assert_eq!(message("error(7)"), "7");
    assert_eq!(message("error(7, 0)"), "number 7");
    assert_eq!(message("error(true)"), "boolean true");
    assert_eq!(message("error(print)"), "a function");
    assert_eq!(message("error({ message = 'in a table' })"), "in a table");
    assert_eq!(message("error({ code = 7 })"), "an error that is a table: {code = number 7}");
    assert_eq!(message("error(setmetatable({}, { __tostring = function() return 'made text' end }))"), "made text");
    assert_eq!(
        message("error(setmetatable({ message = 'both' }, { __tostring = function() return 'text' end }))"),
        "text"
    );
    assert_eq!(
        message("error(setmetatable({}, { __tostring = function() return 7 end }))"),
        "an error that is a table"
    );
    assert_eq!(
        message("error(setmetatable({}, { __index = function() error('again') end }))"),
        "an error that is a table"
    );
    assert_eq!(message("error('no place', 0)"), "no place");
    assert_eq!(message("error('a\\0b\\255', 0)"), "a\0b\u{fffd}");
    assert!(
        message("error(setmetatable({}, { __tostring = function() error('worse') end }))").contains("error"),
        "any"
    );
    assert!(message("local function f() return 1 + f() end return f()").contains("stack overflow"));
    assert_eq!(message("error(('x'):rep(100000), 0)").len(), 100_000);
    assert_eq!(message("local t = nil; return t.x"), "attempt to index local 't' (a nil value)");
    assert_eq!(
        message("return require('polyplug').null + 1"),
        "attempt to perform arithmetic on field 'null' (a userdata value)"
    );
}

#[test]
fn an_error_in_a_coroutine_arrives_too() {
    let (message, location, _) = thrown("local c = coroutine.wrap(function()\n error('inside') end)\nc()");
    // LuaJIT puts the place of the coroutine's caller in front of the error's own.
    assert_eq!((message.as_str(), location.as_deref()), ("code:2: inside", Some("lua/code:3")));
    assert_eq!(message_of_resume(), "code:1: inside");
}

fn message_of_resume() -> String {
    let code = "return select(2, coroutine.resume(coroutine.create(function() error('inside') end)))";
    run(&loaded(SCRIPT), code).unwrap()
}

#[test]
fn the_instance_serves_on() {
    let runtime = loaded(SCRIPT);
    for n in 0..100 {
        assert!(run(&runtime, "error({ n = 1 })").is_err());
        assert_eq!(run(&runtime, &format!("return {n}")).unwrap(), n.to_string());
    }
}

const CALCULATOR: &str = r#"
local polyplug = require("polyplug")
MathError = polyplug.types("demo.calculator@1").MathError
local Calculator = polyplug.plugin("demo.calculator@1")
function Calculator:add(a, b) return a + b end
function Calculator:greet(name) return name end
function Calculator:sum(data) return 0 end
function Calculator:divide(a, b)
"#;

fn divide(body: &str) -> Result<Result<i64, MathError>, CallError> {
    let runtime = loaded(&format!("{CALCULATOR} {body}\nend"));
    runtime.proxy::<dyn Calculator>().unwrap().divide(1, 0)
}

#[test]
fn declared_errors_are_answers() {
    let none = Ok(Err(MathError::DivisionByZero));
    assert_eq!(divide("error(MathError.DivisionByZero())"), none);
    assert_eq!(divide("error({ tag = 'DivisionByZero' })"), none);
    assert_eq!(divide("require('polyplug').raise(MathError.DivisionByZero())"), none);
    assert_eq!(divide("require('polyplug').raise('DivisionByZero')"), none);
    assert_eq!(
        divide("error(MathError.Overflow({ at = -9223372036854775808LL }))"),
        Ok(Err(MathError::Overflow { at: i64::MIN }))
    );
    // From below, past somebody who looked at it.
    let caught = "local ok, e = pcall(error, MathError.DivisionByZero()); error(e)";
    assert_eq!(divide(caught), none);
    assert_eq!(divide("return coroutine.wrap(function() error(MathError.DivisionByZero()) end)()"), none);
}

#[test]
fn what_is_no_declared_error_is_an_exception() {
    let exception = |body: &str| match divide(body) {
        Err(CallError::Exception(failure)) => failure.message.clone(),
        other => panic!("{body}: {other:?}"),
    };
    assert_eq!(exception("error('DivisionByNought')"), "DivisionByNought");
    assert_eq!(exception("error({ message = 'from a library' })"), "from a library");
    assert_eq!(exception("error({ code = 7 })"), "an error that is a table: {code = number 7}");
    assert_eq!(exception("local t = nil; return t.x"), "attempt to index local 't' (a nil value)");
    let wrong = |body: &str| match divide(body) {
        Err(CallError::InvalidResult(failure)) => failure.message.clone(),
        other => panic!("{body}: {other:?}"),
    };
    assert!(
        wrong("error({ tag = 'Overflov', val = {} })").contains("Overflov"),
        "{}",
        wrong("error({ tag = 'Overflov' })")
    );
    assert!(wrong("error({ tag = 'Overflow', val = { at = 'x' } })").contains("at"));
    assert!(wrong("require('polyplug').raise(7)").contains("number 7"));
}

#[test]
fn a_method_without_declared_errors_has_exceptions_only() {
    assert_eq!(message("require('polyplug').raise('x')"), "x");
    assert_eq!(message("require('polyplug').raise({ message = 'x' })"), "x");
}

#[test]
fn a_program_that_does_not_compile_is_named_with_its_line() {
    let error = load_error("local x = 1\nlocal y = = 2\n");
    assert!(error.contains("unexpected symbol near '='") && error.contains("main.lua:2"), "{error}");
    let error = load_error("error('not today')");
    assert!(error.contains("not today") && error.contains("main.lua:1"), "{error}");
    let error = load_error("\n\nrequire('polyplug').plugin('no contract')");
    assert!(error.contains("main.lua:3"), "{error}");
    assert!(load_error("return 1").contains("plugin"), "{}", load_error("return 1"));
}

#[test]
fn byte_code_is_no_program() {
    let runtime = lua_runtime(LuaLoader::new());
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest("lua", "lua", "main.lua"));
    bundle.write("main.lua", b"\x1bLJ\x02\x00");
    let error = runtime.load_bundle(bundle.path()).unwrap_err().to_string();
    assert!(error.contains("attempt to load a binary chunk"), "{error}");
}

#[test]
fn a_missing_file_is_named() {
    let runtime = lua_runtime(LuaLoader::new());
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest("lua", "lua", "main.lua"));
    let error = runtime.load_bundle(bundle.path()).unwrap_err().to_string();
    assert!(error.contains("main.lua"), "{error}");
    bundle.write("manifest.toml", manifest("lua", "lua", "../main.lua"));
    let error = runtime.load_bundle(bundle.path()).unwrap_err().to_string();
    assert!(error.contains("../main.lua"), "{error}");
}

#[test]
fn bytes_are_no_source() {
    let runtime = lua_runtime(LuaLoader::new());
    let source = BundleSource::Bytes(SCRIPT.as_bytes().to_vec());
    let error = runtime.load_bundle_from(&manifest("lua", "lua", "main.lua"), source).unwrap_err();
    assert!(
        matches!(error, RuntimeError::Loader(polyplug::error::LoaderError::UnsupportedBundleSource { .. })),
        "{error:?}"
    );
}

#[test]
fn checking_finds_what_does_not_compile() {
    use polyplug::loader::{BundleLoader, ManifestData};
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest("lua", "lua", "main.lua"));
    let check = |text: &[u8]| {
        bundle.write("main.lua", text);
        LuaLoader::new().check(&ManifestData::read(bundle.path()).unwrap()).map_err(|error| error.to_string())
    };
    assert_eq!(check(SCRIPT.as_bytes()), Ok(()));
    assert_eq!(check(b"while true do end"), Ok(()), "it is not run");
    let error = check(b"local x =").unwrap_err();
    assert!(error.contains("main.lua:1") && error.contains("lua"), "{error}");
    assert!(check(b"\x1bLJ\x02").unwrap_err().contains("binary chunk"));
    std::fs::remove_file(bundle.path().join("main.lua")).unwrap();
    let error = LuaLoader::new().check(&ManifestData::read(bundle.path()).unwrap()).unwrap_err().to_string();
    assert!(error.contains("main.lua"), "{error}");
}
