//! Calls, reloads, loads and unloads at random, by threads that do all of it at once.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Instant;

use polyplug::error::RuntimeError;
use polyplug::{BundleId, CallError, Contract, Runtime, Value};
use test_contracts::{Calculator, CalculatorProxy, MathError};

use crate::Bundle;

/// The number of threads.
pub const THREADS: u64 = 8;

/// How often something happened, by what it was.
pub type Counts = BTreeMap<&'static str, u64>;

/// Everything that has to have happened in the end.
pub const OUTCOMES: [&str; 6] = ["answered", "unloaded", "loads", "unloads", "reloads", "forestalled"];

/// Adds counts to others.
pub fn add(total: &mut Counts, counts: Counts) {
    for (what, count) in counts {
        *total.entry(what).or_default() += count;
    }
}

/// A sequence of numbers that is the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

/// Checks the answer of a call.
fn answered<T: PartialEq + Debug>(counts: &mut Counts, answer: Result<T, CallError>, right: &T) {
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
    let n = i32::try_from(number % 1000).expect("less than 1000");
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

/// Does what `seed` says with bundles that provide `demo.calculator`, until a moment.
///
/// # Panics
///
/// If an answer or an error is wrong.
#[must_use]
pub fn storm(runtime: &Arc<Runtime>, bundles: &[(BundleId, Bundle)], seed: u64, until: Instant) -> Counts {
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
