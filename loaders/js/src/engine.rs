//! The engine of a bundle as the runtime uses it: makes instances, calls methods, and carries state over a reload.

use std::rc::Rc;
use std::sync::OnceLock;

use polyplug::Version;
use polyplug::engine::{Engine, Fault, IncomingCall, KnownContract};

use crate::call;
use crate::describe::describe;
use crate::js::{Pending, Value};
use crate::names::camel_case;
use crate::prepared::{Prepared, method_names};
use crate::state::State;

/// The engine of a bundle: a VM and the code that the VM has for each plugin.
pub(crate) struct JsEngine {
    /// The code of each plugin, in the order of the declarations. Set when the runtime prepares the plugin. Dropped before
    /// the VM, whose values it has.
    pub(crate) plugins: Vec<OnceLock<PluginCode>>,
    pub(crate) state: Box<State>,
}

// SAFETY: the runtime lets one thread at a time use an engine whose `Engine::EXCLUSIVE` is true, and a VM of QuickJS is not
// bound to a thread of the operating system.
unsafe impl Send for JsEngine {}
// SAFETY: shared references are used by one thread at a time, because `Engine::EXCLUSIVE` is true.
unsafe impl Sync for JsEngine {}

/// An object of a VM: an instance of a plugin, or an object that was handed over.
pub(crate) struct JsObject(Value);

// SAFETY: the runtime uses and drops the objects of an engine while it is in the engine, so one thread at a time does.
unsafe impl Send for JsObject {}
// SAFETY: shared references are used by the thread that is in the engine, and by no other one.
unsafe impl Sync for JsObject {}

impl JsObject {
    pub(crate) fn new(value: Value) -> Self {
        Self(value)
    }
}

/// The code of a plugin.
pub(crate) struct PluginCode {
    pub(crate) prepared: Rc<Prepared>,
    /// The methods, by the numbers of the contract.
    methods: Vec<Value>,
    save: Option<Value>,
    restore: Option<Value>,
    init: Option<Value>,
}

impl JsEngine {
    /// Returns the code of a plugin, which the runtime must have prepared.
    #[inline]
    fn code(&self, plugin: usize) -> &PluginCode {
        self.plugins[plugin].get().expect("a plugin is prepared before it is used")
    }

    fn fault(&self, pending: Pending) -> Fault {
        self.state.fault(pending)
    }

    fn prepare_code(&self, plugin: usize, contract: &KnownContract) -> Result<PluginCode, Pending> {
        let js = self.state.js();
        let prepared = self.state.prepared(contract)?;
        let classes = self.state.classes.borrow();
        let class = &classes[plugin];
        let target = class.methods()?;
        let names = method_names(js, &contract.schema.methods)?;
        let methods = names.iter().map(|name| js.get(&target, name)).collect::<Result<_, _>>()?;
        let function = |name| js.get_named(&target, name).map(|value| value.is_function().then_some(value));
        let init = if class.is_constructed() { None } else { function(c"init")? };
        Ok(PluginCode { prepared, methods, save: function(c"save")?, restore: function(c"restore")?, init })
    }

    /// Makes an instance: calls the constructor of a class, or makes an object whose prototype has the methods.
    fn make(&self, plugin: usize) -> Result<Value, Fault> {
        let (js, context) = (self.state.js(), &self.state.helpers().context);
        let (target, is_constructed) = {
            let classes = self.state.classes.borrow();
            (classes[plugin].target.share(), classes[plugin].is_constructed())
        };
        if is_constructed {
            return js.construct(&target, &[context.raw()]).map_err(|pending| self.fault(pending));
        }
        let instance = js.object_of(&target).map_err(|pending| self.fault(pending))?;
        if let Some(init) = &self.code(plugin).init {
            let returned = js.call(init, &instance, &[context.raw()]);
            self.state.settled(returned).map_err(|raised| self.state.raised(raised))?;
        }
        Ok(instance)
    }
}

impl Engine for JsEngine {
    type Object = JsObject;

    const STACK: usize = 128 << 10;

    fn method_name(name: &str) -> String {
        camel_case(name)
    }

    fn prepare(&self, plugin: usize, contract: &KnownContract) -> Result<(), Fault> {
        let entry = self.state.enter();
        let code = self.prepare_code(plugin, contract).map_err(|pending| self.fault(pending));
        let code = entry.finish(code)?;
        let _ = self.plugins[plugin].set(code);
        Ok(())
    }

    fn create(&self, plugin: usize) -> Result<JsObject, Fault> {
        let entry = self.state.enter();
        let made = self.make(plugin);
        entry.finish(made).map(JsObject)
    }

    fn end(&self, object: JsObject) {
        drop(object);
    }

    #[inline]
    fn call(&self, plugin: usize, instance: &JsObject, call: &IncomingCall<'_>) -> Result<(), Fault> {
        let code = self.code(plugin);
        let entry = self.state.enter();
        let outcome = call::call(&self.state, &code.prepared, &code.methods[call.number()], &instance.0, call);
        entry.finish(outcome)
    }

    fn call_object(
        &self,
        definition: u32,
        object: &JsObject,
        of: &KnownContract,
        call: &IncomingCall<'_>,
    ) -> Result<(), Fault> {
        let (state, js) = (&self.state, self.state.js());
        let entry = state.enter();
        let outcome = state.prepared(of).map_err(|pending| self.fault(pending)).and_then(|prepared| {
            if object.0.is_function() {
                return call::call(state, &prepared, &object.0, &js.undefined(), call);
            }
            let name = prepared.method(definition, call.number());
            let method = js.get(&object.0, name).map_err(|pending| self.fault(pending))?;
            if !method.is_function() {
                let name = camel_case(&call.method().name);
                return Err(Fault::new(format_args!("the object has no method `{name}`")));
            }
            call::call(state, &prepared, &method, &object.0, call)
        });
        entry.finish(outcome)
    }

    fn place(&self, plugin: usize, _: &JsObject, call: &IncomingCall<'_>) -> Option<String> {
        self.state.place_of_function(&self.code(plugin).methods[call.number()])
    }

    fn object_place(&self, object: &JsObject, call: &IncomingCall<'_>) -> Option<String> {
        if object.0.is_function() {
            return self.state.place_of_function(&object.0);
        }
        let js = self.state.js();
        let method = js.atom(&camel_case(&call.method().name)).and_then(|name| js.get(&object.0, &name));
        match method {
            Ok(method) => self.state.place_of_function(&method),
            Err(pending) => {
                drop(js.exception(pending));
                None
            }
        }
    }

    fn save(&self, plugin: usize, instance: &JsObject) -> Result<Vec<u8>, Fault> {
        let state = &self.state;
        let entry = state.enter();
        let save = self.code(plugin).save.as_ref();
        let outcome = save.ok_or_else(|| Fault::new("the plugin has no method `save`")).and_then(|save| {
            let returned = state.js().call(save, &instance.0, &[]);
            let saved = state.settled(returned).map_err(|raised| state.raised(raised))?;
            if saved.is_string() {
                return saved.text().map(<[u8]>::to_vec).map_err(|pending| self.fault(pending));
            }
            match saved.bytes().map_err(|pending| self.fault(pending))? {
                Some((_, 0)) => Ok(Vec::new()),
                // SAFETY: the bytes stay until code of the guest runs, and are copied at once.
                Some((ptr, len)) => Ok(unsafe { std::slice::from_raw_parts(ptr, len) }.to_vec()),
                None => {
                    let found = describe(&saved);
                    Err(Fault::new(format_args!("save: a Uint8Array or a string is expected, not {found}")))
                }
            }
        });
        entry.finish(outcome)
    }

    fn restore(&self, plugin: usize, snapshot: &[u8], from: Version) -> Result<JsObject, Fault> {
        let (state, js) = (&self.state, self.state.js());
        let entry = state.enter();
        let restore = self.code(plugin).restore.as_ref();
        let outcome = restore.ok_or_else(|| Fault::new("the plugin has no method `restore`")).and_then(|restore| {
            let instance = self.make(plugin)?;
            let from = format!("{}.{}.{}", from.major, from.minor, from.patch);
            let made = js.bytes(snapshot).and_then(|bytes| Ok((bytes, js.text(&from)?)));
            let (bytes, from) = made.map_err(|pending| self.fault(pending))?;
            let returned = js.call(restore, &instance, &[bytes.raw(), from.raw()]);
            state.settled(returned).map_err(|raised| state.raised(raised))?;
            Ok(instance)
        });
        entry.finish(outcome).map(JsObject)
    }

    fn memory(&self) -> Option<u64> {
        Some(self.state.memory.used() as u64)
    }
}
