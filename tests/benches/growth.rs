//! Calls between versions of a contract that has grown, beside calls between equal versions and copies by hand.

use std::hint::black_box;
use std::mem::MaybeUninit;
use std::sync::Arc;

use polyplug::Runtime;
use polyplug_native::NativeLoader;
use polyplug_tests::Bundle;
use polyplug_tests::bench::{Goal, Table};
use test_contracts_growing::{v1_0, v1_3};

/// The older record, as C lays it out.
#[repr(C)]
#[derive(Clone, Copy)]
struct Old {
    number: u64,
    value: f64,
    sensor: u32,
    quality: u32,
}

/// The newer record.
#[repr(C)]
#[derive(Clone, Copy)]
struct New {
    old: Old,
    unit: u64,
}

fn main() {
    let (old, new) = (loaded("plugin-growing-10"), loaded("plugin-growing-13"));
    newer_host(&old, &new);
    older_host(&old, &new);
    loads();
}

fn loaded(package: &str) -> (Bundle, Arc<Runtime>) {
    let bundle = Bundle::native("growing", package);
    let runtime = Runtime::builder().loader(NativeLoader::new()).build().expect("one loader");
    runtime.load_bundle(bundle.path()).expect("the fixture loads");
    (bundle, runtime)
}

fn newer_host((_old, old): &(Bundle, Arc<Runtime>), (_new, new): &(Bundle, Arc<Runtime>)) {
    let table = Table::new("A host of 1.3 calls plugins of 1.3 and of 1.0");
    let same = new.proxy::<dyn v1_3::Measured>().expect("provided");
    let older = old.proxy::<dyn v1_3::Measured>().expect("provided");
    let add = |proxy: &v1_3::MeasuredProxy| proxy.add(black_box(2), black_box(3)).expect("it answers");
    table.line("add, which has not grown, beside 1.3", Goal::None, || add(&same), || add(&older));
    let reading = v1_3::Reading { number: 1, value: 0.5, sensor: 2, quality: 3, unit: 4 };
    let one = |proxy: &v1_3::MeasuredProxy| proxy.one(black_box(reading)).expect("it answers");
    table.line("a record of five fields, beside 1.3", Goal::None, || one(&same), || one(&older));
    let readings: Vec<_> = (0..1000).map(|number| v1_3::Reading { number, ..reading }).collect();
    let all = |proxy: &v1_3::MeasuredProxy| proxy.all(black_box(&readings)).expect("it answers");
    table.line("a list of 1,000 records, beside 1.3", Goal::None, || all(&same), || all(&older));
    let from = vec![New { old: Old { number: 1, value: 0.5, sensor: 2, quality: 3 }, unit: 4 }; 1000];
    let mut to = vec![MaybeUninit::<Old>::uninit(); 1000];
    let copy = || {
        for (from, to) in black_box(&from).iter().zip(black_box(&mut to)) {
            to.write(from.old);
        }
    };
    table.line("the same, beside a copy by hand", Goal::Times(2.0), copy, || all(&older));
}

fn older_host((_old, old): &(Bundle, Arc<Runtime>), (_new, new): &(Bundle, Arc<Runtime>)) {
    let table = Table::new("A host of 1.0 calls plugins of 1.0 and of 1.3");
    let same = old.proxy::<dyn v1_0::Measured>().expect("provided");
    let newer = new.proxy::<dyn v1_0::Measured>().expect("provided");
    let reading = v1_0::Reading { number: 1, value: 0.5, sensor: 2, quality: 3 };
    let one = |proxy: &v1_0::MeasuredProxy| proxy.one(black_box(reading)).expect("it answers");
    table.line("a record of four fields, beside 1.0", Goal::None, || one(&same), || one(&newer));
    let readings: Vec<_> = (0..1000).map(|number| v1_0::Reading { number, ..reading }).collect();
    let all = |proxy: &v1_0::MeasuredProxy| proxy.all(black_box(&readings)).expect("it answers");
    table.line("a list of 1,000 records, beside 1.0", Goal::None, || all(&same), || all(&newer));
    let from = vec![Old { number: 1, value: 0.5, sensor: 2, quality: 3 }; 1000];
    let mut to = vec![MaybeUninit::<New>::uninit(); 1000];
    let copy = || {
        for (from, to) in black_box(&from).iter().zip(black_box(&mut to)) {
            to.write(New { old: *from, unit: 7 });
        }
    };
    table.line("the same, beside a copy by hand", Goal::Times(2.0), copy, || all(&newer));
}

fn loads() {
    let table = Table::new("Load and unload of a bundle");
    let load = |package: &str| {
        let bundle = Bundle::native("growing", package);
        let runtime = Runtime::builder().loader(NativeLoader::new()).build().expect("one loader");
        move || {
            let id = runtime.load_bundle(bundle.path()).expect("the fixture loads");
            runtime.unload_bundle(id).expect("it is loaded");
        }
    };
    // This program links all four versions, so each load compiles adapters for three of them.
    table.line("of 1.3, beside 1.0", Goal::None, load("plugin-growing-10"), load("plugin-growing-13"));
    let before = load("plugin-growing-before");
    table.line("of an old copy, beside one without growth", Goal::None, load("plugin-calc"), before);
}
