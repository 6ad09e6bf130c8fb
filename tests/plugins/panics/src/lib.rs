//! Plugins that panic. The tests find the places by the marks at the ends of the lines.

use polyplug::PluginContext;
use test_contracts::panics::{Exploding, Fragile, Panics, Refusing};

#[derive(Default)]
struct Jumpy;

struct Hostile;

impl Drop for Hostile {
    fn drop(&mut self) {
        panic!("the payload itself");
    }
}

#[polyplug::plugin]
impl Panics for Jumpy {
    fn literal(&self) {
        panic!("a plain text"); // mark: literal
    }

    fn formatted(&self, what: &str) -> String {
        panic!("a text with {what}"); // mark: formatted
    }

    fn payload(&self) -> u64 {
        std::panic::panic_any(7_u8); // mark: payload
    }

    fn hostile_payload(&self) {
        std::panic::panic_any(Hostile); // mark: hostile
    }

    fn elsewhere(&self) -> bool {
        let thread = std::thread::spawn(|| panic!("on another thread")); // mark: elsewhere
        thread.join().is_err()
    }

    fn calm(&self) -> u32 {
        42
    }
}

#[derive(Default)]
struct Glass {
    _has_data: u8,
}

impl Drop for Glass {
    fn drop(&mut self) {
        panic!("broken glass"); // mark: drop
    }
}

#[polyplug::plugin]
impl Fragile for Glass {
    fn touch(&self) {}
}

struct Picky {
    _has_data: u8,
}

impl Picky {
    fn new(_: &PluginContext) -> Result<Self, String> {
        Err("there is no configuration at /etc/picky".to_owned())
    }
}

#[polyplug::plugin(name = "the picky one", create = Picky::new)]
impl Refusing for Picky {
    fn touch(&self) {}
}

struct Bomb {
    _has_data: u8,
}

impl Bomb {
    fn new(_: &PluginContext) -> Result<Self, String> {
        panic!("boom"); // mark: factory
    }
}

#[polyplug::plugin(create = Bomb::new)]
impl Exploding for Bomb {
    fn touch(&self) {}
}
