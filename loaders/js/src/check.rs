//! The check whether a program compiles, without a bundle.

use std::ffi::{CString, c_char, c_int, c_void};

use polyplug::engine::Fault;
use rquickjs::qjs;

use crate::js::{Js, Pending, Value};

/// A VM without libraries, which compiles and runs nothing.
struct BareVm(*mut qjs::JSRuntime, *mut qjs::JSContext);

impl Drop for BareVm {
    fn drop(&mut self) {
        // SAFETY: this value owns the context and its runtime, and no values of theirs exist any more.
        unsafe {
            qjs::JS_FreeContext(self.1);
            qjs::JS_FreeRuntime(self.0);
        }
    }
}

/// Checks that a text is a module.
///
/// # Errors
///
/// The text does not compile.
pub(crate) fn compiles(mut text: Vec<u8>, file: &str) -> Result<(), Fault> {
    let name = CString::new(file).map_err(|_| Fault::new(format_args!("{file:?} is no name of a module")))?;
    text.push(0);
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&text);
    let flags = qjs::JS_EVAL_TYPE_MODULE | qjs::JS_EVAL_FLAG_COMPILE_ONLY;
    // SAFETY: the VM is valid until dropped, after all values, and this thread is the only one that knows it. The text has a
    // null at its end.
    unsafe {
        let runtime = qjs::JS_NewRuntime();
        if runtime.is_null() {
            return Err(Fault::new("there is no memory"));
        }
        let context = qjs::JS_NewContext(runtime);
        if context.is_null() {
            qjs::JS_FreeRuntime(runtime);
            return Err(Fault::new("there is no memory"));
        }
        let vm = BareVm(runtime, context);
        qjs::JS_SetModuleLoaderFunc(runtime, None, Some(load_nothing), std::ptr::null_mut());
        let js = Js::new(vm.1);
        let compiled = qjs::JS_Eval(vm.1, text.as_ptr().cast(), (text.len() - 1) as _, name.as_ptr(), flags as c_int);
        js.own(compiled).map(drop).map_err(|pending| fault(js, pending))
    }
}

/// Loads a module without contents, since QuickJS asks for the modules that a text imports when it compiles the text.
///
/// # Safety
///
/// QuickJS calls the function.
unsafe extern "C" fn load_nothing(
    context: *mut qjs::JSContext,
    name: *const c_char,
    _: *mut c_void,
) -> *mut qjs::JSModuleDef {
    // SAFETY: the caller's promise: the context is valid, and the name a C string.
    unsafe { qjs::JS_NewCModule(context, name, Some(set_nothing)) }
}

/// Sets no exports.
///
/// # Safety
///
/// QuickJS would call the function when it runs the module, which never happens.
unsafe extern "C" fn set_nothing(_: *mut qjs::JSContext, _: *mut qjs::JSModuleDef) -> c_int {
    0
}

/// Returns the error of a text that does not compile, with its place.
fn fault(js: Js, pending: Pending) -> Fault {
    let error = js.exception(pending);
    let text = |value: Result<Value, Pending>| value.and_then(|value| value.shown()).unwrap_or_default();
    let message = text(js.get_named(&error, c"message"));
    let calls = text(js.get_named(&error, c"stack"));
    match crate::stack::innermost(&calls) {
        Some(place) => Fault::new(format_args!("{}:{}: SyntaxError: {message}", place.file, place.line)),
        None => Fault::new(format_args!("SyntaxError: {message}")),
    }
}

#[cfg(test)]
mod tests {
    use super::compiles;

    fn check(text: &str) -> Result<(), String> {
        compiles(text.as_bytes().to_vec(), "main.js").map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_module_compiles_whether_its_imports_exist_or_not() {
        for text in [
            "",
            "import { a } from './a.js'; import * as p from 'polyplug'; export const b = await a();",
            "\u{FEFF}export default 1",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn an_error_has_its_place() {
        let error = check("const a = 1;\nconst b = ;\n").unwrap_err();
        assert!(error.starts_with("main.js:2: SyntaxError: "), "{error}");
        let error = check("export const half = 'a").unwrap_err();
        assert!(error.starts_with("main.js:1: SyntaxError: "), "{error}");
    }
}
