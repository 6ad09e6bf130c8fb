//! Plugins in JavaScript, beside the same by hand: a call that enters rquickjs's context and restores a saved function.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use polyplug::loader::BundleSource;
use polyplug::{BundleId, Runtime};
use polyplug_js::JsLoader;
use polyplug_tests::bench::{Goal, Table};
use polyplug_tests::{Bundle, manifest};
use rquickjs::{Array, Context, Ctx, Object, TypedArray};
use test_contracts::Calculator;
use test_contracts::types::Tree;

use crate::by_hand::ByHand;
use crate::workers::throughput;

#[path = "js/by_hand.rs"]
mod by_hand;
#[path = "shared/rate.rs"]
mod rate;
#[path = "shared/workers.rs"]
mod workers;

const CALCULATOR: &str = include_str!("js/calculator.js");
const TREES: &str = include_str!("js/trees.js");

/// Takes a record with a list of records, and returns it.
#[polyplug::contract(name = "bench.trees", version = "1.0")]
trait Trees {
    fn tree(&self, value: &Tree) -> Tree;
}

fn runtime(loader: JsLoader) -> Arc<Runtime> {
    Runtime::builder().loader(loader).hot_reload(true).build().expect("one loader has no rival")
}

fn load(runtime: &Runtime, name: &str, code: &str) {
    let source = BundleSource::Code(code.to_owned());
    runtime.load_bundle_from(&manifest(name, "js", "main.js"), source).expect("the fixture loads");
}

fn main() {
    calls();
    limits();
    workers();
    life_cycle();
}

fn calls() {
    let runtime = runtime(JsLoader::new());
    load(&runtime, "calculator", CALCULATOR);
    load(&runtime, "trees", TREES);
    let calc = runtime.proxy::<dyn Calculator>().expect("the fixture provides it");
    let trees = runtime.proxy::<dyn Trees>().expect("the fixture provides it");
    let hand = ByHand::new();

    let name = "sixteen letters!";
    let data: Vec<u8> = (0..4096u32).map(|n| n as u8).collect();
    let total = data.iter().map(|byte| u64::from(*byte)).sum();
    assert_eq!(calc.add(2, 3), Ok(5));
    assert_eq!(calc.greet(name), Ok("Hello, sixteen letters!!".to_owned()));
    assert_eq!(calc.sum(&data), Ok(total));

    let table = Table::new("Calls of a JavaScript plugin, beside a call that enters rquickjs's context");
    table.line(
        "js add(i32, i32)",
        Goal::Times(0.6),
        || hand.call(&hand.add, |_, add| add.call::<_, i32>((black_box(2), black_box(3)))),
        || calc.add(black_box(2), black_box(3)).expect("it answers"),
    );
    table.line(
        "js greet(&str) -> String",
        Goal::Times(0.9),
        || hand.call(&hand.greet, |_, greet| greet.call::<_, String>((black_box(name),))),
        || calc.greet(black_box(name)).expect("it answers"),
    );
    table.line(
        "js sum(&[u8] of 4 KiB)",
        Goal::Times(1.02),
        || {
            hand.call(&hand.sum, |ctx, sum| {
                let data = TypedArray::<u8>::new_copy(ctx, black_box(&data[..]))?;
                sum.call::<_, u64>((data,))
            })
        },
        || calc.sum(black_box(&data)).expect("it answers"),
    );
    let given = Tree { value: 1, children: (0..8).map(|value| Tree { value, children: Vec::new() }).collect() };
    assert_eq!(trees.tree(&given), Ok(given.clone()));
    table.line(
        "js record with a nested list, in and out",
        Goal::None,
        || {
            hand.call(&hand.tree, |ctx, tree| {
                let object = to_js(&ctx, black_box(&given))?;
                from_js(&tree.call::<_, Object<'_>>((object,))?)
            })
        },
        || trees.tree(black_box(&given)).expect("it answers"),
    );
}

fn to_js<'js>(ctx: &Ctx<'js>, tree: &Tree) -> rquickjs::Result<Object<'js>> {
    let object = Object::new(ctx.clone())?;
    object.set("value", tree.value)?;
    let children = Array::new(ctx.clone())?;
    for (index, child) in tree.children.iter().enumerate() {
        children.set(index, to_js(ctx, child)?)?;
    }
    object.set("children", children)?;
    Ok(object)
}

fn from_js(object: &Object<'_>) -> rquickjs::Result<Tree> {
    let children: Array<'_> = object.get("children")?;
    let children = children.iter::<Object<'_>>().map(|child| from_js(&child?)).collect::<rquickjs::Result<_>>()?;
    Ok(Tree { value: object.get("value")?, children })
}

fn limits() {
    let free = runtime(JsLoader::new());
    load(&free, "calculator", CALCULATOR);
    let free = free.proxy::<dyn Calculator>().expect("the fixture provides it");
    let timed = runtime(JsLoader::new().with_time_limit(Duration::from_secs(1)));
    load(&timed, "calculator", CALCULATOR);
    let timed = timed.proxy::<dyn Calculator>().expect("the fixture provides it");
    let data: Vec<u8> = (0..4096u32).map(|n| n as u8).collect();

    let table = Table::new("What a limit of time costs, beside none");
    table.line(
        "js add with a limit of time",
        Goal::None,
        || free.add(black_box(2), black_box(3)),
        || timed.add(black_box(2), black_box(3)),
    );
    table.line(
        "js sum with a limit of time",
        Goal::None,
        || free.sum(black_box(&data)),
        || timed.sum(black_box(&data)),
    );
}

fn workers() {
    let table = Table::new("Workers");
    if !table.wants("js workers threads") {
        return;
    }
    let stateless = CALCULATOR.replace("  }\n});", "  }\n}, { stateless: true });");
    throughput("js", || runtime(JsLoader::new()), CALCULATOR, &stateless);
}

fn life_cycle() {
    let table = Table::new("Loading a JavaScript bundle, beside a context of rquickjs that runs its file");
    if !table.wants("load reload") {
        return;
    }
    let bundle = Bundle::empty();
    bundle.write("manifest.toml", manifest("calculator", "js", "main.js"));
    bundle.write("main.js", CALCULATOR);
    let file = bundle.path().join("main.js");
    let without = Runtime::builder().loader(JsLoader::new()).build().expect("one loader has no rival");
    table.line(
        "js load and unload",
        Goal::None,
        || {
            let runtime = rquickjs::Runtime::new().expect("a runtime");
            let context = Context::full(&runtime).expect("a context");
            let text = std::fs::read_to_string(&file).expect("it is there");
            let stub = "const plugin = () => {}, types = () => ({});";
            let text = text.replace("import { plugin, types } from \"polyplug\";", stub);
            context.with(|ctx| ctx.eval::<(), _>(text)).expect("it runs");
        },
        || {
            let id = without.load_bundle(bundle.path()).expect("it loads");
            without.unload_bundle(id).expect("it unloads")
        },
    );

    let id = BundleId::new("calculator");
    print_each("load alone", 300, || {
        let start = Instant::now();
        without.load_bundle(bundle.path()).expect("it loads");
        let taken = start.elapsed();
        without.unload_bundle(id).expect("it unloads");
        taken
    });
    let with = runtime(JsLoader::new());
    with.load_bundle(bundle.path()).expect("it loads");
    print_each("reload", 300, || {
        let start = Instant::now();
        with.reload_bundle(bundle.path()).expect("it reloads");
        start.elapsed()
    });
    let memory = with.bundle(id).map_or(0, |info| info.memory);
    println!("memory of the bundle: {} KiB", memory / 1024);
}

fn print_each(name: &str, times: usize, mut once: impl FnMut() -> Duration) {
    let mut taken: Vec<_> = (0..times).map(|_| once()).collect();
    taken.sort_unstable();
    println!("{name:<44} {:>11.1} us (median of {times}; goal 250)", taken[times / 2].as_secs_f64() * 1e6);
}
