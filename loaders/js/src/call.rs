//! Calls of methods by the runtime.

use std::mem::MaybeUninit;
use std::rc::Rc;

use polyplug::engine::{Fault, IncomingCall};
use polyplug::schema::Shape;
use rquickjs::qjs;

use crate::jobs::Raised;
use crate::js::{Pending, Value};
use crate::prepared::Prepared;
use crate::state::State;
use crate::values::Values;

/// The number of arguments for which a call has room without memory of its own.
const FEW: usize = 8;

/// The arguments of a call, which are released when the value is dropped.
struct Arguments<'a> {
    state: &'a State,
    /// The first `count` are set.
    few: [MaybeUninit<qjs::JSValue>; FEW],
    count: usize,
    /// All arguments, if they are more than few.
    many: Vec<qjs::JSValue>,
}

impl<'a> Arguments<'a> {
    #[inline]
    fn new(state: &'a State, count: usize) -> Self {
        let many = if count > FEW { Vec::with_capacity(count) } else { Vec::new() };
        Self { state, few: [const { MaybeUninit::uninit() }; FEW], count: 0, many }
    }

    #[inline]
    fn push(&mut self, value: Value) {
        let raw = value.into_raw();
        if self.many.capacity() > 0 {
            self.many.push(raw);
        } else {
            self.few[self.count].write(raw);
            self.count += 1;
        }
    }

    #[inline]
    fn all(&self) -> &[qjs::JSValue] {
        if self.many.capacity() > 0 {
            return &self.many;
        }
        // SAFETY: `push` has set the first `count` values.
        unsafe { std::slice::from_raw_parts(self.few.as_ptr().cast(), self.count) }
    }
}

impl Drop for Arguments<'_> {
    #[inline]
    fn drop(&mut self) {
        for raw in self.all() {
            // SAFETY: `push` took the ownership of each value. The values are the VM's, which this thread uses.
            unsafe {
                if qjs::JS_VALUE_HAS_REF_COUNT(*raw) {
                    qjs::JS_FreeValue(self.state.js().context(), *raw);
                }
            }
        }
    }
}

/// Carries out a call of a function.
#[inline]
pub(crate) fn call(
    state: &State,
    prepared: &Rc<Prepared>,
    function: &Value,
    this: &Value,
    call: &IncomingCall<'_>,
) -> Result<(), Fault> {
    let mut values = Values::new(state, prepared);
    let mut arguments = Arguments::new(state, call.arguments());
    call.each_argument(&mut values, |value| arguments.push(value))?;
    let returned = state.js().call(function, this, arguments.all());
    match state.settled(returned) {
        Ok(result) => call.set_result(&mut values, &result),
        Err(raised) => failed(&mut values, raised, call),
    }
}

/// Ends a call that has failed: with a declared error, or with a fault.
#[cold]
fn failed(values: &mut Values<'_>, raised: Raised, call: &IncomingCall<'_>) -> Result<(), Fault> {
    let thrown = match raised {
        Raised::Thrown(value) => value,
        Raised::Fault(fault) => return Err(fault),
    };
    match declared(values, &thrown, call) {
        Some(value) => call.set_error(values, &value).map_err(|fault| {
            // The error of a call whose method declares errors of another type.
            if values.state.is_of_call(&thrown) { values.state.fault_of(&thrown) } else { fault }
        }),
        None => Err(values.state.fault_of(&thrown)),
    }
}

/// Returns the value of the error that the method declares, if what was thrown stands for one.
fn declared(values: &Values<'_>, thrown: &Value, call: &IncomingCall<'_>) -> Option<Value> {
    let definition = call.declares()?;
    let state = values.state;
    if state.deadline.is_over() {
        return None;
    }
    if thrown.is_error() {
        let is_declared = is_declared(values, thrown).unwrap_or_else(|_| {
            state.forget_exception();
            false
        });
        return is_declared.then(|| state.declared_value(thrown));
    }
    let stands_for_one = match &values.prepared.contract.schema.definition(definition?).shape {
        Shape::Enum(cases) => cases.iter().any(|case| thrown.is_text(&case.name)),
        // An object without a tag is an exception that a library has thrown.
        Shape::Variant(_) => {
            thrown.is_object()
                && values.js.get(thrown, &state.names().tag).map_or_else(
                    |_| {
                        state.forget_exception();
                        false
                    },
                    |tag| tag.is_string(),
                )
        }
        _ => thrown.is_object(),
    };
    stands_for_one.then(|| thrown.share())
}

/// Returns whether an error is of the class of declared errors.
fn is_declared(values: &Values<'_>, error: &Value) -> Result<bool, Pending> {
    let js = values.js;
    let answer = js.call(&values.state.helpers().is_declared, &js.undefined(), &[error.raw()])?;
    Ok(answer.as_bool() == Some(true))
}
