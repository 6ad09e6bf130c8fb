//! The start of a bundle: makes the VM and runs the bundle's code for the first time.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use polyplug::engine::{Fault, Guest, Limits, PluginDecl, StartError};

use crate::engine::JsEngine;
use crate::exception::Raise;
use crate::helpers::Helpers;
use crate::import::namespace;
use crate::js::Value;
use crate::module;
use crate::state::State;

/// The place of a bundle's code.
pub(crate) enum Source<'a> {
    /// The code itself.
    Code(&'a str),
    /// The bundle's directory, which has the file that the manifest names.
    Directory,
}

/// Makes a VM and runs the code of `source` in the VM. Returns the engine and the plugins that the code has declared.
///
/// # Errors
///
/// The code does not compile, throws or reaches a limit.
pub(crate) fn start(
    guest: &Arc<Guest>,
    source: &Source<'_>,
    file: &str,
    limits: Limits,
    stack: usize,
) -> Result<(JsEngine, Vec<PluginDecl>), StartError<JsEngine>> {
    let state = State::new(Arc::clone(guest), limits, stack)?;
    let entry = state.enter();
    let helpers = module::native(&state).and_then(|native| Helpers::new(state.js(), &native));
    helpers.and_then(|helpers| state.set_up(helpers)).map_err(|pending| state.fault(pending))?;
    // SAFETY: the runtime is the state's, which drops the runtime before the account.
    if !unsafe { state.memory.enforce(state.js().runtime()) } {
        return Err(state.out_of_memory().into());
    }
    state.track_rejections();
    state.open_imports();
    state.may_declare.set(true);
    let ran = run(&state, source, file);
    state.may_declare.set(false);
    let declared = entry.finish(ran.and_then(|()| declared(&state)));
    match declared {
        Ok(declared) => {
            let plugins = declared.iter().map(|_| OnceLock::new()).collect();
            Ok((JsEngine { state, plugins }, declared))
        }
        // The code may have registered functions for the unload, which run in the engine.
        Err(fault) => Err(StartError::with_engine(fault, JsEngine { state, plugins: Vec::new() })),
    }
}

/// Returns the plugins that the bundle's code has declared.
fn declared(state: &State) -> Result<Vec<PluginDecl>, Fault> {
    let classes = state.classes.borrow();
    classes.iter().map(|class| class.declared().map_err(|pending| state.fault(pending))).collect()
}

/// Runs the bundle's code, which may declare plugins.
fn run(state: &State, source: &Source<'_>, file: &str) -> Result<(), Fault> {
    let text = match source {
        Source::Code(text) => state.program_text(Cow::Borrowed(text.as_bytes()))?,
        Source::Directory => state.read_program(file)?,
    };
    let module = state.compile(&text, file).map_err(|raise| state.fault_of_raise(raise))?;
    drop(text);
    let (promise, definition) = module.run();
    state.settled(promise).map_err(|raised| state.raised(raised))?;
    // SAFETY: the module is the context's.
    let exports = unsafe { namespace(state.js(), definition) }.map_err(|pending| state.fault(pending))?;
    declare_exports(state, &exports, file).map_err(|raise| state.fault_of_raise(raise))
}

/// Declares the plugin that a module's exports are, if the module exports the name of a contract.
fn declare_exports(state: &State, exports: &Value, file: &str) -> Result<(), Raise> {
    let js = state.js();
    let contract = js.get_named(exports, c"contract")?;
    if !contract.is_string() {
        return Ok(());
    }
    let default = js.get_named(exports, c"default")?;
    let target = if default.is_undefined() { exports.share() } else { default };
    module::declare(state, contract.shown()?, target, &js.undefined(), Some(format!("{file}:1")))?;
    Ok(())
}

impl State {
    /// Returns the failure of a function of the loader as a fault.
    pub(crate) fn fault_of_raise(&self, raise: Raise) -> Fault {
        match raise {
            Raise::Pending(pending) => self.fault(pending),
            Raise::Fault(fault) => fault,
        }
    }
}
