//! A host that was built without a contract loads its plugins all the same, and calls them by name.

use polyplug::{CallError, Value};
use polyplug_tests::{Bundle, runtime};

#[test]
fn plugins_of_unknown_contracts_are_called_by_name() {
    let runtime = runtime();
    let names = ["old", "new", "changed", "forked"];
    let bundles = names.map(|name| Bundle::native(name, &format!("plugin-evolving-{name}")));
    let ids = bundles.each_ref().map(|bundle| runtime.load_bundle(bundle.path()).unwrap());
    for (id, numbers) in ids.into_iter().zip([[2, 3], [2, 3], [5, 0], [2, 3]]) {
        let proxy = runtime.dynamic_from("test.evolving@1", id).unwrap();
        assert_eq!(proxy.call("add", &numbers.map(Value::I32)), Ok(Value::I32(5)));
    }

    let proxy = runtime.dynamic_from("test.evolving@1.2", ids[1]).unwrap();
    let point = Value::record([("y", Value::F64(-1.0)), ("x", Value::F64(0.5))]);
    let scaled = Value::record([("x", Value::F64(1.0)), ("y", Value::F64(-2.0))]);
    assert_eq!(proxy.call("scale", &[point, Value::F64(2.0)]), Ok(scaled));
    assert_eq!(proxy.schema().to_string(), "test.evolving@1.2");
    let answer = proxy.call("parse", &["4x".into()]).unwrap();
    assert_eq!(answer, Value::Result(Err(Box::new(Value::variant("NoDigit", [("at", Value::U32(1))])))));
}

#[test]
fn arguments_are_checked_against_the_plugins_own_schema() {
    let runtime = runtime();
    let bundle = Bundle::native("changed", "plugin-evolving-changed");
    runtime.load_bundle(bundle.path()).unwrap();
    let point = Value::record([("x", Value::F64(0.5)), ("y", Value::F64(1.0))]);
    let error = runtime.call("test.evolving@1", "describe", &[point]).unwrap_err();
    assert!(matches!(error, CallError::InvalidArgument(_)));
    assert_eq!(
        error.to_string(),
        "bundle `changed`, test.evolving.describe: an argument is no value of its type: point.z: the field is missing"
    );
}
