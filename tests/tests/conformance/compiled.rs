//! A compiler lets no value of another type pass, but references to nothing, and cases that the contract does not have.

use polyplug::CallError;
use test_contracts::conformance::{Mirror, Radio, Wrong};

use crate::guest::{Guest, raised, refused};
use crate::objects::Station;
use crate::wrong::Reflects;

/// What is wrong, where, and what is said of it.
const PARTS: [(&str, &str, &str); 17] = [
    ("item_name", "items[3].name", "expected string, got null"),
    ("item_text", "items[1]", "expected Item, got null"),
    ("items_text", "items", "expected list<Item>, got null"),
    ("colour_unknown", "colour", "`Purple` is no case of Colour, only Red, Green, Blue"),
    ("colour_number", "colour", "`-5` is no case of Colour, only Red, Green, Blue"),
    ("shape_none", "shape", "expected Shape, got null"),
    ("shape_unknown", "shape", "`Blob` is no case of Shape, only Empty, Dot, Line, Circle, Named, Inside"),
    ("shape_field", "shape.Circle.centre", "expected Point, got null"),
    ("shape_part", "shape.Line.1", "expected Point, got null"),
    ("shape_tag", "shape.Named.tags[1]", "expected string, got null"),
    ("shape_inner", "shape.Inside.0.Inside.0", "`Blob` is no case of Shape"),
    ("stock_text", "stock", "expected map<string, u32>, got null"),
    ("stock_key", "stock[0].key", "expected string, got a text with half of a surrogate pair"),
    ("size_none", "size", "expected tuple<u8, string>, got null"),
    ("size_type", "size.1", "expected string, got null"),
    ("customer_lacks", "customer", "expected string, got null"),
    ("customer_broken", "customer", "expected string, got a text with half of a surrogate pair"),
];

#[track_caller]
fn says(text: &str, what: &str, path: &str, reason: &str) {
    let expected = format!("{path}: {reason}");
    assert!(text.contains(&expected), "{what}: `{expected}` is in: {text}");
}

pub(crate) fn absent_parts_of_results_are_named(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Wrong>("wrong");
    assert_eq!(proxy.order("nothing").unwrap().items.len(), 4, "with nothing wrong in it");
    for (what, path, reason) in PARTS {
        let failure = refused(proxy.order(what));
        assert_eq!(failure.method, "test.wrong.order");
        assert!(failure.message.starts_with("result."), "{what}: {failure:?}");
        says(&failure.message, what, &format!("result.{path}"), reason);
    }
    says(&refused(proxy.order("none")).message, "none", "result", "expected Order, got null");
    assert_eq!(proxy.calm(7), Ok(7), "the plugin serves on");
}

pub(crate) fn absent_results_are_refused(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Wrong>("wrong");
    macro_rules! wrong {
        ($($method:ident: $what:literal => $reason:literal;)+) => {$(
            let failure = refused(proxy.$method($what));
            assert_eq!(failure.method, concat!("test.wrong.", stringify!($method)));
            says(&failure.message, concat!(stringify!($method), " ", $what), "result", $reason);
        )+};
    }
    for _ in 0..2 {
        wrong! {
            text: "none" => "expected string, got null";
            text: "broken_text" => "expected string, got a text with half of a surrogate pair";
            bytes: "none" => "expected bytes, got null";
            letter: "broken" => "expected char, got half of a surrogate pair";
            shape: "none" => "expected Shape, got null";
            shape: "unknown_case" => "`Blob` is no case of Shape, only Empty, Dot, Line, Circle, Named, Inside";
        }
    }
    assert_eq!((proxy.letter("x"), proxy.nothing("none"), proxy.calm(7)), (Ok('x'), Ok(()), Ok(7)));
}

pub(crate) fn absent_errors_are_refused(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Wrong>("wrong");
    for (what, path, reason) in [
        ("unknown", "result.error", "`Shut` is no case of Refusal, only Closed, Full, Other"),
        ("none", "result.error", "expected Refusal, got null"),
        ("field", "result.error.Other.0", "expected string, got null"),
        ("type", "result.error", "the contract has the variant `Refusal`, and not `int`"),
    ] {
        let failure = refused(proxy.failure(what));
        assert_eq!(failure.method, "test.wrong.failure");
        says(&failure.message, what, path, reason);
    }
    assert_eq!(proxy.failure("nothing"), Ok(Ok(1)));
}

pub(crate) fn absent_arguments_for_the_host_are_named(guest: &Guest) {
    let (runtime, _bundle, proxy) = guest.proxy::<dyn Wrong>("wrong");
    runtime.provide::<dyn Mirror>(Reflects).unwrap();
    assert_eq!(proxy.argument("nothing"), Ok("fine".to_owned()));
    for (what, path, reason) in PARTS {
        let text = proxy.argument(what).unwrap();
        assert!(text.contains(", test.mirror.order: an argument is no value of its type"), "{what}: {text}");
        says(&text, what, &format!("order.{path}"), reason);
    }
    says(&proxy.argument("none").unwrap(), "none", "order", "expected Order, got null");
    assert_eq!(proxy.argument("nothing"), Ok("fine".to_owned()), "the plugin serves on");
}

pub(crate) fn absent_objects_are_refused(guest: &Guest) {
    let (runtime, _bundle, proxy) = guest.proxy::<dyn Wrong>("wrong");
    let station = Station::default();
    runtime.provide::<dyn Radio>(station.clone()).unwrap();
    let text = proxy.tune("nothing").unwrap();
    assert!(text.contains("test.radio.tune"), "{text}");
    says(&text, "nothing", "listener", "expected listener, got null");
    assert!(station.0.lock().unwrap().is_empty());
}

/// The interfaces that a plugin calls with are its own, and are compared with the contracts.
pub(crate) fn interfaces_that_differ_are_refused(guest: &Guest) {
    let (runtime, _bundle, proxy) = guest.proxy::<dyn Wrong>("wrong");
    let station = Station::default();
    runtime.provide::<dyn Radio>(station.clone()).unwrap();
    runtime.provide::<dyn Mirror>(Reflects).unwrap();
    for _ in 0..2 {
        let text = proxy.argument("many").unwrap();
        for part in ["test.mirror", "the contract has 1 argument", "order(order: Order) -> Order"] {
            assert!(text.contains(part), "{part} is in: {text}");
        }
        let text = proxy.argument("silent").unwrap();
        for part in ["test.mirror", "result: the contract has the record `Order`, and not `void`"] {
            assert!(text.contains(part), "{part} is in: {text}");
        }
        let text = proxy.tune("method").unwrap();
        for part in ["test.radio", "hear(string words)", "`listener`"] {
            assert!(text.to_lowercase().contains(part), "{part} is in: {text}");
        }
    }
    assert!(station.0.lock().unwrap().is_empty());
    assert_eq!(proxy.argument("nothing"), Ok("fine".to_owned()), "the plugin serves on");
    let answer: Result<u32, CallError> = proxy.undeclared();
    assert_eq!(raised(answer).method, "test.wrong.undeclared");
}
