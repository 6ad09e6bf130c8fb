//! Owned JavaScript values, and the exceptions of the operations on them.

use std::ffi::{CStr, c_int, c_void};
use std::marker::PhantomData;
use std::ptr;

use rquickjs::qjs;

/// An exception that is pending in the context.
#[derive(Debug)]
pub(super) struct Pending;

/// The result of an operation that can leave an exception pending.
pub(super) type Res<T> = Result<T, Pending>;

/// The attributes of an ordinary property.
pub(super) const PLAIN: c_int = qjs::JS_PROP_C_W_E as c_int;

/// The attributes of a built-in property: an enumeration skips it.
pub(super) const HIDDEN: c_int = (qjs::JS_PROP_CONFIGURABLE | qjs::JS_PROP_WRITABLE) as c_int;

/// The context of an operation. A `Ctx` exists only while its context is alive and this thread may use it.
#[derive(Clone, Copy)]
pub(super) struct Ctx<'c>(*mut qjs::JSContext, PhantomData<&'c ()>);

/// The key of a property.
pub(super) struct Key<'c>(Ctx<'c>, qjs::JSAtom);

/// A reference that keeps a JavaScript value alive. It is dropped before its context is freed.
pub(super) struct Value {
    ctx: *mut qjs::JSContext,
    raw: qjs::JSValue,
}

/// A property of an object itself.
pub(super) enum Own {
    Data(Value),
    Accessor { get: bool, set: bool },
}

impl<'c> Ctx<'c> {
    /// Makes a `Ctx` of a context.
    ///
    /// # Safety
    /// The context is valid, and only this thread uses it during `'c`.
    pub(super) unsafe fn new(raw: *mut qjs::JSContext) -> Self {
        Self(raw, PhantomData)
    }

    pub(super) fn raw(self) -> *mut qjs::JSContext {
        self.0
    }

    /// Takes over a value that an operation has returned.
    ///
    /// # Safety
    /// `raw` is a value of this context's runtime, and its reference is the caller's to give.
    pub(super) unsafe fn own(self, raw: qjs::JSValue) -> Res<Value> {
        // SAFETY: reading the tag of a value has no requirements.
        if unsafe { qjs::JS_IsException(raw) } { Err(Pending) } else { Ok(Value { ctx: self.0, raw }) }
    }

    /// Makes a reference to a borrowed value.
    ///
    /// # Safety
    /// `raw` is a live value of this context's runtime.
    pub(super) unsafe fn share(self, raw: qjs::JSValue) -> Value {
        // SAFETY: the value is alive, as the caller guarantees.
        Value { ctx: self.0, raw: unsafe { qjs::JS_DupValue(self.0, raw) } }
    }

    pub(super) fn undefined(self) -> Value {
        Value { ctx: self.0, raw: qjs::JS_UNDEFINED }
    }

    pub(super) fn boolean(self, value: bool) -> Value {
        Value { ctx: self.0, raw: if value { qjs::JS_TRUE } else { qjs::JS_FALSE } }
    }

    pub(super) fn number(self, value: f64) -> Value {
        Value { ctx: self.0, raw: qjs::JS_NewFloat64(value) }
    }

    pub(super) fn string(self, text: &str) -> Res<Value> {
        // SAFETY: the context is valid; pointer and length are those of a string in UTF-8.
        unsafe { self.own(qjs::JS_NewStringLen(self.0, text.as_ptr().cast(), text.len() as _)) }
    }

    pub(super) fn object(self) -> Res<Value> {
        // SAFETY: the context is valid.
        unsafe { self.own(qjs::JS_NewObject(self.0)) }
    }

    pub(super) fn array(self) -> Res<Value> {
        // SAFETY: the context is valid.
        unsafe { self.own(qjs::JS_NewArray(self.0)) }
    }

    pub(super) fn bytes(self, bytes: &[u8]) -> Res<Value> {
        // SAFETY: the context is valid; the bytes are copied.
        unsafe { self.own(qjs::JS_NewUint8ArrayCopy(self.0, bytes.as_ptr(), bytes.len() as _)) }
    }

    pub(super) fn global(self) -> Value {
        // SAFETY: the context is valid, and gives a reference of the caller's own.
        Value { ctx: self.0, raw: unsafe { qjs::JS_GetGlobalObject(self.0) } }
    }

    pub(super) fn key(self, name: &CStr) -> Res<Key<'c>> {
        // SAFETY: the context is valid; the name ends with a zero byte.
        self.check_key(unsafe { qjs::JS_NewAtom(self.0, name.as_ptr()) })
    }

    pub(super) fn index(self, index: u32) -> Res<Key<'c>> {
        // SAFETY: the context is valid.
        self.check_key(unsafe { qjs::JS_NewAtomUInt32(self.0, index) })
    }

    fn check_key(self, atom: qjs::JSAtom) -> Res<Key<'c>> {
        if atom == qjs::JS_ATOM_NULL as qjs::JSAtom { Err(Pending) } else { Ok(Key(self, atom)) }
    }

    /// Throws a `TypeError`.
    pub(super) fn type_error(self, message: &str) -> Pending {
        let text = clipped(message);
        // SAFETY: the context is valid; the format takes one string that ends with a zero byte.
        unsafe { qjs::JS_ThrowTypeError(self.0, c"%s".as_ptr(), text.as_ptr()) };
        Pending
    }

    /// Throws a `RangeError`.
    pub(super) fn range_error(self, message: &str) -> Pending {
        let text = clipped(message);
        // SAFETY: the context is valid; the format takes one string that ends with a zero byte.
        unsafe { qjs::JS_ThrowRangeError(self.0, c"%s".as_ptr(), text.as_ptr()) };
        Pending
    }

    /// Throws a `DOMException`.
    pub(super) fn dom_error(self, name: &CStr, message: &str) -> Pending {
        let text = clipped(message);
        // SAFETY: the context is valid; the format takes one string that ends with a zero byte, and so does the name.
        unsafe { qjs::JS_ThrowDOMException(self.0, name.as_ptr(), c"%s".as_ptr(), text.as_ptr()) };
        Pending
    }

    /// Throws an `InternalError`.
    pub(super) fn internal_error(self, message: &str) -> Pending {
        let text = clipped(message);
        // SAFETY: the context is valid; the format takes one string that ends with a zero byte.
        unsafe { qjs::JS_ThrowInternalError(self.0, c"%s".as_ptr(), text.as_ptr()) };
        Pending
    }

    /// Discards the pending exception, unless the exception ends the code that runs (a time limit).
    pub(super) fn recover(self, _: Pending) -> Res<()> {
        // SAFETY: the context is valid; the exception is thrown again or freed, once.
        unsafe {
            let exception = qjs::JS_GetException(self.0);
            if qjs::JS_IsUncatchableError(exception) {
                qjs::JS_Throw(self.0, exception);
                return Err(Pending);
            }
            qjs::JS_FreeValue(self.0, exception);
        }
        Ok(())
    }

    /// Returns the result of an operation, or `None` if the operation threw.
    pub(super) fn attempt<T>(self, result: Res<T>) -> Res<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(pending) => self.recover(pending).map(|()| None),
        }
    }
}

/// Returns a message as C text. QuickJS cuts messages at 255 bytes; the cut falls between characters here.
fn clipped(message: &str) -> std::ffi::CString {
    let mut end = message.len().min(250);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    let mut bytes = message.as_bytes()[..end].to_vec();
    bytes.retain(|&byte| byte != 0);
    std::ffi::CString::new(bytes).unwrap_or_default()
}

impl<'c> Key<'c> {
    /// Takes over an atom.
    ///
    /// # Safety
    /// The atom's reference is the caller's to give.
    unsafe fn own(ctx: Ctx<'c>, atom: qjs::JSAtom) -> Self {
        Self(ctx, atom)
    }

    /// Returns the key as a value: a string or a symbol.
    pub(super) fn value(&self) -> Res<Value> {
        // SAFETY: context and atom are valid.
        unsafe { self.0.own(qjs::JS_AtomToValue(self.0.0, self.1)) }
    }

    /// Returns the text of a string, or a symbol's description.
    pub(super) fn text(&self) -> Res<String> {
        // SAFETY: context and atom are valid; the text is copied and freed.
        unsafe {
            let mut len = 0;
            let text = qjs::JS_AtomToCStringLen(self.0.0, &mut len, self.1);
            copied(self.0.0, text, len as usize)
        }
    }
}

impl Drop for Key<'_> {
    fn drop(&mut self) {
        // SAFETY: the context is valid; the atom's reference is this key's.
        unsafe { qjs::JS_FreeAtom(self.0.0, self.1) }
    }
}

impl Value {
    /// Returns the context. The borrow of the value, which is dropped before its context, bounds the result.
    pub(super) fn ctx(&self) -> Ctx<'_> {
        Ctx(self.ctx, PhantomData)
    }

    pub(super) fn raw(&self) -> qjs::JSValue {
        self.raw
    }

    /// Gives up the reference.
    pub(super) fn into_raw(self) -> qjs::JSValue {
        let raw = self.raw;
        std::mem::forget(self);
        raw
    }

    /// Returns the address that tells an object from others.
    pub(super) fn address(&self) -> *mut c_void {
        // SAFETY: callers ask objects only; of others, the union's bytes are read, which all are initialised.
        unsafe { qjs::JS_VALUE_GET_PTR(self.raw) }
    }

    pub(super) fn get(&self, name: &CStr) -> Res<Value> {
        // SAFETY: context and value are valid; the name ends with a zero byte.
        unsafe { self.ctx().own(qjs::JS_GetPropertyStr(self.ctx, self.raw, name.as_ptr())) }
    }

    pub(super) fn get_key(&self, key: &Key<'_>) -> Res<Value> {
        // SAFETY: context, value and key are valid.
        unsafe { self.ctx().own(qjs::JS_GetProperty(self.ctx, self.raw, key.1)) }
    }

    /// Returns the value as the key of a property.
    pub(super) fn to_key(&self) -> Res<Key<'_>> {
        // SAFETY: context and value are valid; the atom is the caller's.
        self.ctx().check_key(unsafe { qjs::JS_ValueToAtom(self.ctx, self.raw) })
    }

    pub(super) fn get_index(&self, index: u32) -> Res<Value> {
        // SAFETY: context and value are valid.
        unsafe { self.ctx().own(qjs::JS_GetPropertyUint32(self.ctx, self.raw, index)) }
    }

    /// Returns the length of an array, or of another object that has a length.
    pub(super) fn length(&self) -> Res<u64> {
        let mut length = 0;
        // SAFETY: context and value are valid; the length is written to a live place.
        if unsafe { qjs::JS_GetLength(self.ctx, self.raw, &mut length) } < 0 {
            return Err(Pending);
        }
        Ok(length.max(0) as u64)
    }

    /// Defines a property of the object itself. Its prototypes have no influence.
    pub(super) fn define(&self, name: &CStr, value: Value, attributes: c_int) -> Res<()> {
        // SAFETY: context and object are valid; the call takes over the value's reference.
        let done =
            unsafe { qjs::JS_DefinePropertyValueStr(self.ctx, self.raw, name.as_ptr(), value.into_raw(), attributes) };
        if done < 0 { Err(Pending) } else { Ok(()) }
    }

    pub(super) fn define_key(&self, key: &Key<'_>, value: Value, attributes: c_int) -> Res<()> {
        // SAFETY: context and object are valid; the call takes over the value's reference.
        let done = unsafe { qjs::JS_DefinePropertyValue(self.ctx, self.raw, key.1, value.into_raw(), attributes) };
        if done < 0 { Err(Pending) } else { Ok(()) }
    }

    pub(super) fn define_index(&self, index: u32, value: Value) -> Res<()> {
        // SAFETY: context and object are valid; the call takes over the value's reference.
        let done = unsafe { qjs::JS_DefinePropertyValueUint32(self.ctx, self.raw, index, value.into_raw(), PLAIN) };
        if done < 0 { Err(Pending) } else { Ok(()) }
    }

    /// Defines an accessor of the object itself.
    pub(super) fn define_accessor(&self, name: &CStr, get: Value, set: Value) -> Res<()> {
        let key = self.ctx().key(name)?;
        // SAFETY: context, object and key are valid; the call takes over the functions' references.
        let done = unsafe {
            let flags = qjs::JS_PROP_CONFIGURABLE as c_int;
            qjs::JS_DefinePropertyGetSet(self.ctx, self.raw, key.1, get.into_raw(), set.into_raw(), flags)
        };
        if done < 0 { Err(Pending) } else { Ok(()) }
    }

    pub(super) fn call(&self, this: &Value, args: &[&Value]) -> Res<Value> {
        let mut raw: Vec<_> = args.iter().map(|arg| arg.raw).collect();
        // SAFETY: context and values are valid, and stay alive during the call.
        unsafe { self.ctx().own(qjs::JS_Call(self.ctx, self.raw, this.raw, raw.len() as c_int, raw.as_mut_ptr())) }
    }

    pub(super) fn construct(&self, args: &[&Value]) -> Res<Value> {
        let mut raw: Vec<_> = args.iter().map(|arg| arg.raw).collect();
        // SAFETY: context and values are valid, and stay alive during the call.
        unsafe { self.ctx().own(qjs::JS_CallConstructor(self.ctx, self.raw, raw.len() as c_int, raw.as_mut_ptr())) }
    }

    /// Returns the object's own property, or `None` if there is none.
    pub(super) fn own_property(&self, key: &Key<'_>) -> Res<Option<Own>> {
        let mut found = qjs::JSPropertyDescriptor {
            flags: 0,
            value: qjs::JS_UNDEFINED,
            getter: qjs::JS_UNDEFINED,
            setter: qjs::JS_UNDEFINED,
        };
        // SAFETY: context, object and key are valid; the descriptor's values are the caller's if it is filled.
        match unsafe { qjs::JS_GetOwnProperty(self.ctx, &mut found, self.raw, key.1) } {
            0 => Ok(None),
            1.. => {
                let [value, getter, setter] =
                    [found.value, found.getter, found.setter].map(|raw| Value { ctx: self.ctx, raw });
                Ok(Some(if found.flags & qjs::JS_PROP_GETSET as c_int != 0 {
                    Own::Accessor { get: !getter.is_undefined(), set: !setter.is_undefined() }
                } else {
                    Own::Data(value)
                }))
            }
            _ => Err(Pending),
        }
    }

    /// Returns whether the object has the property itself, and no assignment can change it.
    pub(super) fn is_read_only(&self, key: &Key<'_>) -> Res<bool> {
        let mut found = qjs::JSPropertyDescriptor {
            flags: 0,
            value: qjs::JS_UNDEFINED,
            getter: qjs::JS_UNDEFINED,
            setter: qjs::JS_UNDEFINED,
        };
        // SAFETY: context, object and key are valid; `found` is a variable of this function, whose values are freed.
        unsafe {
            match qjs::JS_GetOwnProperty(self.ctx, &mut found, self.raw, key.1) {
                0 => return Ok(false),
                1.. => {}
                _ => return Err(Pending),
            }
            for raw in [found.value, found.getter, found.setter] {
                qjs::JS_FreeValue(self.ctx, raw);
            }
        }
        Ok(found.flags & (qjs::JS_PROP_WRITABLE | qjs::JS_PROP_GETSET) as c_int == 0)
    }

    /// Returns the keys of the object's own enumerable properties: strings, and symbols if asked for.
    pub(super) fn own_keys(&self, symbols: bool) -> Res<Vec<Key<'_>>> {
        let mut table: *mut qjs::JSPropertyEnum = ptr::null_mut();
        let mut len = 0;
        let mut flags = qjs::JS_GPN_STRING_MASK | qjs::JS_GPN_ENUM_ONLY;
        if symbols {
            flags |= qjs::JS_GPN_SYMBOL_MASK;
        }
        // SAFETY: context and object are valid; the table has `len` entries, whose atoms are taken over, and is freed.
        unsafe {
            if qjs::JS_GetOwnPropertyNames(self.ctx, &mut table, &mut len, self.raw, flags as c_int) < 0 {
                return Err(Pending);
            }
            let mut keys = Vec::new();
            for at in 0..len as usize {
                keys.push(Key::own(self.ctx(), (*table.add(at)).atom));
            }
            qjs::js_free(self.ctx, table.cast());
            Ok(keys)
        }
    }

    /// Returns the prototype, or `None` if it is null.
    pub(super) fn prototype(&self) -> Res<Option<Value>> {
        // SAFETY: context and object are valid.
        let prototype = unsafe { self.ctx().own(qjs::JS_GetPrototype(self.ctx, self.raw)) }?;
        Ok(prototype.is_object().then_some(prototype))
    }

    /// Returns the name of an object's built-in class. No property of the object has an influence.
    pub(super) fn class_name(&self) -> Res<String> {
        // SAFETY: context and value are valid; the atom is the caller's.
        unsafe {
            let id = qjs::JS_GetClassID(self.raw);
            let atom = qjs::JS_GetClassName(qjs::JS_GetRuntime(self.ctx), id);
            Key::own(self.ctx(), atom).text()
        }
    }

    /// Returns the text of the value as `String(value)` gives it. Lone surrogates become U+FFFD.
    pub(super) fn text(&self) -> Res<String> {
        // SAFETY: context and value are valid; the text is copied and freed.
        unsafe {
            let mut len = 0;
            let text = qjs::JS_ToCStringLen(self.ctx, &mut len, self.raw);
            copied(self.ctx, text, len)
        }
    }

    pub(super) fn is_undefined(&self) -> bool {
        // SAFETY: reading the tag of a value has no requirements. The same holds for the functions below.
        unsafe { qjs::JS_IsUndefined(self.raw) }
    }

    pub(super) fn is_null(&self) -> bool {
        // SAFETY: see `is_undefined`.
        unsafe { qjs::JS_IsNull(self.raw) }
    }

    pub(super) fn is_object(&self) -> bool {
        // SAFETY: see `is_undefined`.
        unsafe { qjs::JS_IsObject(self.raw) }
    }

    pub(super) fn is_string(&self) -> bool {
        // SAFETY: see `is_undefined`.
        unsafe { qjs::JS_IsString(self.raw) }
    }

    pub(super) fn is_symbol(&self) -> bool {
        // SAFETY: see `is_undefined`.
        unsafe { qjs::JS_IsSymbol(self.raw) }
    }

    pub(super) fn is_number(&self) -> bool {
        // SAFETY: see `is_undefined`.
        unsafe { qjs::JS_IsNumber(self.raw) }
    }

    pub(super) fn is_bigint(&self) -> bool {
        // SAFETY: see `is_undefined`.
        unsafe { qjs::JS_IsBigInt(self.raw) }
    }

    pub(super) fn is_function(&self) -> bool {
        // SAFETY: context and value are valid.
        unsafe { qjs::JS_IsFunction(self.ctx, self.raw) }
    }

    pub(super) fn is_array(&self) -> bool {
        // SAFETY: the value is valid.
        unsafe { qjs::JS_IsArray(self.raw) }
    }

    pub(super) fn is_proxy(&self) -> bool {
        // SAFETY: the value is valid.
        unsafe { qjs::JS_IsProxy(self.raw) }
    }

    pub(super) fn truthy(&self) -> bool {
        // SAFETY: context and value are valid; no value's conversion to a boolean throws.
        unsafe { qjs::JS_ToBool(self.ctx, self.raw) > 0 }
    }

    /// Returns the value as `Number(value)` gives it.
    pub(super) fn to_number(&self) -> Res<f64> {
        let mut number = 0.0;
        // SAFETY: context and value are valid; the number is written to a live place.
        if unsafe { qjs::JS_ToFloat64(self.ctx, &mut number, self.raw) } < 0 { Err(Pending) } else { Ok(number) }
    }
}

impl Clone for Value {
    fn clone(&self) -> Self {
        // SAFETY: the value is valid in its context.
        unsafe { self.ctx().share(self.raw) }
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        // SAFETY: the reference is this value's, and the context is alive, as the type requires.
        unsafe { qjs::JS_FreeValue(self.ctx, self.raw) }
    }
}

/// Copies and frees a text of QuickJS.
///
/// # Safety
/// `text` is null, with an exception pending, or points to `len` bytes that `JS_FreeCString` frees.
unsafe fn copied(ctx: *mut qjs::JSContext, text: *const std::ffi::c_char, len: usize) -> Res<String> {
    if text.is_null() {
        return Err(Pending);
    }
    // SAFETY: the caller guarantees a valid context whose VM only this thread uses.
    let bytes = unsafe {
        let bytes = std::slice::from_raw_parts(text.cast::<u8>(), len).to_vec();
        qjs::JS_FreeCString(ctx, text);
        bytes
    };
    Ok(scalar_text(bytes))
}

/// Makes text of UTF-8 in which QuickJS has written lone surrogates as three bytes each.
fn scalar_text(bytes: Vec<u8>) -> String {
    match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let mut bytes = error.into_bytes();
            for at in 0..bytes.len().saturating_sub(2) {
                if bytes[at] == 0xED && bytes[at + 1] >= 0xA0 {
                    bytes[at..at + 3].copy_from_slice("\u{FFFD}".as_bytes());
                }
            }
            String::from_utf8_lossy(&bytes).into_owned()
        }
    }
}
