//! A plugin that implements a contract differently from how the host calls it is refused when it is loaded, with an error
//! that says what to change. Such a plugin and its contracts are really compiled: `test-contracts-changed`.

use polyplug::Contract;
use polyplug::error::RuntimeError;
use polyplug_tests::{Bundle, mapped_below, runtime};
use test_contracts_old::Evolving;

#[test]
fn a_changed_contract_of_the_same_version_is_refused() {
    let bundle = Bundle::native("changed", "plugin-evolving-changed");
    let runtime = runtime();
    let error = runtime.load_bundle(bundle.path()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "bundle `changed`: plugin `Changed` implements test.evolving@1.0 differently from this host's 1.0:\n  \
           add: argument `a`: the host has i32, the plugin i64\n  \
           describe: argument `point`: Point: the host has (x: f64, y: f64), the plugin (x: f64, y: f64, z: f64)\n  \
           describe: result: the host has string, the plugin option<string>\n  \
           next: argument `colour`: Colour: the host has the cases Red, Green, Blue, the plugin Green, Red, Blue\n  \
           total: the host has the method since 1.0, the plugin version 1.0 without it\n  \
           parse: result err: ParseError.NoDigit.at: the host has u32, the plugin u64\n\
         rebuild the plugin against the host's version of the contract, or give the changed contract a new major version"
    );
    let RuntimeError::Incompatible { bundle: name, plugin, contract, expected, provided, differences } = error else {
        panic!("another error")
    };
    assert_eq!([name.as_str(), &plugin, &contract], ["changed", "Changed", "test.evolving"]);
    assert_eq!([expected.to_string(), provided.to_string()], ["1.0.0", "1.0.0"]);
    assert_eq!(differences.len(), 6);

    // Nothing of it stays.
    assert_eq!(runtime.bundle_ids(), []);
    assert!(runtime.find_guest_contract(<dyn Evolving>::ID.id(), 0).is_err());
    assert!(runtime.proxy::<dyn Evolving>().is_err());
    assert!(runtime.dynamic("test.evolving@1").is_err());
    assert_eq!(mapped_below(bundle.path()), [""; 0]);
}

#[test]
fn the_contract_as_it_is_passes() {
    let bundle = Bundle::native("old", "plugin-evolving-old");
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    let proxy = runtime.proxy::<dyn Evolving>().unwrap();
    assert_eq!(proxy.add(2, 3), Ok(5));
    assert_eq!(proxy.parse("12"), Ok(Ok(12)));
}
