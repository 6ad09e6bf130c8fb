//! A contract that grows: versions 1.0 to 1.3, each in a module of its own. Methods, fields, cases and types are added.

/// Defines the contract's trait under a name.
macro_rules! methods {
    ($name:literal, $version:literal, { $($methods:tt)* }) => {
        #[polyplug::contract(name = $name, version = $version)]
        pub trait Growing {
            /// The item as the callee sees it.
            fn show(&self, item: &Item) -> String;
            /// An item of the callee's.
            fn make(&self, id: u64) -> Item;
            /// The same items.
            fn echo(&self, items: Vec<Item>) -> Vec<Item>;
            /// The same, deep inside of others.
            fn nested(&self, items: BTreeMap<String, Option<Item>>, pair: (u8, Item)) -> BTreeMap<String, Option<Item>>;
            /// The tree as the callee sees it.
            fn show_tree(&self, tree: Tree) -> String;
            /// The same tree.
            fn echo_tree(&self, tree: Tree) -> Tree;
            /// The mood as the callee sees it.
            fn show_mood(&self, mood: Mood) -> String;
            /// The newest mood that the callee knows.
            fn newest_mood(&self) -> Mood;
            /// The colour as the callee sees it.
            fn show_colour(&self, colour: Colour) -> String;
            /// The newest colour that the callee knows.
            fn newest_colour(&self) -> Colour;
            /// The shape as the callee sees it.
            fn show_shape(&self, shape: Shape) -> String;
            /// The newest shape that the callee knows.
            fn newest_shape(&self) -> Shape;
            /// Fails with the newest error that the callee knows, unless `fine`.
            fn fail(&self, fine: bool) -> Result<Item, Trouble>;
            /// Neither grows nor takes what does.
            fn add(&self, a: i32, b: i32) -> i32;
            /// The item as the host sees it, which implements the contract as well.
            fn show_to_host(&self, item: &Item) -> Result<String, String>;
            /// The items, through the host or another bundle. The newest colour comes from there, too.
            fn ask(&self, host: bool, items: Vec<Item>) -> Result<(Vec<Item>, Colour), String>;
            /// The item that the watcher returns for the callee's own as the callee sees it, what the watcher says to an
            /// object of the callee's, and a sum of the watcher's.
            fn watch(&self, watcher: &dyn Watcher) -> (String, String, i32);
            /// The newest colour that the watcher knows.
            fn watched_colour(&self, watcher: &dyn Watcher) -> Colour;
            /// Keeps the watcher.
            fn keep(&self, watcher: polyplug::Callback<dyn Watcher>);
            /// The item that the watcher that was kept returns.
            fn kept(&self, item: &Item) -> Result<Item, String>;
            /// The items that another plugin's kept watcher and lent watcher return.
            fn relay(
                &self,
                item: &Item,
                kept: polyplug::Callback<dyn Watcher>,
                lent: &dyn Watcher,
            ) -> Result<(Item, (String, String, i32)), String>;
            $($methods)*
        }
    };
}

/// Defines one version. What is common to all is written here, what was added comes in.
macro_rules! version {
    (
        $version:literal $module:ident $alone:literal $small:literal
        item { $($item:tt)* } tree { $($tree:tt)* } mood { $($mood:tt)* } colour { $($colour:tt)* }
        shape { $($shape:tt)* } trouble { $($trouble:tt)* } reading { $($reading:tt)* }
        methods { $($methods:tt)* } types { $($types:tt)* }
    ) => {
        #[doc = concat!("Version ", $version, " of the contract.")]
        #[allow(missing_docs)]
        pub mod $module {
            use std::collections::BTreeMap;

            methods!("test.growing", $version, { $($methods)* });

            /// The same contract under a name of its own, so that no other version of it is linked.
            pub mod alone {
                use std::collections::BTreeMap;

                use super::*;

                methods!($alone, $version, { $($methods)* });
            }

            /// An object that is passed to the callee. Its methods' types grow.
            #[polyplug::contract(name = "test.watcher", version = $version)]
            pub trait Watcher {
                /// The same item.
                fn see(&self, item: &Item) -> Item;
                /// The newest colour that the watcher knows.
                fn colour(&self) -> Colour;
                /// An item that `again` has seen, as text.
                fn hand(&self, again: &dyn Watcher) -> String;
                /// Neither grows nor takes what does.
                fn add(&self, a: i32, b: i32) -> i32;
            }

            /// A contract whose calls are measured.
            #[polyplug::contract(name = "test.measured", version = $version)]
            pub trait Measured {
                /// Neither grows nor takes what does.
                fn add(&self, a: i32, b: i32) -> i32;
                /// The number of the reading.
                fn one(&self, reading: Reading) -> u64;
                /// The sum of the numbers of the first and the last reading.
                fn all(&self, readings: &[Reading]) -> u64;
            }

            /// A record of plain fields.
            #[derive(Debug, Clone, Copy, PartialEq, polyplug::Type)]
            #[repr(C)]
            pub struct Reading {
                pub number: u64,
                pub value: f64,
                pub sensor: u32,
                pub quality: u32,
                $($reading)*
            }

            /// A small contract of the same types. Each version has a name of its own, so that a program that links all of
            /// them has one version of each contract, as a host has.
            #[polyplug::contract(name = $small, version = $version)]
            pub trait Small {
                /// The same item.
                fn echo(&self, item: &Item) -> Item;
                /// An item of the callee's.
                fn make(&self, id: u64) -> Item;
                /// The same items, the last one first.
                fn turn(&self, items: Vec<Item>) -> Vec<Item>;
                /// The newest mood that the callee knows.
                fn mood(&self) -> Mood;
                /// The newest colour that the callee knows.
                fn colour(&self) -> Colour;
            }

            #[derive(Debug, Clone, PartialEq, polyplug::Type)]
            pub struct Item {
                pub id: u64,
                pub name: String,
                $($item)*
            }

            #[derive(Debug, Clone, PartialEq, polyplug::Type)]
            pub struct Tree {
                pub value: u16,
                pub children: Vec<Tree>,
                $($tree)*
            }

            /// Unknown moods are strange.
            #[derive(Debug, Clone, Copy, PartialEq, polyplug::Type)]
            pub enum Mood {
                Calm,
                #[contract(other)]
                Strange,
                $($mood)*
            }

            /// No colour stands for unknown ones.
            #[derive(Debug, Clone, Copy, PartialEq, polyplug::Type)]
            pub enum Colour {
                Red,
                Green,
                $($colour)*
            }

            #[derive(Debug, Clone, PartialEq, polyplug::Type)]
            pub enum Shape {
                Dot,
                Circle { radius: f64 },
                $($shape)*
            }

            #[derive(Debug, Clone, PartialEq, polyplug::Type)]
            pub enum Trouble {
                Missing,
                $($trouble)*
            }

            $($types)*
        }
    };
}

version! {
    "1.0" v1_0 "test.growing_10" "test.small-0"
    item {} tree {} mood {} colour {} shape {} trouble { Refused { why: String } } reading {} methods {} types {}
}

version! {
    "1.1" v1_1 "test.growing_11" "test.small-1"
    item {
        #[contract(since = "1.1", default)]
        pub note: Option<String>,
    }
    tree {}
    mood {
        #[contract(since = "1.1")]
        Wild,
    }
    colour {
        #[contract(since = "1.1")]
        Blue,
    }
    shape {} trouble { Refused { why: String } } reading {}
    methods {} types {}
}

version! {
    "1.2" v1_2 "test.growing_12" "test.small-2"
    item {
        #[contract(since = "1.1", default)]
        pub note: Option<String>,
        #[contract(since = "1.2", default = 7)]
        pub count: u32,
        #[contract(since = "1.2", default = vec!["old".to_owned()])]
        pub tags: Vec<String>,
    }
    tree {
        #[contract(since = "1.2", default = "leaf".to_owned())]
        pub label: String,
    }
    mood {
        #[contract(since = "1.1")]
        Wild,
    }
    colour {
        #[contract(since = "1.1")]
        Blue,
    }
    shape {
        #[contract(since = "1.2")]
        Square { corner: (i8, i8), item: Item },
    }
    trouble {
        Refused { why: String },
        #[contract(since = "1.2")]
        Broken { item: Item },
    }
    reading {}
    methods {
        /// How many there are.
        #[contract(since = "1.2")]
        fn count(&self, items: &[Item]) -> u32;
    }
    types {}
}

version! {
    "1.3" v1_3 "test.growing_13" "test.small-3"
    item {
        #[contract(since = "1.1", default)]
        pub note: Option<String>,
        #[contract(since = "1.2", default = 7)]
        pub count: u32,
        #[contract(since = "1.2", default = vec!["old".to_owned()])]
        pub tags: Vec<String>,
        #[contract(since = "1.3", default = Place { x: -1, y: 1, label: Some("nowhere".to_owned()) })]
        pub place: Place,
    }
    tree {
        #[contract(since = "1.2", default = "leaf".to_owned())]
        pub label: String,
        #[contract(since = "1.3", default)]
        pub twin: Option<Box<Tree>>,
    }
    mood {
        #[contract(since = "1.1")]
        Wild,
        #[contract(since = "1.3")]
        Tired,
    }
    colour {
        #[contract(since = "1.1")]
        Blue,
        #[contract(since = "1.3")]
        Violet,
    }
    shape {
        #[contract(since = "1.2")]
        Square { corner: (i8, i8), item: Item },
        #[contract(since = "1.3")]
        Group(Vec<Shape>),
    }
    trouble {
        Refused { why: String },
        #[contract(since = "1.2")]
        Broken { item: Item },
        #[contract(since = "1.3")]
        Gone,
    }
    reading {
        #[contract(since = "1.3", default = 7)]
        pub unit: u64,
    }
    methods {
        /// How many there are.
        #[contract(since = "1.2")]
        fn count(&self, items: &[Item]) -> u32;
        /// Where the item is.
        #[contract(since = "1.3")]
        fn place_of(&self, item: &Item) -> Place;
    }
    types {
        /// Where an item is.
        #[derive(Debug, Clone, PartialEq, polyplug::Type)]
        pub struct Place {
            pub x: i32,
            pub y: i32,
            pub label: Option<String>,
        }
    }
}

/// Implements the part that all versions have for a type called `$plugin`. `$item` are the fields of the items that it
/// makes beside the id and the name.
#[macro_export]
macro_rules! implement {
    (
        $module:ident for $plugin:ident,
        item { $($item:tt)* } mood $mood:ident colour $colour:ident shape { $($shape:tt)* } trouble { $($trouble:tt)* }
        methods { $($methods:tt)* }
    ) => {
        use std::collections::BTreeMap;

        use polyplug::{CallError, PluginContext};
        use test_contracts_growing::$module::*;

        struct $plugin {
            context: PluginContext,
            kept: std::sync::Mutex<Option<polyplug::Callback<dyn Watcher>>>,
        }

        /// The plugin's own object.
        struct Seer;

        impl Watcher for Seer {
            fn see(&self, item: &Item) -> Item {
                item.clone()
            }

            fn colour(&self) -> Colour {
                Colour::$colour
            }

            fn hand(&self, again: &dyn Watcher) -> String {
                format!("{:?}", again.see(&$plugin::item(6)))
            }

            fn add(&self, a: i32, b: i32) -> i32 {
                a.wrapping_add(b)
            }
        }

        impl $plugin {
            fn new(context: &PluginContext) -> Result<Self, CallError> {
                Ok(Self { context: context.clone(), kept: std::sync::Mutex::default() })
            }

            fn item(id: u64) -> Item {
                Item { id, name: format!("item {id}"), $($item)* }
            }
        }

        #[derive(Default)]
        struct Measuring;

        #[polyplug::plugin]
        impl Measured for Measuring {
            fn add(&self, a: i32, b: i32) -> i32 {
                a.wrapping_add(b)
            }

            fn one(&self, reading: Reading) -> u64 {
                reading.number
            }

            fn all(&self, readings: &[Reading]) -> u64 {
                let number = |reading: Option<&Reading>| reading.map_or(0, |reading| reading.number);
                number(readings.first()) + number(readings.last())
            }
        }

        #[polyplug::plugin(create = $plugin::new)]
        impl Growing for $plugin {
            fn show(&self, item: &Item) -> String {
                format!("{item:?}")
            }

            fn make(&self, id: u64) -> Item {
                Self::item(id)
            }

            fn echo(&self, items: Vec<Item>) -> Vec<Item> {
                items
            }

            fn nested(&self, mut items: BTreeMap<String, Option<Item>>, pair: (u8, Item)) -> BTreeMap<String, Option<Item>> {
                items.insert(pair.0.to_string(), Some(pair.1));
                items
            }

            fn show_tree(&self, tree: Tree) -> String {
                format!("{tree:?}")
            }

            fn echo_tree(&self, tree: Tree) -> Tree {
                tree
            }

            fn show_mood(&self, mood: Mood) -> String {
                format!("{mood:?}")
            }

            fn newest_mood(&self) -> Mood {
                Mood::$mood
            }

            fn show_colour(&self, colour: Colour) -> String {
                format!("{colour:?}")
            }

            fn newest_colour(&self) -> Colour {
                Colour::$colour
            }

            fn show_shape(&self, shape: Shape) -> String {
                format!("{shape:?}")
            }

            fn newest_shape(&self) -> Shape {
                $($shape)*
            }

            fn fail(&self, fine: bool) -> Result<Item, Trouble> {
                if fine { Ok(Self::item(1)) } else { Err($($trouble)*) }
            }

            fn add(&self, a: i32, b: i32) -> i32 {
                a.wrapping_add(b)
            }

            fn show_to_host(&self, item: &Item) -> Result<String, String> {
                let host = self.context.host_since::<dyn Growing>(0);
                host.and_then(|host| host.show(item)).map_err(|error| error.to_string())
            }

            fn ask(&self, host: bool, items: Vec<Item>) -> Result<(Vec<Item>, Colour), String> {
                let other = if host { self.context.host_since::<dyn Growing>(0) } else { self.context.peer::<dyn Growing>() };
                let answer = other.and_then(|other| Ok((other.echo(items)?, other.newest_colour()?)));
                answer.map_err(|error| error.to_string())
            }

            fn watch(&self, watcher: &dyn Watcher) -> (String, String, i32) {
                let back = watcher.see(&Self::item(5));
                (format!("{back:?}"), watcher.hand(&Seer), watcher.add(20, 3))
            }

            fn watched_colour(&self, watcher: &dyn Watcher) -> Colour {
                watcher.colour()
            }

            fn keep(&self, watcher: polyplug::Callback<dyn Watcher>) {
                *self.kept.lock().unwrap() = Some(watcher);
            }

            fn kept(&self, item: &Item) -> Result<Item, String> {
                let kept = self.kept.lock().unwrap().clone().ok_or("nothing is kept")?;
                kept.see(item).map_err(|error| error.to_string())
            }

            fn relay(
                &self,
                item: &Item,
                kept: polyplug::Callback<dyn Watcher>,
                lent: &dyn Watcher,
            ) -> Result<(Item, (String, String, i32)), String> {
                let text = |error: CallError| error.to_string();
                let other = self.context.peer::<dyn Growing>().map_err(text)?;
                other.keep(kept).map_err(text)?;
                Ok((other.kept(item).map_err(text)??, other.watch(lent).map_err(text)?))
            }

            $($methods)*
        }
    };
}
