//! What `polyplug_init` returns.

use polyplug::engine::{Declared, Fault};
use polyplug_abi::AbiErrorCode;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use super::plugin::Code;
use crate::convert::describe;

/// One contract, as it is registered.
pub(super) struct Registration {
    declared: Declared,
    code: Code,
}

impl Registration {
    pub(super) fn split(self) -> (Declared, Code) {
        (self.declared, self.code)
    }
}

/// Reads it; why it cannot be, where it cannot.
pub(super) fn read(returned: &Bound<'_, PyAny>) -> Result<Vec<Registration>, Fault> {
    let parts = returned.cast::<PyTuple>().ok().filter(|parts| parts.len() == 2);
    let parts = parts.ok_or_else(|| {
        let what = match returned.cast::<PyTuple>() {
            Ok(other) => format!("a tuple of {}", other.len()),
            Err(_) => describe(returned),
        };
        Fault::new(format_args!(
            "polyplug_init returned {what}, and not a tuple of two: the registrations and an AbiError"
        ))
    })?;
    let part = |index| parts.get_item(index).map_err(Fault::new);
    // First: one that fails may return anything as its registrations.
    outcome(&part(1)?)?;
    let all = part(0)?;
    let list = all.cast::<PyList>().map_err(|_| {
        Fault::new(format_args!(
            "polyplug_init: the first value it returned is {}, and not the list of registrations",
            describe(&all)
        ))
    })?;
    if list.is_empty() {
        return Err(Fault::new("polyplug_init registered no contract: the list that it returned is empty"));
    }
    let read = |(index, entry): (usize, Bound<'_, PyAny>)| {
        one(index, &entry).map_err(|reason| Fault::new(format_args!("{}: {reason}", place(index))))
    };
    list.iter().enumerate().map(read).collect()
}

/// Whether the bundle says that all is well.
fn outcome(error: &Bound<'_, PyAny>) -> Result<(), Fault> {
    let py = error.py();
    let code = error.getattr(intern!(py, "code")).ok();
    let code = code.and_then(|code| code.call_method0(intern!(py, "__index__")).ok()).ok_or_else(|| {
        Fault::new(format_args!(
            "polyplug_init: the second value it returned is {}, and no AbiError: it has no integer `code`",
            describe(error)
        ))
    })?;
    if code.eq(0).unwrap_or(false) {
        return Ok(());
    }
    let message = error.getattr(intern!(py, "message")).ok();
    let message = message.and_then(|message| message.cast::<PyString>().ok().map(|text| text.to_string()));
    // A code that is none, as it is too large, is passed on as one that nobody knows.
    let known = code.extract::<u32>().unwrap_or(AbiErrorCode::Generic as u32);
    let told = match message.filter(|message| !message.is_empty()) {
        Some(message) => format!("polyplug_init failed with code {code}: {message}"),
        None => format!("polyplug_init failed with code {code} ({})", AbiErrorCode::from_u32(known)),
    };
    Err(Fault::reported(known, told))
}

fn place(index: usize) -> String {
    format!("polyplug_init: registrations[{index}]")
}

fn one(index: usize, entry: &Bound<'_, PyAny>) -> Result<Registration, String> {
    let entry = entry.cast::<PyDict>().map_err(|_| format!("a dict is expected, not {}", describe(entry)))?;
    let contract = text("contract", &required(entry, "contract")?)?;
    let name = match optional(entry, "plugin_name")?.filter(|name| !name.is_none()) {
        Some(name) => Some(text("plugin_name", &name)?),
        None => None,
    };
    let factory = callable("factory", &required(entry, "factory")?)?;
    let functions = functions(&required(entry, "functions")?)?;
    let place = Some(place(index));
    let declared = Declared { contract, name, place, ..Declared::default() };
    Ok(Registration { declared, code: Code { factory, functions } })
}

fn optional<'py>(entry: &Bound<'py, PyDict>, key: &str) -> Result<Option<Bound<'py, PyAny>>, String> {
    entry.get_item(key).map_err(|raised| raised.to_string())
}

fn required<'py>(entry: &Bound<'py, PyDict>, key: &str) -> Result<Bound<'py, PyAny>, String> {
    optional(entry, key)?.ok_or_else(|| format!("the key `{key}` is missing"))
}

fn text(key: &str, value: &Bound<'_, PyAny>) -> Result<String, String> {
    let text = value.cast::<PyString>().map_err(|_| format!("`{key}`: a str is expected, not {}", describe(value)))?;
    let text: String = text.extract().map_err(|raised: PyErr| format!("`{key}`: {raised}"))?;
    if text.is_empty() { Err(format!("`{key}` is empty")) } else { Ok(text) }
}

fn callable(what: &str, value: &Bound<'_, PyAny>) -> Result<Py<PyAny>, String> {
    if value.is_callable() {
        return Ok(value.clone().unbind());
    }
    Err(format!("`{what}` cannot be called: it is {}", describe(value)))
}

fn functions(value: &Bound<'_, PyAny>) -> Result<Vec<Py<PyAny>>, String> {
    let items: Vec<_> = if let Ok(list) = value.cast::<PyList>() {
        list.iter().collect()
    } else if let Ok(tuple) = value.cast::<PyTuple>() {
        tuple.iter().collect()
    } else {
        return Err(format!("`functions`: a list is expected, not {}", describe(value)));
    };
    items.iter().enumerate().map(|(id, function)| callable(&format!("functions[{id}]"), function)).collect()
}
