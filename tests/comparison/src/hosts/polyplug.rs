//! polyplug, with each of its loaders.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use comparison_contract::{Calculator, CalculatorProxy};
use polyplug::{BundleId, Runtime};

pub(crate) struct Plugin {
    runtime: Arc<Runtime>,
    bundle: BundleId,
    calculator: CalculatorProxy,
}

pub(crate) fn load(runtime: &Arc<Runtime>, bundle: &Path) -> Result<Plugin> {
    let bundle = runtime.load_bundle(bundle)?;
    Ok(Plugin { runtime: runtime.clone(), bundle, calculator: runtime.proxy::<dyn Calculator>()? })
}

impl super::Calculator for Plugin {
    fn add(&mut self, a: i32, b: i32) -> Result<i32> {
        Ok(self.calculator.add(a, b)?)
    }

    fn greet(&mut self, name: &str) -> Result<String> {
        Ok(self.calculator.greet(name)?)
    }

    fn sum(&mut self, data: &[u8]) -> Result<u64> {
        Ok(self.calculator.sum(data)?)
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        self.runtime.unload_bundle(self.bundle).expect("nothing depends on it");
    }
}
