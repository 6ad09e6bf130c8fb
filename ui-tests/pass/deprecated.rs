//! Contracts grow old: what is deprecated warns those who use it, not those who declare it.

#![deny(warnings)]

/// Old and new side by side.
#[polyplug::contract(name = "pass.deprecated", version = "1.1")]
pub trait Growing {
    /// The old way.
    #[deprecated(note = "use `sum`")]
    fn add(&self, a: i32, b: i32) -> i32;
    /// The old way with an old type.
    #[deprecated(note = "use `sum`")]
    #[allow(deprecated)]
    fn add_pair(&self, pair: &Pair) -> Pair;
    /// The new way.
    #[contract(since = "1.1")]
    fn sum(&self, values: &[i32]) -> i32;
    /// Allowed what is allowed there.
    #[contract(since = "1.1")]
    #[allow(non_snake_case, deprecated)]
    fn theOld(&self, CASE: Case) -> Case;
    /// Expected once, though it is written twice.
    #[contract(since = "1.1")]
    #[expect(deprecated)]
    fn expected(&self, pair: Pair);
}

/// An old contract.
#[deprecated(note = "use `Growing`")]
#[polyplug::contract(name = "pass.deprecated.old", version = "1.0")]
pub trait Old {
    /// Does.
    fn act(&self) -> i32;
}

/// An old type.
#[deprecated(note = "use a list")]
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub struct Pair {
    /// One.
    pub first: i32,
    /// Two.
    #[deprecated(note = "use `first`")]
    pub second: i32,
}

/// An old case.
#[allow(deprecated)]
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub enum Case {
    /// New.
    New,
    /// Old.
    #[deprecated(note = "use `New`")]
    Past(Pair),
}

/// An enum with an old case.
#[derive(Debug, Clone, Copy, PartialEq, polyplug::Type)]
pub enum Colour {
    /// Red.
    Red,
    /// Old.
    #[deprecated(note = "use `Red`")]
    Vermilion,
}

#[derive(Default)]
struct Plugin;

#[polyplug::plugin]
#[allow(deprecated, non_snake_case)]
impl Growing for Plugin {
    fn add(&self, a: i32, b: i32) -> i32 {
        a + b
    }
    fn add_pair(&self, pair: &Pair) -> Pair {
        pair.clone()
    }
    fn sum(&self, values: &[i32]) -> i32 {
        values.iter().sum()
    }
    fn theOld(&self, CASE: Case) -> Case {
        CASE
    }
    fn expected(&self, _: Pair) {}
}

#[allow(deprecated)]
#[polyplug::plugin]
impl Old for Plugin {
    fn act(&self) -> i32 {
        1
    }
}

#[allow(deprecated)]
fn main() {
    let runtime = polyplug::Runtime::builder().build().unwrap();
    runtime.load_linked_plugins().unwrap();
    let growing = runtime.proxy::<dyn Growing>().unwrap();
    assert_eq!(growing.add(1, 2).unwrap(), 3);
    assert_eq!(growing.sum(&[1, 2]).unwrap(), 3);
    let pair = Pair { first: 1, second: 2 };
    assert_eq!(growing.add_pair(&pair).unwrap(), pair);
    assert_eq!(growing.theOld(Case::Past(pair.clone())).unwrap(), Case::Past(pair.clone()));
    assert_eq!(growing.theOld(Case::New).unwrap(), Case::New);
    growing.expected(pair).unwrap();
    assert_eq!(runtime.proxy::<dyn Old>().unwrap().act().unwrap(), 1);
    assert_ne!(Colour::Red, Colour::Vermilion);
}
