//! Large values cross like small ones.

use std::sync::Arc;

use polyplug::{Runtime, Value};
use polyplug_tests::values::{Sample, same};
use polyplug_tests::{Bundle, runtime};
use test_contracts::types::{Borrowed, Tree, Types, TypesProxy, tree};

fn loaded() -> (Arc<Runtime>, TypesProxy, Bundle) {
    let bundle = Bundle::native("types", "plugin-types");
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    let proxy = runtime.proxy::<dyn Types>().unwrap();
    (runtime, proxy, bundle)
}

fn call(runtime: &Runtime, method: &str, value: &Value) -> Value {
    runtime.call("test.types@1", method, std::slice::from_ref(value)).unwrap()
}

#[test]
fn bytes_and_text() {
    const SIZE: usize = 16 << 20;
    let (runtime, proxy, _bundle) = loaded();
    let bytes: Vec<u8> = (0..SIZE).map(|n| (n % 251) as u8).collect();
    assert!(proxy.bytes(bytes.clone()).unwrap() == bytes);
    let value = Value::from(bytes);
    assert!(call(&runtime, "bytes", &value) == value);

    let text = "0123456789abcde\u{e9}".repeat(SIZE / 17);
    assert!(proxy.text(text.clone()).unwrap() == text);
    let value = Value::from(text);
    assert!(call(&runtime, "text", &value) == value);
}

#[test]
fn long_lists() {
    let (runtime, proxy, _bundle) = loaded();
    let texts: Vec<String> = (0..10_000).map(|n| format!("text number {n}")).collect();
    assert_eq!(proxy.list_text(texts.clone()).unwrap(), texts);
    assert_eq!(call(&runtime, "list_text", &texts.value()), texts.value());

    let flags: Vec<bool> = (0..1_000_000).map(|n| n % 3 == 0).collect();
    assert!(proxy.list_boolean(flags.clone()).unwrap() == flags);
    let numbers: Vec<f64> = (0..1_000_000).map(f64::from).collect();
    assert!(proxy.list_float64(numbers.clone()).unwrap() == numbers);
    assert!(call(&runtime, "list_float64", &numbers.value()) == numbers.value());
}

#[test]
fn large_maps() {
    let (runtime, proxy, _bundle) = loaded();
    let map: std::collections::HashMap<String, _> =
        (0..20_000).map(|n| (format!("key {n}"), test_contracts::types::Shape::Dot(n as u8))).collect();
    assert_eq!(proxy.hash_text(map.clone()).unwrap(), map);
    assert!(same(&call(&runtime, "hash_text", &map.value()), &map.value()));
}

#[test]
fn trees_of_many_nodes() {
    let (runtime, proxy, _bundle) = loaded();
    let tree = Tree { value: -1, children: (0..10).map(|_| tree(100)).collect() };
    assert_eq!(proxy.tree(tree.clone()).unwrap(), tree);
    assert_eq!(call(&runtime, "tree", &tree.value()), tree.value());
    let lent = runtime.proxy::<dyn Borrowed>().unwrap().tree(&tree).unwrap();
    assert_eq!(lent, tree);
}

#[test]
fn calls_after_a_large_one_are_as_before() {
    let (_runtime, proxy, _bundle) = loaded();
    for size in [1usize, 100_000, 2, 1_000_000, 3] {
        let text = "x".repeat(size);
        assert_eq!(proxy.text(text.clone()).map(|text| text.len()), Ok(size));
        assert_eq!(proxy.list_text(vec![text; 3]).map(|texts| texts.len()), Ok(3));
    }
}
