//! Calls that are counted, or are spans, beside calls that are neither.

use std::hint::black_box;
use std::sync::Arc;

use polyplug::Runtime;
use polyplug::runtime::RuntimeBuilder;
use polyplug_native::NativeLoader;
use polyplug_tests::Bundle;
use polyplug_tests::bench::{Goal, Table};
use test_contracts::{Calculator, CalculatorProxy};

fn main() {
    let bundle = Bundle::native("calc", "plugin-calc");
    let start = |set: fn(RuntimeBuilder) -> RuntimeBuilder| -> (Arc<Runtime>, CalculatorProxy) {
        let runtime = set(Runtime::builder().loader(NativeLoader::new())).build().expect("one loader");
        runtime.load_bundle(bundle.path()).expect("the fixture loads");
        let calc = runtime.proxy::<dyn Calculator>().expect("the fixture provides it");
        (runtime, calc)
    };
    let (_plain, plain) = start(|builder| builder);
    let (_counted, counted) = start(|builder| builder.metrics(true));
    let (_spans, spans) = start(|builder| builder.call_spans(true));
    let add = |calc: &CalculatorProxy| calc.add(black_box(2), black_box(3)).expect("it answers");

    let table = Table::new("Calls that are observed, beside calls that are not");
    let again = plain.clone();
    table.line("add, not observed", Goal::None, || add(&plain), || add(&again));
    table.line("add, counted", Goal::None, || add(&plain), || add(&counted));
    table.line("add, a span that nobody wants", Goal::None, || add(&plain), || add(&spans));
    let clock = || black_box(std::time::Instant::now().elapsed());
    table.line("add, counted, beside two looks at the clock", Goal::None, clock, || add(&counted));
}
