//! A contract of a hundred methods with a plugin for it, to see what large contracts cost when they are compiled and loaded.

use std::collections::BTreeMap;

/// A place.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub struct Place {
    /// To the right.
    pub x: f64,
    /// Upwards.
    pub y: f64,
    /// What it is called.
    pub name: String,
}

/// A way.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub struct Way {
    /// Where it leads along.
    pub places: Vec<Place>,
    /// Where it forks.
    pub forks: Vec<Way>,
    /// What there is to see.
    pub sights: BTreeMap<String, Place>,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub enum Trouble {
    /// Nobody knows.
    Unknown,
    /// Not there.
    Missing(String),
    /// Too far.
    Far {
        /// From here.
        from: Place,
        /// In metres.
        metres: f64,
    },
}

macro_rules! hundred {
    (
        numbers: $($number:ident)*;
        texts: $($text:ident)*;
        lists: $($list:ident)*;
        records: $($record:ident)*;
        outcomes: $($outcome:ident)*;
    ) => {
        /// A hundred methods.
        #[polyplug::contract(name = "test.hundred", version = "1.0")]
        pub trait Hundred {
            $(
                /// Numbers.
                fn $number(&self, a: i64, b: u32, flag: bool) -> i64;
            )*
            $(
                /// Texts.
                fn $text(&self, text: &str, letter: char) -> String;
            )*
            $(
                /// Lists.
                fn $list(&self, numbers: &[f64], words: &[String]) -> Vec<Option<String>>;
            )*
            $(
                /// Records.
                fn $record(&self, way: &Way, place: Place) -> Place;
            )*
            $(
                /// Outcomes.
                fn $outcome(&self, way: Option<Way>, by: (u8, f32)) -> Result<Way, Trouble>;
            )*
        }

        #[derive(Default)]
        struct All;

        #[polyplug::plugin]
        impl Hundred for All {
            $(fn $number(&self, a: i64, b: u32, flag: bool) -> i64 {
                if flag { a } else { i64::from(b) }
            })*
            $(fn $text(&self, text: &str, letter: char) -> String {
                format!("{text}{letter}")
            })*
            $(fn $list(&self, numbers: &[f64], words: &[String]) -> Vec<Option<String>> {
                numbers.iter().zip(words).map(|(number, word)| (*number > 0.0).then(|| word.clone())).collect()
            })*
            $(fn $record(&self, way: &Way, place: Place) -> Place {
                way.places.first().cloned().unwrap_or(place)
            })*
            $(fn $outcome(&self, way: Option<Way>, _: (u8, f32)) -> Result<Way, Trouble> {
                way.ok_or(Trouble::Unknown)
            })*
        }
    };
}

hundred! {
    numbers: n00 n01 n02 n03 n04 n05 n06 n07 n08 n09 n10 n11 n12 n13 n14 n15 n16 n17 n18 n19;
    texts: t00 t01 t02 t03 t04 t05 t06 t07 t08 t09 t10 t11 t12 t13 t14 t15 t16 t17 t18 t19;
    lists: l00 l01 l02 l03 l04 l05 l06 l07 l08 l09 l10 l11 l12 l13 l14 l15 l16 l17 l18 l19;
    records: r00 r01 r02 r03 r04 r05 r06 r07 r08 r09 r10 r11 r12 r13 r14 r15 r16 r17 r18 r19;
    outcomes: o00 o01 o02 o03 o04 o05 o06 o07 o08 o09 o10 o11 o12 o13 o14 o15 o16 o17 o18 o19;
}
