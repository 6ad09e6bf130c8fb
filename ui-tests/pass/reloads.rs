//! Plugins that have a say in reloads, with errors of any kind.

#![deny(warnings)]

use std::convert::Infallible;
use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};

use polyplug::{Migrate, PluginContext, Version};

#[polyplug::contract(name = "pass.reloads.counter", version = "1.0")]
trait Counter {
    fn next(&self) -> u64;
}

#[derive(Default)]
struct Count(AtomicU64);

#[polyplug::plugin(migrate, health = Count::healthy)]
impl Counter for Count {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

impl Migrate for Count {
    fn save(&self) -> Vec<u8> {
        self.next().to_le_bytes().to_vec()
    }

    fn restore(state: &[u8], from: Version) -> Result<Self, impl Display> {
        match state.try_into() {
            Ok(bytes) if from.major == 0 => Ok(Self(AtomicU64::new(u64::from_le_bytes(bytes)))),
            Ok(_) => Err(format!("version {from} writes something else")),
            Err(_) => Err(format!("{} bytes are no number", state.len())),
        }
    }
}

impl Count {
    fn healthy(_: &PluginContext) -> Result<(), &'static str> {
        Ok(())
    }
}

fn fit(_: &PluginContext) -> Result<(), Infallible> {
    Ok(())
}

/// One that is shared, and cannot fail.
#[derive(Default)]
struct Shared;

#[polyplug::contract(name = "pass.reloads.shared", version = "1.0")]
trait Empty {
    fn nothing(&self);
}

#[polyplug::plugin(singleton, migrate, health = fit)]
impl Empty for Shared {
    fn nothing(&self) {}
}

#[allow(refining_impl_trait)]
impl Migrate for Shared {
    fn save(&self) -> Vec<u8> {
        Vec::new()
    }

    fn restore(_: &[u8], _: Version) -> Result<Self, String> {
        Ok(Self)
    }
}

fn main() {
    let count = Count::default();
    assert_eq!(count.next(), 0);
    let Ok(restored) = Count::restore(&count.save(), Version::new(0, 0, 0)) else { panic!("a number is saved") };
    assert_eq!(restored.next(), 1);
    assert!(Count::restore(b"short", Version::new(0, 0, 0)).is_err());
}
