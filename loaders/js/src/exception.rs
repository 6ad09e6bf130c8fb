//! Exceptions of a guest as faults, and faults as exceptions.

use std::ffi::CStr;
use std::panic::AssertUnwindSafe;

use polyplug::CallError;
use polyplug::engine::{Exception, Fault, guarded};
use rquickjs::qjs;

use crate::describe::describe;
use crate::held::Held;
use crate::js::{Js, Pending, Value};
use crate::stack;
use crate::state::State;
use crate::values::Values;

/// The number of causes of an error that a traceback shows.
const MAX_CAUSES: usize = 8;

/// The failure of a C function of the loader's.
pub(crate) enum Raise {
    /// The exception of the context.
    Pending(Pending),
    /// A fault, which becomes an exception.
    Fault(Fault),
}

impl From<Pending> for Raise {
    fn from(pending: Pending) -> Self {
        Self::Pending(pending)
    }
}

impl From<Fault> for Raise {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Carries out a C function: returns the value that `body` returns, or makes its failure the exception of the context. A
/// panic does not reach the frames of QuickJS.
///
/// # Safety
///
/// In a C function that QuickJS has called, with the context that it has got.
pub(crate) unsafe fn function(
    context: *mut qjs::JSContext,
    body: impl FnOnce(&State, Js) -> Result<Value, Raise>,
) -> qjs::JSValue {
    // SAFETY: the caller's promise: the thread that runs code of the guest is the only one in the VM.
    let state = unsafe { State::of(qjs::JS_GetRuntime(context)) };
    let js = state.js();
    let mut body = AssertUnwindSafe(Some(body));
    let outcome = guarded(|| Ok((body.take().expect("called once"))(state, js)));
    match outcome.unwrap_or_else(|panic| Err(Raise::Fault(panic))) {
        Ok(value) => return value.into_raw(),
        // SAFETY: the invariant of `Js`. Where memory lacks, QuickJS itself may fail without an exception.
        Err(Raise::Pending(_)) => unsafe {
            if !qjs::JS_HasException(context) {
                qjs::JS_ThrowOutOfMemory(context);
            }
        },
        Err(Raise::Fault(fault)) => _ = state.throw(fault),
    }
    qjs::JS_EXCEPTION
}

impl State {
    /// Takes the exception of the context and drops it.
    #[cold]
    pub(crate) fn forget_exception(&self) {
        drop(self.js().exception(Pending));
    }

    /// Takes the exception of the context and returns it as a fault.
    #[cold]
    pub(crate) fn fault(&self, pending: Pending) -> Fault {
        let exception = self.js().exception(pending);
        self.fault_of(&exception)
    }

    /// Returns an exception as a fault.
    #[cold]
    pub(crate) fn fault_of(&self, exception: &Value) -> Fault {
        if self.deadline.is_over() {
            return self.limits.out_of_time(self.guest.bundle());
        }
        if self.memory.was_refused() && self.is_about_memory(exception) {
            return self.out_of_memory();
        }
        let holder = self.holder(exception);
        match holder.as_ref().and_then(|holder| self.held(holder)) {
            Some(Held::Call(error @ (CallError::Deadlock(_) | CallError::LimitReached(_)))) => error.clone().into(),
            Some(Held::Call(error)) => self.exception_of(exception, Some(error.to_string())).into(),
            Some(Held::Declared(call, prepared)) => {
                let value = self.declared_value(exception);
                let prepared = prepared.upgrade();
                let message = prepared.map(|prepared| call.describe(&mut Values::new(self, &prepared), &value));
                self.exception_of(exception, message).into()
            }
            None => self.exception_of(exception, None).into(),
        }
    }

    /// Returns whether an exception is the declared error of a call that the guest has made.
    pub(crate) fn is_of_call(&self, exception: &Value) -> bool {
        let holder = self.holder(exception);
        matches!(holder.as_ref().and_then(|holder| self.held(holder)), Some(Held::Declared(..)))
    }

    /// Returns whether an exception, which has come after an allocation was refused, tells of that. QuickJS throws an
    /// `InternalError`, whose message may have been lost as well, or `null` where there is no memory for an error.
    fn is_about_memory(&self, exception: &Value) -> bool {
        let is_none = exception.tag() == qjs::JS_TAG_UNINITIALIZED;
        is_none
            || exception.is_nothing()
            || self.property(exception, c"name").is_some_and(|name| name == "InternalError")
    }

    /// Returns the value of a declared error, or `undefined`.
    pub(crate) fn declared_value(&self, error: &Value) -> Value {
        self.js().get(error, &self.names().value).unwrap_or_else(|_| {
            self.forget_exception();
            self.js().undefined()
        })
    }

    /// Returns message, location and calls of a value that was thrown.
    fn exception_of(&self, thrown: &Value, message: Option<String>) -> Exception {
        let message = message.unwrap_or_else(|| self.message(thrown));
        let Some(calls) = thrown.is_object().then(|| self.calls(thrown)).flatten() else {
            return Exception { message, ..Exception::default() };
        };
        let location = stack::innermost(&calls).map(|place| format!("{}:{}", place.file, place.line));
        let mut traceback = calls;
        let mut cause = self.cause(thrown);
        for _ in 0..MAX_CAUSES {
            let Some(of) = cause else { break };
            traceback += &format!("\ncaused by {}", self.message(&of));
            if let Some(calls) = self.calls(&of) {
                traceback += "\n";
                traceback += &calls;
            }
            cause = self.cause(&of);
        }
        Exception { message, location, traceback: Some(traceback) }
    }

    /// Returns the calls that an error has passed through, without those of the loader's programs.
    fn calls(&self, error: &Value) -> Option<String> {
        let calls = self.property(error, c"stack")?;
        stack::of_guest(&self.sources.map_stack(&calls))
    }

    fn cause(&self, error: &Value) -> Option<Value> {
        let cause = self.js().get_named(error, c"cause").inspect_err(|_| self.forget_exception()).ok()?;
        cause.is_error().then_some(cause)
    }

    /// Returns the message of a value that was thrown: `TypeError: x is not a function`.
    pub(crate) fn message(&self, thrown: &Value) -> String {
        if thrown.is_error() {
            let name = self.property(thrown, c"name").unwrap_or_default();
            let mut message = self.property(thrown, c"message").unwrap_or_default();
            if let Some(advice) = crate::web::explain_absent(&message) {
                message = format!("{message}: {advice}");
            }
            return match (name.as_str(), message.as_str()) {
                ("", _) => message,
                (_, "") => name,
                _ => format!("{name}: {message}"),
            };
        }
        if thrown.is_string() {
            return thrown.shown().unwrap_or_default();
        }
        if thrown.is_object()
            && let Some(message) = self.property(thrown, c"message")
        {
            return message;
        }
        match self.json(thrown) {
            Some(json) if thrown.is_object() => format!("{} was thrown: {json}", describe(thrown)),
            _ => format!("{} was thrown", describe(thrown)),
        }
    }

    /// Returns a property that is a string. Code of the guest that runs meanwhile and fails counts as none.
    fn property(&self, object: &Value, name: &CStr) -> Option<String> {
        if !object.is_object() {
            return None;
        }
        let value = self.js().get_named(object, name).inspect_err(|_| self.forget_exception()).ok()?;
        if !value.is_string() {
            return None;
        }
        value.shown().inspect_err(|_| self.forget_exception()).ok()
    }

    /// Returns a value as JSON, if it can be written so.
    fn json(&self, value: &Value) -> Option<String> {
        let js = self.js();
        // SAFETY: the invariant of `Js`; all values are the VM's.
        let json =
            unsafe { js.own(qjs::JS_JSONStringify(js.context(), value.raw(), qjs::JS_UNDEFINED, qjs::JS_UNDEFINED)) };
        let json = json.inspect_err(|_| self.forget_exception()).ok()?;
        if json.is_string() { json.shown().ok() } else { None }
    }

    /// Makes a fault the exception of the context. Code of the guest cannot catch the exception once the time of the call
    /// is up.
    #[cold]
    pub(crate) fn throw(&self, fault: Fault) -> Pending {
        let js = self.js();
        if self.deadline.is_over() {
            let error = js.error("the call takes too long");
            // SAFETY: the invariant of `Js`; the error is the VM's.
            unsafe { qjs::JS_SetUncatchableError(js.context(), error.raw()) };
            return js.throw(error);
        }
        match self.error_of(fault) {
            Ok(error) => js.throw(error),
            Err(pending) => pending,
        }
    }

    /// Makes the error of a fault.
    pub(crate) fn error_of(&self, fault: Fault) -> Result<Value, Pending> {
        let js = self.js();
        let error = match fault.into_call_error() {
            Err(fault) => return js.long_error(&fault.to_string()),
            Ok(error) => error,
        };
        let text = |text: Option<&str>| text.map_or_else(|| Ok(js.undefined()), |text| js.text(text));
        let failure = error.failure();
        let arguments = [
            js.text(&error.to_string())?,
            js.text(error.kind())?,
            text(error.bundle())?,
            text(error.contract())?,
            text(error.method())?,
            text(failure.location.as_deref())?,
        ];
        let arguments = arguments.each_ref().map(Value::raw);
        let made = js.call(&self.helpers().call_error, &js.undefined(), &arguments)?;
        self.hold(&made, Held::Call(error))?;
        Ok(made)
    }

    /// Makes an error of the class `TypeError`, and makes it the exception of the context.
    pub(crate) fn type_error(&self, message: &str) -> Pending {
        let length = i32::try_from(message.len()).unwrap_or(i32::MAX);
        // SAFETY: the invariant of `Js`. The format takes a length and a text of that length.
        unsafe { qjs::JS_ThrowTypeError(self.js().context(), c"%.*s".as_ptr(), length, message.as_ptr()) };
        Pending
    }

    /// Returns the text of an error for a log, with the calls that it passed through.
    pub(crate) fn describe_error(&self, error: &Value) -> String {
        self.guest.describe(&self.exception_of(error, None).into())
    }

    /// Returns the place of the innermost call in a file of the guest.
    pub(crate) fn place(&self) -> Option<String> {
        let error = self.js().error("");
        let calls = self.calls(&error)?;
        stack::innermost(&calls).map(|place| format!("{}:{}", place.file, place.line))
    }
}
