//! Values of a contract that grows, as sides of each version have them, and checks of calls that hold whatever the language
//! of the plugin.

use std::collections::BTreeMap;

use polyplug::CallError;
use test_contracts_growing::{v1_0, v1_1, v1_2, v1_3};

/// All fields of an item, with what the oldest ones are not.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Full {
    pub(crate) id: u64,
    pub(crate) note: Option<String>,
    pub(crate) count: u32,
    pub(crate) tags: Vec<String>,
    pub(crate) place: (i32, i32, Option<String>),
}

impl Full {
    /// An item of a host.
    pub(crate) fn of_host(id: u64) -> Self {
        Self {
            id,
            note: Some("of the host".to_owned()),
            count: 40,
            tags: vec!["x".to_owned(), String::new(), "zz".to_owned()],
            place: (-7, 8, None),
        }
    }

    /// The item that the plugin of a version makes.
    pub(crate) fn of_plugin(minor: u32, id: u64) -> Self {
        let full = match minor {
            1 => Self { note: Some("one".to_owned()), ..Self::of_host(id) },
            2 => Self {
                note: Some("two".to_owned()),
                count: 2,
                tags: vec!["a".to_owned(), "b".to_owned()],
                ..Self::of_host(id)
            },
            _ => Self { id, note: Some("three".to_owned()), count: 3, tags: vec![], place: (5, 6, None) },
        };
        full.known(minor)
    }

    /// Returns the item as it is after a side of version 1.`minor` had it.
    pub(crate) fn known(self, minor: u32) -> Self {
        Self {
            id: self.id,
            note: self.note.filter(|_| minor >= 1),
            count: if minor >= 2 { self.count } else { 7 },
            tags: if minor >= 2 { self.tags } else { vec!["old".to_owned()] },
            place: if minor >= 3 { self.place } else { (-1, 1, Some("nowhere".to_owned())) },
        }
    }
}

/// Returns the name of an item.
fn name(full: &Full) -> String {
    format!("item {}", full.id)
}

pub(crate) fn item_0(full: Full) -> v1_0::Item {
    v1_0::Item { id: full.id, name: name(&full) }
}

pub(crate) fn item_1(full: Full) -> v1_1::Item {
    v1_1::Item { id: full.id, name: name(&full), note: full.note }
}

pub(crate) fn item_2(full: Full) -> v1_2::Item {
    v1_2::Item { id: full.id, name: name(&full), note: full.note, count: full.count, tags: full.tags }
}

pub(crate) fn item_3(full: Full) -> v1_3::Item {
    let name = name(&full);
    let Full { id, note, count, tags, place: (x, y, label) } = full;
    v1_3::Item { id, name, note, count, tags, place: v1_3::Place { x, y, label } }
}

/// Returns how a side of version 1.`minor` writes the item.
pub(crate) fn written(minor: u32, full: Full) -> String {
    match minor {
        0 => format!("{:?}", item_0(full)),
        1 => format!("{:?}", item_1(full)),
        2 => format!("{:?}", item_2(full)),
        _ => format!("{:?}", item_3(full)),
    }
}

pub(crate) fn tree_0(depth: u16) -> v1_0::Tree {
    v1_0::Tree { value: depth, children: (0..depth).map(tree_0).collect() }
}

pub(crate) fn tree_1(depth: u16) -> v1_1::Tree {
    v1_1::Tree { value: depth, children: (0..depth).map(tree_1).collect() }
}

/// Makes a tree whose labels are those of a side of version 1.`known`.
pub(crate) fn tree_2(depth: u16, known: u32) -> v1_2::Tree {
    let label = if known >= 2 { format!("label {depth}") } else { "leaf".to_owned() };
    v1_2::Tree { value: depth, children: (0..depth).map(|depth| tree_2(depth, known)).collect(), label }
}

pub(crate) fn tree_3(depth: u16, known: u32) -> v1_3::Tree {
    let label = if known >= 2 { format!("label {depth}") } else { "leaf".to_owned() };
    let twin = (known >= 3 && depth == 2).then(|| Box::new(tree_3(1, known)));
    v1_3::Tree { value: depth, children: (0..depth).map(|depth| tree_3(depth, known)).collect(), label, twin }
}

/// Returns how a side of version 1.`minor` writes the tree of a side of version 1.`sender`.
pub(crate) fn written_tree(minor: u32, sender: u32) -> String {
    let known = minor.min(sender);
    match minor {
        0 => format!("{:?}", tree_0(3)),
        1 => format!("{:?}", tree_1(3)),
        2 => format!("{:?}", tree_2(3, known)),
        _ => format!("{:?}", tree_3(3, known)),
    }
}

/// Checks that a call has failed, before the callee ran, for a case that the callee does not know.
#[track_caller]
pub(crate) fn unknown_argument<T: std::fmt::Debug>(answer: Result<T, CallError>, words: &[&str]) {
    let error = answer.expect_err("the receiver does not know the case");
    let CallError::InvalidArgument(_) = &error else { panic!("an argument, not {error:?}") };
    for word in words {
        assert!(error.to_string().contains(word), "{word} is in: {error}");
    }
}

#[track_caller]
pub(crate) fn unknown_result<T: std::fmt::Debug>(answer: Result<T, CallError>, words: &[&str]) {
    let error = answer.expect_err("the receiver does not know the case");
    let CallError::InvalidResult(_) = &error else { panic!("a result, not {error:?}") };
    for word in words {
        assert!(error.to_string().contains(word), "{word} is in: {error}");
    }
}

/// Defines checks of calls by a host of version 1.`$minor`, whose types and proxy are in scope.
macro_rules! checks {
    ($minor:literal, $item:ident, $newest_colour:expr, $tree:expr) => {
        const HOST: u32 = $minor;

        fn values(proxy: &GrowingProxy, plugin: u32) {
            let common = HOST.min(plugin);
            let sent = |id| $item(Full::of_host(id));
            assert_eq!(proxy.show(&sent(4)), Ok(written(plugin, Full::of_host(4).known(common))));
            assert_eq!(proxy.make(3), Ok($item(Full::of_plugin(plugin, 3))));
            let back = |id| $item(Full::of_host(id).known(common));
            assert_eq!(proxy.echo(vec![]), Ok(vec![]));
            assert_eq!(proxy.echo((0..50).map(sent).collect()), Ok((0..50).map(back).collect()));
            let items = BTreeMap::from([("a".to_owned(), Some(sent(1))), ("b".to_owned(), None)]);
            let all = [("a".to_owned(), Some(back(1))), ("b".to_owned(), None), ("9".to_owned(), Some(back(2)))];
            assert_eq!(proxy.nested(items, (9, sent(2))), Ok(BTreeMap::from(all)));
            let tree: fn(u32) -> Tree = $tree;
            assert_eq!(proxy.show_tree(tree(HOST)), Ok(written_tree(plugin, HOST)));
            assert_eq!(proxy.echo_tree(tree(HOST)), Ok(tree(common)));
            assert_eq!(proxy.fail(true), Ok(Ok($item(Full::of_plugin(plugin, 1)))));
            assert_eq!(proxy.add(2, 3), Ok(5));
        }

        /// An object of the host's, with the items that it has seen.
        #[derive(Default)]
        struct Watching(std::sync::Arc<std::sync::Mutex<Vec<String>>>);

        impl Watcher for Watching {
            fn see(&self, item: &Item) -> Item {
                self.0.lock().unwrap().push(format!("{item:?}"));
                item.clone()
            }

            fn colour(&self) -> Colour {
                $newest_colour
            }

            fn hand(&self, again: &dyn Watcher) -> String {
                format!("{:?} {}", again.see(&$item(Full::of_host(6))), again.add(7, 8))
            }

            fn add(&self, a: i32, b: i32) -> i32 {
                a + b
            }
        }

        fn objects(runtime: &polyplug::Runtime, proxy: &GrowingProxy, plugin: u32) {
            let common = HOST.min(plugin);
            let watching = Watching::default();
            let seen = written(plugin, Full::of_plugin(plugin, 5).known(common));
            let handed = format!("{} 15", written(HOST, Full::of_host(6).known(common)));
            assert_eq!(proxy.watch(&watching), Ok((seen, handed, 23)));
            assert_eq!(*watching.0.lock().unwrap(), [written(HOST, Full::of_plugin(plugin, 5).known(common))]);
            let (newest, since) = match HOST {
                0 => ("Green", 0),
                1 | 2 => ("Blue", 1),
                _ => ("Violet", 3),
            };
            let colour = proxy.watched_colour(&watching);
            match colour {
                Ok(colour) => assert!(since <= plugin && format!("{colour:?}") == newest, "{colour:?}"),
                // The plugin passes its own error on.
                Err(error) => {
                    let text = error.to_string();
                    let words = [newest, "Colour", "test.watcher.colour", "version 1."];
                    assert!(since > plugin && words.iter().all(|word| text.contains(word)), "{text}");
                }
            }
            let kept = Watching::default();
            let seen = std::sync::Arc::clone(&kept.0);
            proxy.keep(runtime.callback::<dyn Watcher>(kept).unwrap()).unwrap();
            assert_eq!(proxy.kept(&$item(Full::of_host(4))), Ok(Ok($item(Full::of_host(4).known(common)))));
            assert_eq!(*seen.lock().unwrap(), [written(HOST, Full::of_host(4).known(common))]);
        }
    };
}

/// Defines a host's own implementation of one version.
macro_rules! provider {
    ($provider:ident of $module:ident, $shape:expr, $colour:expr, { $($more:tt)* }) => {
        pub(crate) struct $provider;

        impl $module::Growing for $provider {
            fn show(&self, item: &$module::Item) -> String {
                format!("{item:?}")
            }

            fn make(&self, _: u64) -> $module::Item {
                unreachable!()
            }

            fn echo(&self, items: Vec<$module::Item>) -> Vec<$module::Item> {
                items
            }

            fn nested(
                &self,
                items: BTreeMap<String, Option<$module::Item>>,
                _: (u8, $module::Item),
            ) -> BTreeMap<String, Option<$module::Item>> {
                items
            }

            fn show_tree(&self, _: $module::Tree) -> String {
                unreachable!()
            }

            fn echo_tree(&self, tree: $module::Tree) -> $module::Tree {
                tree
            }

            fn show_mood(&self, _: $module::Mood) -> String {
                unreachable!()
            }

            fn newest_mood(&self) -> $module::Mood {
                unreachable!()
            }

            fn show_colour(&self, _: $module::Colour) -> String {
                unreachable!()
            }

            fn newest_colour(&self) -> $module::Colour {
                $colour
            }

            fn show_shape(&self, _: $module::Shape) -> String {
                unreachable!()
            }

            fn newest_shape(&self) -> $module::Shape {
                $shape
            }

            fn fail(&self, _: bool) -> Result<$module::Item, $module::Trouble> {
                unreachable!()
            }

            fn add(&self, a: i32, b: i32) -> i32 {
                a + b
            }

            fn show_to_host(&self, _: &$module::Item) -> Result<String, String> {
                unreachable!()
            }

            fn ask(&self, _: bool, _: Vec<$module::Item>) -> Result<(Vec<$module::Item>, $module::Colour), String> {
                unreachable!()
            }

            fn watch(&self, _: &dyn $module::Watcher) -> (String, String, i32) {
                unreachable!()
            }

            fn watched_colour(&self, _: &dyn $module::Watcher) -> $module::Colour {
                unreachable!()
            }

            fn keep(&self, _: polyplug::Callback<dyn $module::Watcher>) {
                unreachable!()
            }

            fn kept(&self, _: &$module::Item) -> Result<$module::Item, String> {
                unreachable!()
            }

            fn relay(
                &self,
                _: &$module::Item,
                _: polyplug::Callback<dyn $module::Watcher>,
                _: &dyn $module::Watcher,
            ) -> Result<($module::Item, (String, String, i32)), String> {
                unreachable!()
            }

            $($more)*
        }
    };
}

provider!(Host0 of v1_0, v1_0::Shape::Dot, v1_0::Colour::Green, {});

provider!(Host3 of v1_3, v1_3::Shape::Dot, v1_3::Colour::Violet, {
    fn count(&self, _: &[v1_3::Item]) -> u32 {
        unreachable!()
    }

    fn place_of(&self, item: &v1_3::Item) -> v1_3::Place {
        item.place.clone()
    }
});

/// Checks calls of the plugin of one version to the host or to another plugin, of version 1.`other`.
macro_rules! asks {
    ($module:ident, $minor:literal, $item:ident, $runtime:expr, $host:expr, $other:expr) => {{
        let (runtime, other): (&polyplug::Runtime, u32) = ($runtime, $other);
        let proxy = runtime.proxy_from::<dyn $module::Growing>(format!("caller-{}", $minor).as_str()).unwrap();
        let known = |id: u64| Full::of_host(id).known(other.min($minor));
        if $host {
            let shown = proxy.show_to_host(&$item(Full::of_host(4)));
            assert_eq!(shown, Ok(Ok(written(other, known(4)))));
        }
        let answer = proxy.ask($host, (0..5).map(|id| $item(Full::of_host(id))).collect()).unwrap();
        let newest = match other {
            0 => ("Green", 0),
            1 | 2 => ("Blue", 1),
            _ => ("Violet", 3),
        };
        match answer {
            Ok((items, colour)) => {
                assert!(newest.1 <= $minor, "the plugin does not know {colour:?}");
                assert_eq!(items, (0..5).map(|id| $item(known(id))).collect::<Vec<_>>());
                assert_eq!(format!("{colour:?}"), newest.0);
            }
            Err(error) => {
                assert!(newest.1 > $minor && error.contains(newest.0) && error.contains("Colour"), "{error}");
            }
        }
    }};
}

/// Checks calls of each of these callers, of bundles whose names end with their versions.
pub(crate) fn asks_all(runtime: &polyplug::Runtime, host: bool, callers: &[u32], other: u32) {
    for caller in callers {
        match caller {
            0 => asks!(v1_0, 0, item_0, runtime, host, other),
            1 => asks!(v1_1, 1, item_1, runtime, host, other),
            2 => asks!(v1_2, 2, item_2, runtime, host, other),
            _ => asks!(v1_3, 3, item_3, runtime, host, other),
        }
    }
}
