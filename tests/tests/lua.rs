//! Bundles in Lua: what is Lua's own. What all languages have in common is in `conformance`.

use std::sync::Arc;

use polyplug::loader::BundleSource;
use polyplug::{CallError, Runtime};
use polyplug_lua::LuaLoader;
use polyplug_tests::manifest;
use test_contracts::{Calculator, MathError};

/// A runtime with a bundle of this code.
fn loaded(code: &str) -> Arc<Runtime> {
    let runtime = Runtime::builder().loader(LuaLoader::new()).build().unwrap();
    runtime.load_bundle_from(&manifest("lua", "lua", "main.lua"), BundleSource::Code(code.to_owned())).unwrap();
    runtime
}

const CALCULATOR: &str = include_str!("../guests/lua/calculator.lua");

#[test]
fn a_plugin_answers() {
    let runtime = loaded(CALCULATOR);
    let calculator = runtime.proxy::<dyn Calculator>().unwrap();
    assert_eq!(calculator.add(2, 3), Ok(5));
    assert_eq!(calculator.greet("Grüße"), Ok("Hello, Grüße!".to_owned()));
    assert_eq!(calculator.sum(&[1, 2, 255]), Ok(258));
    assert_eq!(calculator.divide(7, 0), Ok(Err(MathError::DivisionByZero)));
    assert_eq!(calculator.divide(i64::MIN, -1), Ok(Err(MathError::Overflow { at: i64::MIN })));
    assert_eq!(calculator.divide(8, 2), Ok(Ok(4)));
}

#[test]
fn an_error_arrives_with_its_place() {
    let runtime = loaded(&CALCULATOR.replace("return a + b", "local t = nil; return t.x"));
    let error = runtime.proxy::<dyn Calculator>().unwrap().add(1, 2).unwrap_err();
    let CallError::Exception(failure) = &error else { panic!("an exception, not {error:?}") };
    assert_eq!(failure.location.as_deref(), Some("lua/main.lua:8"));
    assert!(failure.traceback.as_ref().unwrap().contains("main.lua:8"), "{error}");
}
