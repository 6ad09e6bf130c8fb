//! A result that is no value of its type is an error that names the method, never a value.

use std::sync::Arc;

use polyplug::schema::Schema;
use polyplug::{CallError, Runtime};
use polyplug_tests::{Bundle, runtime};
use test_contracts::Calculator;

#[derive(Debug, Clone, Copy, PartialEq, polyplug::Type)]
enum Colour {
    Red,
    Green,
    Blue,
}

#[derive(Debug, Clone, PartialEq, polyplug::Type)]
enum Shape {
    Point,
    Circle { radius: f64 },
}

#[derive(Debug, Clone, PartialEq, polyplug::Type)]
struct Tree {
    children: Vec<Tree>,
}

#[derive(Debug, Clone, PartialEq, polyplug::Type)]
struct Chain {
    next: Option<Box<Chain>>,
    number: u64,
}

/// What `tests/c/results.c` answers wrongly, in its order.
#[polyplug::contract(name = "test.results", version = "1.0")]
trait Results {
    fn truth(&self) -> bool;
    fn surrogate(&self) -> char;
    fn beyond_unicode(&self) -> char;
    fn colour(&self) -> Colour;
    fn shape(&self) -> Shape;
    fn maybe(&self) -> Option<i32>;
    fn outcome(&self) -> Result<i32, String>;
    fn broken_text(&self) -> String;
    fn null_text(&self) -> String;
    fn endless_text(&self) -> String;
    fn null_list(&self) -> Vec<i64>;
    fn crooked_list(&self) -> Vec<i64>;
    fn endless_list(&self) -> Vec<i64>;
    fn bad_element(&self) -> Vec<Colour>;
    fn crooked_box(&self) -> Option<Box<Chain>>;
    fn endless_tree(&self) -> Tree;
    fn silence(&self) -> String;
    fn unknown_code(&self) -> i32;
    fn own_code(&self) -> i32;
    fn broken_message(&self) -> i32;
    fn null_message(&self) -> i32;
    fn endless_message(&self) -> i32;
    fn claimed_panic(&self) -> i32;
}

/// The liar, and what keeps its files.
fn liar() -> (ResultsProxy, Arc<Runtime>, Bundle) {
    let bundle = Bundle::c("liar", "results.c", &[]);
    bundle.write("test.results@1.schema", Schema::of::<dyn Results>().encode());
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    (runtime.proxy::<dyn Results>().unwrap(), runtime, bundle)
}

/// Calls a method of the liar; the result must be refused, with a text that has these parts.
#[track_caller]
fn invalid<R: std::fmt::Debug>(method: &str, call: impl FnOnce(&ResultsProxy) -> Result<R, CallError>, parts: &[&str]) {
    let (liar, _runtime, _bundle) = liar();
    let error = call(&liar).expect_err("no value of the result's type");
    let CallError::InvalidResult(failure) = &error else { panic!("an invalid result, not {error:?}") };
    assert_eq!(failure.method, format!("test.results.{method}"));
    assert!(failure.message.starts_with("result: "), "{}", failure.message);
    let text = error.to_string();
    for part in parts.iter().copied().chain([failure.method.as_str()]) {
        assert!(text.contains(part), "{part} is in: {text}");
    }
    assert_eq!(liar.silence(), Ok(String::new()), "the plugin serves on");
}

#[test]
fn a_bool_that_is_neither() {
    invalid("truth", |liar| liar.truth(), &["2 is no bool"]);
}

#[test]
fn a_char_that_is_half_of_one() {
    invalid("surrogate", |liar| liar.surrogate(), &["0xd800 is no Unicode scalar value"]);
}

#[test]
fn a_char_beyond_unicode() {
    invalid("beyond_unicode", |liar| liar.beyond_unicode(), &["0x110000 is no Unicode scalar value"]);
}

#[test]
fn a_case_that_an_enum_does_not_have() {
    invalid("colour", |liar| liar.colour(), &["3 is no case of Colour, which has 3"]);
}

#[test]
fn a_case_that_a_variant_does_not_have() {
    invalid("shape", |liar| liar.shape(), &["4294967295 is no case of Shape, which has 2"]);
}

#[test]
fn an_option_that_is_neither() {
    invalid("maybe", |liar| liar.maybe(), &["7 is no case of option"]);
}

#[test]
fn a_result_that_is_neither() {
    invalid("outcome", |liar| liar.outcome(), &["2 is no case of result"]);
}

#[test]
fn a_text_that_is_not_utf_8() {
    invalid("broken_text", |liar| liar.broken_text(), &["not UTF-8"]);
}

#[test]
fn a_null_text_with_a_length() {
    invalid("null_text", |liar| liar.null_text(), &["the pointer is null"]);
}

#[test]
fn a_text_longer_than_memory() {
    invalid("endless_text", |liar| liar.endless_text(), &["18446744073709551615", "cannot exist"]);
}

#[test]
fn a_null_list_with_a_length() {
    invalid("null_list", |liar| liar.null_list(), &["the pointer is null"]);
}

#[test]
fn a_list_that_is_not_aligned() {
    invalid("crooked_list", |liar| liar.crooked_list(), &["not aligned"]);
}

#[test]
fn a_list_longer_than_memory() {
    invalid("endless_list", |liar| liar.endless_list(), &["1152921504606846976 elements", "cannot exist"]);
}

#[test]
fn an_element_that_is_no_value_is_found_by_its_index() {
    invalid("bad_element", |liar| liar.bad_element(), &["[2]", "99 is no case of Colour"]);
}

#[test]
fn a_box_that_is_not_aligned() {
    invalid("crooked_box", |liar| liar.crooked_box(), &["not aligned"]);
}

#[test]
fn a_tree_that_is_its_own_child() {
    invalid("endless_tree", |liar| liar.endless_tree(), &["nested deeper than 128"]);
}

#[test]
fn success_without_a_result_is_a_result_of_zeroes() {
    let (liar, _runtime, _bundle) = liar();
    assert_eq!(liar.silence(), Ok(String::new()));
}

/// The calculator in C greets with a text that is not UTF-8.
#[test]
fn a_good_method_beside_a_bad_one_serves_on() {
    let bundle = Bundle::c("calc", "registration.c", &[]);
    bundle.write("demo.calculator@1.schema", Schema::of::<dyn Calculator>().encode());
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    let calculator = runtime.proxy::<dyn Calculator>().unwrap();
    for _ in 0..3 {
        let error = calculator.greet("Ada").unwrap_err();
        assert!(matches!(&error, CallError::InvalidResult(failure) if failure.method == "demo.calculator.greet"));
        assert!(error.to_string().contains("not UTF-8"), "{error}");
        assert_eq!(calculator.add(2, 3), Ok(5));
    }
}

#[track_caller]
fn failed<R: std::fmt::Debug>(call: impl FnOnce(&ResultsProxy) -> Result<R, CallError>) -> (u32, String) {
    let (liar, _runtime, _bundle) = liar();
    match call(&liar).expect_err("a failure") {
        CallError::Failed { code, failure } => (code, failure.message),
        other => panic!("a failure with a code, not {other:?}"),
    }
}

#[test]
fn an_unknown_code_is_reported_unchanged() {
    assert_eq!(failed(|liar| liar.unknown_code()), (77, "nobody knows 77".to_owned()));
}

#[test]
fn a_code_of_the_plugins_own_is_reported_unchanged() {
    assert_eq!(failed(|liar| liar.own_code()), (300, "out of paper".to_owned()));
}

#[test]
fn the_readable_part_of_a_message_that_is_not_utf_8_is_reported() {
    assert_eq!(failed(|liar| liar.broken_message()), (1, "caf\u{fffd}".to_owned()));
}

#[test]
fn a_message_that_cannot_be_read_is_replaced_by_its_codes_text() {
    assert_eq!(failed(|liar| liar.null_message()), (1, "failed".to_owned()));
    assert_eq!(failed(|liar| liar.endless_message()), (1, "failed".to_owned()));
}

#[test]
fn a_panic_that_the_plugin_only_claims_has_no_place() {
    let (liar, _runtime, _bundle) = liar();
    let error = liar.claimed_panic().unwrap_err();
    let CallError::Panic(failure) = &error else { panic!("a panic, not {error:?}") };
    assert_eq!((failure.message.as_str(), failure.location.as_deref()), ("so it says", None));
}
