//! What values may be given for which type when a method is called by name, and what is said about the others.

use std::sync::Arc;

use polyplug::{CallError, Runtime, Value};
use polyplug_tests::{Bundle, runtime};

fn loaded() -> (Arc<Runtime>, Bundle) {
    let bundle = Bundle::native("types", "plugin-types");
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    (runtime, bundle)
}

fn some(value: impl Into<Value>) -> Value {
    Value::Option(Some(Box::new(value.into())))
}

fn list(items: impl IntoIterator<Item = Value>) -> Value {
    Value::List(items.into_iter().collect())
}

fn point(x: f64, y: f64) -> Value {
    Value::record([("x", x.into()), ("y", Value::F64(y))])
}

fn map(entries: impl IntoIterator<Item = (Value, Value)>) -> Value {
    Value::Map(entries.into_iter().collect())
}

fn unit_case(case: &str) -> Value {
    Value::variant::<&str>(case, [])
}

#[test]
fn what_is_meant_is_understood() {
    let (runtime, _bundle) = loaded();
    for (method, given, answer) in [
        // Integers of any width that fit.
        ("int8", Value::U64(127), Value::I8(127)),
        ("int8", Value::I64(-128), Value::I8(-128)),
        ("nat64", Value::I8(5), Value::U64(5)),
        ("int64", Value::U64(i64::MAX as u64), Value::I64(i64::MAX)),
        ("float64", Value::F32(0.5), Value::F64(0.5)),
        // Some without saying so.
        ("option_int32", Value::I32(5), some(5)),
        ("option_int32", Value::Unit, Value::Option(None)),
        ("option_option", some(5), some(some(5))),
        ("option_option", some(Value::Option(None)), some(Value::Option(None))),
        ("option_box", point(0.5, 1.0), some(point(0.5, 1.0))),
        // Fields in any order.
        ("point", Value::record([("y", Value::F32(1.0)), ("x", Value::F64(2.0))]), point(2.0, 1.0)),
        // Bytes as a list of numbers.
        ("bytes", list([Value::I32(1), Value::U8(255)]), Value::Bytes(vec![1, 255])),
        ("bytes", list([]), Value::Bytes(vec![])),
        ("list_bytes", list([list([Value::U8(1)])]), list([Value::Bytes(vec![1])])),
        // Cases by their names.
        ("colour", Value::from("Blue"), Value::Enum("Blue".into())),
        ("shape", Value::Enum("Empty".into()), unit_case("Empty")),
        (
            "shape",
            Value::variant("Circle", [("radius", Value::F64(1.0)), ("centre", point(0.0, 0.0))]),
            Value::variant("Circle", [("centre", point(0.0, 0.0)), ("radius", Value::F64(1.0))]),
        ),
    ] {
        assert_eq!(runtime.call("test.types@1", method, std::slice::from_ref(&given)), Ok(answer), "{method}: {given}");
    }
}

#[test]
fn what_does_not_fit_is_refused_with_its_place() {
    let (runtime, _bundle) = loaded();
    let error = |value: Value| Value::Result(Err(Box::new(value)));
    for (method, given, message) in [
        ("boolean", Value::I8(1), "value: expected bool, got i8 1"),
        ("int8", Value::I32(128), "value: 128 is out of range for i8"),
        ("nat8", Value::I32(-1), "value: -1 is out of range for u8"),
        ("nat64", Value::I64(-1), "value: -1 is out of range for u64"),
        ("int64", Value::U64(u64::MAX), "value: 18446744073709551615 is out of range for i64"),
        ("int32", Value::F64(1.0), "value: expected i32, got f64 1"),
        ("int32", Value::Unit, "value: expected i32, got ()"),
        ("float32", Value::F64(1.0), "value: expected f32, got f64 1"),
        ("float64", Value::I32(1), "value: expected f64, got i32 1"),
        ("letter", "a".into(), "value: expected char, got string \"a\""),
        ("text", Value::Char('a'), "value: expected string, got char 'a'"),
        ("text", Value::Bytes(vec![1]), "value: expected string, got 1 bytes"),
        ("bytes", "a".into(), "value: expected bytes, got string \"a\""),
        ("bytes", list([Value::U8(1), Value::I32(256)]), "value[1]: expected u8, got i32 256"),
        ("list_text", list(["a".into(), 5.into()]), "value[1]: expected string, got i32 5"),
        (
            "list_list",
            list([list([list([]), list([1.into(), true.into()])])]),
            "value[0][1][1]: expected i32, got bool true",
        ),
        ("list_point", point(1.0, 2.0), "value: expected list<Point>, got record {x: 1, y: 2}"),
        ("option_int32", some("x"), "value: expected i32, got string \"x\""),
        ("option_box", some(5), "value: expected Point, got i32 5"),
        ("tuple2", Value::Tuple(vec![Value::U8(1)]), "value: expected tuple<u8, u64>, got tuple (1)"),
        ("tuple2", Value::Tuple(vec![Value::U8(1), "x".into()]), "value.1: expected u64, got string \"x\""),
        ("tree_int32", list([]), "value: expected map<i32, Colour>, got list []"),
        ("tree_int32", map([("x".into(), Value::Unit)]), "value[0].key: expected i32, got string \"x\""),
        ("tree_int32", map([(1.into(), Value::Unit)]), "value[0].value: expected Colour, got ()"),
        (
            "tree_int32",
            map([(1.into(), Value::Enum("Red".into())), (Value::U8(1), Value::Enum("Red".into()))]),
            "value[1]: the key 1 comes twice",
        ),
        ("point", Value::record([("x", Value::F64(1.0))]), "value.y: the field is missing"),
        (
            "point",
            Value::record([("x", 1.0), ("y", 1.0), ("z", 1.0)].map(|(n, v)| (n, Value::F64(v)))),
            "value: there is no field `z`, only x, y",
        ),
        ("point", Value::record([("x", Value::F64(1.0)), ("y", true.into())]), "value.y: expected f64, got bool true"),
        ("colour", Value::Enum("Pink".into()), "value: `Pink` is no case of Colour, only Red, Green, Blue"),
        ("colour", 1.into(), "value: expected Colour, got i32 1"),
        ("shape", unit_case("Pink"), "value: `Pink` is no case of Shape, only Empty, Dot, Line, Circle, Named, Inside"),
        ("shape", unit_case("Dot"), "value.Dot.0: the field is missing"),
        ("shape", Value::variant("Dot", [("0", Value::I32(-1))]), "value.Dot.0: -1 is out of range for u8"),
        ("shape", "Empty".into(), "value: expected Shape, got string \"Empty\""),
        ("result_number", 5.into(), "value: expected result<i64, Refusal>, got i32 5"),
        ("result_number", error("x".into()), "value.err: expected Refusal, got string \"x\""),
        (
            "result_number",
            error(Value::variant("Full", [("capacity", Value::I32(-1))])),
            "value.err.Full.capacity: -1 is out of range for u32",
        ),
        ("result_number", Value::Result(Ok(Box::new("x".into()))), "value.ok: expected i64, got string \"x\""),
        (
            "nested",
            Value::record([("mixed", Value::record([("flag", 1.into())]))]),
            "value.mixed.flag: expected bool, got i32 1",
        ),
    ] {
        let error = runtime.call("test.types@1", method, std::slice::from_ref(&given)).unwrap_err();
        let CallError::InvalidArgument(failure) = &error else { panic!("an invalid argument, not {error:?}") };
        assert_eq!(failure.message, message, "{method}");
        assert_eq!(failure.method, format!("test.types.{method}"));
    }
}

#[test]
fn arguments_are_named_by_their_own_names() {
    let (runtime, _bundle) = loaded();
    let arguments = [Value::U8(1), "b".into(), Value::Option(None), list([Value::I16(1), "x".into()])];
    let rest = [Value::Char('e'), point(0.0, 0.0), unit_case("Empty"), Value::U64(1)];
    let error = runtime.call("test.borrowed@1", "many", &[&arguments[..], &rest].concat()).unwrap_err();
    let text =
        "bundle `types`, test.borrowed.many: an argument is no value of its type: d[1]: expected i16, got string \"x\"";
    assert_eq!(error.to_string(), text);
    let error = runtime.call("test.borrowed@1", "many", &arguments).unwrap_err().to_string();
    assert!(error.contains("8 arguments are expected, and 4 given: many("), "{error}");
}
