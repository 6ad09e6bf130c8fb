//! Code in JavaScript that does its worst: a call fails with the error that says what it was, the host goes on, and the
//! plugin serves the next call.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use polyplug::{BundleId, CallError, Failure, Runtime};
use polyplug_js::JsLoader;
use polyplug_tests::js::{SCRIPT, Script, js_runtime, load_error, load_js, loaded, loaded_by, run, try_load_js};
use polyplug_tests::{Logged, logged};
use test_contracts::calling::Logger;
use test_contracts::conformance::Item;
use test_contracts::types::{Refusal, Shape};

/// Methods that run `code` and return its result, each as a value of another type.
#[polyplug::contract(name = "test.hostile", version = "1.0")]
trait Hostile {
    fn nothing(&self, code: &str);
    fn number(&self, code: &str) -> i32;
    fn large(&self, code: &str) -> i64;
    fn text(&self, code: &str) -> String;
    fn numbers(&self, code: &str) -> Vec<u32>;
    fn bytes(&self, code: &str) -> Vec<u8>;
    fn stock(&self, code: &str) -> BTreeMap<String, u32>;
    fn pair(&self, code: &str) -> (u8, String);
    fn item(&self, code: &str) -> Item;
    fn shape(&self, code: &str) -> Shape;
    fn fails(&self, code: &str) -> Result<u32, Refusal>;
}

/// A bundle that implements [`Hostile`].
const HOSTILE: &str = r#"
import * as polyplug from "polyplug";

globalThis.breaks = () => {
  throw new Error("no ink");
};
globalThis.rejects = () => {
  Promise.reject(new Error("nobody looks"));
};

const Body = Function;
class Hostile {}
for (const name of "nothing number large text numbers bytes stock pair item shape fails".split(" ")) {
  Hostile.prototype[name] = function (code) {
    return new Body("self", "polyplug", code)(this, polyplug);
  };
}
polyplug.plugin("test.hostile@1", Hostile);
"#;

/// The place of a line of [`HOSTILE`], as errors name it.
fn place_of(part: &str) -> String {
    let line = HOSTILE.lines().position(|line| line.contains(part)).expect("a line of the text") + 1;
    format!("js/main.js:{line}")
}

/// The bundle, with checks of what its methods answer.
struct Checks {
    runtime: Arc<Runtime>,
    proxy: HostileProxy,
}

impl Checks {
    fn new() -> Self {
        Self::with(JsLoader::new())
    }

    fn with(loader: JsLoader) -> Self {
        let runtime = loaded_by(loader, HOSTILE);
        let proxy = runtime.proxy::<dyn Hostile>().unwrap();
        Self { runtime, proxy }
    }

    /// The plugin serves the next call, by the proxy and by a new one.
    #[track_caller]
    fn serves(&self, after: &str) {
        assert_eq!(self.proxy.number("return 7"), Ok(7), "after {after}");
        assert_eq!(self.runtime.proxy::<dyn Hostile>().unwrap().number("return 7"), Ok(7), "after {after}");
    }

    /// The answer is refused as no value of its type, with this path and reason.
    #[track_caller]
    fn refused<T: std::fmt::Debug>(&self, code: &str, answer: Result<T, CallError>, expected: &str) {
        let Err(CallError::InvalidResult(failure)) = &answer else { panic!("{code}: {answer:?}") };
        assert!(failure.message.starts_with("result"), "{code}: {failure:?}");
        assert!(failure.message.contains(expected), "{code}: `{expected}` is in: {failure:?}");
        self.serves(code);
    }

    /// The call ends in an exception that says so.
    #[track_caller]
    fn raised<T: std::fmt::Debug>(&self, code: &str, answer: Result<T, CallError>, expected: &str) -> Failure {
        let Err(CallError::Exception(failure)) = answer else { panic!("{code}: {answer:?}") };
        assert!(failure.message.contains(expected), "{code}: `{expected}` is in: {failure:?}");
        self.serves(code);
        *failure
    }
}

/// Nothing is left of the bundle.
#[track_caller]
fn ends(runtime: &Runtime) {
    runtime.unload_bundle(BundleId::new("js")).unwrap();
    assert_eq!(runtime.quiesce(Duration::from_secs(20)), []);
}

const TIME: &str = "the call of bundle `js` takes longer than its 400ms";
const MEMORY: &str = "bundle `js` needs more memory than its 8388608 bytes";

fn impatient() -> JsLoader {
    JsLoader::new().with_time_limit(Duration::from_millis(400))
}

fn frugal() -> JsLoader {
    JsLoader::new().with_memory_limit(8 << 20)
}

#[track_caller]
fn reaches(runtime: &Runtime, code: &str, limit: &str) {
    println!("{code}");
    let error = run(runtime, code).unwrap_err();
    let CallError::LimitReached(failure) = &error else { panic!("{code}: {error:?}") };
    assert!(failure.message.contains(limit), "{code}: {error}");
    assert_eq!(failure.method, "test.script.run");
    assert_eq!(run(runtime, "return 1 + 1").unwrap(), "2", "after {code}");
}

/// Checks that code uses up the stack, which is a `RangeError` as everywhere in JavaScript.
#[track_caller]
fn overflows(runtime: &Runtime, code: &str) {
    let error = run(runtime, code).unwrap_err();
    let CallError::Exception(failure) = &error else { panic!("{code}: {error:?}") };
    assert_eq!(failure.message, "RangeError: Maximum call stack size exceeded", "{code}");
    assert_eq!(run(runtime, "return 1 + 1").unwrap(), "2", "after {code}");
}

#[test]
fn a_call_that_never_ends_is_ended() {
    let runtime = loaded_by(impatient(), SCRIPT);
    for code in [
        "for (;;) {}",
        "for (;;) { try { for (;;) {} } catch {} }",
        "for (;;) { try { for (;;) {} } finally { continue; } }",
        "try { for (;;) {} } finally { for (;;) {} }",
        "for (const x of (function* () { for (;;) yield 1; })()) {}",
        "return [3, 2, 1].sort(() => { for (;;) {} })",
        "return new Proxy({}, { get() { for (;;) {} } }).x",
        "return { toString() { for (;;) {} } }",
        "return { [Symbol.toPrimitive]() { for (;;) {} } }",
        "return JSON.stringify({ toJSON() { for (;;) {} } })",
        "return 'x'.replace(/x/, () => { for (;;) {} })",
        "return new Function('for (;;) {}')()",
        "return Promise.resolve().then(() => { for (;;) {} })",
        "return (async () => { for (;;) await null; })()",
        "return (async () => { for (;;) { try { for (;;) await null; } catch {} } })()",
        "return (async () => { try { await new Promise(() => { for (;;) {} }); } catch { return 'caught'; } })()",
    ] {
        reaches(&runtime, code, TIME);
    }
    ends(&runtime);
}

#[test]
fn a_regular_expression_that_goes_back_for_ever_is_ended() {
    let runtime = loaded_by(impatient(), SCRIPT);
    for code in [
        "return /^(a+)+$/.test('a'.repeat(60) + 'b')",
        "return /(x+x+)+y/.exec('x'.repeat(60))",
        "for (;;) { try { /^(a+)+$/.test('a'.repeat(60) + 'b'); } catch {} }",
    ] {
        reaches(&runtime, code, TIME);
    }
}

#[test]
fn a_wait_for_a_timer_has_the_limit_of_its_call() {
    let runtime = loaded_by(impatient(), SCRIPT);
    reaches(&runtime, "return new Promise((resolve) => setTimeout(resolve, 1e9))", TIME);
    reaches(&runtime, "return new Promise(() => setTimeout(function again() { setTimeout(again, 1); }, 1))", TIME);
    let quick = "return new Promise((resolve) => setTimeout(() => resolve('quick'), 1))";
    assert_eq!(run(&runtime, quick).unwrap(), "quick");
}

struct Silent;

impl Logger for Silent {
    fn log(&self, _: &str) -> u32 {
        0
    }

    fn panics(&self, words: &str) {
        panic!("{words}")
    }

    fn lines(&self) -> Vec<String> {
        Vec::new()
    }
}

#[test]
fn calls_of_the_host_that_are_tried_again_and_again_are_ended() {
    let runtime = loaded_by(impatient(), SCRIPT);
    runtime.provide::<dyn Logger>(Silent).unwrap();
    for code in [
        "const logger = polyplug.host('test.logger@1'); for (;;) { try { for (;;) logger.log('x'); } catch {} }",
        "const logger = polyplug.host('test.logger@1'); for (;;) { try { logger.panics('no'); } catch {} }",
        "const logger = polyplug.host('test.logger@1'); for (;;) { try { logger.log(Symbol('no text')); } catch {} }",
        "for (;;) { try { polyplug.host('test.unheard_of@1'); } catch {} }",
    ] {
        reaches(&runtime, code, TIME);
    }
}

#[test]
fn microtasks_without_end_keep_nobody() {
    let runtime = loaded_by(impatient(), SCRIPT);
    let answer = run(&runtime, "queueMicrotask(function again() { queueMicrotask(again); }); return 'returned'");
    match answer {
        Ok(text) => assert_eq!(text, "returned"),
        Err(CallError::LimitReached(failure)) => assert!(failure.message.contains(TIME), "{failure:?}"),
        Err(other) => panic!("{other:?}"),
    }
    ends(&runtime);
}

#[test]
fn a_start_is_limited_as_well() {
    let runtime = js_runtime(impatient());
    for code in [
        format!("{SCRIPT}\nfor (;;) {{}}"),
        format!("{SCRIPT}\nfor (;;) await null;"),
        format!("{SCRIPT}\nawait new Promise((resolve) => setTimeout(resolve, 1e9));"),
    ] {
        let error = try_load_js(&runtime, "js", &code).unwrap_err();
        assert!(error.contains("takes longer than its 400ms"), "{code}: {error}");
    }
    load_js(&runtime, "js", &SCRIPT.replace("run(code) {", "constructor() { for (;;) {} }\n\n  run(code) {"));
    let error = runtime.proxy::<dyn Script>().map(drop).unwrap_err().to_string();
    assert!(error.contains("takes longer than its 400ms"), "{error}");
    ends(&runtime);
}

#[test]
fn a_bundle_that_wants_too_much_memory_is_refused_it() {
    let runtime = loaded_by(frugal(), SCRIPT);
    for code in [
        "const kept = []; for (;;) kept.push(new Array(1000).fill(kept.length))",
        "let text = 'x'; for (;;) { text += text; text.charCodeAt(1); }",
        "return 'x'.repeat(2 ** 29)",
        "return 'x'.padStart(2 ** 29)",
        "return new Uint8Array(2 ** 30)",
        "return new Array(1e8).fill(0)",
        "const map = new Map(); for (let i = 0; ; i++) map.set(i, [i])",
        "return JSON.stringify(Array(1e6).fill('xxxxxxxxxx'))",
        "return Array.from({ length: 1e8 }, () => ({}))",
        "let promise = Promise.resolve(); for (;;) promise = promise.then(() => 1)",
    ] {
        reaches(&runtime, code, MEMORY);
    }
    // What was kept goes with the call.
    for _ in 0..20 {
        assert_eq!(run(&runtime, "return new Uint8Array(4 << 20).length").unwrap(), "4194304");
    }
    ends(&runtime);
}

#[test]
fn a_script_that_catches_the_lack_of_memory_ends_all_the_same() {
    let runtime = loaded_by(frugal().with_time_limit(Duration::from_millis(500)), SCRIPT);
    let code = "for (const kept = []; ; ) { try { for (;;) kept.push(new Array(1000).fill(0)); } catch {} }";
    reaches(&runtime, code, "bundle `js`");
}

#[test]
fn a_text_that_is_too_long_for_the_engine_is_an_exception() {
    let runtime = loaded(SCRIPT);
    for code in ["return 'x'.repeat(2 ** 31)", "return 'x'.repeat(-1)", "return new Array(-1)"] {
        let error = run(&runtime, code).unwrap_err();
        let CallError::Exception(failure) = &error else { panic!("{code}: {error:?}") };
        assert!(failure.message.starts_with("RangeError: "), "{failure:?}");
    }
    assert_eq!(run(&runtime, "return 1 + 1").unwrap(), "2");
}

/// Codes that nest until the stack is used up.
const NESTS: [&str; 7] = [
    "function f() { return 1 + f(); } return f()",
    "const o = { get x() { return this.x + 1; } }; return o.x",
    "const o = { toString() { return `${o}!`; } }; return `${o}`",
    "return [1].map(function f(x) { return [x].map(f); })",
    "let list = []; for (let i = 0; i < 1e5; i++) list = [list]; return JSON.stringify(list)",
    "let list = []; for (let i = 0; i < 1e5; i++) list = [list]; return list.flat(Infinity)",
    "let proxy = {}; for (let i = 0; i < 1e5; i++) proxy = new Proxy(proxy, {}); return proxy.x",
];

#[test]
fn a_recursion_without_end_is_an_error() {
    for loader in [JsLoader::new(), JsLoader::new().with_stack_limit(128 << 10)] {
        let runtime = loaded_by(loader, SCRIPT);
        for code in NESTS {
            overflows(&runtime, code);
        }
        ends(&runtime);
    }
}

#[test]
fn a_small_stack_of_the_thread_is_not_overrun() {
    let runtime = loaded(SCRIPT);
    for size in [256 << 10, 512 << 10, 8 << 20] {
        std::thread::scope(|scope| {
            let small = std::thread::Builder::new().stack_size(size);
            let call = || NESTS.iter().for_each(|code| overflows(&runtime, code));
            small.spawn_scoped(scope, call).unwrap().join().unwrap();
        });
    }
}

#[test]
fn a_program_that_nests_too_deep_is_an_error() {
    let runtime = loaded(SCRIPT);
    for code in [
        "return new Function(`return ${'('.repeat(1e5)}1${')'.repeat(1e5)}`)()",
        "return new Function(`return ${'['.repeat(1e5)}`)()",
        "return new Function('x => '.repeat(1e5) + '1')()",
        "return new RegExp('('.repeat(1e5) + ')'.repeat(1e5))",
        "return JSON.parse('['.repeat(1e5))",
    ] {
        let error = run(&runtime, code).unwrap_err();
        assert!(matches!(error, CallError::Exception(_) | CallError::LimitReached(_)), "{code}: {error:?}");
        assert_eq!(run(&runtime, "return 1 + 1").unwrap(), "2", "after {code}");
    }
    // What is nested deep is freed without nesting.
    let deep = "let list = null; for (let i = 0; i < 2e5; i++) list = { list }; return 'made'";
    assert_eq!(run(&runtime, deep).unwrap(), "made");
    ends(&runtime);
}

#[test]
fn anything_may_be_thrown() {
    let runtime = loaded(SCRIPT);
    for (code, expected) in [
        ("throw undefined", "undefined"),
        ("throw null", "null"),
        ("throw 5", "5"),
        ("throw 5n", "5"),
        ("throw 'plain text'", "plain text"),
        ("throw Symbol('x')", "a symbol"),
        ("throw {}", ""),
        ("throw () => 1", ""),
        ("throw new TypeError('no ink')", "TypeError: no ink"),
        ("class Own extends Error { name = 'Own'; } throw new Own('no ink')", "no ink"),
        ("throw Object.freeze(new Error('no ink'))", "no ink"),
        ("throw { message: 'no ink' }", ""),
        ("throw { get message() { throw 1; }, toString() { throw 2; } }", ""),
        ("throw new Proxy({}, { get() { throw 1; }, getPrototypeOf() { throw 2; } })", ""),
        ("throw Object.defineProperty(new Error('no ink'), 'message', { get() { throw 1; } })", ""),
        ("throw Object.defineProperty(new Error('no ink'), 'stack', { get() { throw 1; } })", "no ink"),
        ("throw Object.defineProperty(new Error('no ink'), 'stack', { value: 5 })", "no ink"),
        ("throw Object.assign(new Error('no ink'), { message: Symbol('x'), name: Symbol('y') })", ""),
        ("const error = new Error('no ink'); error.cause = error; throw error", "no ink"),
        ("const { proxy, revoke } = Proxy.revocable(new Error('x'), {}); revoke(); throw proxy", ""),
        ("Error.stackTraceLimit = 0; throw new Error('no ink')", "no ink"),
        ("Error.prepareStackTrace = () => { throw 1; }; throw new Error('no ink')", ""),
        ("Error.prepareStackTrace = undefined; Error.stackTraceLimit = 10; throw new Error('no ink')", "no ink"),
    ] {
        let error = run(&runtime, code).unwrap_err();
        let CallError::Exception(failure) = &error else { panic!("{code}: {error:?}") };
        assert!(failure.message.contains(expected), "{code}: {failure:?}");
        assert_eq!(run(&runtime, "return 1 + 1").unwrap(), "2", "after {code}");
    }
    ends(&runtime);
}

#[test]
fn an_exception_has_its_place() {
    let checks = Checks::new();
    let place = place_of("throw new Error(\"no ink\")");
    for code in ["breaks()", "return (async () => breaks())()", "return Promise.resolve().then(breaks)"] {
        let failure = checks.raised(code, checks.proxy.number(code), "Error: no ink");
        assert_eq!(failure.location.as_deref(), Some(&*place), "{code}: {failure:?}");
        assert!(failure.traceback.is_some_and(|traceback| traceback.contains(&place)), "{code}");
    }
}

#[test]
fn what_throws_while_it_is_read_is_an_exception() {
    let checks = Checks::new();
    for code in [
        "return { name: 'x', get count() { throw new Error('no count'); }, price: 1 }",
        "return new Proxy({}, { get() { throw new Error('no count'); }, has() { throw new Error('no count'); } })",
        "return { name: 'x', get count() { return breaks(); }, price: 1 }",
    ] {
        checks.raised(code, checks.proxy.item(code), "no ");
    }
    let code = "return { *[Symbol.iterator]() { yield 1; throw new Error('no more'); } }";
    checks.raised(code, checks.proxy.numbers(code), "no more");
    let code = "return { get [Symbol.iterator]() { throw new Error('no way'); } }";
    checks.raised(code, checks.proxy.numbers(code), "no way");
    let code = "const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy";
    let answer = checks.proxy.item(code);
    assert!(matches!(answer, Err(CallError::Exception(_) | CallError::InvalidResult(_))), "{answer:?}");
    checks.serves(code);
}

#[test]
fn odd_objects_are_records_if_they_have_the_fields() {
    let checks = Checks::new();
    let item = Item { name: "x".to_owned(), count: 1, price: 2.0 };
    for code in [
        "return new Proxy({ name: 'x', count: 1, price: 2 }, {})",
        "return Object.freeze({ name: 'x', count: 1, price: 2 })",
        "return Object.assign(Object.create(null), { name: 'x', count: 1, price: 2 })",
        "return new (class { name = 'x'; count = 1; get price() { return 2; } })()",
        // A later minor version may add fields.
        "return { name: 'x', count: 1, price: 2, then: 5, constructor: null, 0: 'zero', [Symbol('s')]: 1 }",
        "return JSON.parse('{ \"__proto__\": 5, \"name\": \"x\", \"count\": 1, \"price\": 2 }')",
    ] {
        assert_eq!(checks.proxy.item(code), Ok(item.clone()), "{code}");
    }
    for (code, expected) in [
        ("return { name: 'x', count: 1 }", "result.price: the field is missing"),
        ("return { name: 'x', count: 1, prize: 2 }", "there is no field `prize`, only name, count, price"),
        ("return { name: 'x', count: undefined, price: 2 }", "result.count"),
        ("return ['x', 1, 2]", "result"),
        ("return () => 1", "expected Item, got "),
        ("return 'x'", "expected Item, got "),
        ("return null", "expected Item, got "),
        ("return Symbol('x')", "expected Item, got "),
    ] {
        checks.refused(code, checks.proxy.item(code), expected);
    }
}

#[test]
fn odd_keys_are_keys() {
    let checks = Checks::new();
    for (code, expected) in [
        ("return JSON.parse('{ \"__proto__\": 1 }')", r#"{"__proto__": 1}"#),
        (
            "return new Map([['__proto__', 1], ['constructor', 2], ['', 3]])",
            r#"{"": 3, "__proto__": 1, "constructor": 2}"#,
        ),
        ("return { 5: 1, a: 2 }", r#"{"5": 1, "a": 2}"#),
        ("return { then: 1, toString: 2 }", r#"{"then": 1, "toString": 2}"#),
        ("return Object.create({ inherited: 1 })", "{}"),
    ] {
        assert_eq!(format!("{:?}", checks.proxy.stock(code).unwrap()), expected, "{code}");
    }
    for (code, expected) in [
        ("return { a: '1' }", "result[0].value: expected u32, got "),
        ("return new Map([[1, 1]])", "result[0].key: expected string, got "),
        ("return new Map([[Symbol('x'), 1]])", "result[0].key: expected string, got "),
        ("return 5", "expected map<string, u32>, got "),
        ("return null", "expected map<string, u32>, got "),
    ] {
        checks.refused(code, checks.proxy.stock(code), expected);
    }
}

#[test]
fn lists_have_no_gaps() {
    let checks = Checks::new();
    for (code, expected) in [
        ("return [1, , 3]", "result[1]: the list has no item there: it has a gap"),
        ("return [1, undefined, 3]", "result[1]: expected u32, got undefined"),
        ("return new Array(5)", "result[0]: the list has no item there: it has a gap"),
        ("return { 0: 1, 1: 2, length: 2 }", "expected list<u32>, got "),
        ("return '12'", "expected list<u32>, got "),
        ("return [1, -1]", "result[1]: -1 is out of range for u32"),
        ("return [1, 1.5]", "result[1]: expected u32, got "),
        ("return [1, 2n ** 64n]", "result[1]"),
        ("return Float64Array.of(1, NaN)", "result[1]: expected u32, got "),
    ] {
        checks.refused(code, checks.proxy.numbers(code), expected);
    }
    let code = "return [1, , ]";
    checks.refused(code, checks.proxy.pair(code), "result.1: the list has no item there: it has a gap");
    // There is no memory for so many, or the first one is missing.
    let code = "const list = []; list[4_000_000_000] = 1; return list";
    let answer = checks.proxy.numbers(code);
    assert!(matches!(answer, Err(CallError::InvalidResult(_) | CallError::TooLarge(_))), "{answer:?}");
    checks.serves(code);
    for code in ["return [1, 2]", "return new Set([1, 2])", "return Uint16Array.of(1, 2)", "return [1, 2].values()"] {
        assert_eq!(checks.proxy.numbers(code), Ok(vec![1, 2]), "{code}");
    }
    // A list that changes while it is read.
    let code =
        "const list = [1, 2, 3]; Object.defineProperty(list, 0, { get() { list.length = 1; return 1; } }); return list";
    match checks.proxy.numbers(code) {
        Ok(numbers) => assert_eq!(numbers, [1]),
        answer => checks.refused(code, answer, "result[1]"),
    }
    checks.serves(code);
}

#[test]
fn an_iterator_that_never_ends_is_ended() {
    let checks = Checks::with(impatient());
    let code = "return (function* () { for (;;) yield 1; })()";
    let answer = checks.proxy.numbers(code);
    assert!(matches!(answer, Err(CallError::LimitReached(_))), "{answer:?}");
    checks.serves(code);
    let checks = Checks::with(frugal());
    let answer =
        checks.proxy.numbers("const kept = []; return (function* () { for (;;) { kept.push([1]); yield 1; } })()");
    assert!(matches!(answer, Err(CallError::LimitReached(_))), "{answer:?}");
    checks.serves(code);
}

#[test]
fn bytes_of_a_buffer_that_is_gone_are_not_read() {
    let checks = Checks::new();
    for code in [
        "const bytes = new Uint8Array(4096).fill(65); bytes.buffer.transfer(); return bytes",
        "const buffer = new ArrayBuffer(4096, { maxByteLength: 8192 }); const bytes = new Uint8Array(buffer, 2048); \
         buffer.resize(1024); return bytes",
    ] {
        match checks.proxy.bytes(code) {
            Ok(bytes) => assert!(bytes.is_empty(), "{code}: {} bytes", bytes.len()),
            Err(CallError::InvalidResult(_) | CallError::Exception(_)) => {}
            Err(other) => panic!("{code}: {other:?}"),
        }
        checks.serves(code);
    }
    for code in [
        "return Uint8Array.of(1, 2)",
        "return new Uint8Array(Uint8Array.of(0, 1, 2, 3).buffer, 1, 2)",
        "return Uint8Array.of(0, 1, 2, 3).subarray(1, 3)",
    ] {
        assert_eq!(checks.proxy.bytes(code), Ok(vec![1, 2]), "{code}");
    }
    checks.refused("a text", checks.proxy.bytes("return 'x'"), "expected bytes, got ");
}

#[test]
fn nothing_is_converted() {
    let checks = Checks::new();
    for code in [
        "return { [Symbol.toPrimitive]: () => 5 }",
        "return { valueOf: () => 5 }",
        "return '5'",
        "return true",
        "return null",
        "return [5]",
        "return new Date(5)",
        "return Symbol('x')",
    ] {
        checks.refused(code, checks.proxy.number(code), "result: expected i32, got ");
    }
    for code in ["return { toString: () => 'x' }", "return 5", "return ['x']", "return Symbol('x')", "return undefined"]
    {
        checks.refused(code, checks.proxy.text(code), "result: expected string, got ");
    }
    checks.refused("a lone surrogate", checks.proxy.text("return 'x\\ud800'"), "UTF-8");
    for (code, expected) in [
        ("return 2n ** 63n", "9223372036854775808 is out of range for i64"),
        ("return -(2n ** 100n)", "is out of range for i64"),
        ("return 0.5", "expected i64, got "),
        ("return Object(5n)", "expected i64, got "),
    ] {
        checks.refused(code, checks.proxy.large(code), expected);
    }
    for code in ["return { tag: 5 }", "return { tag: { toString: () => 'Empty' } }", "return []", "return 5"] {
        checks.refused(code, checks.proxy.shape(code), "expected Shape, got ");
    }
    checks.refused("a case", checks.proxy.shape("return 'Blob'"), "`Blob` is no case of Shape");
    checks.refused(
        "a part",
        checks.proxy.shape("return { tag: 'Dot', val: 256 }"),
        "result.Dot.0: 256 is out of range",
    );
    let code = "return { tag: 'Dot', val: 1, value: 2 }";
    checks.refused(code, checks.proxy.shape(code), "this one has the property `value` besides");
    checks.refused("something", checks.proxy.nothing("return 5"), "expected (), got ");
    assert_eq!(checks.proxy.large("return -(2n ** 63n)"), Ok(i64::MIN));
    assert_eq!(checks.proxy.number("return -0"), Ok(0));
}

#[test]
fn frozen_and_spoilt_prototypes_harm_nobody() {
    for code in [
        "for (const type of [Object, Array, Map, Promise, Error, Function]) Object.freeze(type.prototype); return 1",
        "try { Object.freeze(globalThis); } catch {} return 1",
        "Object.prototype.tag = 'Dot'; Object.prototype.val = 300; return 1",
        "Object.prototype.then = 5; return 1",
        "Array.prototype[Symbol.iterator] = undefined; return 1",
        "Object.defineProperty(Array.prototype, 0, { set() { throw new Error('no items'); }, get: () => 5 }); return 1",
        "for (const name of ['Map', 'Promise', 'Error', 'Uint8Array', 'JSON']) globalThis[name] = undefined; return 1",
        "const all = globalThis; for (const name of Object.getOwnPropertyNames(all)) delete all[name]; return 1",
    ] {
        let checks = Checks::new();
        assert_eq!(checks.proxy.number(code), Ok(1), "{code}");
        let item = checks
            .proxy
            .item("return { name: 'x', count: 1, price: 2 }")
            .unwrap_or_else(|error| panic!("{code}: {error}"));
        assert_eq!(item.count, 1, "{code}");
        drop(checks.proxy);
        ends(&checks.runtime);
    }
}

#[test]
fn a_promise_that_nothing_settles_is_an_error() {
    let checks = Checks::new();
    for code in [
        "return new Promise(() => {})",
        "return (async () => { await new Promise(() => {}); return 1; })()",
        "return new Promise(() => { setTimeout(() => {}, 1); })",
    ] {
        checks.raised(code, checks.proxy.number(code), "promise");
    }
    // One that is settled by a later call is not waited for either.
    checks.raised(
        "kept",
        checks.proxy.number("return new Promise((resolve) => { self.resolve = resolve; })"),
        "promise",
    );
    assert_eq!(checks.proxy.number("self.resolve(5); return 6"), Ok(6));
    let error = load_error(&format!("{SCRIPT}\nawait new Promise(() => {{}});"));
    assert!(error.contains("promise"), "{error}");
}

#[test]
fn rejections_are_errors_of_the_call() {
    let checks = Checks::new();
    for code in [
        "return Promise.reject(new Error('no ink'))",
        "return (async () => { throw new Error('no ink'); })()",
        "return new Promise((_, reject) => setTimeout(() => reject(new Error('no ink')), 1))",
        "return Promise.all([1, Promise.reject(new Error('no ink'))])",
    ] {
        let failure = checks.raised(code, checks.proxy.number(code), "Error: no ink");
        assert_eq!(failure.method, "test.hostile.number");
    }
    checks.refused(
        "a promise of text",
        checks.proxy.number("return Promise.resolve('x')"),
        "result: expected i32, got ",
    );
    assert_eq!(checks.proxy.number("return (async () => { await null; return 5; })()"), Ok(5));
    for code in ["return Promise.reject({ tag: 'Closed' })", "return (async () => { throw { tag: 'Closed' }; })()"] {
        assert_eq!(checks.proxy.fails(code), Ok(Err(Refusal::Closed)), "{code}");
    }
    let code = "return Promise.reject({ tag: 'Full', val: { capacity: -1 } })";
    checks.refused(code, checks.proxy.fails(code), "result.error.Full.capacity: -1 is out of range for u32");
    // A text is no error of the variant: libraries throw texts.
    checks.raised("a text", checks.proxy.fails("return Promise.reject('Closed')"), "Closed");
    let error = load_error(&format!("{SCRIPT}\nawait Promise.reject(new Error('no start'));"));
    assert!(error.contains("no start"), "{error}");
}

fn of_bundle(messages: &[Logged]) -> Vec<&str> {
    messages.iter().filter(|logged| logged.bundle == "js").map(|logged| logged.message.as_str()).collect()
}

#[test]
fn rejections_that_nobody_handles_are_logged_with_their_stack() {
    let (answers, messages) = logged(|| {
        let checks = Checks::new();
        let handled = "Promise.reject(new Error('handled')).catch(() => {}); \
                       const late = Promise.reject(new Error('late')); queueMicrotask(() => late.catch(() => {})); return 2";
        (checks.proxy.number("rejects(); return 1"), checks.proxy.number(handled))
    });
    assert_eq!(answers, (Ok(1), Ok(2)));
    let [message] = of_bundle(&messages)[..] else { panic!("one message, not {messages:?}") };
    assert!(message.contains("nobody looks"), "{message}");
    assert!(message.contains(&place_of("Promise.reject(new Error(\"nobody looks\"))")), "its stack: {message}");
}

#[test]
fn what_a_method_does_to_the_module_polyplug_is_refused_or_harmless() {
    let runtime = loaded(SCRIPT);
    for code in [
        "polyplug.plugin('test.script@1', {})",
        "polyplug.plugin()",
        "polyplug.host()",
        "polyplug.host('no contract')",
        "polyplug.peer(Symbol('x'))",
        "polyplug.types({})",
        "polyplug.context.onUnload(5)",
        "polyplug.log('shout', 'x')",
        "'use strict'; polyplug.log = 5",
    ] {
        let error = run(&runtime, code).unwrap_err();
        assert!(matches!(error, CallError::Exception(_)), "{code}: {error:?}");
        assert_eq!(run(&runtime, "return 1 + 1").unwrap(), "2", "after {code}");
    }
    ends(&runtime);
}

#[test]
fn a_program_that_is_none_is_refused() {
    for (code, expected) in [
        ("plugin('test.script@1', {})", "plugin"),
        ("import { plugin } from 'polyplug'; plugin('test.script@1', null);", "test.script@1"),
        ("import { plugin } from 'polyplug'; plugin('test.script@1', 5);", "test.script@1"),
        ("import { plugin } from 'polyplug'; plugin('test.script@1', { run: 5 });", "run"),
        ("import { nothing } from 'polyplug';", "nothing"),
        ("import fs from 'fs';", "fs"),
        ("import 'lodash';", "lodash"),
        ("import './absent.js';", "absent.js"),
        ("import '/etc/passwd';", "/etc/passwd"),
        ("import 'file:///etc/passwd';", "/etc/passwd"),
        ("import 'https://x.example/y.js';", "x.example"),
        ("throw null;", "null"),
        ("throw { message: 'no start' };", ""),
        ("function f() { return 1 + f(); } f();", "stack"),
        ("with ({}) {}", "main.js:1"),
    ] {
        let error = load_error(code);
        assert!(error.contains("`js`") && error.contains(expected), "{code}: `{expected}` is in: {error}");
    }
}
