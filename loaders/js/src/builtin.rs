//! The loader's own programs, each of which is compiled once in the process.

use std::ffi::{CStr, c_int};
use std::sync::OnceLock;

use rquickjs::qjs;

/// The beginning of the names of the loader's own programs, by which traces leave them out.
pub(crate) const BUILTIN: &str = "<polyplug";

/// A program of the loader's own, an expression whose value each VM asks for.
pub(crate) struct Builtin {
    name: &'static CStr,
    text: &'static CStr,
    /// The program as byte code.
    compiled: OnceLock<Vec<u8>>,
}

impl Builtin {
    /// Makes a program with a name, which begins with [`BUILTIN`].
    pub(crate) const fn new(name: &'static CStr, text: &'static CStr) -> Self {
        Self { name, text, compiled: OnceLock::new() }
    }

    /// Evaluates the program. Returns its value, or the mark of an exception if there is no memory.
    ///
    /// # Safety
    ///
    /// The context must be valid, and no other thread use its VM during the call. The caller owns the value.
    pub(crate) unsafe fn run(&self, context: *mut qjs::JSContext) -> qjs::JSValue {
        let code = match self.compiled.get() {
            Some(code) => code,
            None => match self.compile() {
                Some(code) => self.compiled.get_or_init(|| code),
                // SAFETY: the caller's promise.
                None => return unsafe { qjs::JS_ThrowOutOfMemory(context) },
            },
        };
        // SAFETY: the caller's promise. The byte code is what this QuickJS has made of the text. `JS_EvalFunction` takes
        // ownership of the function.
        unsafe {
            let flags = qjs::JS_READ_OBJ_BYTECODE as c_int;
            let function = qjs::JS_ReadObject(context, code.as_ptr(), code.len() as _, flags);
            if qjs::JS_IsException(function) { function } else { qjs::JS_EvalFunction(context, function) }
        }
    }

    /// Compiles the program in a VM of its own, for the VM of a bundle may have a limit of memory, which the compiler does
    /// not survive. Returns `None` if there is no memory.
    fn compile(&self) -> Option<Vec<u8>> {
        let text = self.text.to_bytes();
        let flags = qjs::JS_EVAL_TYPE_GLOBAL | qjs::JS_EVAL_FLAG_COMPILE_ONLY | qjs::JS_EVAL_FLAG_STRICT;
        // SAFETY: this function is the only one that knows the VM, and releases its values before it. The text has a null
        // behind its end. After success, `JS_WriteObject` returns `len` bytes, which the caller frees.
        unsafe {
            let runtime = qjs::JS_NewRuntime();
            if runtime.is_null() {
                return None;
            }
            let context = qjs::JS_NewContext(runtime);
            if context.is_null() {
                return None;
            }
            let mut code = None;
            let (start, len) = (self.text.as_ptr(), text.len());
            let compiled = qjs::JS_Eval(context, start, len as _, self.name.as_ptr(), flags as c_int);
            if !qjs::JS_IsException(compiled) {
                let (mut len, flags) = (0, qjs::JS_WRITE_OBJ_BYTECODE | qjs::JS_WRITE_OBJ_STRIP_SOURCE);
                let written = qjs::JS_WriteObject(context, &raw mut len, compiled, flags as c_int);
                if !written.is_null() {
                    code = Some(std::slice::from_raw_parts(written, len as usize).to_vec());
                    qjs::js_free(context, written.cast());
                }
                qjs::JS_FreeValue(context, compiled);
            }
            qjs::JS_FreeContext(context);
            qjs::JS_FreeRuntime(runtime);
            code
        }
    }
}
