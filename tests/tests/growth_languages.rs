//! A contract that grows, in each language: a host of each version meets plugins of each version, in C, Lua, Python and
//! JavaScript. `growth.rs` does so for Rust, and `growth_dotnet.rs` for C#.
#![cfg(unix)]

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::Path;
use std::sync::Arc;

use polyplug::schema::Schema;
use polyplug::{CallError, Runtime};
use polyplug_js::JsLoader;
use polyplug_lua::LuaLoader;
use polyplug_native::NativeLoader;
use polyplug_python::PythonLoader;
use polyplug_tests::{Bundle, SHARED, compile_c, manifest};
use test_contracts_growing::{v1_0, v1_1, v1_2, v1_3};

fn runtime() -> Arc<Runtime> {
    Runtime::builder()
        .loader(NativeLoader::new())
        .loader(LuaLoader::new())
        .loader(PythonLoader::new())
        .loader(JsLoader::new())
        .build()
        .unwrap()
}

/// Returns the parts of a template for version 1.`minor`: a line that begins with `|2|` is there since version 1.2, and one
/// with `|-1|` up to version 1.1.
fn of_version(template: &str, minor: u32, host: u32) -> String {
    let lines = template.lines().filter_map(|line| {
        let Some((condition, rest)) = line.strip_prefix('|').and_then(|line| line.split_once('|')) else {
            return Some(line);
        };
        let is_there = match condition.strip_prefix('-') {
            Some(last) => minor <= last.parse().unwrap(),
            None => minor >= condition.parse().unwrap(),
        };
        is_there.then_some(rest)
    });
    let (word, number) = [("", 0), ("one", 1), ("two", 2), ("three", 3)][minor as usize];
    let text = lines.collect::<Vec<_>>().join("\n");
    text.replace("HOST", &host.to_string()).replace("WORD", word).replace("NUMBER", &number.to_string())
}

const LUA: &str = r#"
local polyplug = require("polyplug")
local Small = polyplug.plugin("test.small-HOST@1")

local function known(item)
  return {
    id = item.id, name = item.name,
|1|    note = item.note,
|2|    count = item.count or 7, tags = item.tags or { "old" },
|3|    place = item.place or { x = -1, y = 1, label = "nowhere" },
  }
end

function Small:echo(item) return known(item) end
function Small:make(id)
  return known({
    id = id, name = "item " .. tostring(tonumber(id)), note = "WORD", count = NUMBER,
|-2|    tags = { "a", "b" },
|3|    tags = {}, place = { x = 5, y = 6 },
  })
end
function Small:turn(items)
  local turned = {}
  for i = #items, 1, -1 do turned[#turned + 1] = known(items[i]) end
  return turned
end
|-0|function Small:mood() return "Strange" end
|-0|function Small:colour() return "Green" end
|1|function Small:mood() return NUMBER < 3 and "Wild" or "Tired" end
|1|function Small:colour() return NUMBER < 3 and "Blue" or "Violet" end
"#;

const PYTHON: &str = r#"
from polyplug import plugin

def known(item):
    get = item.get if isinstance(item, dict) else lambda name, other: getattr(item, name, other)
    return {
        "id": get("id", None), "name": get("name", None),
|1|        "note": get("note", None),
|2|        "count": get("count", 7), "tags": get("tags", ["old"]),
|3|        "place": get("place", {"x": -1, "y": 1, "label": "nowhere"}),
    }

@plugin("test.small-HOST@1")
class Small:
    def echo(self, item):
        return known(item)
    def make(self, id):
        tags = ["a", "b"]
|3|        tags = []
        return known({
            "id": id, "name": f"item {id}", "note": "WORD", "count": NUMBER, "tags": tags,
            "place": {"x": 5, "y": 6, "label": None},
        })
    def turn(self, items):
        return [known(item) for item in reversed(items)]
    def mood(self):
        return ["Strange", "Wild", "Wild", "Tired"][NUMBER]
    def colour(self):
        return ["Green", "Blue", "Blue", "Violet"][NUMBER]
"#;

const JS: &str = r#"
import { plugin } from "polyplug";

const known = (item) => ({
  id: item.id, name: item.name,
|1|  note: item.note,
|2|  count: item.count ?? 7, tags: item.tags ?? ["old"],
|3|  place: item.place ?? { x: -1, y: 1, label: "nowhere" },
});

class Small {
  echo(item) { return known(item); }
  make(id) {
    let tags = ["a", "b"];
|3|    tags = [];
    return known({ id, name: `item ${id}`, note: "WORD", count: NUMBER, tags, place: { x: 5, y: 6, label: null } });
  }
  turn(items) { return items.map(known).reverse(); }
  mood() { return ["Strange", "Wild", "Wild", "Tired"][NUMBER]; }
  colour() { return ["Green", "Blue", "Blue", "Violet"][NUMBER]; }
}
plugin("test.small-HOST@1", Small);
"#;

/// Makes the plugin of version 1.`minor` of the contract that the host of version 1.`host` has.
fn bundle(language: &str, minor: u32, host: u32) -> Bundle {
    let script = |template| Bundle::script(language, &of_version(template, minor, host));
    match language {
        "lua" => script(LUA),
        "python" => script(PYTHON),
        "js" => script(JS),
        _ => in_c(minor, host),
    }
}

fn in_c(minor: u32, host: u32) -> Bundle {
    let bundle = Bundle::empty();
    let mut schema = match minor {
        0 => Schema::of::<dyn v1_0::Small>(),
        1 => Schema::of::<dyn v1_1::Small>(),
        2 => Schema::of::<dyn v1_2::Small>(),
        _ => Schema::of::<dyn v1_3::Small>(),
    };
    schema.name = format!("test.small-{host}");
    bundle.write(&format!("test.small-{host}@1.schema"), schema.encode());
    bundle.write("manifest.toml", manifest("growing", "native", "growing"));
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../loaders/all/include");
    let options =
        [format!("-I{}", include.display()), format!("-DMINOR={minor}"), format!("-DCONTRACT=\"test.small-{host}\"")];
    let options: Vec<_> = SHARED.iter().copied().chain(options.iter().map(String::as_str)).collect();
    compile_c("growing.c", &options, &bundle.path().join(format!("{DLL_PREFIX}growing{DLL_SUFFIX}")));
    bundle
}

/// Returns the fields of an item as a side of version 1.`minor` knows them, and the defaults for the others.
macro_rules! known {
    ($id:expr, $minor:expr, $note:expr, $count:expr, $tags:expr, $place:expr) => {{
        let minor: u32 = $minor;
        (
            $id,
            Option::<&str>::filter($note, |_| minor >= 1).map(str::to_owned),
            if minor >= 2 { $count } else { 7 },
            if minor >= 2 { $tags } else { vec!["old".to_owned()] },
            if minor >= 3 { $place } else { (-1, 1, Some("nowhere".to_owned())) },
        )
    }};
}

type Known = (u64, Option<String>, u32, Vec<String>, (i32, i32, Option<String>));

fn item_0((id, ..): Known) -> v1_0::Item {
    v1_0::Item { id, name: format!("item {id}") }
}

fn item_1((id, note, ..): Known) -> v1_1::Item {
    v1_1::Item { id, name: format!("item {id}"), note }
}

fn item_2((id, note, count, tags, _): Known) -> v1_2::Item {
    v1_2::Item { id, name: format!("item {id}"), note, count, tags }
}

fn item_3((id, note, count, tags, (x, y, label)): Known) -> v1_3::Item {
    v1_3::Item { id, name: format!("item {id}"), note, count, tags, place: v1_3::Place { x, y, label } }
}

/// An item of the host's, of which a side of version 1.`minor` has seen what it knows.
fn sent(id: u64, minor: u32) -> Known {
    known!(id, minor, Some("of the host"), 40, vec!["x".to_owned(), String::new()], (-7, 8, Some("h".to_owned())))
}

/// The item that a plugin of version 1.`plugin` makes, of which a side of version 1.`minor` has seen what it knows.
fn made(id: u64, plugin: u32, minor: u32) -> Known {
    let note = [None, Some("one"), Some("two"), Some("three")][plugin as usize];
    let tags = if plugin >= 3 { vec![] } else { vec!["a".to_owned(), "b".to_owned()] };
    known!(id, minor.min(plugin), note, plugin, tags, (5, 6, None))
}

/// Defines the tests of a host of one version.
macro_rules! host {
    ($host:ident of $module:ident, $minor:literal, $item:ident) => {
        mod $host {
            use super::*;
            use test_contracts_growing::$module::{Colour, Mood, Small};

            const HOST: u32 = $minor;

            fn meets(language: &str) {
                for plugin in 0..4 {
                    let bundle = bundle(language, plugin, HOST);
                    let runtime = runtime();
                    runtime.load_bundle(bundle.path()).unwrap();
                    let proxy = runtime.proxy::<dyn Small>().unwrap();
                    let common = HOST.min(plugin);
                    let case = format!("{language} of 1.{plugin}");
                    for _ in 0..2 {
                        assert_eq!(proxy.echo(&$item(sent(4, HOST))), Ok($item(sent(4, common))), "{case}");
                        assert_eq!(proxy.make(3), Ok($item(made(3, plugin, HOST))), "{case}");
                        let items = (0..5).map(|id| $item(sent(id, HOST))).collect();
                        let turned: Vec<_> = (0..5).rev().map(|id| $item(sent(id, common))).collect();
                        assert_eq!(proxy.turn(items), Ok(turned), "{case}");
                        assert_eq!(proxy.turn(vec![]), Ok(vec![]), "{case}");
                        let mood = |mood: Mood| format!("{mood:?}");
                        let newest = match plugin {
                            0 => "Strange",
                            1 | 2 => "Wild",
                            _ => "Tired",
                        };
                        let seen = match (newest, HOST) {
                            ("Wild", 0) | ("Tired", 0..=2) => "Strange",
                            (newest, _) => newest,
                        };
                        assert_eq!(proxy.mood().map(mood), Ok(seen.to_owned()), "{case}");
                        let (newest, since) = match plugin {
                            0 => ("Green", 0),
                            1 | 2 => ("Blue", 1),
                            _ => ("Violet", 3),
                        };
                        match proxy.colour() {
                            Ok(colour) => {
                                let colour: Colour = colour;
                                assert!(since <= HOST && format!("{colour:?}") == newest, "{case}: {colour:?}");
                            }
                            Err(CallError::InvalidResult(failure)) => {
                                let text = CallError::InvalidResult(failure).to_string();
                                assert!(
                                    since > HOST && text.contains(newest) && text.contains("Colour"),
                                    "{case}: {text}"
                                );
                            }
                            Err(error) => panic!("{case}: {error:?}"),
                        }
                    }
                }
            }

            #[test]
            fn meets_c() {
                meets("c");
            }

            #[test]
            fn meets_lua() {
                meets("lua");
            }

            #[test]
            fn meets_python() {
                meets("python");
            }

            #[test]
            fn meets_js() {
                meets("js");
            }
        }
    };
}

host!(host_1_0 of v1_0, 0, item_0);
host!(host_1_1 of v1_1, 1, item_1);
host!(host_1_2 of v1_2, 2, item_2);
host!(host_1_3 of v1_3, 3, item_3);

#[test]
fn a_plugin_from_before_the_growth_still_runs() {
    let bundle = Bundle::native("before", "plugin-growing-before");
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    let plugin = runtime.bundles().remove(0).plugins.remove(0);
    assert_eq!((plugin.contract_version.minor, plugin.adapted[0].contract_version.minor), (0, 3));
    let proxy = runtime.proxy::<dyn v1_3::Small>().unwrap();
    assert_eq!(proxy.make(3), Ok(item_3(sent(3, 0))));
    assert_eq!(
        proxy.turn(vec![item_3(sent(1, 3)), item_3(sent(2, 3))]),
        Ok(vec![item_3(sent(2, 0)), item_3(sent(1, 0))])
    );
    assert_eq!((proxy.mood(), proxy.colour()), (Ok(v1_3::Mood::Strange), Ok(v1_3::Colour::Green)));
}
