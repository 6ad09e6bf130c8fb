//! Programs in JavaScript that are part of the loader: each is compiled once for a process.

use std::ffi::CStr;
use std::sync::OnceLock;

use rquickjs::qjs;

use super::value::{Ctx, Pending, Res, Value};

/// A program: a script whose value is a function.
pub(super) struct Program {
    name: &'static CStr,
    /// The text, with a zero byte at the end, which the parser of QuickJS relies on.
    text: &'static CStr,
    code: OnceLock<Vec<u8>>,
}

impl Program {
    pub(super) const fn new(name: &'static CStr, text: &'static CStr) -> Self {
        Self { name, text, code: OnceLock::new() }
    }

    /// Runs the program in a context, and returns its function.
    pub(super) fn load(&self, ctx: Ctx<'_>) -> Res<Value> {
        let code = match self.code.get() {
            Some(code) => code,
            None => {
                let code = self.compile(ctx)?;
                self.code.get_or_init(|| code)
            }
        };
        // SAFETY: the context is valid; the byte code is that of `compile` in this process, from a text of the loader.
        // `JS_EvalFunction` takes over the function.
        unsafe {
            let flags = qjs::JS_READ_OBJ_BYTECODE as _;
            let function = ctx.own(qjs::JS_ReadObject(ctx.raw(), code.as_ptr(), code.len() as _, flags))?;
            ctx.own(qjs::JS_EvalFunction(ctx.raw(), function.into_raw()))
        }
    }

    /// Returns the program's byte code.
    fn compile(&self, ctx: Ctx<'_>) -> Res<Vec<u8>> {
        let text = self.text.to_bytes();
        let flags = qjs::JS_EVAL_TYPE_GLOBAL | qjs::JS_EVAL_FLAG_STRICT | qjs::JS_EVAL_FLAG_COMPILE_ONLY;
        // SAFETY: the context is valid; text and name end with a zero byte; the byte code is copied and freed.
        unsafe {
            let name = self.name.as_ptr();
            let compiled = ctx.own(qjs::JS_Eval(ctx.raw(), text.as_ptr().cast(), text.len() as _, name, flags as _))?;
            let mut len = 0;
            let flags = (qjs::JS_WRITE_OBJ_BYTECODE | qjs::JS_WRITE_OBJ_STRIP_SOURCE) as _;
            let code = qjs::JS_WriteObject(ctx.raw(), &mut len, compiled.raw(), flags);
            if code.is_null() {
                return Err(Pending);
            }
            let copy = std::slice::from_raw_parts(code, len as usize).to_vec();
            qjs::js_free(ctx.raw(), code.cast());
            Ok(copy)
        }
    }
}
