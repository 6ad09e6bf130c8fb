//! The names and functions that the loader itself uses in a VM.

use rquickjs::qjs;

use crate::builtin::Builtin;
use crate::js::{Atom, Js, Pending, Value};

/// The names of properties that the loader uses.
pub(crate) struct Names {
    pub(crate) tag: Atom,
    pub(crate) val: Atom,
    pub(crate) value: Atom,
    /// The property by which an error holds a value of the host, which no code of a guest can name.
    pub(crate) held: Atom,
}

impl Names {
    pub(crate) fn new(js: Js) -> Result<Self, Pending> {
        Ok(Self {
            tag: js.atom("tag")?,
            val: js.atom("val")?,
            value: js.atom("value")?,
            held: js.symbol(c"polyplug.held")?,
        })
    }
}

/// The functions and classes that the loader calls.
pub(crate) struct Helpers {
    /// The exports of the module `polyplug`.
    pub(crate) exports: Value,
    /// The object `context`.
    pub(crate) context: Value,
    /// Makes the error of a call that failed.
    pub(crate) call_error: Value,
    /// Makes a declared error.
    pub(crate) declared: Value,
    /// Returns whether a value is a declared error.
    pub(crate) is_declared: Value,
    /// Returns the items of an iterable object as an array, or `undefined`.
    pub(crate) items: Value,
    /// Returns the keys and values of a `Map` as an array.
    pub(crate) map_pairs: Value,
    /// Returns the names and values of an object's properties as an array.
    pub(crate) object_pairs: Value,
    /// The class `Map`.
    pub(crate) map: Value,
    /// `Map.prototype.set`.
    pub(crate) map_set: Value,
    /// The class of objects without a class of their own.
    pub(crate) plain_class: qjs::JSClassID,
}

/// The program that makes the module `polyplug`.
static PROGRAM: Builtin = Builtin::new(c"<polyplug>", {
    match std::ffi::CStr::from_bytes_with_nul(concat!(include_str!("polyplug.js"), "\0").as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("a text without a null"),
    }
});

impl Helpers {
    /// Runs the program that makes the module `polyplug` of the loader's native functions.
    ///
    /// # Errors
    ///
    /// There is no memory.
    pub(crate) fn new(js: Js, native: &Value) -> Result<Self, Pending> {
        // SAFETY: the invariant of `Js`.
        let make = unsafe { js.own(PROGRAM.run(js.context())) }?;
        let made = js.call(&make, &js.undefined(), &[native.raw()])?;
        let exports = js.get_named(&made, c"exports")?;
        Ok(Self {
            context: js.get_named(&exports, c"context")?,
            exports,
            call_error: js.get_named(&made, c"callError")?,
            declared: js.get_named(&made, c"declared")?,
            is_declared: js.get_named(&made, c"isDeclared")?,
            items: js.get_named(&made, c"items")?,
            map_pairs: js.get_named(&made, c"mapPairs")?,
            object_pairs: js.get_named(&made, c"objectPairs")?,
            map: js.get_named(&made, c"map")?,
            map_set: js.get_named(&made, c"mapSet")?,
            plain_class: made.class(),
        })
    }
}
