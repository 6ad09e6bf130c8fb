//! Building of Python values from canonical memory.

use polyplug::engine::{Build, Fault, Float, Integer};
use polyplug::schema::plan::{Body, MethodPlan};
use polyplug::types::utf8;
use polyplug_abi::GuestContractInstance;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::converter::{ValueConverter, to_size};
use super::remote_class::wrap_remote;
use crate::exception;

/// The length up to which memory for a list is reserved at once. The length of a longer list is not yet proved by as
/// many items, so the list grows with them.
const MAX_RESERVED: usize = 1 << 16;

type Value<'py> = Bound<'py, PyAny>;

impl<'py> ValueConverter<'py, '_> {
    /// Returns the reason why CPython made no `str` of these bytes: they are not UTF-8, or memory is short.
    #[cold]
    fn text_fault(&self, bytes: &[u8]) -> Fault {
        let raised = self.raised();
        match utf8(bytes) {
            Ok(_) => raised,
            Err(error) => error.into(),
        }
    }

    fn none_value(&self) -> Value<'py> {
        self.py.None().into_bound(self.py)
    }

    /// Calls a class of the prelude with a value.
    fn wrap(&self, class: &Py<PyAny>, value: Value<'py>) -> Result<Value<'py>, Fault> {
        class.bind(self.py).call1((value,)).map_err(|raised| exception::to_fault(self.py, raised))
    }
}

impl<'py> Build for ValueConverter<'py, '_> {
    type Value = Value<'py>;
    type Error = Fault;

    fn unit(&mut self) -> Result<Value<'py>, Fault> {
        Ok(self.none_value())
    }

    fn bool(&mut self, value: bool) -> Result<Value<'py>, Fault> {
        Ok(pyo3::types::PyBool::new(self.py, value).to_owned().into_any())
    }

    #[inline]
    fn integer(&mut self, value: Integer) -> Result<Value<'py>, Fault> {
        // SAFETY: `self.py` proves that this thread is attached. Both functions return a new reference, or null with an
        // exception.
        unsafe {
            self.owned(match value {
                Integer::U64(number) => ffi::PyLong_FromUnsignedLongLong(number),
                other => ffi::PyLong_FromLongLong(other.to_i64().unwrap_or_default()),
            })
        }
    }

    #[inline]
    fn float(&mut self, value: Float) -> Result<Value<'py>, Fault> {
        // SAFETY: `self.py` proves that this thread is attached. The function returns a new reference, or null with an
        // exception.
        unsafe { self.owned(ffi::PyFloat_FromDouble(value.to_f64())) }
    }

    fn char(&mut self, value: char) -> Result<Value<'py>, Fault> {
        Build::text(self, value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn text(&mut self, value: &str) -> Result<Value<'py>, Fault> {
        self.unchecked_text(value.as_bytes())
    }

    #[inline]
    fn unchecked_text(&mut self, value: &[u8]) -> Result<Value<'py>, Fault> {
        // SAFETY: `self.py` proves that this thread is attached, and the bytes are readable. The function checks that
        // they are UTF-8, and returns a new reference, or null with an exception.
        let made = unsafe {
            let text = ffi::PyUnicode_FromStringAndSize(value.as_ptr().cast(), to_size(value.len()));
            Bound::from_owned_ptr_or_opt(self.py, text)
        };
        made.ok_or_else(|| self.text_fault(value))
    }

    #[inline]
    fn bytes(&mut self, value: &[u8]) -> Result<Value<'py>, Fault> {
        // SAFETY: `self.py` proves that this thread is attached, and the bytes are readable. The function returns a new
        // reference, or null with an exception.
        unsafe { self.owned(ffi::PyBytes_FromStringAndSize(value.as_ptr().cast(), to_size(value.len()))) }
    }

    fn none(&mut self, _: bool) -> Result<Value<'py>, Fault> {
        Ok(self.none_value())
    }

    fn some(&mut self, value: Value<'py>, is_nested: bool) -> Result<Value<'py>, Fault> {
        if is_nested { self.wrap(&self.interpreter.prelude.some, value) } else { Ok(value) }
    }

    fn list(&mut self, len: usize) -> Result<Value<'py>, Fault> {
        // SAFETY: `self.py` proves that this thread is attached. The function returns a new reference, or null with an
        // exception. No Python code sees the list before all of its places are filled.
        unsafe { self.owned(ffi::PyList_New(if len <= MAX_RESERVED { to_size(len) } else { 0 })) }
    }

    #[inline]
    fn put_item(&mut self, list: &mut Value<'py>, index: usize, item: Value<'py>) -> Result<(), Fault> {
        let (whole, index) = (list.as_ptr(), to_size(index));
        // SAFETY: the marshaller passes on the list or tuple that `list` or `tuple` made, with each index below its
        // length once, so the place is there and empty.
        unsafe {
            if ffi::PyList_CheckExact(whole) == 0 {
                ffi::PyTuple_SET_ITEM(whole, index, item.into_ptr());
            } else if index < ffi::PyList_GET_SIZE(whole) {
                ffi::PyList_SET_ITEM(whole, index, item.into_ptr());
            } else {
                return self.check(ffi::PyList_Append(whole, item.as_ptr()));
            }
        }
        Ok(())
    }

    fn map(&mut self, _: usize) -> Result<Value<'py>, Fault> {
        Ok(PyDict::new(self.py).into_any())
    }

    fn put_entry(&mut self, map: &mut Value<'py>, key: Value<'py>, value: Value<'py>) -> Result<(), Fault> {
        // SAFETY: all three are objects, and `map` is the `dict` that `map` made. `self.py` proves that this thread is
        // attached.
        self.check(unsafe { ffi::PyDict_SetItem(map.as_ptr(), key.as_ptr(), value.as_ptr()) })
    }

    fn tuple(&mut self, len: usize) -> Result<Value<'py>, Fault> {
        // SAFETY: `self.py` proves that this thread is attached. The function returns a new reference, or null with an
        // exception. No Python code sees the tuple before all of its places are filled.
        unsafe { self.owned(ffi::PyTuple_New(to_size(len))) }
    }

    /// Makes an object by `cls.__new__(cls)`. `__init__` would only set the fields, which the marshaller sets next.
    fn begin(&mut self, body: &Body) -> Result<Value<'py>, Fault> {
        let class = self.body_class(body).class.as_ptr().cast::<ffi::PyTypeObject>();
        let arguments = PyTuple::empty(self.py);
        // SAFETY: the prelude made the class from plain objects or exceptions, whose `tp_new` takes no arguments, and
        // returns a new reference, or null with an exception.
        unsafe {
            let Some(make) = (*class).tp_new else { unreachable!("the prelude makes no abstract classes") };
            self.owned(make(class, arguments.as_ptr(), std::ptr::null_mut()))
        }
    }

    #[inline]
    fn put_field(&mut self, whole: &mut Value<'py>, body: &Body, index: usize, field: Value<'py>) -> Result<(), Fault> {
        let key = self.body_class(body).keys[index].as_ptr();
        // SAFETY: all three are objects, and `self.py` proves that this thread is attached.
        self.check(unsafe { ffi::PyObject_SetAttr(whole.as_ptr(), key, field.as_ptr()) })
    }

    fn case(&mut self, definition: u32, case: u32) -> Result<Value<'py>, Fault> {
        let (_, members) = self.classes.enum_members(definition);
        Ok(members[case as usize].bind(self.py).clone())
    }

    fn result(&mut self, value: Value<'py>, is_ok: bool) -> Result<Value<'py>, Fault> {
        let prelude = &self.interpreter.prelude;
        self.wrap(if is_ok { &prelude.ok } else { &prelude.err }, value)
    }

    fn object(&mut self, definition: u32, _: &[MethodPlan], form: GuestContractInstance) -> Result<Value<'py>, Fault> {
        let remote = self.guest.object(&self.classes.contract, definition, form)?;
        wrap_remote(self.py, self.interpreter, self.guest, self.classes, remote)
    }
}
