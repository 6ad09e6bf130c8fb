//! Calls by name with JSON: what stands for which value, both ways, and what is said about the rest.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use polyplug::{CallError, Runtime, Value};
use polyplug_tests::values::Sample;
use polyplug_tests::{Bundle, runtime};
use serde_json::{Value as Json, json};
use test_contracts::each_type;
use test_contracts::types::*;

fn loaded() -> (Arc<Runtime>, Bundle) {
    let bundle = Bundle::native("types", "plugin-types");
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    (runtime, bundle)
}

/// The JSON of a value. That of a map without entries depends on the type of its keys, so here it is always an array.
fn json_of(value: &Value) -> Json {
    let members = |fields: &[(String, Value)]| -> Json {
        fields.iter().map(|(name, value)| (name.clone(), json_of(value))).collect::<serde_json::Map<_, _>>().into()
    };
    let float = |number: f64| match number {
        number if number.is_nan() => json!("NaN"),
        f64::INFINITY => json!("Infinity"),
        f64::NEG_INFINITY => json!("-Infinity"),
        number => json!(number),
    };
    match value {
        Value::Unit | Value::Option(None) => Json::Null,
        Value::Bool(flag) => json!(flag),
        Value::F32(number) => float(f64::from(*number)),
        Value::F64(number) => float(*number),
        Value::Char(letter) => json!(letter),
        Value::String(text) | Value::Enum(text) => json!(text),
        Value::Bytes(bytes) => json!(bytes),
        Value::List(items) | Value::Tuple(items) => items.iter().map(json_of).collect(),
        Value::Map(entries) if !entries.is_empty() && matches!(entries[0].0, Value::String(_)) => {
            let member = |(key, value): &(Value, Value)| (key.as_str().unwrap().to_owned(), json_of(value));
            entries.iter().map(member).collect::<serde_json::Map<_, _>>().into()
        }
        Value::Map(entries) => entries.iter().map(|(key, value)| json!([json_of(key), json_of(value)])).collect(),
        Value::Option(Some(value)) => match **value {
            Value::Option(_) | Value::Unit => json!({ "some": json_of(value) }),
            _ => json_of(value),
        },
        Value::Record(fields) => members(fields),
        Value::Variant { case, fields } => match &fields[..] {
            [] => json!(case),
            [(name, value)] if name == "0" => json!({ case: json_of(value) }),
            [(name, _), ..] if name == "0" => {
                json!({ case: fields.iter().map(|(_, value)| json_of(value)).collect::<Json>() })
            }
            _ => json!({ case: members(fields) }),
        },
        Value::Result(Ok(value)) => json!({ "ok": json_of(value) }),
        Value::Result(Err(value)) => json!({ "err": json_of(value) }),
        integer => match integer.as_integer().unwrap() {
            number if number < 0 => json!(number as i64),
            number => json!(number as u64),
        },
    }
}

/// As text, with the pairs of maps sorted and the objects that are maps without entries as arrays.
fn text(json: &Json) -> String {
    fn sorted(json: &Json) -> Json {
        match json {
            Json::Object(members) if members.is_empty() => json!([]),
            Json::Object(members) => members
                .iter()
                .map(|(name, json)| (name.clone(), sorted(json)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            Json::Array(items) => {
                let mut items: Vec<Json> = items.iter().map(sorted).collect();
                if items.iter().all(|item| item.as_array().is_some_and(|pair| pair.len() == 2)) {
                    items.sort_by_key(Json::to_string);
                }
                items.into()
            }
            other => other.clone(),
        }
    }
    sorted(json).to_string()
}

fn check<T: Sample>(runtime: &Runtime, method: &str) {
    for sample in T::samples() {
        let json = json_of(&sample.value());
        let answer = runtime.call_json("test.types@1", method, std::slice::from_ref(&json)).unwrap();
        assert_eq!(text(&answer), text(&json), "{method}: {sample:?}");
    }
}

macro_rules! check_each {
    ($($name:ident: $ty:ty),* $(,)?) => {
        #[test]
        fn values_of_every_type_come_back_unchanged() {
            let (runtime, _bundle) = loaded();
            $(check::<$ty>(&runtime, stringify!($name));)*
        }
    };
}

each_type!(check_each);

#[test]
fn what_stands_for_what() {
    let (runtime, _bundle) = loaded();
    for (method, json) in [
        ("boolean", json!(true)),
        ("int64", json!(i64::MIN)),
        ("nat64", json!(u64::MAX)),
        ("float32", json!(0.5)),
        ("float64", json!("NaN")),
        ("float64", json!("-Infinity")),
        ("letter", json!("ß")),
        ("text", json!("text")),
        ("bytes", json!([0, 255])),
        ("list_text", json!(["a", "b"])),
        ("tuple3", json!([true, "a", -1])),
        ("hash_text", json!({"a": "Empty"})),
        ("hash_text", json!({})),
        ("tree_int32", json!([[-5, "Red"], [7, "Blue"]])),
        ("tree_int32", json!([])),
        ("option_int32", json!(null)),
        ("option_int32", json!(1)),
        ("option_box", json!({"x": 0.5, "y": -0.5})),
        ("option_unit", json!(null)),
        ("option_unit", json!({"some": null})),
        ("option_option", json!(null)),
        ("option_option", json!({"some": null})),
        ("option_option", json!({"some": 5})),
        ("option_option_option", json!({"some": {"some": true}})),
        ("option_box_option", json!({"some": 5})),
        ("wrapper", json!({"0": "a"})),
        ("colour", json!("Green")),
        ("shape", json!("Empty")),
        ("shape", json!({"Dot": 3})),
        ("shape", json!({"Line": [{"x": 0.5, "y": 1.0}, {"x": 0.0, "y": 0.0}]})),
        ("shape", json!({"Circle": {"centre": {"x": 0.5, "y": 1.0}, "radius": 2.0}})),
        ("shape", json!({"Inside": null})),
        ("shape", json!({"Inside": {"Inside": "Empty"}})),
        ("result_number", json!({"ok": -1})),
        ("result_number", json!({"err": "Closed"})),
        ("result_number", json!({"err": {"Other": ["a", 1]}})),
        ("result_unit", json!({"ok": null})),
    ] {
        let answer = runtime.call_json("test.types@1", method, std::slice::from_ref(&json)).unwrap();
        assert_eq!(answer.to_string(), json.to_string(), "{method}");
    }
    // More than one way to write it.
    for (method, json, answer) in [
        ("float64", json!(2), json!(2.0)),
        ("float32", json!(0.1), json!(f64::from(0.1f32))),
        ("hash_text", json!([["a", "Empty"]]), json!({"a": "Empty"})),
        ("point", json!({"y": 1, "x": 2}), json!({"x": 2.0, "y": 1.0})),
    ] {
        assert_eq!(runtime.call_json("test.types@1", method, &[json]).unwrap(), answer, "{method}");
    }
    // A field that may be absent may be left out.
    let whole = json_of(&<Nested as Sample>::samples()[0].value());
    let mut part = whole.clone();
    part.as_object_mut().unwrap().remove("maybe");
    let answer = runtime.call_json("test.types@1", "nested", &[part]).unwrap();
    assert_eq!(answer["maybe"], Json::Null);
    let mut misspelt = whole.clone();
    let maybe = misspelt.as_object_mut().unwrap().remove("maybe").unwrap();
    misspelt["mabe"] = maybe;
    let error = runtime.call_json("test.types@1", "nested", &[misspelt]).unwrap_err().to_string();
    assert!(error.contains("mabe"), "{error}");
    assert_eq!(text(&answer["points"]), text(&whole["points"]));
}

#[test]
fn what_does_not_fit_is_refused_with_its_place() {
    let (runtime, _bundle) = loaded();
    for (method, json, message) in [
        ("boolean", json!(1), "value: expected bool, got 1"),
        ("int8", json!(128), "value: expected i8, got 128"),
        ("nat8", json!(-1), "value: expected u8, got -1"),
        ("int32", json!(1.5), "value: expected i32, got 1.5"),
        ("int64", json!(u64::MAX), "value: expected i64, got 18446744073709551615"),
        ("nat64", json!("1"), "value: expected u64, got \"1\""),
        ("float32", json!(1e300), "value: expected f32, got 1e+300"),
        ("float32", json!(-1e39), "value: expected f32, got -1e+39"),
        ("float64", json!("nan"), "value: expected f64, got \"nan\""),
        ("letter", json!("ab"), "value: expected char, got \"ab\""),
        ("letter", json!(""), "value: expected char, got \"\""),
        ("text", json!(null), "value: expected string, got null"),
        ("bytes", json!([1, 256]), "value[1]: expected u8, got 256"),
        ("bytes", json!("a"), "value: expected bytes, got \"a\""),
        ("list_list", json!([[[1]], [[2, "x"]]]), "value[1][0][1]: expected i32, got \"x\""),
        ("tuple2", json!([1]), "value: expected tuple<u8, u64>, got [1]"),
        ("tuple2", json!([1, -1]), "value.1: expected u64, got -1"),
        ("hash_text", json!({"a": {"Dot": 300}}), "value.a.Dot.0: expected u8, got 300"),
        ("tree_int32", json!({"1": "Red"}), "value: expected map<i32, Colour>, got {\"1\":\"Red\"}"),
        ("tree_int32", json!([[1, "Red"], [1]]), "value[1]: expected a key and a value, got [1]"),
        ("tree_int32", json!([["a", "Red"]]), "value[0].key: expected i32, got \"a\""),
        ("tree_int32", json!([[1, 2]]), "value[0].value: expected Colour, got 2"),
        ("tree_int32", json!([[1, "Red"], [1, "Blue"]]), "value[1]: the key 1 comes twice"),
        ("option_option", json!(5), "value: expected option<option<i32>>, got 5"),
        ("option_option", json!({"some": "x"}), "value.some: expected i32, got \"x\""),
        ("option_int32", json!("x"), "value: expected i32, got \"x\""),
        ("point", json!([1, 2]), "value: expected Point, got [1,2]"),
        ("point", json!({"x": 1}), "value.y: the field is missing"),
        ("point", json!({"x": 1, "y": 2, "z": 3}), "value: there is no field `z`, only x, y"),
        ("nested", json!({"mixed": {"number": "1"}}), "value.mixed.number: expected i64, got \"1\""),
        ("colour", json!("Pink"), "value: `Pink` is no case of Colour, only Red, Green, Blue"),
        ("colour", json!(1), "value: expected Colour, got 1"),
        ("shape", json!("Square"), "value: `Square` is no case of Shape, only Empty, Dot, Line, Circle, Named, Inside"),
        (
            "shape",
            json!({"Square": 1}),
            "value: `Square` is no case of Shape, only Empty, Dot, Line, Circle, Named, Inside",
        ),
        ("shape", json!({"Dot": "x"}), "value.Dot.0: expected u8, got \"x\""),
        ("shape", json!({"Line": [1]}), "value.Line: expected 2 values, got [1]"),
        ("shape", json!({"Circle": 1}), "value.Circle: expected the case's fields, got 1"),
        ("shape", json!({"Dot": 1, "Empty": null}), "value: expected Shape, got {\"Dot\":1,\"Empty\":null}"),
        ("shape", json!("Dot"), "value.Dot.0: the field is missing"),
        ("result_number", json!({"ok": "x"}), "value.ok: expected i64, got \"x\""),
        ("result_number", json!({"err": {"Full": {"capacity": -1}}}), "value.err.Full.capacity: expected u32, got -1"),
        ("result_number", json!(5), "value: expected result<i64, Refusal>, got 5"),
        ("result_number", json!({"maybe": 5}), "value: expected result<i64, Refusal>, got {\"maybe\":5}"),
        ("result_unit", json!({"ok": 5}), "value.ok: expected (), got 5"),
        (
            "tree",
            json!({"value": 1, "children": [{"value": 1, "children": 5}]}),
            "value.children[0].children: expected list<Tree>, got 5",
        ),
    ] {
        let error = runtime.call_json("test.types@1", method, &[json]).unwrap_err();
        let CallError::InvalidArgument(failure) = &error else { panic!("an invalid argument, not {error:?}") };
        assert_eq!(failure.message, message);
        assert_eq!(failure.method, format!("test.types.{method}"));
    }
}

#[test]
fn what_cannot_be_called_is_refused() {
    let (runtime, _bundle) = loaded();
    let call = |contract: &str, method: &str, arguments: &[Json]| {
        runtime.call_json(contract, method, arguments).unwrap_err().to_string()
    };
    assert!(
        call("test.types@1", "flat", &[json!(1)]).contains("the contract has no method `flat`: it has boolean, int8")
    );
    assert!(call("test.types@1", "text", &[]).contains("1 argument is expected, and 0 given"));
    assert!(call("test.types@1", "text", &[json!("a"), json!("b")]).contains("1 argument is expected, and 2 given"));
    assert!(call("test.nothing@1", "text", &[]).contains("no loaded bundle provides test.nothing@1"));
    assert!(call("test.types", "text", &[]).contains("`test.types` names no contract"));
}

#[test]
fn long_and_deep_json_is_quoted_in_part() {
    let (runtime, _bundle) = loaded();
    let long = json!("x".repeat(1 << 20));
    let error = runtime.call_json("test.types@1", "int8", &[long]).unwrap_err().to_string();
    assert!(error.ends_with(&format!("expected i8, got \"{}...", "x".repeat(99))), "{error}");

    // As deep as no parser makes it.
    let abyss = |innermost: Json, around: fn(Json) -> Json| (0..100_000).fold(innermost, |json, _| around(json));
    fn dismantle(mut json: Json) {
        loop {
            let inner = match &mut json {
                Json::Array(items) => items.pop(),
                Json::Object(members) => members.remove("children"),
                _ => None,
            };
            let Some(inner) = inner else { break };
            json = inner;
        }
    }
    let deep = abyss(json!([]), |json| Json::Array(vec![json]));
    let error = runtime.call_json("test.types@1", "int8", std::slice::from_ref(&deep)).unwrap_err().to_string();
    assert!(error.ends_with(&format!("expected i8, got {}...", "[".repeat(100))), "{error}");
    dismantle(deep);

    let node = |children: Vec<Json>| {
        let members = [("value".to_owned(), json!(1)), ("children".to_owned(), Json::Array(children))];
        Json::Object(members.into_iter().collect())
    };
    let deep = (0..100_000).fold(node(vec![]), |json, _| node(vec![json]));
    let error = runtime.call_json("test.types@1", "tree", std::slice::from_ref(&deep)).unwrap_err();
    assert!(matches!(error, CallError::TooLarge(_)), "{error:?}");
    assert!(error.to_string().ends_with("nested deeper than 128 levels"), "{error}");
    dismantle(deep);
}
