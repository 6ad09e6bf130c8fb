//! Reading of the value that `polyplug_init` returned.

use polyplug::engine::{Fault, PluginDecl};
use polyplug_abi::AbiErrorCode;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use super::plugin::PluginCode;
use crate::convert::describe_value;

/// A contract that a bundle has registered.
pub(super) struct Registration {
    declared: PluginDecl,
    code: PluginCode,
}

impl Registration {
    pub(super) fn into_parts(self) -> (PluginDecl, PluginCode) {
        (self.declared, self.code)
    }
}

/// Reads the registrations.
///
/// # Errors
///
/// The value is malformed, or its `AbiError` says that the bundle has failed.
pub(super) fn read_registrations(returned: &Bound<'_, PyAny>) -> Result<Vec<Registration>, Fault> {
    let parts = returned.cast::<PyTuple>().ok().filter(|parts| parts.len() == 2);
    let parts = parts.ok_or_else(|| {
        let what = match returned.cast::<PyTuple>() {
            Ok(other) => format!("a tuple of {}", other.len()),
            Err(_) => describe_value(returned),
        };
        Fault::new(format_args!(
            "polyplug_init returned {what}, and not a tuple of two: the registrations and an AbiError"
        ))
    })?;
    let part = |index| parts.get_item(index).map_err(Fault::new);
    // Read first: a bundle that has failed may return anything as its registrations.
    check_abi_error(&part(1)?)?;
    let all = part(0)?;
    let list = all.cast::<PyList>().map_err(|_| {
        Fault::new(format_args!(
            "polyplug_init: the first value it returned is {}, and not the list of registrations",
            describe_value(&all)
        ))
    })?;
    if list.is_empty() {
        return Err(Fault::new("polyplug_init registered no contract: the list that it returned is empty"));
    }
    let read = |(index, entry): (usize, Bound<'_, PyAny>)| {
        read_registration(index, &entry).map_err(|reason| Fault::new(format_args!("{}: {reason}", place(index))))
    };
    list.iter().enumerate().map(read).collect()
}

/// Returns the fault that an `AbiError` reports, if its code is another one than 0.
fn check_abi_error(error: &Bound<'_, PyAny>) -> Result<(), Fault> {
    let py = error.py();
    let code = error.getattr(intern!(py, "code")).ok();
    let code = code.and_then(|code| code.call_method0(intern!(py, "__index__")).ok()).ok_or_else(|| {
        Fault::new(format_args!(
            "polyplug_init: the second value it returned is {}, and no AbiError: it has no integer `code`",
            describe_value(error)
        ))
    })?;
    if code.eq(0).unwrap_or(false) {
        return Ok(());
    }
    let message = error.getattr(intern!(py, "message")).ok();
    let message = message.and_then(|message| message.cast::<PyString>().ok().map(|text| text.to_string()));
    // A code that does not fit into 32 bits is reported as `Generic`.
    let known = code.extract::<u32>().unwrap_or(AbiErrorCode::Generic as u32);
    let message = match message.filter(|message| !message.is_empty()) {
        Some(message) => format!("polyplug_init failed with code {code}: {message}"),
        None => format!("polyplug_init failed with code {code} ({})", AbiErrorCode::from_u32(known)),
    };
    Err(Fault::reported(known, message))
}

/// Returns the place of a registration, as errors show it.
fn place(index: usize) -> String {
    format!("polyplug_init: registrations[{index}]")
}

fn read_registration(index: usize, entry: &Bound<'_, PyAny>) -> Result<Registration, String> {
    let entry = entry.cast::<PyDict>().map_err(|_| format!("a dict is expected, not {}", describe_value(entry)))?;
    let contract = text("contract", &required(entry, "contract")?)?;
    let name = match optional(entry, "plugin_name")?.filter(|name| !name.is_none()) {
        Some(name) => Some(text("plugin_name", &name)?),
        None => None,
    };
    let factory = callable("factory", &required(entry, "factory")?)?;
    let functions = functions(&required(entry, "functions")?)?;
    let place = Some(place(index));
    let declared = PluginDecl { contract, name, place, ..PluginDecl::default() };
    Ok(Registration { declared, code: PluginCode { factory, functions } })
}

fn optional<'py>(entry: &Bound<'py, PyDict>, key: &str) -> Result<Option<Bound<'py, PyAny>>, String> {
    entry.get_item(key).map_err(|raised| raised.to_string())
}

fn required<'py>(entry: &Bound<'py, PyDict>, key: &str) -> Result<Bound<'py, PyAny>, String> {
    optional(entry, key)?.ok_or_else(|| format!("the key `{key}` is missing"))
}

fn text(key: &str, value: &Bound<'_, PyAny>) -> Result<String, String> {
    let text =
        value.cast::<PyString>().map_err(|_| format!("`{key}`: a str is expected, not {}", describe_value(value)))?;
    let text: String = text.extract().map_err(|raised: PyErr| format!("`{key}`: {raised}"))?;
    if text.is_empty() { Err(format!("`{key}` is empty")) } else { Ok(text) }
}

fn callable(what: &str, value: &Bound<'_, PyAny>) -> Result<Py<PyAny>, String> {
    if value.is_callable() {
        return Ok(value.clone().unbind());
    }
    Err(format!("`{what}` cannot be called: it is {}", describe_value(value)))
}

fn functions(value: &Bound<'_, PyAny>) -> Result<Vec<Py<PyAny>>, String> {
    let items: Vec<_> = if let Ok(list) = value.cast::<PyList>() {
        list.iter().collect()
    } else if let Ok(tuple) = value.cast::<PyTuple>() {
        tuple.iter().collect()
    } else {
        return Err(format!("`functions`: a list is expected, not {}", describe_value(value)));
    };
    items.iter().enumerate().map(|(id, function)| callable(&format!("functions[{id}]"), function)).collect()
}
