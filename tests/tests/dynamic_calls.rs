//! Calls by name.

use polyplug::{CallError, Runtime, Value};
use polyplug_lua::LuaLoader;
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

#[test]
fn a_method_that_was_found_once_is_called() {
    let bundle = Bundle::native("calc", "plugin-calc");
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    let add = runtime.method("demo.calculator@1", "add").unwrap();
    assert_eq!(add.description().name, "add");
    assert_eq!(add.call(&[2.into(), 3.into()]), Ok(Value::I32(5)));
    let calculator = runtime.dynamic("demo.calculator@1").unwrap();
    let divide = calculator.method("divide").unwrap();
    drop(calculator);
    assert_eq!(divide.call(&[7i64.into(), 2i64.into()]), Ok(Value::Result(Ok(Box::new(Value::I64(3))))));
    assert_eq!(
        add.call(&[2.into()]).unwrap_err().to_string(),
        "bundle `calc`, demo.calculator.add: an argument is no value of its type: 2 arguments are expected, and 1 given: \
         add(a: i32, b: i32) -> i32"
    );
    assert_eq!(
        runtime.method("demo.calculator@1", "ad").unwrap_err().to_string(),
        "bundle `calc`, demo.calculator.ad: the contract has no method `ad`: it has add, divide, greet, sum (did you mean `add`?)"
    );
    let absent = runtime.method("demo.calculatr@1", "add").unwrap_err().to_string();
    assert!(absent.contains("did you mean `demo.calculator@1.2`?"), "{absent}");
    runtime.unload_bundle("calc").unwrap();
    let gone = add.call(&[2.into(), 3.into()]).unwrap_err();
    assert!(matches!(gone, CallError::Unloaded(_)), "{gone:?}");
    assert!(gone.to_string().contains("demo.calculator.add"), "{gone}");
}

/// A contract whose methods change their order, and one of which goes.
#[test]
fn a_method_that_was_found_once_is_that_of_the_version_that_serves() {
    use polyplug::schema::{Schema, TypeRef};

    let runtime = Runtime::builder().loader(LuaLoader::new()).hot_reload(true).build().unwrap();
    let bundle = Bundle::script("lua", "");
    let with = |names: &[&str]| {
        let mut schema = Schema::decode(&Schema::of::<dyn test_contracts::Calculator>().encode()).unwrap();
        schema.name = "demo.order".to_owned();
        let like = schema.methods.iter().find(|method| method.result == TypeRef::String).unwrap().clone();
        schema.methods =
            names.iter().map(|name| polyplug::schema::Method { name: (*name).into(), ..like.clone() }).collect();
        schema.types.clear();
        let methods: String =
            names.iter().map(|name| format!("function P:{name}(text) return '{name} ' .. text end\n")).collect();
        bundle.write("demo.order@1.schema", schema.encode());
        bundle.write("main.lua", format!("local P = require('polyplug').plugin('demo.order@1')\n{methods}"));
    };
    with(&["first", "second"]);
    runtime.load_bundle(bundle.path()).unwrap();
    let [first, second] = ["first", "second"].map(|name| runtime.method("demo.order@1", name).unwrap());
    assert_eq!(second.call(&["x".into()]), Ok("second x".into()));
    with(&["second"]);
    runtime.reload_bundle(bundle.path()).unwrap();
    assert_eq!(second.call(&["x".into()]), Ok("second x".into()));
    let gone = first.call(&["x".into()]).unwrap_err();
    assert!(matches!(gone, CallError::NotFound(_)), "{gone:?}");
}
