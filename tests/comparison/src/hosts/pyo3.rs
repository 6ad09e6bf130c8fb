//! Python by hand with pyo3.

use std::ffi::CString;
use std::path::Path;

use anyhow::Result;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

pub(crate) struct Plugin {
    add: Py<PyAny>,
    greet: Py<PyAny>,
    sum: Py<PyAny>,
}

pub(crate) fn load(file: &Path) -> Result<Plugin> {
    let code = CString::new(std::fs::read(file)?)?;
    let path = CString::new(file.to_str().unwrap_or_default())?;
    Python::attach(|py| {
        let module = PyModule::from_code(py, &code, &path, c"by_hand")?;
        let function = |name: &str| module.getattr(name).map(Bound::unbind);
        Ok(Plugin { add: function("add")?, greet: function("greet")?, sum: function("total")? })
    })
}

impl super::Calculator for Plugin {
    fn add(&mut self, a: i32, b: i32) -> Result<i32> {
        Python::attach(|py| Ok(self.add.bind(py).call1((a, b))?.extract()?))
    }

    fn greet(&mut self, name: &str) -> Result<String> {
        Python::attach(|py| Ok(self.greet.bind(py).call1((name,))?.extract()?))
    }

    fn sum(&mut self, data: &[u8]) -> Result<u64> {
        Python::attach(|py| Ok(self.sum.bind(py).call1((PyBytes::new(py, data),))?.extract()?))
    }
}
