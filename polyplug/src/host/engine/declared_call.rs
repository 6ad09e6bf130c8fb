//! The account of a declared error that a guest does not catch.
//!
//! A guest that calls another one gets the error that the method declares as an error of its own language. If the guest
//! does not catch the error, and its own method does not declare it, then the error is an exception to the guest's
//! caller. Its message names the call that returned the error, the error's type and its value.

use std::cell::RefCell;

use super::imported_object::{Caller, ImportedObject};
use crate::call_error::{CallError, Failure};
use crate::host::abi::arena::CallArenaGuard;
use crate::host::abi::buffer::AlignedBuffer;
use crate::host::dynamic::values::Values;
use crate::host::marshal::build::Build;
use crate::host::marshal::lift::Lifting;
use crate::host::marshal::lower::Lowering;
use crate::host::marshal::read::Read;
use crate::schema::TypeRef;
use crate::schema::plan::Kind;
use crate::truncate::Truncated;
use crate::value::Value;

/// A call of a guest that returned a declared error.
pub struct DeclaredCall {
    object: ImportedObject,
    method: usize,
}

impl ImportedObject {
    /// Returns the call of the method with this number, which has returned a declared error. An engine keeps it with the
    /// error that it raises, for the case that the guest does not catch the error.
    ///
    /// # Panics
    ///
    /// If there is no method with this number.
    #[must_use]
    pub fn declared(&self, method: usize) -> DeclaredCall {
        assert!(method < self.methods().len(), "a method that was called");
        DeclaredCall { object: self.borrowed(), method }
    }
}

impl DeclaredCall {
    /// Returns the message of the error, which is the value that the call returned:
    /// ``bundle `calc`, demo.calculator.divide: MathError: Overflow{at: 5}``. An error that is a text stands there alone.
    #[cold]
    pub fn describe<E: Caller>(&self, engine: &mut E, error: &<E as Build>::Value) -> String {
        self.text(self.lift(engine, error), || engine.describe(error))
    }

    /// Returns the message of the error, which the call has returned in `out`.
    ///
    /// # Safety
    ///
    /// `out` must hold the result of the call, whose method declares an error, with the tag of an error.
    #[cold]
    #[must_use]
    pub unsafe fn describe_lowered(&self, out: *const u8) -> String {
        let (schema, plan) = (self.object.schema(), self.object.plan());
        let value = match &plan.node(self.object.method_plan(self.method).result).kind {
            Kind::Result { err, at, .. } => {
                let lifting = Lifting { schema, plan };
                // SAFETY: the caller promises a result with an error, which lies at this offset.
                unsafe { lifting.value(&mut Values::new(schema), *err, out.add(*at)) }.ok()
            }
            _ => None,
        };
        self.text(value, || "an error that cannot be read".to_owned())
    }

    /// Returns the message of the error, given as a value, or as a text if it is none.
    fn text(&self, value: Option<Value>, otherwise: impl FnOnce() -> String) -> String {
        let method = &self.object.methods()[self.method];
        let value = match value {
            // An error that is a text is a message.
            Some(Value::String(text)) => Err(text),
            Some(value) => Ok(Truncated(&value).to_string()),
            None => Ok(otherwise()),
        };
        let text = match (&method.result, value) {
            (TypeRef::Result(_, error), Ok(value)) => format!("{}: {value}", self.object.schema().type_name(error)),
            (_, Ok(text) | Err(text)) => text,
        };
        // The same form as of any other error of a call.
        let failure = Failure::new(self.object.callee(), self.object.method_path(method), text);
        CallError::Exception(failure).to_string()
    }

    /// Returns the error as a value that is the same for all engines, or `None` if the guest has changed the error into
    /// something else.
    fn lift<E: Read>(&self, engine: &mut E, error: &E::Value) -> Option<Value> {
        let (schema, plan) = (self.object.schema(), self.object.plan());
        let Kind::Result { err, .. } = &plan.node(self.object.method_plan(self.method).result).kind else {
            return None;
        };
        let node = plan.node(*err);
        let buffer = AlignedBuffer::new(node.size, node.align);
        let arena = CallArenaGuard::enter();
        let tokens = RefCell::default(); // an error has no objects
        let lowering = Lowering { schema, plan, arena: arena.get(), offered: Some(&tokens) };
        // SAFETY: the buffer has the node's size; the guard keeps the arena until it is dropped.
        unsafe { lowering.value(engine, *err, error, buffer.start()) }.ok()?;
        let lifting = Lifting { schema, plan };
        // SAFETY: the buffer has the layout of the node, and was just filled; its pointers lead into the arena, or to
        // text of the engine's value.
        unsafe { lifting.value(&mut Values::new(schema), *err, buffer.start()) }.ok()
    }
}

impl std::fmt::Debug for DeclaredCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DeclaredCall({})", self.object.method_path(&self.object.methods()[self.method]))
    }
}
