//! Plugins in C# that were written for each version of a contract that grows work with hosts of each version: what their
//! types lack has the default, and what the contract lacks is left out.

use std::collections::BTreeMap;
use std::sync::Arc;

use polyplug::{CallError, Runtime, Type};
use polyplug_tests::dotnet::{Version, dotnet_bundle, dotnet_runtime, install};
use polyplug_tests::{Bundle, manifest, on_each_dotnet};
use test_contracts_growing::{v1_0, v1_3};

#[macro_use]
mod growing;

use growing::*;

on_each_dotnet! {
    plugins_meet_hosts_of_each_version plugins_call_hosts_of_other_versions plugins_call_plugins_of_other_versions
    what_was_always_there_is_not_left_out older_types_have_every_form newer_types_have_every_form
}

/// Defines the checks of a host of one version, which calls through a contract that is linked in this version alone, or
/// through one whose newest version is linked as well.
macro_rules! host {
    (
        $host:ident of $module:ident, $growing:path, $proxy:path,
        $minor:literal, $item:ident, $newest_colour:expr, $tree:expr, |$sent:ident, $plugin:ident| $newest:block
    ) => {
        mod $host {
            use super::*;
            use test_contracts_growing::$module::{Colour, Item, Mood, Shape, Tree, Trouble, Watcher};
            use $growing as Growing;
            use $proxy as GrowingProxy;

            pub(crate) fn meets(runtime: &Runtime, bundle: &str, plugin: u32) {
                let proxy = runtime.proxy_from::<dyn Growing>(bundle).unwrap();
                for _ in 0..2 {
                    values(&proxy, plugin);
                    cases(&proxy, plugin);
                    objects(runtime, &proxy, plugin);
                }
            }

            checks!($minor, $item, $newest_colour, $tree);

            fn cases(proxy: &GrowingProxy, plugin: u32) {
                assert_eq!(proxy.show_mood(Mood::Calm), Ok("Calm".to_owned()));
                assert_eq!(proxy.show_mood(Mood::Strange), Ok("Strange".to_owned()));
                assert_eq!(proxy.show_colour(Colour::Green), Ok("Green".to_owned()));
                assert_eq!(proxy.show_shape(Shape::Dot), Ok("Dot".to_owned()));
                assert_eq!(proxy.show_shape(Shape::Circle { radius: 0.5 }), Ok("Circle { radius: 0.5 }".to_owned()));
                let newest = ["Strange", "Wild", "Wild", "Tired"][plugin as usize];
                let seen = match (newest, HOST) { ("Wild", 0) | ("Tired", 0..=2) => "Strange", (newest, _) => newest };
                assert_eq!(proxy.newest_mood().map(|mood| format!("{mood:?}")), Ok(seen.to_owned()));
                let (newest, since) = [("Green", 0), ("Blue", 1), ("Blue", 1), ("Violet", 3)][plugin as usize];
                match proxy.newest_colour() {
                    Ok(colour) => assert!(since <= HOST && format!("{colour:?}") == newest, "{colour:?}"),
                    refused => {
                        assert!(since > HOST, "{refused:?}");
                        unknown_result(refused, &[newest, "Colour"]);
                    }
                }
                match (plugin, HOST) {
                    (0 | 1, _) => {
                        assert_eq!(proxy.newest_shape(), Ok(Shape::Circle { radius: 2.5 }));
                        assert!(matches!(proxy.fail(false), Ok(Err(Trouble::Refused { why })) if why == "no"));
                    }
                    (2, 0 | 1) => {
                        unknown_result(proxy.newest_shape(), &["Square", "Shape"]);
                        unknown_result(proxy.fail(false), &["Broken", "Trouble"]);
                    }
                    (2, _) => {
                        let text = format!("Square {{ corner: (-3, 4), item: {:?} }}", $item(Full::of_plugin(2, 9)));
                        assert_eq!(proxy.newest_shape().map(|shape| format!("{shape:?}")), Ok(text));
                        let text = format!("Err(Broken {{ item: {:?} }})", $item(Full::of_plugin(2, 8)));
                        assert_eq!(proxy.fail(false).map(|answer| format!("{answer:?}")), Ok(text));
                    }
                    (_, 0..=2) => {
                        unknown_result(proxy.newest_shape(), &["Group", "Shape"]);
                        unknown_result(proxy.fail(false), &["Gone", "Trouble"]);
                    }
                    _ => {
                        let text = "Group([Dot, Circle { radius: 1.0 }])".to_owned();
                        assert_eq!(proxy.newest_shape().map(|shape| format!("{shape:?}")), Ok(text));
                        assert_eq!(proxy.fail(false).map(|answer| format!("{answer:?}")), Ok("Err(Gone)".to_owned()));
                    }
                }
                newest_of_host(proxy, plugin);
            }

            /// Sends the newest cases that the host knows.
            fn newest_of_host($sent: &GrowingProxy, $plugin: u32) $newest
        }
    };
}

/// Defines both kinds of hosts of a version.
macro_rules! hosts {
    ($alone:ident, $adapted:ident of $module:ident, $($more:tt)*) => {
        host! {
            $alone of $module,
            test_contracts_growing::$module::alone::Growing, test_contracts_growing::$module::alone::GrowingProxy, $($more)*
        }
        host! {
            $adapted of $module,
            test_contracts_growing::$module::Growing, test_contracts_growing::$module::GrowingProxy, $($more)*
        }
    };
}

hosts!(alone_0, adapted_0 of v1_0, 0, item_0, Colour::Green, |_| tree_0(3), |_proxy, _plugin| {});

hosts!(alone_1, adapted_1 of v1_1, 1, item_1, Colour::Blue, |_| tree_1(3), |proxy, plugin| {
    let mood = if plugin == 0 { "Strange" } else { "Wild" };
    assert_eq!(proxy.show_mood(Mood::Wild), Ok(mood.to_owned()));
    match plugin {
        0 => unknown_argument(proxy.show_colour(Colour::Blue), &["colour", "`Blue`", "`Colour` since version 1.1 of test."]),
        _ => assert_eq!(proxy.show_colour(Colour::Blue), Ok("Blue".to_owned())),
    }
});

hosts!(alone_2, adapted_2 of v1_2, 2, item_2, Colour::Blue, |known| tree_2(3, known), |proxy, plugin| {
    let square = Shape::Square { corner: (1, -1), item: item_2(Full::of_host(6)) };
    let items: Vec<_> = (0..3).map(|id| item_2(Full::of_host(id))).collect();
    match plugin {
        0 | 1 => {
            unknown_argument(proxy.show_shape(square), &["shape", "`Square`", "`Shape` since version 1.2 of test."]);
            let error = proxy.count(&items).unwrap_err();
            assert!(matches!(error, CallError::MethodNotAvailable { .. }), "{error}");
        }
        _ => {
            let item = written(plugin, Full::of_host(6).known(2));
            assert_eq!(proxy.show_shape(square), Ok(format!("Square {{ corner: (1, -1), item: {item} }}")));
            assert_eq!(proxy.count(&items), Ok(120));
        }
    }
});

hosts!(alone_3, adapted_3 of v1_3, 3, item_3, Colour::Violet, |known| tree_3(3, known), |proxy, plugin| {
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
            unknown_argument(proxy.show_shape(group), &["shape", "`Group`", "`Shape` since version 1.3 of test."]);
            unknown_argument(proxy.show_colour(Colour::Violet), &["colour", "`Violet`", "`Colour` since version 1.3 of test."]);
            let error = proxy.place_of(&item).unwrap_err();
            assert!(matches!(error, CallError::MethodNotAvailable { .. }), "{error}");
        }
    }
});

fn plugins_meet_hosts_of_each_version(version: Version) {
    for plugin in 0..=3 {
        let runtime = dotnet_runtime(version);
        let name = format!("growing_1{plugin}");
        let bundle = dotnet_bundle(&name, &name);
        runtime.load_bundle(bundle.path()).unwrap();
        alone_0::meets(&runtime, &name, plugin);
        alone_1::meets(&runtime, &name, plugin);
        alone_2::meets(&runtime, &name, plugin);
        alone_3::meets(&runtime, &name, plugin);
        adapted_0::meets(&runtime, &name, plugin);
        adapted_1::meets(&runtime, &name, plugin);
        adapted_2::meets(&runtime, &name, plugin);
        adapted_3::meets(&runtime, &name, plugin);
    }
}

/// Makes a bundle of the plugin of version 1.`minor`, which may call the host or another plugin.
fn caller(minor: u32, host: bool) -> Bundle {
    let bundle = Bundle::empty();
    let file = install(&format!("growing_1{minor}"), &bundle);
    let needs = if host { "[[host]]" } else { "[[dependency]]" };
    let needs = format!("{needs}\ncontract = \"test.growing@1\"\n");
    bundle.write("manifest.toml", manifest(&format!("caller-{minor}"), "dotnet", &file) + &needs);
    bundle
}

fn plugins_call_hosts_of_other_versions(version: Version) {
    for newest in [false, true] {
        let runtime = dotnet_runtime(version);
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

fn plugins_call_plugins_of_other_versions(version: Version) {
    for other in [0, 1, 2, 3] {
        let runtime = dotnet_runtime(version);
        let called = dotnet_bundle("called", &format!("growing_1{other}"));
        runtime.load_bundle(called.path()).unwrap();
        let bundles = [0, 1, 2, 3].map(|minor| caller(minor, false));
        for bundle in &bundles {
            runtime.load_bundle(bundle.path()).unwrap();
        }
        asks_all(&runtime, false, &[0, 1, 2, 3], other);
    }
}

fn what_was_always_there_is_not_left_out(version: Version) {
    let (runtime, bundle) = (dotnet_runtime(version), dotnet_bundle("growing_wrong", "growing_wrong"));
    let error = runtime.load_bundle(bundle.path()).unwrap_err().to_string();
    for words in [
        "`Item` has no constructor parameter, settable property or field for `name` of `Item`",
        "`Item` has no public property or field for `name` of `Item`",
        "`Tree` has no public constructor whose parameters are fields of `Tree` or have defaults",
        "the enum `Colour` has no member for the case `Green` of `Colour`",
        "no class that derives from `Shape` is named `Circle`, as a case of `Shape`",
    ] {
        assert!(error.contains(words), "{words} is in: {error}");
    }
    for name in ["`note`", "`label`", "`Violet`", "`Group`", "`Tired`"] {
        assert!(!error.contains(name), "{name} is not in: {error}");
    }
}

#[derive(Debug, Clone, PartialEq, Type)]
struct Pair(
    u8,
    String,
    #[contract(since = "1.1", default = 5)] u16,
    #[contract(since = "1.2", default = vec!["a".to_owned(), "b".to_owned()])] Vec<String>,
);

#[derive(Debug, Clone, Copy, PartialEq, Type)]
struct Plain {
    x: i32,
    #[contract(since = "1.1", default = -9)]
    y: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Type)]
enum Level {
    Low,
    #[contract(other)]
    Middle,
    #[contract(since = "1.1")]
    High,
}

#[derive(Debug, Clone, PartialEq, Type)]
enum Note {
    Empty,
    #[contract(other)]
    Unread,
    Text(String, #[contract(since = "1.1", default = 3)] u8),
    Mark {
        at: u32,
        #[contract(since = "1.2", default = "here".to_owned())]
        label: String,
    },
    #[contract(since = "1.1")]
    Tagged(Vec<String>),
}

/// Implemented by `growing_old.cs` and `growing_new.cs`.
#[polyplug::contract(name = "test.growing_forms", version = "1.2")]
trait Forms {
    fn tuple(&self, pair: Pair) -> Pair;
    fn class(&self, pair: Pair) -> Pair;
    fn fields(&self, pair: Pair) -> Pair;
    fn text(&self, pair: Pair) -> String;
    fn plain(&self, plain: Plain) -> Plain;
    fn notes(&self, notes: Vec<Note>) -> Vec<Note>;
    fn newer(&self) -> Note;
    fn derived(&self) -> Note;
    fn level(&self, level: Level) -> Level;
    fn newer_level(&self) -> Level;
    fn no_level(&self) -> Level;
}

fn forms(version: Version, plugins: &str) -> (Arc<Runtime>, Bundle, FormsProxy) {
    let (runtime, bundle) = (dotnet_runtime(version), dotnet_bundle(plugins, plugins));
    runtime.load_bundle(bundle.path()).unwrap();
    let proxy = runtime.proxy::<dyn Forms>().unwrap();
    (runtime, bundle, proxy)
}

fn notes() -> Vec<Note> {
    vec![
        Note::Tagged(vec!["t".to_owned()]),
        Note::Empty,
        Note::Text("x".to_owned(), 8),
        Note::Mark { at: 2, label: "there".to_owned() },
        Note::Unread,
    ]
}

fn older_types_have_every_form(version: Version) {
    let (_runtime, _bundle, proxy) = forms(version, "growing_old");
    let sent = || Pair(1, "one".to_owned(), 2, vec!["c".to_owned()]);
    let back = || Ok(Pair(1, "one".to_owned(), 5, vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(proxy.tuple(sent()), back());
    assert_eq!(proxy.class(sent()), back());
    assert_eq!(proxy.fields(sent()), back());
    assert_eq!(proxy.text(sent()), Ok("1 one".to_owned()));
    assert_eq!(proxy.plain(Plain { x: 3, y: 4 }), Ok(Plain { x: 3, y: -9 }));
    let read = vec![
        Note::Unread,
        Note::Empty,
        Note::Text("x".to_owned(), 3),
        Note::Mark { at: 2, label: "here".to_owned() },
        Note::Unread,
    ];
    assert_eq!(proxy.notes(notes()), Ok(read));
    assert_eq!(proxy.newer(), Ok(Note::Unread));
    unknown_result(proxy.derived(), &["`Note.LongMark` is no case of Note, only Empty, Unread, Text, Mark, Tagged"]);
    assert_eq!(proxy.level(Level::Low), Ok(Level::Low));
    assert_eq!(proxy.level(Level::High), Ok(Level::Middle));
    assert_eq!(proxy.newer_level(), Ok(Level::Middle));
    unknown_result(proxy.no_level(), &["`99` is no case of Level, only Low, Middle, High"]);
}

fn newer_types_have_every_form(version: Version) {
    let (_runtime, _bundle, proxy) = forms(version, "growing_new");
    let sent = || Pair(1, "one".to_owned(), 2, vec!["c".to_owned()]);
    assert_eq!(proxy.tuple(sent()), Ok(sent()));
    assert_eq!(proxy.class(sent()), Ok(sent()));
    assert_eq!(proxy.fields(sent()), Ok(sent()));
    let defaults = "-5 more null Friday Monday 2.5 x 1.25 0 True True False";
    assert_eq!(proxy.text(sent()), Ok(format!("1 one 2 1, {defaults}")));
    assert_eq!(proxy.plain(Plain { x: 3, y: 4 }), Ok(Plain { x: 3, y: 8 }));
    assert_eq!(proxy.notes(notes()), Ok(notes()));
    assert_eq!(proxy.newer(), Ok(Note::Unread));
    assert_eq!(proxy.derived(), Ok(Note::Empty));
    assert_eq!(proxy.level(Level::High), Ok(Level::High));
    assert_eq!(proxy.newer_level(), Ok(Level::Middle));
    unknown_result(proxy.no_level(), &["`99` is no case of Level, only Low, Middle, High"]);
}
