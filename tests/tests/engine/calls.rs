//! Calls: answers, declared errors, exceptions, panics, and what is no value.

use polyplug::engine::{Exception, Fault};
use polyplug::{CallError, Runtime, Value};
use polyplug_tests::engine::{Class, Raise, Toy};
use std::sync::Arc;
use test_contracts::types::{Point, Shape, Types};
use test_contracts::{Calculator, CalculatorProxy, MathError};

use crate::{calculator, loaded};

fn proxy(class: Class) -> (Arc<Runtime>, CalculatorProxy) {
    let (_loader, runtime, _) = loaded(class);
    let proxy = runtime.proxy::<dyn Calculator>().unwrap();
    (runtime, proxy)
}

#[test]
fn answers_and_declared_errors() {
    let (_runtime, calculator) = proxy(calculator());
    assert_eq!(calculator.add(2, 3), Ok(5));
    assert_eq!(calculator.greet("Grüße"), Ok("Hello, Grüße!".to_owned()));
    assert_eq!(calculator.sum(&[1, 2, 255]), Ok(258));
    assert_eq!(calculator.divide(8, 2), Ok(Ok(4)));
    assert_eq!(calculator.divide(7, 0), Ok(Err(MathError::DivisionByZero)));
    assert_eq!(calculator.divide(i64::MIN, -1), Ok(Err(MathError::Overflow { at: i64::MIN })));
}

#[test]
fn an_exception_comes_with_its_place() {
    let (_runtime, calculator) = proxy(calculator().method("add", |_| {
        Err(Exception {
            message: "ValueError: no".to_owned(),
            location: Some("main.toy:5".to_owned()),
            traceback: Some("main.toy:5: in add\nmain.toy:9: in main".to_owned()),
        }
        .into())
    }));
    let error = calculator.add(1, 2).unwrap_err();
    let CallError::Exception(failure) = &error else { panic!("an exception, not {error:?}") };
    assert_eq!((failure.method.as_str(), failure.message.as_str()), ("demo.calculator.add", "ValueError: no"));
    assert_eq!(failure.location.as_deref(), Some("toy/main.toy:5"));
    assert_eq!(failure.traceback.as_deref(), Some("toy/main.toy:5: in add\ntoy/main.toy:9: in main"));
    assert_eq!(
        error.to_string(),
        "bundle `toy`, demo.calculator.add: ValueError: no (at toy/main.toy:5)\ntoy/main.toy:5: in add\ntoy/main.toy:9: in main"
    );
    assert_eq!(calculator.divide(8, 2), Ok(Ok(4)), "it serves on");
}

#[test]
fn an_exception_may_have_no_place() {
    let (_runtime, calculator) = proxy(calculator().method("add", |_| Err("no".into())));
    let error = calculator.add(1, 2).unwrap_err();
    let CallError::Exception(failure) = &error else { panic!("an exception, not {error:?}") };
    assert_eq!((failure.message.as_str(), &failure.location, &failure.traceback), ("no", &None, &None));
}

#[test]
fn a_limit_is_a_limit() {
    let (_runtime, calculator) = proxy(calculator().method("add", |_| Err(Fault::limit("more than 3 steps").into())));
    let error = calculator.add(1, 2).unwrap_err();
    assert!(matches!(&error, CallError::LimitReached(failure) if failure.message == "more than 3 steps"), "{error:?}");
}

#[test]
fn a_loader_that_panics_fails_the_call_alone() {
    let (_runtime, calculator) = proxy(calculator().method("add", |_| panic!("on fire")));
    let error = calculator.add(1, 2).unwrap_err();
    let CallError::Exception(failure) = &error else { panic!("an exception, not {error:?}") };
    assert_eq!(failure.message, "the loader panicked: on fire");
    assert_eq!(calculator.divide(8, 2), Ok(Ok(4)), "the engine is free again");
}

#[test]
fn an_error_that_is_not_declared_is_an_exception() {
    let (_runtime, calculator) = proxy(calculator().method("add", |_| Err(Raise::Declared("oops".into()))));
    let error = calculator.add(1, 2).unwrap_err();
    let CallError::Exception(failure) = &error else { panic!("an exception, not {error:?}") };
    assert_eq!(failure.message, "the method declares no error, and raised text \"oops\"");
}

#[test]
fn what_is_no_result_is_refused_with_its_place() {
    for (result, message) in [
        (Toy::text("x"), "result: expected i32, got text \"x\""),
        (Toy::Nil, "result: expected i32, got nil"),
        (Toy::Int(1 << 40), "result: 1099511627776 is out of range for i32"),
        (Toy::Int(-(1 << 31) - 1), "result: -2147483649 is out of range for i32"),
        (Toy::Int(i128::MAX), "result: 170141183460469231731687303715884105727 is out of range for i32"),
        (Toy::Float(1.0), "result: expected i32, got float 1"),
    ] {
        let (_runtime, calculator) = proxy(calculator().method("add", move |_| Ok(result.clone())));
        let error = calculator.add(1, 2).unwrap_err();
        let CallError::InvalidResult(failure) = &error else { panic!("an invalid result, not {error:?}") };
        assert_eq!(failure.message, message);
    }
}

#[test]
fn what_is_no_declared_error_is_refused_with_its_place() {
    for (raised, message) in [
        (
            Toy::map([("tag", "Undefined".into())]),
            "result.error: `Undefined` is no case of MathError, only DivisionByZero, Overflow",
        ),
        (Toy::Int(1), "result.error: expected MathError, got int 1"),
        (Toy::map([("tag", "Overflow".into())]), "result.error.Overflow.at: the field is missing"),
        (
            Toy::map([("tag", "Overflow".into()), ("val", Toy::map([("att", Toy::Int(1))]))]),
            "result.error.Overflow: there is no field `att`, only at (did you mean `at`?)",
        ),
        (
            Toy::map([("tag", "Overflow".into()), ("val", Toy::map([("at", Toy::Int(1 << 70))]))]),
            "result.error.Overflow.at: 1180591620717411303424 is out of range for i64",
        ),
    ] {
        let (_runtime, calculator) =
            proxy(calculator().method("divide", move |_| Err(Raise::Declared(raised.clone()))));
        let error = calculator.divide(1, 2).unwrap_err();
        let CallError::InvalidResult(failure) = &error else { panic!("an invalid result, not {error:?}") };
        assert_eq!(failure.message, message);
    }
}

/// A plugin for all types, whose methods return their argument, except `method`, which returns `result`.
fn types(method: &str, result: Toy) -> Class {
    let schema = polyplug::schema::Schema::of::<dyn Types>();
    let mut class = Class::new("test.types@1");
    for known in &schema.methods {
        class = class.method(&known.name, |call| Ok(call.arguments[0].clone()));
    }
    class.method(method, move |_| Ok(result.clone()))
}

#[test]
fn the_place_within_a_result_is_reported() {
    let point = |x: Toy| Toy::map([("x", x), ("y", Toy::Float(0.0))]);
    for (method, result, given, message) in [
        (
            "list_point",
            Toy::List(vec![point(Toy::Float(0.0)), point("x".into())]),
            Value::List(vec![]),
            "result[1].x: expected f64, got text \"x\"",
        ),
        ("tuple2", Toy::List(vec![Toy::Int(1)]), tuple(), "result: expected tuple<u8, u64>, got a list of 1"),
        ("tuple2", Toy::List(vec![Toy::Int(1), Toy::Int(-1)]), tuple(), "result.1: -1 is out of range for u64"),
        (
            "bytes",
            Toy::List(vec![Toy::Int(1), Toy::Int(256)]),
            Value::Bytes(vec![]),
            "result[1]: expected u8, got int 256",
        ),
        (
            "tree_int8",
            Toy::Map(vec![(Toy::Int(1), "a".into()), (Toy::Int(1), "b".into())]),
            Value::Map(vec![]),
            "result[1]: the key 1 comes twice",
        ),
        (
            "tree_int8",
            Toy::Map(vec![(Toy::Int(1), "a".into()), (Toy::Int(200), "b".into())]),
            Value::Map(vec![]),
            "result[1].key: 200 is out of range for i8",
        ),
        (
            "tree_int8",
            Toy::Map(vec![(Toy::Int(1), Toy::Int(1))]),
            Value::Map(vec![]),
            "result[0].value: expected string, got int 1",
        ),
        (
            "point",
            Toy::map([("x", Toy::Float(0.0)), ("z", Toy::Float(0.0))]),
            Value::record([("x", Value::F64(0.0)), ("y", Value::F64(0.0))]),
            "result: there is no field `z`, only x, y",
        ),
        ("letter", "ab".into(), Value::Char('a'), "result: expected char, got text \"ab\""),
        ("float32", Toy::Float(1e300), Value::F32(0.0), "is out of range for f32"),
    ] {
        let (_loader, runtime, _) = loaded(types(method, result));
        let error = runtime.call("test.types@1", method, &[given]).unwrap_err();
        let CallError::InvalidResult(failure) = &error else { panic!("an invalid result, not {error:?}") };
        assert!(failure.message.ends_with(message), "{method}: {}", failure.message);
    }
}

fn tuple() -> Value {
    Value::Tuple(vec![Value::U8(1), Value::U64(1)])
}

#[test]
fn values_may_be_written_shorter() {
    for (method, result, given, answer) in [
        ("bytes", Toy::List(vec![Toy::Int(1), Toy::Int(255)]), Value::Bytes(vec![]), Value::Bytes(vec![1, 255])),
        ("colour", "Blue".into(), Value::Enum("Red".into()), Value::Enum("Blue".into())),
        (
            "shape",
            Toy::map([("tag", "Empty".into())]),
            Value::variant::<&str>("Empty", []),
            Value::variant::<&str>("Empty", []),
        ),
    ] {
        let (_loader, runtime, _) = loaded(types(method, result));
        assert_eq!(runtime.call("test.types@1", method, &[given]), Ok(answer));
    }
}

#[test]
fn typed_values_come_back() {
    let (_loader, runtime, _) = loaded(types("unused", Toy::Nil));
    let types = runtime.proxy::<dyn Types>().unwrap();
    let point = Point { x: 1.5, y: f64::NEG_INFINITY };
    let shape = Shape::Circle { centre: point, radius: 1e300 };
    assert_eq!(types.shape(shape.clone()), Ok(shape));
    assert_eq!(types.option_option(Some(None)), Ok(Some(None)));
    assert_eq!(types.nat64(u64::MAX), Ok(u64::MAX));
}

#[test]
fn a_call_by_hand_is_checked_as_any_other() {
    use polyplug::Contract;
    use polyplug_abi::{AbiError, AbiErrorCode, GuestContractInstance};

    let (_loader, runtime, _) = loaded(calculator().init(|_| Err("no instances today".into())));
    let handle = runtime.find_guest_contract(<dyn Calculator>::ID.id(), 0).unwrap();
    let _pin = polyplug::pin();
    let interface = runtime.resolve_guest_contract(handle).unwrap();
    // SAFETY: valid while pinned; the functions are called as their types say.
    unsafe {
        let vm = (*interface).dispatch.vm;
        let mut instance = GuestContractInstance::null();
        ((*interface).create_instance)(vm.loader_data, runtime.host_abi(), std::ptr::null(), &raw mut instance);
        assert!(instance.is_null(), "the factory fails");
        for (fn_id, code) in [(0, AbiErrorCode::InvalidPointer), (4, AbiErrorCode::FunctionNotAvailable)] {
            let mut error = AbiError::ok();
            let (args, mut out) = ([1_i32, 2], 0_i32);
            let (args, out) = ((&raw const args).cast(), (&raw mut out).cast());
            (vm.call)(vm.loader_data, instance, fn_id, args, out, std::ptr::null_mut(), &raw mut error);
            assert_eq!(error.code, code as u32);
        }
        ((*interface).destroy_instance)(vm.loader_data, runtime.host_abi(), instance);
    }
}
