//! Tests of the surroundings in QuickJS itself.

use std::cell::{Cell, RefCell};
use std::ffi::{CString, c_void};
use std::ptr;
use std::time::Duration;

use polyplug_abi::LogLevel;
use rquickjs::qjs;

use super::value::Ctx;
use super::{Web, explain_absent};

thread_local! {
    static LINES: RefCell<Vec<(LogLevel, String)>> = const { RefCell::new(Vec::new()) };
}

unsafe fn log(_: *mut qjs::JSContext, level: LogLevel, text: &str) {
    LINES.with_borrow_mut(|lines| lines.push((level, text.to_owned())));
}

/// The memory of the runtimes of this thread: the number of allocations now, and of machines.
struct Memory {
    live: Cell<usize>,
    machines: Cell<usize>,
}

thread_local! {
    static MEMORY: Memory =
        const { Memory { live: Cell::new(0), machines: Cell::new(0) } };
}

unsafe extern "C" {
    fn calloc(count: usize, size: usize) -> *mut c_void;
    fn realloc(pointer: *mut c_void, size: usize) -> *mut c_void;
    fn free(pointer: *mut c_void);
}

impl Memory {
    fn change(by: isize) {
        MEMORY.with(|memory| memory.live.set(memory.live.get().checked_add_signed(by).expect("freed once")));
    }

    unsafe extern "C" fn calloc(_: *mut c_void, count: qjs::size_t, size: qjs::size_t) -> *mut c_void {
        Self::change(1);
        // SAFETY: the function has no requirements.
        unsafe { calloc(count as usize, size as usize) }
    }

    unsafe extern "C" fn malloc(opaque: *mut c_void, size: qjs::size_t) -> *mut c_void {
        // SAFETY: the function has no requirements.
        unsafe { Self::calloc(opaque, 1, size) }
    }

    unsafe extern "C" fn free(_: *mut c_void, pointer: *mut c_void) {
        if !pointer.is_null() {
            Self::change(-1);
            // SAFETY: QuickJS frees what it has allocated.
            unsafe { free(pointer) }
        }
    }

    unsafe extern "C" fn realloc(opaque: *mut c_void, pointer: *mut c_void, size: qjs::size_t) -> *mut c_void {
        // SAFETY: QuickJS gives what it has allocated.
        unsafe {
            if pointer.is_null() {
                return Self::malloc(opaque, size);
            }
            if size == 0 {
                Self::free(opaque, pointer);
                return ptr::null_mut();
            }
            realloc(pointer, size as usize)
        }
    }

    unsafe extern "C" fn usable(_: *const c_void) -> qjs::size_t {
        0
    }

    /// Makes a runtime that uses this memory.
    fn runtime() -> *mut qjs::JSRuntime {
        let functions = qjs::JSMallocFunctions {
            js_calloc: Some(Self::calloc),
            js_malloc: Some(Self::malloc),
            js_free: Some(Self::free),
            js_realloc: Some(Self::realloc),
            js_malloc_usable_size: Some(Self::usable),
        };
        // SAFETY: the functions allocate as those of C; the table is copied.
        unsafe { qjs::JS_NewRuntime2(&functions, ptr::null_mut()) }
    }

    /// Fails if a runtime has left memory.
    fn check() {
        assert_eq!(MEMORY.with(|memory| memory.live.get()), 0, "memory of QuickJS is left");
    }
}

/// A runtime with one context and its surroundings. Its end fails if anything of the runtime is left.
struct Machine {
    runtime: *mut qjs::JSRuntime,
    ctx: *mut qjs::JSContext,
    web: Web,
}

impl Machine {
    fn new() -> Self {
        LINES.with_borrow_mut(Vec::clear);
        MEMORY.with(|memory| memory.machines.set(memory.machines.get() + 1));
        // SAFETY: the runtime and the context are freed by `drop`, and stay on this thread.
        unsafe {
            let runtime = Memory::runtime();
            let ctx = qjs::JS_NewContext(runtime);
            let web = Web::open(ctx, log).expect("opened");
            Self { runtime, ctx, web }
        }
    }

    /// Evaluates a script. Returns the text of its value, or of its exception.
    fn eval(&self, script: &str) -> Result<String, String> {
        let text = CString::new(script).expect("no zero byte");
        // SAFETY: the context is valid; the script ends with a zero byte.
        unsafe {
            let ctx = Ctx::new(self.ctx);
            let len = text.as_bytes().len();
            let flags = qjs::JS_EVAL_TYPE_GLOBAL as _;
            let value = qjs::JS_Eval(self.ctx, text.as_ptr(), len as _, c"test.js".as_ptr(), flags);
            match ctx.own(value) {
                Ok(value) => Ok(value.text().expect("text")),
                Err(_) => Err(self.exception()),
            }
        }
    }

    fn exception(&self) -> String {
        // SAFETY: the context is valid.
        let exception = unsafe { Ctx::new(self.ctx).own(qjs::JS_GetException(self.ctx)) }.expect("a value");
        exception.text().expect("text")
    }

    /// Evaluates a script that must not throw.
    fn run(&self, script: &str) -> String {
        self.eval(script).unwrap_or_else(|error| panic!("{script}\nhas thrown {error}"))
    }

    /// Evaluates a script that must throw.
    fn fails(&self, script: &str) -> String {
        self.eval(script).expect_err(script)
    }

    /// Returns what a script writes to the log.
    fn logged(&self, script: &str) -> Vec<(LogLevel, String)> {
        LINES.with_borrow_mut(Vec::clear);
        self.run(script);
        LINES.with_borrow_mut(std::mem::take)
    }

    /// Returns the description of an expression's value by `console.log`.
    fn shown(&self, expression: &str) -> String {
        let mut lines = self.logged(&format!("console.log({expression})"));
        assert_eq!(lines.len(), 1, "{expression}");
        lines.remove(0).1
    }

    fn run_due(&self) -> Result<(), String> {
        // SAFETY: the context is valid.
        unsafe { self.web.run_due(self.ctx) }.map_err(|()| self.exception())
    }

    fn next_timer(&self) -> Option<Duration> {
        // SAFETY: the context is valid.
        unsafe { self.web.next_timer(self.ctx) }
    }

    /// Runs all timers until there is none.
    fn finish(&self) {
        while let Some(wait) = self.next_timer() {
            assert!(wait < Duration::from_secs(5));
            std::thread::sleep(wait);
            self.run_due().expect("no exception");
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // SAFETY: the context and the runtime are valid, and freed once.
        unsafe {
            self.web.close(self.ctx);
            qjs::JS_FreeContext(self.ctx);
            qjs::JS_FreeRuntime(self.runtime);
        }
        let machines = MEMORY.with(|memory| memory.machines.replace(memory.machines.get() - 1)) - 1;
        if machines == 0 && !std::thread::panicking() {
            Memory::check();
        }
    }
}

#[test]
fn console_writes_strings_plainly_and_describes_objects() {
    let js = Machine::new();
    let lines =
        js.logged("console.log('plain', 'text'); console.log({ a: 'x', b: [1, 2, { c: null }] }, undefined, true)");
    assert_eq!(
        lines,
        [
            (LogLevel::Info, "plain text".to_owned()),
            (LogLevel::Info, "{ a: 'x', b: [ 1, 2, { c: null } ] } undefined true".to_owned()),
        ]
    );
    assert_eq!(js.shown(""), "");
    assert_eq!(
        js.shown("-0, 0, 1.5, NaN, -Infinity, 10n, Symbol('s'), Symbol(), null"),
        "-0 0 1.5 NaN -Infinity 10n Symbol(s) Symbol() null"
    );
    assert_eq!(
        js.shown("new Map([['a', { b: 1 }], [2, 3n]]), new Set(['x', 1])"),
        "Map(2) { 'a' => { b: 1 }, 2 => 3n } Set(2) { 'x', 1 }"
    );
    assert_eq!(
        js.shown("new Uint8Array([1, 2]), new Float64Array(0), new BigInt64Array(1)"),
        "Uint8Array(2) [ 1, 2 ] Float64Array(0) [] BigInt64Array(1) [ 0n ]"
    );
    assert_eq!(
        js.shown("new ArrayBuffer(3), new DataView(new ArrayBuffer(4), 1)"),
        "ArrayBuffer { byteLength: 3 } DataView { byteOffset: 1, byteLength: 3 }"
    );
    assert_eq!(js.shown("new Date(0), new Date(NaN), /a+/gi"), "1970-01-01T00:00:00.000Z Invalid Date /a+/gi");
    assert_eq!(
        js.shown("function f() {}, () => {}, class A {}, class extends Array {}"),
        "[Function: f] [Function (anonymous)] [class A] [class (anonymous)]"
    );
    assert_eq!(
        js.shown("new Number(-3), new String('ab'), new Boolean(false), Object(4n), Object(Symbol('q'))"),
        "[Number: -3] [String: 'ab'] [Boolean: false] [BigInt: 4n] [Symbol: Symbol(q)]"
    );
    assert_eq!(
        js.shown("Promise.resolve(4), new Promise(() => {}), new WeakMap()"),
        "Promise { 4 } Promise { <pending> } WeakMap { <items unknown> }"
    );
    assert_eq!(
        js.shown("Object.create(null), new (class Point { x = 1 })(), new (class List extends Array {})(1, 2)"),
        "[Object: null prototype] {} Point { x: 1 } List(2) [ 1, 2 ]"
    );
    assert_eq!(
        js.shown("[1, , , 4, ,], Object.assign([1], { extra: 'y' })"),
        "[ 1, <2 empty items>, 4, <1 empty item> ] [ 1, extra: 'y' ]"
    );
    assert_eq!(
        js.shown("{ 'a-b': 1, [Symbol('k')]: 2, get g() { throw 1 }, set s(v) {}, get h() { throw 2 }, set h(v) {} }"),
        "{ 'a-b': 1, g: [Getter], s: [Setter], h: [Getter/Setter], [Symbol(k)]: 2 }"
    );
    assert_eq!(js.shown("['it\\'s', 'a\\nb', '\\u{1F600}', '\\u0000']"), "[ \"it's\", 'a\\nb', '\u{1F600}', '\\x00' ]");
    assert_eq!(js.shown("'lone \\ud800!'"), "lone \u{FFFD}!");
}

#[test]
fn console_writes_each_function_at_its_level() {
    let js = Machine::new();
    let lines = js.logged("for (const f of ['debug', 'log', 'info', 'warn', 'error', 'trace']) console[f](f)");
    let levels: Vec<_> = lines.iter().map(|(level, _)| *level).collect();
    use LogLevel as L;
    assert_eq!(levels, [L::Debug, L::Info, L::Info, L::Warn, L::Error, L::Trace]);
    let lines = js.logged("console.assert(1 < 2, 'no'); console.assert(false, 'is %d', 3); console.assert()");
    assert_eq!(lines, [(L::Error, "Assertion failed: is 3".to_owned()), (L::Error, "Assertion failed".to_owned())]);
}

#[test]
fn console_describes_cycles_depth_and_long_values_within_limits() {
    let js = Machine::new();
    assert_eq!(
        js.shown("(() => { const a = { n: 1 }; a.self = a; a.list = [a]; return a })()"),
        "{ n: 1, self: [Circular], list: [ [Circular] ] }"
    );
    assert_eq!(
        js.shown("(() => { const m = new Map(); m.set(m, [m]); return m })()"),
        "Map(1) { [Circular] => [ [Circular] ] }"
    );
    assert_eq!(js.shown("{a:{b:{c:{d:{e:{f:1}}}}}}"), "{ a: { b: { c: { d: { e: [Object] } } } } }");
    assert_eq!(js.shown("[[[[[[1]]]]]]"), "[ [ [ [ [ [Array] ] ] ] ] ]");
    let lines = js.logged(
        "console.dir({a:{b:{c:1}}}, { depth: 0 }); console.dir({a:{b:{c:{d:{e:{f:{g:1}}}}}}}, { depth: null })",
    );
    assert_eq!(lines[0].1, "{ a: [Object] }");
    assert!(lines[1].1.contains("g: 1"), "{}", lines[1].1);
    // Deeper than any stack, and wider than any log.
    js.run("var deep = {}; for (let i = 0; i < 100000; i++) deep = { deep }");
    assert!(js.shown("deep").contains("[Object]"));
    js.logged("console.dir(deep, { depth: Infinity })");
    let long = js.shown("Array.from({ length: 1000000 }, (_, i) => i)");
    assert!(long.ends_with("... 999900 more items\n]"), "{long}");
    let wide = js.shown("Array(100).fill(Array(100).fill(Array(100).fill({ a: 1 })))");
    assert!(wide.len() < 1_000_000, "{}", wide.len());
    for hostile in [
        "Array(100).fill(Array(100).fill('x'.repeat(10000)))",
        "Array(100).fill({ ['k'.repeat(100000)]: 'v'.repeat(10000), [Symbol('s'.repeat(1000000))]: 1 })",
        "Array(100).fill(Object.assign(new Error('m'.repeat(1000000)), { stack: 's'.repeat(1000000) }))",
        "Array(100).fill(Object.defineProperty(() => {}, 'name', { value: 'n'.repeat(1000000) }))",
    ] {
        let length = js.shown(hostile).len();
        assert!((1000..8_000_000).contains(&length), "{hostile} {length}");
    }
    assert!(js.shown("['x'.repeat(100000)]").contains("... 90000 more characters"));
    assert!(
        js.shown("Object.fromEntries(Array.from({ length: 500 }, (_, i) => ['k' + i, i]))")
            .contains("... more properties")
    );
    // Long objects take a line for each property.
    assert_eq!(
        js.shown("{ first: 'x'.repeat(40), second: { third: 'y'.repeat(40), z: 1 } }"),
        format!("{{\n  first: '{}',\n  second: {{ third: '{}', z: 1 }}\n}}", "x".repeat(40), "y".repeat(40))
    );
}

#[test]
fn console_describes_errors_with_stack_cause_and_properties() {
    let js = Machine::new();
    let text = js.shown("(() => { function inner() { return new TypeError('broken', { cause: new Error('root') }) } return Object.assign(inner(), { code: 7 }) })()");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("TypeError: broken"));
    assert!(lines.next().is_some_and(|line| line.contains("at inner (test.js:1:")), "{text}");
    assert!(text.contains("code: 7"), "{text}");
    assert!(text.contains("[cause]: Error: root"), "{text}");
    assert!(js.shown("new (class MyError extends Error {})('m')").starts_with("MyError: m\n"));
    assert!(js.shown("new AggregateError([new RangeError('one')], 'all')").contains("RangeError: one"));
    assert!(js.shown("new DOMException('m', 'AbortError')").starts_with("AbortError: m"));
    assert!(js.shown("Object.defineProperty(new Error('m'), 'message', { get() { throw 1 } })").starts_with("Error"));
    assert!(js.shown("(() => { const e = new Error('loop'); e.cause = e; return e })()").contains("[Circular]"));
    let trace = &js.logged("function where() { console.trace('here %s', 1) } where()")[0].1;
    for hook in ["() => { throw new Error('hook') }", "() => 5", "(error, frames) => frames"] {
        js.run(&format!("Error.prepareStackTrace = {hook}"));
        assert_eq!(js.logged("console.trace('x')")[0].1, "Trace: x", "{hook}");
        assert!(js.shown("new Error('m')").contains("Error: m"), "{hook}");
    }
    assert!(trace.starts_with("Trace: here 1\n    at where (test.js:1:"), "{trace}");
}

#[test]
fn console_runs_no_traps_and_survives_proxies() {
    let js = Machine::new();
    js.run("var traps = 0; var handler = new Proxy({}, { get() { traps++; throw new Error('trap') } })");
    assert_eq!(js.shown("new Proxy({ a: 1 }, handler), new Proxy([1], handler)"), "{ a: 1 } [ 1 ]");
    assert_eq!(js.shown("Object.create(new Proxy({}, handler))"), "{}");
    assert_eq!(
        js.shown("(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy })()"),
        "<Revoked Proxy>"
    );
    assert_eq!(js.run("traps"), "0");
    js.logged("console.table(new Proxy([{ a: 1 }], handler))");
}

#[test]
fn console_replaces_format_specifiers() {
    let js = Machine::new();
    assert_eq!(
        js.shown("'%s is %d years, %i, %f%%', 'Ann', '42', 3.9, '1.5', 'more', { a: 1 }"),
        "Ann is 42 years, 3, 1.5% more { a: 1 }"
    );
    assert_eq!(js.shown("'%o and %O', { a: [1] }, 'text'"), "{ a: [ 1 ] } and 'text'");
    assert_eq!(js.shown("'%cstyled%c end', 'color: red', ''"), "styled end");
    assert_eq!(js.shown("'%d %d %s %s', 5n, {}, 6n, { a: { b: 1 } }"), "5n NaN 6n { a: [Object] }");
    assert_eq!(js.shown("'%j %j', { a: 1 }, (() => { const a = []; a[0] = a; return a })()"), "{\"a\":1} [Circular]");
    assert_eq!(js.shown("'100%', 1"), "100% 1");
    assert_eq!(js.shown("'%s %s', 1"), "1 %s");
    assert_eq!(js.shown("'%x %', 1"), "%x % 1");
    assert_eq!(js.shown("'%s'"), "%s");
    assert_eq!(js.shown("'%s %d', Symbol('a'), Symbol('b')"), "Symbol(a) NaN");
}

#[test]
fn console_counts_times_groups_and_tables() {
    let js = Machine::new();
    let lines = js.logged("console.count(); console.count('a'); console.count(); console.countReset(); console.count(); console.countReset('b')");
    let texts: Vec<_> = lines.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["default: 1", "a: 1", "default: 2", "default: 1", "Count for 'b' does not exist"]);
    let lines = js.logged("console.time('t'); console.time('t'); console.timeLog('t', { a: 1 }); console.timeEnd('t'); console.timeEnd('t')");
    assert_eq!(lines[0], (LogLevel::Warn, "Timer 't' already exists".to_owned()));
    assert!(lines[1].1.starts_with("t: ") && lines[1].1.ends_with("ms { a: 1 }"), "{}", lines[1].1);
    assert!(lines[2].1.starts_with("t: ") && lines[2].1.ends_with("ms"));
    assert_eq!(lines[3], (LogLevel::Warn, "Timer 't' does not exist".to_owned()));
    let lines = js.logged("console.group('g'); console.log('a\\nb'); console.group(); console.log('c'); console.groupEnd(); console.groupEnd(); console.groupEnd(); console.log('d')");
    let texts: Vec<_> = lines.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["g", "  a\n  b", "    c", "d"]);
    let table = &js.logged("console.table([{ a: 1, b: 'x' }, { a: 22 }, 5])")[0].1;
    assert_eq!(
        table,
        "┌─────────┬────┬─────┬────────┐\n\
         │ (index) │ a  │ b   │ Values │\n\
         ├─────────┼────┼─────┼────────┤\n\
         │ 0       │ 1  │ 'x' │        │\n\
         │ 1       │ 22 │     │        │\n\
         │ 2       │    │     │ 5      │\n\
         └─────────┴────┴─────┴────────┘"
    );
    let table = &js.logged("console.table(new Map([['k', { a: 1, b: 2 }]]), ['b'])")[0].1;
    assert!(table.contains("│ k     │ 2 │") && !table.contains("│ a"), "{table}");
    assert_eq!(js.logged("console.table('text'); console.table(null)").len(), 2);
}

#[test]
fn globals_survive_replaced_and_frozen_prototypes() {
    let js = Machine::new();
    js.run(
        "for (const type of [Array, Map, Set, Date, RegExp, String, Number, Boolean, BigInt, Function, Promise]) {
           for (const name of Object.getOwnPropertyNames(type.prototype)) {
             if (name !== 'constructor' && name !== 'length') {
               try { Object.defineProperty(type.prototype, name, { value() { throw new Error('replaced ' + name) } }) } catch {}
             }
           }
         }
         const names = ['Map', 'Set', 'Date', 'RegExp', 'Symbol', 'TypeError', 'DataView', 'Array', 'Reflect'];
         Array.prototype[Symbol.iterator] = () => { throw new Error('replaced iterator') };
         for (let at = 0; at < names.length; at++) globalThis[names[at]] = undefined;",
    );
    assert_eq!(
        js.shown("[1, { a: 'x' }], /x/g, new Uint8Array(2)"),
        "[ 1, { a: 'x' } ] [RegExp] Uint8Array(2) [ 0, 0 ]"
    );
    assert_eq!(js.run("structuredClone({ a: [1, 2, { b: /x/ }] }).a[1]"), "2");
    assert_eq!(js.run("new URL('../b?x=1&y=2', 'https://h.example/a/c/').searchParams.get('y')"), "2");
    assert_eq!(
        js.run("const p = new URLSearchParams({ a: 1, b: 'c d' }); p.append('e', 'f'); p.delete('a'); p.toString()"),
        "b=c+d&e=f"
    );
    assert_eq!(js.run("const q = new URLSearchParams([['a', 1]]); q.size"), "1");
    assert_eq!(js.run("new TextDecoder().decode(new TextEncoder().encode('h\\u00e9'))"), "hé");

    let frozen = Machine::new();
    frozen.run(
        "for (const name of Object.getOwnPropertyNames(globalThis)) {
           const type = Object.getOwnPropertyDescriptor(globalThis, name).value;
           if (typeof type === 'function') { Object.freeze(type); if (type.prototype) Object.freeze(type.prototype) }
         }
         Object.freeze(globalThis)",
    );
    assert_eq!(frozen.shown("new Map([[1, new URL('http://a/')]])"), "Map(1) { 1 => URL { 'http://a/' } }");
    assert_eq!(frozen.run("URL === URL && console === console && new TextEncoder().encode('a').length"), "1");
    assert_eq!(frozen.run("structuredClone(new Map([[1, [2]]])).get(1)[0]"), "2");
}

#[test]
fn globals_can_be_detected_replaced_and_deleted() {
    let js = Machine::new();
    assert_eq!(js.run("['console', 'URL', 'URLSearchParams', 'TextEncoder', 'TextDecoder', 'structuredClone', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'queueMicrotask', 'performance', 'atob', 'btoa', 'DOMException'].filter((name) => typeof globalThis[name] === 'undefined')"), "");
    assert_eq!(js.run("Object.keys(globalThis).includes('console')"), "false");
    assert_eq!(js.run("const d = Object.getOwnPropertyDescriptor(globalThis, 'console'); [d.writable, d.configurable, typeof d.value]"), "true,true,object");
    assert_eq!(js.run("typeof performance.now()"), "number");

    let js = Machine::new();
    assert_eq!(js.run("globalThis.URL = 5; URL"), "5");
    assert_eq!(js.run("console = { log: () => 'mine' }; console.log()"), "mine");
    assert_eq!(js.run("delete globalThis.TextEncoder; typeof TextEncoder"), "undefined");
    assert_eq!(js.run("typeof TextDecoder"), "function");
}

#[test]
fn globals_of_other_surroundings_are_absent_and_explained() {
    let js = Machine::new();
    assert_eq!(
        js.run("[typeof fetch, typeof process, typeof require, typeof XMLHttpRequest, typeof WebSocket, typeof Deno, typeof Bun, typeof localStorage, typeof window].join()"),
        ["undefined"; 9].join(",")
    );
    for (script, advice) in [
        ("fetch('http://x')", "plugins have no network"),
        ("new XMLHttpRequest()", "plugins have no network"),
        ("require('fs')", "plugins are ES modules"),
        ("process.env.HOME", "`context.config`"),
        ("localStorage.getItem('a')", "`save()`"),
        ("Deno.readFile('a')", "QuickJS"),
        ("Buffer.from('a')", "Uint8Array"),
        ("window.x", "`globalThis`"),
    ] {
        let error = js.fails(script);
        let explained = explain_absent(&error).unwrap_or_else(|| panic!("{script}: {error}"));
        assert!(explained.contains(advice), "{explained}");
        let message = error.strip_prefix("ReferenceError: ").expect("a ReferenceError");
        assert_eq!(explain_absent(message), Some(explained));
    }
    assert_eq!(explain_absent(&js.fails("missing")), None);
    assert!(
        explain_absent("Error: Dynamic require of \"fs\" is not supported")
            .is_some_and(|advice| advice.contains("`esm`"))
    );
    assert_eq!(explain_absent("fetch is not a function"), None);
    assert_eq!(explain_absent(""), None);
}

#[test]
fn text_encoder_writes_utf8() {
    let js = Machine::new();
    assert_eq!(
        js.run("const e = new TextEncoder(); [e.encoding, ...e.encode('aé€\\u{1F600}')].join()"),
        "utf-8,97,195,169,226,130,172,240,159,152,128"
    );
    assert_eq!(js.run("[...e.encode('\\ud800x')].join()"), "239,191,189,120");
    assert_eq!(js.run("[e.encode().length, e.encode(undefined).length, [...e.encode(12)].join(), e.encode('') instanceof Uint8Array]"), "0,0,49,50,true");
    assert_eq!(js.run("const into = new Uint8Array(5); const r = e.encodeInto('a€\\u{1F600}', into); [r.read, r.written, ...into].join()"), "2,4,97,226,130,172,0");
    assert_eq!(
        js.run("const all = e.encodeInto('\\u{1F600}', into.subarray(1)); [all.read, all.written, ...into].join()"),
        "2,4,97,240,159,152,128"
    );
    assert_eq!(js.run("Object.prototype.toString.call(e)"), "[object TextEncoder]");
    assert!(js.fails("e.encodeInto('a', [1])").starts_with("TypeError"));
    assert!(js.fails("TextEncoder.prototype.encode.call({}, 'a')").starts_with("TypeError"));
    assert!(js.fails("TextEncoder()").starts_with("TypeError"));
}

#[test]
fn text_decoder_reads_its_encodings() {
    let js = Machine::new();
    js.run("var bytes = (...list) => new Uint8Array(list)");
    assert_eq!(
        js.run(
            "const d = new TextDecoder(); [d.encoding, d.fatal, d.ignoreBOM, d.decode(bytes(0xE2, 0x82, 0xAC))].join()"
        ),
        "utf-8,false,false,€"
    );
    assert_eq!(js.run("d.decode(bytes(0x61, 0xFF, 0xE2, 0x82, 0x62, 0xF0, 0x9F))"), "a\u{FFFD}\u{FFFD}b\u{FFFD}");
    assert!(js.fails("new TextDecoder('utf-8', { fatal: true }).decode(bytes(0xFF))").starts_with("TypeError"));
    assert!(js.fails("new TextDecoder('utf-8', { fatal: true }).decode(bytes(0xE2, 0x82))").starts_with("TypeError"));
    assert_eq!(js.run("[d.decode(bytes(0xEF, 0xBB, 0xBF, 0x61)).length, new TextDecoder('utf8', { ignoreBOM: true }).decode(bytes(0xEF, 0xBB, 0xBF, 0x61)).length].join()"), "1,2");
    assert_eq!(js.run("d.decode() + d.decode(undefined) + d.decode(new ArrayBuffer(0)) + d.decode(new DataView(bytes(1, 98, 2).buffer, 1, 1)) + d.decode(new Uint16Array([0x6161]))"), "baa");
    assert_eq!(js.run("const s = new TextDecoder(); [s.decode(bytes(0xEF, 0xBB), { stream: true }), s.decode(bytes(0xBF, 0xE2), { stream: true }), s.decode(bytes(0x82), { stream: true }), s.decode(bytes(0xAC, 0xF0)), s.decode(bytes(0x61))].join('|')"), "|||€\u{FFFD}|a");
    assert_eq!(js.run("const k = new TextDecoder(); k.decode(bytes(0x61), { stream: true }) + k.decode(bytes(0xEF, 0xBB, 0xBF), { stream: true }).length"), "a1");
    assert_eq!(js.run("new TextDecoder('utf-16le').decode(bytes(0xFF, 0xFE, 0x61, 0, 0x3D, 0xD8, 0, 0xDE)) + new TextDecoder('utf-16be').decode(bytes(0, 0x62))"), "a\u{1F600}b");
    assert_eq!(js.run("const u = new TextDecoder('utf-16'); [u.decode(bytes(0x3D), { stream: true }), u.decode(bytes(0xD8, 0), { stream: true }), u.decode(bytes(0xDE))].join('|')"), "||\u{1F600}");
    assert_eq!(
        js.run(
            "[new TextDecoder('latin1').encoding, new TextDecoder(' ASCII ').decode(bytes(0x80, 0xE9, 0x41))].join()"
        ),
        "windows-1252,€éA"
    );
    assert!(
        js.fails("new TextDecoder('shift-jis')").starts_with("RangeError: TextDecoder has no encoding \"shift-jis\"")
    );
    assert!(js.fails("d.decode('text')").starts_with("TypeError"));
    assert!(js.fails("d.decode({})").starts_with("TypeError"));
    assert!(js.fails("TextDecoder.prototype.decode.call({})").starts_with("TypeError"));
}

#[test]
fn structured_clone_copies_what_the_standard_copies() {
    let js = Machine::new();
    assert_eq!(
        js.run(
            "const source = { n: 1, s: 'x', big: 5n, u: undefined, z: null, list: [1, , 3], map: new Map([[{ k: 1 }, new Set(['v'])]]),
               date: new Date(5), re: /a+/gi, bytes: new Uint8Array([1, 2, 3]).subarray(1), view: new DataView(new ArrayBuffer(4), 1, 2),
               boxed: [new Number(1), new String('s'), new Boolean(true), Object(2n)] };
             source.self = source; source.alias = source.list;
             const copy = structuredClone(source);
             const key = [...copy.map.keys()][0];
             [copy !== source, copy.self === copy, copy.alias === copy.list, copy.list !== source.list, copy.big === 5n, 'u' in copy, copy.z === null,
              copy.list.length === 3 && !(1 in copy.list), key.k === 1, copy.map.get(key).has('v'), copy.date.getTime() === 5 && copy.date !== source.date,
              copy.re.source === 'a+' && copy.re.flags === 'gi', copy.bytes.join() === '2,3' && copy.bytes.buffer !== source.bytes.buffer,
              copy.bytes.buffer.byteLength === 3, copy.view.byteOffset === 1 && copy.view.byteLength === 2,
              copy.boxed.map((b) => typeof b + typeof b.valueOf()).join() === 'objectnumber,objectstring,objectboolean,objectbigint',
              copy.map instanceof Map && copy.list instanceof Array && copy.bytes instanceof Uint8Array].filter((ok) => !ok).length"
        ),
        "0"
    );
    assert_eq!(
        js.run("[structuredClone('a'), structuredClone(1n), structuredClone(), structuredClone(null)].join('|')"),
        "a|1||"
    );
    assert_eq!(js.run("const shared = new ArrayBuffer(2); const two = structuredClone([new Uint8Array(shared), new Int8Array(shared)]); two[0][0] = 200; [two[1][0], two[0].buffer === two[1].buffer, new Uint8Array(shared)[0]].join()"), "-56,true,0");
    assert_eq!(js.run("const error = structuredClone(Object.assign(new RangeError('m', { cause: { a: 1 } }), { extra: 1 })); [error instanceof RangeError, error.name, error.message, error.cause.a, error.extra, typeof error.stack].join()"), "true,RangeError,m,1,,string");
    assert_eq!(js.run("const own = structuredClone(new (class Own extends Error { name = 'Own' })('o')); [own.constructor === Error, own.message].join()"), "true,o");
    assert_eq!(js.run("const plain = structuredClone(new (class P { x = 1; get y() { return 2 } #z = 3 })()); [plain.constructor === Object, plain.x, 'y' in plain].join()"), "true,1,false");
    assert_eq!(js.run("structuredClone({ get a() { return [1] } }).a[0]"), "1");
    assert_eq!(js.run("const moved = new ArrayBuffer(3); const there = structuredClone({ moved }, { transfer: [moved] }); [moved.byteLength, there.moved.byteLength].join()"), "0,3");
    assert_eq!(
        js.run("var deep = []; for (let i = 0; i < 200000; i++) deep = [deep]; structuredClone(deep).length"),
        "1"
    );
    assert_eq!(
        js.run("Object.prototype.hasOwnProperty.call(structuredClone(JSON.parse('{\"__proto__\": 1}')), '__proto__')"),
        "true"
    );
    for script in [
        "() => {}",
        "Symbol('s')",
        "{ a: [() => {}] }",
        "new WeakMap()",
        "Promise.resolve()",
        "new Proxy({}, {})",
        "Object(Symbol('s'))",
        "new Map([[1, Symbol('s')]])",
        "[1][Symbol.iterator]()",
    ] {
        assert_eq!(js.run(&format!("try {{ structuredClone({script}); 'copied' }} catch (error) {{ error instanceof DOMException && error.name + error.code }}")), "DataCloneError25", "{script}");
    }
    assert!(js.fails("structuredClone({ f: function named() {} })").contains("[Function: named] could not be cloned"));
    assert_eq!(js.fails("structuredClone({ get a() { throw new Error('mine') } })"), "Error: mine");
    assert!(js.fails("structuredClone(1, { transfer: [{}] })").contains("transferred"));
}

#[test]
fn timers_run_in_the_order_of_their_times() {
    let js = Machine::new();
    assert_eq!(js.next_timer(), None);
    // Those without a delay come before the late one, however long the thread is kept from going on in between.
    js.run("var order = []; var far = setTimeout(() => order.push('far'), 3600000); setTimeout(() => order.push('a')); setTimeout(() => order.push('b'), -5); setTimeout(() => order.push('c'), NaN); setTimeout((...args) => order.push(args.join('+')), 30, 'late', 1)");
    js.run("const cleared = setTimeout(() => order.push('cleared'), 1); clearTimeout(cleared); clearTimeout(cleared); clearTimeout(undefined); clearTimeout({}); clearInterval(12345)");
    assert_eq!(js.next_timer(), Some(Duration::ZERO));
    js.run_due().expect("no exception");
    assert!(js.run("order.join()").starts_with("a,b,c"));
    while js.run("order.length") == "3" {
        let wait = js.next_timer().expect("a timer");
        assert!(wait <= Duration::from_millis(30), "{wait:?}");
        std::thread::sleep(wait);
        js.run_due().expect("no exception");
    }
    let wait = js.next_timer().expect("a timer");
    assert!(wait > Duration::from_secs(3000) && wait <= Duration::from_secs(3600), "{wait:?}");
    js.run("clearTimeout(far)");
    assert_eq!(js.next_timer(), None);
    assert_eq!(js.run("order.join()"), "a,b,c,late+1");
    assert_eq!(js.run("typeof setTimeout(() => {}, 1e300)"), "number");
    assert!(js.next_timer().expect("a timer") > Duration::from_secs(1_000_000));
    for script in ["setTimeout('code')", "setInterval()", "setTimeout({})"] {
        assert!(js.fails(script).starts_with("TypeError: the first argument of set"), "{script}");
    }
    assert_eq!(js.fails("setTimeout(() => {}, { valueOf() { throw new Error('mine') } })"), "Error: mine");
}

#[test]
fn timers_that_repeat_end_when_cleared() {
    let js = Machine::new();
    js.run("var runs = 0; const id = setInterval((step) => { runs += step; if (runs >= 6) clearInterval(id) }, 1, 2)");
    js.finish();
    assert_eq!(js.run("runs"), "6");
    // A timer that adds another without a delay, forever, lets each call of `run_due` end.
    js.run("var more = 0; function again() { more++; setTimeout(again, 0) } again()");
    js.run_due().expect("no exception");
    let more: u32 = js.run("more").parse().expect("a number");
    assert!((1..=3).contains(&more), "{more}");
}

#[test]
fn timers_pass_exceptions_on_and_keep_the_others() {
    let js = Machine::new();
    js.run("var seen = []; setTimeout(() => seen.push(1)); setTimeout(() => { throw new Error('in timer') }); setTimeout(() => seen.push(2))");
    assert_eq!(js.run_due(), Err("Error: in timer".to_owned()));
    assert_eq!(js.run("seen.join()"), "1");
    assert_eq!(js.next_timer(), Some(Duration::ZERO));
    js.run_due().expect("no exception");
    assert_eq!(js.run("seen.join()"), "1,2");
}

#[test]
fn timers_run_the_jobs_of_promises_in_between() {
    let js = Machine::new();
    js.run("var steps = []; setTimeout(() => { steps.push('one'); Promise.resolve().then(() => steps.push('job')); queueMicrotask(() => steps.push('task')) }); setTimeout(() => steps.push('two'))");
    js.run_due().expect("no exception");
    assert_eq!(js.run("steps.join()"), "one,job,task,two");
}

#[test]
fn url_parses_and_changes_parts() {
    let js = Machine::new();
    assert_eq!(
        js.run("const u = new URL('../x y?q=1#frag', 'HTTPS://user:pa%20ss@EXAMPLE.com:8443/a/b/c'); [u.href, u.origin, u.protocol, u.username, u.password, u.host, u.hostname, u.port, u.pathname, u.search, u.hash].join(' ')"),
        "https://user:pa%20ss@example.com:8443/a/x%20y?q=1#frag https://example.com:8443 https: user pa%20ss example.com:8443 example.com 8443 /a/x%20y ?q=1 #frag"
    );
    assert_eq!(
        js.run("u.protocol = 'http'; u.username = 'me'; u.password = ''; u.host = 'h.example:81'; u.port = ''; u.pathname = 'p/q'; u.search = 'a=b c'; u.hash = ''; `${u}`"),
        "http://me@h.example/p/q?a=b%20c"
    );
    assert_eq!(js.run("u.hostname = 'other.example'; u.port = '99999'; u.href"), "http://me@other.example/p/q?a=b%20c");
    assert_eq!(
        js.run("u.href = 'file:///c/../d'; [u.href, u.origin, JSON.stringify(u)].join()"),
        "file:///d,null,\"file:///d\""
    );
    assert_eq!(
        js.run("new URL('http://m\\u00fcnchen.de/\\u00fc?\\u00fc').href"),
        "http://xn--mnchen-3ya.de/%C3%BC?%C3%BC"
    );
    assert_eq!(js.run("[new URL('http://0x7f.1/').host, new URL('http://[::1]:80/').host, new URL('mailto:a@b').pathname, new URL('data:text/plain,hi').protocol].join()"), "127.0.0.1,[::1],a@b,data:");
    assert_eq!(js.run("[URL.canParse('http://a'), URL.canParse('x'), URL.canParse('x', 'http://a'), URL.parse('nope'), URL.parse('b', 'http://a/').href].join()"), "true,false,true,,http://a/b");
    assert_eq!(js.fails("new URL('no base')"), "TypeError: Invalid URL: 'no base'");
    assert_eq!(js.fails("new URL('x', 'y')"), "TypeError: Invalid URL: 'x' with the base 'y'");
    assert!(js.fails("u.href = 'bad'").starts_with("TypeError: Invalid URL: 'bad'"));
    assert!(js.fails("new URL(Symbol())").starts_with("TypeError"));
    assert!(js.fails("Object.getOwnPropertyDescriptor(URL.prototype, 'href').get.call({})").starts_with("TypeError"));
    assert_eq!(js.run("[Object.prototype.toString.call(u), u instanceof URL].join()"), "[object URL],true");
    assert_eq!(
        js.shown("new URL('http://a/b'), new URLSearchParams('a=1&b'), { u: new URLSearchParams() }"),
        "URL { 'http://a/b' } URLSearchParams { 'a' => '1', 'b' => '' } { u: URLSearchParams {} }"
    );
}

#[test]
fn url_search_params_follow_the_standard() {
    let js = Machine::new();
    assert_eq!(js.run("const p = new URLSearchParams('?a=1&b=%20x+y&a=2&c'); [p.get('a'), p.getAll('a').join('+'), p.get('b'), p.get('c'), p.get('none'), p.has('a', '2'), p.has('a', '3'), p.size].join('|')"), "1|1+2| x y|||true|false|4");
    assert_eq!(
        js.run("p.set('a', 'z'); p.append('\\u20ac', '&='); p.delete('b'); p.delete('c', 'other'); p.toString()"),
        "a=z&c=&%E2%82%AC=%26%3D"
    );
    assert_eq!(
        js.run("[...p].map((pair) => pair.join('=')).join() + [...p.keys()].join() + [...p.values()].join()"),
        "a=z,c=,€=&=a,c,€z,,&="
    );
    assert_eq!(js.run("[new URLSearchParams({ x: 1, y: [2, 3] }), new URLSearchParams([['k', 'v'], ['k', 'w']]), new URLSearchParams(new Map([['m', 1]])), new URLSearchParams(p), new URLSearchParams(), new URLSearchParams(null), new URLSearchParams(5)].join(' ')"), "x=1&y=2%2C3 k=v&k=w m=1 a=z&c=&%E2%82%AC=%26%3D  null= 5=");
    assert_eq!(js.run("const sorted = new URLSearchParams('z=1&a=2&z=0&\\u{1F600}=3&\\uffff=4'); sorted.sort(); [...sorted.keys()].map((k) => k.codePointAt(0)).join()"), "97,122,122,128512,65535");
    assert_eq!(js.run("let seen = []; p.forEach(function (value, name, all) { seen.push(this.t + name + value + (all === p)) }, { t: '!' }); seen[0]"), "!aztrue");
    // The parameters of a URL and the URL follow each other.
    assert_eq!(js.run("const u = new URL('http://h/?a=1#f'); const live = u.searchParams; live.append('b', 'c d'); [u.href, u.searchParams === live].join()"), "http://h/?a=1&b=c+d#f,true");
    assert_eq!(js.run("u.search = '?n=9'; live.get('n')"), "9");
    assert_eq!(js.run("u.href = 'http://h/?m=8'; live.toString()"), "m=8");
    assert_eq!(js.run("live.delete('m'); u.href"), "http://h/");
    for script in [
        "new URLSearchParams([['a']])",
        "new URLSearchParams([1])",
        "new URLSearchParams([['a', 'b', 'c']])",
        "new URLSearchParams(Symbol())",
        "p.forEach(1)",
        "URLSearchParams.prototype.get.call({}, 'a')",
        "new URLSearchParams({ [Symbol.iterator]: 1 })",
    ] {
        assert!(js.fails(script).starts_with("TypeError"), "{script}");
    }
    assert_eq!(js.fails("new URLSearchParams({ [Symbol.iterator]() { throw new Error('mine') } })"), "Error: mine");
}

#[test]
fn time_limits_end_descriptions_and_timers() {
    unsafe extern "C" fn stop(_: *mut qjs::JSRuntime, _: *mut std::ffi::c_void) -> std::ffi::c_int {
        1
    }
    let js = Machine::new();
    js.run("var hang = new Error('m'); Object.defineProperty(hang, 'message', { get() { for (;;); } }); setTimeout(() => { for (;;); })");
    // SAFETY: the runtime is valid.
    unsafe { qjs::JS_SetInterruptHandler(js.runtime, Some(stop), ptr::null_mut()) };
    // The script cannot catch the end of its time, and nor does the description.
    assert!(js.fails("try { console.log(hang) } catch {}").contains("interrupted"));
    assert!(js.run_due().is_err_and(|error| error.contains("interrupted")));
}

#[test]
fn closed_surroundings_throw_or_do_nothing() {
    let js = Machine::new();
    js.run("var kept = { console, TextEncoder, URL }; var url = new URL('http://a/'); setTimeout(() => {}, 5)");
    // SAFETY: the context is valid. `drop` closes again, which must not matter.
    unsafe { js.web.close(js.ctx) };
    assert_eq!(js.next_timer(), None);
    js.run_due().expect("nothing to run");
    assert!(js.fails("setTimeout(() => {})").contains("being unloaded"));
    assert!(js.fails("structuredClone({})").contains("being unloaded"));
    assert!(js.fails("TextDecoder").contains("being unloaded"));
    assert_eq!(js.shown("'plain'"), "plain");
    assert_eq!(js.run("url.href"), "http://a/");
}

#[test]
fn memory_that_ends_at_any_place_leaves_errors_only() {
    let script = c"console.log('%s', new URL('http://a/b?c=d').searchParams, new Map([[1, new TextDecoder()]]));
        structuredClone([new Map([[1, new Uint8Array(2)]]), new Set([1n]), new Date(0), /x/, new Error('e')]);
        setTimeout(() => {}, 0, 1)";
    let [mut refused, mut opened, mut finished] = [0, 0, 0];
    for step in 0.. {
        // SAFETY: the runtime and the context are freed below, and stay on this thread.
        unsafe {
            let runtime = Memory::runtime();
            let ctx = qjs::JS_NewContext(runtime);
            let mut usage = std::mem::zeroed();
            qjs::JS_ComputeMemoryUsage(runtime, &mut usage);
            qjs::JS_SetMemoryLimit(runtime, (usage.malloc_size + step * 56) as _);
            match Web::open(ctx, log) {
                Ok(web) => {
                    opened += 1;
                    let len = script.to_bytes().len() as _;
                    let value = qjs::JS_Eval(ctx, script.as_ptr(), len, c"test.js".as_ptr(), 0);
                    if !qjs::JS_IsException(value) {
                        finished += 1;
                    }
                    qjs::JS_FreeValue(ctx, value);
                    web.close(ctx);
                }
                Err(()) => {
                    refused += 1;
                    assert!(qjs::JS_HasException(ctx));
                }
            }
            qjs::JS_FreeValue(ctx, qjs::JS_GetException(ctx));
            qjs::JS_FreeContext(ctx);
            qjs::JS_FreeRuntime(runtime);
        }
        Memory::check();
        if finished == 3 {
            break;
        }
    }
    // A sanitizer's allocator adds nothing to an allocation, so that fewer steps are refused.
    let least = if std::env::var_os("POLYPLUG_SANITIZED").is_some() { 10 } else { 20 };
    assert!(refused > least && opened > 200, "{refused} {opened}");
}

#[test]
fn memory_of_timers_and_labels_has_limits() {
    let js = Machine::new();
    assert!(js.fails("const f = () => {}; for (;;) setTimeout(f, 1000)").starts_with("RangeError: 100000 timers wait"));
    js.run("clearTimeout(5); setTimeout(f, 1000)");
    js.run("for (let i = 0; i < 5000; i++) { console.count(i); console.time(i) } console.count('x'.repeat(100000))");
    assert!(js.web.state.counts.borrow().len() <= 1000 && js.web.state.times.borrow().len() <= 1000);
    assert!(js.web.state.counts.borrow().keys().all(|label| label.len() <= 1100));
}

#[test]
fn values_that_are_left_are_noticed() {
    let js = Machine::new();
    let before = MEMORY.with(|memory| memory.live.get());
    js.run("setTimeout(() => {}, 1000, { a: 1 })");
    assert!(MEMORY.with(|memory| memory.live.get()) > before);
}
