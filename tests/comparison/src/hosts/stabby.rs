//! stabby.

use std::path::Path;

use anyhow::{Result, anyhow};
use stabby::libloading::StabbyLibrary;
use stabby_interface::{BoxedCalculator, CalculatorDyn};

pub(crate) struct Plugin {
    // Before the library, whose code drops it.
    calculator: BoxedCalculator,
    _library: libloading::Library,
}

pub(crate) fn load(library: &Path) -> Result<Plugin> {
    // SAFETY: the library is the plugin of this comparison, and the type of the function is checked.
    unsafe {
        let library = libloading::Library::new(library)?;
        let make =
            library.get_stabbied::<extern "C" fn() -> BoxedCalculator>(b"calculator").map_err(|e| anyhow!("{e}"))?;
        let calculator = make();
        Ok(Plugin { calculator, _library: library })
    }
}

impl super::Calculator for Plugin {
    fn add(&mut self, a: i32, b: i32) -> Result<i32> {
        Ok(self.calculator.add(a, b))
    }

    fn greet(&mut self, name: &str) -> Result<String> {
        Ok(self.calculator.greet(name.into()).as_ref().to_owned())
    }

    fn sum(&mut self, data: &[u8]) -> Result<u64> {
        Ok(self.calculator.sum(data.into()))
    }
}
