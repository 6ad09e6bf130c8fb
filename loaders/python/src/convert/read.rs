//! Reading of Python values into canonical memory.

use polyplug::engine::{CaseOf, Fault, RawText, Read};
use polyplug::schema::Shape;
use polyplug::schema::plan::{Body, MethodPlan};
use polyplug::types::LiftError;
use polyplug_abi::GuestContractInstance;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::converter::{ValueConverter, to_len, to_size};
use super::describe::describe_value;
use super::remote_object::as_remote;
use crate::bundle::PythonEngine;
use crate::names::python_name;
use crate::time_limit;

type Value<'py> = Bound<'py, PyAny>;

// All of this file calls CPython with objects that `Bound` keeps, on a thread that `self.py` proves to be attached. The
// `SAFETY` comments call this "the converter's invariant".

// SAFETY: `text` and `bytes` return memory of immutable objects. CPython neither moves nor changes it while the object
// is there, which the value that the marshaller holds guarantees.
unsafe impl<'py> Read for ValueConverter<'py, '_> {
    type Value = Value<'py>;
    type Items = Value<'py>;
    /// A list of pairs, and the index of the next one.
    type Entries = (Value<'py>, usize);
    type Error = Fault;

    fn proceed(&mut self) -> Result<(), Fault> {
        time_limit::proceed()
    }

    fn describe(&mut self, value: &Value<'py>) -> String {
        describe_value(value)
    }

    #[inline]
    fn release(&mut self, value: Value<'py>) {
        drop(value);
    }

    #[inline]
    fn is_none(&mut self, value: &Value<'py>) -> bool {
        value.is_none()
    }

    #[inline]
    fn is_unit(&mut self, value: &Value<'py>) -> bool {
        value.is_none()
    }

    fn bool(&mut self, value: &Value<'py>) -> Option<bool> {
        // SAFETY: the converter's invariant.
        if unsafe { ffi::PyBool_Check(value.as_ptr()) } != 0 {
            // SAFETY: `Py_True` returns the address of the one object that is true.
            return Some(std::ptr::eq(value.as_ptr(), unsafe { ffi::Py_True() }));
        }
        // numpy has types of its own for the items of arrays.
        let name = value.get_type().fully_qualified_name().ok()?;
        let is_numpy = matches!(name.to_str().ok()?, "numpy.bool" | "numpy.bool_");
        if is_numpy { value.is_truthy().ok() } else { None }
    }

    #[inline]
    fn integer(&mut self, value: &Value<'py>) -> Option<i128> {
        // SAFETY: the converter's invariant; the object is an `int`.
        unsafe {
            if ffi::PyLong_CheckExact(value.as_ptr()) == 0 {
                return self.index_integer(value);
            }
            let mut overflow = 0;
            let number = ffi::PyLong_AsLongLongAndOverflow(value.as_ptr(), &raw mut overflow);
            if overflow == 0 { Some(number.into()) } else { self.large_integer(value) }
        }
    }

    #[inline]
    fn float(&mut self, value: &Value<'py>, _: bool) -> Option<f64> {
        // SAFETY: the converter's invariant; `PyFloat_AS_DOUBLE` gets a `float`.
        unsafe {
            if ffi::PyFloat_CheckExact(value.as_ptr()) != 0 {
                return Some(ffi::PyFloat_AS_DOUBLE(value.as_ptr()));
            }
            let is_refused = ffi::PyBool_Check(value.as_ptr()) != 0 || ffi::PyUnicode_Check(value.as_ptr()) != 0;
            if is_refused {
                return None;
            }
            let number = ffi::PyFloat_AsDouble(value.as_ptr());
            if number == -1.0 && !ffi::PyErr_Occurred().is_null() {
                self.clear_exception();
                return None;
            }
            Some(number)
        }
    }

    fn char(&mut self, value: &Value<'py>) -> Option<char> {
        let text = value.cast::<PyString>().ok()?.to_str().ok()?;
        let mut chars = text.chars();
        chars.next().filter(|_| chars.next().is_none())
    }

    #[inline]
    fn text(&mut self, value: &Value<'py>) -> Option<RawText> {
        // SAFETY: the converter's invariant; the object is a `str`, which owns the UTF-8 text that the function
        // returns.
        unsafe {
            if ffi::PyUnicode_Check(value.as_ptr()) == 0 {
                return None;
            }
            let mut count = 0;
            let start = ffi::PyUnicode_AsUTF8AndSize(value.as_ptr(), &raw mut count);
            if start.is_null() {
                self.clear_exception(); // the text has lone surrogates, which UTF-8 cannot express
                return None;
            }
            Some(RawText { ptr: start.cast(), len: to_len(count) })
        }
    }

    #[inline]
    fn bytes(&mut self, value: &Value<'py>) -> Option<RawText> {
        // SAFETY: the converter's invariant; the object is a `bytes`, which owns the memory that the function returns.
        unsafe {
            if ffi::PyBytes_Check(value.as_ptr()) == 0 {
                return None;
            }
            let start = ffi::PyBytes_AS_STRING(value.as_ptr());
            Some(RawText { ptr: start.cast(), len: to_len(ffi::PyBytes_Size(value.as_ptr())) })
        }
    }

    fn some(&mut self, value: &Value<'py>, is_nested: bool) -> Option<Value<'py>> {
        if !is_nested {
            return Some(value.clone());
        }
        self.unwrapped(value, &self.interpreter.prelude.some, intern!(self.py, "value"))
    }

    fn list(&mut self, value: &Value<'py>) -> Result<Option<(Value<'py>, usize)>, Fault> {
        // SAFETY: the converter's invariant.
        let is_buffer =
            unsafe { ffi::PyByteArray_Check(value.as_ptr()) != 0 || ffi::PyMemoryView_Check(value.as_ptr()) != 0 };
        if is_buffer {
            return self.collected(value).map(Some);
        }
        self.items(value)
    }

    fn tuple(&mut self, value: &Value<'py>) -> Result<Option<(Value<'py>, usize)>, Fault> {
        self.items(value)
    }

    #[inline]
    fn item(&mut self, items: &mut Value<'py>, index: usize) -> Result<Value<'py>, Fault> {
        let (whole, index) = (items.as_ptr(), to_size(index));
        // SAFETY: the converter's invariant. `items` is a list or a tuple that `list` or `tuple` returned. `index` is
        // below the length that came with it, which a tuple keeps; that of a list is checked here.
        unsafe {
            if ffi::PyList_Check(whole) == 0 {
                return Ok(Bound::from_borrowed_ptr(self.py, ffi::PyTuple_GET_ITEM(whole, index)));
            }
            #[cfg(Py_GIL_DISABLED)]
            {
                // The function locks the list, which another thread may be changing.
                self.owned(ffi::PyList_GetItemRef(whole, index))
            }
            #[cfg(not(Py_GIL_DISABLED))]
            {
                if index >= ffi::PyList_GET_SIZE(whole) {
                    return Err(LiftError::new("the list shrank while it was read").into());
                }
                Ok(Bound::from_borrowed_ptr(self.py, ffi::PyList_GET_ITEM(whole, index)))
            }
        }
    }

    fn map(&mut self, value: &Value<'py>) -> Result<Option<(Self::Entries, usize)>, Fault> {
        // SAFETY: the converter's invariant. `PyMapping_Items` returns a new reference to a list, or null with an
        // exception.
        unsafe {
            let is_map = ffi::PyDict_Check(value.as_ptr()) != 0
                || (ffi::PyMapping_Check(value.as_ptr()) != 0
                    && value.hasattr(intern!(self.py, "items")).unwrap_or(false));
            if !is_map {
                return Ok(None);
            }
            // A copy of the entries: reading a value may run code that changes the map.
            let entries = self.owned(ffi::PyMapping_Items(value.as_ptr()))?;
            let count = to_len(ffi::PyList_GET_SIZE(entries.as_ptr()));
            Ok(Some(((entries, 0), count)))
        }
    }

    fn entry(&mut self, entries: &mut Self::Entries) -> Result<Option<(Value<'py>, Value<'py>)>, Fault> {
        let (list, next) = entries;
        // SAFETY: the converter's invariant. `list` is the list that `map` made, which no other code has. The item is
        // checked to be a tuple of two before its parts are read.
        unsafe {
            if *next >= to_len(ffi::PyList_GET_SIZE(list.as_ptr())) {
                return Ok(None);
            }
            let pair = ffi::PyList_GET_ITEM(list.as_ptr(), to_size(*next));
            *next += 1;
            if ffi::PyTuple_Check(pair) == 0 || ffi::PyTuple_GET_SIZE(pair) != 2 {
                return Err(LiftError::new("the map's items are no pairs").into());
            }
            let part = |index| Bound::from_borrowed_ptr(self.py, ffi::PyTuple_GET_ITEM(pair, index));
            Ok(Some((part(0), part(1))))
        }
    }

    fn has_fields(&mut self, value: &Value<'py>, body: &Body) -> bool {
        self.may_be_record(value, body)
    }

    fn forms_of_record(&mut self, body: &Body) -> Option<String> {
        Some(self.record_forms(body))
    }

    #[inline]
    fn field(&mut self, value: &Value<'py>, body: &Body, index: usize) -> Result<Option<Value<'py>>, Fault> {
        self.field_of(value, body, index)
    }

    fn unknown_field(&mut self, value: &Value<'py>, body: &Body) -> Option<String> {
        self.unknown_key(value, body)
    }

    fn enum_case(&mut self, value: &Value<'py>, definition: u32) -> Result<CaseOf<()>, Fault> {
        let (class, members) = self.classes.enum_members(definition);
        let name = if value.get_type().as_ptr() == class.as_ptr() {
            if let Some(case) = members.iter().position(|member| member.as_ptr() == value.as_ptr()) {
                return Ok(CaseOf::Known(u32::try_from(case).unwrap_or(u32::MAX), ()));
            }
            return Ok(CaseOf::None);
        } else if value.is_instance(self.interpreter.prelude.enum_class.bind(self.py)).unwrap_or(false) {
            self.attribute(value, intern!(self.py, "_name_"))?
        } else {
            Some(value.clone())
        };
        Ok(self.case_named(name, definition, ()))
    }

    fn case(&mut self, value: &Value<'py>, definition: u32) -> Result<CaseOf<Value<'py>>, Fault> {
        let class = value.get_type();
        for (number, body) in (0..).zip(self.classes.case_bodies(definition)) {
            // A case without fields may be given as its class.
            let is_class = body.keys.is_empty() && body.class.as_ptr() == value.as_ptr();
            if body.class.as_ptr() == class.as_ptr() || is_class {
                return Ok(CaseOf::Known(number, value.clone()));
            }
        }
        // The class may inherit from a case, or be that of another version of the contract.
        let name = self.attribute(value, intern!(self.py, "_polyplug_case_"))?;
        Ok(self.case_named(name, definition, value.clone()))
    }

    fn result(&mut self, value: &Value<'py>) -> Option<(Value<'py>, bool)> {
        let prelude = &self.interpreter.prelude;
        if let Some(value) = self.unwrapped(value, &prelude.ok, intern!(self.py, "value")) {
            return Some((value, true));
        }
        self.unwrapped(value, &prelude.err, intern!(self.py, "error")).map(|error| (error, false))
    }

    fn object(
        &mut self,
        value: &Value<'py>,
        definition: u32,
        _: &[MethodPlan],
    ) -> Result<GuestContractInstance, Fault> {
        if let Some(remote) = as_remote(value) {
            return remote.share();
        }
        let methods = self.classes.object_methods(definition);
        let has = |name: &Py<PyString>| value.getattr(name.bind(self.py)).is_ok_and(|method| method.is_callable());
        let missing = methods.iter().find(|name| !has(name));
        // A callable stands for an object with one method.
        let is_function = methods.len() == 1 && value.is_callable();
        if let Some(missing) = missing
            && !is_function
        {
            let expected = &self.classes.contract.schema.definition(definition).name;
            let found = describe_value(value);
            let reason = format!("expected {expected}, got {found}, which has no method `{}`", missing.bind(self.py));
            return Err(LiftError::new(reason).into());
        }
        self.guest.offer::<PythonEngine>(value.clone().unbind(), &self.classes.contract, definition)
    }
}

impl<'py> ValueConverter<'py, '_> {
    /// Returns the case of a definition whose name is `name`, with `value` for its fields.
    fn case_named<T>(&self, name: Option<Value<'py>>, definition: u32, value: T) -> CaseOf<T> {
        let Some(name) = name.and_then(|name| name.cast_into::<PyString>().ok()) else { return CaseOf::None };
        let name = name.to_string_lossy().into_owned();
        match self.case_number(definition, &name) {
            Some(case) => CaseOf::Known(case, value),
            None => CaseOf::Unknown(name),
        }
    }

    fn case_number(&self, definition: u32, name: &str) -> Option<u32> {
        let schema = &self.classes.contract.schema;
        let (Shape::Enum(cases) | Shape::Variant(cases)) = &schema.definition(definition).shape else {
            return None;
        };
        let is_named = |case: &str| case == name || python_name(case) == name;
        cases.iter().position(|case| is_named(&case.name)).and_then(|number| u32::try_from(number).ok())
    }

    /// Returns a new list with the items of an iterable, and its length. An iterable in C may have no end, and runs no code of
    /// Python that a limit could interrupt.
    fn collected(&self, value: &Value<'py>) -> Result<(Value<'py>, usize), Fault> {
        /// The number of items between two looks at the limit.
        const STEP: usize = 1024;
        // SAFETY: the converter's invariant. Each function returns a new reference, or null with an exception; the next item
        // may also be null without one, at the end. A list takes a reference of its own to what is appended.
        unsafe {
            let items = self.owned(ffi::PyObject_GetIter(value.as_ptr()))?;
            let list = self.owned(ffi::PyList_New(0))?;
            let mut count = 0;
            loop {
                let item = ffi::PyIter_Next(items.as_ptr());
                if item.is_null() && ffi::PyErr_Occurred().is_null() {
                    return Ok((list, count));
                }
                let item = self.owned(item)?;
                if ffi::PyList_Append(list.as_ptr(), item.as_ptr()) != 0 {
                    self.owned(std::ptr::null_mut())?;
                }
                count += 1;
                if count % STEP == 0 {
                    time_limit::proceed()?;
                }
            }
        }
    }

    /// Returns a list or tuple of the items of a value, and its length; `None` if the value has no items, or is of a
    /// type that does not stand for a list although it has some.
    fn items(&self, value: &Value<'py>) -> Result<Option<(Value<'py>, usize)>, Fault> {
        let object = value.as_ptr();
        // SAFETY: the converter's invariant. The sizes are asked of a list or a tuple.
        unsafe {
            if ffi::PyList_Check(object) != 0 {
                return Ok(Some((value.clone(), to_len(ffi::PyList_GET_SIZE(object)))));
            }
            if ffi::PyTuple_Check(object) != 0 {
                return Ok(Some((value.clone(), to_len(ffi::PyTuple_GET_SIZE(object)))));
            }
            let is_refused = ffi::PyUnicode_Check(object) != 0
                || ffi::PyBytes_Check(object) != 0
                || ffi::PyByteArray_Check(object) != 0
                || ffi::PyDict_Check(object) != 0
                || ffi::PyType_Check(object) != 0;
            let has_items = (*ffi::Py_TYPE(object)).tp_iter.is_some() || ffi::PySequence_Check(object) != 0;
            if is_refused || !has_items {
                return Ok(None);
            }
            self.collected(value).map(Some)
        }
    }

    /// Returns the attribute of a value of exactly this class; `None` for other values.
    fn unwrapped(&self, value: &Value<'py>, class: &Py<PyAny>, name: &Bound<'py, PyString>) -> Option<Value<'py>> {
        if value.get_type().as_ptr() != class.as_ptr() {
            return None;
        }
        value.getattr(name).ok()
    }

    /// Returns an integer that is not a plain `int`: a subclass, or an object with `__index__`, such as numpy's
    /// numbers.
    #[cold]
    fn index_integer(&self, value: &Value<'py>) -> Option<i128> {
        // SAFETY: the converter's invariant. `PyNumber_Index` returns a new reference, or null with an exception.
        unsafe {
            if ffi::PyBool_Check(value.as_ptr()) != 0 || ffi::PyIndex_Check(value.as_ptr()) == 0 {
                return None;
            }
            let Some(number) = Bound::from_owned_ptr_or_opt(self.py, ffi::PyNumber_Index(value.as_ptr())) else {
                self.clear_exception();
                return None;
            };
            self.large_integer(&number)
        }
    }

    /// Returns an `int` of any size; `None` if it does not fit into 128 bits.
    #[cold]
    fn large_integer(&self, value: &Value<'py>) -> Option<i128> {
        value.extract::<i128>().ok()
    }
}
