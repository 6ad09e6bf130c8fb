//! From values of Python's to canonical memory.

use polyplug::engine::{CaseOf, Fault, RawText, Read};
use polyplug::schema::plan::{Body, MethodPlan};
use polyplug::types::LiftError;
use polyplug_abi::GuestContractInstance;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use super::converter::{Any, Values, describe, len, size};
use super::remote;
use crate::classes::Definition;
use crate::engine::PythonEngine;
use crate::exception;

// SAFETY: the bytes of text and bytes do not move or change while the object is there, which the value keeps.
unsafe impl<'py> Read for Values<'py, '_> {
    type Value = Any<'py>;
    type Items = Any<'py>;
    type Entries = (Any<'py>, usize);
    type Error = Fault;

    fn describe(&mut self, value: &Any<'py>) -> String {
        describe(value)
    }

    #[inline]
    fn release(&mut self, value: Any<'py>) {
        drop(value);
    }

    #[inline]
    fn is_none(&mut self, value: &Any<'py>) -> bool {
        value.is_none()
    }

    #[inline]
    fn is_unit(&mut self, value: &Any<'py>) -> bool {
        value.is_none()
    }

    fn bool(&mut self, value: &Any<'py>) -> Option<bool> {
        // SAFETY: an object.
        if unsafe { ffi::PyBool_Check(value.as_ptr()) } != 0 {
            // SAFETY: there is one object that is true.
            return Some(std::ptr::eq(value.as_ptr(), unsafe { ffi::Py_True() }));
        }
        // Those of arrays are types of their own.
        let name = value.get_type().fully_qualified_name().ok()?;
        let is_theirs = matches!(name.to_str().ok()?, "numpy.bool" | "numpy.bool_");
        if is_theirs { value.is_truthy().ok() } else { None }
    }

    #[inline]
    fn integer(&mut self, value: &Any<'py>) -> Option<i128> {
        // SAFETY: an object, and this thread is attached.
        unsafe {
            if ffi::PyLong_CheckExact(value.as_ptr()) == 0 {
                return self.other_integer(value);
            }
            let mut overflow = 0;
            let number = ffi::PyLong_AsLongLongAndOverflow(value.as_ptr(), &raw mut overflow);
            if overflow == 0 { Some(number.into()) } else { self.large(value) }
        }
    }

    #[inline]
    fn float(&mut self, value: &Any<'py>, _: bool) -> Option<f64> {
        // SAFETY: an object, and this thread is attached.
        unsafe {
            if ffi::PyFloat_CheckExact(value.as_ptr()) != 0 {
                return Some(ffi::PyFloat_AS_DOUBLE(value.as_ptr()));
            }
            let is_whole = ffi::PyBool_Check(value.as_ptr()) != 0 || ffi::PyUnicode_Check(value.as_ptr()) != 0;
            if is_whole {
                return None;
            }
            let number = ffi::PyFloat_AsDouble(value.as_ptr());
            if number == -1.0 && !ffi::PyErr_Occurred().is_null() {
                self.forget();
                return None;
            }
            Some(number)
        }
    }

    fn char(&mut self, value: &Any<'py>) -> Option<char> {
        let text = value.cast::<PyString>().ok()?.to_str().ok()?;
        let mut letters = text.chars();
        letters.next().filter(|_| letters.next().is_none())
    }

    #[inline]
    fn text(&mut self, value: &Any<'py>) -> Option<RawText> {
        // SAFETY: an object, and this thread is attached. The text is part of it.
        unsafe {
            if ffi::PyUnicode_Check(value.as_ptr()) == 0 {
                return None;
            }
            let mut count = 0;
            let start = ffi::PyUnicode_AsUTF8AndSize(value.as_ptr(), &raw mut count);
            if start.is_null() {
                self.forget(); // halves of letters, which are no text
                return None;
            }
            Some(RawText { ptr: start.cast(), len: len(count) })
        }
    }

    #[inline]
    fn bytes(&mut self, value: &Any<'py>) -> Option<RawText> {
        // SAFETY: an object, and this thread is attached.
        unsafe {
            if ffi::PyBytes_Check(value.as_ptr()) == 0 {
                return None;
            }
            let start = ffi::PyBytes_AS_STRING(value.as_ptr());
            Some(RawText { ptr: start.cast(), len: len(ffi::PyBytes_Size(value.as_ptr())) })
        }
    }

    fn some(&mut self, value: &Any<'py>, is_nested: bool) -> Option<Any<'py>> {
        if !is_nested {
            return Some(value.clone());
        }
        self.unwrapped(value, &self.interpreter.prelude.some, intern!(self.py, "value"))
    }

    fn list(&mut self, value: &Any<'py>) -> Result<Option<(Any<'py>, usize)>, Fault> {
        // What else has bytes comes as those.
        // SAFETY: an object, and this thread is attached.
        let has_bytes =
            unsafe { ffi::PyByteArray_Check(value.as_ptr()) != 0 || ffi::PyMemoryView_Check(value.as_ptr()) != 0 };
        if has_bytes {
            return self.listed(value).map(Some);
        }
        self.items(value)
    }

    fn tuple(&mut self, value: &Any<'py>) -> Result<Option<(Any<'py>, usize)>, Fault> {
        self.items(value)
    }

    #[inline]
    fn item(&mut self, items: &mut Any<'py>, index: usize) -> Result<Any<'py>, Fault> {
        let (whole, index) = (items.as_ptr(), size(index));
        // SAFETY: a list or a tuple, and this thread is attached; the place is there.
        unsafe {
            if ffi::PyList_Check(whole) == 0 {
                return Ok(Bound::from_borrowed_ptr(self.py, ffi::PyTuple_GET_ITEM(whole, index)));
            }
            #[cfg(Py_GIL_DISABLED)]
            {
                // Another thread may be changing it.
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

    fn map(&mut self, value: &Any<'py>) -> Result<Option<(Self::Entries, usize)>, Fault> {
        // SAFETY: an object, and this thread is attached.
        unsafe {
            let is_map = ffi::PyDict_Check(value.as_ptr()) != 0
                || (ffi::PyMapping_Check(value.as_ptr()) != 0
                    && value.hasattr(intern!(self.py, "items")).unwrap_or(false));
            if !is_map {
                return Ok(None);
            }
            // A list of their own: reading a value may run code that changes the map.
            let entries = self.owned(ffi::PyMapping_Items(value.as_ptr()))?;
            let count = len(ffi::PyList_GET_SIZE(entries.as_ptr()));
            Ok(Some(((entries, 0), count)))
        }
    }

    fn entry(&mut self, entries: &mut Self::Entries) -> Result<Option<(Any<'py>, Any<'py>)>, Fault> {
        let (list, next) = entries;
        // SAFETY: a list of ours, of pairs.
        unsafe {
            if *next >= len(ffi::PyList_GET_SIZE(list.as_ptr())) {
                return Ok(None);
            }
            let pair = ffi::PyList_GET_ITEM(list.as_ptr(), size(*next));
            *next += 1;
            if ffi::PyTuple_Check(pair) == 0 || ffi::PyTuple_GET_SIZE(pair) != 2 {
                return Err(LiftError::new("the map's items are no pairs").into());
            }
            let part = |index| Bound::from_borrowed_ptr(self.py, ffi::PyTuple_GET_ITEM(pair, index));
            Ok(Some((part(0), part(1))))
        }
    }

    fn has_fields(&mut self, value: &Any<'py>, body: &Body) -> bool {
        let fields = self.fields(body);
        if self.is_a(value, &fields.class) || value.is_instance_of::<PyDict>() {
            return true;
        }
        if fields.is_tuple && value.cast::<PyTuple>().is_ok_and(|tuple| tuple.len() == fields.keys.len()) {
            return true;
        }
        let is_class = value.is_instance_of::<PyType>();
        !is_class && value.hasattr(intern!(self.py, "__dataclass_fields__")).unwrap_or(false)
    }

    #[inline]
    fn field(&mut self, value: &Any<'py>, body: &Body, index: usize) -> Result<Option<Any<'py>>, Fault> {
        let fields = self.fields(body);
        let key = fields.keys[index].bind(self.py);
        if value.get_type().as_ptr() != fields.class.as_ptr() {
            if let Ok(map) = value.cast::<PyDict>() {
                return map.get_item(key).map_err(|raised| exception::to_fault(self.py, raised));
            }
            if fields.is_tuple
                && let Ok(tuple) = value.cast::<PyTuple>()
            {
                return Ok(tuple.get_item(index).ok());
            }
        }
        self.attribute(value, key)
    }

    fn unknown_field(&mut self, value: &Any<'py>, body: &Body) -> Option<String> {
        let map = value.cast::<PyDict>().ok()?;
        let keys = &self.fields(body).keys;
        let is_known = |key: &Any<'py>| keys.iter().any(|known| known.bind(self.py).as_any().eq(key).unwrap_or(false));
        let unknown = map.keys().iter().find(|key| !is_known(key))?;
        Some(unknown.str().map_or_else(|_| describe(&unknown), |text| text.to_string()))
    }

    fn enum_case(&mut self, value: &Any<'py>, definition: u32) -> Result<CaseOf<()>, Fault> {
        let Definition::Enum { class, members } = &self.of.definitions[definition as usize] else { unreachable!() };
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
        let Some(name) = name.and_then(|name| name.cast_into::<PyString>().ok()) else { return Ok(CaseOf::None) };
        let name = name.to_string_lossy().into_owned();
        Ok(match self.number_of(definition, &name) {
            Some(case) => CaseOf::Known(case, ()),
            None => CaseOf::Unknown(name),
        })
    }

    fn case(&mut self, value: &Any<'py>, definition: u32) -> Result<CaseOf<Any<'py>>, Fault> {
        let Definition::Variant { bodies, .. } = &self.of.definitions[definition as usize] else { unreachable!() };
        let class = value.get_type();
        for (number, body) in (0..).zip(&self.of.bodies[bodies.clone()]) {
            // A case without fields may come as its class.
            let is_class = body.keys.is_empty() && body.class.as_ptr() == value.as_ptr();
            if body.class.as_ptr() == class.as_ptr() || is_class {
                return Ok(CaseOf::Known(number, value.clone()));
            }
        }
        // A class that inherits from a case, or that of another version of the contract.
        let Some(name) = self.attribute(value, intern!(self.py, "_polyplug_case_"))? else { return Ok(CaseOf::None) };
        let Ok(name) = name.cast_into::<PyString>() else { return Ok(CaseOf::None) };
        let name = name.to_string_lossy().into_owned();
        Ok(match self.number_of(definition, &name) {
            Some(case) => CaseOf::Known(case, value.clone()),
            None => CaseOf::Unknown(name),
        })
    }

    fn result(&mut self, value: &Any<'py>) -> Option<(Any<'py>, bool)> {
        let prelude = &self.interpreter.prelude;
        if let Some(answer) = self.unwrapped(value, &prelude.ok, intern!(self.py, "value")) {
            return Some((answer, true));
        }
        self.unwrapped(value, &prelude.err, intern!(self.py, "error")).map(|error| (error, false))
    }

    fn object(&mut self, value: &Any<'py>, definition: u32, _: &[MethodPlan]) -> Result<GuestContractInstance, Fault> {
        if let Some(remote) = remote::of(value) {
            return remote.share();
        }
        let Definition::Object { methods } = &self.of.definitions[definition as usize] else { unreachable!() };
        let has = |name: &Py<PyString>| value.getattr(name.bind(self.py)).is_ok_and(|method| method.is_callable());
        let missing = methods.iter().find(|name| !has(name));
        // What can be called is an object with one method.
        let is_function = methods.len() == 1 && value.is_callable();
        if let Some(missing) = missing
            && !is_function
        {
            let expected = &self.of.contract.schema.definition(definition).name;
            let found = describe(value);
            let reason = format!("expected {expected}, got {found}, which has no method `{}`", missing.bind(self.py));
            return Err(LiftError::new(reason).into());
        }
        self.guest.offer::<PythonEngine>(value.clone().unbind(), &self.of.contract, definition)
    }
}

impl<'py> Values<'py, '_> {
    fn is_a(&self, value: &Any<'py>, class: &Py<PyType>) -> bool {
        value.get_type().as_ptr() == class.as_ptr() || value.is_instance(class.bind(self.py)).unwrap_or(false)
    }

    /// The value of an attribute; `None` if there is none.
    fn attribute(&self, value: &Any<'py>, name: &Bound<'py, PyString>) -> Result<Option<Any<'py>>, Fault> {
        // SAFETY: both are objects, and this thread is attached.
        let found = unsafe { ffi::PyObject_GetAttr(value.as_ptr(), name.as_ptr()) };
        // SAFETY: as in `owned`.
        if let Some(found) = unsafe { Bound::from_owned_ptr_or_opt(self.py, found) } {
            return Ok(Some(found));
        }
        // SAFETY: this thread is attached, and the class is one that stays.
        if unsafe { ffi::PyErr_ExceptionMatches(ffi::PyExc_AttributeError) } != 0 {
            self.forget();
            return Ok(None);
        }
        Err(self.raised())
    }

    fn number_of(&self, definition: u32, name: &str) -> Option<u32> {
        use polyplug::schema::Shape;
        let (Shape::Enum(cases) | Shape::Variant(cases)) = &self.of.contract.schema.definition(definition).shape else {
            return None;
        };
        let spelled = |case: &str| case == name || crate::classes::spelled(case) == name;
        cases.iter().position(|case| spelled(&case.name)).and_then(|number| u32::try_from(number).ok())
    }

    /// A list of its own with the items of what can be iterated over.
    fn listed(&self, value: &Any<'py>) -> Result<(Any<'py>, usize), Fault> {
        // SAFETY: an object, and this thread is attached.
        let list = self.owned(unsafe { ffi::PySequence_List(value.as_ptr()) })?;
        // SAFETY: a list.
        let count = len(unsafe { ffi::PyList_GET_SIZE(list.as_ptr()) });
        Ok((list, count))
    }

    /// A list or tuple of the items of whatever has items.
    fn items(&self, value: &Any<'py>) -> Result<Option<(Any<'py>, usize)>, Fault> {
        let object = value.as_ptr();
        // SAFETY: an object, and this thread is attached.
        unsafe {
            if ffi::PyList_Check(object) != 0 {
                return Ok(Some((value.clone(), len(ffi::PyList_GET_SIZE(object)))));
            }
            if ffi::PyTuple_Check(object) != 0 {
                return Ok(Some((value.clone(), len(ffi::PyTuple_GET_SIZE(object)))));
            }
            let is_whole = ffi::PyUnicode_Check(object) != 0
                || ffi::PyBytes_Check(object) != 0
                || ffi::PyByteArray_Check(object) != 0
                || ffi::PyDict_Check(object) != 0
                || ffi::PyType_Check(object) != 0;
            let has_items = (*ffi::Py_TYPE(object)).tp_iter.is_some() || ffi::PySequence_Check(object) != 0;
            if is_whole || !has_items {
                return Ok(None);
            }
            self.listed(value).map(Some)
        }
    }

    fn unwrapped(&self, value: &Any<'py>, class: &Py<PyAny>, name: &Bound<'py, PyString>) -> Option<Any<'py>> {
        if value.get_type().as_ptr() != class.as_ptr() {
            return None;
        }
        value.getattr(name).ok()
    }

    /// An integer that is none of Python's own: a number of an array, or whatever has `__index__`.
    #[cold]
    fn other_integer(&self, value: &Any<'py>) -> Option<i128> {
        // SAFETY: an object, and this thread is attached.
        unsafe {
            if ffi::PyBool_Check(value.as_ptr()) != 0 || ffi::PyIndex_Check(value.as_ptr()) == 0 {
                return None;
            }
            let Some(number) = Bound::from_owned_ptr_or_opt(self.py, ffi::PyNumber_Index(value.as_ptr())) else {
                self.forget();
                return None;
            };
            self.large(&number)
        }
    }

    /// An integer of any size that is not beyond all bounds.
    #[cold]
    fn large(&self, value: &Any<'py>) -> Option<i128> {
        value.extract::<i128>().ok()
    }
}
