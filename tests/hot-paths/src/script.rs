//! The bundles that are one file in the language of a VM.

use std::sync::Arc;

use polyplug::Runtime;
use polyplug::loader::{BundleLoader, BundleSource};
use test_contracts::{Calculator, CalculatorProxy};

use crate::bundle::{check, manifest};

/// Loads a calculator that is one file in the loader's language. The runtime must outlive the proxy's calls.
pub(crate) fn load(
    loader: impl BundleLoader + 'static,
    language: &str,
    file: &str,
    code: &str,
) -> (Arc<Runtime>, CalculatorProxy) {
    let runtime = Runtime::builder().loader(loader).hot_reload(true).build().expect("one loader has no rival");
    let source = BundleSource::Code(code.to_owned());
    runtime.load_bundle_from(&manifest(language, file), source).expect("the fixture loads");
    let calc = runtime.proxy::<dyn Calculator>().expect("the fixture provides it");
    check(&calc);
    (runtime, calc)
}
