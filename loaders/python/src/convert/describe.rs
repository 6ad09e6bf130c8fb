//! Values as errors show them.

use pyo3::prelude::*;
use pyo3::types::PyString;

/// The number of characters of a value that an error shows.
const MAX_SHOWN: usize = 100;

/// Returns a value as an error shows it, with its type: `str "x"`, `int 5`.
pub(crate) fn describe_value(value: &Bound<'_, PyAny>) -> String {
    if value.is_none() {
        return "None".to_owned();
    }
    let class = value.get_type();
    let name = class.name().map_or_else(|_| "object".to_owned(), |name| name.to_string());
    let shown = match value.cast::<PyString>() {
        Ok(text) if text.to_str().is_err() => return format!("{name} {}, which is no UTF-8", short_repr(value)),
        Ok(text) => format!("{:?}", text.to_string_lossy()),
        Err(_) => short_repr(value),
    };
    if shown.is_empty() {
        return format!("an object of {name}");
    }
    format!("{name} {}", truncate(shown))
}

/// Returns the `repr` of a value; nothing if the value's own code fails.
fn short_repr(value: &Bound<'_, PyAny>) -> String {
    truncate(value.repr().map_or_else(|_| String::new(), |text| text.to_string_lossy().into_owned()))
}

fn truncate(shown: String) -> String {
    match shown.char_indices().nth(MAX_SHOWN) {
        None => shown,
        Some((end, _)) => format!("{}...", &shown[..end]),
    }
}
