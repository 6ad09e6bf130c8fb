//! The modules of a bundle: the files that `import` finds, and the module `polyplug`.

use std::ffi::{CStr, CString, c_char, c_int, c_void};

use polyplug::engine::Fault;
use rquickjs::qjs;

use crate::exception::{Raise, function};
use crate::js::{Js, Pending, Value};
use crate::state::State;

/// The name of the loader's own module.
const POLYPLUG: &str = "polyplug";

/// The exports of the module `polyplug`.
const EXPORTS: [&CStr; 8] = [c"plugin", c"host", c"peer", c"types", c"context", c"log", c"DeclaredError", c"CallError"];

/// The endings that a path in an import may lack, as TypeScript's compilers leave paths as they are written.
const ENDINGS: [&str; 4] = [".js", ".mjs", ".json", "/index.js"];

impl State {
    /// Has QuickJS find modules in the bundle.
    pub(crate) fn open_imports(&self) {
        // SAFETY: the invariant of `Js`.
        unsafe {
            let (name, load) = (Some(normalize as _), Some(load as _));
            qjs::JS_SetModuleLoaderFunc2(self.js().runtime(), name, load, None, std::ptr::null_mut());
        }
    }

    /// Compiles the text of a module that has this name.
    ///
    /// # Errors
    ///
    /// The text does not compile, or there is no memory.
    pub(crate) fn compile(&self, text: &[u8], name: &str) -> Result<Module, Raise> {
        self.sources.register(name, text);
        let file = CString::new(name).map_err(|_| Fault::new(format_args!("{name:?} is no name of a module")))?;
        // A mark of the byte order is no part of the text.
        let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
        // SAFETY: `ProgramText` has a null behind the text.
        let compiled = unsafe { self.compile_text(text, &file, qjs::JS_EVAL_TYPE_MODULE) }?;
        // SAFETY: a compiled module is a value whose pointer is that of the module.
        let definition = unsafe { qjs::JS_VALUE_GET_PTR(compiled.raw()) }.cast();
        Ok(Module { compiled, definition })
    }

    /// Returns the name of the module that a text of a module means: the path of a file in the bundle.
    fn resolve(&self, base: &str, text: &str) -> Result<String, Fault> {
        if text == POLYPLUG {
            return Ok(text.to_owned());
        }
        if let Some(file) = self.part_of_polyplug(text) {
            return Ok(file);
        }
        let is_relative = ["./", "../"].iter().any(|start| text.starts_with(start)) || text == "." || text == "..";
        if !is_relative {
            let remedy = if text.starts_with('/') || text.contains(':') || text.contains('\\') {
                "a plugin imports files of its bundle by relative paths, and `polyplug`; the rest it gets from the host, by a \
                 host contract"
            } else {
                "a plugin imports files of its bundle by relative paths, and `polyplug`: put the package into the bundle \
                 with a bundler, such as `esbuild --bundle --format=esm --external:polyplug`"
            };
            return Err(Fault::new(format_args!("cannot import {text:?}: {remedy}")));
        }
        let mut path: Vec<&str> = base.split('/').collect();
        path.pop();
        for step in text.split('/') {
            match step {
                "" | "." => {}
                ".." if path.pop().is_some() => {}
                ".." => {
                    return Err(Fault::new(format_args!("cannot import {text:?}: the path leads out of the bundle")));
                }
                step => path.push(step),
            }
        }
        let name = path.join("/");
        let Some(files) = self.guest.files() else { return Ok(name) };
        let is_file = |name: &str| files.is_file(name);
        if is_file(&name) {
            return Ok(name);
        }
        let found = ENDINGS.iter().map(|ending| format!("{name}{ending}")).find(|name| is_file(name));
        // The error of a file that is missing names the path as it is written.
        Ok(found.unwrap_or(name))
    }

    /// Returns the file of the bundle that `polyplug/name` means: `polyplug/name.js`, if there is one. `polyplug test` adds
    /// such modules to a bundle.
    fn part_of_polyplug(&self, text: &str) -> Option<String> {
        let name = text.strip_prefix(POLYPLUG)?.strip_prefix('/')?;
        let is_name = !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        let file = format!("{POLYPLUG}/{name}.js");
        (is_name && self.guest.files().is_some_and(|files| files.is_file(&file))).then_some(file)
    }

    /// Loads a module by its name.
    fn load_module(&self, name: &str) -> Result<*mut qjs::JSModuleDef, Raise> {
        if name == POLYPLUG {
            return Ok(own_module(self.js())?);
        }
        if !self.may_declare.get() {
            self.guest.check_unchanged(name)?;
        }
        let text = self.read_program(name)?;
        if name.ends_with(".json") {
            return json_module(self.js(), &text, name);
        }
        Ok(self.compile(&text, name)?.definition)
    }
}

/// A module that was compiled.
pub(crate) struct Module {
    compiled: Value,
    /// The module. The context keeps it.
    pub(crate) definition: *mut qjs::JSModuleDef,
}

impl Module {
    /// Runs the module with the modules that it imports. Returns the promise of its end.
    pub(crate) fn run(self) -> (Result<Value, Pending>, *mut qjs::JSModuleDef) {
        let js = self.compiled.js();
        // SAFETY: the invariant of `Js`. The function takes ownership of the module, which the context keeps.
        let promise = unsafe { js.own(qjs::JS_EvalFunction(js.context(), self.compiled.into_raw())) };
        (promise, self.definition)
    }
}

/// Returns the exports of a module as an object.
///
/// # Safety
///
/// The module must be one of the context's.
pub(crate) unsafe fn namespace(js: Js, module: *mut qjs::JSModuleDef) -> Result<Value, Pending> {
    // SAFETY: the caller's promise, and the invariant of `Js`.
    unsafe { js.own(qjs::JS_GetModuleNamespace(js.context(), module)) }
}

/// Makes the module `polyplug`.
fn own_module(js: Js) -> Result<*mut qjs::JSModuleDef, Pending> {
    // SAFETY: the invariant of `Js`.
    unsafe {
        let module = qjs::JS_NewCModule(js.context(), c"polyplug".as_ptr(), Some(set_exports));
        if module.is_null() {
            return Err(Pending);
        }
        for name in EXPORTS {
            if qjs::JS_AddModuleExport(js.context(), module, name.as_ptr()) < 0 {
                return Err(Pending);
            }
        }
        Ok(module)
    }
}

/// Sets the exports of the module `polyplug`.
///
/// # Safety
///
/// QuickJS calls the function, for the module that [`own_module`] has made.
unsafe extern "C" fn set_exports(context: *mut qjs::JSContext, module: *mut qjs::JSModuleDef) -> c_int {
    // SAFETY: the caller's promise. `JS_SetModuleExport` takes ownership of the value.
    let outcome = unsafe {
        function(context, |state, js| {
            for name in EXPORTS {
                let value = js.get_named(&state.helpers().exports, name)?;
                if qjs::JS_SetModuleExport(js.context(), module, name.as_ptr(), value.into_raw()) < 0 {
                    return Err(Pending.into());
                }
            }
            Ok(js.undefined())
        })
    };
    status(outcome)
}

/// Makes a module whose default export is the value of a JSON file.
fn json_module(js: Js, text: &[u8], name: &str) -> Result<*mut qjs::JSModuleDef, Raise> {
    let file = CString::new(name).map_err(|_| Fault::new(format_args!("{name:?} is no name of a module")))?;
    // SAFETY: the invariant of `Js`. `ProgramText` has a null behind the text. `JS_SetModulePrivateValue` takes ownership of
    // the value.
    unsafe {
        let value = js.own(qjs::JS_ParseJSON(js.context(), text.as_ptr().cast(), text.len() as _, file.as_ptr()))?;
        let module = qjs::JS_NewCModule(js.context(), file.as_ptr(), Some(set_default));
        if module.is_null()
            || qjs::JS_AddModuleExport(js.context(), module, c"default".as_ptr()) < 0
            || qjs::JS_SetModulePrivateValue(js.context(), module, value.into_raw()) < 0
        {
            return Err(Pending.into());
        }
        Ok(module)
    }
}

/// Sets the default export of a module that [`json_module`] has made.
///
/// # Safety
///
/// QuickJS calls the function, for such a module.
unsafe extern "C" fn set_default(context: *mut qjs::JSContext, module: *mut qjs::JSModuleDef) -> c_int {
    // SAFETY: the caller's promise. `JS_SetModuleExport` takes ownership of the value.
    unsafe {
        let value = qjs::JS_GetModulePrivateValue(context, module);
        qjs::JS_SetModuleExport(context, module, c"default".as_ptr(), value)
    }
}

/// Returns what QuickJS expects of a function that fails or not.
fn status(outcome: qjs::JSValue) -> c_int {
    // SAFETY: every value has a tag.
    if unsafe { qjs::JS_IsException(outcome) } { -1 } else { 0 }
}

/// Reads a text that QuickJS has passed.
///
/// # Safety
///
/// `text` must be a C string.
unsafe fn read(text: *const c_char) -> String {
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// Returns the name of the module that is imported as `name` in module `base`, as a text of QuickJS's allocator.
///
/// # Safety
///
/// QuickJS calls the function.
unsafe extern "C" fn normalize(
    context: *mut qjs::JSContext,
    base: *const c_char,
    name: *const c_char,
    _: *mut c_void,
) -> *mut c_char {
    let mut found = std::ptr::null_mut();
    // SAFETY: the caller's promise: both texts are C strings, and the context is valid.
    unsafe {
        function(context, |state, js| {
            let name = state.resolve(&read(base), &read(name))?;
            found = qjs::js_strndup(js.context(), name.as_ptr().cast(), name.len() as _);
            if found.is_null() { Err(Pending.into()) } else { Ok(js.undefined()) }
        });
    }
    found
}

/// Loads the module with a name.
///
/// # Safety
///
/// QuickJS calls the function.
unsafe extern "C" fn load(
    context: *mut qjs::JSContext,
    name: *const c_char,
    _: *mut c_void,
    _: qjs::JSValue,
) -> *mut qjs::JSModuleDef {
    let mut found = std::ptr::null_mut();
    // SAFETY: the caller's promise: the name is a C string, and the context is valid.
    unsafe {
        function(context, |state, js| {
            found = state.load_module(&read(name))?;
            Ok(js.undefined())
        });
    }
    found
}
