//! Plugins that count their instances.

use std::sync::atomic::{AtomicU32, Ordering};

use polyplug::{LogLevel, PluginContext};
use test_contracts::instances::{Singleton, Stateful, Stateless};

static OWN_ALIVE: AtomicU32 = AtomicU32::new(0);
static SHARED_MADE: AtomicU32 = AtomicU32::new(0);
static NOTHING_MADE: AtomicU32 = AtomicU32::new(0);

struct Own {
    asked: AtomicU32,
}

impl Default for Own {
    fn default() -> Self {
        OWN_ALIVE.fetch_add(1, Ordering::SeqCst);
        Self { asked: AtomicU32::new(0) }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        OWN_ALIVE.fetch_sub(1, Ordering::SeqCst);
    }
}

#[polyplug::plugin]
impl Stateful for Own {
    fn count(&self) -> u32 {
        self.asked.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn alive(&self) -> u32 {
        OWN_ALIVE.load(Ordering::SeqCst)
    }
}

struct Shared {
    asked: AtomicU32,
    context: PluginContext,
}

impl Shared {
    fn new(context: &PluginContext) -> Result<Self, String> {
        SHARED_MADE.fetch_add(1, Ordering::SeqCst);
        context.log(LogLevel::Info, "the singleton begins");
        Ok(Self { asked: AtomicU32::new(0), context: context.clone() })
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.context.log(LogLevel::Warn, "the singleton ends");
    }
}

#[polyplug::plugin(singleton, create = Shared::new)]
impl Singleton for Shared {
    fn count(&self) -> u32 {
        self.asked.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn made(&self) -> u32 {
        SHARED_MADE.load(Ordering::SeqCst)
    }
}

struct Nothing;

impl Default for Nothing {
    fn default() -> Self {
        NOTHING_MADE.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

#[polyplug::plugin]
impl Stateless for Nothing {
    fn made(&self) -> u32 {
        NOTHING_MADE.load(Ordering::SeqCst)
    }
}
