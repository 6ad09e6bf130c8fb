//! Values of all sizes, beside a direct call that makes the same copies; calls by name beside typed ones; and the load
//! of a large contract.

use std::hint::black_box;

use plugin_hundred::Hundred;
use polyplug::schema::Schema;
use polyplug::schema::plan::Plan;
use polyplug::{Runtime, Value};
use polyplug_tests::bench::{Goal, Table};
use polyplug_tests::values::Sample;
use polyplug_tests::{Bundle, runtime};
use test_contracts::Calculator;
use test_contracts::measure::{self, Measure};
use test_contracts::types::{Borrowed, Mixed};

fn main() {
    let types = Bundle::native("types", "plugin-types");
    let calc = Bundle::native("calc", "plugin-calc");
    let runtime = runtime();
    runtime.load_bundle(types.path()).expect("the fixture loads");
    runtime.load_bundle(calc.path()).expect("the fixture loads");
    typed(&runtime);
    by_name(&runtime);
    large_contract(&calc);
}

fn typed(runtime: &Runtime) {
    let measure = runtime.proxy::<dyn Measure>().expect("the fixture provides it");
    let table = Table::new("Values through typed proxies, beside direct calls");

    let tree = measure::make_tree();
    assert_eq!(measure.sum_tree(&tree), Ok(measure::sum_tree(&tree)));
    table.line(
        "a tree of 1,000 nodes as an argument",
        Goal::Times(2.0),
        || measure::sum_tree(&black_box(&tree).clone()),
        || measure.sum_tree(black_box(&tree)).expect("it answers"),
    );
    assert_eq!(measure.make_tree().as_ref(), Ok(&tree));
    table.line(
        "a tree of 1,000 nodes as a result",
        Goal::Times(2.0),
        || measure::make_tree().clone(),
        || measure.make_tree().expect("it answers"),
    );

    let texts = measure::make_texts();
    assert_eq!(measure.total_length(&texts), Ok(measure::total_length(&texts)));
    table.line(
        "a list of 10,000 strings as an argument",
        Goal::Times(1.5),
        || measure::total_length(&black_box(&texts).clone()),
        || measure.total_length(black_box(&texts)).expect("it answers"),
    );
    assert_eq!(measure.make_texts().as_ref(), Ok(&texts));
    table.line(
        "a list of 10,000 strings as a result",
        Goal::Times(1.5),
        || measure::make_texts().clone(),
        || measure.make_texts().expect("it answers"),
    );

    let numbers: Vec<f64> = (0..1 << 17).map(f64::from).collect();
    assert_eq!(measure.sum(&numbers), Ok(measure::sum(&numbers)));
    table.line(
        "&[f64] of 1 MiB as an argument",
        Goal::Times(1.02),
        || measure::sum(black_box(&numbers)),
        || measure.sum(black_box(&numbers)).expect("it answers"),
    );
    assert_eq!(measure.double(&numbers), Ok(measure::double(&numbers)));
    table.line(
        "Vec<f64> of 1 MiB as a result",
        Goal::Times(1.1),
        || measure::double(black_box(&numbers)).clone(),
        || measure.double(black_box(&numbers)).expect("it answers"),
    );
}

fn by_name(runtime: &Runtime) {
    let table = Table::new("Calls by name, beside typed ones");
    let typed = runtime.proxy::<dyn Calculator>().expect("the fixture provides it");
    let dynamic = runtime.dynamic("demo.calculator@1").expect("the fixture provides it");
    let arguments = [Value::I32(2), Value::I32(3)];
    assert_eq!(dynamic.call("add", &arguments), Ok(Value::I32(5)));
    table.line(
        "add(i32, i32)",
        Goal::None,
        || typed.add(black_box(2), black_box(3)).expect("it answers"),
        || dynamic.call("add", black_box(&arguments)).expect("it answers"),
    );
    let prepared = runtime.method("demo.calculator@1", "add").expect("the fixture provides it");
    assert_eq!(prepared.call(&arguments), Ok(Value::I32(5)));
    table.line(
        "the same, by a method that was found once",
        Goal::None,
        || typed.add(black_box(2), black_box(3)).expect("it answers"),
        || prepared.call(black_box(&arguments)).expect("it answers"),
    );

    let typed = runtime.proxy::<dyn Borrowed>().expect("the fixture provides it");
    let dynamic = runtime.dynamic("test.borrowed@1").expect("the fixture provides it");
    let record = Mixed {
        flag: true,
        number: -1,
        small: 2,
        letter: 'x',
        text: "sixteen letters!".into(),
        bytes: vec![0; 16],
        last: 3,
    };
    let arguments = [record.value()];
    assert_eq!(dynamic.call("record", &arguments).as_ref(), Ok(&arguments[0]));
    table.line(
        "a record of seven fields, there and back",
        Goal::None,
        || typed.record(black_box(&record)).expect("it answers"),
        || dynamic.call("record", black_box(&arguments)).expect("it answers"),
    );

    let typed = runtime.proxy::<dyn Measure>().expect("the fixture provides it");
    let dynamic = runtime.dynamic("test.measure@1").expect("the fixture provides it");
    let tree = measure::make_tree();
    let arguments = [tree.value()];
    assert_eq!(dynamic.call("sum_tree", &arguments), typed.sum_tree(&tree).map(Value::I64));
    table.line(
        "a tree of 1,000 nodes as an argument",
        Goal::None,
        || typed.sum_tree(black_box(&tree)).expect("it answers"),
        || dynamic.call("sum_tree", black_box(&arguments)).expect("it answers"),
    );
}

fn large_contract(small: &Bundle) {
    let large = Bundle::native("hundred", "plugin-hundred");
    let runtime = runtime();
    let load = |bundle: &Bundle| {
        let id = runtime.load_bundle(bundle.path()).expect("the fixture loads");
        runtime.unload_bundle(id).expect("it was loaded")
    };
    let schema = Schema::of::<dyn Hundred>();
    assert_eq!(schema.methods.len(), 100);
    let encoded = schema.encode();

    let table = Table::new("A contract of 100 methods");
    table.line("load and unload, beside a contract of 4 methods", Goal::None, || load(small), || load(&large));
    let known = Schema::of::<dyn Calculator>();
    let known_encoded = known.encode();
    table.line(
        "the check of another build, beside 4 methods",
        Goal::None,
        || known.differences(&Schema::decode(black_box(&known_encoded)).expect("a schema")),
        || schema.differences(&Schema::decode(black_box(&encoded)).expect("a schema")),
    );
    table.line(
        "its schema made and encoded, beside 4 methods",
        Goal::None,
        || Schema::of::<dyn Calculator>().encode(),
        || Schema::of::<dyn Hundred>().encode(),
    );
    table.line("its plan, beside 4 methods", Goal::None, || Plan::new(&known), || Plan::new(&schema));
    println!("\nits schema has {} bytes", encoded.len());
}
