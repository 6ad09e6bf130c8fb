//! The plugin in C of `examples/c`, with the schema in its bundle, is a plugin like any other for a host in Rust.
#![cfg(unix)]

use std::env::consts::DLL_SUFFIX;
use std::path::{Path, PathBuf};

use polyplug::schema::Schema;
use polyplug::{CallError, Runtime, Value};
use polyplug_native::NativeLoader;
use polyplug_tests::{Bundle, SHARED, compile_c, eventually, mapped_below, runtime};
use test_contracts::Greeter;

fn example(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("examples/c").join(file)
}

const SCHEMA: &str = "example.greeter@1.schema";

/// The bundle of the example. Each of `options` is one of the compiler's.
fn greeter(options: &[&str]) -> Bundle {
    let bundle = Bundle::empty();
    for file in ["manifest.toml", SCHEMA] {
        bundle.write(file, std::fs::read(example("greeter").join(file)).unwrap());
    }
    let include = format!("-I{}", example("../../loaders/all/include").display());
    let options = [SHARED, &[&include, "-Wpedantic"], options].concat();
    compile_c(example("plugin.c"), &options, &bundle.path().join(format!("libgreeter{DLL_SUFFIX}")));
    bundle
}

#[test]
fn its_schema_is_the_contracts() {
    let present = std::fs::read(example("greeter").join(SCHEMA)).unwrap();
    let expected = Schema::of::<dyn Greeter>().encode();
    assert!(present == expected, "examples/c/greeter/{SCHEMA} should be {}", expected.escape_ascii());
}

#[test]
fn a_typed_proxy_calls_it() {
    let bundle = greeter(&[]);
    let runtime = runtime();
    let id = runtime.load_bundle(bundle.path()).unwrap();
    let one = runtime.proxy::<dyn Greeter>().unwrap();
    let two = runtime.proxy::<dyn Greeter>().unwrap();
    assert_eq!(one.add(2, 3), Ok(5));
    assert_eq!(one.add(i32::MIN, -1 - i32::MIN), Ok(-1));
    assert_eq!(one.greet("Ada"), Ok("Good morning, Ada.".to_owned()));
    assert_eq!(one.greet(""), Ok("Good morning, .".to_owned()));
    assert_eq!(one.greet("Zoë 🦀"), Ok("Good morning, Zoë 🦀.".to_owned()));
    let long = "0123456789".repeat(100_000);
    assert_eq!(one.greet(&long), Ok(format!("Good morning, {long}.")), "the arena grows");
    assert_eq!((one.greeted(), two.greeted()), (Ok(4), Ok(0)), "each instance counts for itself");
    assert_eq!(runtime.call("example.greeter@1", "add", &[Value::I32(2), Value::I32(3)]), Ok(Value::I32(5)));

    drop((one, two));
    assert!(runtime.unload_bundle(id).unwrap().reclaimed);
    eventually("the library leaves the process", || mapped_below(bundle.path()).is_empty());
}

#[test]
fn what_it_refuses_has_its_code_and_text() {
    let bundle = greeter(&[]);
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    let greeter = runtime.proxy::<dyn Greeter>().unwrap();
    let error = greeter.add(i32::MAX, 1).unwrap_err();
    let CallError::Failed { code: 256, failure } = &error else { panic!("{error:?}") };
    assert_eq!((failure.method.as_str(), failure.message.as_str()), ("example.greeter.add", "the sum is too large"));
    assert_eq!(greeter.add(i32::MAX, 0), Ok(i32::MAX), "and nothing is left of it");
}

#[test]
fn a_new_version_takes_its_place() {
    let (morning, evening) = (greeter(&[]), greeter(&["-DGREETING=\"Good evening\""]));
    let runtime = Runtime::builder().loader(NativeLoader::new()).hot_reload(true).build().unwrap();
    runtime.load_bundle(morning.path()).unwrap();
    let greeter = runtime.proxy::<dyn Greeter>().unwrap();
    assert_eq!(greeter.greet("Ada"), Ok("Good morning, Ada.".to_owned()));
    let report = runtime.reload_bundle(evening.path()).unwrap();
    assert_eq!(report.restarted, 1, "it cannot carry its state over");
    assert_eq!(greeter.greeted(), Ok(0));
    assert_eq!(greeter.greet("Ada"), Ok("Good evening, Ada.".to_owned()));
}
