//! Plugins with state: one that keeps it over a reload, and one that does not.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use polyplug::{Migrate, Version};
use test_contracts::Counter;
use test_contracts::instances::Singleton;

#[derive(Default)]
struct Count(AtomicU64);

impl Migrate for Count {
    fn save(&self) -> Vec<u8> {
        let count = self.0.load(Ordering::Relaxed);
        assert_ne!(count, 665, "665 cannot be told");
        count.to_string().into_bytes()
    }

    fn restore(state: &[u8], from: Version) -> Result<Self, impl std::fmt::Display> {
        let text = String::from_utf8_lossy(state);
        match text.parse() {
            Ok(666) => Err(format!("666 brings bad luck, in version {}.{}", from.major, from.minor)),
            Ok(count) => Ok(Self(AtomicU64::new(count))),
            Err(error) => Err(error.to_string()),
        }
    }
}

#[polyplug::plugin(migrate)]
impl Counter for Count {
    fn add(&self, by: u64) -> u64 {
        self.0.fetch_add(by, Ordering::Relaxed) + by
    }
}

static MADE: AtomicU32 = AtomicU32::new(0);

struct Shared(AtomicU32);

impl Default for Shared {
    fn default() -> Self {
        MADE.fetch_add(1, Ordering::Relaxed);
        Self(AtomicU32::new(0))
    }
}

#[polyplug::plugin(singleton)]
impl Singleton for Shared {
    fn count(&self) -> u32 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn made(&self) -> u32 {
        MADE.load(Ordering::Relaxed)
    }
}
