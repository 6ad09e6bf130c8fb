//! Loading bundles that must be refused, and checking that they leave nothing behind.

use std::path::Path;

use polyplug::error::RuntimeError;
use polyplug::{Contract, Runtime};
use test_contracts::Calculator;

use crate::{Bundle, mapped_below, runtime};

/// The name of the bad bundles of the tests, and of the good one that is loaded afterwards.
pub const BAD: &str = "bad";

/// Loads `bundle`, which must be refused and leave nothing behind, and returns the error.
///
/// # Panics
///
/// If the bundle is loaded, or leaves something behind.
#[must_use]
pub fn refused(bundle: &Bundle) -> RuntimeError {
    refused_by(&runtime(), bundle.path())
}

/// Does the same as [`refused`], with a runtime that has no bundles yet.
///
/// # Panics
///
/// If the bundle is loaded, or leaves something behind.
#[must_use]
pub fn refused_by(runtime: &Runtime, path: &Path) -> RuntimeError {
    let error = match runtime.load_bundle(path) {
        Ok(_) => panic!("a bad bundle was loaded from {}", path.display()),
        Err(error) => error,
    };
    assert_eq!(runtime.bundle_ids(), [], "after: {error}");
    assert!(runtime.find_guest_contract(<dyn Calculator>::ID.id(), 0).is_err(), "after: {error}");
    assert!(runtime.proxy::<dyn Calculator>().is_err(), "after: {error}");
    assert_eq!(mapped_below(path), [""; 0], "a library that was refused is still mapped, after: {error}");
    works(runtime);
    error
}

/// Loads a good bundle with the name of the bad ones, calls it, and unloads it.
///
/// # Panics
///
/// If one of these steps fails.
pub fn works(runtime: &Runtime) {
    let good = Bundle::native(BAD, "plugin-calc");
    let id = runtime.load_bundle(good.path()).expect("the name of a refused bundle is free");
    let calculator = runtime.proxy_from::<dyn Calculator>(id).expect("the good bundle has a calculator");
    assert_eq!(calculator.add(2, 3), Ok(5));
    runtime.unload_bundle(id).expect("the good bundle is loaded");
}

/// Returns the bundle that a call has found to be unloaded.
///
/// # Panics
///
/// If the call has returned something else.
#[track_caller]
pub fn unloaded<T: std::fmt::Debug>(answer: Result<T, polyplug::CallError>) -> String {
    match answer {
        Err(error) if error.is_unloaded() => {
            assert!(error.method().is_some(), "the method is named: {error:?}");
            error.bundle().expect("the bundle is named").to_owned()
        }
        other => panic!("unloaded, not {other:?}"),
    }
}
