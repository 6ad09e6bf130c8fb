//! Calls by several threads.

use std::hint::black_box;
use std::sync::Arc;

use polyplug::Runtime;
use polyplug_tests::{Bundle, runtime};
use test_contracts::{Calculator, CalculatorProxy};

use crate::Chart;
use crate::rate::rate;

pub(crate) fn measure() -> Chart {
    let mut chart = Chart::new("threads", "Calls of a Rust plugin by several threads", "threads", "calls a us");
    let bundle = Bundle::native("calc", "plugin-calc");
    let load = || {
        let runtime = runtime();
        runtime.load_bundle(bundle.path()).expect("the fixture loads");
        runtime
    };
    let proxy = |runtime: &Arc<Runtime>| runtime.proxy::<dyn Calculator>().expect("the fixture provides it");
    let one = load();
    let shared = proxy(&one);
    let own: Vec<CalculatorProxy> = (0..4).map(|_| proxy(&one)).collect();
    // Each runtime stays until the end, as the plugins of one that is dropped are unloaded.
    let runtimes: Vec<Arc<Runtime>> = (0..4).map(|_| load()).collect();
    let private: Vec<CalculatorProxy> = runtimes.iter().map(proxy).collect();
    let add = |proxy: &CalculatorProxy| {
        black_box(proxy.add(black_box(2), black_box(3)).expect("it answers"));
    };
    for threads in [1, 2, 4] {
        let points = [
            ("one proxy", rate(threads, &|_| add(&shared)) / 1e6),
            ("a proxy each", rate(threads, &|number| add(&own[number])) / 1e6),
            ("a runtime each", rate(threads, &|number| add(&private[number])) / 1e6),
        ];
        chart.points(&threads.to_string(), &points);
    }
    chart
}
