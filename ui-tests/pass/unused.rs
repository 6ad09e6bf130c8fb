//! What nobody calls in this crate is no reason for a warning either: others may.

#![deny(warnings)]

#[polyplug::contract(name = "pass.unused", version = "1.0")]
trait Unused {
    fn one(&self, value: Given) -> Given;
    fn two(&self, case: &Case);
}

#[derive(polyplug::Type)]
struct Given(i32);

#[derive(polyplug::Type)]
enum Case {
    First(i32),
}

#[derive(Default)]
struct Plugin;

#[polyplug::plugin]
impl Unused for Plugin {
    fn one(&self, value: Given) -> Given {
        Given(value.0 + 1)
    }
    fn two(&self, case: &Case) {
        let Case::First(_) = case;
    }
}

fn main() {
    let runtime = polyplug::Runtime::builder().build().unwrap();
    runtime.load_linked_plugins().unwrap();
    assert_eq!(Given(1).0 + 1, 2);
    let Case::First(one) = Case::First(1);
    assert_eq!(one, 1);
}
