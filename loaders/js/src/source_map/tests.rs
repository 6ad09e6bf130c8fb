//! Tests with maps of the tools that authors use, and with malformed and hostile maps.

use std::cell::Cell;
use std::collections::HashMap;

use super::SourceMaps;

/// The files of a bundle, and the number of reads.
#[derive(Default)]
struct Files {
    files: HashMap<String, Vec<u8>>,
    reads: Cell<usize>,
}

impl Files {
    fn with<const N: usize>(files: [(&str, &str); N]) -> Self {
        let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
        Self { files: files.into(), reads: Cell::new(0) }
    }

    fn read(&self, name: &str) -> Option<Vec<u8>> {
        self.reads.set(self.reads.get() + 1);
        assert!(!name.starts_with(['/', '.']), "{name} is outside of the bundle");
        self.files.get(name).cloned()
    }

    fn maps(&self) -> SourceMaps {
        let maps = SourceMaps::new();
        for (name, text) in &self.files {
            maps.register(name, text);
        }
        maps
    }

    fn place(&self, file: &str, line: u32, column: u32) -> Option<(String, u32, u32)> {
        self.maps().place(file, line, column, &|name| self.read(name))
    }
}

/// Returns the place of the first occurrence of a text in a file, as QuickJS counts.
fn position(text: &str, needle: &str) -> (u32, u32) {
    let at = text.find(needle).expect("the text is there");
    let line = text[..at].matches('\n').count();
    let column = at - text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    (line as u32 + 1, column as u32 + 1)
}

// Outputs of the builds of `tests/typescript`.
const TSC: &str = include_str!("samples/tsc.js");
const TSC_MAP: &str = include_str!("samples/tsc.js.map");
const ESBUILD: &str = include_str!("samples/esbuild.js");
const ESBUILD_MAP: &str = include_str!("samples/esbuild.js.map");
const MINIFIED: &str = include_str!("samples/esbuild-minified.js");
const MINIFIED_MAP: &str = include_str!("samples/esbuild-minified.js.map");
const ROLLUP_INLINE: &str = include_str!("samples/rollup-inline.js");
/// The source that all of them were made of.
const MATH: &str = include_str!("samples/math.ts");

/// The line of the source that throws.
fn thrown() -> u32 {
    position(MATH, "throw new RangeError").0
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = char::from(DIGITS[(bits >> (18 - 6 * at)) as usize & 63]);
            text.push(if at <= chunk.len() { digit } else { '=' });
        }
    }
    text
}

#[test]
fn maps_of_tools_lead_to_the_source() {
    // The files lie in `dist`, as the tools have named the sources.
    let files = Files::with([
        ("dist/lib/math.js", TSC),
        ("dist/lib/math.js.map", TSC_MAP),
        ("dist/esbuild/main.js", ESBUILD),
        ("dist/esbuild/main.js.map", ESBUILD_MAP),
        ("dist/min/main.js", MINIFIED),
        ("dist/min/main.js.map", MINIFIED_MAP),
        ("dist/rollup.js", ROLLUP_INLINE),
    ]);
    for (file, text, needle, source) in [
        ("dist/lib/math.js", TSC, "new RangeError", "src/lib/math.ts"),
        ("dist/esbuild/main.js", ESBUILD, "new RangeError", "dist/src/lib/math.ts"),
        ("dist/min/main.js", MINIFIED, "new RangeError", "dist/src/lib/math.ts"),
        ("dist/rollup.js", ROLLUP_INLINE, "new RangeError", "src/lib/math.ts"),
    ] {
        let (line, column) = position(text, needle);
        let place = files.place(file, line, column);
        let (found, line, column) = place.unwrap_or_else(|| panic!("no place for {file}"));
        assert_eq!((found.as_str(), line), (source, thrown()), "{file}");
        assert_eq!(column, position(MATH, "new RangeError").1, "{file}");
    }
}

#[test]
fn stacks_of_quickjs_lead_to_the_source() {
    use rquickjs::qjs;

    let files = Files::with([("dist/lib/math.js", TSC), ("dist/lib/math.js.map", TSC_MAP)]);
    let module = std::ffi::CString::new(format!("{TSC}\nglobalThis.person = person")).expect("no zero byte");
    let call = c"try { person('') } catch (error) { error.stack }";
    // SAFETY: all values are of one context, and freed before the context and the runtime.
    let stack = unsafe {
        let runtime = qjs::JS_NewRuntime();
        let ctx = qjs::JS_NewContext(runtime);
        let (text, len) = (module.as_ptr(), module.as_bytes().len());
        let flags = qjs::JS_EVAL_TYPE_MODULE as _;
        qjs::JS_FreeValue(ctx, qjs::JS_Eval(ctx, text, len as _, c"dist/lib/math.js".as_ptr(), flags));
        let stack = qjs::JS_Eval(ctx, call.as_ptr(), call.to_bytes().len() as _, c"call.js".as_ptr(), 0);
        let text = qjs::JS_ToCString(ctx, stack);
        let copy = std::ffi::CStr::from_ptr(text).to_str().expect("UTF-8").to_owned();
        qjs::JS_FreeCString(ctx, text);
        qjs::JS_FreeValue(ctx, stack);
        qjs::JS_FreeContext(ctx);
        qjs::JS_FreeRuntime(runtime);
        copy
    };
    assert!(stack.contains("    at person (dist/lib/math.js:"), "{stack}");
    let mapped = files.maps().map_stack(&stack, &|name| files.read(name));
    assert!(mapped.contains(&format!("    at person (src/lib/math.ts:{}:", thrown())), "{mapped}");
    assert!(mapped.contains("(call.js:1:"), "{mapped}");
}

#[test]
fn nothing_is_read_before_an_error_and_maps_are_decoded_once() {
    let files = Files::with([("main.js", ESBUILD), ("main.js.map", ESBUILD_MAP)]);
    let maps = files.maps();
    assert_eq!(files.reads.get(), 0);
    let (line, column) = position(ESBUILD, "new RangeError");
    let first = maps.place("main.js", line, column, &|name| files.read(name));
    assert!(first.is_some());
    // The map and the file itself, for the column.
    assert_eq!(files.reads.get(), 2);
    assert_eq!(maps.place("main.js", line, column, &|name| files.read(name)), first);
    assert_eq!(files.reads.get(), 3);
    // A new text of the file has a map of its own.
    maps.register("main.js", b"1");
    assert_eq!(maps.place("main.js", line, column, &|name| files.read(name)), None);
}

#[test]
fn registering_takes_the_same_time_for_long_files() {
    let map = format!(
        "{{\"version\":3,\"sources\":[\"a.ts\"],\"names\":[],\"mappings\":\"AAAA\",\"x\":\"{}\"}}",
        "y".repeat(3_000_000)
    );
    let text = format!("f()\n//# sourceMappingURL=data:application/json;base64,{}", base64(map.as_bytes()));
    let maps = SourceMaps::new();
    let time = |work: &dyn Fn()| {
        let started = std::time::Instant::now();
        for _ in 0..100 {
            work();
        }
        started.elapsed()
    };
    // The quickest scan of the file: its only end of a line is near its start.
    let scans = time(&|| assert_eq!(std::hint::black_box(&text).rfind('\n'), Some(3)));
    let registered = time(&|| maps.register("main.js", text.as_bytes()));
    assert!(registered < scans, "{registered:?}, and {scans:?} for as many scans");
    let place = maps.place("main.js", 1, 1, &|_| Some(text.clone().into_bytes()));
    assert_eq!(place, Some(("a.ts".to_owned(), 1, 1)));
}

#[test]
fn comments_name_maps_in_all_their_forms() {
    let map = r#"{"version":3,"sources":["a.ts"],"names":[],"mappings":"AAAA"}"#;
    let encoded = base64(map.as_bytes());
    let percent: String = map.bytes().map(|byte| format!("%{byte:02X}")).collect();
    for (comment, known) in [
        ("//# sourceMappingURL=main.js.map", true),
        ("//# sourceMappingURL=main.js.map\n", true),
        ("//# sourceMappingURL=main.js.map\r\n\r\n// the end\r\n", true),
        ("//@ sourceMappingURL=main.js.map", true),
        ("/*# sourceMappingURL=main.js.map */", true),
        ("  //# sourceMappingURL=./x/../main.js.map?v=1#frag", true),
        ("//# sourceMappingURL=m%61in.js.map", true),
        (&format!("//# sourceMappingURL=data:application/json;base64,{encoded}"), true),
        (
            &format!(
                "//# sourceMappingURL=data:application/json;charset=utf-8;base64,{}",
                encoded.trim_end_matches('=')
            ),
            true,
        ),
        (&format!("//# sourceMappingURL=data:application/json,{percent}"), true),
        ("//# sourceMappingURL=data:application/json;base64,!!!", false),
        ("//# sourceMappingURL=data:nothing", false),
        ("//# sourceMappingURL=https://example.com/main.js.map", false),
        ("//# sourceMappingURL=../../main.js.map", false),
        ("//# sourceMappingURL=/main.js.map", false),
        ("//# sourceMappingURL=C:\\main.js.map", false),
        ("//# sourceMappingURL=", false),
        ("//# sourceMappingURL=main.js.map\ng()", false),
        ("const s = '//# sourceMappingURL=main.js.map'", false),
        ("// none", false),
        ("", false),
    ] {
        let text = format!("f()\n{comment}");
        let files = Files::with([("main.js", &text), ("main.js.map", map)]);
        assert_eq!(files.place("main.js", 1, 1).is_some(), known, "{comment}");
    }
    // A single long line, whose comment is cut at its start.
    let text = format!("f();{}\n//# sourceMappingURL=main.js.map", " ".repeat(10_000));
    let files = Files::with([("main.js", &text), ("main.js.map", map)]);
    assert!(files.place("main.js", 1, 1).is_some());
    let text = "f();".repeat(10_000);
    let files = Files::with([("main.js", &text), ("main.js.map", map)]);
    assert!(files.place("main.js", 1, 1).is_none());
}

#[test]
fn sources_are_paths_of_the_bundle_or_stay_what_they_are() {
    for (root, source, shown) in [
        ("", "../src/a.ts", "src/a.ts"),
        ("", "./a.ts", "dist/a.ts"),
        ("", "../../../src/a.ts", "../../src/a.ts"),
        ("../src", "a.ts", "src/a.ts"),
        ("/project/", "a/./b/../c.ts", "/project/a/c.ts"),
        ("ignored", "/abs/a.ts", "/abs/a.ts"),
        ("", "webpack://name/./src/a.ts", "src/a.ts"),
        ("", "webpack:///src/a.ts?1a2b", "src/a.ts"),
        ("", "webpack:///./node_modules/x/a.js", "node_modules/x/a.js"),
        ("webpack:///", "./src/a.ts", "src/a.ts"),
        ("", "file:///home/me/my%20src/a.ts", "/home/me/my src/a.ts"),
        ("", "file:///C:/me/a.ts", "C:/me/a.ts"),
        ("", "C:\\\\me\\\\a.ts", "C:/me/a.ts"),
        ("", "https://example.com/a.ts", "https://example.com/a.ts"),
    ] {
        let map =
            format!(r#"{{"version":3,"sourceRoot":"{root}","sources":["{source}"],"names":[],"mappings":"AAAA"}}"#);
        let files =
            Files::with([("dist/main.js", "f()\n//# sourceMappingURL=main.js.map"), ("dist/main.js.map", &map)]);
        assert_eq!(files.place("dist/main.js", 1, 1), Some((shown.to_owned(), 1, 1)), "{root} {source}");
    }
}

#[test]
fn sections_are_maps_of_parts() {
    let map = r#"{"version":3,"sections":[
        {"offset":{"line":0,"column":0},"map":{"version":3,"sources":["a.ts"],"names":[],"mappings":"AAAA"}},
        {"offset":{"line":0,"column":10},"map":{"version":3,"sources":["b.ts"],"names":["n"],"mappings":"AAEAA;AACA"}},
        {"offset":{"line":5,"column":2},"map":{"version":3,"sections":[{"offset":{"line":1,"column":3},"map":{"version":3,"sources":[null,"c.ts"],"names":[],"mappings":"ACAA"}}]}}
    ]}"#;
    let files = Files::with([("main.js", "f()\n//# sourceMappingURL=main.js.map"), ("main.js.map", map)]);
    let at = |line, column| files.place("main.js", line, column).map(|(file, line, _)| (file, line));
    assert_eq!(at(1, 5), Some(("a.ts".to_owned(), 1)));
    assert_eq!(at(1, 11), Some(("b.ts".to_owned(), 3)));
    assert_eq!(at(2, 1), Some(("b.ts".to_owned(), 4)));
    assert_eq!(at(7, 4), Some(("c.ts".to_owned(), 1)));
    assert_eq!(at(4, 1), None);
}

#[test]
fn columns_are_bytes_in_quickjs_and_utf16_in_maps() {
    // After "é€😀" (9 bytes, 4 units) with quotation marks and a semicolon: an entry at unit 7, none of bytes.
    let text = "'é€😀';throw 1\n//# sourceMappingURL=main.js.map";
    // Columns 0 -> 1:1, 7 -> 3:5.
    let map = r#"{"version":3,"sources":["a.ts"],"names":[],"mappings":"AAAA,OAEI"}"#;
    let files = Files::with([("main.js", text), ("main.js.map", map)]);
    let (line, column) = position(text, "throw");
    assert_eq!(column, 13);
    assert_eq!(files.place("main.js", line, column), Some(("a.ts".to_owned(), 3, 5)));
    assert_eq!(files.place("main.js", line, column - 1), Some(("a.ts".to_owned(), 1, 1)));
}

#[test]
fn malformed_and_hostile_maps_leave_the_generated_place() {
    let long =
        format!(r#"{{"version":3,"sources":["a.ts"],"names":[],"mappings":"AAAA","x":"{}"}}"#, "y".repeat(65 << 20));
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let mut nested = r#"{"version":3,"sources":["a.ts"],"names":[],"mappings":"AAAA"}"#.to_owned();
    for _ in 0..20 {
        nested = format!(r#"{{"version":3,"sections":[{{"offset":{{"line":0,"column":0}},"map":{nested}}}]}}"#);
    }
    let names =
        format!(r#"{{"version":3,"sources":["a.ts"],"names":[{}0],"mappings":"AAAA"}}"#, "0,".repeat(2_000_000));
    for map in [
        "",
        "null",
        "[]",
        "{}",
        "not json",
        "<!DOCTYPE html>",
        ")]}'",
        r#"{"version":2,"sources":["a.ts"],"names":[],"mappings":"AAAA"}"#,
        r#"{"version":3,"sources":["a.ts"],"names":[],"mappings":"A!"}"#,
        r#"{"version":3,"sources":["a.ts"],"names":[],"mappings":"AAAA,ggggggggggggggggggggggggB"}"#,
        r#"{"version":3,"sources":["a.ts"],"names":[],"mappings":"ACAA"}"#,
        r#"{"version":3,"sources":["a.ts"],"names":[],"mappings":"AAAAA"}"#,
        r#"{"version":3,"sources":["a.ts"],"names":[],"mappings":"AADA"}"#,
        r#"{"version":3,"sources":["a.ts"],"names":[],"mappings":"DAAA"}"#,
        r#"{"version":3,"sources":["a.ts"],"names":[],"mappings":"AA"}"#,
        r#"{"version":3,"sources":[],"names":[],"mappings":"A"}"#,
        r#"{"version":3,"sources":[null],"names":[],"mappings":"AAAA"}"#,
        r#"{"version":3,"sources":"a.ts","mappings":"AAAA"}"#,
        r#"{"version":3,"sources":["a.ts"],"mappings":";;;;AAAA"}"#,
        r#"{"version":3,"sections":[{"offset":{"line":4294967295,"column":0},"map":{"version":3,"sections":[{"offset":{"line":1,"column":0},"map":{"version":3,"sources":["a.ts"],"names":[],"mappings":"AAAA"}}]}}]}"#,
        &long,
        &deep,
        &nested,
        &names,
    ] {
        let files = Files::with([("main.js", "f()\n//# sourceMappingURL=main.js.map"), ("main.js.map", map)]);
        assert_eq!(files.place("main.js", 1, 1), None, "{}", &map[..map.len().min(200)]);
        let stack = "    at f (main.js:1:1)\n";
        assert_eq!(files.maps().map_stack(stack, &|name| files.read(name)), stack);
    }
    // Missing maps, a map that names itself as its source, and lines that no map has.
    let files = Files::with([("main.js", "f()\n//# sourceMappingURL=gone.map")]);
    assert_eq!(files.place("main.js", 1, 1), None);
    let own = r#"{"version":3,"sources":["main.js"],"names":[],"mappings":"AAAA"}"#;
    let files = Files::with([("main.js", "f()\n//# sourceMappingURL=main.js.map"), ("main.js.map", own)]);
    assert_eq!(files.place("main.js", 1, 2), Some(("main.js".to_owned(), 1, 1)));
    assert_eq!(files.place("main.js", 0, 0), None);
    assert_eq!(files.place("main.js", u32::MAX, u32::MAX), None);
    assert_eq!(files.place("other.js", 1, 1), None);
    let itself = "f()\n//# sourceMappingURL=main.js";
    assert_eq!(Files::with([("main.js", itself)]).place("main.js", 1, 1), None);
}

#[test]
fn changed_maps_never_panic() {
    // A generator of its own makes the same changes in each run.
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for _ in 0..3000 {
        let mut map = ESBUILD_MAP.as_bytes().to_vec();
        let start = ESBUILD_MAP.find("\"mappings\"").expect("mappings");
        for _ in 0..next() % 8 + 1 {
            let range = if next() % 2 == 0 { 0..map.len() } else { start..map.len() };
            let at = range.start + next() as usize % range.len();
            map[at] = b"AZgz09+/;,\"{}[]:-\\\x00\xFF"[next() as usize % 19];
        }
        if let Some(map) = super::map::Map::decode(&map, "dist") {
            for _ in 0..20 {
                map.find(next() as u32 % 60, next() as u32 % 100);
            }
        }
        let mut text = ROLLUP_INLINE.as_bytes().to_vec();
        let at = next() as usize % text.len();
        text.truncate(at);
        let maps = SourceMaps::new();
        maps.register("main.js", &text);
        maps.place("main.js", next() as u32 % 30, next() as u32 % 50, &|_| Some(text.clone()));
    }
}

#[test]
fn stacks_have_the_places_of_the_sources() {
    let map = r#"{"version":3,"sources":["../src/main.ts"],"names":[],"mappings":"AAAA;AACA;AACA"}"#;
    let files = Files::with([
        ("dist/main.js", "f()\n//# sourceMappingURL=main.js.map"),
        ("dist/main.js.map", map),
        ("dist/a (copy).js", "f()\n//# sourceMappingURL=main.js.map"),
        ("plain.js", "f()"),
    ]);
    let stack = "    at f (dist/main.js:2:3)\n    at <anonymous> (dist/main.js:3:1)\n    at dist/main.js:1:2\n    \
                 at get x (y) (dist/main.js:1:1)\n    at g (dist/a (copy).js:1:1)\n    at h (plain.js:5:6)\n    \
                 at map (native)\n    at k (dist/main.js:99:1)\n    at bad (dist/main.js:x:1)\nno frame (dist/main.js:1:1)\n    at <eval> (<evalScript>:1:1)\n";
    let mapped = files.maps().map_stack(stack, &|name| files.read(name));
    assert_eq!(
        mapped,
        "    at f (src/main.ts:2:1)\n    at <anonymous> (src/main.ts:3:1)\n    at src/main.ts:1:1\n    \
         at get x (y) (src/main.ts:1:1)\n    at g (src/main.ts:1:1)\n    at h (plain.js:5:6)\n    \
         at map (native)\n    at k (dist/main.js:99:1)\n    at bad (dist/main.js:x:1)\nno frame (dist/main.js:1:1)\n    at <eval> (<evalScript>:1:1)\n"
    );
    let none = SourceMaps::new();
    assert_eq!(none.map_stack(stack, &|_| None), stack);
    assert_eq!(none.map_stack("", &|_| None), "");
}
