//! A bundle loads, and a typed call returns.

use polyplug_tests::{Bundle, runtime, unloaded};
use test_contracts::{Calculator, MathError};

#[test]
fn a_typed_call_returns() {
    let bundle = Bundle::native("calc", "plugin-calc");
    let runtime = runtime();
    let id = runtime.load_bundle(bundle.path()).unwrap();
    let calc = runtime.proxy::<dyn Calculator>().unwrap();
    assert_eq!(calc.add(2, 3).unwrap(), 5);
    assert_eq!(calc.divide(7, 2).unwrap(), Ok(3));
    assert_eq!(calc.divide(1, 0).unwrap(), Err(MathError::DivisionByZero));
    assert_eq!(calc.divide(i64::MIN, -1).unwrap(), Err(MathError::Overflow { at: i64::MIN }));
    assert_eq!(calc.greet("Ada").unwrap(), "Hello, Ada!");
    assert_eq!(calc.sum(&[1, 2, 250]).unwrap(), 253);

    let report = runtime.unload_bundle(id).unwrap();
    assert!(!report.reclaimed, "the proxy holds the code");
    assert_eq!(unloaded(calc.add(2, 3)), "calc");
}
