//! Values of every type cross in both directions, and each side sees what they are.

use std::collections::{BTreeMap, HashMap};

use polyplug::CallError;
use polyplug_tests::values::{Sample, same};
use test_contracts::conformance::{Many, Written, extremes, options, order, shapes, told};
use test_contracts::each_type;
use test_contracts::types::*;

use crate::guest::Guest;

fn check<T: Sample>(method: &str, call: impl Fn(T) -> Result<T, CallError>) {
    let samples = T::samples();
    assert!(!samples.is_empty());
    for sample in samples {
        let answer = call(sample.clone()).unwrap_or_else(|error| panic!("{method}: {sample:?}: {error}"));
        assert!(same(&answer.value(), &sample.value()), "{method}: {sample:?} came back as {answer:?}");
    }
}

macro_rules! check_each {
    ($($name:ident: $ty:ty),* $(,)?) => {
        pub(crate) fn every_type_comes_back(guest: &Guest) {
            let (_runtime, _bundle, proxy) = guest.proxy::<dyn Types>("types");
            $(check::<$ty>(stringify!($name), |value| proxy.$name(value));)*
        }
    };
}

each_type!(check_each);

pub(crate) fn lists_of_records(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Written>("written");
    assert_eq!(proxy.total(&order()), Ok(10.5));
    let mut empty = order();
    empty.items.clear();
    assert_eq!(proxy.total(&empty), Ok(0.0));
}

pub(crate) fn records_are_made(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Written>("written");
    assert_eq!(proxy.order(), Ok(order()));
}

pub(crate) fn extremes_are_seen(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Written>("written");
    assert_eq!(proxy.differing(&extremes()), Ok(vec![]));
    // One next to them is another.
    let mut others = extremes();
    others.int64.1 -= 1;
    others.nat64 -= 1;
    others.inexact.0 += 1;
    others.beyond += 1;
    others.bytes[3] = 254;
    let mut differing = proxy.differing(&others).unwrap();
    differing.sort();
    assert_eq!(differing, ["beyond", "bytes", "inexact", "int64", "nat64"]);
}

pub(crate) fn extremes_are_made(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Written>("written");
    assert_eq!(proxy.extremes(), Ok(extremes()));
}

pub(crate) fn odd_floats_cross(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Written>("written");
    for (number, kind) in
        [(f64::NAN, (true, false)), (-0.0, (false, true)), (0.0, (false, false)), (-1.0, (false, false))]
    {
        assert_eq!(proxy.float_kind(number), Ok(kind), "{number:?}");
    }
    let (nan, zero) = proxy.odd_floats().unwrap();
    assert!(nan.is_nan());
    assert_eq!((zero, zero.is_sign_negative()), (0.0, true));
}

pub(crate) fn every_shape_is_seen(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Written>("written");
    for (shape, spelt) in shapes().iter().zip(test_contracts::conformance::SPELT) {
        assert_eq!(proxy.spell(shape), Ok(spelt.to_owned()), "{shape:?}");
    }
}

pub(crate) fn every_shape_is_made(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Written>("written");
    assert_eq!(proxy.shapes(), Ok(shapes()));
}

pub(crate) fn enums_cross(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Written>("written");
    for (colour, next) in [(Colour::Red, Colour::Green), (Colour::Green, Colour::Blue), (Colour::Blue, Colour::Red)] {
        assert_eq!(proxy.next(colour), Ok(next));
    }
}

pub(crate) fn options_are_seen(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Written>("written");
    for with in [true, false] {
        assert_eq!(proxy.tell(&options(with)).unwrap(), told(with));
    }
    let mut none = options(false);
    none.nested = None;
    assert_eq!(proxy.tell(&none).unwrap()[1], "nested=none", "which is not the same as some none");
}

pub(crate) fn options_are_made(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Written>("written");
    for with in [true, false] {
        assert_eq!(proxy.options(with), Ok(options(with)));
    }
}

pub(crate) fn empty_values_cross(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Written>("written");
    assert_eq!(proxy.empty(), Ok((String::new(), vec![], vec![], BTreeMap::new())));
    assert_eq!(proxy.measure("", &[]), Ok((0, 0)));
    assert_eq!(proxy.repeat("", 5), Ok(String::new()));
    assert_eq!(proxy.fill(0), Ok(vec![]));
}

pub(crate) fn many_arguments_keep_their_places(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Written>("written");
    let (item, shape) = (order().items[0].clone(), Shape::Dot(7));
    for (c, i) in [(Some(3.0), true), (None, false)] {
        let answer = proxy.many(1, "zwei", c, &[4, -4], '5', &item, &shape, u64::MAX, i, Colour::Blue);
        let (b, d, f, g) = ("zwei".to_owned(), vec![4, -4], item.clone(), shape.clone());
        assert_eq!(answer, Ok(Many { a: 1, b, c, d, e: '5', f, g, h: u64::MAX, i, j: Colour::Blue }));
    }
}

pub(crate) fn nothing_crosses(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Types>("types");
    assert_eq!(proxy.result_unit(Ok(())), Ok(Ok(())));
    assert_eq!(proxy.option_unit(None), Ok(None));
    assert_eq!(proxy.tree_nat32(BTreeMap::from([(1, ()), (2, ())])), Ok(BTreeMap::from([(1, ()), (2, ())])));
}
