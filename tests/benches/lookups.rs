//! Finding providers, making proxies, and loading, beside their floors.

use std::hint::black_box;

use crossbeam_epoch::pin;
use polyplug::{GuestContractId, Runtime};
use polyplug_abi::GuestContractHandle;
use polyplug_native::NativeLoader;
use polyplug_tests::bench::{Goal, Table};
use polyplug_tests::{Bundle, library, runtime};
use test_contracts::{Calculator, Counter};

use crate::store::{id, store};

#[path = "shared/store.rs"]
mod store;

/// The nanoseconds of a pin on the machine of the goals.
const PIN: f64 = 6.4;

/// The nanoseconds of a call through a pointer on the machine of the goals.
const CALL: f64 = 1.68;

type Add = extern "C" fn(i32, i32) -> i32;

#[inline(never)]
extern "C" fn add(a: i32, b: i32) -> i32 {
    a.wrapping_add(b)
}

const fn within(ns: f64) -> Goal {
    Goal::Within { ns, reference: PIN }
}

fn main() {
    let table = Table::new("Look-ups");
    if table.wants("find resolve contracts") {
        look_ups(&table, 20);
        look_ups(&table, 10_000);
    }
    proxies(&table);
    load(&Table::new("Loading a native bundle"));
}

/// The number of look-ups in a round, each of another contract.
const ROUND: u32 = 64;

fn look_ups(table: &Table, contracts: usize) {
    let store = store(contracts);
    let wanted: Vec<GuestContractId> = (0..ROUND as usize).map(|n| id(n * 7 % contracts)).collect();
    let handles: Vec<GuestContractHandle> =
        wanted.iter().map(|id| store.find_guest_contract(*id, 0).expect("registered")).collect();
    let find = || wanted.iter().for_each(|id| _ = black_box(store.find_guest_contract(black_box(*id), 0)));
    let resolve = || handles.iter().for_each(|handle| _ = black_box(store.resolve_guest_contract(black_box(*handle))));
    let pins = || (0..ROUND).for_each(|_| drop(black_box(pin())));
    let calls = || (0..ROUND).for_each(|_| _ = black_box(black_box(add as Add)(black_box(2), black_box(3))));

    table.line_of(ROUND, &format!("find, {contracts} contracts, beside a pin"), within(11.0), pins, find);
    // A look-up takes no pin here, so the floor of these is a call through a pointer.
    let guard = pin();
    let goal = |ns| Goal::Within { ns, reference: CALL };
    table.line_of(ROUND, &format!("find inside a pin, {contracts} contracts"), goal(5.0), calls, find);
    table.line_of(ROUND, &format!("resolve inside a pin, {contracts} contracts"), goal(3.0), calls, resolve);
    drop(guard);
}

fn proxies(table: &Table) {
    let bundle = Bundle::native("calc", "plugin-calc");
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).expect("the fixture loads");
    table.line(
        "proxy of a stateless plugin, made and dropped",
        within(60.0),
        || drop(black_box(pin())),
        || runtime.proxy::<dyn Calculator>().expect("provided"),
    );
    table.line(
        "proxy with an instance, made and dropped",
        within(85.0),
        || drop(black_box(pin())),
        || runtime.proxy::<dyn Counter>().expect("provided"),
    );
}

fn load(table: &Table) {
    let bundle = Bundle::native("calc", "plugin-calc");
    let runtime = Runtime::builder().loader(NativeLoader::new()).build().expect("one loader");
    let file = bundle.path().join(library("plugin-calc").file_name().expect("a file"));
    std::fs::copy(library("plugin-calc"), &file).expect("a copy");
    table.line(
        "load and unload, beside dlopen, dlsym, dlclose",
        Goal::Times(1.5),
        || {
            // SAFETY: the library is a fixture of this repository.
            let library = unsafe { libloading::Library::new(&file) }.expect("it opens");
            // SAFETY: the symbol is looked up, and not called.
            black_box(*unsafe { library.get::<extern "C" fn() -> u32>(b"polyplug_abi_version\0") }.expect("exported"));
        },
        || {
            let id = runtime.load_bundle(bundle.path()).expect("the fixture loads");
            let report = runtime.unload_bundle(id).expect("loaded");
            assert!(report.reclaimed);
        },
    );
}
