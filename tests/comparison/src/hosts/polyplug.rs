//! polyplug, with each of its loaders.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use comparison_contract::{Calculator, CalculatorProxy};
use polyplug::{BundleId, Runtime};

pub(crate) struct Plugin {
    // Before the bundle, whose code stays for as long as there is a proxy.
    calculator: CalculatorProxy,
    _bundle: Bundle,
}

struct Bundle {
    runtime: Arc<Runtime>,
    id: BundleId,
}

pub(crate) fn load(runtime: &Arc<Runtime>, bundle: &Path) -> Result<Plugin> {
    let bundle = Bundle { runtime: runtime.clone(), id: runtime.load_bundle(bundle)? };
    Ok(Plugin { calculator: runtime.proxy::<dyn Calculator>()?, _bundle: bundle })
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

impl Drop for Bundle {
    fn drop(&mut self) {
        self.runtime.unload_bundle(self.id).expect("nothing depends on it");
    }
}
