//! The operations on the values of a VM.
//!
//! - [`Js`]: a context that this thread may use.
//! - [`Value`]: a value that Rust code owns.
//! - [`Atom`]: a name of a property.
//! - [`Pending`]: the fact that the context has an exception.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int};
use std::mem::ManuallyDrop;

use rquickjs::qjs;

/// A context of a VM.
///
/// Invariant: the context is valid, and no other thread uses its VM, for as long as this value and the values made with it
/// are used. The maker of the value guarantees that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Js(*mut qjs::JSContext);

/// The fact that a context has an exception, which [`Js::exception`] takes.
#[derive(Debug)]
#[must_use]
pub(crate) struct Pending;

/// A value that Rust code owns. The value is released when it is dropped.
pub(crate) struct Value {
    js: Js,
    raw: qjs::JSValue,
    /// The text of the value as UTF-8 and its length, if it was asked for.
    text: Cell<(*const c_char, usize)>,
}

/// The name of a property, which the VM keeps as a number.
pub(crate) struct Atom {
    runtime: *mut qjs::JSRuntime,
    pub(crate) raw: qjs::JSAtom,
}

/// A C function of the loader's.
pub(crate) type Function =
    unsafe extern "C" fn(*mut qjs::JSContext, qjs::JSValue, c_int, *mut qjs::JSValue) -> qjs::JSValue;

/// A C function of the loader's that gets a number.
pub(crate) type NumberedFunction =
    unsafe extern "C" fn(*mut qjs::JSContext, qjs::JSValue, c_int, *mut qjs::JSValue, c_int) -> qjs::JSValue;

impl Js {
    /// Makes the handle of a context.
    ///
    /// # Safety
    ///
    /// The invariant of the type must hold for as long as the handle, or a value made with it, is used.
    pub(crate) unsafe fn new(context: *mut qjs::JSContext) -> Self {
        Self(context)
    }

    /// Returns the context.
    pub(crate) fn context(self) -> *mut qjs::JSContext {
        self.0
    }

    /// Returns the runtime of the context.
    pub(crate) fn runtime(self) -> *mut qjs::JSRuntime {
        // SAFETY: the invariant of the type.
        unsafe { qjs::JS_GetRuntime(self.0) }
    }

    /// Takes ownership of a value that QuickJS has returned to its caller.
    ///
    /// # Errors
    ///
    /// The value is the mark of an exception.
    ///
    /// # Safety
    ///
    /// The value must be one of this context's, whose ownership the caller has.
    #[inline]
    pub(crate) unsafe fn own(self, raw: qjs::JSValue) -> Result<Value, Pending> {
        // SAFETY: the caller's promise.
        unsafe { if qjs::JS_IsException(raw) { Err(Pending) } else { Ok(self.plain(raw)) } }
    }

    /// Returns the owner of a value.
    #[inline]
    fn plain(self, raw: qjs::JSValue) -> Value {
        Value { js: self, raw, text: Cell::new((std::ptr::null(), 0)) }
    }

    /// Returns another owner of a value.
    ///
    /// # Safety
    ///
    /// The value must be one of this context's.
    #[inline]
    pub(crate) unsafe fn share(self, raw: qjs::JSValue) -> Value {
        // SAFETY: the caller's promise, and the invariant of the type.
        self.plain(unsafe { qjs::JS_DupValue(self.0, raw) })
    }

    /// Returns `undefined`.
    #[inline]
    pub(crate) fn undefined(self) -> Value {
        self.plain(qjs::JS_UNDEFINED)
    }

    /// Returns `null`.
    #[inline]
    pub(crate) fn null(self) -> Value {
        self.plain(qjs::JS_NULL)
    }

    /// Makes a boolean.
    #[inline]
    pub(crate) fn bool(self, value: bool) -> Value {
        self.plain(if value { qjs::JS_TRUE } else { qjs::JS_FALSE })
    }

    /// Makes a number of an integer.
    #[inline]
    pub(crate) fn int(self, value: i32) -> Value {
        self.plain(qjs::JS_MKVAL(qjs::JS_TAG_INT, value))
    }

    /// Makes a number.
    #[inline]
    pub(crate) fn number(self, value: f64) -> Value {
        self.plain(qjs::JS_NewFloat64(value))
    }

    /// Makes a `BigInt`.
    pub(crate) fn bigint(self, value: i64) -> Result<Value, Pending> {
        // SAFETY: the invariant of the type; the caller of `JS_NewBigInt64` owns what it returns.
        unsafe { self.own(qjs::JS_NewBigInt64(self.0, value)) }
    }

    /// Makes a `BigInt` of an integer without sign.
    pub(crate) fn unsigned_bigint(self, value: u64) -> Result<Value, Pending> {
        // SAFETY: the invariant of the type; the caller of `JS_NewBigUint64` owns what it returns.
        unsafe { self.own(qjs::JS_NewBigUint64(self.0, value)) }
    }

    /// Makes a string.
    #[inline]
    pub(crate) fn text(self, text: &str) -> Result<Value, Pending> {
        // SAFETY: the invariant of the type; the text has that many bytes, and is copied.
        unsafe { self.own(qjs::JS_NewStringLen(self.0, text.as_ptr().cast(), text.len() as _)) }
    }

    /// Makes a `Uint8Array` with a copy of bytes.
    pub(crate) fn bytes(self, bytes: &[u8]) -> Result<Value, Pending> {
        // SAFETY: the invariant of the type; there are that many bytes, and they are copied.
        unsafe { self.own(qjs::JS_NewUint8ArrayCopy(self.0, bytes.as_ptr(), bytes.len() as _)) }
    }

    /// Makes an empty object.
    #[inline]
    pub(crate) fn object(self) -> Result<Value, Pending> {
        // SAFETY: the invariant of the type; the caller of `JS_NewObject` owns what it returns.
        unsafe { self.own(qjs::JS_NewObject(self.0)) }
    }

    /// Makes an empty object with a prototype.
    pub(crate) fn object_of(self, prototype: &Value) -> Result<Value, Pending> {
        // SAFETY: the invariant of the type; the prototype is a value of the VM.
        unsafe { self.own(qjs::JS_NewObjectProto(self.0, prototype.raw)) }
    }

    /// Makes an object of a class of the loader's, which owns `opaque`. The class's finalizer gets the value.
    pub(crate) fn object_with<T>(
        self,
        prototype: &Value,
        class: qjs::JSClassID,
        opaque: Box<T>,
    ) -> Result<Value, Pending> {
        // SAFETY: the invariant of the type. The class is one of the VM's, and the object one of the class, so that the
        // finalizer of the class, which takes the box, is the only other user of the address.
        unsafe {
            let object = self.own(qjs::JS_NewObjectProtoClass(self.0, prototype.raw, class))?;
            qjs::JS_SetOpaque(object.raw, Box::into_raw(opaque).cast());
            Ok(object)
        }
    }

    /// Makes an empty array.
    pub(crate) fn array(self) -> Result<Value, Pending> {
        // SAFETY: the invariant of the type; the caller of `JS_NewArray` owns what it returns.
        unsafe { self.own(qjs::JS_NewArray(self.0)) }
    }

    /// Makes a function of a C function.
    pub(crate) fn function(self, name: &CStr, function: Function, arguments: c_int) -> Result<Value, Pending> {
        let kind = qjs::JSCFunctionEnum_JS_CFUNC_generic;
        // SAFETY: the invariant of the type; `generic` is the kind of the function's type.
        unsafe { self.own(qjs::JS_NewCFunction2(self.0, Some(function), name.as_ptr(), arguments, kind, 0)) }
    }

    /// Makes a function of a C function that gets `number` with each call.
    pub(crate) fn numbered_function(
        self,
        name: &CStr,
        function: NumberedFunction,
        arguments: c_int,
        number: c_int,
    ) -> Result<Value, Pending> {
        let kind = qjs::JSCFunctionEnum_JS_CFUNC_generic_magic;
        // SAFETY: the invariant of the type. QuickJS calls a function of the kind `generic_magic` with a number, so that
        // the type under which the function is passed is not used for a call.
        unsafe {
            let function = std::mem::transmute::<NumberedFunction, Function>(function);
            self.own(qjs::JS_NewCFunction2(self.0, Some(function), name.as_ptr(), arguments, kind, number))
        }
    }

    /// Makes the name of a property.
    pub(crate) fn atom(self, name: &str) -> Result<Atom, Pending> {
        // SAFETY: the invariant of the type; the text has that many bytes.
        let raw = unsafe { qjs::JS_NewAtomLen(self.0, name.as_ptr().cast(), name.len() as _) };
        self.own_atom(raw)
    }

    /// Makes a name that no other property has.
    pub(crate) fn symbol(self, description: &CStr) -> Result<Atom, Pending> {
        // SAFETY: the invariant of the type; the symbol is owned until its name is made.
        unsafe {
            let symbol = self.own(qjs::JS_NewSymbol(self.0, description.as_ptr(), false))?;
            self.own_atom(qjs::JS_ValueToAtom(self.0, symbol.raw))
        }
    }

    /// Returns the name of a property that is given as a value.
    pub(crate) fn atom_of(self, name: &Value) -> Result<Atom, Pending> {
        // SAFETY: the invariant of the type; the name is a value of the VM.
        self.own_atom(unsafe { qjs::JS_ValueToAtom(self.0, name.raw) })
    }

    fn own_atom(self, raw: qjs::JSAtom) -> Result<Atom, Pending> {
        if raw == qjs::JS_ATOM_NULL as qjs::JSAtom { Err(Pending) } else { Ok(Atom { runtime: self.runtime(), raw }) }
    }

    /// Reads a property.
    #[inline]
    pub(crate) fn get(self, object: &Value, name: &Atom) -> Result<Value, Pending> {
        // SAFETY: the invariant of the type; object and name are the VM's.
        unsafe { self.own(qjs::JS_GetProperty(self.0, object.raw, name.raw)) }
    }

    /// Reads a property by its name.
    pub(crate) fn get_named(self, object: &Value, name: &CStr) -> Result<Value, Pending> {
        // SAFETY: the invariant of the type; the object is the VM's.
        unsafe { self.own(qjs::JS_GetPropertyStr(self.0, object.raw, name.as_ptr())) }
    }

    /// Reads a property by its index.
    #[inline]
    pub(crate) fn get_index(self, object: &Value, index: usize) -> Result<Value, Pending> {
        // SAFETY: the invariant of the type; the object is the VM's.
        unsafe { self.own(qjs::JS_GetPropertyInt64(self.0, object.raw, i64::try_from(index).unwrap_or(i64::MAX))) }
    }

    /// Returns whether an object itself, and not its prototype, has a property with this index.
    pub(crate) fn has_own_index(self, object: &Value, index: usize) -> Result<bool, Pending> {
        let Ok(index) = u32::try_from(index) else { return Ok(false) };
        // SAFETY: the invariant of the type; the object is the VM's, and the name is owned until it was looked up.
        let found = unsafe {
            let name = self.own_atom(qjs::JS_NewAtomUInt32(self.0, index))?;
            qjs::JS_GetOwnProperty(self.0, std::ptr::null_mut(), object.raw, name.raw)
        };
        if found < 0 { Err(Pending) } else { Ok(found > 0) }
    }

    /// Defines a property of an object that the loader has made.
    #[inline]
    pub(crate) fn define(self, object: &Value, name: &Atom, value: Value) -> Result<(), Pending> {
        let flags = qjs::JS_PROP_C_W_E as c_int;
        // SAFETY: the invariant of the type; object and name are the VM's. The function takes ownership of the value.
        let done = unsafe { qjs::JS_DefinePropertyValue(self.0, object.raw, name.raw, value.into_raw(), flags) };
        if done < 0 { Err(Pending) } else { Ok(()) }
    }

    /// Defines a property that neither shows in loops nor can be changed.
    pub(crate) fn define_hidden(self, object: &Value, name: &Atom, value: Value) -> Result<(), Pending> {
        // SAFETY: the invariant of the type; object and name are the VM's. The function takes ownership of the value.
        let done = unsafe { qjs::JS_DefinePropertyValue(self.0, object.raw, name.raw, value.into_raw(), 0) };
        if done < 0 { Err(Pending) } else { Ok(()) }
    }

    /// Defines a property by its name.
    pub(crate) fn define_named(self, object: &Value, name: &CStr, value: Value) -> Result<(), Pending> {
        let flags = qjs::JS_PROP_C_W_E as c_int;
        // SAFETY: the invariant of the type; the object is the VM's. The function takes ownership of the value.
        let done =
            unsafe { qjs::JS_DefinePropertyValueStr(self.0, object.raw, name.as_ptr(), value.into_raw(), flags) };
        if done < 0 { Err(Pending) } else { Ok(()) }
    }

    /// Defines a property by its index.
    #[inline]
    pub(crate) fn define_index(self, object: &Value, index: usize, value: Value) -> Result<(), Pending> {
        let flags = qjs::JS_PROP_C_W_E as c_int;
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        // SAFETY: the invariant of the type; the object is the VM's. The function takes ownership of the value.
        let done = unsafe { qjs::JS_DefinePropertyValueUint32(self.0, object.raw, index, value.into_raw(), flags) };
        if done < 0 { Err(Pending) } else { Ok(()) }
    }

    /// Returns the length that a list says it has.
    pub(crate) fn len(self, list: &Value) -> Result<usize, Pending> {
        let mut len = 0;
        // SAFETY: the invariant of the type; the list is the VM's, and `len` a variable of this function.
        let done = unsafe { qjs::JS_GetLength(self.0, list.raw, &raw mut len) };
        if done < 0 { Err(Pending) } else { Ok(usize::try_from(len).unwrap_or(0)) }
    }

    /// Calls a function.
    #[inline]
    pub(crate) fn call(self, function: &Value, this: &Value, arguments: &[qjs::JSValue]) -> Result<Value, Pending> {
        let count = c_int::try_from(arguments.len()).unwrap_or(c_int::MAX);
        // SAFETY: the invariant of the type; all values are the VM's. QuickJS does not write to the arguments.
        unsafe { self.own(qjs::JS_Call(self.0, function.raw, this.raw, count, arguments.as_ptr().cast_mut())) }
    }

    /// Calls a constructor.
    pub(crate) fn construct(self, class: &Value, arguments: &[qjs::JSValue]) -> Result<Value, Pending> {
        let count = c_int::try_from(arguments.len()).unwrap_or(c_int::MAX);
        // SAFETY: the invariant of the type; all values are the VM's. QuickJS does not write to the arguments.
        unsafe { self.own(qjs::JS_CallConstructor(self.0, class.raw, count, arguments.as_ptr().cast_mut())) }
    }

    /// Returns the names of an object's own properties that show in loops and are no symbols.
    pub(crate) fn own_names(self, object: &Value) -> Result<Vec<Atom>, Pending> {
        self.names(object, qjs::JS_GPN_STRING_MASK | qjs::JS_GPN_ENUM_ONLY)
    }

    /// Returns the names of an object's own properties that are no symbols.
    pub(crate) fn all_names(self, object: &Value) -> Result<Vec<Atom>, Pending> {
        self.names(object, qjs::JS_GPN_STRING_MASK)
    }

    fn names(self, object: &Value, which: u32) -> Result<Vec<Atom>, Pending> {
        let (mut names, mut count) = (std::ptr::null_mut(), 0);
        // SAFETY: the invariant of the type; the object is the VM's. After success, `names` leads to `count` entries,
        // whose atoms and memory the caller owns.
        unsafe {
            if qjs::JS_GetOwnPropertyNames(self.0, &raw mut names, &raw mut count, object.raw, which as c_int) < 0 {
                return Err(Pending);
            }
            let runtime = self.runtime();
            let atoms = (0..count as usize).map(|i| Atom { runtime, raw: (*names.add(i)).atom }).collect();
            qjs::js_free(self.0, names.cast());
            Ok(atoms)
        }
    }

    /// Returns the prototype of an object.
    pub(crate) fn prototype(self, object: &Value) -> Result<Value, Pending> {
        // SAFETY: the invariant of the type; the object is the VM's.
        unsafe { self.own(qjs::JS_GetPrototype(self.0, object.raw)) }
    }

    /// Returns a name as a value.
    pub(crate) fn name(self, name: &Atom) -> Result<Value, Pending> {
        // SAFETY: the invariant of the type; the name is the VM's.
        unsafe { self.own(qjs::JS_AtomToValue(self.0, name.raw)) }
    }

    /// Takes the exception of the context.
    pub(crate) fn exception(self, _: Pending) -> Value {
        // SAFETY: the invariant of the type; the caller of `JS_GetException` owns what it returns.
        self.plain(unsafe { qjs::JS_GetException(self.0) })
    }

    /// Makes a value the exception of the context.
    pub(crate) fn throw(self, value: Value) -> Pending {
        // SAFETY: the invariant of the type. The function takes ownership of the value.
        unsafe { qjs::JS_Throw(self.0, value.into_raw()) };
        Pending
    }

    /// Makes an error of the class `Error`, with the calls that are on the stack.
    pub(crate) fn error(self, message: &str) -> Value {
        let length = c_int::try_from(message.len()).unwrap_or(c_int::MAX);
        // SAFETY: the invariant of the type. The format takes a length and a text of that length, and the error that is
        // thrown is the exception of the context.
        unsafe {
            qjs::JS_ThrowPlainError(self.0, c"%.*s".as_ptr(), length, message.as_ptr());
        }
        self.exception(Pending)
    }

    /// Makes an error of the class `Error` with a message of any length.
    pub(crate) fn long_error(self, message: &str) -> Result<Value, Pending> {
        let error = self.error("");
        self.define_named(&error, c"message", self.text(message)?)?;
        Ok(error)
    }

    /// Runs a job, if one waits.
    pub(crate) fn run_job(self) -> Result<(), Pending> {
        let mut of = std::ptr::null_mut();
        // SAFETY: the invariant of the type, whose VM has one context. `of` is a variable of this function.
        let done = unsafe { qjs::JS_ExecutePendingJob(self.runtime(), &raw mut of) };
        if done < 0 { Err(Pending) } else { Ok(()) }
    }
}

impl Value {
    /// Returns the context of the value.
    #[inline]
    pub(crate) fn js(&self) -> Js {
        self.js
    }

    /// Returns the value without ownership.
    #[inline]
    pub(crate) fn raw(&self) -> qjs::JSValue {
        self.raw
    }

    /// Gives the ownership of the value away.
    #[inline]
    pub(crate) fn into_raw(self) -> qjs::JSValue {
        let this = ManuallyDrop::new(self);
        this.release_text();
        this.raw
    }

    /// Returns the address of an object, which no other object has while this one exists.
    pub(crate) fn address(&self) -> usize {
        // SAFETY: the tag says that the value has a pointer.
        if self.is_object() { unsafe { qjs::JS_VALUE_GET_PTR(self.raw) }.addr() } else { 0 }
    }

    /// Returns another owner of the value.
    #[inline]
    pub(crate) fn share(&self) -> Self {
        // SAFETY: the value is one of the context's.
        unsafe { self.js.share(self.raw) }
    }

    /// Returns the tag of the value's kind.
    #[inline]
    pub(crate) fn tag(&self) -> c_int {
        // SAFETY: every value has a tag.
        unsafe { qjs::JS_VALUE_GET_TAG(self.raw) }
    }

    /// Returns the integer, for a value whose tag says that it is one.
    #[inline]
    pub(crate) fn as_int(&self) -> Option<i32> {
        // SAFETY: the tag says that the value is an integer.
        (self.tag() == qjs::JS_TAG_INT).then(|| unsafe { qjs::JS_VALUE_GET_INT(self.raw) })
    }

    /// Returns the number, for a value that is one.
    #[inline]
    pub(crate) fn as_number(&self) -> Option<f64> {
        if let Some(int) = self.as_int() {
            return Some(int.into());
        }
        // SAFETY: the tag says that the value is a floating-point number.
        unsafe { qjs::JS_TAG_IS_FLOAT64(self.tag()).then(|| qjs::JS_VALUE_GET_FLOAT64(self.raw)) }
    }

    /// Returns the boolean, for a value that is one.
    #[inline]
    pub(crate) fn as_bool(&self) -> Option<bool> {
        // SAFETY: the tag says that the value is a boolean.
        (self.tag() == qjs::JS_TAG_BOOL).then(|| unsafe { qjs::JS_VALUE_GET_BOOL(self.raw) })
    }

    /// Returns whether the value is `null` or `undefined`.
    #[inline]
    pub(crate) fn is_nothing(&self) -> bool {
        matches!(self.tag(), qjs::JS_TAG_NULL | qjs::JS_TAG_UNDEFINED)
    }

    /// Returns whether the value is `undefined`.
    #[inline]
    pub(crate) fn is_undefined(&self) -> bool {
        self.tag() == qjs::JS_TAG_UNDEFINED
    }

    /// Returns whether the value is a string.
    #[inline]
    pub(crate) fn is_string(&self) -> bool {
        // SAFETY: every value has a tag.
        unsafe { qjs::JS_IsString(self.raw) }
    }

    /// Returns whether the value is a `BigInt`.
    pub(crate) fn is_bigint(&self) -> bool {
        // SAFETY: every value has a tag.
        unsafe { qjs::JS_IsBigInt(self.raw) }
    }

    /// Returns whether the value is an object, or a function.
    #[inline]
    pub(crate) fn is_object(&self) -> bool {
        self.tag() == qjs::JS_TAG_OBJECT
    }

    /// Returns whether the value is a function.
    pub(crate) fn is_function(&self) -> bool {
        // SAFETY: the value is one of the context's.
        unsafe { qjs::JS_IsFunction(self.js.0, self.raw) }
    }

    /// Returns whether the value may be called with `new`.
    pub(crate) fn is_constructor(&self) -> bool {
        // SAFETY: the value is one of the context's.
        unsafe { qjs::JS_IsConstructor(self.js.0, self.raw) }
    }

    /// Returns whether the value is an array.
    pub(crate) fn is_array(&self) -> bool {
        // SAFETY: the value is one of the context's.
        self.is_object() && unsafe { qjs::JS_IsArray(self.raw) }
    }

    /// Returns whether the value is a `Map`.
    pub(crate) fn is_map(&self) -> bool {
        // SAFETY: the value is one of the context's.
        self.is_object() && unsafe { qjs::JS_IsMap(self.raw) }
    }

    /// Returns whether the value is an error.
    pub(crate) fn is_error(&self) -> bool {
        // SAFETY: the value is one of the context's.
        self.is_object() && unsafe { qjs::JS_IsError(self.raw) }
    }

    /// Returns whether the value is a promise.
    #[inline]
    pub(crate) fn is_promise(&self) -> bool {
        // SAFETY: the value is one of the context's.
        self.is_object() && unsafe { qjs::JS_IsPromise(self.raw) }
    }

    /// Returns the class of an object.
    pub(crate) fn class(&self) -> qjs::JSClassID {
        // SAFETY: the value is one of the context's.
        unsafe { qjs::JS_GetClassID(self.raw) }
    }

    /// Returns the kind of a typed array, or a negative number for another value.
    pub(crate) fn typed_array(&self) -> c_int {
        // SAFETY: the value is one of the context's.
        if self.is_object() { unsafe { qjs::JS_GetTypedArrayType(self.raw) } } else { -1 }
    }

    /// Returns what an object of a class of the loader's owns.
    ///
    /// # Safety
    ///
    /// Objects of the class must own a `T`, which [`Js::object_with`] was given.
    pub(crate) unsafe fn opaque<T>(&self, class: qjs::JSClassID) -> Option<&T> {
        // SAFETY: the value is one of the context's. QuickJS returns null for other classes. The box lives as long as the
        // object, which this value owns.
        unsafe { qjs::JS_GetOpaque(self.raw, class).cast::<T>().as_ref() }
    }

    /// Returns the bytes of a `Uint8Array` or an `ArrayBuffer`. The pointer stays valid until code of the guest runs.
    ///
    /// # Errors
    ///
    /// The buffer is detached.
    pub(crate) fn bytes(&self) -> Result<Option<(*const u8, usize)>, Pending> {
        let mut len = 0;
        let kind = self.typed_array();
        let is_bytes = kind == qjs::JSTypedArrayEnum_JS_TYPED_ARRAY_UINT8 as c_int
            || kind == qjs::JSTypedArrayEnum_JS_TYPED_ARRAY_UINT8C as c_int;
        // SAFETY: the value is one of the context's, and has the kind that the function demands.
        let ptr = unsafe {
            if is_bytes {
                qjs::JS_GetUint8Array(self.js.0, &raw mut len, self.raw)
            } else if self.is_object() && qjs::JS_IsArrayBuffer(self.raw) {
                qjs::JS_GetArrayBuffer(self.js.0, &raw mut len, self.raw)
            } else {
                return Ok(None);
            }
        };
        // SAFETY: the context is valid.
        if ptr.is_null() && unsafe { qjs::JS_HasException(self.js.0) } {
            return Err(Pending);
        }
        Ok(Some((ptr.cast_const(), len as usize)))
    }

    /// Returns the text of a string as UTF-8, or of another value as a string. Lone surrogates become bytes that are not
    /// UTF-8. The bytes stay valid as long as the value.
    ///
    /// # Errors
    ///
    /// There is no memory, or the value has no text.
    #[inline]
    pub(crate) fn text(&self) -> Result<&[u8], Pending> {
        let (mut text, mut len) = self.text.get();
        // SAFETY: the value is one of the context's. The text has `len` bytes, and stays as long as the value.
        unsafe {
            if text.is_null() {
                text = qjs::JS_ToCStringLen(self.js.0, &raw mut len, self.raw);
                if text.is_null() {
                    return Err(Pending);
                }
                self.text.set((text, len));
            }
            Ok(std::slice::from_raw_parts(text.cast(), len))
        }
    }

    /// Returns whether the value is a string of this text.
    pub(crate) fn is_text(&self, text: &str) -> bool {
        if !self.is_string() {
            return false;
        }
        self.text().map_or_else(
            |pending| {
                drop(self.js.exception(pending));
                false
            },
            |found| found == text.as_bytes(),
        )
    }

    /// Returns the text of a string, or of another value as a string, for readers.
    pub(crate) fn shown(&self) -> Result<String, Pending> {
        self.text().map(|text| String::from_utf8_lossy(text).into_owned())
    }

    #[inline]
    fn release_text(&self) {
        let (text, _) = self.text.replace((std::ptr::null(), 0));
        if !text.is_null() {
            // SAFETY: the text came from `JS_ToCStringLen`, and is released once.
            unsafe { qjs::JS_FreeCString(self.js.0, text) };
        }
    }
}

impl Drop for Value {
    #[inline]
    fn drop(&mut self) {
        self.release_text();
        // SAFETY: this value owns the VM's value, and the invariant of `Js` holds.
        unsafe {
            if qjs::JS_VALUE_HAS_REF_COUNT(self.raw) {
                qjs::JS_FreeValue(self.js.0, self.raw);
            }
        }
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Value(tag {})", self.tag())
    }
}

impl Drop for Atom {
    fn drop(&mut self) {
        // SAFETY: this value owns the atom. The runtime is valid until the VM's state is dropped, whose atoms are dropped
        // before.
        unsafe { qjs::JS_FreeAtomRT(self.runtime, self.raw) };
    }
}

/// Drops what an object of a class of the loader's owns: the finalizer of a class whose objects own a `T`.
///
/// # Safety
///
/// QuickJS calls the function, as the finalizer of a class for whose objects [`Js::object_with`] was given a `T`.
pub(crate) unsafe extern "C" fn finalize<T>(_: *mut qjs::JSRuntime, value: qjs::JSValue) {
    let mut class = 0;
    // SAFETY: the caller's promise. A finalizer runs once.
    unsafe {
        let opaque = qjs::JS_GetAnyOpaque(value, &raw mut class);
        if !opaque.is_null() {
            drop(Box::from_raw(opaque.cast::<T>()));
        }
    }
}
