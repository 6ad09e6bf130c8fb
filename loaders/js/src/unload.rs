//! The functions that a bundle's code has registered with `context.onUnload`.

use polyplug::engine::Fault;

use crate::js::Value;
use crate::state::State;

/// Keeps a function, and returns its number.
pub(crate) fn keep(state: &State, function: Value) -> usize {
    let mut kept = state.unload.borrow_mut();
    kept.push(Some(function));
    kept.len() - 1
}

/// Runs a function once. A promise that the function returns is waited for.
pub(crate) fn run(state: &State, number: usize) -> Result<(), Fault> {
    let function = state.unload.borrow_mut().get_mut(number).and_then(Option::take);
    let Some(function) = function else { return Ok(()) };
    let entry = state.enter();
    let returned = state.js().call(&function, &state.js().undefined(), &[]);
    let outcome = state.settled(returned).map_err(|raised| state.raised(raised));
    entry.finish(outcome.map(drop))
}
