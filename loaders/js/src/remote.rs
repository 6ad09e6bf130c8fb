//! Host contracts, peers and objects of other bundles as JavaScript objects with the methods that the contract lists.

use std::ffi::{CString, c_int};
use std::rc::Rc;

use polyplug::engine::{CallOutcome, Fault, ImportedObject};
use polyplug::schema::{Shape, TypeRef};
use rquickjs::qjs;

use crate::exception::{Raise, function};
use crate::held::Held;
use crate::js::{Pending, Value};
use crate::names::camel_case;
use crate::prepared::Prepared;
use crate::remote_value::RemoteValue;
use crate::state::State;
use crate::types;
use crate::values::Values;

/// Makes an object for an imported one.
///
/// # Errors
///
/// There is no memory.
pub(crate) fn object(state: &State, prepared: &Rc<Prepared>, object: ImportedObject) -> Result<Value, Pending> {
    let js = state.js();
    let prototype = prepared.prototype(object.definition(), || {
        let prototype = js.object()?;
        for (number, of) in (0..).zip(object.methods()) {
            let name = CString::new(camel_case(&of.name)).unwrap_or_default();
            let arguments = c_int::try_from(of.arguments.len()).unwrap_or(c_int::MAX);
            let made = js.numbered_function(&name, method, arguments, number)?;
            js.define_named(&prototype, &name, made)?;
        }
        Ok(prototype)
    })?;
    let remote = RemoteValue { object, prepared: Rc::downgrade(prepared) };
    js.object_with(&prototype, state.remote_class, Box::new(remote))
}

/// Returns what an object owns, if it is one that [`object`] has made.
pub(crate) fn of<'a>(state: &State, value: &'a Value) -> Option<&'a RemoteValue> {
    // SAFETY: only `object` makes objects of the class, which own a `RemoteValue`.
    unsafe { value.opaque(state.remote_class) }
}

/// Calls the method with this number of the object `this`.
///
/// # Safety
///
/// QuickJS calls the function.
unsafe extern "C" fn method(
    context: *mut qjs::JSContext,
    this: qjs::JSValue,
    count: c_int,
    arguments: *mut qjs::JSValue,
    number: c_int,
) -> qjs::JSValue {
    // SAFETY: QuickJS calls C functions with a valid context, and with as many arguments as it says, which are the VM's.
    unsafe {
        function(context, |state, js| {
            // Another owner: the call may drop the guest's last reference.
            let this = js.share(this);
            let Some(remote) = of(state, &this) else {
                return Err(state.type_error("the method is called on another object than its own").into());
            };
            if state.deadline.is_over() {
                return Err(state.limits.out_of_time(state.guest.bundle()).into());
            }
            let count = usize::try_from(count).unwrap_or(0);
            let arguments: Vec<_> = (0..count).map(|i| js.share(*arguments.add(i))).collect();
            call(state, remote, usize::try_from(number).unwrap_or(0), &arguments)
        })
    }
}

fn call(state: &State, remote: &RemoteValue, number: usize, arguments: &[Value]) -> Result<Value, Raise> {
    let prepared = remote.prepared.upgrade().ok_or_else(|| Fault::new("the bundle is being unloaded"))?;
    let mut values = Values::new(state, &prepared);
    let outcome = remote.object.call(&mut values, number, arguments);
    // The time of the guest's own call goes on meanwhile, and code that runs on would not notice soon.
    if state.deadline.is_over() {
        return Err(state.limits.out_of_time(state.guest.bundle()).into());
    }
    match outcome? {
        CallOutcome::Returned(value) => Ok(value),
        CallOutcome::Declared(value) => {
            let error = declared(state, remote, &prepared, number, value)?;
            Err(state.js().throw(error).into())
        }
    }
}

/// Makes the error that a method declares.
fn declared(
    state: &State,
    remote: &RemoteValue,
    prepared: &Rc<Prepared>,
    number: usize,
    value: Value,
) -> Result<Value, Pending> {
    let js = state.js();
    let schema = &prepared.contract.schema;
    let definition = match &remote.object.methods()[number].result {
        TypeRef::Result(_, error) => match &**error {
            TypeRef::Named(number) => Some(schema.definition(*number)),
            _ => None,
        },
        _ => None,
    };
    let definition = definition.filter(|definition| !matches!(definition.shape, Shape::Object(_)));
    let contract = js.text(&format!("{}@{}", schema.name, schema.major))?;
    let (name, kind, cases) = match definition {
        Some(definition) => {
            (js.text(&definition.name)?, js.text(types::kind(&definition.shape))?, types::cases(js, &definition.shape)?)
        }
        None => (js.undefined(), js.undefined(), js.undefined()),
    };
    let arguments = [contract.raw(), name.raw(), kind.raw(), cases.raw(), value.raw()];
    let error = js.call(&state.helpers().declared, &js.undefined(), &arguments)?;
    state.hold(&error, Held::Declared(remote.object.declared(number), Rc::downgrade(prepared)))?;
    Ok(error)
}
