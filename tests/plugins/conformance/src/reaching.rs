//! A plugin that calls its host and others.

use std::sync::OnceLock;

use polyplug::{CallError, PluginContext};
use test_contracts::calling::{Echo, Logger};
use test_contracts::conformance::{self, Mirror, Reaching};
use test_contracts::types::{Colour, Refusal};
use test_contracts::{Calculator, CalculatorProxy, MathError, Stamp};

struct Reaches(PluginContext, OnceLock<CalculatorProxy>);

impl Reaches {
    fn new(context: &PluginContext) -> Result<Self, CallError> {
        Ok(Self(context.clone(), OnceLock::new()))
    }
}

#[allow(clippy::needless_pass_by_value)] // for `map_err`
fn text(error: CallError) -> String {
    error.to_string()
}

#[polyplug::plugin(create = Reaches::new)]
impl Reaching for Reaches {
    fn log(&self, line: &str) -> Result<u32, String> {
        self.0.host::<dyn Logger>().and_then(|logger| logger.log(line)).map_err(text)
    }

    fn host_panics(&self, words: &str) -> Result<(), String> {
        self.0.host::<dyn Logger>().and_then(|logger| logger.panics(words)).map_err(text)
    }

    fn host_panics_through(&self, words: &str) {
        if let Err(error) = self.0.host::<dyn Logger>().and_then(|logger| logger.panics(words)) {
            panic!("{error}");
        }
    }

    fn mirrored(&self) -> Vec<bool> {
        let mirror = self.0.host::<dyn Mirror>().expect("a mirror");
        let (order, extremes) = (conformance::order(), conformance::extremes());
        let shapes = conformance::shapes().into_iter().map(|shape| {
            let shape = Ok(shape);
            mirror.shape(shape.clone()) == Ok(shape)
        });
        let wholes = [mirror.order(order.clone()) == Ok(order), mirror.extremes(extremes.clone()) == Ok(extremes)];
        wholes.into_iter().chain(shapes).collect()
    }

    fn many(&self) -> Vec<String> {
        let mirror = self.0.host::<dyn Mirror>().expect("a mirror");
        let answer = mirror.many(1, "zwei".to_owned(), true, i64::MIN, 5.5, '6', None, u64::MAX, Colour::Blue);
        answer.expect("an answer")
    }

    fn refused(&self) -> String {
        let mirror = self.0.host::<dyn Mirror>().expect("a mirror");
        match mirror.shape(Err(Refusal::Full { capacity: 7 })) {
            Ok(Err(Refusal::Full { capacity })) => format!("full {capacity}"),
            other => format!("{other:?}"),
        }
    }

    fn add(&self, a: i32, b: i32) -> Result<i32, String> {
        self.0.peer::<dyn Calculator>().and_then(|calculator| calculator.add(a, b)).map_err(text)
    }

    fn add_again(&self, a: i32, b: i32) -> Result<i32, String> {
        let calculator = match self.1.get() {
            Some(calculator) => calculator,
            None => {
                let calculator = self.0.peer::<dyn Calculator>().map_err(text)?;
                self.1.get_or_init(|| calculator)
            }
        };
        calculator.add(a, b).map_err(text)
    }

    fn divide(&self, a: i64, b: i64) -> Result<i64, String> {
        let answer = self.0.peer::<dyn Calculator>().and_then(|calculator| calculator.divide(a, b)).map_err(text)?;
        answer.map_err(|error| match error {
            MathError::DivisionByZero => "DivisionByZero".to_owned(),
            MathError::Overflow { at } => format!("Overflow {at}"),
        })
    }

    fn undeclared(&self) -> Result<u32, String> {
        self.0.peer::<dyn Stamp>().and_then(|stamp| stamp.version()).map_err(text)
    }

    fn nested(&self, depth: u32) -> Result<u32, String> {
        if depth == 0 {
            return Ok(0);
        }
        let answer = self.0.host::<dyn Echo>().and_then(|echo| echo.call_back(depth)).map_err(text)?;
        Ok(answer? + 1)
    }
}
