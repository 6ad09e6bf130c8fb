//! Plugins in C#, beside the same by hand: delegates whose addresses native code calls.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use polyplug::{BundleId, Runtime};
use polyplug_dotnet::DotnetLoader;
use polyplug_tests::bench::{Goal, Table};
use polyplug_tests::dotnet::{self, Version};
use polyplug_tests::footprint::footprint;
use polyplug_tests::{Bundle, manifest};
use test_contracts::Calculator;
use test_contracts::types::Tree;

/// Takes a record with a list of records, and returns it.
#[polyplug::contract(name = "bench.trees", version = "1.0")]
trait Trees {
    fn tree(&self, value: &Tree) -> Tree;
}

/// Gives the addresses of functions that are written by hand.
#[polyplug::contract(name = "bench.hand", version = "1.0")]
trait Hand {
    fn functions(&self) -> Vec<u64>;
}

type AddFunction = unsafe extern "C" fn(u64, i32, i32) -> i32;
type GreetFunction = unsafe extern "C" fn(u64, *const u8, usize, *mut u8, usize) -> usize;
type SumFunction = unsafe extern "C" fn(u64, *const u8, usize) -> u64;
type TreeFunction = unsafe extern "C" fn(u64, i32, *const i32, usize, *mut i32);

/// The functions that are written by hand, and the object that they are called for.
struct ByHand {
    object: u64,
    add: AddFunction,
    greet: GreetFunction,
    sum: SumFunction,
    tree: TreeFunction,
}

impl ByHand {
    fn of(runtime: &Runtime) -> Self {
        let functions = runtime.proxy::<dyn Hand>().expect("the fixture provides it").functions().expect("it answers");
        let [object, add, greet, sum, tree] = functions[..] else { panic!("five numbers") };
        // SAFETY: the plugin gives the addresses of delegates of these types, which live as long as its code.
        unsafe {
            Self {
                object,
                add: std::mem::transmute::<usize, AddFunction>(add as usize),
                greet: std::mem::transmute::<usize, GreetFunction>(greet as usize),
                sum: std::mem::transmute::<usize, SumFunction>(sum as usize),
                tree: std::mem::transmute::<usize, TreeFunction>(tree as usize),
            }
        }
    }

    fn add(&self, a: i32, b: i32) -> i32 {
        // SAFETY: the plugin's code is loaded as long as the benchmark runs.
        unsafe { (self.add)(self.object, a, b) }
    }

    fn greet(&self, name: &str) -> String {
        let mut room = [0; 256];
        // SAFETY: as for `add`; the name is readable and the room writable.
        let count = unsafe { (self.greet)(self.object, name.as_ptr(), name.len(), room.as_mut_ptr(), room.len()) };
        std::str::from_utf8(&room[..count]).expect("it is a text").to_owned()
    }

    fn sum(&self, data: &[u8]) -> u64 {
        // SAFETY: as for `add`; the data are readable.
        unsafe { (self.sum)(self.object, data.as_ptr(), data.len()) }
    }

    /// Passes a tree of two levels as its values, and makes one of the values that come back.
    fn tree(&self, tree: &Tree) -> Tree {
        let children: Vec<i32> = tree.children.iter().map(|child| child.value).collect();
        let mut returned = vec![0; children.len() + 1];
        // SAFETY: as for `add`; there is room for as many values as there are.
        unsafe { (self.tree)(self.object, tree.value, children.as_ptr(), children.len(), returned.as_mut_ptr()) };
        let leaf = |value: &i32| Tree { value: *value, children: Vec::new() };
        Tree { value: returned[0], children: returned[1..].iter().map(leaf).collect() }
    }
}

fn loader() -> DotnetLoader {
    let version = match std::env::var("POLYPLUG_BENCH_DOTNET").as_deref() {
        Ok("3.1") => Version::Net31,
        _ => Version::Net9,
    };
    let loader = DotnetLoader::new().with_root(dotnet::root(version));
    match version {
        Version::Net31 => loader.with_property("System.Globalization.Invariant", "true"),
        Version::Net9 => loader,
    }
}

fn bundle(name: &str, guest: &str) -> Bundle {
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest(name, "dotnet", &format!("{guest}.dll")));
    std::fs::copy(dotnet::assembly(guest), bundle.path().join(format!("{guest}.dll"))).expect("it is compiled");
    bundle
}

fn main() {
    // Before anything else, as the first line of the life cycle is the start of the CLR.
    start();
    calls();
    life_cycle();
}

fn runtime() -> Arc<Runtime> {
    Runtime::builder().loader(loader()).hot_reload(true).build().expect("one loader has no rival")
}

fn start() {
    let bundle = bundle("idle", "idle");
    let runtime = runtime();
    let begun = Instant::now();
    let _refused = runtime.load_bundle(bundle.path());
    println!("start of the CLR, with the first bundle {:>27.1} ms", begun.elapsed().as_secs_f64() * 1e3);
}

fn calls() {
    let runtime = runtime();
    let (calculator, hand) = (bundle("calculator", "calculator"), bundle("by_hand", "by_hand"));
    for bundle in [&calculator, &hand] {
        runtime.load_bundle(bundle.path()).expect("the fixture loads");
    }
    let calc = runtime.proxy::<dyn Calculator>().expect("the fixture provides it");
    let trees = runtime.proxy::<dyn Trees>().expect("the fixture provides it");
    let hand = ByHand::of(&runtime);

    let name = "sixteen letters!";
    let data: Vec<u8> = (0..4096u32).map(|n| n as u8).collect();
    let total = data.iter().map(|byte| u64::from(*byte)).sum();
    let given = Tree { value: 1, children: (0..8).map(|value| Tree { value, children: Vec::new() }).collect() };
    // The CLR compiles a method again, better, after thirty calls and a tenth of a second.
    for _ in 0..20 {
        for _ in 0..2000 {
            assert_eq!((calc.add(2, 3), hand.add(2, 3)), (Ok(5), 5));
            let expected = "Hello, sixteen letters!!".to_owned();
            assert_eq!((calc.greet(name), hand.greet(name)), (Ok(expected.clone()), expected));
            assert_eq!((trees.tree(&given), hand.tree(&given)), (Ok(given.clone()), given.clone()));
        }
        assert_eq!((calc.sum(&data), hand.sum(&data)), (Ok(total), total));
        std::thread::sleep(Duration::from_millis(20));
    }

    let table = Table::new("Calls of a C# plugin, beside a delegate by hand");
    table.line(
        "dotnet add(i32, i32)",
        Goal::None,
        || hand.add(black_box(2), black_box(3)),
        || calc.add(black_box(2), black_box(3)).expect("it answers"),
    );
    table.line(
        "dotnet greet(&str) -> String",
        Goal::None,
        || hand.greet(black_box(name)),
        || calc.greet(black_box(name)).expect("it answers"),
    );
    table.line(
        "dotnet sum(&[u8] of 4 KiB)",
        Goal::Times(1.05),
        || hand.sum(black_box(&data)),
        || calc.sum(black_box(&data)).expect("it answers"),
    );
    table.line(
        "dotnet record with a nested list, in and out",
        Goal::None,
        || hand.tree(black_box(&given)),
        || trees.tree(black_box(&given)).expect("it answers"),
    );
}

fn life_cycle() {
    let table = Table::new("Loading a C# bundle");
    if !table.wants("load reload") {
        return;
    }
    let bundle = bundle("calculator", "calculator");
    let without = Runtime::builder().loader(loader()).build().expect("one loader has no rival");
    let id = BundleId::new("calculator");
    let mut unloads = Vec::new();
    print_each("load", 200, || {
        let start = Instant::now();
        without.load_bundle(bundle.path()).expect("it loads");
        let taken = start.elapsed();
        let start = Instant::now();
        without.unload_bundle(id).expect("it unloads");
        unloads.push(start.elapsed());
        taken
    });
    let mut unloads = unloads.into_iter();
    print_each("unload", 200, || unloads.next().expect("as many as loads"));
    let with = runtime();
    with.load_bundle(bundle.path()).expect("it loads");
    print_each("reload", 200, || {
        let start = Instant::now();
        with.reload_bundle(bundle.path()).expect("it reloads");
        start.elapsed()
    });
    drop((without, with));
    if cfg!(target_os = "linux") {
        memory();
    }
}

/// Prints what a bundle more takes of memory, with its methods compiled.
fn memory() {
    const BUNDLES: u64 = 50;
    let runtime = runtime();
    let load = |number: u64| {
        let bundle = bundle(&format!("calculator{number}"), "calculator");
        let id = runtime.load_bundle(bundle.path()).expect("it loads");
        let calc = runtime.proxy_from::<dyn Calculator>(id).expect("the bundle provides it");
        assert_eq!(calc.add(2, 3), Ok(5));
        bundle
    };
    let _warm = load(0);
    let before = footprint().kib;
    let _more: Vec<_> = (1..=BUNDLES).map(load).collect();
    println!("memory of a bundle {:>43} KiB (of {BUNDLES})", (footprint().kib - before) / BUNDLES);
}

fn print_each(name: &str, times: usize, mut once: impl FnMut() -> Duration) {
    let mut taken: Vec<_> = (0..times).map(|_| once()).collect();
    taken.sort_unstable();
    println!("{name:<44} {:>11.1} us (median of {times}; goal 3000)", taken[times / 2].as_secs_f64() * 1e6);
}
