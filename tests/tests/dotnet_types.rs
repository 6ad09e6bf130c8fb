//! The signatures of methods in C#: which are those of a contract, and what is said of those that are not.

use std::collections::HashMap;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use polyplug::{CallError, Contract, Failure, Runtime, Type};
use polyplug_tests::dotnet::{Version, dotnet_bundle, dotnet_runtime};
use polyplug_tests::lua::Script;
use polyplug_tests::{Bundle, on_each_dotnet};
use test_contracts::callbacks::Progress;
use test_contracts::conformance::Listener;
use test_contracts::instances::Singleton;
use test_contracts::types::{Colour, Mixed, Point, Shape};

on_each_dotnet! {
    methods_are_found_by_signature arguments_are_lent_or_copied fields_are_found_by_name differences_are_listed
    plugins_that_cannot_be_made_are_refused a_static_class_is_a_plugin two_plugins_of_one_contract
    a_declared_error_that_is_not_declared_is_told
    tasks_are_waited_for a_stuck_context_does_not_hold_a_task tasks_that_fail_tell_why
    collections_are_made_as_they_are_read collections_that_lie_are_refused texts_are_told_apart_by_their_code_units
}

#[derive(Debug, Clone, PartialEq, Type)]
struct Numbers {
    numbers: Vec<i32>,
}

/// Implemented by `signatures.cs`, and by `refused.cs` in wrong ways.
#[polyplug::contract(name = "test.signatures", version = "1.0")]
trait Signatures {
    fn fewer(&self, a: i32, b: i32) -> i32;
    fn more(&self) -> i32;
    fn width(&self, a: i64, b: i64) -> i64;
    fn text(&self, value: String) -> String;
    fn sign(&self, value: u32) -> u32;
    fn later(&self, value: i32) -> i32;
    fn nothing(&self);
    fn unit(&self);
    fn maybe(&self, value: Option<i32>) -> Option<i32>;
    fn deep(&self, value: Option<Option<Option<bool>>>) -> Option<Option<Option<bool>>>;
    fn numbers(&self, value: Numbers) -> Vec<i32>;
    fn texts(&self, value: Vec<String>) -> Vec<String>;
    fn map(&self, value: HashMap<String, i32>) -> HashMap<String, i32>;
    fn tuple(&self, value: (u8, String)) -> (u8, String);
    fn record(&self, value: Mixed) -> Mixed;
    fn case(&self, value: Colour) -> Colour;
    fn variant(&self, value: Shape) -> Shape;
    fn object(&self, listener: &dyn Listener, progress: &dyn Progress) -> u32;
    fn address(&self, value: &[u8]) -> u64;
    fn copied(&self, value: &[u8]) -> u64;
    fn fails(&self, value: String) -> Result<(), String>;
}

/// Implemented by `lazy.cs`.
#[polyplug::contract(name = "test.lazy", version = "1.0")]
trait Lazy {
    fn map(&self, what: &str) -> HashMap<String, i32>;
    fn list(&self, what: &str) -> Vec<String>;
}

fn proxy<C: Contract + ?Sized>(version: Version, plugins: &str) -> (Arc<Runtime>, Bundle, C::Proxy) {
    let (runtime, bundle) = (dotnet_runtime(version), dotnet_bundle(plugins, plugins));
    runtime.load_bundle(bundle.path()).unwrap_or_else(|error| panic!("{plugins}: {error}"));
    let proxy = runtime.proxy::<C>().unwrap_or_else(|error| panic!("{plugins}: {error}"));
    (runtime, bundle, proxy)
}

fn refusal(version: Version, plugins: &str) -> String {
    let (runtime, bundle) = (dotnet_runtime(version), dotnet_bundle(plugins, plugins));
    let Err(error) = runtime.load_bundle(bundle.path()) else { panic!("{plugins}: it was loaded") };
    assert_eq!((runtime.bundle_ids(), runtime.retired()), (vec![], vec![]), "nothing is left after: {error}");
    error.to_string()
}

#[track_caller]
fn failure<T: std::fmt::Debug>(answer: Result<T, CallError>) -> Failure {
    match answer {
        Err(CallError::Exception(failure) | CallError::InvalidResult(failure)) => *failure,
        other => panic!("a failure, not {other:?}"),
    }
}

struct Hears;

impl Listener for Hears {
    fn hear(&self, words: &str) -> Result<u32, String> {
        Ok(words.len() as u32)
    }
}

impl Progress for Hears {
    fn step(&self, done: u32, label: &str) -> bool {
        done == 1 && label == "x"
    }

    fn breaks(&self) {}

    fn note(&self, text: String) -> Result<u32, String> {
        Err(text)
    }
}

fn methods_are_found_by_signature(version: Version) {
    let (_runtime, _bundle, proxy) = proxy::<dyn Signatures>(version, "signatures");
    assert_eq!((proxy.fewer(5, 3), proxy.more()), (Ok(2), Ok(2)), "of a base class, and overridden");
    assert_eq!(proxy.width(2, 3), Ok(5), "without an instance");
    assert_eq!(proxy.text("x".to_owned()), Ok("new x".to_owned()), "hides that of the base class");
    assert_eq!(proxy.sign(u32::MAX), Ok(u32::MAX), "one of several with the name");
    assert_eq!((proxy.later(5), proxy.nothing(), proxy.unit()), (Ok(5), Ok(()), Ok(())), "asynchronous");
    for value in [None, Some(5)] {
        assert_eq!(proxy.maybe(value), Ok(value));
    }
    for value in [None, Some(None), Some(Some(None)), Some(Some(Some(false)))] {
        assert_eq!(proxy.deep(value), Ok(value));
    }
    assert_eq!(proxy.numbers(Numbers { numbers: vec![1, -2] }), Ok(vec![1, -2]));
    assert_eq!(proxy.texts(vec!["a".to_owned(), "b".to_owned()]), Ok(vec!["b".to_owned(), "a".to_owned()]));
    assert_eq!(proxy.tuple((7, "x".to_owned())), Ok((7, "x".to_owned())));
    assert_eq!(proxy.object(&Hears, &Hears), Ok(5), "objects as a function and as an interface with fewer methods");
    assert_eq!(proxy.fails("no".to_owned()), Ok(Err("no".to_owned())));
}

fn arguments_are_lent_or_copied(version: Version) {
    let (_runtime, _bundle, proxy) = proxy::<dyn Signatures>(version, "signatures");
    let value = vec![5_u8; 100_000];
    assert_eq!(proxy.address(&value), Ok(value.as_ptr() as u64), "a span is the caller's own memory");
    assert_ne!(proxy.copied(&value), Ok(value.as_ptr() as u64), "`Memory<byte>` may be kept, and is a copy");
    assert!(value.iter().all(|&byte| byte == 5), "which may be written to");
    assert!(proxy.address(&[]).is_ok());
}

fn fields_are_found_by_name(version: Version) {
    let (_runtime, _bundle, proxy) = proxy::<dyn Signatures>(version, "signatures");
    let mixed = |text: &str| Mixed {
        flag: true,
        number: i64::MIN,
        small: 7,
        letter: 'ß',
        text: text.to_owned(),
        bytes: vec![1, 2],
        last: u16::MAX,
    };
    assert_eq!(proxy.record(mixed("x")), Ok(mixed("xmore")), "what the contract does not have keeps its value");
    for colour in [Colour::Red, Colour::Green, Colour::Blue] {
        assert_eq!(proxy.case(colour), Ok(colour), "whatever its number");
    }
    for shape in test_contracts::conformance::shapes() {
        assert_eq!(proxy.variant(shape.clone()), Ok(shape));
    }
    let line = Shape::Line(Point { x: 1.0, y: 2.0 }, Point { x: 3.0, y: 4.0 });
    assert_eq!(proxy.variant(line.clone()), Ok(line), "the constructor says which comes first, and not the class");
    // It does not fit a `char` of C#.
    let crab = Mixed { letter: '🦀', ..mixed("x") };
    let Err(CallError::InvalidArgument(failure)) = proxy.record(crab) else { panic!("it is refused") };
    assert!(
        failure.message.contains("`value`.letter: ") && failure.message.contains("System.Text.Rune"),
        "{failure:?}"
    );
}

/// A method, the reason of its refusal, its form in C#, in the contract, and the one that was expected.
const DIFFERENCES: &[(&str, &str, &str, &str, &str)] = &[
    (
        "Fewer",
        "the contract has 2 arguments, and the method 1",
        "int Fewer(int a)",
        "fewer(a: i32, b: i32) -> i32",
        "int Fewer(int a, int b)",
    ),
    ("More", "the contract has 0 arguments, and the method 1", "int More(int a)", "more() -> i32", "int More()"),
    ("Width", "result: ", "int Width(long a, long b)", "width(a: i64, b: i64) -> i64", "long Width(long a, long b)"),
    (
        "Text",
        "argument `value`: ",
        "string Text(char[] value)",
        "text(value: string) -> string",
        "string Text(string value)",
    ),
    ("Sign", "argument `value`: ", "int Sign(int value)", "sign(value: u32) -> u32", "uint Sign(uint value)"),
    ("LaterAsync", "result: ", "Task<long> LaterAsync(int value)", "later(value: i32) -> i32", "int Later(int value)"),
    ("Nothing", "result: ", "int Nothing()", "nothing()", "void Nothing()"),
    ("Unit", "result: ", "int Unit()", "unit()", "void Unit()"),
    (
        "Maybe",
        "argument `value`: ",
        "int Maybe(int value)",
        "maybe(value: option<i32>) -> option<i32>",
        "int? Maybe(int? value)",
    ),
    (
        "Deep",
        "an option within an option",
        "bool? Deep(bool? value)",
        "deep(value: option<option<option<bool>>>) -> option<option<option<bool>>>",
        "Option<Option<bool?>> Deep(Option<Option<bool?>> value)",
    ),
    (
        "Numbers",
        "`Numbers` has no constructor parameter, settable property or field for `numbers` of `Numbers`",
        "Span<int> Numbers(Numbers value)",
        "numbers(value: Numbers) -> list<i32>",
        "List<int> Numbers(Numbers value)",
    ),
    (
        "Texts",
        "argument `value`: ",
        "ReadOnlySpan<string> Texts(ReadOnlySpan<string> value)",
        "texts(value: list<string>) -> list<string>",
        "List<string> Texts(List<string> value)",
    ),
    (
        "Map",
        "argument `value`: ",
        "Dictionary<int, string> Map(Dictionary<int, string> value)",
        "map(value: map<string, i32>) -> map<string, i32>",
        "Dictionary<string, int> Map(Dictionary<string, int> value)",
    ),
    (
        "Tuple",
        "argument `value`: ",
        "(string, byte) Tuple((byte, string, int) value)",
        "tuple(value: tuple<u8, string>) -> tuple<u8, string>",
        "(byte, string) Tuple((byte, string) value)",
    ),
    (
        "Record",
        "`Mixed` has 2 constructors with which `Mixed` can be made: leave one of them public",
        "Mixed Record(Mixed value)",
        "record(value: Mixed) -> Mixed",
        "Mixed Record(Mixed value)",
    ),
    (
        "Case",
        "the enum `Colour` has no member for the case `Blue` of `Colour`",
        "Colour Case(Colour value)",
        "case(value: Colour) -> Colour",
        "Colour Case(Colour value)",
    ),
    (
        "Variant",
        "the case `Dot` of `Shape`",
        "Shape Variant(Shape value)",
        "variant(value: Shape) -> Shape",
        "Shape Variant(Shape value)",
    ),
    (
        "Object",
        "argument `listener`: ",
        "uint Object(Func<uint> listener, IProgress progress)",
        "object(listener: listener, progress: progress) -> u32",
        "uint Object(IListener listener, IProgress progress)",
    ),
    (
        "Copied",
        "argument `value`: ",
        "ulong Copied(ref byte[] value)",
        "copied(value: bytes) -> u64",
        "ulong Copied(byte[] value)",
    ),
    (
        "Fails",
        "it returns a `Result`, where a method returns the value and throws the error",
        "Result<int, string> Fails(string value)",
        "fails(value: string) -> result<(), string>",
        "void Fails(string value)",
    ),
];

fn differences_are_listed(version: Version) {
    let error = refusal(version, "refused");
    for part in ["`refused`", "test.signatures@1"] {
        assert!(error.contains(part), "{part} is in: {error}");
    }
    for (method, reason, own, contract, expected) in DIFFERENCES {
        let begin = format!("`Refused.{method}` differs from the contract: ");
        let start = error.find(&begin).unwrap_or_else(|| panic!("`{begin}` is in: {error}"));
        let account: Vec<_> = error[start..].lines().take(4).collect();
        let all = account.join("\n");
        assert!(account[0].contains(reason), "{reason} is in: {all}");
        assert_eq!(account[1].trim_start(), format!("in C#:           {own}"), "{all}");
        assert!(
            account[2].trim_start().starts_with(&format!("in the contract: {contract}")),
            "{contract} is in: {all}"
        );
        assert!(
            account[3].trim_start().starts_with(&format!("expected in C#:  {expected}")),
            "{expected} is in: {all}"
        );
    }
    let both = "`Refused` has 2 methods `Address` that all match the contract's `address(value: bytes) -> u64`";
    assert!(error.contains(both), "{both} is in: {error}");
}

fn plugins_that_cannot_be_made_are_refused(version: Version) {
    for (plugins, reason) in [
        ("no_constructor", "`Script` has no public constructor that takes a `PluginContext` or nothing"),
        ("abstract", "`Script` is abstract"),
        ("generic", "has type parameters"),
        (
            "hidden",
            "lacks the methods `Divide` (it has `Divide`, which is not public: make it public), `Greet` (it has `Greet`, \
             which is not public: make it public), `Sum` (it has `Sum`, which is not public: make it public)",
        ),
    ] {
        let error = refusal(version, plugins);
        for part in [&format!("`{plugins}`"), reason] {
            assert!(error.contains(part), "{part} is in: {error}");
        }
    }
}

fn a_declared_error_that_is_not_declared_is_told(version: Version) {
    let (_runtime, _bundle, proxy) = proxy::<dyn Script>(version, "undeclared");
    let failure = failure(proxy.run("x"));
    for part in ["DeclaredException<string>", "no x", "the method declares no error in the contract"] {
        assert!(failure.message.contains(part), "{part} is in: {}", failure.message);
    }
}

fn a_static_class_is_a_plugin(version: Version) {
    let (runtime, _bundle, proxy) = proxy::<dyn Script>(version, "static");
    assert_eq!(proxy.run("x"), Ok("static x".to_owned()), "and knows its bundle");
    let singleton = runtime.proxy::<dyn Singleton>().unwrap();
    assert_eq!((singleton.count(), singleton.count()), (Ok(1), Ok(2)), "it may implement several contracts");
    let names: Vec<_> = runtime.bundles()[0].plugins.iter().map(|plugin| plugin.name.clone()).collect();
    assert_eq!(names, ["test.script", "again"]);
}

fn two_plugins_of_one_contract(version: Version) {
    let error = refusal(version, "twice");
    for part in ["`twice`", "test.script"] {
        assert!(error.contains(part), "{part} is in: {error}");
    }
}

fn tasks_are_waited_for(version: Version) {
    let (_runtime, _bundle, proxy) = proxy::<dyn Script>(version, "waiting");
    assert_eq!(proxy.run("later"), Ok("later".to_owned()));
    assert_eq!(proxy.run("scheduler"), Ok("default".to_owned()));
    for _ in 0..2 {
        assert_eq!(proxy.run("local"), Ok("nothing set".to_owned()), "what flows with a call does not stay");
    }
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..20).for_each(|_| assert_eq!(proxy.run("later"), Ok("later".to_owned()))));
        }
    });
}

/// A context of a user interface runs what is posted on a thread that waits for the call.
fn a_stuck_context_does_not_hold_a_task(version: Version) {
    let (_runtime, _bundle, proxy) = proxy::<dyn Script>(version, "waiting");
    let (done, wait) = mpsc::channel();
    std::thread::spawn(move || {
        assert_eq!(proxy.run("stuck"), Ok("set".to_owned()));
        assert_eq!(proxy.run("context"), Ok("none".to_owned()), "not during a call that is waited for");
        done.send(proxy.run("later")).unwrap();
    });
    assert_eq!(wait.recv_timeout(Duration::from_secs(30)), Ok(Ok("later".to_owned())));
}

fn tasks_that_fail_tell_why(version: Version) {
    let (_runtime, _bundle, proxy) = proxy::<dyn Script>(version, "waiting");
    for (code, reason) in [
        ("null", "the method returned null, where a task was expected"),
        ("cancelled", "TaskCanceledException"),
        ("two", "one"),
        ("null result", "got null"),
    ] {
        let failure = failure(proxy.run(code));
        assert_eq!(failure.method, "test.script.run");
        assert!(failure.message.contains(reason), "{code}: {failure:?}");
    }
    assert_eq!(proxy.run("later"), Ok("later".to_owned()), "the plugin serves on");
}

fn collections_are_made_as_they_are_read(version: Version) {
    let (_runtime, _bundle, proxy) = proxy::<dyn Lazy>(version, "lazy");
    assert_eq!(proxy.list("fine"), Ok(vec!["a".to_owned()]));
    assert_eq!(proxy.map("fine"), Ok(HashMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)])));
    let failure = failure(proxy.list("throws"));
    assert!(failure.message.ends_with("no more"), "{failure:?}");
    let place = failure.location.as_deref().expect("a location");
    assert!(place.contains("lazy.cs:"), "{place}");
}

fn collections_that_lie_are_refused(version: Version) {
    let (_runtime, _bundle, proxy) = proxy::<dyn Lazy>(version, "lazy");
    assert_eq!(proxy.map("more").map(|map| map.len()), Ok(2), "those that are there");
    for what in ["fewer", "negative", "twice"] {
        let failure = failure(proxy.map(what));
        assert_eq!(failure.method, "test.lazy.map", "{what}: {failure:?}");
    }
    assert_eq!(failure(proxy.list("null")).message, "result[1]: expected string, got null");
    assert!(proxy.map("fine").is_ok(), "the plugin serves on");
}

/// A comparison in the order of a language holds some texts for the same that are none.
fn texts_are_told_apart_by_their_code_units(version: Version) {
    let (_runtime, _bundle, proxy) = proxy::<dyn Signatures>(version, "signatures");
    let texts = ["", "\0", "\u{ad}", "a", "A", "a\0", "\u{e4}", "a\u{308}", "\u{feff}"];
    let map: HashMap<_, _> = texts.iter().zip(0..).map(|(text, number)| ((*text).to_owned(), number)).collect();
    assert_eq!(proxy.map(map.clone()), Ok(map));
}
