//! Arguments in JSON from anybody: a plugin gets a value that comes back as it was understood, or the call is an error.

#![no_main]

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use polyplug::dynamic::DynamicProxy;
use polyplug::{CallError, Runtime};
use serde_json::{Map, Value as Json, json};

// This target does not use all of the module's functions.
#[allow(dead_code)]
#[path = "../../tests/src/generate.rs"]
mod generate;

use generate::Source;

#[derive(Debug, polyplug::Type)]
enum Mood {
    Calm,
    Strange,
}

#[derive(Debug, polyplug::Type)]
enum Shape {
    Dot,
    Circle { radius: f64, label: Option<String> },
    Group(Vec<Shape>),
    Pair(f32, i8),
}

#[derive(Debug, polyplug::Type)]
struct Numbers {
    small: (i8, u8, i16, u16),
    large: (i32, u32, i64, u64),
    parts: (f32, f64, bool, char),
}

#[derive(Debug, polyplug::Type)]
struct Whole {
    numbers: Numbers,
    moods: BTreeMap<String, Option<Mood>>,
    keyed: BTreeMap<i64, Shape>,
    shapes: (Shape, Result<Shape, i8>),
    twice: Option<Option<u8>>,
    below: Option<Box<Whole>>,
    bytes: Vec<u8>,
    letters: Vec<char>,
}

#[polyplug::contract(name = "fuzz.echo", version = "1.0")]
trait Echo {
    fn whole(&self, whole: Whole) -> Whole;
    fn shape(&self, shape: Shape) -> Shape;
    fn odd(&self, odd: Option<Option<()>>) -> Option<Option<()>>;
    fn texts(&self, texts: Vec<(String, Mood)>) -> Vec<(String, Mood)>;
}

#[derive(Default)]
struct Same;

#[polyplug::plugin]
impl Echo for Same {
    fn whole(&self, whole: Whole) -> Whole {
        whole
    }

    fn shape(&self, shape: Shape) -> Shape {
        shape
    }

    fn odd(&self, odd: Option<Option<()>>) -> Option<Option<()>> {
        odd
    }

    fn texts(&self, texts: Vec<(String, Mood)>) -> Vec<(String, Mood)> {
        texts
    }
}

static PROXY: LazyLock<(Arc<Runtime>, DynamicProxy)> = LazyLock::new(|| {
    let runtime = Runtime::builder().build().expect("no loader has a rival");
    runtime.load_linked_plugins().expect("the plugin above");
    let proxy = runtime.dynamic("fuzz.echo@1").expect("the plugin above");
    (runtime, proxy)
});

const METHODS: [&str; 5] = ["whole", "shape", "odd", "texts", "none"];

fuzz_target!(|bytes: &[u8]| {
    let (number, text) = bytes.split_first().unwrap_or((&0, &[]));
    if let Ok(json) = serde_json::from_slice(text) {
        call(METHODS[usize::from(*number) % METHODS.len()], json);
    }
    // Most texts are no JSON of these types, so some is made that nearly is.
    let mut source = Source::new(bytes);
    let method = METHODS[source.below(4)];
    let argument = match method {
        "whole" => whole(&mut source, 3),
        "shape" => shape(&mut source, 4),
        "texts" => (0..source.below(4)).map(|_| json!([text_of(&mut source), mood(&mut source)])).collect(),
        _ => any(&mut source, 3),
    };
    call(method, argument);
});

fn call(method: &str, argument: Json) {
    let proxy = &PROXY.1;
    let wrong = proxy.call_json(method, &[argument.clone(), argument.clone()]);
    assert!(wrong.is_err(), "one argument too many");
    match proxy.call_json(method, &[argument]) {
        // What came back is what the plugin has understood, which it understands again.
        Ok(understood) => {
            let again = proxy.call_json(method, std::slice::from_ref(&understood));
            assert_eq!(again.expect("it is a value of the type"), understood);
        }
        Err(CallError::Panic(_)) => panic!("no plugin here panics"),
        Err(error) => assert!(error.to_string().contains(method), "{error}"),
    }
}

fn text_of(source: &mut Source<'_>) -> String {
    ["", "a", "Calm", "\u{0}", "\u{1f980}", "e\u{301}", "NaN", "ok"][source.below(8)].to_owned()
}

fn mood(source: &mut Source<'_>) -> Json {
    [json!("Calm"), json!("Strange"), json!("calm"), json!(0), json!(null)][source.below(5)].clone()
}

fn number(source: &mut Source<'_>) -> Json {
    let bits = u64::from_le_bytes(std::array::from_fn(|_| source.below(256) as u8));
    match source.below(8) {
        0 => json!(source.below(128)),
        1 => json!(bits),
        2 => json!(bits as i64),
        3 => json!(f64::from_bits(bits)),
        4 => json!(f64::from(f32::from_bits(bits as u32))),
        5 => json!(["NaN", "Infinity", "-Infinity", "nan"][source.below(4)]),
        6 => json!([-0.0, 1e300, -1.0, 0.1][source.below(4)]),
        _ => json!([i64::MIN, -129, 128, 256, 65_536, 4_294_967_296][source.below(6)]),
    }
}

fn shape(source: &mut Source<'_>, depth: usize) -> Json {
    match source.below(if depth == 0 { 3 } else { 8 }) {
        0 => json!("Dot"),
        1 => json!({ "Circle": { "radius": number(source), "label": text_of(source) } }),
        2 => json!({ "Circle": { "radius": number(source), "label": null } }),
        3 => json!({ "Pair": [number(source), number(source)] }),
        4 => json!({ "Dot": [] }),
        5 => any(source, depth - 1),
        _ => json!({ "Group": (0..source.below(4)).map(|_| shape(source, depth - 1)).collect::<Json>() }),
    }
}

fn whole(source: &mut Source<'_>, depth: usize) -> Json {
    let mut numbers = |count| (0..count).map(|_| number(source)).collect::<Json>();
    let numbers = json!({ "small": numbers(4), "large": numbers(4), "parts": [0.5, numbers(1)[0], true, "x"] });
    let moods: Map<_, _> = (0..source.below(3)).map(|_| (text_of(source), mood(source))).collect();
    let keyed: Json = (0..source.below(3)).map(|_| json!([number(source), shape(source, 1)])).collect();
    let result = if source.below(2) == 0 { json!({ "ok": shape(source, 1) }) } else { json!({ "err": number(source) }) };
    let below = if depth > 0 && source.below(3) == 0 { whole(source, depth - 1) } else { Json::Null };
    let twice = [json!(null), json!({ "some": null }), json!({ "some": 3 }), json!(3)][source.below(4)].clone();
    let mut whole = json!({
        "numbers": numbers, "moods": moods, "keyed": keyed, "shapes": [shape(source, 1), result], "twice": twice,
        "below": below, "bytes": [0, number(source)], "letters": ["a", text_of(source)],
    });
    // A field that is missing, unknown or something else.
    let object = whole.as_object_mut().expect("made above");
    match source.below(8) {
        0 => drop(object.remove("bytes")),
        1 => drop(object.insert("other".to_owned(), any(source, 2))),
        2 => drop(object.insert("letters".to_owned(), any(source, 2))),
        _ => {}
    }
    whole
}

fn any(source: &mut Source<'_>, depth: usize) -> Json {
    match source.below(if depth == 0 { 5 } else { 8 }) {
        0 => Json::Null,
        1 => json!(source.below(2) == 0),
        2 | 3 => number(source),
        4 => json!(text_of(source)),
        5 => json!({ "some": any(source, depth - 1) }),
        6 => (0..source.below(4)).map(|_| any(source, depth - 1)).collect(),
        _ => json!({ text_of(source): any(source, depth - 1), "Group": any(source, depth - 1) }),
    }
}
