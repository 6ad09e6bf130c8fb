//! A WebAssembly component in wasmtime.

use std::path::Path;

use anyhow::Result;
use wasmtime::component::{Component, Linker, bindgen};
use wasmtime::{Engine, Store};

bindgen!({ path: "wasmtime/calculator.wit" });

pub(crate) struct Plugin {
    store: Store<()>,
    calculator: Calculator,
}

pub(crate) fn load(engine: &Engine, component: &Path) -> Result<Plugin> {
    let component = Component::from_file(engine, component)?;
    let mut store = Store::new(engine, ());
    let calculator = Calculator::instantiate(&mut store, &component, &Linker::new(engine))?;
    Ok(Plugin { store, calculator })
}

impl super::Calculator for Plugin {
    fn add(&mut self, a: i32, b: i32) -> Result<i32> {
        Ok(self.calculator.call_add(&mut self.store, a, b)?)
    }

    fn greet(&mut self, name: &str) -> Result<String> {
        Ok(self.calculator.call_greet(&mut self.store, name)?)
    }

    fn sum(&mut self, data: &[u8]) -> Result<u64> {
        Ok(self.calculator.call_sum(&mut self.store, data)?)
    }
}
