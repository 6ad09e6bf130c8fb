//! The fields of records and cases, which are attributes of objects, keys of mappings or places of tuples.

use std::ptr::eq;

use polyplug::engine::Fault;
use polyplug::schema::plan::Body;
use pyo3::exceptions::PyLookupError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::converter::ValueConverter;
use super::describe::describe_value;
use crate::classes::BodyClass;
use crate::exception;

type Value<'py> = Bound<'py, PyAny>;

impl<'py> ValueConverter<'py, '_> {
    /// Returns whether a value may stand for a record: an object of its class, a mapping, or any object with one of the
    /// fields as an attribute. Whether it has all fields turns out when they are read.
    pub(super) fn may_be_record(&self, value: &Value<'py>, body: &Body) -> bool {
        let fields = self.body_class(body);
        if self.is_a(value, &fields.class) || self.is_mapping(value) || self.is_tuple_for(value, fields) {
            return true;
        }
        if is_scalar_or_collection(value) {
            return false;
        }
        // An attribute that raises another exception than `AttributeError` is there: reading it again raises it.
        let has = |key: &Py<PyString>| value.hasattr(key.bind(self.py)).unwrap_or(true);
        fields.keys.iter().any(has) || value.hasattr(intern!(self.py, "__dataclass_fields__")).unwrap_or(false)
    }

    /// Returns the value of a field; `None` if the field is missing.
    #[inline]
    pub(super) fn field_of(&self, value: &Value<'py>, body: &Body, index: usize) -> Result<Option<Value<'py>>, Fault> {
        let fields = self.body_class(body);
        let key = fields.keys[index].bind(self.py);
        if eq(value.get_type().as_ptr(), fields.class.as_ptr()) {
            return self.attribute(value, key);
        }
        self.field_of_other(value, fields, index)
    }

    /// Returns the value of a field of an object that is not of the record's own class.
    fn field_of_other(
        &self,
        value: &Value<'py>,
        fields: &BodyClass,
        index: usize,
    ) -> Result<Option<Value<'py>>, Fault> {
        let key = fields.keys[index].bind(self.py);
        if let Ok(dict) = value.cast::<PyDict>() {
            return dict.get_item(key).map_err(|raised| exception::to_fault(self.py, raised));
        }
        if self.is_tuple_for(value, fields) {
            return Ok(value.cast::<PyTuple>().ok().and_then(|tuple| tuple.get_item(index).ok()));
        }
        if !self.is_a(value, &fields.class) && self.is_mapping(value) {
            return match value.get_item(key) {
                Ok(found) => Ok(Some(found)),
                Err(raised) if raised.is_instance_of::<PyLookupError>(self.py) => Ok(None),
                Err(raised) => Err(exception::to_fault(self.py, raised)),
            };
        }
        self.attribute(value, key)
    }

    /// Returns a key of a mapping that is no field, as an error shows it.
    pub(super) fn unknown_key(&self, value: &Value<'py>, body: &Body) -> Option<String> {
        if !self.is_mapping(value) {
            return None;
        }
        let known = &self.body_class(body).keys;
        let is_known =
            |key: &Value<'py>| known.iter().any(|known| known.bind(self.py).as_any().eq(key).unwrap_or(false));
        let keys = value.try_iter().ok()?.collect::<PyResult<Vec<_>>>().ok()?;
        let unknown = keys.iter().find(|key| !is_known(key))?;
        Some(unknown.str().map_or_else(|_| describe_value(unknown), |text| text.to_string()))
    }

    /// Returns what stands for a record, for an error.
    pub(super) fn record_forms(&self, body: &Body) -> String {
        let fields = self.body_class(body);
        let keys: Vec<_> = fields.keys.iter().map(|key| format!("`{}`", key.bind(self.py))).collect();
        let name = fields.class.bind(self.py).qualname().map_or_else(|_| String::new(), |name| name.to_string());
        format!("types(..).{name}(..), a dict, or any object with the attributes {}", keys.join(", "))
    }

    /// Returns whether a value has keys: a `dict`, or an instance of `collections.abc.Mapping`.
    fn is_mapping(&self, value: &Value<'py>) -> bool {
        // SAFETY: `self.py` proves that this thread is attached.
        let has_items = unsafe { ffi::PyMapping_Check(value.as_ptr()) } != 0;
        has_items
            && (value.is_instance_of::<PyDict>()
                || value.is_instance(self.interpreter.prelude.mapping_class.bind(self.py)).unwrap_or(false))
    }

    /// Returns whether a value is a tuple that stands for a record whose fields have numbers for names.
    fn is_tuple_for(&self, value: &Value<'py>, fields: &BodyClass) -> bool {
        fields.is_tuple && value.cast::<PyTuple>().is_ok_and(|tuple| tuple.len() == fields.keys.len())
    }
}

/// Returns whether a value is one of Python's own scalars, collections or classes, whose methods and attributes are no
/// fields. A named tuple is not: its items have names.
fn is_scalar_or_collection(value: &Value<'_>) -> bool {
    let object = value.as_ptr();
    // SAFETY: the argument proves that this thread is attached.
    unsafe {
        value.is_none()
            || ffi::PyLong_Check(object) != 0
            || ffi::PyFloat_Check(object) != 0
            || ffi::PyUnicode_Check(object) != 0
            || ffi::PyBytes_Check(object) != 0
            || ffi::PyByteArray_Check(object) != 0
            || ffi::PyMemoryView_Check(object) != 0
            || ffi::PyList_Check(object) != 0
            || ffi::PyTuple_CheckExact(object) != 0
            || ffi::PyAnySet_Check(object) != 0
            || ffi::PyType_Check(object) != 0
    }
}
