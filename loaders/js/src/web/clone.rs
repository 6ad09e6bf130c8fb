//! The function `structuredClone`.
//!
//! Objects are copied in the order of their discovery, without recursion, so that deep data needs no deep stack.

use std::collections::{HashMap, VecDeque};
use std::ffi::c_void;
use std::rc::Rc;

use rquickjs::qjs;

use super::bytes;
use super::inspect::{entries, inspect};
use super::intrinsics::Intrinsics;
use super::state::{Call, State};
use super::value::{Ctx, HIDDEN, PLAIN, Pending, Res, Value};

/// Copies a value, its objects and all that they contain.
pub(super) fn structured_clone(call: &Call<'_>) -> Res<Value> {
    let mut transferred = Vec::new();
    let options = call.arg(1);
    if options.is_object() {
        let list = options.get(c"transfer")?;
        if !list.is_undefined() && !list.is_null() {
            for at in 0..list.length()?.min(u64::from(u32::MAX)) as u32 {
                let buffer = list.get_index(at)?;
                // SAFETY: the value is valid.
                if !unsafe { qjs::JS_IsArrayBuffer(buffer.raw()) } || bytes::of_buffer(&buffer)?.is_none() {
                    let message = "only ArrayBuffers that are not detached can be transferred";
                    return Err(call.ctx.dom_error(c"DataCloneError", message));
                }
                transferred.push(buffer);
            }
        }
    }
    let mut copier = Copier {
        ctx: call.ctx,
        state: call.state,
        intrinsics: call.state.intrinsics(call.ctx)?,
        copies: HashMap::new(),
        unfilled: VecDeque::new(),
    };
    let copy = copier.copy(&call.arg(0))?;
    while let Some((source, target, kind)) = copier.unfilled.pop_front() {
        copier.fill(&source, &target, kind)?;
    }
    for buffer in transferred {
        // SAFETY: context and buffer are valid.
        unsafe { qjs::JS_DetachArrayBuffer(call.ctx.raw(), buffer.raw()) };
    }
    Ok(copy)
}

#[derive(Clone, Copy)]
enum Kind {
    Object,
    Map,
    Set,
    Error,
}

struct Copier<'a> {
    ctx: Ctx<'a>,
    state: &'a Rc<State>,
    intrinsics: Rc<Intrinsics>,
    /// The copy of each object, by the address of the object, which the map keeps alive.
    copies: HashMap<*mut c_void, (Value, Value)>,
    /// Objects whose copies lack their contents.
    unfilled: VecDeque<(Value, Value, Kind)>,
}

impl Copier<'_> {
    fn refused(&self, value: &Value) -> Pending {
        let text = match inspect(self.ctx, self.state, value, 0) {
            Ok(text) => text,
            Err(pending) => return pending,
        };
        self.ctx.dom_error(c"DataCloneError", &format!("{text} could not be cloned"))
    }

    /// Returns the copy of a value. The contents of a new copy come later.
    fn copy(&mut self, value: &Value) -> Res<Value> {
        if value.is_symbol() {
            return Err(self.refused(value));
        }
        if !value.is_object() {
            return Ok(value.clone());
        }
        if let Some((_, copy)) = self.copies.get(&value.address()) {
            return Ok(copy.clone());
        }
        if value.is_proxy() || value.is_function() {
            return Err(self.refused(value));
        }
        let (copy, kind) = self.shell(value)?;
        self.copies.insert(value.address(), (value.clone(), copy.clone()));
        if let Some(kind) = kind {
            self.unfilled.push_back((value.clone(), copy.clone(), kind));
        }
        Ok(copy)
    }

    /// Returns a new object like another one, and the kind of contents that the new one lacks.
    fn shell(&mut self, value: &Value) -> Res<(Value, Option<Kind>)> {
        let ctx = self.ctx;
        if value.is_array() {
            let array = ctx.array()?;
            // SAFETY: context and array are valid.
            if unsafe { qjs::JS_SetLength(ctx.raw(), array.raw(), value.length()? as i64) } < 0 {
                return Err(Pending);
            }
            return Ok((array, Some(Kind::Object)));
        }
        let class = value.class_name()?;
        // SAFETY: the value is valid.
        if unsafe { qjs::JS_IsError(value.raw()) } {
            return Ok((self.error(value)?, Some(Kind::Error)));
        }
        if let Some(view) = bytes::typed_array(value)? {
            // SAFETY: the value is valid.
            let kind = unsafe { qjs::JS_GetTypedArrayType(value.raw()) };
            let buffer = self.copy(&view.buffer)?;
            let (offset, length) =
                (ctx.number(view.offset as f64), ctx.number((view.length / view.element.max(1)) as f64));
            let mut args = [buffer.raw(), offset.raw(), length.raw()];
            // SAFETY: context and arguments are valid; the type is that of a typed array.
            let copy = unsafe { ctx.own(qjs::JS_NewTypedArray(ctx.raw(), 3, args.as_mut_ptr(), kind as _)) }?;
            return Ok((copy, None));
        }
        if let Some(view) = bytes::data_view(value)? {
            let buffer = self.copy(&view.buffer)?;
            let (offset, length) = (ctx.number(view.offset as f64), ctx.number(view.length as f64));
            return Ok((self.intrinsics.data_view.construct(&[&buffer, &offset, &length])?, None));
        }
        if let Some(primitive) = self.intrinsics.unbox(&class, value)? {
            if primitive.is_symbol() {
                return Err(self.refused(value));
            }
            // SAFETY: context and value are valid.
            return Ok((unsafe { ctx.own(qjs::JS_ToObject(ctx.raw(), primitive.raw())) }?, None));
        }
        match class.as_str() {
            "Object" | "Arguments" => Ok((ctx.object()?, Some(Kind::Object))),
            "Map" => Ok((self.intrinsics.map.construct(&[])?, Some(Kind::Map))),
            "Set" => Ok((self.intrinsics.set.construct(&[])?, Some(Kind::Set))),
            "Date" => {
                let time = self.intrinsics.date_get_time.call(value, &[])?.to_number()?;
                // SAFETY: the context is valid.
                Ok((unsafe { ctx.own(qjs::JS_NewDate(ctx.raw(), time)) }?, None))
            }
            "RegExp" => Ok((self.intrinsics.regexp.construct(&[value])?, None)),
            "ArrayBuffer" => {
                let Some(bytes) = bytes::of_buffer(value)? else { return Err(self.refused(value)) };
                // SAFETY: the context is valid; the bytes are copied.
                let copy = unsafe { qjs::JS_NewArrayBufferCopy(ctx.raw(), bytes.as_ptr(), bytes.len() as _) };
                // SAFETY: the buffer is the caller's.
                Ok((unsafe { ctx.own(copy) }?, None))
            }
            _ => Err(self.refused(value)),
        }
    }

    /// Returns an error of the same built-in type, without its message.
    fn error(&self, error: &Value) -> Res<Value> {
        let name = error.get(c"name")?;
        let name = if name.is_string() { name.text()? } else { String::new() };
        let (raw, format) = (self.ctx.raw(), c"".as_ptr());
        // SAFETY: the context is valid; the format takes no argument.
        unsafe {
            self.ctx.own(match name.as_str() {
                "EvalError" => return self.eval_error(),
                "RangeError" => qjs::JS_NewRangeError(raw, format),
                "ReferenceError" => qjs::JS_NewReferenceError(raw, format),
                "SyntaxError" => qjs::JS_NewSyntaxError(raw, format),
                "TypeError" => qjs::JS_NewTypeError(raw, format),
                _ => qjs::JS_NewPlainError(raw, format),
            })
        }
    }

    fn eval_error(&self) -> Res<Value> {
        // The engine has no function that makes one.
        let class = self.ctx.global().get(c"EvalError")?;
        // SAFETY: context and value are valid.
        if unsafe { qjs::JS_IsConstructor(self.ctx.raw(), class.raw()) } {
            let error = class.construct(&[])?;
            if error.is_object() {
                return Ok(error);
            }
        }
        // SAFETY: the context is valid; the format takes no argument.
        unsafe { self.ctx.own(qjs::JS_NewPlainError(self.ctx.raw(), c"".as_ptr())) }
    }

    /// Copies an object's contents.
    fn fill(&mut self, source: &Value, target: &Value, kind: Kind) -> Res<()> {
        match kind {
            Kind::Object => {
                for key in source.own_keys(false)? {
                    // A getter of an earlier property may have deleted this one.
                    let value = source.get_key(&key)?;
                    target.define_key(&key, self.copy(&value)?, PLAIN)?;
                }
            }
            Kind::Map => {
                for (key, value) in entries(self.ctx, self.state, &self.intrinsics, source, true)? {
                    let (key, value) = (self.copy(&key)?, self.copy(&value)?);
                    self.intrinsics.map_set.call(target, &[&key, &value])?;
                }
            }
            Kind::Set => {
                for (value, _) in entries(self.ctx, self.state, &self.intrinsics, source, false)? {
                    let value = self.copy(&value)?;
                    self.intrinsics.set_add.call(target, &[&value])?;
                }
            }
            Kind::Error => {
                for name in [c"message", c"stack"] {
                    let text = source.get(name)?;
                    if !text.is_undefined() {
                        target.define(name, self.ctx.string(&text.text()?)?, HIDDEN)?;
                    }
                }
                let key = self.ctx.key(c"cause")?;
                if source.own_property(&key)?.is_some() {
                    let cause = source.get_key(&key)?;
                    target.define_key(&key, self.copy(&cause)?, HIDDEN)?;
                }
            }
        }
        Ok(())
    }
}
