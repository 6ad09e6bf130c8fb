//! Calls of a plugin in Python, beside pyo3.

use std::hint::black_box;

use polyplug_python::PythonLoader;
use polyplug_python::pyo3::prelude::*;
use polyplug_python::pyo3::types::{PyBytes, PyModule};

use crate::bundle::{self, NAME};
use crate::counted::Side::{Floor, Ours};
use crate::counted::count;
use crate::script;

const CALLS: u32 = 1000;

/// The number of calls that take long each.
const FEW: u32 = 50;

/// Runs the calls.
pub(crate) fn run() {
    let code = include_str!("../../benches/python/calculator.py");
    let (_runtime, calc) = script::load(PythonLoader::new(), "python", "main.py", code);
    let [add, greet, sum] = Python::attach(|py| {
        let code = std::ffi::CString::new(include_str!("../../benches/python/by_hand.py")).expect("text");
        let module = PyModule::from_code(py, &code, c"by_hand.py", c"by_hand").expect("the code runs");
        ["add", "greet", "total"].map(|name| module.getattr(name).expect("it has it").unbind())
    });
    let data = bundle::data();

    count("python add", Ours, CALLS, || calc.add(black_box(2), black_box(3)).expect("it answers"));
    count("python add", Floor, CALLS, || {
        Python::attach(|py| {
            let sum = add.bind(py).call1((black_box(2), black_box(3)));
            sum.and_then(|sum| sum.extract::<i32>()).expect("it answers")
        })
    });
    count("python greet", Ours, CALLS, || calc.greet(black_box(NAME)).expect("it answers"));
    count("python greet", Floor, CALLS, || {
        Python::attach(|py| {
            let text = greet.bind(py).call1((black_box(NAME),));
            text.and_then(|text| text.extract::<String>()).expect("it answers")
        })
    });
    count("python sum", Ours, FEW, || calc.sum(black_box(&data)).expect("it answers"));
    count("python sum", Floor, FEW, || {
        Python::attach(|py| {
            let total = sum.bind(py).call1((PyBytes::new(py, black_box(&data)),));
            total.and_then(|total| total.extract::<u64>()).expect("it answers")
        })
    });
}
