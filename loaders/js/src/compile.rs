//! The compilation of texts, in which a limit of memory is not enforced.
//!
//! The compiler of QuickJS ends the process where memory lacks. So memory is allowed without a limit while a text is
//! compiled, and looked at afterwards. The text itself is within the limit.

use std::ffi::{CStr, c_int};

use rquickjs::qjs;

use crate::exception::Raise;
use crate::js::Value;
use crate::state::State;

impl State {
    /// Compiles a text as `kind`, a program or a module.
    ///
    /// # Errors
    ///
    /// The text does not compile, or the VM uses more memory than its limit.
    ///
    /// # Safety
    ///
    /// There must be a null behind the text.
    pub(crate) unsafe fn compile_text(&self, text: &[u8], file: &CStr, kind: u32) -> Result<Value, Raise> {
        let (js, flags) = (self.js(), kind | qjs::JS_EVAL_FLAG_COMPILE_ONLY);
        let suspended = self.memory.suspend();
        // SAFETY: the invariant of `Js`, and the caller's promise.
        let compiled = unsafe {
            js.own(qjs::JS_Eval(js.context(), text.as_ptr().cast(), text.len() as _, file.as_ptr(), flags as c_int))
        };
        drop(suspended);
        let compiled = compiled?;
        if self.memory.is_exceeded() {
            drop(compiled);
            return Err(self.out_of_memory().into());
        }
        Ok(compiled)
    }

    /// Evaluates a program that code of the guest has made, and returns its value.
    ///
    /// # Errors
    ///
    /// The text is no text, does not compile or throws.
    pub(crate) fn evaluate(&self, text: &Value) -> Result<Value, Raise> {
        let mut program = text.text()?.to_vec();
        let len = program.len();
        program.push(0);
        // SAFETY: the null is behind the text.
        let compiled = unsafe { self.compile_text(&program[..len], c"<input>", qjs::JS_EVAL_TYPE_GLOBAL) }?;
        let js = self.js();
        // SAFETY: the invariant of `Js`. The function takes ownership of the program.
        Ok(unsafe { js.own(qjs::JS_EvalFunction(js.context(), compiled.into_raw())) }?)
    }

    /// Returns whether the VM has a limit of memory.
    pub(crate) fn has_memory_limit(&self) -> bool {
        self.limits.memory.is_some()
    }
}
