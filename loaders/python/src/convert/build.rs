//! From canonical memory to values of Python's.

use polyplug::engine::{Build, Fault, Float, Integer};
use polyplug::schema::plan::{Body, MethodPlan};
use polyplug::types::utf8;
use polyplug_abi::GuestContractInstance;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::converter::{Any, Values, size};
use super::remote;
use crate::classes::Definition;
use crate::exception;

/// Lists of more items than this grow as the items come, for nobody has seen yet that there are as many.
const SEEN: usize = 1 << 16;

impl<'py> Values<'py, '_> {
    /// Why bytes are no text: because of them, or for lack of memory.
    #[cold]
    fn no_text(&self, bytes: &[u8]) -> Result<Any<'py>, Fault> {
        let raised = self.raised();
        utf8(bytes)?;
        Err(raised)
    }

    fn none_value(&self) -> Any<'py> {
        self.py.None().into_bound(self.py)
    }

    fn wrap(&self, class: &Py<PyAny>, value: Any<'py>) -> Result<Any<'py>, Fault> {
        class.bind(self.py).call1((value,)).map_err(|raised| exception::to_fault(self.py, raised))
    }
}

impl<'py> Build for Values<'py, '_> {
    type Value = Any<'py>;
    type Error = Fault;

    fn unit(&mut self) -> Result<Any<'py>, Fault> {
        Ok(self.none_value())
    }

    fn bool(&mut self, value: bool) -> Result<Any<'py>, Fault> {
        Ok(pyo3::types::PyBool::new(self.py, value).to_owned().into_any())
    }

    #[inline]
    fn integer(&mut self, value: Integer) -> Result<Any<'py>, Fault> {
        // SAFETY: this thread is attached.
        self.owned(unsafe {
            match value {
                Integer::U64(number) => ffi::PyLong_FromUnsignedLongLong(number),
                other => ffi::PyLong_FromLongLong(other.to_i64().unwrap_or_default()),
            }
        })
    }

    #[inline]
    fn float(&mut self, value: Float) -> Result<Any<'py>, Fault> {
        // SAFETY: this thread is attached.
        self.owned(unsafe { ffi::PyFloat_FromDouble(value.to_f64()) })
    }

    fn char(&mut self, value: char) -> Result<Any<'py>, Fault> {
        Build::text(self, value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn text(&mut self, value: &str) -> Result<Any<'py>, Fault> {
        // SAFETY: the text is readable, and this thread is attached.
        self.owned(unsafe { ffi::PyUnicode_FromStringAndSize(value.as_ptr().cast(), size(value.len())) })
    }

    #[inline]
    fn unchecked_text(&mut self, value: &[u8]) -> Result<Any<'py>, Fault> {
        // SAFETY: as above. It is no text if the interpreter says so.
        let made = unsafe { ffi::PyUnicode_FromStringAndSize(value.as_ptr().cast(), size(value.len())) };
        // SAFETY: as in `owned`.
        match unsafe { Bound::from_owned_ptr_or_opt(self.py, made) } {
            Some(made) => Ok(made),
            None => self.no_text(value),
        }
    }

    #[inline]
    fn bytes(&mut self, value: &[u8]) -> Result<Any<'py>, Fault> {
        // SAFETY: as above.
        self.owned(unsafe { ffi::PyBytes_FromStringAndSize(value.as_ptr().cast(), size(value.len())) })
    }

    fn none(&mut self, _: bool) -> Result<Any<'py>, Fault> {
        Ok(self.none_value())
    }

    fn some(&mut self, value: Any<'py>, is_nested: bool) -> Result<Any<'py>, Fault> {
        if is_nested { self.wrap(&self.interpreter.prelude.some, value) } else { Ok(value) }
    }

    fn list(&mut self, len: usize) -> Result<Any<'py>, Fault> {
        // SAFETY: this thread is attached. Nobody else sees the list before it is full.
        self.owned(unsafe { ffi::PyList_New(if len <= SEEN { size(len) } else { 0 }) })
    }

    #[inline]
    fn put_item(&mut self, list: &mut Any<'py>, index: usize, item: Any<'py>) -> Result<(), Fault> {
        let (whole, index) = (list.as_ptr(), size(index));
        // SAFETY: the list or tuple is one that was begun here, and the place in it is empty.
        unsafe {
            if ffi::PyList_CheckExact(whole) == 0 {
                ffi::PyTuple_SET_ITEM(whole, index, item.into_ptr());
            } else if index < ffi::PyList_GET_SIZE(whole) {
                ffi::PyList_SET_ITEM(whole, index, item.into_ptr());
            } else {
                return self.done(ffi::PyList_Append(whole, item.as_ptr()));
            }
        }
        Ok(())
    }

    fn map(&mut self, _: usize) -> Result<Any<'py>, Fault> {
        Ok(PyDict::new(self.py).into_any())
    }

    fn put_entry(&mut self, map: &mut Any<'py>, key: Any<'py>, value: Any<'py>) -> Result<(), Fault> {
        // SAFETY: the map is a dictionary, made here.
        self.done(unsafe { ffi::PyDict_SetItem(map.as_ptr(), key.as_ptr(), value.as_ptr()) })
    }

    fn tuple(&mut self, len: usize) -> Result<Any<'py>, Fault> {
        // SAFETY: this thread is attached. Nobody else sees the tuple before it is full.
        self.owned(unsafe { ffi::PyTuple_New(size(len)) })
    }

    fn begin(&mut self, body: &Body) -> Result<Any<'py>, Fault> {
        // As `cls.__new__(cls)`: what `__init__` would do is to set the fields, which come next.
        let class = self.fields(body).class.as_ptr().cast::<ffi::PyTypeObject>();
        let nothing = PyTuple::empty(self.py);
        // SAFETY: a class, whose type makes instances without arguments: that of exceptions, or of plain objects.
        unsafe {
            let Some(make) = (*class).tp_new else { unreachable!("a class that is no abstract one") };
            self.owned(make(class, nothing.as_ptr(), std::ptr::null_mut()))
        }
    }

    #[inline]
    fn put_field(&mut self, whole: &mut Any<'py>, body: &Body, index: usize, field: Any<'py>) -> Result<(), Fault> {
        let key = self.fields(body).keys[index].as_ptr();
        // SAFETY: objects, and this thread is attached.
        self.done(unsafe { ffi::PyObject_SetAttr(whole.as_ptr(), key, field.as_ptr()) })
    }

    fn case(&mut self, definition: u32, case: u32) -> Result<Any<'py>, Fault> {
        let Definition::Enum { members, .. } = &self.of.definitions[definition as usize] else { unreachable!() };
        Ok(members[case as usize].bind(self.py).clone())
    }

    fn result(&mut self, value: Any<'py>, is_ok: bool) -> Result<Any<'py>, Fault> {
        let prelude = &self.interpreter.prelude;
        self.wrap(if is_ok { &prelude.ok } else { &prelude.err }, value)
    }

    fn object(&mut self, definition: u32, _: &[MethodPlan], form: GuestContractInstance) -> Result<Any<'py>, Fault> {
        let remote = self.guest.object(&self.of.contract, definition, form)?;
        remote::wrap(self.py, self.interpreter, self.guest, self.of, remote)
    }
}
