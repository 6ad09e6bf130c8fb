//! The native functions of the module `polyplug`.

use std::ffi::{CStr, c_int};

use polyplug::engine::{Fault, ImportedObject};
use rquickjs::qjs;

use crate::class::Class;
use crate::describe::describe;
use crate::engine::JsEngine;
use crate::exception::{Raise, function};
use crate::js::{Function, Js, Pending, Value};
use crate::state::State;
use crate::{config, remote, types, unload};

/// Makes the object with the native functions and values that polyplug.js gets.
///
/// # Errors
///
/// There is no memory.
pub(crate) fn native(state: &State) -> Result<Value, Pending> {
    let functions: [(&CStr, Function, c_int); 9] = [
        (c"plugin", plugin, 3),
        (c"host", host, 1),
        (c"peer", peer, 1),
        (c"types", contract_types, 1),
        (c"log", log, 2),
        (c"describe", describe_value, 1),
        (c"evaluate", evaluate, 1),
        (c"dataDirectory", data_directory, 0),
        (c"onUnload", on_unload, 1),
    ];
    let js = state.js();
    let native = js.object()?;
    for (name, function, arguments) in functions {
        js.define_named(&native, name, js.function(name, function, arguments)?)?;
    }
    js.define_named(&native, c"isLimited", js.bool(state.has_memory_limit()))?;
    js.define_named(&native, c"bundle", js.text(state.guest.bundle())?)?;
    let directory = match state.guest.directory() {
        Some(directory) => js.text(&directory.to_string_lossy())?,
        None => js.null(),
    };
    js.define_named(&native, c"directory", directory)?;
    js.define_named(&native, c"config", config::object(js, state.guest.config())?)?;
    Ok(native)
}

/// The arguments of a C function. Missing ones are `undefined`.
struct Arguments(Js, Vec<Value>);

impl Arguments {
    /// # Safety
    ///
    /// QuickJS has called a C function of this context with these arguments.
    unsafe fn new(js: Js, count: c_int, arguments: *mut qjs::JSValue) -> Self {
        let count = usize::try_from(count).unwrap_or(0);
        // SAFETY: the caller's promise.
        Self(js, (0..count).map(|i| unsafe { js.share(*arguments.add(i)) }).collect())
    }

    fn get(&self, index: usize) -> Value {
        self.1.get(index).map_or_else(|| self.0.undefined(), Value::share)
    }

    /// Returns an argument that must be a string.
    fn text(&self, index: usize, what: &str) -> Result<String, Raise> {
        let value = self.get(index);
        if value.is_string() {
            return Ok(value.shown()?);
        }
        Err(Fault::new(format_args!("{what} is expected, not {}", describe(&value))).into())
    }
}

/// Defines a C function of QuickJS, whose body gets the state, the context and the arguments.
macro_rules! native {
    ($(#[doc = $doc:literal])* fn $name:ident($state:ident, $js:ident, $arguments:ident) $body:block) => {
        $(#[doc = $doc])*
        ///
        /// # Safety
        ///
        /// QuickJS calls the function.
        unsafe extern "C" fn $name(
            context: *mut qjs::JSContext,
            _: qjs::JSValue,
            count: c_int,
            arguments: *mut qjs::JSValue,
        ) -> qjs::JSValue {
            // SAFETY: QuickJS calls C functions with a valid context, and with as many arguments as it says.
            unsafe {
                function(context, |$state: &State, $js: Js| -> Result<Value, Raise> {
                    let $arguments = Arguments::new($js, count, arguments);
                    $body
                })
            }
        }
    };
}

native! {
    /// Implements `plugin(contract, target, options)`: declares a plugin and returns the target.
    fn plugin(state, _js, arguments) {
        let contract = arguments.text(0, "the name of a contract, such as \"demo.calculator@1\",")?;
        declare(state, contract, arguments.get(1), &arguments.get(2), state.place())
    }
}

/// Declares a plugin. Returns the target.
pub(crate) fn declare(
    state: &State,
    contract: String,
    target: Value,
    options: &Value,
    place: Option<String>,
) -> Result<Value, Raise> {
    if !state.may_declare.get() {
        return Err(Fault::new("plugins are declared while their bundle is being loaded, not later").into());
    }
    if !target.is_object() || target.is_array() || (target.is_function() && !target.is_constructor()) {
        let found = describe(&target);
        let expected = "a class, an object with the methods, or a module is expected as the plugin";
        return Err(Fault::new(format_args!("{expected} for {contract}, not {found}")).into());
    }
    let mut class = Class { contract, name: None, is_singleton: false, is_stateless: false, place, target };
    read_options(options, &mut class)?;
    let target = class.target.share();
    state.classes.borrow_mut().push(class);
    Ok(target)
}

/// Reads the options of a plugin.
fn read_options(options: &Value, class: &mut Class) -> Result<(), Raise> {
    if options.is_undefined() {
        return Ok(());
    }
    if !options.is_object() || options.is_function() || options.is_array() {
        let found = describe(options);
        return Err(Fault::new(format_args!("options are expected as an object, not as {found}")).into());
    }
    let js = options.js();
    for name in js.own_names(options)? {
        let value = js.get(options, &name)?;
        let option = js.name(&name)?.shown()?;
        let expected = match option.as_str() {
            "name" if value.is_string() => {
                class.name = Some(value.shown()?);
                continue;
            }
            "name" => "a string",
            "singleton" | "stateless" => match value.as_bool() {
                Some(flag) if option == "singleton" => {
                    class.is_singleton = flag;
                    continue;
                }
                Some(flag) => {
                    class.is_stateless = flag;
                    continue;
                }
                None => "true or false",
            },
            _ => {
                let known = "there are `name`, `singleton` and `stateless`";
                return Err(Fault::new(format_args!("there is no option `{option}`: {known}")).into());
            }
        };
        let found = describe(&value);
        return Err(Fault::new(format_args!("the option `{option}` is {expected}, not {found}")).into());
    }
    Ok(())
}

native! {
    /// Implements `host(contract)`: returns an object with the methods of a host contract.
    fn host(state, _js, arguments) {
        open(state, &arguments, |name| state.guest.host(name))
    }
}

native! {
    /// Implements `peer(contract)`: returns an object with the methods of another bundle's plugin.
    fn peer(state, _js, arguments) {
        open(state, &arguments, |name| state.guest.peer(name))
    }
}

fn open(
    state: &State,
    arguments: &Arguments,
    open: impl FnOnce(&str) -> Result<ImportedObject, Fault>,
) -> Result<Value, Raise> {
    let contract = arguments.text(0, "the name of a contract, such as \"demo.logger@1\",")?;
    let object = open(&contract)?;
    let prepared = state.prepared(&object.schema_and_plan())?;
    Ok(remote::object(state, &prepared, object)?)
}

native! {
    /// Returns the types of a contract, for `types(contract)`.
    fn contract_types(state, js, arguments) {
        let name = arguments.text(0, "the name of a contract, such as \"demo.calculator@1\",")?;
        let contract = state.guest.contract(&name)?;
        Ok(types::describe(js, &contract.schema)?)
    }
}

native! {
    /// Implements `log(level, message)`: writes to the host's log.
    fn log(state, js, arguments) {
        let level = arguments.text(0, "a level (\"error\", \"warn\", \"info\", \"debug\" or \"trace\")")?;
        let message = arguments.get(1);
        let message = if message.is_error() { state.describe_error(&message) } else { message.shown()? };
        state.guest.log_at(&level, &message)?;
        Ok(js.undefined())
    }
}

native! {
    /// Returns the description of a value.
    fn describe_value(_state, js, arguments) {
        Ok(js.text(&describe(&arguments.get(0)))?)
    }
}

native! {
    /// Evaluates a program, and returns its value.
    fn evaluate(state, _js, arguments) {
        state.evaluate(&arguments.get(0))
    }
}

native! {
    /// Implements `context.dataDirectory()`: returns the folder in which the bundle keeps its data.
    fn data_directory(state, js, _arguments) {
        Ok(js.text(&state.guest.data_directory()?.to_string_lossy())?)
    }
}

native! {
    /// Implements `context.onUnload(f)`: registers a function that runs before the bundle is unloaded. Returns the function.
    fn on_unload(state, _js, arguments) {
        let function = arguments.get(0);
        if !function.is_function() {
            let found = describe(&function);
            return Err(Fault::new(format_args!("onUnload: a function is expected, not {found}")).into());
        }
        let number = unload::keep(state, function.share());
        state.guest.on_unload_in(move |engine: &JsEngine| unload::run(&engine.state, number))?;
        Ok(function)
    }
}
