//! Values nest up to a limit, beyond which there is an error on either side and never an overflow of the stack.

use std::sync::Arc;

use polyplug::{CallError, Runtime, Value};
use polyplug_tests::values::Sample;
use polyplug_tests::{Bundle, runtime};
use test_contracts::types::{Chain, Depth, DepthProxy, Tree, chain, folder, onion, tree};

/// How many lists, maps and boxes may lie in one another.
const LIMIT: usize = 128;

/// Far more than a stack holds.
const ABYSS: usize = 100_000;

fn loaded() -> (Arc<Runtime>, DepthProxy, Bundle) {
    let bundle = Bundle::native("types", "plugin-types");
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    let proxy = runtime.proxy::<dyn Depth>().unwrap();
    (runtime, proxy, bundle)
}

#[track_caller]
fn too_large<T: std::fmt::Debug>(answer: Result<T, CallError>, method: &str, texts: &[&str]) {
    let error = answer.expect_err("it is too deep");
    let CallError::TooLarge(failure) = &error else { panic!("too large, not {error:?}") };
    assert_eq!(failure.method, format!("test.depth.{method}"));
    for text in texts.iter().chain(&["nested deeper than 128 levels"]) {
        assert!(failure.message.contains(text), "{text} is in: {error}");
    }
    assert!(failure.message.len() < 400, "the error is short: {error}");
}

#[test]
fn arguments_may_nest_up_to_the_limit() {
    let (runtime, proxy, _bundle) = loaded();
    let call = |method: &str, value: Value| runtime.call("test.depth@1", method, &[value]);
    // The innermost list is empty, and one all the same.
    for depth in [1, 2, LIMIT] {
        let value = tree(depth);
        assert_eq!(proxy.measure_tree(&value), Ok(depth as u64));
        assert_eq!(call("measure_tree", value.value()), Ok(Value::U64(depth as u64)));
    }
    // The outermost link is in no box.
    for length in [1, 2, LIMIT + 1] {
        let value = chain(length);
        assert_eq!(proxy.measure_chain(&value), Ok(length as u64));
        assert_eq!(call("measure_chain", value.value()), Ok(Value::U64(length as u64)));
    }
}

#[test]
fn arguments_beyond_the_limit_are_refused() {
    let (runtime, proxy, _bundle) = loaded();
    let call = |method: &str, value: Value| runtime.call("test.depth@1", method, &[value]);
    for depth in [LIMIT + 1, LIMIT + 2, 300] {
        let value = tree(depth);
        too_large(proxy.measure_tree(&value), "measure_tree", &[]);
        let texts = ["value.children[0].children[0]", "children[0].children: nested"];
        too_large(call("measure_tree", value.value()), "measure_tree", &texts);
        let value = chain(depth + 1);
        too_large(proxy.measure_chain(&value), "measure_chain", &[]);
        too_large(call("measure_chain", value.value()), "measure_chain", &["value.next.next", "next.next: nested"]);
    }
    assert_eq!(proxy.measure_tree(&tree(3)), Ok(3), "the plugin serves on");
}

#[test]
fn results_may_nest_up_to_the_limit() {
    let (runtime, proxy, _bundle) = loaded();
    let call = |method: &str, depth: usize| runtime.call("test.depth@1", method, &[Value::U64(depth as u64)]);
    assert_eq!(proxy.tree(LIMIT as u64), Ok(tree(LIMIT)));
    assert_eq!(call("tree", LIMIT), Ok(tree(LIMIT).value()));
    assert_eq!(proxy.chain(LIMIT as u64 + 1), Ok(chain(LIMIT + 1)));
    assert_eq!(call("chain", LIMIT + 1), Ok(chain(LIMIT + 1).value()));
    for depth in [LIMIT + 1, LIMIT + 2, 300] {
        too_large(proxy.tree(depth as u64), "tree", &["result: "]);
        too_large(call("tree", depth), "tree", &["result: "]);
        too_large(proxy.chain(depth as u64 + 1), "chain", &["result: "]);
        too_large(call("chain", depth + 1), "chain", &["result: "]);
    }
    assert_eq!(proxy.tree(2), Ok(tree(2)), "the plugin serves on");
}

#[test]
fn every_list_and_map_is_a_level_wherever_it_is_seen() {
    let (runtime, proxy, _bundle) = loaded();
    let call = |method: &str, arguments: &[Value]| runtime.call("test.depth@1", method, arguments);
    let count = |number: usize| Value::U64(number as u64);
    // The innermost list lies in one box less than there are layers. That it is lent as it is, or empty, is no difference
    // to others; bytes are no list to them.
    for rings in [true, false] {
        let value = onion(LIMIT, rings);
        assert_eq!(proxy.measure_onion(&value), Ok(LIMIT as u64));
        assert_eq!(call("measure_onion", &[value.value()]), Ok(count(LIMIT)));
        assert_eq!(proxy.onion(LIMIT as u64, rings), Ok(value.clone()));
        assert_eq!(call("onion", &[count(LIMIT), rings.into()]), Ok(value.value()));

        let value = onion(LIMIT + 1, rings);
        too_large(proxy.measure_onion(&value), "measure_onion", &[]);
        too_large(call("measure_onion", &[value.value()]), "measure_onion", &["inside.rings: nested"]);
        too_large(proxy.onion(LIMIT as u64 + 1, rings), "onion", &["result: "]);
        too_large(call("onion", &[count(LIMIT + 1), rings.into()]), "onion", &["result: "]);
    }
    let value = folder(LIMIT);
    assert_eq!(proxy.measure_folder(&value), Ok(LIMIT as u64));
    assert_eq!(call("measure_folder", &[value.value()]), Ok(count(LIMIT)));
    assert_eq!(proxy.folder(LIMIT as u64), Ok(value.clone()));
    assert_eq!(call("folder", &[count(LIMIT)]), Ok(value.value()));

    let value = folder(LIMIT + 1);
    too_large(proxy.measure_folder(&value), "measure_folder", &[]);
    too_large(call("measure_folder", &[value.value()]), "measure_folder", &["folders[0].value.folders: nested"]);
    too_large(proxy.folder(LIMIT as u64 + 1), "folder", &["result: "]);
    too_large(call("folder", &[count(LIMIT + 1)]), "folder", &["result: "]);
}

/// Takes a tree apart from the outside: dropping it whole takes as much stack as it is deep.
fn dismantle_tree(mut tree: Tree) {
    while let Some(child) = tree.children.pop() {
        tree = child;
    }
}

fn dismantle_chain(mut chain: Chain) {
    while let Some(next) = chain.next.take() {
        chain = *next;
    }
}

#[test]
fn what_is_abysmally_deep_overflows_no_stack() {
    let (_runtime, proxy, _bundle) = loaded();
    let deep = tree(ABYSS);
    too_large(proxy.measure_tree(&deep), "measure_tree", &[]);
    dismantle_tree(deep);
    let deep = chain(ABYSS);
    too_large(proxy.measure_chain(&deep), "measure_chain", &[]);
    dismantle_chain(deep);
}

/// A value as deep as an abyss, each level made by `around`.
fn abyss(innermost: Value, around: impl Fn(Value) -> Value) -> Value {
    (0..ABYSS).fold(innermost, |value, _| around(value))
}

fn dismantle(mut value: Value) {
    loop {
        let inner = match value {
            Value::List(mut items) => items.pop(),
            Value::Record(mut fields) => fields.pop().map(|(_, value)| value),
            Value::Option(inner) => inner.map(|inner| *inner),
            _ => None,
        };
        let Some(inner) = inner else { break };
        value = inner;
    }
}

#[test]
fn abysmal_values_overflow_no_stack() {
    let (runtime, _proxy, _bundle) = loaded();
    let call = |method: &str, value: &Value| runtime.call("test.depth@1", method, std::slice::from_ref(value));
    let node = |children: Vec<Value>| Value::record([("value", Value::I32(1)), ("children", Value::List(children))]);
    let deep = abyss(node(vec![]), |child| node(vec![child]));
    too_large(call("measure_tree", &deep), "measure_tree", &["value.children[0]"]);
    dismantle(deep);

    let link = |next: Option<Value>| Value::record([("number", Value::U64(1)), ("next", next.into())]);
    let deep = abyss(link(None), |next| link(Some(next)));
    too_large(call("measure_chain", &deep), "measure_chain", &["value.next"]);
    dismantle(deep);

    // A value of another type is quoted in the error, but not to its end.
    let deep = abyss(Value::Unit, |value| Value::List(vec![value]));
    let error = call("measure_tree", &deep).unwrap_err();
    let expected = format!("value: expected Tree, got list {}...", "[".repeat(100));
    assert!(matches!(&error, CallError::InvalidArgument(failure) if failure.message == expected), "{error}");
    dismantle(deep);
}
