//! Bundles of all loaders are called, reloaded, unloaded and loaded again by eight threads at once: each call is answered
//! rightly or is told that the bundle is unloaded, and the process stays as it was.
//!
//! A few seconds by default; `POLYPLUG_SOAK=20 cargo nextest run -p polyplug-tests --test storm --no-capture` goes on for
//! a minute and prints the series.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use polyplug::error::RuntimeError;
use polyplug::{BundleId, CallError, Contract, Runtime, Value};
use polyplug_js::JsLoader;
use polyplug_lua::LuaLoader;
use polyplug_native::NativeLoader;
use polyplug_python::PythonLoader;
use polyplug_tests::footprint::{Slack, footprint};
use polyplug_tests::{Bundle, manifest, rounds};
use test_contracts::{Calculator, CalculatorProxy, MathError};

const LUA: &str = r#"
local polyplug = require("polyplug")
local MathError = polyplug.types("demo.calculator@1").MathError
local Calculator = polyplug.plugin("demo.calculator@1")
function Calculator:add(a, b) return a + b end
function Calculator:divide(a, b) if b == 0 then error(MathError.DivisionByZero()) end return a / b end
function Calculator:greet(name) return require("helper")(name) end
function Calculator:sum(data) return #data end
"#;

const PYTHON: &str = r#"
import helper
from polyplug import plugin, types
MathError = types("demo.calculator@1").MathError

@plugin("demo.calculator@1")
class Calculator:
    def add(self, a, b): return a + b
    def divide(self, a, b):
        if b == 0:
            raise MathError.DivisionByZero()
        return a // b
    def greet(self, name): return helper.greet(name)
    def sum(self, data): return len(data)
"#;

const JS: &str = r#"
import { plugin, types } from "polyplug";
import { greet } from "./helper.js";
const { MathError } = types("demo.calculator@1");

class Calculator {
  add(a, b) { return a + b; }
  divide(a, b) {
    if (b === 0n) throw new MathError(MathError.DivisionByZero);
    return a / b;
  }
  greet(name) { return greet(name); }
  sum(data) { return data.length; }
}

plugin("demo.calculator@1", Calculator);
"#;

const THREADS: u64 = 8;

fn bundles() -> Vec<(BundleId, Bundle)> {
    let [lua, python, js] = [Bundle::empty(), Bundle::empty(), Bundle::empty()];
    lua.write("manifest.toml", manifest("lua", "lua", "main.lua"));
    lua.write("main.lua", LUA);
    lua.write("helper.lua", "return function(name) return 'Hello, ' .. name .. '!' end");
    python.write("manifest.toml", manifest("python", "python", "main.py"));
    python.write("main.py", PYTHON);
    python.write("helper.py", "def greet(name): return f'Hello, {name}!'\n");
    js.write("manifest.toml", manifest("js", "js", "main.js"));
    js.write("main.js", JS);
    js.write("helper.js", "export const greet = (name) => `Hello, ${name}!`;\n");
    let native = Bundle::native("calc", "plugin-calc");
    let all = [("calc", native), ("lua", lua), ("python", python), ("js", js)];
    all.map(|(name, bundle)| (BundleId::new(name), bundle)).into()
}

/// A sequence of numbers that is the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

type Counts = BTreeMap<&'static str, u64>;

/// Checks the answer of a call.
fn answered<T: PartialEq + std::fmt::Debug>(counts: &mut Counts, answer: Result<T, CallError>, right: &T) {
    match answer {
        Ok(answer) => {
            assert_eq!(answer, *right);
            *counts.entry("answered").or_default() += 1;
        }
        Err(CallError::Unloaded { .. }) => *counts.entry("unloaded").or_default() += 1,
        Err(error) => panic!("{error:?}"),
    }
}

fn call(counts: &mut Counts, proxy: &CalculatorProxy, number: usize) {
    let n = i32::try_from(number % 1000).unwrap();
    match number % 4 {
        0 => answered(counts, proxy.add(n, 1), &(n + 1)),
        1 => answered(counts, proxy.divide(i64::from(n), 0), &Err(MathError::DivisionByZero)),
        2 => answered(counts, proxy.greet(&n.to_string()), &format!("Hello, {n}!")),
        _ => answered(counts, proxy.divide(i64::from(n) * 3, 3), &Ok(i64::from(n))),
    }
}

/// Checks the outcome of a change, which another thread's change of the same bundle may forestall.
fn changed<T>(counts: &mut Counts, what: &'static str, outcome: Result<T, RuntimeError>) {
    match outcome {
        Ok(_) => *counts.entry(what).or_default() += 1,
        Err(
            RuntimeError::BundleNotLoaded { .. }
            | RuntimeError::AlreadyLoaded { .. }
            | RuntimeError::ReloadOfUnloaded { .. },
        ) => {
            *counts.entry("forestalled").or_default() += 1;
        }
        Err(error) => panic!("{what}: {error:?}"),
    }
}

fn storm(runtime: &Arc<Runtime>, bundles: &[(BundleId, Bundle)], seed: u64, until: Instant) -> Counts {
    let mut numbers = Numbers(seed);
    let mut counts = Counts::new();
    let mut kept: Vec<Option<CalculatorProxy>> = bundles.iter().map(|_| None).collect();
    while Instant::now() < until {
        let which = numbers.below(bundles.len());
        let (id, bundle) = &bundles[which];
        match numbers.below(100) {
            0 => changed(&mut counts, "unloads", runtime.unload_bundle(*id)),
            1..4 => changed(&mut counts, "loads", runtime.load_bundle(bundle.path())),
            4..6 => changed(&mut counts, "reloads", runtime.reload_bundle(bundle.path())),
            6..16 => match runtime.proxy_from::<dyn Calculator>(*id) {
                Ok(proxy) => kept[which] = Some(proxy),
                Err(RuntimeError::NoProvider { .. } | RuntimeError::BundleNotLoaded { .. }) => {}
                Err(error) => panic!("{error:?}"),
            },
            16..20 => kept[which] = None,
            20..30 => match runtime.call("demo.calculator@1", "add", &[Value::I32(2), Value::I32(3)]) {
                Err(CallError::Unloaded { .. } | CallError::NotFound(_)) => {}
                answer => answered(&mut counts, answer, &Value::I32(5)),
            },
            30..35 => {
                // A look-up by handle, under a pin.
                let pin = polyplug::pin();
                if let Ok(handle) = runtime.find_guest_contract(<dyn Calculator>::ID.id(), 0)
                    && let Ok(interface) = runtime.resolve_guest_contract(handle)
                {
                    // SAFETY: the interface is valid while this thread has its pin.
                    assert_eq!(unsafe { (*interface).contract_id }, <dyn Calculator>::ID);
                }
                drop(pin);
            }
            _ => {
                let number = numbers.below(usize::MAX);
                if let Some(proxy) = &kept[which] {
                    call(&mut counts, proxy, number);
                }
            }
        }
    }
    counts
}

#[test]
fn calls_and_changes_of_all_loaders_at_once() {
    let bundles = bundles();
    let builder = Runtime::builder().loader(NativeLoader::new()).loader(LuaLoader::new()).loader(PythonLoader::new());
    let runtime = builder.loader(JsLoader::new()).hot_reload(true).build().unwrap();
    let step = Duration::from_millis(u64::from(rounds(300)));
    let mut series = Vec::new();
    let mut total = Counts::new();
    for round in 0..10 {
        let until = Instant::now() + step;
        let counts: Vec<Counts> = std::thread::scope(|scope| {
            let started = (0..THREADS).map(|thread| {
                let (runtime, bundles) = (&runtime, &bundles);
                scope.spawn(move || storm(runtime, bundles, round * THREADS + thread, until))
            });
            started.collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for (what, count) in counts.into_iter().flatten() {
            *total.entry(what).or_default() += count;
        }
        for id in runtime.bundle_ids() {
            runtime.unload_bundle(id).unwrap();
        }
        assert_eq!(runtime.quiesce(Duration::from_secs(60)), [], "no thread holds a version");
        series.push(footprint());
        println!("after {:?}: {:?}", step * (u32::try_from(round).unwrap() + 1), series[series.len() - 1]);
    }
    println!("{total:#?}");
    for what in ["answered", "unloaded", "loads", "unloads", "reloads", "forestalled"] {
        assert!(total.get(what).is_some_and(|count| *count > 0), "{what}: {total:#?}");
    }
    // The allocator has an arena for each thread, which is filled by chance.
    assert!(series[9].is_within(series[4], Slack { kib: 8 * 1024, mappings: 16 }), "{series:#?}");
}
