//! Look-ups among many contracts.

use std::hint::black_box;

use crossbeam_epoch::pin;
use polyplug_tests::batches::{medians, repeated};

use crate::Chart;
use crate::store::{id, store};

/// The number of look-ups in a round, each of another contract.
const ROUND: u32 = 64;

pub(crate) fn measure() -> Chart {
    let mut chart = Chart::new("contracts", "Look-ups among many contracts", "contracts", "ns");
    for contracts in [10, 100, 1_000, 10_000] {
        let store = store(contracts);
        let wanted: Vec<_> = (0..ROUND as usize).map(|number| id(number * 7 % contracts)).collect();
        let handles: Vec<_> =
            wanted.iter().map(|id| store.find_guest_contract(*id, 0).expect("it is registered")).collect();
        let find = || wanted.iter().for_each(|id| _ = black_box(store.find_guest_contract(black_box(*id), 0)));
        let resolve = || {
            handles.iter().for_each(|handle| _ = black_box(store.resolve_guest_contract(black_box(*handle))));
        };
        let times = medians(&mut [
            repeated(find),
            repeated(|| {
                let _guard = pin();
                find();
            }),
            repeated(|| {
                let _guard = pin();
                resolve();
            }),
            repeated(|| (0..ROUND).for_each(|_| drop(black_box(pin())))),
        ]);
        let names = ["find", "find inside a pin", "resolve inside a pin", "a pin, the floor of find"];
        let points: Vec<_> = names.into_iter().zip(times.iter().map(|time| time / f64::from(ROUND))).collect();
        chart.points(&contracts.to_string(), &points);
    }
    chart
}
