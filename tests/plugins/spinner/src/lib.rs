//! A plugin that calls others many times, for the benchmarks.

use std::hint::black_box;

use polyplug::{CallError, Callback, PluginContext};
use test_contracts::Calculator;
use test_contracts::spinning::{Adder, Spinner};

struct Spin(PluginContext);

impl Spin {
    fn new(context: &PluginContext) -> Result<Self, CallError> {
        Ok(Self(context.clone()))
    }
}

/// The sum of `times` ones.
fn sum(times: u32, mut add: impl FnMut(i32, i32) -> Result<i32, CallError>) -> Result<i32, String> {
    (0..times).try_fold(0, |sum, _| add(black_box(sum), black_box(1))).map_err(|error| error.to_string())
}

#[polyplug::plugin(create = Spin::new)]
impl Spinner for Spin {
    fn host(&self, times: u32) -> Result<i32, String> {
        let adder = self.0.host::<dyn Adder>().map_err(|error| error.to_string())?;
        sum(times, |a, b| adder.add(a, b))
    }

    fn peer(&self, times: u32) -> Result<i32, String> {
        let calculator = self.0.peer::<dyn Calculator>().map_err(|error| error.to_string())?;
        sum(times, |a, b| calculator.add(a, b))
    }

    fn lent(&self, adder: &dyn Adder, times: u32) -> i32 {
        (0..times).fold(0, |sum, _| adder.add(black_box(sum), black_box(1)))
    }

    fn kept(&self, adder: &Callback<dyn Adder>, times: u32) -> Result<i32, String> {
        sum(times, |a, b| adder.add(a, b))
    }
}
