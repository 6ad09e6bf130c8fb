//! A host that links two builds of one contract loads what fits either, and calls it only through the one it fits.

use polyplug::error::RuntimeError;
use polyplug_tests::{Bundle, runtime};

#[test]
fn a_plugin_serves_the_build_that_it_fits() {
    let (old, changed) =
        (Bundle::native("old", "plugin-evolving-old"), Bundle::native("changed", "plugin-evolving-changed"));
    let runtime = runtime();
    let old = runtime.load_bundle(old.path()).unwrap();
    let changed = runtime.load_bundle(changed.path()).unwrap();

    let proxy = runtime.proxy_from::<dyn test_contracts_old::Evolving>(old).unwrap();
    assert_eq!(proxy.add(2, 3), Ok(5));
    let error = runtime.proxy_from::<dyn test_contracts_old::Evolving>(changed).unwrap_err();
    assert!(matches!(error, RuntimeError::Incompatible { .. }), "{error}");

    let proxy = runtime.proxy_from::<dyn test_contracts_changed::Evolving>(changed).unwrap();
    assert_eq!(proxy.add(7, 3), Ok(7));
    let error = runtime.proxy_from::<dyn test_contracts_changed::Evolving>(old).unwrap_err().to_string();
    assert!(error.contains("add: argument `a`: the host has i64, the plugin i32"), "{error}");

    // The first provider is the old one.
    assert!(runtime.proxy::<dyn test_contracts_old::Evolving>().is_ok());
    assert!(runtime.proxy::<dyn test_contracts_changed::Evolving>().is_err());
}
