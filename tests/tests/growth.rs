//! A contract grows within a major: a host of each version meets plugins of each version. The newer side reads defaults,
//! the older side never sees what it does not know.

use std::collections::BTreeMap;

use polyplug::CallError;
use polyplug_tests::{Bundle, runtime};
use test_contracts_growing::{v1_0, v1_3};

#[macro_use]
mod growing;

use growing::*;

/// Defines the tests of a host of one version.
macro_rules! host {
    ($host:ident of $module:ident, $minor:literal, $item:ident, $newest_colour:expr, $tree:expr, |$proxy:ident, $plugin:ident| $newest:block) => {
        mod $host {
            use super::*;
            use test_contracts_growing::$module::*;

            fn meets(bundle: &Bundle, plugin: u32) {
                let runtime = runtime();
                runtime.load_bundle(bundle.path()).unwrap();
                let proxy = runtime.proxy::<dyn Growing>().unwrap();
                for _ in 0..2 {
                    values(&proxy, plugin);
                    cases(&proxy, plugin);
                    objects(&runtime, &proxy, plugin);
                }
                assert_eq!(proxy.clone().make(1).unwrap(), proxy.make(1).unwrap());
            }

            checks!($minor, $item, $newest_colour, $tree);

            fn cases(proxy: &GrowingProxy, plugin: u32) {
                assert_eq!(proxy.show_mood(Mood::Calm), Ok("Calm".to_owned()));
                assert_eq!(proxy.show_colour(Colour::Green), Ok("Green".to_owned()));
                assert_eq!(proxy.show_shape(Shape::Dot), Ok("Dot".to_owned()));
                let mood = |mood: Mood| format!("{mood:?}");
                let newest = match plugin { 0 => "Strange", 1 | 2 => "Wild", _ => "Tired" };
                let seen = match (newest, HOST) { ("Wild", 0) | ("Tired", 0..=2) => "Strange", (newest, _) => newest };
                assert_eq!(proxy.newest_mood().map(mood), Ok(seen.to_owned()));
                match (plugin, HOST) {
                    (1 | 2, 0) => unknown_result(proxy.newest_colour(), &["Blue", "Colour", "1.1", "result"]),
                    (3, 0..=2) => unknown_result(proxy.newest_colour(), &["Violet", "Colour", "1.3", "result"]),
                    (0, _) => assert_eq!(proxy.newest_colour().map(|colour| format!("{colour:?}")), Ok("Green".to_owned())),
                    (1 | 2, _) => assert_eq!(proxy.newest_colour().map(|colour| format!("{colour:?}")), Ok("Blue".to_owned())),
                    _ => assert_eq!(proxy.newest_colour().map(|colour| format!("{colour:?}")), Ok("Violet".to_owned())),
                }
                match (plugin, HOST) {
                    (0 | 1, _) => {
                        assert_eq!(proxy.newest_shape(), Ok(Shape::Circle { radius: 2.5 }));
                        assert!(matches!(proxy.fail(false), Ok(Err(Trouble::Refused { .. }))));
                    }
                    (2, 0 | 1) => {
                        unknown_result(proxy.newest_shape(), &["Square", "Shape", "1.2"]);
                        unknown_result(proxy.fail(false), &["Broken", "Trouble", "1.2"]);
                    }
                    (2, _) => {
                        let text = format!("Square {{ corner: (-3, 4), item: {:?} }}", $item(Full::of_plugin(2, 9)));
                        assert_eq!(proxy.newest_shape().map(|shape| format!("{shape:?}")), Ok(text));
                        let text = format!("Err(Broken {{ item: {:?} }})", $item(Full::of_plugin(2, 8)));
                        assert_eq!(proxy.fail(false).map(|answer| format!("{answer:?}")), Ok(text));
                    }
                    (_, 0..=2) => {
                        unknown_result(proxy.newest_shape(), &["Group", "Shape", "1.3"]);
                        unknown_result(proxy.fail(false), &["Gone", "Trouble", "1.3"]);
                    }
                    _ => {
                        let text = "Group([Dot, Circle { radius: 1.0 }])".to_owned();
                        assert_eq!(proxy.newest_shape().map(|shape| format!("{shape:?}")), Ok(text));
                        assert_eq!(proxy.fail(false).map(|answer| format!("{answer:?}")), Ok("Err(Gone)".to_owned()));
                    }
                }
                newest_of_host(proxy, plugin);
            }

            #[test]
            fn meets_1_0() {
                meets(&Bundle::native("growing", "plugin-growing-10"), 0);
            }

            #[test]
            fn meets_1_1() {
                meets(&Bundle::native("growing", "plugin-growing-11"), 1);
            }

            #[test]
            fn meets_1_2() {
                meets(&Bundle::native("growing", "plugin-growing-12"), 2);
            }

            #[test]
            fn meets_1_3() {
                meets(&Bundle::native("growing", "plugin-growing-13"), 3);
            }

            /// Sends the newest cases that the host knows.
            fn newest_of_host($proxy: &GrowingProxy, $plugin: u32) $newest
        }
    };
}

host!(host_1_0 of v1_0, 0, item_0, Colour::Green, |_| tree_0(3), |_proxy, _plugin| {});

host!(host_1_1 of v1_1, 1, item_1, Colour::Blue, |_| tree_1(3), |proxy, plugin| {
    let mood = if plugin == 0 { "Strange" } else { "Wild" };
    assert_eq!(proxy.show_mood(Mood::Wild), Ok(mood.to_owned()));
    match plugin {
        0 => unknown_argument(proxy.show_colour(Colour::Blue), &["colour", "Blue", "Colour", "1.1", "1.0"]),
        _ => assert_eq!(proxy.show_colour(Colour::Blue), Ok("Blue".to_owned())),
    }
});

host!(host_1_2 of v1_2, 2, item_2, Colour::Blue, |known| tree_2(3, known), |proxy, plugin| {
    let square = Shape::Square { corner: (1, -1), item: item_2(Full::of_host(6)) };
    match plugin {
        0 | 1 => {
            unknown_argument(proxy.show_shape(square), &["shape", "Square", "Shape", "1.2"]);
            let error = proxy.count(&[]).unwrap_err();
            assert!(matches!(error, CallError::MethodNotAvailable { .. }), "{error}");
        }
        _ => {
            let item = written(plugin, Full::of_host(6).known(2));
            assert_eq!(proxy.show_shape(square), Ok(format!("Square {{ corner: (1, -1), item: {item} }}")));
            let items: Vec<_> = (0..3).map(|id| item_2(Full::of_host(id))).collect();
            assert_eq!(proxy.count(&items), Ok(120));
        }
    }
});

host!(host_1_3 of v1_3, 3, item_3, Colour::Violet, |known| tree_3(3, known), |proxy, plugin| {
    let mood = if plugin == 3 { "Tired" } else { "Strange" };
    assert_eq!(proxy.show_mood(Mood::Tired), Ok(mood.to_owned()));
    let group = Shape::Group(vec![Shape::Circle { radius: 0.5 }, Shape::Group(vec![])]);
    let item = item_3(Full::of_host(7));
    match plugin {
        3 => {
            assert_eq!(proxy.show_shape(group.clone()), Ok(format!("{group:?}")));
            assert_eq!(proxy.show_colour(Colour::Violet), Ok("Violet".to_owned()));
            assert_eq!(proxy.place_of(&item), Ok(item.place));
        }
        _ => {
            unknown_argument(proxy.show_shape(group), &["shape", "Group", "Shape", "1.3"]);
            unknown_argument(proxy.show_colour(Colour::Violet), &["colour", "Violet", "Colour", "1.3"]);
            let error = proxy.place_of(&item).unwrap_err();
            assert!(matches!(error, CallError::MethodNotAvailable { .. }), "{error}");
        }
    }
});

/// Makes a bundle of the plugin of version 1.`minor`, which may call the host or another plugin.
fn caller(minor: u32, host: bool) -> Bundle {
    let (name, package) = (format!("caller-{minor}"), format!("plugin-growing-1{minor}"));
    let bundle = Bundle::native(&name, &package);
    let needs = if host { "[[host]]" } else { "[[dependency]]" };
    let needs = format!("{needs}\ncontract = \"test.growing@1\"\n");
    bundle.write("manifest.toml", polyplug_tests::manifest(&name, "native", "plugin") + &needs);
    bundle
}

#[test]
fn plugins_call_hosts_of_other_versions() {
    for newest in [false, true] {
        let runtime = runtime();
        if newest {
            runtime.provide::<dyn v1_3::Growing>(Host3).unwrap();
        } else {
            runtime.provide::<dyn v1_0::Growing>(Host0).unwrap();
        }
        let bundles = [0, 1, 2, 3].map(|minor| caller(minor, true));
        for bundle in &bundles {
            runtime.load_bundle(bundle.path()).unwrap();
        }
        asks_all(&runtime, true, &[0, 1, 2, 3], if newest { 3 } else { 0 });
    }
}

#[test]
fn plugins_call_plugins_of_other_versions() {
    for other in [0, 1, 2, 3] {
        let runtime = runtime();
        let called = Bundle::native("called", &format!("plugin-growing-1{other}"));
        runtime.load_bundle(called.path()).unwrap();
        let bundles = [0, 1, 2, 3].map(|minor| caller(minor, false));
        for bundle in &bundles {
            runtime.load_bundle(bundle.path()).unwrap();
        }
        asks_all(&runtime, false, &[0, 1, 2, 3], other);
    }
}

/// An object of a host of the newest version.
struct Newest;

impl v1_3::Watcher for Newest {
    fn see(&self, item: &v1_3::Item) -> v1_3::Item {
        item.clone()
    }

    fn colour(&self) -> v1_3::Colour {
        v1_3::Colour::Violet
    }

    fn hand(&self, again: &dyn v1_3::Watcher) -> String {
        format!("{:?}", again.see(&item_3(Full::of_host(6))))
    }

    fn add(&self, a: i32, b: i32) -> i32 {
        a - b
    }
}

/// An object of a host of the oldest version.
struct Oldest;

impl v1_0::Watcher for Oldest {
    fn see(&self, item: &v1_0::Item) -> v1_0::Item {
        item.clone()
    }

    fn colour(&self) -> v1_0::Colour {
        v1_0::Colour::Green
    }

    fn hand(&self, again: &dyn v1_0::Watcher) -> String {
        format!("{:?}", again.see(&item_0(Full::of_host(6))))
    }

    fn add(&self, a: i32, b: i32) -> i32 {
        a + b
    }
}

#[test]
fn objects_pass_through_plugins_of_other_versions() {
    for other in [0, 1, 2, 3] {
        let runtime = runtime();
        let called = Bundle::native("called", &format!("plugin-growing-1{other}"));
        runtime.load_bundle(called.path()).unwrap();
        for minor in [0, 1, 2, 3] {
            let bundle = caller(minor, false);
            runtime.load_bundle(bundle.path()).unwrap();
            let proxy = runtime.proxy_from::<dyn v1_3::Growing>(format!("caller-{minor}").as_str()).unwrap();
            let kept = runtime.callback::<dyn v1_3::Watcher>(Newest).unwrap();
            let (item, seen) = proxy.relay(&item_3(Full::of_host(4)), kept, &Newest).unwrap().unwrap();
            // The item goes to the caller, to the other plugin, and back the same way.
            let common = minor.min(other);
            assert_eq!(item, item_3(Full::of_host(4).known(common)), "{minor} {other}");
            let back = written(other, Full::of_plugin(other, 5).known(common));
            let handed = written(3, Full::of_host(6).known(common));
            assert_eq!(seen, (back, handed, 17), "{minor} {other}");
        }
    }
}

#[test]
fn operators_see_which_methods_are_adapted() {
    let runtime = runtime();
    let bundle = Bundle::native("growing", "plugin-growing-12");
    let events = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&events);
    let subscription = runtime.on_event(move |event: &polyplug::Event| {
        seen.lock().unwrap().extend(event.bundle.plugins.first().cloned());
    });
    runtime.load_bundle(bundle.path()).unwrap();
    drop(subscription);
    let plugin = runtime.bundles().remove(0).plugins.remove(0);
    assert_eq!(events.lock().unwrap().first().map(|plugin| plugin.adapted.clone()), Some(plugin.adapted.clone()));
    let versions: Vec<_> = plugin.adapted.iter().map(|adapted| adapted.contract_version.minor).collect();
    assert_eq!(plugin.contract_version.minor, 2);
    assert_eq!(versions.iter().collect::<std::collections::BTreeSet<_>>(), [&0, &1, &3].into(), "{versions:?}");
    for adapted in &plugin.adapted {
        let changed = adapted.contract_version.minor;
        let has = |name| adapted.methods.contains(&name);
        assert!(has("show") && has("make") && has("watch") && has("keep"), "{adapted:?}");
        assert!(!has("add"), "{adapted:?}");
        assert_eq!(has("newest_mood"), changed != 1, "{adapted:?}");
    }
    let text = plugin.to_string();
    assert!(text.contains(", adapted to 1.3: show, make"), "{text}");
}

/// A plugin that was written when the contract had version 1.0, in each scripting language. Its moods and colours are
/// newer than every version.
const SCRIPTS: [(&str, &str); 3] = [
    (
        "lua",
        r#"
local polyplug = require("polyplug")
local Growing = polyplug.plugin("test.growing@1")
for _, name in ipairs({ "nested", "show_tree", "show_mood", "show_colour", "show_shape", "newest_shape", "fail", "add",
    "show_to_host", "ask", "count", "place_of", "kept", "relay" }) do
  Growing[name] = function() error("not here") end
end
function Growing:show(item) return item.name .. " " .. tostring(item.count) end
function Growing:make(id) return { id = id, name = "item " .. tostring(tonumber(id)) } end
function Growing:echo(items) return items end
function Growing:echo_tree(tree) return { value = tree.value, children = {} } end
function Growing:newest_mood() return "Furious" end
function Growing:newest_colour() return "Pink" end
function Growing:watch(watcher)
  local back = watcher:see({ id = 5, name = "item 5" })
  local own = { see = function(_, item) return item end, add = function(_, a, b) return a + b end }
  return { back.name .. " " .. tostring(back.count), watcher:hand(own), watcher:add(20, 3) }
end
function Growing:watched_colour(watcher) return watcher:colour() end
local kept
function Growing:keep(watcher) kept = watcher end
"#,
    ),
    (
        "python",
        r#"
from polyplug import plugin

def absent(self, *arguments):
    raise NotImplementedError

@plugin("test.growing@1")
class Growing:
    nested = show_tree = show_mood = show_colour = show_shape = newest_shape = fail = add = absent
    show_to_host = ask = count = place_of = kept = relay = absent
    def show(self, item): return f"{item.name} {item.count}"
    def make(self, id): return {"id": id, "name": f"item {id}"}
    def echo(self, items): return items
    def echo_tree(self, tree): return {"value": tree.value, "children": []}
    def newest_mood(self): return "Furious"
    def newest_colour(self): return "Pink"
    def watch(self, watcher):
        back = watcher.see({"id": 5, "name": "item 5"})
        class Own:
            def see(self, item): return item
            def add(self, a, b): return a + b
            def colour(self): return "Red"
            def hand(self, again): return ""
        return (f"{back.name} {back.count}", watcher.hand(Own()), watcher.add(20, 3))
    def watched_colour(self, watcher): return watcher.colour()
    def keep(self, watcher): self.watcher = watcher
"#,
    ),
    (
        "js",
        r#"
import { plugin } from "polyplug";

class Growing {
  show(item) { return `${item.name} ${item.count}`; }
  make(id) { return { id, name: `item ${id}` }; }
  echo(items) { return items; }
  echoTree(tree) { return { value: tree.value, children: [] }; }
  newestMood() { return "Furious"; }
  newestColour() { return "Pink"; }
  watch(watcher) {
    const back = watcher.see({ id: 5n, name: "item 5" });
    const own = { see: (item) => item, add: (a, b) => a + b, colour: () => "Red", hand: () => "" };
    return [`${back.name} ${back.count}`, watcher.hand(own), watcher.add(20, 3)];
  }
  watchedColour(watcher) { return watcher.colour(); }
  keep(watcher) { this.watcher = watcher; }
}
for (const name of ["nested", "showTree", "showMood", "showColour", "showShape", "newestShape", "fail", "add",
    "showToHost", "ask", "count", "placeOf", "kept", "relay"]) {
  Growing.prototype[name] = () => { throw new Error("not here"); };
}
plugin("test.growing@1", Growing);
"#,
    ),
];

#[test]
fn scripts_leave_out_what_came_later() {
    for (language, script) in SCRIPTS {
        let bundle = Bundle::script(language, script);
        let runtime = polyplug::Runtime::builder()
            .loader(polyplug_lua::LuaLoader::new())
            .loader(polyplug_python::PythonLoader::new())
            .loader(polyplug_js::JsLoader::new())
            .build()
            .unwrap();
        runtime.load_bundle(bundle.path()).unwrap();
        let newest = runtime.proxy::<dyn v1_3::Growing>().unwrap();
        let full = |id| Full::of_host(id).known(0);
        assert_eq!(newest.make(5), Ok(item_3(full(5))), "{language}");
        assert_eq!(newest.show(&item_3(Full::of_host(5))), Ok("item 5 40".to_owned()), "{language}");
        let items: Vec<_> = (0..3).map(|id| item_3(Full::of_host(id))).collect();
        assert_eq!(newest.echo(items.clone()), Ok(items), "{language}");
        let leaf = v1_3::Tree { value: 3, children: vec![], label: "leaf".to_owned(), twin: None };
        assert_eq!(newest.echo_tree(tree_3(3, 3)), Ok(leaf), "{language}");
        assert_eq!(newest.newest_mood(), Ok(v1_3::Mood::Strange), "{language}");
        let error = newest.newest_colour().unwrap_err().to_string();
        assert!(error.contains("Pink") && error.contains("Red, Green, Blue, Violet"), "{language}: {error}");
        // A host of an older version calls the same script through an adapter.
        let oldest = runtime.proxy::<dyn v1_0::Growing>().unwrap();
        assert_eq!(oldest.make(5), Ok(item_0(full(5))), "{language}");
        assert_eq!(oldest.show(&item_0(full(5))), Ok("item 5 7".to_owned()), "{language}");
        assert_eq!(oldest.newest_mood(), Ok(v1_0::Mood::Strange), "{language}");
        assert_eq!(oldest.echo_tree(tree_0(2)).map(|tree| tree.value), Ok(2), "{language}");
        // An object of the newest host, and one of the oldest, which gives less and gets less.
        let handed = format!("{:?}", item_3(Full::of_host(6)));
        assert_eq!(newest.watch(&Newest), Ok(("item 5 7".to_owned(), handed, 17)), "{language}");
        assert_eq!(newest.watched_colour(&Newest), Ok(v1_3::Colour::Violet), "{language}");
        let handed = format!("{:?}", item_0(Full::of_host(6)));
        assert_eq!(oldest.watch(&Oldest), Ok(("item 5 7".to_owned(), handed, 23)), "{language}");
        assert_eq!(oldest.watched_colour(&Oldest), Ok(v1_0::Colour::Green), "{language}");
    }
}
