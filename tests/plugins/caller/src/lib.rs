//! A plugin that calls its host and its peers.

use std::sync::Mutex;

use polyplug::{CallError, PluginContext};
use test_contracts::calling::{Caller, Echo, EchoProxy, Logger, LoggerProxy};
use test_contracts::{Calculator, CalculatorProxy, Counter, CounterProxy, Stamp};

struct Calls {
    context: PluginContext,
    logger: Mutex<Option<LoggerProxy>>,
    echo: Mutex<Option<EchoProxy>>,
    calculator: Mutex<Option<CalculatorProxy>>,
    counter: Mutex<Option<CounterProxy>>,
}

impl Calls {
    fn new(context: &PluginContext) -> Result<Self, CallError> {
        Ok(Self {
            context: context.clone(),
            logger: Mutex::default(),
            echo: Mutex::default(),
            calculator: Mutex::default(),
            counter: Mutex::default(),
        })
    }
}

/// The proxy that is kept in `place`, or else the one that `open` makes.
fn kept<P: Clone>(place: &Mutex<Option<P>>, open: impl FnOnce() -> Result<P, CallError>) -> Result<P, String> {
    let mut place = place.lock().expect("nothing panics here");
    if place.is_none() {
        *place = Some(open().map_err(text)?);
    }
    Ok(place.as_ref().expect("put there just now").clone())
}

#[allow(clippy::needless_pass_by_value)] // for `map_err`
fn text(error: CallError) -> String {
    format!("{error} [{}]", error.kind())
}

#[polyplug::plugin(create = Calls::new)]
impl Caller for Calls {
    fn log(&self, line: &str) -> Result<u32, String> {
        kept(&self.logger, || self.context.host_since::<dyn Logger>(0))?.log(line).map_err(text)
    }

    fn host_panics(&self, words: &str) -> Result<(), String> {
        kept(&self.logger, || self.context.host_since::<dyn Logger>(0))?.panics(words).map_err(text)
    }

    fn lines(&self) -> Result<Vec<String>, String> {
        kept(&self.logger, || self.context.host_since::<dyn Logger>(0))?.lines().map_err(text)
    }

    fn add(&self, a: i32, b: i32) -> Result<i32, String> {
        kept(&self.calculator, || self.context.peer::<dyn Calculator>())?.add(a, b).map_err(text)
    }

    fn count(&self, by: u64) -> Result<u64, String> {
        kept(&self.counter, || self.context.peer::<dyn Counter>())?.add(by).map_err(text)
    }

    fn undeclared(&self) -> Result<u32, String> {
        self.context.peer::<dyn Stamp>().and_then(|stamp| stamp.version()).map_err(text)
    }

    fn nested(&self, depth: u32) -> Result<u32, String> {
        if depth == 0 {
            return Ok(0);
        }
        let echo = kept(&self.echo, || self.context.host::<dyn Echo>())?;
        Ok(echo.call_back(depth).map_err(text)?? + 1)
    }

    fn forget(&self) {
        *self.logger.lock().expect("nothing panics here") = None;
        *self.echo.lock().expect("nothing panics here") = None;
        *self.calculator.lock().expect("nothing panics here") = None;
        *self.counter.lock().expect("nothing panics here") = None;
    }

    fn log_on_threads(&self, threads: u32, times: u32) -> Result<u32, String> {
        std::thread::scope(|scope| {
            let work = || {
                (0..times).try_fold(0, |_, n| {
                    let logger = self.context.host::<dyn Logger>()?;
                    logger.clone().log(&format!("line {n}"))
                })
            };
            let all: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let counts = all.into_iter().map(|thread| thread.join().expect("nothing panics here"));
            counts.collect::<Result<Vec<u32>, CallError>>().map_err(text)?.into_iter().max().ok_or("no threads".into())
        })
    }
}
