//! What a guest returns, raises or hands over that is none of its type is refused, with the path to it.

use polyplug::CallError;
use test_contracts::callbacks::Progress;
use test_contracts::conformance::{Clinging, Extremes, Mirror, Objects, Order, Radio, Wrong};
use test_contracts::types::{Colour, Refusal, Shape};

use crate::guest::{Guest, needs, raised, refused};
use crate::objects::Station;

/// What is wrong, where, and what is said of it up to the value that was found.
const PARTS: [(&str, &str, &str); 27] = [
    ("item_name", "items[3].name", "expected string, got "),
    ("item_lacks", "items[0].price", "the field is missing"),
    ("item_misspelt", "items[0]", "there is no field `prize`, only name, count, price"),
    ("item_text", "items[1]", "expected Item, got "),
    ("count_large", "items[0].count", "4294967296 is out of range for u32"),
    ("count_negative", "items[2].count", "-1 is out of range for u32"),
    ("count_fraction", "items[2].count", "expected u32, got "),
    ("count_huge", "items[2].count", ""),
    ("count_nan", "items[2].count", "expected u32, got "),
    ("items_text", "items", "expected list<Item>, got "),
    ("items_record", "items", "expected "),
    ("note_number", "note", "expected string, got "),
    ("colour_unknown", "colour", "`Purple` is no case of Colour, only Red, Green, Blue"),
    ("colour_number", "colour", "expected Colour, got "),
    ("shape_unknown", "shape", "`Dott` is no case of Shape, only Empty, Dot, Line, Circle, Named, Inside"),
    ("shape_text", "shape.Dot.0", "expected u8, got "),
    ("shape_range", "shape.Dot.0", "256 is out of range for u8"),
    ("shape_field", "shape.Circle.radius", "expected f64, got "),
    ("shape_part", "shape.Line.1.y", "the field is missing"),
    ("stock_value", "stock[0].value", "-1 is out of range for u32"),
    ("stock_key", "stock[0].key", "expected string, got "),
    ("stock_text", "stock", "expected map<string, u32>, got "),
    ("size_short", "size", "expected tuple<u8, string>, got "),
    ("size_long", "size", "expected tuple<u8, string>, got "),
    ("size_type", "size.1", "expected string, got "),
    ("customer_lacks", "customer", "the field is missing"),
    ("id_negative", "id", "-1 is out of range for u64"),
];

/// The name of what was wrong is no part of the contract's name, so this tells which it was.
#[track_caller]
fn says(text: &str, what: &str, path: &str, reason: &str) {
    let expected = format!("{path}: {reason}");
    assert!(text.contains(&expected), "{what}: `{expected}` is in: {text}");
    if reason.ends_with("got ") {
        assert!(!text.ends_with("got "), "{what}: what was got is said: {text}");
    }
}

pub(crate) fn wrong_parts_of_results_are_named(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Wrong>("wrong");
    assert_eq!(proxy.order("nothing").unwrap().items.len(), 4, "with nothing wrong in it");
    for (what, path, reason) in PARTS {
        let failure = refused(proxy.order(what));
        assert_eq!(failure.method, "test.wrong.order");
        assert!(failure.message.starts_with("result."), "{what}: {failure:?}");
        says(&failure.message, what, &format!("result.{path}"), guest.words(what, reason));
    }
    for what in ["none", "text"] {
        says(&refused(proxy.order(what)).message, what, "result", "expected Order, got ");
    }
    assert_eq!(proxy.calm(7), Ok(7), "the plugin serves on");
}

pub(crate) fn wrong_results_are_refused(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Wrong>("wrong");
    macro_rules! wrong {
        ($($method:ident: $($what:literal)+ => $reason:literal;)+) => {$($(
            let failure = refused(proxy.$method($what));
            assert_eq!(failure.method, concat!("test.wrong.", stringify!($method)));
            says(&failure.message, concat!(stringify!($method), " ", $what), "result", guest.words($what, $reason));
        )+)+};
    }
    wrong! {
        boolean: "none" "number" "text" => "expected bool, got ";
        int8: "none" "text" "flag" "list" "fraction" "nan" "infinite" => "expected i8, got ";
        int64: "none" "text" "flag" "fraction" "nan" => "expected i64, got ";
        float32: "none" "text" "flag" => "expected f32, got ";
        letter: "none" "texts" "empty" "flag" => "expected char, got ";
        text: "none" "flag" "list" => "expected string, got ";
        bytes: "none" "flag" => "expected bytes, got ";
        shape: "none" "number" "no_case" => "expected Shape, got ";
        shape: "unknown_case" => "`Blob` is no case of Shape, only Empty, Dot, Line, Circle, Named, Inside";
        nothing: "number" "text" => "expected (), got ";
    }
    let failure = refused(proxy.text("broken_text"));
    assert!(failure.message.starts_with("result: ") && failure.message.contains("UTF-8"), "{failure:?}");
    let failure = refused(proxy.bytes("wrong_bytes"));
    says(&failure.message, "wrong_bytes", "result[1]", "expected u8, got ");
    assert_eq!(proxy.nothing("none"), Ok(()));
}

pub(crate) fn numbers_out_of_range_are_refused(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Wrong>("wrong");
    macro_rules! beyond {
        ($($method:ident: $what:literal => $reason:literal;)+) => {$(
            says(&refused(proxy.$method($what)).message, $what, "result", $reason);
        )+};
    }
    beyond! {
        int8: "large" => "128 is out of range for i8";
        nat32: "negative" => "-1 is out of range for u32";
        nat32: "beyond" => "9223372036854775808 is out of range for u32";
        int64: "beyond" => "9223372036854775808 is out of range for i64";
        int64: "unsigned" => "9223372036854775808 is out of range for i64";
        nat64: "negative" => "-1 is out of range for u64";
        nat64: "far_beyond" => "18446744073709551616 is out of range for u64";
        float32: "huge" => "";
    }
    assert_eq!(proxy.nat64("unsigned"), Ok(1 << 63));
    assert_eq!(proxy.float32("infinite"), Ok(f32::INFINITY));
}

pub(crate) fn wrong_errors_are_refused(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Wrong>("wrong");
    let failure = refused(proxy.failure("unknown"));
    let words = guest.words("unknown", "`Shut` is no case of Refusal, only Closed, Full, Other");
    says(&failure.message, "unknown", "result.error", words);
    let failure = refused(proxy.failure("field"));
    says(&failure.message, "field", "result.error.Full.capacity", "-1 is out of range for u32");
    says(&refused(proxy.failure("type")).message, "type", "result.error", "expected Refusal, got ");
    says(&refused(proxy.failure("")).message, "no error", "result", "expected u32, got ");
}

pub(crate) fn what_is_not_declared_is_an_exception(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Wrong>("wrong");
    let failure = raised(proxy.undeclared());
    assert_eq!(failure.method, "test.wrong.undeclared");
    assert!(!failure.message.is_empty());
}

pub(crate) fn recursion_ends(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Wrong>("wrong");
    for _ in 0..3 {
        // Some languages count the stack among the limits of a bundle.
        let failure = match proxy.recurse() {
            Err(CallError::LimitReached(failure)) => *failure,
            answer => raised(answer),
        };
        assert!(!failure.message.is_empty());
        assert!(failure.traceback.is_none_or(|traceback| traceback.len() < 100_000), "the traceback is not endless");
        assert_eq!(proxy.calm(7), Ok(7), "the plugin serves on");
    }
}

/// Gives back what it gets.
pub(crate) struct Reflects;

impl Mirror for Reflects {
    fn order(&self, order: Order) -> Order {
        order
    }

    fn extremes(&self, value: Extremes) -> Extremes {
        value
    }

    fn many(
        &self,
        a: u8,
        b: String,
        c: bool,
        d: i64,
        e: f64,
        f: char,
        g: Option<u8>,
        h: u64,
        i: Colour,
    ) -> Vec<String> {
        macro_rules! texts {
            ($($value:ident)*) => { vec![$(format!("{:?}", $value)),*] };
        }
        texts!(a b c d e f g h i)
    }

    fn shape(&self, shape: Result<Shape, Refusal>) -> Result<Shape, Refusal> {
        shape
    }
}

pub(crate) fn wrong_arguments_for_the_host_are_named(guest: &Guest) {
    let (runtime, _bundle, proxy) = guest.proxy::<dyn Wrong>("wrong");
    runtime.provide::<dyn Mirror>(Reflects).unwrap();
    assert_eq!(proxy.argument("nothing"), Ok("fine".to_owned()));
    for (what, path, reason) in PARTS {
        let text = proxy.argument(what).unwrap();
        assert!(text.contains(", test.mirror.order: an argument is no value of its type"), "{what}: {text}");
        says(&text, what, &format!("order.{path}"), guest.words(what, reason));
    }
    let text = proxy.argument("few").unwrap();
    assert!(text.contains("test.mirror.order") && !text.ends_with("got "), "{text}");
    let text = proxy.argument("many").unwrap();
    assert!(text.contains("test.mirror.order") && text.contains('2'), "{text}");
}

pub(crate) fn wrong_objects_are_refused(guest: &Guest) {
    let (runtime, _bundle, proxy) = guest.proxy::<dyn Wrong>("wrong");
    let station = Station::default();
    runtime.provide::<dyn Radio>(station.clone()).unwrap();
    let text = proxy.tune("number").unwrap();
    assert!(text.contains("test.radio.tune"), "{text}");
    says(&text, "number", "listener", "expected listener, got ");
    let kept = |number: usize| station.0.lock().unwrap()[number].clone();
    // Refused at once, or when it is called.
    let told = proxy.tune("method").unwrap();
    let text = if told == "fine" { kept(0).hear("x").unwrap_err().to_string() } else { told };
    assert!(text.contains("`hear`"), "{text}");
    assert_eq!(proxy.tune("result"), Ok("fine".to_owned()));
    let last = station.0.lock().unwrap().len() - 1;
    let failure = refused(kept(last).hear("x"));
    assert_eq!(failure.method, "test.listener.hear");
    says(&failure.message, "result", "result", "expected u32, got ");
    assert_eq!(proxy.calm(7), Ok(7), "the plugin serves on");
}

pub(crate) fn values_that_contain_themselves_are_refused(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Wrong>("wrong");
    for _ in 0..2 {
        let answer = proxy.cyclic();
        let Err(CallError::TooLarge(failure)) = &answer else { panic!("too large, not {answer:?}") };
        assert!(failure.message.contains("nested deeper than 128 levels"), "{failure:?}");
        assert_eq!(proxy.calm(7), Ok(7), "the plugin serves on");
    }
}

struct Patient;

impl Progress for Patient {
    fn step(&self, _: u32, _: &str) -> bool {
        true
    }

    fn breaks(&self) {}

    fn note(&self, text: String) -> Result<u32, String> {
        Err(text)
    }
}

pub(crate) fn what_is_lent_ends_with_the_call(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Clinging>("wrong");
    assert_eq!(proxy.cling(&Patient), Ok(true));
    let text = proxy.later().unwrap();
    assert_ne!(text, "fine");
    assert!(text.contains("test.progress.step"), "{text}");
    assert!(text.contains("the call that this object was lent for has returned"), "{text}");
    let answer: Result<bool, CallError> = proxy.cling(&Patient);
    assert_eq!(answer, Ok(true), "the plugin serves on");
}

pub(crate) fn what_is_lent_cannot_be_kept(guest: &Guest) {
    for keeping in guest.all() {
        let runtime = guest.runtime_for_all();
        let (_keeper, keeper) = keeping.load(&runtime, "keeper", "objects", "");
        let (_bundle, id) = guest.load(&runtime, "wrong", "wrong", &needs(&["test.objects@1"]));
        let proxy = runtime.proxy_from::<dyn Clinging>(id).unwrap();
        let text = proxy.entrust(&Patient).unwrap();
        assert!(text.contains("test.objects") && text.contains("this is no object that may be kept"), "{text}");
        let keeper = runtime.proxy_from::<dyn Objects>(keeper).unwrap();
        assert_eq!(keeper.tell_all("x"), Ok(vec![]), "{} keeps nothing", keeping.loader);
        assert_eq!(proxy.cling(&Patient), Ok(true), "the plugin serves on");
    }
}

pub(crate) fn objects_of_other_contracts_are_refused(guest: &Guest) {
    let (runtime, _bundle, proxy) = guest.proxy::<dyn Clinging>("wrong");
    let station = Station::default();
    runtime.provide::<dyn Radio>(station.clone()).unwrap();
    let text = proxy.mistake(runtime.callback::<dyn Progress>(Patient).unwrap()).unwrap();
    let words = guest.words("mistake", "test.radio.tune");
    assert!(text.contains(words), "{words} is in: {text}");
    assert!(text.contains("listener: "), "{text}");
    assert!(station.0.lock().unwrap().is_empty());
}
