//! Calls by name.

use polyplug::Value;
use polyplug_tests::{Bundle, runtime};

#[test]
fn a_dynamic_call_returns() {
    let bundle = Bundle::native("calc", "plugin-calc");
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    let call = |method: &str, arguments: &[Value]| runtime.call("demo.calculator@1", method, arguments);
    assert_eq!(call("add", &[2.into(), 3.into()]), Ok(Value::I32(5)));
    assert_eq!(call("greet", &["Ada".into()]), Ok("Hello, Ada!".into()));
    assert_eq!(call("sum", &[vec![1u8, 2, 3].into()]), Ok(Value::U64(6)));
    assert_eq!(call("divide", &[7i64.into(), 2i64.into()]), Ok(Value::Result(Ok(Box::new(Value::I64(3))))));
    let overflow = Value::variant("Overflow", [("at", Value::I64(i64::MIN))]);
    assert_eq!(call("divide", &[i64::MIN.into(), Value::I8(-1)]), Ok(Value::Result(Err(Box::new(overflow)))));
    for (method, arguments, text) in [
        (
            "add",
            vec![Value::from("x"), 3.into()],
            "bundle `calc`, demo.calculator.add: an argument is no value of its type: a: expected i32, got string \"x\"",
        ),
        (
            "add",
            vec![Value::I64(1 << 40), 3.into()],
            "bundle `calc`, demo.calculator.add: an argument is no value of its type: a: 1099511627776 is out of range for i32",
        ),
        (
            "add",
            vec![],
            "bundle `calc`, demo.calculator.add: an argument is no value of its type: 2 arguments are expected, and 0 given: \
             add(a: i32, b: i32) -> i32",
        ),
        (
            "ad",
            vec![],
            "bundle `calc`, demo.calculator.ad: the contract has no method `ad`: it has add, divide, greet, sum (did you mean `add`?)",
        ),
    ] {
        assert_eq!(call(method, &arguments).unwrap_err().to_string(), text);
    }
}
