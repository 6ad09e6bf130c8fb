//! Many bundles in one runtime.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use polyplug::Runtime;
use polyplug::loader::BundleSource;
use polyplug_lua::LuaLoader;
use polyplug_tests::batches::{medians, repeated};
use polyplug_tests::footprint::footprint;
use polyplug_tests::manifest;

use crate::Chart;

/// A contract of one method.
#[polyplug::contract(name = "bench.many", version = "1.0")]
trait Many {
    fn number(&self) -> u32;
}

const CODE: &str = "
local Many = require('polyplug').plugin('bench.many@1')
function Many:number() return 1 end
";

const COUNTS: [usize; 4] = [1, 10, 100, 1_000];

fn runtime() -> Arc<Runtime> {
    Runtime::builder().loader(LuaLoader::new()).build().expect("one loader")
}

fn load(runtime: &Runtime, number: usize) {
    let manifest = manifest(&name(number), "lua", "main.lua");
    runtime.load_bundle_from(&manifest, BundleSource::Code(CODE.to_owned())).expect("it loads");
}

fn name(number: usize) -> String {
    format!("many-{number}")
}

/// Measures how long a bundle takes to load, to be found and to be unloaded where there are many.
pub(crate) fn loads() -> Chart {
    let mut chart = Chart::new("loads", "Bundles of Lua in one runtime, time for each", "bundles", "us");
    load(&runtime(), 0); // what is done once
    for count in COUNTS {
        let runtime = runtime();
        let start = Instant::now();
        (0..count).for_each(|number| load(&runtime, number));
        let loading = start.elapsed().as_secs_f64() * 1e6 / count as f64;
        let last = name(count - 1);
        let find = medians(&mut [repeated(|| {
            black_box(runtime.proxy_from::<dyn Many>(black_box(last.as_str())).expect("it is provided"))
        })])[0];
        let start = Instant::now();
        for id in runtime.bundle_ids() {
            assert!(runtime.unload_bundle(id).expect("it is loaded").reclaimed);
        }
        let unload = start.elapsed().as_secs_f64() * 1e6 / count as f64;
        chart.points(
            &count.to_string(),
            &[("load", loading), ("unload", unload), ("a proxy by the bundle's name", find / 1e3)],
        );
    }
    chart
}

/// Measures the memory of the process with many bundles.
pub(crate) fn memory() -> Chart {
    let mut chart = Chart::new("memory", "Memory of a process with bundles of Lua", "bundles", "KiB for each");
    load(&runtime(), 0); // what is done once
    let runtime = runtime();
    let before = footprint().kib;
    let mut loaded = 0;
    for count in COUNTS {
        (loaded..count).for_each(|number| load(&runtime, number));
        loaded = count;
        let more = footprint().kib.saturating_sub(before);
        chart.points(&count.to_string(), &[("resident", more as f64 / count as f64)]);
    }
    chart
}
