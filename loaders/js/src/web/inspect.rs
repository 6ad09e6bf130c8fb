//! Descriptions of values for people, in the notation of JavaScript.
//!
//! A description runs no code of a bundle but getters of errors' texts: proxies show their target, accessors show as
//! such, and no function is looked up on a prototype.

use std::ffi::c_void;
use std::rc::Rc;

use rquickjs::qjs;

use super::bytes;
use super::intrinsics::Intrinsics;
use super::quote::{is_identifier, quoted, shortened};
use super::state::{State, function};
use super::url;
use super::value::{Ctx, Key, Own, Res, Value};

/// The levels of objects within objects that are shown unless a caller asks otherwise.
pub(super) const DEPTH: usize = 4;

/// The most levels that a caller can ask for, so that the native stack suffices.
const MOST_DEPTH: usize = 20;

/// The elements, properties or entries that are shown of each object.
const MOST_PARTS: usize = 100;

/// The values that are shown in all.
const MOST_VALUES: usize = 10_000;

/// The bytes that an object may take before the rest is left out.
const MOST_BYTES: usize = 1 << 20;

/// The bytes of a name, and of an error's message and stack.
const MOST_NAME: usize = 1000;
const MOST_MESSAGE: usize = 100_000;

/// The width that the parts of an object may have on one line.
const WIDTH: usize = 72;

/// Returns the description of a value. Strings are in quotation marks.
pub(super) fn inspect(ctx: Ctx<'_>, state: &Rc<State>, value: &Value, depth: usize) -> Res<String> {
    let mut inspector = Inspector {
        ctx,
        state,
        intrinsics: state.intrinsics(ctx)?,
        depth: depth.min(MOST_DEPTH),
        open: Vec::new(),
        left: MOST_VALUES,
        bytes: MOST_BYTES,
    };
    inspector.value(value)
}

/// Returns the text of a number; negative zero keeps its sign.
pub(super) fn number(value: &Value) -> Res<String> {
    let number = value.to_number()?;
    if number == 0.0 && number.is_sign_negative() { Ok("-0".to_owned()) } else { value.text() }
}

struct Inspector<'a> {
    ctx: Ctx<'a>,
    state: &'a Rc<State>,
    intrinsics: Rc<Intrinsics>,
    depth: usize,
    /// The objects that contain the value.
    open: Vec<*mut c_void>,
    left: usize,
    bytes: usize,
}

impl Inspector<'_> {
    fn value(&mut self, value: &Value) -> Res<String> {
        if value.is_string() {
            if self.bytes == 0 {
                return Ok("...".to_owned());
            }
            let text = quoted(&value.text()?);
            self.bytes = self.bytes.saturating_sub(text.len());
            return Ok(text);
        }
        if value.is_number() {
            return number(value);
        }
        if value.is_bigint() {
            return Ok(format!("{}n", value.text()?));
        }
        if value.is_symbol() {
            return self.symbol(value);
        }
        if !value.is_object() {
            return value.text();
        }
        self.object(value)
    }

    fn symbol(&self, symbol: &Value) -> Res<String> {
        let key = symbol.to_key()?;
        Ok(format!("Symbol({})", shortened(key.text()?, MOST_NAME)))
    }

    fn object(&mut self, value: &Value) -> Res<String> {
        let mut object = value.clone();
        // A proxy of a proxy may repeat; traps are not called.
        for _ in 0..16 {
            if !object.is_proxy() {
                break;
            }
            // SAFETY: context and proxy are valid.
            let target = unsafe { self.ctx.own(qjs::JS_GetProxyTarget(self.ctx.raw(), object.raw())) };
            match self.ctx.attempt(target)? {
                Some(target) if target.is_object() => object = target,
                _ => return Ok("<Revoked Proxy>".to_owned()),
            }
        }
        if object.is_proxy() {
            return Ok("[Proxy]".to_owned());
        }
        if self.open.contains(&object.address()) {
            return Ok("[Circular]".to_owned());
        }
        if self.left == 0 || self.bytes == 0 {
            return Ok("...".to_owned());
        }
        self.left -= 1;
        self.open.push(object.address());
        let described = self.described(&object);
        self.open.pop();
        if let Ok(text) = &described {
            // Parts of an object count again as those of the object, which only makes the limit smaller.
            self.bytes = self.bytes.saturating_sub(text.len() / 4);
        }
        described
    }

    /// Returns the name of the function that made an object, or `None` for objects without a prototype.
    fn constructor(&self, object: &Value) -> Res<Option<String>> {
        let mut at = object.clone();
        for level in 0..64 {
            let Some(prototype) = at.prototype()? else {
                return Ok((level > 0).then(String::new));
            };
            if prototype.is_proxy() {
                break;
            }
            if let Some(Own::Data(function)) = prototype.own_property(&self.ctx.key(c"constructor")?)?
                && let Some(name) = self.function_name(&function)?
                && !name.is_empty()
            {
                return Ok(Some(name));
            }
            at = prototype;
        }
        Ok(Some(String::new()))
    }

    fn function_name(&self, function: &Value) -> Res<Option<String>> {
        if !function.is_function() || function.is_proxy() {
            return Ok(None);
        }
        match function.own_property(&self.ctx.key(c"name")?)? {
            Some(Own::Data(name)) if name.is_string() => Ok(Some(shortened(name.text()?, MOST_NAME))),
            _ => Ok(Some(String::new())),
        }
    }

    fn described(&mut self, object: &Value) -> Res<String> {
        let class = object.class_name()?;
        let constructor = self.constructor(object)?;
        let name = match &constructor {
            None => format!("[{class}: null prototype]"),
            Some(name) if name.is_empty() => class.clone(),
            Some(name) => name.clone(),
        };
        let deep = self.open.len() > self.depth + 1;

        if object.is_function() {
            let of_function = self.function_name(object)?.unwrap_or_default();
            let kind = if self.is_class(object)? { "class" } else { "Function" };
            let base = match (kind, of_function.as_str()) {
                (_, "") => format!("[{kind} (anonymous)]"),
                ("class", of_function) => format!("[class {of_function}]"),
                (_, of_function) => format!("[Function: {of_function}]"),
            };
            return self.with_properties(base, object, deep, &[]);
        }
        // SAFETY: the value is valid.
        if unsafe { qjs::JS_IsError(object.raw()) } || class == "DOMException" {
            return self.error(object, &name, deep);
        }
        if let Some(text) = self.leaf(object, &class)? {
            return self.with_properties(text, object, deep, &[]);
        }
        if let Some(text) = self.url(object, &class)? {
            return Ok(text);
        }

        if deep {
            return Ok(if object.is_array() { "[Array]".to_owned() } else { format!("[{name}]") });
        }
        if object.is_array() {
            let length = object.length()?;
            let prefix = if name == "Array" { String::new() } else { format!("{name}({length}) ") };
            let mut parts = self.elements(object, length)?;
            if length <= 1000 {
                self.properties(object, &mut parts, &[], Some(length))?;
            }
            return Ok(laid_out(&prefix, '[', parts, ']'));
        }
        // SAFETY: the value is valid.
        if unsafe { qjs::JS_GetTypedArrayType(object.raw()) } >= 0 {
            let view = bytes::typed_array(object);
            let Some(Some(view)) = self.ctx.attempt(view)? else {
                return Ok(format!("{name}(0) []"));
            };
            let length = (view.length / view.element.max(1)) as u64;
            let parts = self.elements(object, length)?;
            return Ok(laid_out(&format!("{name}({length}) "), '[', parts, ']'));
        }
        let mut parts = Vec::new();
        let mut prefix = if name == "Object" { String::new() } else { format!("{name} ") };
        match class.as_str() {
            "Map" | "Set" => {
                let keyed = class == "Map";
                let (size, entries) = self.entries(object, keyed)?;
                prefix = format!("{name}({size}) ");
                parts = entries;
            }
            "ArrayBuffer" | "SharedArrayBuffer" => {
                let length = bytes::of_buffer(object)?.map_or(0, |bytes| bytes.len());
                parts.push(format!("byteLength: {length}"));
            }
            "DataView" => {
                if let Some(Some(view)) = self.ctx.attempt(bytes::data_view(object))? {
                    parts.push(format!("byteOffset: {}, byteLength: {}", view.offset, view.length));
                }
            }
            "Promise" => parts.push(self.promise(object)?),
            "WeakMap" | "WeakSet" => parts.push("<items unknown>".to_owned()),
            "Generator" => prefix = "Object [Generator] ".to_owned(),
            _ => {}
        }
        self.properties(object, &mut parts, &[], None)?;
        Ok(laid_out(&prefix, '{', parts, '}'))
    }

    /// Returns whether a function is a class: its property `prototype` cannot be written.
    fn is_class(&self, function: &Value) -> Res<bool> {
        // SAFETY: context and value are valid.
        if !unsafe { qjs::JS_IsConstructor(self.ctx.raw(), function.raw()) } {
            return Ok(false);
        }
        function.is_read_only(&self.ctx.key(c"prototype")?)
    }

    /// Returns the text of objects that stand for one value.
    fn leaf(&self, object: &Value, class: &str) -> Res<Option<String>> {
        if let Some(primitive) = self.ctx.attempt(self.intrinsics.unbox(class, object))?.flatten() {
            let text = if primitive.is_string() {
                quoted(&primitive.text()?)
            } else if primitive.is_symbol() {
                self.symbol(&primitive)?
            } else if primitive.is_bigint() {
                format!("{}n", primitive.text()?)
            } else if primitive.is_number() {
                number(&primitive)?
            } else {
                primitive.text()?
            };
            return Ok(Some(format!("[{class}: {text}]")));
        }
        let call = |function: &Value| self.ctx.attempt(function.call(object, &[]).and_then(|text| text.text()));
        match class {
            "Date" => Ok(Some(call(&self.intrinsics.date_to_iso)?.unwrap_or_else(|| "Invalid Date".to_owned()))),
            "RegExp" => Ok(Some(call(&self.intrinsics.regexp_to_string)?.unwrap_or_else(|| "[RegExp]".to_owned()))),
            _ => Ok(None),
        }
    }

    fn url(&self, object: &Value, class: &str) -> Res<Option<String>> {
        if class != "Object" {
            return Ok(None);
        }
        let Some(describe) = self.state.describe_url.borrow().clone() else { return Ok(None) };
        url::described(&describe.call(&self.ctx.undefined(), &[object])?)
    }

    fn promise(&mut self, promise: &Value) -> Res<String> {
        // SAFETY: context and promise are valid.
        let (state, result) = unsafe {
            let state = qjs::JS_PromiseState(self.ctx.raw(), promise.raw());
            (state, self.ctx.own(qjs::JS_PromiseResult(self.ctx.raw(), promise.raw()))?)
        };
        if state == qjs::JSPromiseStateEnum_JS_PROMISE_FULFILLED {
            self.value(&result)
        } else if state == qjs::JSPromiseStateEnum_JS_PROMISE_REJECTED {
            Ok(format!("<rejected> {}", self.value(&result)?))
        } else {
            Ok("<pending>".to_owned())
        }
    }

    fn elements(&mut self, array: &Value, length: u64) -> Res<Vec<String>> {
        let mut parts = Vec::new();
        let mut holes = 0u64;
        let flush = |parts: &mut Vec<String>, holes: &mut u64| {
            match *holes {
                0 => {}
                1 => parts.push("<1 empty item>".to_owned()),
                count => parts.push(format!("<{count} empty items>")),
            }
            *holes = 0;
        };
        let shown = length.min(MOST_PARTS as u64);
        for at in 0..shown {
            match self.own(array, &self.ctx.index(at as u32)?)? {
                None => holes += 1,
                Some(text) => {
                    flush(&mut parts, &mut holes);
                    parts.push(text);
                }
            }
        }
        flush(&mut parts, &mut holes);
        match length - shown {
            0 => {}
            1 => parts.push("... 1 more item".to_owned()),
            more => parts.push(format!("... {more} more items")),
        }
        Ok(parts)
    }

    /// Returns the number of entries of a map or set, and the description of the first ones.
    fn entries(&mut self, object: &Value, keyed: bool) -> Res<(usize, Vec<String>)> {
        let entries = entries(self.ctx, self.state, &self.intrinsics, object, keyed)?;
        let mut parts = Vec::new();
        for (key, value) in entries.iter().take(MOST_PARTS) {
            let value = self.value(value)?;
            parts.push(if keyed { format!("{} => {value}", self.value(key)?) } else { value });
        }
        if entries.len() > MOST_PARTS {
            parts.push(format!("... {} more items", entries.len() - MOST_PARTS));
        }
        Ok((entries.len(), parts))
    }

    /// Returns the description of a property's value, or `None` if there is no such property.
    fn own(&mut self, object: &Value, key: &Key<'_>) -> Res<Option<String>> {
        let Some(property) = self.ctx.attempt(object.own_property(key))? else {
            return Ok(Some("<uninitialized>".to_owned()));
        };
        Ok(match property {
            None => None,
            Some(Own::Data(value)) => Some(self.value(&value)?),
            Some(Own::Accessor { get: true, set: true }) => Some("[Getter/Setter]".to_owned()),
            Some(Own::Accessor { get: true, set: false }) => Some("[Getter]".to_owned()),
            Some(Own::Accessor { get: false, .. }) => Some("[Setter]".to_owned()),
        })
    }

    /// Adds the descriptions of an object's own enumerable properties, but for the elements of an array.
    fn properties(
        &mut self,
        object: &Value,
        parts: &mut Vec<String>,
        except: &[&str],
        elements: Option<u64>,
    ) -> Res<()> {
        let mut shown = 0;
        for key in object.own_keys(true)? {
            let name = key.value()?;
            let text = key.text()?;
            let symbol = name.is_symbol();
            if !symbol && except.contains(&text.as_str()) {
                continue;
            }
            if elements.is_some_and(|length| !symbol && text.parse::<u64>().is_ok_and(|index| index < length)) {
                continue;
            }
            if shown == MOST_PARTS || self.left == 0 || self.bytes == 0 {
                parts.push("... more properties".to_owned());
                break;
            }
            shown += 1;
            let Some(value) = self.own(object, &key)? else { continue };
            let label = if symbol {
                format!("[Symbol({})]", shortened(text, MOST_NAME))
            } else if is_identifier(&text) {
                shortened(text, MOST_NAME)
            } else {
                quoted(&shortened(text, MOST_NAME))
            };
            parts.push(format!("{label}: {value}"));
        }
        Ok(())
    }

    /// Returns a text, followed by the object's own properties if there are any.
    fn with_properties(&mut self, text: String, object: &Value, deep: bool, except: &[&str]) -> Res<String> {
        let elements = text.starts_with("[String:").then_some(u64::MAX);
        let mut parts = Vec::new();
        if !deep {
            self.properties(object, &mut parts, except, elements)?;
        }
        if parts.is_empty() { Ok(text) } else { Ok(laid_out(&format!("{text} "), '{', parts, '}')) }
    }

    /// Returns an error's name, message and stack, with its own properties and its cause.
    fn error(&mut self, error: &Value, constructor: &str, deep: bool) -> Res<String> {
        let text = |name| -> Res<String> {
            let text = error
                .get(name)
                .and_then(|text| if text.is_undefined() || text.is_object() { Ok(String::new()) } else { text.text() });
            Ok(shortened(self.ctx.attempt(text)?.unwrap_or_default(), MOST_MESSAGE))
        };
        let (name, message, stack) = (text(c"name")?, text(c"message")?, text(c"stack")?);
        // A class that extends Error without a name of its own is known by the class's name.
        let name = if (name.is_empty() || name == "Error") && !constructor.is_empty() && !constructor.starts_with('[') {
            constructor.to_owned()
        } else {
            name
        };
        let mut base = match (name.as_str(), message.as_str()) {
            ("", message) => message.to_owned(),
            (name, "") => name.to_owned(),
            (name, message) => format!("{name}: {message}"),
        };
        let stack = stack.trim_end();
        if stack.is_empty() {
            base = format!("[{base}]");
        } else {
            base.push('\n');
            base.push_str(stack);
        }
        let mut parts = Vec::new();
        if !deep {
            self.properties(error, &mut parts, &["name", "message", "stack"], None)?;
            for (label, key) in [("cause", c"cause"), ("errors", c"errors")] {
                // Both are not enumerable if the constructor has made them.
                let listed = format!("{label}: ");
                if !parts.iter().any(|part| part.starts_with(&listed))
                    && let Some(text) = self.own(error, &self.ctx.key(key)?)?
                {
                    parts.push(format!("[{label}]: {text}"));
                }
            }
        }
        if parts.is_empty() { Ok(base) } else { Ok(laid_out(&format!("{base} "), '{', parts, '}')) }
    }
}

/// Returns the entries of a map or of a set, whose keys are the values.
pub(super) fn entries(
    ctx: Ctx<'_>,
    state: &Rc<State>,
    intrinsics: &Intrinsics,
    object: &Value,
    keyed: bool,
) -> Res<Vec<(Value, Value)>> {
    let list = ctx.array()?;
    // `forEach` calls the function with the list as `this`.
    let collect = function(ctx, state, c"", 2, 0, |call| {
        let list = call.this();
        let at = list.length()? as u32;
        list.define_index(at, call.arg(1))?;
        list.define_index(at + 1, call.arg(0))?;
        call.undefined()
    })?;
    let each = if keyed { &intrinsics.map_for_each } else { &intrinsics.set_for_each };
    each.call(object, &[&collect, &list])?;
    let mut entries = Vec::new();
    for at in (0..list.length()? as u32).step_by(2) {
        entries.push((list.get_index(at)?, list.get_index(at + 1)?));
    }
    Ok(entries)
}

/// Puts the parts of an object on one line if they fit, otherwise on a line each.
fn laid_out(prefix: &str, open: char, parts: Vec<String>, close: char) -> String {
    if parts.is_empty() {
        return format!("{prefix}{open}{close}");
    }
    let width: usize = parts.iter().map(|part| part.len() + 2).sum();
    if width + prefix.len() <= WIDTH && !parts.iter().any(|part| part.contains('\n')) && !prefix.contains('\n') {
        return format!("{prefix}{open} {} {close}", parts.join(", "));
    }
    let mut text = format!("{prefix}{open}\n");
    // Short elements of arrays share lines.
    let short = open == '[' && parts.len() > 6 && parts.iter().all(|part| part.len() <= 16 && !part.contains('\n'));
    if short {
        let mut line = String::new();
        for (at, part) in parts.iter().enumerate() {
            if !line.is_empty() && line.len() + part.len() + 2 > WIDTH {
                text.push_str(&format!("  {}\n", line.trim_end()));
                line.clear();
            }
            line.push_str(part);
            line.push_str(if at + 1 < parts.len() { ", " } else { "" });
        }
        text.push_str(&format!("  {line}\n"));
    } else {
        for (at, part) in parts.iter().enumerate() {
            let comma = if at + 1 < parts.len() { "," } else { "" };
            text.push_str(&format!("  {}{comma}\n", part.replace('\n', "\n  ")));
        }
    }
    text.push(close);
    text
}
