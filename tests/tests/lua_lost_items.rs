//! What a plugin in Lua returns arrives whole: an entry of a table that no place of the type takes is an error that
//! names the method, the place and the key.

use std::collections::BTreeMap;
use std::sync::Arc;

use polyplug::{CallError, Runtime};
use polyplug_tests::lua::{SCRIPT, load_lua, loaded, lua_runtime, run};

#[derive(Debug, Clone, PartialEq, polyplug::Type)]
struct Pair(i32, Option<i32>);

#[derive(Debug, Clone, PartialEq, polyplug::Type)]
struct Row {
    name: String,
    note: Option<String>,
    cells: Vec<Option<i32>>,
}

#[derive(Debug, Clone, PartialEq, polyplug::Type)]
enum Shape {
    Point,
    Circle { radius: Option<f64> },
    Named(String),
    Two(i32, Option<i32>),
}

/// Values whose tables may have more than the type takes. Each method returns what `code` makes.
#[polyplug::contract(name = "test.lua_tables", version = "1.0")]
trait Tables {
    fn list(&self, code: &str) -> Vec<i32>;
    fn options(&self, code: &str) -> Vec<Option<i32>>;
    fn lists(&self, code: &str) -> Vec<Vec<i32>>;
    fn bytes(&self, code: &str) -> Vec<u8>;
    fn tuple(&self, code: &str) -> (i32, Option<i32>);
    fn map(&self, code: &str) -> BTreeMap<i32, i32>;
    fn pair(&self, code: &str) -> Pair;
    fn row(&self, code: &str) -> Row;
    fn shape(&self, code: &str) -> Shape;
    fn nested(&self, code: &str) -> Option<Option<i32>>;
    fn results(&self, code: &str) -> Vec<Result<i32, i32>>;
}

const TABLES: &str = r#"
local polyplug = require("polyplug")
null = polyplug.null
local Tables = polyplug.plugin("test.lua_tables@1")
local names = { "list", "options", "lists", "bytes", "tuple", "map", "pair", "row", "shape", "nested", "results" }
for _, name in ipairs(names) do
  Tables[name] = function(_, code) return assert(load(code))() end
end
"#;

fn tables() -> (Arc<Runtime>, TablesProxy) {
    let runtime = loaded(TABLES);
    let proxy = runtime.proxy::<dyn Tables>().unwrap();
    (runtime, proxy)
}

/// Checks that the result is refused, with a text that has these parts.
#[track_caller]
fn refused<R: std::fmt::Debug>(method: &str, outcome: Result<R, CallError>, parts: &[&str]) {
    let Err(CallError::InvalidResult(failure)) = &outcome else { panic!("an invalid result, not {outcome:?}") };
    assert_eq!(failure.method, format!("test.lua_tables.{method}"));
    assert!(failure.message.starts_with("result"), "{}", failure.message);
    for part in parts {
        assert!(failure.message.contains(part), "{part:?} is in: {}", failure.message);
    }
}

#[test]
fn key_0_is_no_item() {
    let (_runtime, tables) = tables();
    refused("list", tables.list("return { [0] = 1, 1, 2 }"), &["expected a list", "the key 0"]);
    refused("list", tables.list("local t = {} for i = 0, 4 do t[i] = i * 10 end return t"), &["the key 0"]);
    refused("list", tables.list("return { [0] = 1 }"), &["the key 0"]);
    refused("list", tables.list("local t = { 1, 2, 3 } t[0] = 0 return t"), &["the key 0"]);
    refused("lists", tables.lists("return { { 1 }, { [0] = 1, 2 } }"), &["result[1]", "the key 0"]);
    refused("bytes", tables.bytes("return { [0] = 1, 2, 3 }"), &["the key 0"]);
    refused("tuple", tables.tuple("return { [0] = 1, 2, 3 }"), &["the key 0"]);
    refused("row", tables.row("return { name = 'x', cells = { [0] = 1, 2 } }"), &["cells", "the key 0"]);
}

/// Whether a key lies in the part of a table that is an array, or in the part that is hashed, goes by how the table was
/// filled.
#[test]
fn keys_that_are_no_items_are_found_wherever_the_table_keeps_them() {
    let (_runtime, tables) = tables();
    let stray = ["x", "[0]", "[-1]", "[1.5]", "[true]", "[2^53]", "[1e300]", "[-1e300]", "[1/0]", "[print]", "['1']"];
    for key in stray {
        for count in [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 100] {
            // The key comes before the items, after them, among them, in a table of items that were written backwards,
            // and in one that had more items.
            let set = if key.starts_with('[') { format!("t{key} = 7") } else { format!("t.{key} = 7") };
            let items: Vec<_> = (1..=count).map(|i| i.to_string()).collect();
            for code in [
                format!("local t = {{ {key} = 7, {} }} return t", items.join(", ")),
                format!("local t = {{}} {set} for i = 1, {count} do t[i] = i end return t"),
                format!("local t = {{}} for i = 1, {count} do t[i] = i end {set} return t"),
                format!("local t = {{}} for i = {count}, 1, -1 do t[i] = i end {set} return t"),
                format!("local t = {{}} {set} for i = {count}, 1, -1 do t[i] = i end return t"),
                format!("local t = {{}} for i = 1, {count} do if i == 3 then {set} end t[i] = i end {set} return t"),
                format!(
                    "local t = {{}} for i = 1, 40 + {count} do t[i] = i end {set} \
                     for i = 40 + {count}, {count} + 1, -1 do t[i] = nil end return t"
                ),
            ] {
                refused("list", tables.list(&code), &["expected a list, got a table with "]);
                let expected: Vec<i32> = (1..=count).collect();
                let unset = if key.starts_with('[') { format!("t{key} = nil") } else { format!("t.{key} = nil") };
                let without = code.replace("return t", &format!("{unset} return t"));
                assert_eq!(tables.list(&without).as_ref(), Ok(&expected), "{without}");
            }
        }
    }
}

#[test]
fn a_hole_is_named() {
    let (_runtime, tables) = tables();
    for code in [
        "return { 1, nil, 3 }",
        "return { [1] = 1, [3] = 3 }",
        "local t = {} t[3] = 3 t[1] = 1 return t",
        "local t = { 1, 2, 3 } t[2] = nil return t",
    ] {
        refused("list", tables.list(code), &["item 3, but no item 2", "polyplug.null"]);
        refused("options", tables.options(code), &["item 3, but no item 2", "polyplug.null"]);
    }
    refused("list", tables.list("return { [3] = 1 }"), &["item 3, but no item 1"]);
    refused("options", tables.options("return { nil, nil, 3 }"), &["item 3, but no item 1"]);
    refused("list", tables.list("local t = {} for i = 1, 100 do t[i] = i end t[57] = nil return t"), &["no item 57"]);
    refused("list", tables.list("local t = { 1, 2 } t[2^31] = 3 return t"), &["item 2147483648, but no item 3"]);
    assert_eq!(tables.options("return { 1, null, 3 }"), Ok(vec![Some(1), None, Some(3)]));
}

#[test]
fn packed_arguments_have_a_key_besides() {
    let (_runtime, tables) = tables();
    refused(
        "list",
        tables.list("local function pack(...) return { n = select('#', ...), ... } end return pack(1, 2)"),
        &["`n`"],
    );
}

#[test]
fn lists_of_every_size_arrive_in_order() {
    let (_runtime, tables) = tables();
    for count in (0..40).chain([63, 64, 65, 1000, 100_000]) {
        let expected: Vec<i32> = (1..=count).collect();
        for code in [
            format!("local t = {{}} for i = 1, {count} do t[i] = i end return t"),
            format!("local t = {{}} for i = {count}, 1, -1 do t[i] = i end return t"),
            format!(
                "local t = {{}} for i = 1, {count}, 2 do t[i] = i end for i = 2, {count}, 2 do t[i] = i end return t"
            ),
        ] {
            assert_eq!(tables.list(&code).as_ref(), Ok(&expected), "{code}");
        }
    }
    let nested = "local t = {} for i = 1, 20 do t[i] = {} for k = 1, i do t[i][k] = k end end return t";
    assert_eq!(tables.lists(nested), Ok((1..=20).map(|i| (1..=i).collect()).collect()));
    assert_eq!(tables.bytes("return { 1, 2, 255 }"), Ok(vec![1, 2, 255]));
}

#[test]
fn a_map_takes_every_key() {
    let (_runtime, tables) = tables();
    let expected = BTreeMap::from([(-1, 9), (0, 8), (1, 10), (2, 20), (1000, 7)]);
    assert_eq!(tables.map("return { 10, 20, [0] = 8, [-1] = 9, [1000] = 7 }"), Ok(expected));
    refused("map", tables.map("return { 10, x = 1 }"), &["string \"x\""]);
    refused("map", tables.map("return { 10, [1.5] = 1 }"), &["1.5"]);
    refused("map", tables.map("return { 10, [1LL] = 1 }"), &["1"]);
}

#[test]
fn numbered_fields_take_no_other_numbers() {
    let (_runtime, tables) = tables();
    assert_eq!(tables.pair("return { 1 }"), Ok(Pair(1, None)));
    assert_eq!(tables.pair("return { 1, 2 }"), Ok(Pair(1, Some(2))));
    refused("pair", tables.pair("return { [0] = 1, 2 }"), &["1 to 2", "the key 0"]);
    refused("pair", tables.pair("return { 1, [3] = 2 }"), &["1 to 2", "the key 3"]);
    refused("pair", tables.pair("return { 1, second = 2 }"), &["1 to 2", "`second`"]);
    refused("shape", tables.shape("return { tag = 'Two', val = { [0] = 1, 2 } }"), &["Two", "the key 0"]);
    refused("tuple", tables.tuple("return { 1, [3] = 2 }"), &["no item 2"]);
    refused("tuple", tables.tuple("return { 1, null, 3 }"), &["tuple<i32, option<i32>>"]);
}

#[test]
fn a_misspelt_field_is_no_missing_one() {
    let (_runtime, tables) = tables();
    refused("row", tables.row("return { name = 'x', notes = 'y', cells = {} }"), &["no field `notes`", "note"]);
    // A later minor version may have further fields, so an older contract ignores them.
    let row = Row { name: "x".to_owned(), note: Some("y".to_owned()), cells: vec![] };
    assert_eq!(tables.row("return { name = 'x', note = 'y', cells = {}, colour = 7 }"), Ok(row));
}

#[test]
fn a_case_has_a_tag_and_a_value_and_nothing_else() {
    let (_runtime, tables) = tables();
    assert_eq!(tables.shape("return { tag = 'Point' }"), Ok(Shape::Point));
    assert_eq!(tables.shape("return { tag = 'Point', val = null }"), Ok(Shape::Point));
    assert_eq!(tables.shape("return { tag = 'Named', val = 'x' }"), Ok(Shape::Named("x".to_owned())));
    refused("shape", tables.shape("return { tag = 'Point', val = { radius = 1 } }"), &["no fields", "a table"]);
    refused("shape", tables.shape("return { tag = 'Circle', radius = 1 }"), &["the key `radius`"]);
    refused("shape", tables.shape("return { tag = 'Circle', value = { radius = 1 } }"), &["the key `value`"]);
    refused("shape", tables.shape("return { tag = 'Circle', val = { radios = 1 } }"), &["Circle", "`radios`"]);
    refused("shape", tables.shape("return { tag = 'Circle', val = {}, 7 }"), &["the key 1"]);
    refused("nested", tables.nested("return { tag = 'some', val = 1, other = 2 }"), &["option"]);
    refused("results", tables.results("return { { tag = 'ok', val = 1, err = 2 } }"), &["result"]);
    assert_eq!(tables.results("return { { tag = 'ok', val = 1 }, { tag = 'err', val = 2 } }"), Ok(vec![Ok(1), Err(2)]));
}

/// A host contract that takes a list.
#[polyplug::contract(name = "test.lua_sums", version = "1.0")]
trait Sums {
    fn sum(&self, numbers: Vec<i32>) -> i32;
}

struct Adding;

impl Sums for Adding {
    fn sum(&self, numbers: Vec<i32>) -> i32 {
        numbers.iter().sum()
    }
}

#[test]
fn the_arguments_of_calls_that_lua_makes_arrive_whole() {
    let runtime = lua_runtime(polyplug_lua::LuaLoader::new());
    runtime.provide::<dyn Sums>(Adding).unwrap();
    load_lua(&runtime, "lua", &format!("{SCRIPT} sums = polyplug.host('test.lua_sums@1')"));
    assert_eq!(run(&runtime, "return sums:sum({ 1, 2, 3 })").unwrap(), "6");
    let error = run(&runtime, "return sums:sum({ [0] = 1, 2, 3 })").unwrap_err().to_string();
    for part in ["test.lua_sums.sum", "numbers", "the key 0"] {
        assert!(error.contains(part), "{part:?} is in: {error}");
    }
    assert!(run(&runtime, "return sums:sum({ 1, 2, n = 2 })").unwrap_err().to_string().contains("`n`"));
}
