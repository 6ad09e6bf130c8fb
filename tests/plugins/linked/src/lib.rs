//! A plugin that is linked into its host: a crate with nothing but a plugin, which nobody refers to.

use test_contracts::panics::Panics;

#[derive(Default)]
struct Linked;

#[polyplug::plugin]
impl Panics for Linked {
    fn literal(&self) {
        panic!("a plain text"); // mark: linked
    }

    fn formatted(&self, what: &str) -> String {
        format!("linked {what}")
    }

    fn payload(&self) -> u64 {
        u64::MAX
    }

    fn hostile_payload(&self) {}

    fn elsewhere(&self) -> bool {
        false
    }

    fn calm(&self) -> u32 {
        7
    }
}
