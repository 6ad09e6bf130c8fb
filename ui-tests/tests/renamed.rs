//! Contracts, types and plugins of a crate that depends on polyplug under another name.

use polyplug::Runtime;
use ui_tests_renamed::{Calculator, MathError, Pair};

#[test]
fn polyplug_may_have_another_name() {
    let runtime = Runtime::builder().build().unwrap();
    runtime.load_linked_plugins().unwrap();
    let calculator = runtime.proxy::<dyn Calculator>().unwrap();
    assert_eq!(calculator.add(1, 2).unwrap(), 3);
    assert_eq!(calculator.divide(&Pair { a: 6, b: 2 }).unwrap(), Ok(3));
    assert_eq!(calculator.divide(&Pair { a: 1, b: 0 }).unwrap(), Err(MathError::DivisionByZero));
    assert_eq!(calculator.divide(&Pair { a: i64::MIN, b: -1 }).unwrap(), Err(MathError::Overflow { at: i64::MIN }));
}
