//! Names of contracts as Python code spells them.

use pyo3::prelude::*;
use pyo3::types::PyString;

/// Returns a name of a contract as Python code spells it: with an underscore at its end if the name is a keyword of
/// Python.
pub(crate) fn python_name(name: &str) -> String {
    const KEYWORDS: [&str; 35] = [
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
        "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
        "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
    ];
    if KEYWORDS.contains(&name) { format!("{name}_") } else { name.to_owned() }
}

/// Returns a name as an interned `str`, which attributes are found by without comparing letters.
pub(crate) fn interned(py: Python<'_>, name: &str) -> Py<PyString> {
    PyString::intern(py, name).unbind()
}
