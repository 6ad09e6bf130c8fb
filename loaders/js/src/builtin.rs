//! The loader's own programs, each of which is compiled once in the process.

use std::ffi::CStr;
use std::sync::OnceLock;

use rquickjs::qjs;

use crate::js::{Js, Pending, Value};

/// The beginning of the names of the loader's own programs, by which traces leave them out.
pub(crate) const BUILTIN: &str = "<polyplug";

/// A program of the loader's own, an expression whose value each VM asks for.
pub(crate) struct Builtin {
    name: &'static CStr,
    /// The text, with a null at its end.
    text: &'static CStr,
    /// The program as byte code.
    compiled: OnceLock<Vec<u8>>,
}

impl Builtin {
    pub(crate) const fn new(name: &'static CStr, text: &'static CStr) -> Self {
        Self { name, text, compiled: OnceLock::new() }
    }

    /// Evaluates the program, and returns its value.
    ///
    /// # Errors
    ///
    /// There is no memory.
    pub(crate) fn run(&self, js: Js) -> Result<Value, Pending> {
        let code = match self.compiled.get() {
            Some(code) => code,
            None => {
                let code = self.compile(js)?;
                self.compiled.get_or_init(|| code)
            }
        };
        let flags = qjs::JS_READ_OBJ_BYTECODE as i32;
        // SAFETY: the invariant of `Js`. The byte code is what this QuickJS has made of the text. `JS_EvalFunction` takes
        // ownership of the function.
        unsafe {
            let function = js.own(qjs::JS_ReadObject(js.context(), code.as_ptr(), code.len() as _, flags))?;
            js.own(qjs::JS_EvalFunction(js.context(), function.into_raw()))
        }
    }

    fn compile(&self, js: Js) -> Result<Vec<u8>, Pending> {
        let text = self.text.to_bytes();
        let flags = qjs::JS_EVAL_TYPE_GLOBAL | qjs::JS_EVAL_FLAG_COMPILE_ONLY | qjs::JS_EVAL_FLAG_STRICT;
        // SAFETY: the invariant of `Js`. The text has a null behind its end. After success, `JS_WriteObject` returns `len`
        // bytes, which the caller frees.
        unsafe {
            let compiled =
                qjs::JS_Eval(js.context(), self.text.as_ptr(), text.len() as _, self.name.as_ptr(), flags as i32);
            let compiled = js.own(compiled)?;
            let (mut len, flags) = (0, qjs::JS_WRITE_OBJ_BYTECODE | qjs::JS_WRITE_OBJ_STRIP_SOURCE);
            let written = qjs::JS_WriteObject(js.context(), &raw mut len, compiled.raw(), flags as i32);
            if written.is_null() {
                return Err(Pending);
            }
            let code = std::slice::from_raw_parts(written, len as usize).to_vec();
            qjs::js_free(js.context(), written.cast());
            Ok(code)
        }
    }
}
